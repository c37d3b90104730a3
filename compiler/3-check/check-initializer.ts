/**
 * Initialisers (C17 6.7.9, with GNU ranges): walks braces, designators and elided braces, and gives
 * each scalar, record or string its place in the whole object. One file because the walk is one
 * recursion: arrays hold records hold arrays, with and without braces.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Designator, Expression, Initializer, InitializerList } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { fieldNames, findField } from "./check-expression-access.ts";
import type { CheckedExpression, CheckedInitializer, InitializerElement } from "./checked.ts";
import { compatibleUnqualified } from "./compatible.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, previousNote, report } from "./context.ts";
import { decay } from "./conversions.ts";
import { designatedName } from "./expression-place.ts";
import { sizeOf } from "./layout.ts";
import { quoteType } from "./print-type.ts";
import { nearestName } from "./scope.ts";
import { wideUnits } from "./string-literals.ts";
import {
  arrayOf,
  asArray,
  asRecord,
  bare,
  canonical,
  intType,
  isError,
  withQualifiersOf,
} from "./type-tools.ts";
import type { ArrayType, QualType, RecordField, RecordType } from "./types.ts";

type Item = InitializerList["items"][number];

/** Reads the items of one pair of braces in order. */
interface Reader {
  readonly items: readonly Item[];
  /** From brace to brace. */
  readonly list: Span;
  next: number;
  /** The item whose designators have led to the part that is being filled. */
  placed: number;
  /** Expressions that were checked to see whether they fill a whole record. */
  readonly checked: Map<Expression, CheckedExpression>;
}

/** A part of the object: its type and place. */
interface Place {
  readonly type: QualType;
  readonly offset: number;
  readonly field?: RecordField;
}

interface Run {
  readonly context: Context;
  readonly elements: InitializerElement[];
  /** The place to point at for a whole initialiser: the declared name. */
  readonly declared: Span;
  /** Where each place of the object was initialised. */
  readonly places: Map<string, Span>;
  depth: number;
  failed: boolean;
}

/** Of an element of an array whose length its initialiser gives. */
const MAX_INDEX = 0xffff_fffen;

/** Scalars that one range designator may write; each takes memory of ours. */
const MAX_COPIES = 1 << 22;

function isCharArray(type: QualType): boolean {
  const array = asArray(type);
  if (array === undefined) return false;
  const element = bare(array.element);
  return element.kind === "int" && element.rank === "char";
}

function stringOf(initializer: Initializer): Extract<Expression, { kind: "string" }> | undefined {
  if (initializer.kind === "expression") {
    let { value } = initializer;
    while (value.kind === "unary" && value.op === "__extension__") value = value.operand;
    return value.kind === "string" ? value : undefined;
  }
  const [only] = initializer.items;
  if (initializer.items.length !== 1 || only === undefined || only.designators.length > 0) {
    return undefined;
  }
  return only.value.kind === "expression" ? stringOf(only.value) : undefined;
}

/** Whether the characters of a literal are what the array's elements are, but for their sign. */
function takesString(type: QualType, initializer: Initializer): boolean {
  const literal = stringOf(initializer);
  const array = asArray(type);
  if (literal === undefined || array === undefined) return false;
  if (literal.unit === undefined) return isCharArray(type);
  return compatibleUnqualified(array.element, wideUnits[literal.unit]);
}

/** The bytes that a string gives an array: with its NUL where that fits. */
function stringBytes(
  run: Run,
  array: ArrayType,
  literal: Extract<Expression, { kind: "string" }>,
): Uint8Array {
  const { bytes, span } = literal;
  const unit = sizeOf(array.element);
  const size = array.length === undefined ? bytes.length + unit : array.length * unit;
  if (bytes.length > size) report(run.context, "stringTooLong", span);
  const result = new Uint8Array(Math.min(size, bytes.length + unit));
  result.set(bytes.subarray(0, size));
  return result;
}

function addString(
  run: Run,
  place: Place,
  literal: Extract<Expression, { kind: "string" }>,
): number {
  const array = asArray(place.type);
  if (array === undefined) return 0;
  const bytes = stringBytes(run, array, literal);
  const unit = sizeOf(array.element);
  const length = array.length ?? bytes.length / unit;
  const type = array.length === undefined ? arrayOf(array.element, length) : place.type;
  const whole = new Uint8Array(length * unit);
  whole.set(bytes);
  run.elements.push({ offset: place.offset, type, value: { kind: "bytes", bytes: whole } });
  return length;
}

function checkValue(
  run: Run,
  reader: Reader | undefined,
  expression: Expression,
): CheckedExpression {
  const known = reader?.checked.get(expression);
  return known ?? run.context.recurse.expression(run.context, expression);
}

/** Warns of a second initialiser for one place. */
function warnOverride(run: Run, place: Place, span: Span): void {
  const earlier = run.places.get(placeKey(place));
  if (earlier !== undefined) {
    report(
      run.context,
      "overridden",
      span,
      [],
      previousNote(earlier, "previous initialization is here"),
    );
  }
  run.places.set(placeKey(place), span);
}

function placeKey({ offset, field, type }: Place): string {
  return `${offset}:${field?.bitOffset ?? ""}:${sizeOf(type)}`;
}

function addScalar(
  run: Run,
  place: Place,
  expression: Expression,
  original: CheckedExpression,
): void {
  const value = decay(original);
  if (isError(value.type)) {
    run.failed = true;
    return;
  }
  const converted = convertForAssignment(run.context, original, value, place.type, {
    reason: "initializing",
    span: run.depth === 0 ? run.declared : expression.span,
    ...(place.field !== undefined && { field: place.field }),
  });
  if (isError(converted.type)) run.failed = true;
  else {
    warnOverride(run, place, expression.span);
    run.elements.push({
      offset: place.offset,
      type: place.type,
      ...(place.field !== undefined && { field: place.field }),
      value: converted,
    });
  }
}

/** `int x = { 5 }`. */
function scalarList(run: Run, place: Place, list: InitializerList): void {
  const { context } = run;
  const [first, second] = list.items;
  if (first === undefined) return;
  if (first.designators.length > 0) {
    report(context, "scalarDesignator", first.designators[0]?.span ?? list.span, [
      quoteType(place.type),
    ]);
    run.failed = true;
    return;
  }
  if (second !== undefined) report(context, "excessScalar", initializerSpan(second.value));
  run.depth += 1;
  if (first.value.kind === "list") {
    report(context, "tooManyBraces", first.value.span);
    scalarList(run, place, first.value);
  } else addScalar(run, place, first.value.value, checkValue(run, undefined, first.value.value));
  run.depth -= 1;
}

function initializerSpan(initializer: Initializer): Span {
  return initializer.kind === "list" ? initializer.span : initializer.value.span;
}

/** One part of an object, from braces or one expression. Gives the length of an open array. */
function fillPart(run: Run, place: Place, initializer: Initializer): number {
  const array = asArray(place.type);
  const literal =
    array !== undefined && takesString(place.type, initializer) ? stringOf(initializer) : undefined;
  if (literal !== undefined) return addString(run, place, literal);
  if (initializer.kind === "expression") {
    fillFromExpression(
      run,
      place,
      initializer.value,
      checkValue(run, undefined, initializer.value),
    );
    return 0;
  }
  if (array === undefined && asRecord(place.type) === undefined) {
    scalarList(run, place, initializer);
    return 0;
  }
  run.depth += 1;
  const reader: Reader = {
    items: initializer.items,
    list: initializer.span,
    next: 0,
    placed: -1,
    checked: new Map(),
  };
  const length = fillAggregate(run, place, reader, true, []);
  run.depth -= 1;
  return length;
}

/** A whole part from one expression: a scalar, or a record of the same type. */
function fillFromExpression(
  run: Run,
  place: Place,
  expression: Expression,
  original: CheckedExpression,
): void {
  const array = asArray(place.type);
  if (array === undefined) {
    addScalar(run, place, expression, original);
    return;
  }
  run.failed = true;
  if (isError(original.type)) return;
  const name = isCharArray(place.type)
    ? "arrayNeedsListOrString"
    : compatibleUnqualified(array.element, intType)
      ? "arrayNeedsListOrWideString"
      : "arrayNeedsList";
  report(run.context, name, run.depth === 0 ? run.declared : expression.span);
}

/** An array from a compound literal of the same type (GNU): its list is taken over. */
function listOfLiteral(type: QualType, initializer: Initializer): InitializerList | undefined {
  if (initializer.kind !== "expression" || asArray(type) === undefined) return undefined;
  const { value } = initializer;
  return value.kind === "compound_literal" ? value.initializer : undefined;
}

/** Fills the next part with the item at hand, eliding braces where the item is a mere scalar. */
function fillNext(run: Run, place: Place, reader: Reader): number {
  const item = reader.items[reader.next];
  if (item === undefined) return 0;
  const { value } = item;
  const record = asRecord(place.type);
  const array = asArray(place.type);
  const isAggregate = record !== undefined || array !== undefined;
  const isString = array !== undefined && takesString(place.type, value);
  if (value.kind === "list" || !isAggregate || isString) {
    reader.next += 1;
    return fillPart(run, place, value);
  }
  const original = checkValue(run, reader, value.value);
  if (isError(original.type)) {
    run.failed = true;
    reader.next += 1;
    return 0;
  }
  if (record !== undefined && asRecord(original.type) === record) {
    reader.next += 1;
    addScalar(run, place, value.value, original);
    return 0;
  }
  reader.checked.set(value.value, original);
  if (sizeOf(place.type) > 0 && !(original.kind === "constant" && original.value === 0n)) {
    report(run.context, "missingBraces", value.value.span);
  }
  return fillAggregate(run, place, reader, false, []);
}

/**
 * Fills an array or record from the reader. `braced`: the braces are its own, else they were elided
 * and it takes only what it needs. `path`: designators that still lead into it.
 */
function fillAggregate(
  run: Run,
  place: Place,
  reader: Reader,
  braced: boolean,
  path: readonly Designator[],
): number {
  const array = asArray(place.type);
  if (array !== undefined) return fillArray(run, place, array, reader, braced, path);
  const record = asRecord(place.type);
  if (record !== undefined) fillRecord(run, place, record, reader, braced, path);
  return 0;
}

/** The designators of the next item that have not been followed yet. */
function openDesignators(reader: Reader): readonly Designator[] {
  return reader.placed === reader.next ? [] : (reader.items[reader.next]?.designators ?? []);
}

/** Whether the next item ends an aggregate whose braces were elided: it names its own place. */
function belongsOutside(reader: Reader, braced: boolean): boolean {
  return !braced && openDesignators(reader).length > 0;
}

function skipExcess(run: Run, reader: Reader, place: Place): void {
  const item = reader.items[reader.next];
  if (item === undefined) return;
  const record = asRecord(place.type);
  const name =
    record === undefined
      ? "excessArray"
      : record.kind === "struct"
        ? "excessStruct"
        : "excessUnion";
  report(run.context, name, initializerSpan(item.value));
  reader.next = reader.items.length;
}

function fieldPlace(place: Place, field: RecordField): Place {
  const type = withQualifiersOf(field.type, { ...canonical(place.type), restrict: false });
  if (field.bitWidth !== undefined) return { type, offset: place.offset, field };
  return { type, offset: place.offset + field.bitOffset / 8 };
}

/** The field a designator names, and the anonymous members on the way to it. */
function designatedField(
  run: Run,
  record: RecordType,
  type: QualType,
  designator: Designator,
): RecordField[] | undefined {
  const { context } = run;
  const name = designator.name ?? "";
  if (designator.kind !== "field") {
    report(context, "indexDesignatorType", designator.span, [quoteType(type)]);
    return undefined;
  }
  const found = findField(record, name);
  if (found !== undefined) return found;
  const hint = nearestName(name, fieldNames(record));
  if (hint === undefined) {
    report(context, "fieldDesignatorUnknown", designatedName(designator.span, name), [
      name,
      quoteType(type),
    ]);
  } else
    report(context, "fieldDesignatorHint", designatedName(designator.span, name), [
      name,
      quoteType(type),
      hint,
    ]);
  return undefined;
}

/** Initialises a designated part: the rest of the path leads further in. */
function fillDesignated(
  run: Run,
  place: Place,
  reader: Reader,
  rest: readonly Designator[],
): number {
  const item = reader.items[reader.next];
  if (item === undefined) return 0;
  if (rest.length > 0) {
    if (asArray(place.type) !== undefined || asRecord(place.type) !== undefined) {
      return fillAggregate(run, place, reader, false, rest);
    }
    const [first] = rest as [Designator];
    const name = first.kind === "field" ? "fieldDesignatorType" : "indexDesignatorType";
    report(run.context, name, first.span, [quoteType(place.type)]);
    run.failed = true;
    reader.next += 1;
    return 0;
  }
  reader.placed = reader.next;
  return fillNext(run, place, reader);
}

/** Enters the anonymous members that lead to a designated field, then fills from there. */
function fillFieldPath(
  run: Run,
  place: Place,
  fields: readonly RecordField[],
  reader: Reader,
  rest: readonly Designator[],
): void {
  const [first, ...inner] = fields as [RecordField, ...RecordField[]];
  const at = fieldPlace(place, first);
  if (inner.length === 0) {
    fillDesignated(run, at, reader, rest);
    return;
  }
  fillFieldPath(run, at, inner, reader, rest);
  const record = asRecord(at.type);
  const next = inner[0];
  if (record?.kind === "struct" && next !== undefined) {
    continueRecord(run, at, record, reader, next.index + 1, false);
  }
}

/** Fills fields in order from an index on. */
function continueRecord(
  run: Run,
  place: Place,
  record: RecordType,
  reader: Reader,
  from: number,
  braced: boolean,
): void {
  const fields = record.definition?.fields ?? [];
  let index = from;
  for (;;) {
    const item = reader.items[reader.next];
    if (item === undefined && braced && record.kind === "struct")
      warnMissingField(run, reader, fields.slice(index));
    if (item === undefined || belongsOutside(reader, braced)) return;
    const [first, ...rest] = openDesignators(reader);
    if (first !== undefined) {
      const path = designatedField(run, record, place.type, first);
      if (path === undefined) {
        run.failed = true;
        reader.next += 1;
        continue;
      }
      fillFieldPath(run, place, path, reader, rest);
      index = record.kind === "union" ? fields.length : (path[0]?.index ?? 0) + 1;
      continue;
    }
    while (fields[index] !== undefined && isUnnamedBits(fields[index])) index += 1;
    const field = fields[index];
    if (field === undefined) {
      if (braced) skipExcess(run, reader, place);
      return;
    }
    fillNext(run, fieldPlace(place, field), reader);
    index = record.kind === "union" ? fields.length : index + 1;
  }
}

/** Fields that a list leaves out; `{}`, `{ 0 }` and lists with designators do so on purpose. */
function warnMissingField(run: Run, { items, list }: Reader, rest: readonly RecordField[]): void {
  const [only, ...more] = items;
  if (only === undefined || items.some(({ designators }) => designators.length > 0)) return;
  const isZero =
    only.value.kind === "expression" &&
    only.value.value.kind === "integer" &&
    only.value.value.value === 0n;
  if (isZero && more.length === 0) return;
  const missing = rest.find((field) => !isUnnamedBits(field));
  if (missing === undefined) return;
  const { end } = list;
  report(run.context, "missingField", { ...list, start: end - 1 }, [missing.name ?? ""]);
}

function isUnnamedBits(field: RecordField | undefined): boolean {
  return field?.name === undefined && field?.bitWidth !== undefined;
}

function fillRecord(
  run: Run,
  place: Place,
  record: RecordType,
  reader: Reader,
  braced: boolean,
  path: readonly Designator[],
): void {
  const [first, ...rest] = path;
  if (first === undefined) {
    continueRecord(run, place, record, reader, 0, braced);
    return;
  }
  const fields = designatedField(run, record, place.type, first);
  if (fields === undefined) {
    run.failed = true;
    reader.next += 1;
    return;
  }
  fillFieldPath(run, place, fields, reader, rest);
  const next = record.kind === "union" ? Number.MAX_SAFE_INTEGER : (fields[0]?.index ?? 0) + 1;
  continueRecord(run, place, record, reader, next, false);
}

/** The bounds of `[i]` or `[a ... b]`; undefined after a report. */
function designatedRange(
  run: Run,
  array: ArrayType,
  type: QualType,
  designator: Designator,
): readonly [number, number] | undefined {
  const { context } = run;
  if (designator.kind === "field" || designator.index === undefined) {
    report(context, "fieldDesignatorType", designator.span, [quoteType(type)]);
    return undefined;
  }
  const bound = (expression: Expression): number | undefined => {
    const checked = decay(context.recurse.expression(context, expression));
    if (isError(checked.type)) return undefined;
    const value = evaluateInteger(checked, { constants: context.constants, decideConstantP: true });
    if (value === undefined) {
      report(context, "notConstant", expression.span);
      return undefined;
    }
    if (value.value < 0n) {
      report(context, "designatorNegative", expression.span, [String(value.value)]);
      return undefined;
    }
    if (array.length !== undefined && value.value >= BigInt(array.length)) {
      const args = [String(value.value), String(array.length)];
      report(context, "designatorBounds", expression.span, args);
      return undefined;
    }
    if (value.value > MAX_INDEX) {
      report(context, "arrayTooLarge", expression.span, [String(value.value + 1n)]);
      return undefined;
    }
    return Number(value.value);
  };
  const low = bound(designator.index);
  const high = designator.last === undefined ? low : bound(designator.last);
  if (low === undefined || high === undefined) return undefined;
  if (high >= low) return [low, high];
  report(context, "designatorRange", designator.span, [String(low), String(high)]);
  return undefined;
}

/** Fills a designated element, and copies it over the rest of a range. Gives the next index. */
function fillRange(
  run: Run,
  place: Place,
  array: ArrayType,
  reader: Reader,
  designator: Designator,
  rest: readonly Designator[],
): number | undefined {
  const range = designatedRange(run, array, place.type, designator);
  if (range === undefined) {
    run.failed = true;
    reader.next += 1;
    return undefined;
  }
  const [low, high] = range;
  const size = sizeOf(array.element);
  const before = run.elements.length;
  fillDesignated(run, { type: array.element, offset: place.offset + low * size }, reader, rest);
  const made = run.elements.slice(before);
  if ((high - low) * made.length > MAX_COPIES) {
    report(run.context, "arrayTooLarge", run.declared, [String(high + 1)]);
    run.failed = true;
    return high + 1;
  }
  for (let index = low + 1; index <= high; index += 1) {
    for (const element of made) {
      run.elements.push({ ...element, offset: element.offset + (index - low) * size });
    }
  }
  return high + 1;
}

/** Gives how many elements an open array has got. */
function fillArray(
  run: Run,
  place: Place,
  array: ArrayType,
  reader: Reader,
  braced: boolean,
  path: readonly Designator[],
): number {
  const size = sizeOf(array.element);
  const end = array.length ?? Number.MAX_SAFE_INTEGER;
  let index = 0;
  let length = 0;
  let leading = path;
  for (;;) {
    const item = reader.items[reader.next];
    if (item === undefined) return length;
    const [first, ...rest] = leading.length > 0 ? leading : openDesignators(reader);
    if (leading.length === 0 && belongsOutside(reader, braced)) return length;
    leading = [];
    if (first !== undefined) {
      index = fillRange(run, place, array, reader, first, rest) ?? index;
    } else if (index >= end) {
      if (braced) skipExcess(run, reader, place);
      return length;
    } else {
      const before = reader.next;
      fillNext(run, { type: array.element, offset: place.offset + index * size }, reader);
      // An empty record takes no item; braces around it are still its own.
      if (reader.next === before && size === 0 && array.length === undefined) return length;
      index += 1;
    }
    length = Math.max(length, index);
  }
}

/** The initialiser in its simplest form: one expression or one string for the whole object. */
function simplest(run: Run, type: QualType, span: Span): CheckedInitializer {
  const [only] = run.elements;
  const isWhole = run.elements.length === 1 && only !== undefined && only.offset === 0;
  const sameSize = only !== undefined && sizeOf(only.type) === sizeOf(type);
  if (isWhole && only.value.kind === "bytes" && sameSize && asArray(type) !== undefined) {
    return { kind: "string", bytes: only.value.bytes, span };
  }
  const record = asRecord(type);
  const sameRecord = record !== undefined && only !== undefined && asRecord(only.type) === record;
  const isScalar = record === undefined && asArray(type) === undefined;
  if (
    isWhole &&
    only.value.kind !== "bytes" &&
    only.field === undefined &&
    (isScalar || sameRecord)
  ) {
    return { kind: "expression", value: only.value };
  }
  return { kind: "aggregate", elements: run.elements, span };
}

/** An initialiser for an object of the type; an open array gets its length from it. */
export function checkInitializer(
  context: Context,
  type: QualType,
  initializer: Initializer,
  declared: Span,
): { readonly type: QualType; readonly initializer: CheckedInitializer } | undefined {
  const run: Run = { context, elements: [], places: new Map(), declared, depth: 0, failed: false };
  const taken = listOfLiteral(type, initializer) ?? initializer;
  const length = fillPart(run, { type, offset: 0 }, taken);
  if (run.failed) return undefined;
  const array = asArray(type);
  const whole =
    array !== undefined && array.length === undefined ? arrayOf(array.element, length) : type;
  const span = initializerSpan(initializer);
  if (run.elements.length === 0 && array === undefined && asRecord(type) === undefined) {
    const zero: CheckedExpression = { kind: "constant", value: 0n, type, span };
    return { type: whole, initializer: { kind: "expression", value: zero } };
  }
  return { type: whole, initializer: simplest(run, whole, span) };
}
