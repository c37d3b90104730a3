/** Definitions of structs, unions and enums (C17 6.7.2.1, 6.7.2.2, with GNU extensions). */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  EnumSpecifier,
  Expression,
  MemberDeclaration,
  RecordSpecifier,
} from "../2-parse/ast.ts";
import { parseAttributes } from "./attributes.ts";
import { checkStaticAssert } from "./check-static-assert.ts";
import { forwardNote } from "./check-tag.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import {
  type Context,
  type Entity,
  type EnumeratorEntity,
  previousNote,
  report,
  reportFolding,
} from "./context.ts";
import { decay } from "./conversions.ts";
import { tagPlace } from "./expression-place.ts";
import { type FieldPlan, layOutRecord } from "./layout.ts";
import { quoteType, rememberPlace } from "./print-type.ts";
import { declare, lookUpHere } from "./scope.ts";
import { applyMode, applyTypeAttributes } from "./type-attributes.ts";
import {
  asArray,
  asFunction,
  asRecord,
  bare,
  errorType,
  intType,
  isComplete,
  isError,
  isInteger,
  longLongType,
  longType,
  plain,
  scalarBits,
  shortType,
  signedCharType,
  unqualified,
  unsignedCharType,
  unsignedIntType,
  unsignedLongLongType,
  unsignedLongType,
  unsignedShortType,
} from "./type-tools.ts";
import type { EnumType, IntegerType, QualType, RecordType } from "./types.ts";

type Members = Extract<MemberDeclaration, { kind: "members" }>;

/** A record while its members are read. */
interface RecordState {
  readonly specifier: RecordSpecifier;
  readonly names: Map<string, Span>;
  readonly fields: FieldPlan[];
}

/** Where the members of records were declared. */
const memberPlaces = new WeakMap<RecordType, ReadonlyMap<string, Span>>();

function claimName(context: Context, state: RecordState, name: string, span: Span): boolean {
  const earlier = state.names.get(name);
  if (earlier !== undefined) {
    report(
      context,
      "duplicateMember",
      span,
      [name],
      previousNote(earlier, "previous declaration is here"),
    );
    return false;
  }
  state.names.set(name, span);
  return true;
}

function claimAnonymous(
  context: Context,
  state: RecordState,
  record: RecordType,
  span: Span,
): void {
  for (const field of record.definition?.fields ?? []) {
    if (field.name !== undefined) {
      const earlier = state.names.get(field.name);
      const place = memberPlaces.get(record)?.get(field.name) ?? span;
      if (earlier === undefined) state.names.set(field.name, place);
      else {
        report(
          context,
          "anonymousRedeclares",
          place,
          [record.kind, field.name],
          previousNote(earlier, "previous declaration is here"),
        );
      }
    } else if (field.bitWidth === undefined) {
      const inner = asRecord(field.type);
      if (inner !== undefined) claimAnonymous(context, state, inner, span);
    }
  }
}

/** `struct { … };` inside a record: its members are the record's own. */
function addAnonymous(context: Context, state: RecordState, member: Members): void {
  const type = context.recurse.specifiedType(context, member.specifiers, true);
  const record = asRecord(type);
  const specifier = member.specifiers.type;
  const untagged = specifier.kind === "record" && specifier.tag === undefined;
  if (record === undefined || (!untagged && context.options.msExtensions !== true)) {
    const defines = specifier.kind === "record" || specifier.kind === "enum";
    if (!isError(type) && !(defines && specifier.kind === "enum")) {
      report(context, "emptyDeclaration", member.span);
    }
    return;
  }
  if (!untagged) report(context, "anonymousTag", member.span);
  claimAnonymous(context, state, record, specifier.span);
  const attributes = parseAttributes(context, member.specifiers.attributes);
  state.fields.push({
    name: undefined,
    // Its qualifiers say nothing: clang lets the members be assigned.
    type: unqualified(type),
    bitWidth: undefined,
    packed: attributes.packed,
    align: attributes.align,
  });
}

function bitWidth(
  context: Context,
  expression: Expression,
  type: QualType,
  name: string | undefined,
  span: Span,
): number | undefined {
  const checked = decay(context.recurse.expression(context, expression));
  if (isError(checked.type) || isError(type)) return undefined;
  const value = evaluateInteger(checked, { constants: context.constants });
  if (value === undefined) {
    report(context, "bitFieldWidth", expression.span);
    return undefined;
  }
  if (!isInteger(type)) {
    if (name === undefined) report(context, "bitFieldTypeUnnamed", span, [quoteType(type)]);
    else report(context, "bitFieldType", span, [name, quoteType(type)]);
    return undefined;
  }
  const limit = bare(type).kind === "bool" ? 1 : scalarBits(type);
  if (value.value < 0n) {
    report(context, "bitFieldNegative", span, [name ?? "", String(value.value)]);
    return undefined;
  }
  if (value.value > BigInt(limit)) {
    const widths = [String(value.value), String(limit)];
    if (name === undefined) report(context, "bitFieldWideUnnamed", span, widths);
    else report(context, "bitFieldWide", span, [name, ...widths]);
    return undefined;
  }
  if (value.value === 0n && name !== undefined) {
    report(context, "bitFieldZero", span, [name]);
    return undefined;
  }
  return Number(value.value);
}

/** A member's type if an object may have it; else reports and gives the error type. */
function memberType(
  context: Context,
  type: QualType,
  name: string | undefined,
  span: Span,
  mayBeFlexible: boolean,
): QualType {
  if (isError(type)) return errorType;
  if (asFunction(type) !== undefined) {
    report(context, "functionField", span, [name ?? ""]);
    return errorType;
  }
  const array = asArray(type);
  if (array !== undefined && array.length === undefined && isComplete(array.element)) {
    if (mayBeFlexible) return type;
    report(context, "flexibleNotLast", span, [name ?? "", quoteType(type)]);
    return errorType;
  }
  if (isComplete(type)) return type;
  report(context, "incompleteField", span, [quoteType(type)], forwardNote(type));
  return errorType;
}

function addMembers(context: Context, state: RecordState, member: Members, isLast: boolean): void {
  if (member.declarators.length === 0) {
    addAnonymous(context, state, member);
    return;
  }
  const base = context.recurse.specifiedType(context, member.specifiers, false);
  member.declarators.forEach(({ declarator, bitWidth: width }, i) => {
    const { name, nameSpan } = declarator;
    const last = state.specifier.union || (isLast && i === member.declarators.length - 1);
    const attributes = parseAttributes(
      context,
      member.specifiers.attributes,
      declarator.attributes,
    );
    const written = applyTypeAttributes(
      context,
      context.recurse.declaratorType(context, base, declarator),
      declarator.attributes,
    );
    const type = memberType(context, written, name, nameSpan, last);
    if (name !== undefined && !claimName(context, state, name, nameSpan)) return;
    const bits = width === undefined ? undefined : bitWidth(context, width, type, name, nameSpan);
    if (width !== undefined && bits === undefined) return;
    state.fields.push({
      name,
      type,
      bitWidth: bits,
      packed: attributes.packed,
      align: attributes.align,
      ...(attributes.declTags.length > 0 && { declTags: attributes.declTags }),
    });
  });
}

/** Reads the members of a record and lays it out. */
export function defineRecord(context: Context, type: RecordType, specifier: RecordSpecifier): void {
  rememberPlace(type, tagPlace(specifier.span, specifier.tag));
  const members = specifier.members ?? [];
  const state: RecordState = { specifier, names: new Map(), fields: [] };
  const quiet = context.quietFolding;
  context.quietFolding = false;
  const attributes = parseAttributes(context, specifier.attributes);
  members.forEach((member, i) => {
    if (member.kind === "static_assert") checkStaticAssert(context, member);
    else addMembers(context, state, member, i === members.length - 1);
  });
  context.quietFolding = quiet;
  type.preserveAccessIndex = attributes.preserveAccessIndex;
  type.mayAlias = attributes.mayAlias;
  type.declTags = attributes.declTags;
  memberPlaces.set(type, state.names);
  type.definition = layOutRecord({
    union: specifier.union,
    fields: state.fields,
    packed: attributes.packed,
    align: attributes.align,
    pack: specifier.pack,
  });
}

const narrow: readonly (readonly [QualType, QualType])[] = [
  [signedCharType, unsignedCharType],
  [shortType, unsignedShortType],
];

const wide: readonly (readonly [QualType, QualType])[] = [
  [intType, unsignedIntType],
  [longType, unsignedLongType],
  [longLongType, unsignedLongLongType],
];

function holds(type: QualType, low: bigint, high: bigint): boolean {
  const bits = BigInt(scalarBits(type));
  const integer = type.type as IntegerType;
  if (integer.signed) return low >= -(1n << (bits - 1n)) && high < 1n << (bits - 1n);
  return low >= 0n && high < 1n << bits;
}

/** The integer type of an enum, as clang chooses: unsigned where no value is negative. */
function underlyingType(values: readonly bigint[], packed: boolean): QualType | undefined {
  let low = 0n;
  let high = 0n;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const candidates = packed ? [...narrow, ...wide] : wide;
  const column = low < 0n ? 0 : 1;
  return candidates.map((pair) => pair[column]).find((type) => holds(type, low, high));
}

function enumeratorValue(
  context: Context,
  expression: Expression | undefined,
  previous: bigint | undefined,
): bigint {
  const next = previous === undefined ? 0n : previous + 1n;
  if (expression === undefined) return next;
  const checked = decay(context.recurse.expression(context, expression));
  if (isError(checked.type)) return next;
  if (!isInteger(checked.type)) {
    report(context, "notConstantInteger", expression.span, [quoteType(checked.type)]);
    return next;
  }
  const value = evaluateInteger(checked, { constants: context.constants, decideConstantP: true });
  if (value === undefined) report(context, "notConstant", expression.span);
  else if (!value.exact) reportFolding(context, expression.span);
  return value?.value ?? next;
}

/** An enumerator that was met before its enum is entered again with it. */
function isSameAlone(earlier: Entity, { span }: EnumeratorEntity): boolean {
  if (earlier.kind !== "enumerator" || earlier.isAlone !== true) return false;
  return earlier.span.file === span.file && earlier.span.start === span.start;
}

function enterEnumerator(context: Context, entity: EnumeratorEntity): void {
  const earlier = lookUpHere(context, entity.name);
  if (earlier !== undefined && earlier !== entity && !isSameAlone(earlier, entity)) {
    const name = earlier.kind === "enumerator" ? "redefinitionEnumerator" : "redefinitionKind";
    report(context, name, entity.span, [entity.name], previousNote(earlier.span));
    return;
  }
  declare(context, entity.name, entity);
}

/** The type that a fixed, packed or moded enum asks for; undefined: what its values need. */
function requestedType(context: Context, specifier: EnumSpecifier): QualType | undefined {
  if (specifier.underlying !== undefined) {
    return context.recurse.typeName(context, specifier.underlying);
  }
  const { mode } = parseAttributes(context, specifier.attributes);
  if (mode === undefined) return undefined;
  const found = applyMode(unsignedIntType, mode.name);
  if (found === undefined) report(context, "unknownMode", mode.span, [mode.name]);
  return found;
}

/** Reads the enumerators and chooses the enum's integer type. */
export function defineEnum(context: Context, type: EnumType, specifier: EnumSpecifier): void {
  rememberPlace(type, tagPlace(specifier.span, specifier.tag));
  const attributes = parseAttributes(context, specifier.attributes);
  const entities: EnumeratorEntity[] = [];
  let previous: bigint | undefined;
  for (const { name, value, span } of specifier.enumerators ?? []) {
    previous = enumeratorValue(context, value, previous);
    const fitsInt = holds(intType, previous, previous);
    const entity: EnumeratorEntity = {
      kind: "enumerator",
      name,
      value: previous,
      type: fitsInt ? intType : longType,
      span,
    };
    enterEnumerator(context, entity);
    entities.push(entity);
  }
  const values = entities.map((e) => e.value);
  const requested = requestedType(context, specifier);
  const found =
    requested ?? underlyingType(values, attributes.packed || context.options.shortEnums === true);
  if (found === undefined) report(context, "enumTooLarge", specifier.span);
  const underlying = found ?? unsignedLongType;
  const representation = bare(underlying);
  type.declTags = attributes.declTags;
  type.definition = {
    enumerators: entities.map(({ name, value }) => ({ name, value })),
    underlying: (representation.kind === "int"
      ? representation
      : unsignedIntType.type) as IntegerType,
  };
  for (const entity of entities) {
    const fitsInt =
      specifier.underlying === undefined && holds(intType, entity.value, entity.value);
    entity.type = fitsInt ? intType : specifier.underlying === undefined ? underlying : plain(type);
  }
}
