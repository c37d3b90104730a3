/**
 * Computes what is constant before a program runs: integers, and addresses of static objects with
 * an offset (C17 6.6, with what clang folds beyond). Works on checked expressions, so conversions
 * are already written out. Reports nothing: the caller knows why a constant was needed.
 */
import { floatFromBits, isFloatZero } from "../../common/domain/float-bits.ts";
import { convertFloatConstant, floatSize } from "./check-float.ts";
import type { CheckedExpression, FunctionSymbol, VariableSymbol } from "./checked.ts";
import { builtinFolds, computeArithmetic } from "./constant-arithmetic.ts";
import { sizeOf } from "./layout.ts";
import { asArray, bare, isFloat, isInteger, scalarBits, wrapToType } from "./type-tools.ts";
import type { QualType } from "./types.ts";

export type ConstantValue =
  | { readonly kind: "integer"; readonly value: bigint }
  | {
      readonly kind: "address";
      readonly symbol: VariableSymbol | FunctionSymbol;
      readonly offset: bigint;
    };

export interface EvaluationOptions {
  /** Values of const variables that may be folded. */
  readonly constants?: ReadonlyMap<VariableSymbol, bigint>;
  /** `__builtin_constant_p` of what is not constant is 0, rather than not yet known. */
  readonly decideConstantP?: boolean;
}

/** An evaluation in progress: `exact` turns false where standard C would not allow the folding. */
interface Evaluation extends EvaluationOptions {
  exact: boolean;
}

type CompareOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

type Comparison = <T extends bigint | number>(a: T, b: T) => boolean;

const comparison: Readonly<Record<CompareOperator, Comparison>> = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function integer(value: bigint): ConstantValue {
  return { kind: "integer", value };
}

function truth(value: boolean): ConstantValue {
  return integer(value ? 1n : 0n);
}

/** Whether a value is not zero; undefined where that is not known. */
function isTrue(value: ConstantValue | undefined, type: QualType): boolean | undefined {
  if (value === undefined) return undefined;
  if (value.kind === "integer") {
    return isFloat(type) ? !isFloatZero(value.value, floatSize(type)) : value.value !== 0n;
  }
  return value.symbol.attributes.weak ? undefined : true;
}

function evaluateCompare(
  expression: Extract<CheckedExpression, { kind: "compare" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const left = evaluate(expression.left, run);
  const right = evaluate(expression.right, run);
  if (left === undefined || right === undefined) return undefined;
  const compare = comparison[expression.op];
  if (left.kind === "integer" && right.kind === "integer") {
    const { type } = expression.left;
    if (isFloat(type)) {
      run.exact = false;
      const size = floatSize(type);
      return truth(compare(floatFromBits(left.value, size), floatFromBits(right.value, size)));
    }
    return truth(compare(left.value, right.value));
  }
  if (left.kind === "address" && right.kind === "address" && left.symbol === right.symbol) {
    return truth(compare(left.offset, right.offset));
  }
  const equality = expression.op === "==" || expression.op === "!=";
  const address = left.kind === "address" ? left : right;
  const other = left.kind === "address" ? right : left;
  const provable = address.kind === "address" && !address.symbol.attributes.weak;
  if (equality && provable && other.kind === "integer" && other.value === 0n) {
    return truth(expression.op === "!=");
  }
  return undefined;
}

function evaluateLogical(
  expression: Extract<CheckedExpression, { kind: "logical" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const left = isTrue(evaluate(expression.left, run), expression.left.type);
  if (left === undefined) return undefined;
  if (expression.op === "and" && !left) return truth(false);
  if (expression.op === "or" && left) return truth(true);
  const right = isTrue(evaluate(expression.right, run), expression.right.type);
  return right === undefined ? undefined : truth(right);
}

function evaluateUnary(
  expression: Extract<CheckedExpression, { kind: "unary" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const operand = evaluate(expression.operand, run);
  if (expression.op === "not") {
    const value = isTrue(operand, expression.operand.type);
    return value === undefined ? undefined : truth(!value);
  }
  if (operand?.kind !== "integer") return undefined;
  if (isFloat(expression.type)) {
    run.exact = false;
    return integer(operand.value ^ (1n << BigInt(scalarBits(expression.type) - 1)));
  }
  const result = expression.op === "negate" ? -operand.value : ~operand.value;
  return integer(wrapToType(result, expression.type));
}

function evaluateOffset(
  expression: Extract<CheckedExpression, { kind: "pointer_offset" }>,
  run: Evaluation,
): ConstantValue | undefined {
  run.exact = false;
  const pointer = evaluate(expression.pointer, run);
  const index = evaluate(expression.index, run);
  if (pointer === undefined || index?.kind !== "integer") return undefined;
  const distance = index.value * BigInt(expression.elementSize) * (expression.subtract ? -1n : 1n);
  if (pointer.kind === "integer") return integer(BigInt.asUintN(64, pointer.value + distance));
  return { ...pointer, offset: pointer.offset + distance };
}

function evaluateDifference(
  expression: Extract<CheckedExpression, { kind: "pointer_difference" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const left = evaluate(expression.left, run);
  const right = evaluate(expression.right, run);
  if (left === undefined || right === undefined || expression.elementSize === 0) return undefined;
  const size = BigInt(expression.elementSize);
  if (left.kind === "integer" && right.kind === "integer") {
    return integer((left.value - right.value) / size);
  }
  if (left.kind === "address" && right.kind === "address" && left.symbol === right.symbol) {
    return integer((left.offset - right.offset) / size);
  }
  return undefined;
}

/** The byte that a constant address inside a string literal holds. */
function readString(address: ConstantValue, type: QualType): ConstantValue | undefined {
  if (address.kind !== "address" || address.symbol.kind !== "variable") return undefined;
  const { symbol, offset } = address;
  if (symbol.anonymous !== true || (!symbol.type.const && !isStringArray(symbol.type)))
    return undefined;
  const bytes = symbol.data?.bytes;
  if (bytes === undefined || sizeOf(type) !== 1 || offset < 0n) return undefined;
  const byte = bytes[Number(offset)];
  return byte === undefined ? undefined : integer(wrapToType(BigInt(byte), type));
}

function isStringArray(type: QualType): boolean {
  const element = asArray(type)?.element;
  return element !== undefined && sizeOf(element) === 1;
}

function evaluateRead(operand: CheckedExpression, run: Evaluation): ConstantValue | undefined {
  run.exact = false;
  if (operand.kind === "variable") {
    const value = run.constants?.get(operand.symbol);
    return value === undefined ? undefined : integer(value);
  }
  const address = evaluateAddress(operand, run);
  return address === undefined ? undefined : readString(address, operand.type);
}

function evaluateCast(
  expression: Extract<CheckedExpression, { kind: "cast" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const { operand } = expression;
  switch (expression.cast) {
    case "lvalue_to_rvalue":
      return evaluateRead(operand, run);
    case "array_to_pointer":
      return evaluateAddress(operand, run);
    case "function_to_pointer":
      return operand.kind === "function"
        ? { kind: "address", symbol: operand.symbol, offset: 0n }
        : evaluateAddress(operand, run);
    case "to_void":
      return undefined;
    case "to_bool": {
      const value = isTrue(evaluate(operand, run), operand.type);
      return value === undefined ? undefined : truth(value);
    }
    case "floating": {
      const value = evaluate(operand, run);
      if (value?.kind !== "integer") return undefined;
      return integer(convertFloatConstant(value.value, operand.type, expression.type));
    }
    case "integral":
    case "pointer_to_integral":
    case "integral_to_pointer":
    case "bitcast":
    case "address_space":
    case "noop":
      return evaluateConversion(expression, run);
  }
}

function evaluateConversion(
  expression: Extract<CheckedExpression, { kind: "cast" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const value = evaluate(expression.operand, run);
  if (value === undefined) return undefined;
  if (value.kind === "integer") return integer(wrapToType(value.value, expression.type));
  if (!isInteger(expression.type)) return value;
  run.exact = false;
  return scalarBits(expression.type) === 64 ? value : undefined;
}

/** The address of an lvalue with a fixed place. */
export function evaluateAddress(
  lvalue: CheckedExpression,
  options: EvaluationOptions,
): ConstantValue | undefined {
  const run: Evaluation =
    "exact" in options ? (options as Evaluation) : { ...options, exact: true };
  switch (lvalue.kind) {
    case "variable":
    case "string_literal": {
      const { storage } = lvalue.symbol;
      if (storage === "local" || storage === "param") return undefined;
      return { kind: "address", symbol: lvalue.symbol, offset: 0n };
    }
    case "function":
      return { kind: "address", symbol: lvalue.symbol, offset: 0n };
    case "compound_literal":
      return lvalue.symbol.storage === "static"
        ? { kind: "address", symbol: lvalue.symbol, offset: 0n }
        : undefined;
    case "dereference":
      return evaluate(lvalue.pointer, run);
    case "member": {
      const base = evaluateAddress(lvalue.object, run);
      const bits = lvalue.path.reduce((sum, field) => sum + field.bitOffset, 0);
      if (base === undefined || bits % 8 !== 0) return undefined;
      const bytes = BigInt(bits / 8);
      return base.kind === "integer"
        ? integer(base.value + bytes)
        : { ...base, offset: base.offset + bytes };
    }
    default:
      return undefined;
  }
}

function evaluateArithmetic(
  expression: Extract<CheckedExpression, { kind: "arithmetic" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const left = evaluate(expression.left, run);
  const right = evaluate(expression.right, run);
  if (left === undefined || right === undefined) return undefined;
  if (left.kind === "integer" && right.kind === "integer") {
    if (isFloat(expression.type)) run.exact = false;
    const value = computeArithmetic(expression.op, left.value, right.value, expression.type);
    return value === undefined ? undefined : integer(value);
  }
  // (long)&x + 4 keeps being an address.
  if (scalarBits(expression.type) !== 64) return undefined;
  if (expression.op === "add" && left.kind === "address" && right.kind === "integer") {
    return { ...left, offset: left.offset + BigInt.asIntN(64, right.value) };
  }
  if (expression.op === "add" && left.kind === "integer" && right.kind === "address") {
    return { ...right, offset: right.offset + BigInt.asIntN(64, left.value) };
  }
  if (expression.op === "sub" && left.kind === "address" && right.kind === "integer") {
    return { ...left, offset: left.offset - BigInt.asIntN(64, right.value) };
  }
  return undefined;
}

function constantString(expression: CheckedExpression, run: Evaluation): Uint8Array | undefined {
  const address = evaluate(expression, run);
  if (address?.kind !== "address" || address.symbol.kind !== "variable") return undefined;
  const { symbol, offset } = address;
  if (symbol.anonymous !== true || !isStringArray(symbol.type) || offset < 0n) return undefined;
  const bytes = symbol.data?.bytes.subarray(Number(offset));
  const end = bytes?.indexOf(0) ?? -1;
  return end < 0 ? undefined : bytes?.subarray(0, end);
}

function compareStrings(
  expression: Extract<CheckedExpression, { kind: "builtin" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const [first, second, limit] = expression.args;
  const left = first && constantString(first, run);
  const right = second && constantString(second, run);
  const most = limit && evaluate(limit, run);
  if (left === undefined || right === undefined) return undefined;
  if (limit !== undefined && most?.kind !== "integer") return undefined;
  const end = most?.kind === "integer" ? Number(most.value) : Number.POSITIVE_INFINITY;
  for (let i = 0; i < end; i += 1) {
    const a = left[i] ?? 0;
    const b = right[i] ?? 0;
    if (a !== b) return integer(a < b ? -1n : 1n);
    if (a === 0) break;
  }
  return integer(0n);
}

function evaluateBuiltin(
  expression: Extract<CheckedExpression, { kind: "builtin" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const [first] = expression.args;
  if (first === undefined) return undefined;
  if (expression.name === "__builtin_constant_p") {
    const inner: Evaluation = { ...run };
    const value = evaluate(first, inner);
    const isConstant =
      value?.kind === "integer" ||
      (value !== undefined && constantString(first, inner) !== undefined);
    if (isConstant) return truth(true);
    return run.decideConstantP === true ? truth(false) : undefined;
  }
  if (expression.name.startsWith("__builtin_expect")) return evaluate(first, run);
  if (expression.name === "__builtin_strlen") {
    const text = constantString(first, run);
    return text === undefined ? undefined : integer(BigInt(text.length));
  }
  if (expression.name === "__builtin_strcmp" || expression.name === "__builtin_strncmp") {
    return compareStrings(expression, run);
  }
  const fold = builtinFolds.get(expression.name);
  if (fold === undefined) return undefined;
  const value = evaluate(first, run);
  if (value?.kind !== "integer") return undefined;
  const bits = scalarBits(first.type);
  const result = fold(BigInt.asUintN(bits, value.value), bits);
  return result === undefined ? undefined : integer(wrapToType(result, expression.type));
}

function evaluate(expression: CheckedExpression, run: Evaluation): ConstantValue | undefined {
  switch (expression.kind) {
    case "constant":
      return integer(expression.value);
    case "unary":
      return evaluateUnary(expression, run);
    case "arithmetic":
      return evaluateArithmetic(expression, run);
    case "compare":
      return evaluateCompare(expression, run);
    case "logical":
      return evaluateLogical(expression, run);
    case "pointer_offset":
      return evaluateOffset(expression, run);
    case "pointer_difference":
      return evaluateDifference(expression, run);
    case "address_of":
      return evaluateAddress(expression.operand, run);
    case "cast":
      return evaluateCast(expression, run);
    case "conditional": {
      const condition = isTrue(evaluate(expression.condition, run), expression.condition.type);
      if (condition === undefined) return undefined;
      return evaluate(condition ? expression.then : expression.otherwise, run);
    }
    case "builtin":
      return evaluateBuiltin(expression, run);
    case "bind":
      return evaluateBind(expression, run);
    case "function":
      return { kind: "address", symbol: expression.symbol, offset: 0n };
    case "comma":
      run.exact = false;
      return isDiscardable(expression.left, run) ? evaluate(expression.right, run) : undefined;
    case "variable":
    case "string_literal":
    case "dereference":
    case "member":
    case "assign":
    case "compound_assign":
    case "increment":
    case "reuse":
    case "call":
    case "statement_expression":
    case "compound_literal":
      return undefined;
  }
}

/** An operand of a comma that is constant itself, its value cast to void. */
function isDiscardable(expression: CheckedExpression, run: Evaluation): boolean {
  if (expression.kind === "cast" && expression.cast === "to_void")
    return isDiscardable(expression.operand, run);
  return evaluate(expression, run) !== undefined;
}

/** `a ?: b` with a constant `a`. */
function evaluateBind(
  expression: Extract<CheckedExpression, { kind: "bind" }>,
  run: Evaluation,
): ConstantValue | undefined {
  const value = evaluate(expression.value, run);
  const truthOfValue = isTrue(value, expression.value.type);
  if (value === undefined || truthOfValue === undefined) return undefined;
  if (expression.body.kind !== "conditional") return undefined;
  if (!truthOfValue) return evaluate(expression.body.otherwise, run);
  if (value.kind !== "integer") return value;
  const { type } = expression.value;
  const isFloating = isFloat(type) || isFloat(expression.type);
  return integer(
    isFloating
      ? convertFloatConstant(value.value, type, expression.type)
      : wrapToType(value.value, expression.type),
  );
}

/** The constant value of an rvalue; undefined where there is none. */
export function evaluateConstant(
  expression: CheckedExpression,
  options: EvaluationOptions = {},
): ConstantValue | undefined {
  return evaluate(expression, { ...options, exact: true });
}

/** An integer constant, and whether standard C allows it as an integer constant expression. */
export function evaluateInteger(
  expression: CheckedExpression,
  options: EvaluationOptions = {},
): { readonly value: bigint; readonly exact: boolean } | undefined {
  const run: Evaluation = { ...options, exact: true };
  const kind = bare(expression.type).kind;
  if (kind !== "int" && kind !== "bool" && kind !== "enum") return undefined;
  const value = evaluate(expression, run);
  return value?.kind === "integer" ? { value: value.value, exact: run.exact } : undefined;
}
