/** Types as written → {@link QualType}: specifiers, then the derivations of the declarator. */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  Attribute,
  BuiltinTypeName,
  DeclarationSpecifiers,
  Declarator,
  DeclaratorPart,
  EnumSpecifier,
  Expression,
  ParameterDeclaration,
  Qualifiers,
  RecordSpecifier,
  TypeName,
  TypeSpecifier,
} from "../2-parse/ast.ts";
import { parseAttributes } from "./attributes.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, inScope, previousNote, report, unevaluated } from "./context.ts";
import { toRvalue } from "./conversions.ts";
import { tagPlace } from "./expression-place.ts";
import { alignOf, sizeOf } from "./layout.ts";
import { placeOf, quoteType, rememberPlace } from "./print-type.ts";
import {
  lazyEnum,
  lazyRecord,
  lookUp,
  lookUpTag,
  lookUpTagHere,
  nearestDeclared,
} from "./scope.ts";
import * as types from "./type-tools.ts";
import {
  asEnum,
  asFunction,
  bare,
  canonical,
  errorType,
  isComplete,
  isError,
  isInteger,
  isVoid,
  plain,
  pointerTo,
  unqualified,
  withQualifiersOf,
} from "./type-tools.ts";
import type { CType, EnumType, FunctionParameter, QualType, RecordType } from "./types.ts";

const builtinTypes: Readonly<Record<BuiltinTypeName, QualType>> = {
  void: types.voidType,
  _Bool: types.boolType,
  char: types.charType,
  "signed char": types.signedCharType,
  "unsigned char": types.unsignedCharType,
  short: types.shortType,
  "unsigned short": types.unsignedShortType,
  int: types.intType,
  "unsigned int": types.unsignedIntType,
  long: types.longType,
  "unsigned long": types.unsignedLongType,
  "long long": types.longLongType,
  "unsigned long long": types.unsignedLongLongType,
  __int128: types.int128Type,
  "unsigned __int128": types.unsignedInt128Type,
  float: types.floatType,
  double: types.doubleType,
  "long double": types.longDoubleType,
  __builtin_va_list: types.vaListType,
};

const modeSigned: ReadonlyMap<string, QualType> = new Map([
  ["QI", types.signedCharType],
  ["byte", types.signedCharType],
  ["HI", types.shortType],
  ["SI", types.intType],
  ["DI", types.longType],
  ["word", types.longType],
  ["pointer", types.longType],
  ["unwind_word", types.longType],
  ["TI", types.int128Type],
]);

const modeUnsigned: ReadonlyMap<string, QualType> = new Map([
  ["QI", types.unsignedCharType],
  ["byte", types.unsignedCharType],
  ["HI", types.unsignedShortType],
  ["SI", types.unsignedIntType],
  ["DI", types.unsignedLongType],
  ["word", types.unsignedLongType],
  ["pointer", types.unsignedLongType],
  ["unwind_word", types.unsignedLongType],
  ["TI", types.unsignedInt128Type],
]);

/** The type with the machine mode of `attribute mode(…)`; undefined for an unknown mode. */
export function applyMode(type: QualType, mode: string): QualType | undefined {
  const name = mode.replace(/^__(.*)__$/, "$1");
  if (name === "SF" || name === "DF") return name === "SF" ? types.floatType : types.doubleType;
  const table = types.isSigned(type) ? modeSigned : modeUnsigned;
  const found = table.get(name);
  return found && withQualifiersOf(found, { ...type, type: found.type });
}

const typeAttributeNames: ReadonlySet<string> = new Set(["btf_type_tag", "address_space", "mode"]);

/** Applies those attributes that change a type. */
export function applyTypeAttributes(
  context: Context,
  type: QualType,
  attributes: readonly Attribute[],
): QualType {
  const relevant = attributes.filter((a) => typeAttributeNames.has(a.name));
  if (relevant.length === 0) return type;
  const parsed = parseAttributes(context, relevant);
  let result = type;
  if (parsed.mode !== undefined && asEnum(type) === undefined && !isError(type)) {
    const changed = applyMode(type, parsed.mode.name);
    if (changed === undefined) report(context, "unknownMode", parsed.mode.span, [parsed.mode.name]);
    result = changed ?? result;
  }
  if (parsed.addressSpace !== undefined) result = { ...result, addressSpace: parsed.addressSpace };
  if (parsed.typeTags.length > 0) {
    result = { ...result, typeTags: [...(result.typeTags ?? []), ...parsed.typeTags] };
  }
  return result;
}

function qualify(context: Context, type: QualType, qualifiers: Qualifiers, span: Span): QualType {
  if (!qualifiers.const && !qualifiers.volatile && !qualifiers.restrict) return type;
  if (qualifiers.restrict && bare(type).kind !== "pointer" && !isError(type)) {
    report(context, "invalidRestrict", span, [quoteType(type)]);
  }
  return {
    ...type,
    const: type.const || qualifiers.const,
    volatile: type.volatile || qualifiers.volatile,
    restrict: type.restrict || qualifiers.restrict,
  };
}

function typedefType(
  context: Context,
  specifier: Extract<TypeSpecifier, { kind: "typedef_name" }>,
): QualType {
  const found = lookUp(context, specifier.name);
  if (found?.kind === "typedef") return found.type;
  const near = nearestDeclared(context, specifier.name);
  const hint = near?.kind === "typedef" ? near.name : undefined;
  report(
    context,
    "unknownType",
    specifier.span,
    [specifier.name],
    hint === undefined ? {} : { help: `did you mean '${hint}'?` },
  );
  return errorType;
}

function newTagged(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  definesNow: boolean,
): RecordType | EnumType {
  const lazy = context.lazy && context.scope.kind === "file" && definesNow;
  const type =
    specifier.kind === "record"
      ? lazyRecord(context, specifier, lazy ? specifier : undefined, context.ordinal)
      : lazyEnum(context, specifier, lazy ? specifier : undefined, context.ordinal);
  if (specifier.tag !== undefined) context.scope.tags.set(specifier.tag, type);
  return type;
}

function kindOf(specifier: RecordSpecifier | EnumSpecifier): "struct" | "union" | "enum" {
  if (specifier.kind === "enum") return "enum";
  return specifier.union ? "union" : "struct";
}

function referencedTag(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  tag: string,
  isolated: boolean,
): QualType {
  const found = isolated ? lookUpTagHere(context, tag) : lookUpTag(context, tag);
  if (found !== undefined) {
    if (found.kind === kindOf(specifier)) return plain(found);
    const place = placeOf(found);
    report(
      context,
      "wrongTagKind",
      specifier.span,
      [tag],
      place && previousNote(place, "previous use is here"),
    );
    return errorType;
  }
  if (context.scope.kind === "prototype" && specifier.kind === "record") {
    report(context, "visibilityRecord", specifier.span, [`${kindOf(specifier)} ${tag}`]);
  }
  return plain(newTagged(context, specifier, false));
}

function isDefinition(specifier: RecordSpecifier | EnumSpecifier): boolean {
  return specifier.kind === "record"
    ? specifier.members !== undefined
    : specifier.enumerators !== undefined;
}

function define(
  context: Context,
  type: RecordType | EnumType,
  specifier: RecordSpecifier | EnumSpecifier,
): void {
  if (type.kind === "enum") {
    if (specifier.kind === "enum") context.recurse.defineEnum(context, type, specifier);
  } else if (specifier.kind === "record") context.recurse.defineRecord(context, type, specifier);
}

function taggedType(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  isolated: boolean,
): QualType {
  const known = context.specified.get(specifier);
  if (known !== undefined) return plain(known);
  if (!isDefinition(specifier)) {
    return specifier.tag === undefined
      ? errorType
      : referencedTag(context, specifier, specifier.tag, isolated);
  }
  const earlier = specifier.tag === undefined ? undefined : lookUpTagHere(context, specifier.tag);
  const again = context.specified.get(specifier);
  if (again !== undefined) return plain(again);
  if (earlier === undefined) {
    const type = newTagged(context, specifier, true);
    if (!(context.lazy && context.scope.kind === "file")) define(context, type, specifier);
    return plain(type);
  }
  if (earlier.kind !== kindOf(specifier) || earlier.definition !== undefined) {
    const place = placeOf(earlier);
    const name = earlier.kind === kindOf(specifier) ? "redefinition" : "wrongTagKind";
    report(
      context,
      name,
      tagPlace(specifier.span, specifier.tag),
      [specifier.tag ?? ""],
      place && previousNote(place),
    );
    return earlier.kind === kindOf(specifier) ? plain(earlier) : errorType;
  }
  context.specified.set(specifier, earlier);
  define(context, earlier, specifier);
  return plain(earlier);
}

function typeofType(
  context: Context,
  specifier: Extract<TypeSpecifier, { kind: "typeof" }>,
): QualType {
  const { operand } = specifier;
  const type =
    operand.kind === "type_name"
      ? checkTypeName(context, operand)
      : unevaluated(context, () => context.recurse.expression(context, operand).type);
  return specifier.unqualified ? plain(unqualified(canonical(type)).type) : type;
}

function baseType(context: Context, specifier: TypeSpecifier, isolated: boolean): QualType {
  switch (specifier.kind) {
    case "builtin":
      return builtinTypes[specifier.name];
    case "typedef_name":
      return typedefType(context, specifier);
    case "record":
    case "enum":
      return taggedType(context, specifier, isolated);
    case "typeof":
      return typeofType(context, specifier);
    case "auto_type":
      return errorType;
    case "missing":
      return types.intType;
  }
}

/** The type that specifiers mean. `isolated`: nothing is declared but a tag, as in `struct x;`. */
export function checkSpecifiedType(
  context: Context,
  specifiers: DeclarationSpecifiers,
  isolated: boolean,
): QualType {
  const base = baseType(context, specifiers.type, isolated);
  const attributed = applyTypeAttributes(context, base, specifiers.attributes);
  return qualify(context, attributed, specifiers.qualifiers, specifiers.span);
}

/** The length of an array; undefined after a report. */
function arrayLength(
  context: Context,
  length: Expression,
  name: string | undefined,
  place: Span,
): number | undefined {
  const value = toRvalue(context, context.recurse.expression(context, length));
  if (isError(value.type)) return undefined;
  if (!isInteger(value.type)) {
    report(context, "arraySizeType", length.span, [quoteType(value.type)]);
    return undefined;
  }
  const found = evaluateInteger(value, { constants: context.constants, decideConstantP: true });
  if (found === undefined) {
    if (context.function === undefined) report(context, "variableLengthFile", place);
    else report(context, "variableLengthArray", length.span, [name ?? "array"]);
    return undefined;
  }
  if (!found.exact && !context.quietFolding) report(context, "foldedArray", place);
  if (found.value < 0n) {
    if (name === undefined) report(context, "negativeArrayUnnamed", length.span);
    else report(context, "negativeArray", length.span, [name]);
    return undefined;
  }
  if (found.value > 0xffffffffn) {
    report(context, "arrayTooLarge", length.span, [String(found.value)]);
    return undefined;
  }
  return Number(found.value);
}

function arrayType(
  context: Context,
  element: QualType,
  part: Extract<DeclaratorPart, { kind: "array" }>,
  declarator: Declarator,
): QualType {
  if (isError(element)) return errorType;
  if (asFunction(element) !== undefined) {
    report(context, "arrayOfFunctions", part.span, [
      declarator.name ?? "type name",
      quoteType(element),
    ]);
    return errorType;
  }
  if (!isComplete(element)) {
    report(
      context,
      "incompleteElement",
      declarator.nameSpan,
      [quoteType(element)],
      forwardNote(element),
    );
    return errorType;
  }
  const size = sizeOf(element);
  const align = alignOf(element);
  if (size % align !== 0) {
    report(context, "arrayAlignment", declarator.nameSpan, [
      quoteType(element),
      String(size),
      String(align),
    ]);
    return errorType;
  }
  if (part.length === undefined) return types.arrayOf(element, undefined);
  const length = arrayLength(context, part.length, declarator.name, declarator.nameSpan);
  return length === undefined ? errorType : types.arrayOf(element, length);
}

/** The note that shows where an incomplete tag was first named. */
export function forwardNote(type: QualType): { notes?: { message: string; span: Span }[] } {
  let at: CType = bare(type);
  while (at.kind === "array") at = bare(at.element);
  const place = placeOf(at);
  if (place === undefined || (at.kind !== "struct" && at.kind !== "union" && at.kind !== "enum")) {
    return {};
  }
  return {
    notes: [{ message: `forward declaration of '${at.kind} ${at.tag ?? ""}'`, span: place }],
  };
}

function functionType(
  context: Context,
  returns: QualType,
  part: Extract<DeclaratorPart, { kind: "function" }>,
): QualType {
  const params = inScope(context, "prototype", () => checkParameters(context, part.params));
  if (isError(returns)) return errorType;
  const kind = bare(returns).kind;
  if (kind === "function" || kind === "array") {
    const name = kind === "function" ? "functionReturnsFunction" : "functionReturnsArray";
    report(context, name, part.span, [quoteType(returns)]);
    return errorType;
  }
  return plain({
    kind: "function",
    returns,
    params,
    variadic: part.variadic,
    prototyped: part.prototyped,
  });
}

function isVoidAlone(params: readonly ParameterDeclaration[], type: QualType): boolean {
  const [first] = params;
  return (
    params.length === 1 &&
    isVoid(type) &&
    first?.declarator.name === undefined &&
    first?.declarator.parts.length === 0
  );
}

function checkParameters(
  context: Context,
  params: readonly ParameterDeclaration[],
): FunctionParameter[] {
  const result: FunctionParameter[] = [];
  for (const param of params) {
    const base = checkSpecifiedType(context, param.specifiers, false);
    const written = parameterType(context, base, param.declarator);
    if (isVoidAlone(params, written)) return [];
    if (isVoid(written)) report(context, "voidParameter", param.span);
    const attributes = parseAttributes(
      context,
      param.specifiers.attributes,
      param.declarator.attributes,
    );
    const type = isVoid(written) ? errorType : written;
    const { name } = param.declarator;
    const entry: FunctionParameter = {
      name,
      type,
      ...(attributes.declTags.length > 0 && { declTags: attributes.declTags }),
    };
    rememberPlace(entry, name === undefined ? param.span : param.declarator.nameSpan);
    result.push(entry);
    if (name !== undefined) declarePlaceholder(context, name, type, param.declarator.nameSpan);
  }
  return result;
}

/** Later parameters may mention earlier ones, as in `int n, typeof(n) *p`. */
function declarePlaceholder(context: Context, name: string, type: QualType, span: Span): void {
  context.ids.symbol += 1;
  context.scope.ordinary.set(name, {
    kind: "variable",
    id: context.ids.symbol,
    name,
    linkName: name,
    type,
    storage: "param",
    attributes: { weak: false, hidden: false, used: false, declTags: [] },
    defined: true,
    referenced: true,
    span,
  });
}

/** A parameter's type after arrays and functions became pointers (C17 6.7.6.3). */
function parameterType(context: Context, base: QualType, declarator: Declarator): QualType {
  const [first, ...rest] = declarator.parts;
  if (first?.kind === "array") {
    // The length of the outermost array means nothing here and may be anything.
    const element = checkDeclaratorType(context, base, { ...declarator, parts: rest });
    if (isError(element)) return errorType;
    if (asFunction(element) !== undefined || !isComplete(element)) {
      report(
        context,
        "incompleteElement",
        declarator.nameSpan,
        [quoteType(element)],
        forwardNote(element),
      );
      return errorType;
    }
    const { qualifiers } = first;
    return { ...pointerTo(element), ...pickQualifiers(qualifiers) };
  }
  return adjustParameter(checkDeclaratorType(context, base, declarator));
}

function pickQualifiers(qualifiers: Qualifiers): Omit<QualType, "type"> {
  return {
    const: qualifiers.const,
    volatile: qualifiers.volatile,
    restrict: qualifiers.restrict,
  };
}

/** Arrays and functions as parameters are pointers. */
export function adjustParameter(type: QualType): QualType {
  const found = canonical(type).type;
  if (found.kind === "array") return pointerTo(found.element);
  return found.kind === "function" ? pointerTo(type) : type;
}

/** The type of the declared thing: the base wrapped in the declarator's parts. */
export function checkDeclaratorType(
  context: Context,
  base: QualType,
  declarator: Declarator,
): QualType {
  let type = base;
  for (const part of declarator.parts.toReversed()) {
    if (part.kind === "pointer") {
      if (isError(type)) return errorType;
      const pointer = applyTypeAttributes(context, pointerTo(type), part.attributes);
      type = qualify(context, pointer, part.qualifiers, declarator.span);
    } else if (part.kind === "array") type = arrayType(context, type, part, declarator);
    else type = functionType(context, type, part);
  }
  return type;
}

export function checkTypeName(context: Context, name: TypeName): QualType {
  const base = checkSpecifiedType(context, name.specifiers, false);
  const quiet = context.quietFolding;
  context.quietFolding = context.function !== undefined;
  const type = checkDeclaratorType(context, base, name.declarator);
  context.quietFolding = quiet;
  return applyTypeAttributes(context, type, name.declarator.attributes);
}

/** Reports unless the type is complete. */
export function requireComplete(
  context: Context,
  type: QualType,
  message: Parameters<typeof report>[1],
  span: Span,
): boolean {
  if (isError(type)) return false;
  if (isComplete(type)) return true;
  report(context, message, span, [quoteType(type)], forwardNote(type));
  return false;
}

/** Bytes that a type takes, for `sizeof`. */
export function sizeInBytes(type: QualType): bigint {
  return BigInt(sizeOf(type));
}
