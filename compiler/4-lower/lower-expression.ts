/** Expressions → values. One function per kind of node, in a table. */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { ArithmeticOperator, CastKind, CheckedExpression } from "../3-check/checked.ts";
import {
  addressSpaceOf,
  canonical,
  isPointer,
  isSigned,
  isVoid,
  pointeeOf,
} from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { asStored, convertInteger, copyObject, readPlace, writePlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, Block, IntPredicate, Value } from "./ir.ts";
import { constant, globalAddress } from "./ir-builder.ts";
import { lowerBuiltin } from "./lower-builtin.ts";
import { lowerCall } from "./lower-call.ts";
import { lowerCondition } from "./lower-condition.ts";
import { isTrue } from "./lower-expression-tools.ts";
import { isMemory, scalarType } from "./lower-types.ts";
import {
  convertAny,
  isWide,
  wideArithmetic,
  wideCompare,
  wideConstant,
  wideUnary,
} from "./lower-wide.ts";
import { addressOf, type Place, placeOf } from "./place.ts";
import { closeScope, openScope } from "./scopes.ts";

type Of<K extends CheckedExpression["kind"]> = Extract<CheckedExpression, { kind: K }>;

const nothing = constant("i64", 0);

/** IR operations by C operator: [signed, unsigned]. */
const binaryOps: Readonly<Record<ArithmeticOperator, readonly [BinaryOp, BinaryOp]>> = {
  mul: ["mul", "mul"],
  div: ["sdiv", "udiv"],
  rem: ["srem", "urem"],
  add: ["add", "add"],
  sub: ["sub", "sub"],
  shl: ["shl", "shl"],
  shr: ["ashr", "lshr"],
  and: ["and", "and"],
  xor: ["xor", "xor"],
  or: ["or", "or"],
};

const predicates: Readonly<Record<Of<"compare">["op"], readonly [IntPredicate, IntPredicate]>> = {
  "==": ["eq", "eq"],
  "!=": ["ne", "ne"],
  "<": ["slt", "ult"],
  "<=": ["sle", "ule"],
  ">": ["sgt", "ugt"],
  ">=": ["sge", "uge"],
};

/** Computes `left op right` in the type; the shift amount is brought to its width. */
export function arithmetic(
  state: FunctionState,
  op: ArithmeticOperator,
  left: Value,
  right: Value,
  type: QualType,
): Value {
  if (isWide(type)) return wideArithmetic(state, op, left, right, type);
  const irType = scalarType(type);
  const binary = binaryOps[op][isSigned(type) ? 0 : 1];
  const amount = right.type === irType ? right : convertInteger(state, right, irType, false);
  return state.emit(irType, { op: "binary", binary }, [left, amount]);
}

/** The comparison as i1. */
export function compare(state: FunctionState, expr: Of<"compare">): Value {
  const left = state.visit.rvalue(expr.left);
  const right = state.visit.rvalue(expr.right);
  state.at(expr.span);
  const signed = !isPointer(expr.left.type) && isSigned(expr.left.type);
  if (isWide(expr.left.type)) return wideCompare(state, expr.op, left, right, signed);
  return state.emit("i1", { op: "icmp", predicate: predicates[expr.op][signed ? 0 : 1] }, [
    left,
    right,
  ]);
}

/** index × size as i64, extended by the index's signedness. */
function scaledIndex(state: FunctionState, index: Value, type: QualType, size: number): Value {
  const wide = convertInteger(state, index, "i64", isSigned(type));
  if (wide.kind === "constant")
    return constant("i64", BigInt.asIntN(64, wide.value) * BigInt(size));
  if (size === 1) return wide;
  return state.emit("i64", { op: "binary", binary: "mul" }, [wide, constant("i64", size)]);
}

/** pointer ± index elements. */
export function offsetPointer(
  state: FunctionState,
  pointer: Value,
  index: Value,
  indexType: QualType,
  size: number,
  subtract: boolean,
): Value {
  let offset = scaledIndex(state, index, indexType, size);
  if (subtract) {
    offset =
      offset.kind === "constant"
        ? constant("i64", -offset.value)
        : state.emit("i64", { op: "binary", binary: "sub" }, [constant("i64", 0), offset]);
  }
  return state.emit("ptr", { op: "ptradd" }, [pointer, offset]);
}

type Caster = (state: FunctionState, expr: Of<"cast">) => Value;

const operandOf: Caster = (state, expr) => state.visit.rvalue(expr.operand);

/** An integer conversion; to memory types (128-bit integers) it goes through memory. */
const integral: Caster = (state, expr) => {
  const { operand, type } = expr;
  const value = state.visit.rvalue(operand);
  state.at(expr.span);
  return convertAny(state, value, operand.type, type);
};

const casters: Readonly<Record<CastKind, Caster>> = {
  lvalue_to_rvalue(state, expr) {
    const place = placeOf(state, expr.operand);
    state.at(expr.span);
    const folded = state.module.constantOf(expr.operand);
    return folded ?? readPlace(state, place);
  },
  array_to_pointer: (state, expr) => addressOf(state, placeOf(state, expr.operand)),
  function_to_pointer: (state, expr) => addressOf(state, placeOf(state, expr.operand)),
  integral,
  to_bool(state, expr) {
    const condition = state.visit.condition(expr.operand);
    return state.emit("i8", { op: "zext" }, [condition]);
  },
  pointer_to_integral(state, expr) {
    const pointer = state.visit.rvalue(expr.operand);
    state.at(expr.span);
    const wide = state.emit("i64", { op: "ptrtoint" }, [pointer]);
    return convertInteger(state, wide, scalarType(expr.type), false);
  },
  integral_to_pointer(state, expr) {
    const value = state.visit.rvalue(expr.operand);
    state.at(expr.span);
    const wide = convertInteger(state, value, "i64", isSigned(expr.operand.type));
    if (wide.kind === "constant") return constant("ptr", wide.value);
    return state.emit("ptr", { op: "inttoptr" }, [wide]);
  },
  bitcast: operandOf,
  address_space(state, expr) {
    const pointer = state.visit.rvalue(expr.operand);
    const space = (type: QualType): number => addressSpaceOf(pointeeOf(type));
    const operation = {
      op: "addr_space_cast" as const,
      from: space(expr.operand.type),
      to: space(expr.type),
    };
    return state.emit("ptr", operation, [pointer]);
  },
  to_void(state, expr) {
    state.visit.rvalue(expr.operand);
    return nothing;
  },
  noop: operandOf,
};

/** Reads, changes and writes a place once. */
function update(
  state: FunctionState,
  place: Place,
  change: (old: Value) => Value,
): { old: Value; now: Value } {
  const fixed: Place =
    place.core === undefined ? place : { ...place, address: addressOf(state, place) };
  const old = readPlace(state, fixed);
  const now = change(old);
  writePlace(state, fixed, now);
  return { old, now: asStored(state, fixed, now) };
}

function compoundAssign(state: FunctionState, expr: Of<"compound_assign">): Value {
  const value = state.visit.rvalue(expr.value);
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  const target = expr.target.type;
  return update(state, place, (old) => {
    if (isPointer(target)) {
      const subtract = expr.op === "sub";
      return offsetPointer(state, old, value, expr.value.type, expr.elementSize ?? 1, subtract);
    }
    const left = convertAny(state, old, target, expr.computeType);
    const result = arithmetic(state, expr.op, left, value, expr.computeType);
    if (canonical(target).type.kind === "bool") {
      return state.emit("i8", { op: "zext" }, [isTrue(state, result)]);
    }
    return convertAny(state, result, expr.computeType, target);
  }).now;
}

function copyOf(state: FunctionState, value: Value, type: QualType): Value {
  const copy = state.temporaryOf(type, "copy");
  copyObject(state, copy, value, type);
  return copy;
}

function increment(state: FunctionState, expr: Of<"increment">): Value {
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  const target = expr.target.type;
  let kept: Value | undefined;
  const { old, now } = update(state, place, (value) => {
    if (isPointer(target)) return state.offset(value, expr.step);
    if (canonical(target).type.kind === "bool") {
      return expr.step > 0
        ? constant("i8", 1)
        : state.emit("i8", { op: "binary", binary: "xor" }, [value, constant("i8", 1)]);
    }
    if (isWide(target)) {
      // The old value is where the new one goes.
      kept = copyOf(state, value, target);
      return wideArithmetic(state, "add", value, wideConstant(state, BigInt(expr.step)), target);
    }
    const type = scalarType(target);
    return state.emit(type, { op: "binary", binary: "add" }, [value, constant(type, expr.step)]);
  });
  return expr.prefix ? now : (kept ?? old);
}

/** Both branches end in one block; their values meet in a phi. */
function conditional(state: FunctionState, expr: Of<"conditional">): Value {
  const then = state.newBlock("cond.true");
  const otherwise = state.newBlock("cond.false");
  const end = state.newBlock("cond.end");
  lowerCondition(state, expr.condition, then, otherwise);
  // Objects are copied, so that no pointer comes to choose between two variables.
  const copy = isMemory(expr.type) ? state.temporaryOf(expr.type, "conditional") : undefined;
  const branch = (block: Block, value: CheckedExpression): readonly [Value, Block] => {
    state.startBlock(block);
    const result = state.visit.rvalue(value);
    if (copy !== undefined) copyObject(state, copy, result, expr.type);
    const last = state.block;
    state.branchTo(end);
    return [result, last];
  };
  const arms = [branch(then, expr.then), branch(otherwise, expr.otherwise)] as const;
  state.startBlock(end);
  return copy ?? joinArms(state, expr.type, arms);
}

/** The phi of the arms that reach the current block. */
function joinArms(
  state: FunctionState,
  type: QualType,
  arms: readonly (readonly [Value, Block])[],
): Value {
  if (isVoid(type)) return nothing;
  const irType = scalarType(type);
  const operation = { op: "phi" as const, incoming: arms.map(([, block]) => block) };
  return state.emit(
    irType,
    operation,
    arms.map(([value]) => value),
  );
}

/** `a && b` and `a || b` as 0 or 1. */
function logical(state: FunctionState, expr: CheckedExpression): Value {
  const then = state.newBlock("true");
  const otherwise = state.newBlock("false");
  const end = state.newBlock("end");
  lowerCondition(state, expr, then, otherwise);
  state.startBlock(then);
  state.branchTo(end);
  state.startBlock(otherwise);
  state.branchTo(end);
  state.startBlock(end);
  const operation = { op: "phi" as const, incoming: [then, otherwise] };
  return state.emit("i32", operation, [constant("i32", 1), constant("i32", 0)]);
}

function statementExpression(state: FunctionState, expr: Of<"statement_expression">): Value {
  openScope(state, expr.locals);
  for (const statement of expr.body) state.visit.statement(statement);
  let result: Value = nothing;
  if (expr.result !== undefined) {
    result = state.visit.rvalue(expr.result);
    // The object may live in a local of this scope, which ends here.
    if (isMemory(expr.type)) {
      const copy = state.temporaryOf(expr.type, "result");
      copyObject(state, copy, result, expr.type);
      result = copy;
    }
  }
  closeScope(state);
  return result;
}

function assign(state: FunctionState, expr: Of<"assign">): Value {
  if (isMemory(expr.type)) {
    const value = state.visit.rvalue(expr.value);
    const place = placeOf(state, expr.target);
    state.at(expr.span);
    writePlace(state, place, value);
    return value;
  }
  const value = state.visit.rvalue(expr.value);
  const place = placeOf(state, expr.target);
  state.at(expr.span);
  writePlace(state, place, value);
  return asStored(state, place, value);
}

/** x with odd · x = 1 modulo 2^64: Newton's iteration doubles the number of right bits. */
function inverse64(odd: bigint): bigint {
  let x = odd;
  for (let bits = 3; bits < 64; bits *= 2) x = BigInt.asUintN(64, x * (2n - odd * x));
  return x;
}

function pointerDifference(state: FunctionState, expr: Of<"pointer_difference">): Value {
  const left = state.emit("i64", { op: "ptrtoint" }, [state.visit.rvalue(expr.left)]);
  const right = state.emit("i64", { op: "ptrtoint" }, [state.visit.rvalue(expr.right)]);
  state.at(expr.span);
  const bytes = state.emit("i64", { op: "binary", binary: "sub" }, [left, right]);
  const size = expr.elementSize;
  if (size <= 1) return bytes;
  // The difference is a multiple of the size: a shift where that is a power of two.
  if ((size & (size - 1)) === 0) {
    return state.emit("i64", { op: "binary", binary: "ashr" }, [
      bytes,
      constant("i64", Math.log2(size)),
    ]);
  }
  // Otherwise, exactly divisible as it is, a shift and a multiplication by the odd part's inverse.
  const zeros = Math.log2(size & -size);
  const even = state.emit("i64", { op: "binary", binary: "ashr" }, [bytes, constant("i64", zeros)]);
  const inverse = constant("i64", inverse64(BigInt(size >> zeros)));
  return state.emit("i64", { op: "binary", binary: "mul" }, [even, inverse]);
}

function unary(state: FunctionState, expr: Of<"unary">): Value {
  if (expr.op === "not") {
    const value = state.visit.condition(expr.operand);
    const inverted = state.emit("i1", { op: "binary", binary: "xor" }, [value, constant("i1", 1)]);
    return state.emit("i32", { op: "zext" }, [inverted]);
  }
  const value = state.visit.rvalue(expr.operand);
  state.at(expr.span);
  if (isWide(expr.type)) return wideUnary(state, expr.op, value);
  const type = scalarType(expr.type);
  return expr.op === "negate"
    ? state.emit(type, { op: "binary", binary: "sub" }, [constant(type, 0), value])
    : state.emit(type, { op: "binary", binary: "xor" }, [value, constant(type, -1)]);
}

type Lowerings = {
  readonly [K in CheckedExpression["kind"]]: (state: FunctionState, expr: Of<K>) => Value;
};

const lowerings: Lowerings = {
  constant(state, expr) {
    if (isMemory(expr.type)) return wideConstant(state, expr.value);
    return constant(scalarType(expr.type), expr.value);
  },
  variable: (state, expr) => readPlace(state, placeOf(state, expr)),
  dereference: (state, expr) => readPlace(state, placeOf(state, expr)),
  member: (state, expr) => readPlace(state, placeOf(state, expr)),
  compound_literal: (state, expr) => readPlace(state, placeOf(state, expr)),
  string_literal: (_, expr) => globalAddress(expr.symbol.linkName),
  function: (_, expr) => globalAddress(expr.symbol.linkName),
  unary,
  arithmetic(state, expr) {
    const left = state.visit.rvalue(expr.left);
    const right = state.visit.rvalue(expr.right);
    state.at(expr.span);
    return arithmetic(state, expr.op, left, right, expr.type);
  },
  compare: (state, expr) => state.emit("i32", { op: "zext" }, [compare(state, expr)]),
  logical,
  pointer_offset(state, expr) {
    const pointer = state.visit.rvalue(expr.pointer);
    const index = state.visit.rvalue(expr.index);
    state.at(expr.span);
    return offsetPointer(state, pointer, index, expr.index.type, expr.elementSize, expr.subtract);
  },
  pointer_difference: pointerDifference,
  address_of: (state, expr) => addressOf(state, placeOf(state, expr.operand)),
  cast: (state, expr) => casters[expr.cast](state, expr),
  assign,
  compound_assign: compoundAssign,
  increment,
  conditional,
  bind(state, expr) {
    state.bound.set(expr.id, state.visit.rvalue(expr.value));
    return state.visit.rvalue(expr.body);
  },
  reuse(state, expr) {
    const value = state.bound.get(expr.id);
    if (value === undefined) throw new InternalError("a value is used before it is bound");
    return value;
  },
  comma(state, expr) {
    state.visit.rvalue(expr.left);
    return state.visit.rvalue(expr.right);
  },
  call: lowerCall,
  builtin: lowerBuiltin,
  statement_expression: statementExpression,
};

/** Lowers any expression; see {@link lowerings}. */
export function lowerExpression(state: FunctionState, expr: CheckedExpression): Value {
  state.at(expr.span);
  const lower = lowerings[expr.kind] as (state: FunctionState, expr: CheckedExpression) => Value;
  return lower(state, expr);
}
