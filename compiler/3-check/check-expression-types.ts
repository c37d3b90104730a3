/** Expressions that name types: casts, sizeof, offsetof, _Generic, compound literals. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CompoundStatement, Designator, Expression, TypeName } from "../2-parse/ast.ts";
import { elementSize, findField } from "./check-expression-access.ts";
import { discard } from "./check-expression-binary.ts";
import { forwardNote } from "./check-tag.ts";
import type { CheckedExpression, CheckedStatement, VariableSymbol } from "./checked.ts";
import { compatible } from "./compatible.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, inScope, report, unevaluated } from "./context.ts";
import { bitFieldOf, castNode, convert, decay } from "./conversions.ts";
import { alignOf, sizeOf } from "./layout.ts";
import { quoteType } from "./print-type.ts";
import { staticData } from "./static-data.ts";
import {
  arrayOf,
  asArray,
  asFunction,
  asRecord,
  bare,
  canonical,
  intType,
  isComplete,
  isError,
  isFloat,
  isInteger,
  isPointer,
  isScalar,
  isVoid,
  pointeeOf,
  scalarBits,
  sizeType,
  unqualified,
  vaListType,
  voidType,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

type Of<K extends Expression["kind"]> = Extract<Expression, { kind: K }>;

function warnCast(context: Context, value: CheckedExpression, type: QualType, span: Span): void {
  const from = value.type;
  const bits = scalarBits(type);
  if (isPointer(from) && isInteger(type) && bare(type).kind !== "bool" && bits < 64) {
    const isVoidPointer = isVoid(pointeeOf(from) ?? voidType);
    const name = isVoidPointer ? "voidPointerToIntCast" : "pointerToIntCast";
    report(context, name, span, [quoteType(type), quoteType(from)]);
  }
  const isSmall = isInteger(from) && scalarBits(from) < 64 && bare(from).kind !== "bool";
  if (isPointer(type) && isSmall && evaluateInteger(value) === undefined) {
    const toVoid = isVoid(pointeeOf(type) ?? voidType);
    if (toVoid) report(context, "intToVoidPointer", span, [quoteType(from)]);
    else report(context, "intToPointerCast", span, [quoteType(type), quoteType(from)]);
  }
}

/** Reports a cast that C does not have; gives whether it is one. */
function checkCastTypes(
  context: Context,
  value: CheckedExpression,
  type: QualType,
  expression: Of<"cast">,
): boolean {
  const { span, operand } = expression;
  if (!isScalar(type)) {
    const incomplete = asRecord(type) !== undefined && !isComplete(type);
    if (incomplete) {
      report(context, "castToIncomplete", span, [quoteType(type)], forwardNote(type));
    } else report(context, "castScalar", span, [quoteType(type)]);
    return false;
  }
  if (!isScalar(value.type)) {
    report(context, "castOperand", operand.span, [quoteType(value.type)]);
    return false;
  }
  const [from, to] = [value.type, type];
  if ((isFloat(from) && isPointer(to)) || (isPointer(from) && isFloat(to))) {
    const pointer = isPointer(from) ? "castPointerToFloat" : "castFloatToPointer";
    report(context, pointer, span, [quoteType(from), quoteType(to)]);
    return false;
  }
  return true;
}

export function checkCast(context: Context, expression: Of<"cast">): CheckedExpression {
  const { span } = expression;
  const type = context.recurse.typeName(context, expression.type);
  const operand = context.recurse.expression(context, expression.operand);
  if (isError(type) || isError(operand.type)) return errorExpression(span);
  if (isVoid(type)) {
    return { ...castNode("to_void", discard(operand), voidType, true), span };
  }
  const value = decay(operand);
  const record = asRecord(type);
  if (record !== undefined && asRecord(value.type) === record) {
    return { ...castNode("noop", value, unqualified(type), true), span };
  }
  const union = record?.kind === "union" ? castToUnion(context, value, type, span) : undefined;
  if (union !== undefined) return union;
  if (!checkCastTypes(context, value, type, expression)) return errorExpression(span);
  warnCast(context, value, type, span);
  return { ...convert(value, type, true), span };
}

/** GNU: a cast to a union makes one whose matching member has the value. */
function castToUnion(
  context: Context,
  value: CheckedExpression,
  type: QualType,
  span: Span,
): CheckedExpression | undefined {
  const field = asRecord(type)?.definition?.fields.find((f) =>
    compatible(unqualified(f.type), unqualified(value.type)),
  );
  if (field === undefined) return undefined;
  const symbol = literalSymbol(context, type, span, "local");
  return {
    kind: "compound_literal",
    symbol,
    initializer: {
      kind: "aggregate",
      elements: [{ offset: 0, type: field.type, value }],
      span,
    },
    type: symbol.type,
    span,
  };
}

function literalSymbol(
  context: Context,
  type: QualType,
  span: Span,
  storage: "local" | "static",
): VariableSymbol {
  context.ids.symbol += 1;
  const number = context.ids.literal;
  context.ids.literal += 1;
  const name = number === 0 ? ".compoundliteral" : `.compoundliteral.${number}`;
  return {
    kind: "variable",
    id: context.ids.symbol,
    name,
    linkName: name,
    type,
    storage,
    attributes: { weak: false, hidden: false, used: false, declTags: [] },
    defined: true,
    referenced: false,
    span,
    anonymous: true,
  };
}

export function checkCompoundLiteral(
  context: Context,
  expression: Of<"compound_literal">,
): CheckedExpression {
  const { span } = expression;
  const written = context.recurse.typeName(context, expression.type);
  if (isError(written)) return errorExpression(span);
  const array = asArray(written);
  const isOpen = array !== undefined && array.length === undefined && isComplete(array.element);
  if (!isOpen && !isComplete(written)) {
    report(context, "incompleteVariable", span, [quoteType(written)], forwardNote(written));
    return errorExpression(span);
  }
  const outer = context.references;
  const references: typeof outer = new Set();
  if (context.function === undefined) context.references = references;
  const made = context.recurse.initializer(context, written, expression.initializer, span);
  context.references = outer;
  if (made === undefined) return errorExpression(span);
  const storage = context.function === undefined ? "static" : "local";
  const symbol = literalSymbol(context, made.type, span, storage);
  if (storage === "static") {
    const data = staticData(context, made.type, made.initializer, span);
    if (data !== undefined) symbol.data = data;
    context.dependencies.set(symbol, references);
    // Kept only where something holds its address.
    context.variables.push(symbol);
  }
  return {
    kind: "compound_literal",
    symbol,
    initializer: made.initializer,
    type: made.type,
    span,
  };
}

function constant(value: number, type: QualType, span: Span): CheckedExpression {
  return { kind: "constant", value: BigInt(value), type, span };
}

/**
 * The type that sizeof or alignof asks about, and the operand where it was an expression. The type
 * of a variable length array has length 1 where `lengths` has what is known at run time only.
 */
function operandType(
  context: Context,
  operand: Expression | TypeName,
): {
  type: QualType;
  checked?: CheckedExpression;
  lengths?: readonly CheckedExpression[];
} {
  if (operand.kind === "type_name") {
    const around = context.variableLengths;
    const lengths: CheckedExpression[] = [];
    context.variableLengths = lengths;
    const type = context.recurse.typeName(context, operand);
    context.variableLengths = around;
    return asArray(type) === undefined ? { type } : { type, lengths };
  }
  const checked = unevaluated(context, () => context.recurse.expression(context, operand));
  return { type: checked.type, checked };
}

export function checkSizeof(
  context: Context,
  expression: Of<"sizeof" | "alignof">,
): CheckedExpression {
  const { span, kind } = expression;
  const { type, checked, lengths = [] } = operandType(context, expression.operand);
  if (isError(type)) return errorExpression(span);
  if (isVoid(type) || asFunction(type) !== undefined) return constant(1, sizeType, span);
  const array = asArray(type);
  const openAlign = kind === "alignof" && array !== undefined && isComplete(array.element);
  if (!isComplete(type) && !openAlign) {
    const word = kind === "sizeof" ? "sizeof" : "_Alignof";
    report(context, "sizeofIncomplete", span, [word, quoteType(type)], forwardNote(type));
    return errorExpression(span);
  }
  if (checked?.kind === "member" && bitFieldOf(checked) !== undefined && kind === "sizeof") {
    report(context, "sizeofBitField", span);
    return errorExpression(span);
  }
  if (kind === "sizeof" && array?.isVariable === true) {
    const held = checked?.kind === "dereference" ? checked.length : undefined;
    if (held === undefined) {
      report(context, "variableLengthArray", span, ["array"]);
      return errorExpression(span);
    }
    const left = decay({ kind: "variable", symbol: held, type: held.type, span });
    const right = constant(sizeOf(array.element), sizeType, span);
    return { kind: "arithmetic", op: "mul", left, right, type: sizeType, span };
  }
  if (kind === "sizeof") {
    return lengths.reduce<CheckedExpression>(
      (left, right) => ({ kind: "arithmetic", op: "mul", left, right, type: sizeType, span }),
      constant(sizeOf(type), sizeType, span),
    );
  }
  const declared = checked?.kind === "variable" ? checked.symbol.attributes.align : undefined;
  return constant(Math.max(declared ?? 0, alignOf(type)), sizeType, span);
}

/** Where an offsetof has got to. */
interface OffsetState {
  readonly type: QualType;
  readonly bytes: CheckedExpression;
}

function plus(left: CheckedExpression, right: CheckedExpression, span: Span): CheckedExpression {
  if (left.kind === "constant" && right.kind === "constant") {
    return { kind: "constant", value: left.value + right.value, type: sizeType, span };
  }
  return { kind: "arithmetic", op: "add", left, right, type: sizeType, span };
}

function offsetOfField(
  context: Context,
  state: OffsetState,
  designator: Designator,
): OffsetState | undefined {
  const record = asRecord(state.type);
  const name = designator.name ?? "";
  if (record === undefined) {
    report(context, "offsetofRecord", designator.span, [quoteType(state.type)]);
    return undefined;
  }
  const path = findField(record, name);
  const last = path?.at(-1);
  if (path === undefined || last === undefined) {
    report(context, "noMember", designator.span, [name, quoteType(state.type).slice(1, -1)]);
    return undefined;
  }
  if (last.bitWidth !== undefined) {
    report(context, "offsetofBitField", designator.span, [name]);
    return undefined;
  }
  const bits = path.reduce((sum, f) => sum + f.bitOffset, 0);
  return {
    type: last.type,
    bytes: plus(state.bytes, constant(bits / 8, sizeType, designator.span), designator.span),
  };
}

function offsetOfElement(
  context: Context,
  state: OffsetState,
  designator: Designator,
): OffsetState | undefined {
  const array = asArray(state.type);
  if (array === undefined || designator.index === undefined) {
    report(context, "offsetofArray", designator.span, [quoteType(state.type)]);
    return undefined;
  }
  const index = decay(context.recurse.expression(context, designator.index));
  if (isError(index.type)) return undefined;
  if (!isInteger(index.type)) {
    report(context, "subscriptInteger", designator.index.span);
    return undefined;
  }
  const size = constant(elementSize(array.element), sizeType, designator.span);
  const wide = convert(index, sizeType);
  const product: CheckedExpression =
    wide.kind === "constant" && size.kind === "constant"
      ? { ...wide, value: BigInt.asUintN(64, wide.value * size.value) }
      : {
          kind: "arithmetic",
          op: "mul",
          left: wide,
          right: size,
          type: sizeType,
          span: index.span,
        };
  return { type: array.element, bytes: plus(state.bytes, product, designator.span) };
}

export function checkOffsetof(context: Context, expression: Of<"offsetof">): CheckedExpression {
  const { span } = expression;
  const type = context.recurse.typeName(context, expression.type);
  if (isError(type)) return errorExpression(span);
  if (!isComplete(type)) {
    report(context, "offsetofIncomplete", span, [quoteType(type)], forwardNote(type));
    return errorExpression(span);
  }
  let state: OffsetState = { type, bytes: constant(0, sizeType, span) };
  for (const designator of expression.designators) {
    const next =
      designator.kind === "field"
        ? offsetOfField(context, state, designator)
        : offsetOfElement(context, state, designator);
    if (next === undefined) return errorExpression(span);
    state = next;
  }
  return { ...state.bytes, span };
}

/** The qualifiers of an array are those of its elements. */
function withoutQualifiers(type: QualType): QualType {
  const plainType = unqualified(canonical(type));
  const array = asArray(plainType);
  if (array === undefined) return plainType;
  return arrayOf(withoutQualifiers(array.element), array.length);
}

export function checkTypesCompatible(
  context: Context,
  expression: Of<"types_compatible">,
): CheckedExpression {
  const left = context.recurse.typeName(context, expression.left);
  const right = context.recurse.typeName(context, expression.right);
  if (isError(left) || isError(right)) return errorExpression(expression.span);
  const same = compatible(withoutQualifiers(left), withoutQualifiers(right));
  const bothEnums = bare(left).kind === "enum" || bare(right).kind === "enum";
  const exact = !bothEnums || bare(left) === bare(right);
  return constant(same && exact ? 1 : 0, intType, expression.span);
}

export function checkGeneric(context: Context, expression: Of<"generic">): CheckedExpression {
  const { control, span } = expression;
  const controlType =
    control.kind === "type_name"
      ? context.recurse.typeName(context, control)
      : unevaluated(context, () =>
          unqualified(decay(context.recurse.expression(context, control)).type),
        );
  if (isError(controlType)) return errorExpression(span);
  const seen: QualType[] = [];
  let chosen: Expression | undefined;
  let fallback: Expression | undefined;
  for (const association of expression.associations) {
    if (association.type === undefined) {
      if (fallback !== undefined) report(context, "genericTwoDefaults", association.value.span);
      fallback = association.value;
      continue;
    }
    const type = context.recurse.typeName(context, association.type);
    const earlier = seen.find((t) => compatible(t, type));
    if (earlier !== undefined) {
      report(context, "genericDuplicate", association.type.span, [
        quoteType(type),
        quoteType(earlier),
      ]);
    }
    seen.push(type);
    if (chosen === undefined && compatible(controlType, type)) chosen = association.value;
  }
  for (const { value } of expression.associations) {
    if (value !== (chosen ?? fallback)) {
      unevaluated(context, () => context.recurse.expression(context, value));
    }
  }
  const result = chosen ?? fallback;
  if (result !== undefined) return context.recurse.expression(context, result);
  report(context, "genericNoMatch", control.span, [quoteType(controlType)]);
  return errorExpression(span);
}

export function checkVaArg(context: Context, expression: Of<"va_arg">): CheckedExpression {
  const { span } = expression;
  const list = context.recurse.expression(context, expression.list);
  const type = context.recurse.typeName(context, expression.type);
  if (isError(list.type) || isError(type)) return errorExpression(span);
  if (bare(list.type).kind !== bare(vaListType).kind) {
    report(context, "vaArgList", expression.list.span, [quoteType(list.type)]);
    return errorExpression(span);
  }
  report(context, "builtinUnsupported", span, ["va_arg"]);
  return errorExpression(span);
}

/** Local variables that the statements of a block bring to life directly. */
export function localsOf(statements: readonly CheckedStatement[]): VariableSymbol[] {
  return statements.flatMap((s) => (s.kind === "local" ? [s.symbol] : []));
}

/** Takes the value out of the last statement, through labels in front of it. */
function splitResult(body: CheckedStatement[]): CheckedExpression | undefined {
  const last = body.at(-1);
  if (last?.kind === "expression") {
    if (isError(last.value.type)) return last.value;
    body.pop();
    return last.value;
  }
  if (last?.kind !== "label" || last.body.kind !== "expression") return undefined;
  body.pop();
  const empty: CheckedStatement = { kind: "compound", body: [], locals: [], span: last.span };
  body.push({ ...last, body: empty });
  return last.body.value;
}

function checkBody(context: Context, statement: CompoundStatement): CheckedStatement[] {
  return context.recurse.block(context, statement, true);
}

export function checkStatementExpression(
  context: Context,
  expression: Of<"statement_expression">,
): CheckedExpression {
  const { span } = expression;
  if (context.function === undefined) {
    report(context, "statementExpressionFileScope", span);
    return errorExpression(span);
  }
  const body = inScope(context, "block", () => checkBody(context, expression.body));
  const found = splitResult(body);
  const locals = localsOf(body);
  const result = found && decay(found);
  if (result === undefined || isVoid(result.type)) {
    if (result !== undefined) body.push({ kind: "expression", value: result, span: result.span });
    return { kind: "statement_expression", body, locals, type: voidType, span };
  }
  if (isError(result.type)) return errorExpression(span);
  return {
    kind: "statement_expression",
    body,
    result,
    locals,
    type: unqualified(result.type),
    span,
  };
}
