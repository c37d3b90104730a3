/** Types as written → {@link QualType}: specifiers, then the derivations of the declarator. */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  BuiltinTypeName,
  DeclarationSpecifiers,
  Declarator,
  DeclaratorPart,
  Expression,
  ParameterDeclaration,
  Qualifiers,
  TypeName,
  TypeSpecifier,
} from "../2-parse/ast.ts";
import { parseAttributes } from "./attributes.ts";
import { forwardNote, taggedType } from "./check-tag.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import {
  type Context,
  inScope,
  plainChar,
  report,
  type TypedefEntity,
  unevaluated,
} from "./context.ts";
import { convert, decay } from "./conversions.ts";
import { alignOf, sizeOf } from "./layout.ts";
import { quoteType, rememberPlace } from "./print-type.ts";
import { lookUp, nearestDeclared } from "./scope.ts";
import { applyTypeAttributes } from "./type-attributes.ts";
import * as types from "./type-tools.ts";
import {
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
  sizeType,
  unqualified,
} from "./type-tools.ts";
import type { FunctionParameter, QualType } from "./types.ts";

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

/** A typedef may be declared again, as another name of its type: the last one before this place. */
function declaredBefore(context: Context, last: TypedefEntity): TypedefEntity {
  let entity = last;
  while (entity.earlier !== undefined && entity.ordinal > context.ordinal) entity = entity.earlier;
  return entity;
}

function typedefType(
  context: Context,
  specifier: Extract<TypeSpecifier, { kind: "typedef_name" }>,
): QualType {
  const found = lookUp(context, specifier.name);
  if (found?.kind === "typedef") {
    context.usedTypedefs.add(found);
    return declaredBefore(context, found).type;
  }
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
      return specifier.name === "char" ? plainChar(context) : builtinTypes[specifier.name];
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
  const value = decay(context.recurse.expression(context, length));
  if (isError(value.type)) return undefined;
  if (!isInteger(value.type)) {
    report(context, "arraySizeType", length.span, [quoteType(value.type)]);
    return undefined;
  }
  const found = evaluateInteger(value, { constants: context.constants, decideConstantP: true });
  if (found === undefined) {
    if (context.function !== undefined && context.variableLengths !== undefined) {
      context.variableLengths.push(convert(value, sizeType));
      return 1;
    }
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

function incompleteElement(
  context: Context,
  element: QualType,
  { nameSpan }: Declarator,
): QualType {
  const note = forwardNote(element);
  report(context, "incompleteElement", nameSpan, [quoteType(element)], note);
  return errorType;
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
    return incompleteElement(context, element, declarator);
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
    ...(part.identifiers && { old: true }),
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
      return incompleteElement(context, element, declarator);
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
