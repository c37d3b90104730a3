/**
 * Counting, finding and reversing bits without instructions for it: BPF has none. All work on i8 to
 * i64 values and give a value of the same type.
 */
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";

function binary(state: FunctionState, op: BinaryOp, left: Value, right: Value | bigint): Value {
  const type = left.type as ValueType;
  const operand = typeof right === "bigint" ? constant(type, right) : right;
  return state.emit(type, { op: "binary", binary: op }, [left, operand]);
}

const bitsOf = (value: Value): number => Number(value.type.slice(1));

/** A byte pattern repeated to the width. */
function repeated(byte: number, bits: number): bigint {
  let value = 0n;
  for (let i = 0; i < bits; i += 8) value = (value << 8n) | BigInt(byte);
  return value;
}

/** Number of ones, by adding neighbouring groups (Hacker's Delight, 5-1). */
export function bitCount(state: FunctionState, value: Value): Value {
  const bits = bitsOf(value);
  const halves = binary(state, "and", binary(state, "lshr", value, 1n), repeated(0x55, bits));
  const pairs = binary(state, "sub", value, halves);
  const low = binary(state, "and", pairs, repeated(0x33, bits));
  const high = binary(state, "and", binary(state, "lshr", pairs, 2n), repeated(0x33, bits));
  const fours = binary(state, "add", low, high);
  const bytes = binary(
    state,
    "and",
    binary(state, "add", fours, binary(state, "lshr", fours, 4n)),
    repeated(0x0f, bits),
  );
  const sum = binary(state, "mul", bytes, repeated(0x01, bits));
  return binary(state, "lshr", sum, BigInt(bits - 8));
}

/** Index of the lowest one: ones of ~x & (x - 1). The width for 0. */
export function lowBitIndex(state: FunctionState, value: Value): Value {
  const inverted = binary(state, "xor", value, -1n);
  const below = binary(state, "sub", value, 1n);
  return bitCount(state, binary(state, "and", inverted, below));
}

/** Index of the highest one: ones below it, after spreading it downwards. -1 for 0. */
export function highBitIndex(state: FunctionState, value: Value): Value {
  let spread = value;
  for (let by = 1; by < bitsOf(value); by *= 2) {
    spread = binary(state, "or", spread, binary(state, "lshr", spread, BigInt(by)));
  }
  return binary(state, "sub", bitCount(state, spread), 1n);
}

/** 1 where the number of ones is odd. */
export function parity(state: FunctionState, value: Value): Value {
  return binary(state, "and", bitCount(state, value), 1n);
}

/** Rotation by any amount. */
export function rotate(state: FunctionState, value: Value, amount: Value, left: boolean): Value {
  const bits = BigInt(bitsOf(value));
  const by = binary(state, "and", amount, bits - 1n);
  const negative = state.emit(value.type, { op: "binary", binary: "sub" }, [
    constant(value.type as ValueType, 0),
    by,
  ]);
  const rest = binary(state, "and", negative, bits - 1n);
  const one = binary(state, left ? "shl" : "lshr", value, by);
  const other = binary(state, left ? "lshr" : "shl", value, rest);
  return binary(state, "or", one, other);
}

/** Bits in reverse order: bytes are swapped, then bits within bytes. */
export function reverseBits(state: FunctionState, value: Value): Value {
  const bits = bitsOf(value);
  let result = bits === 8 ? value : state.emit(value.type, { op: "bswap" }, [value]);
  for (const [shift, mask] of [
    [4n, 0x0f],
    [2n, 0x33],
    [1n, 0x55],
  ] as const) {
    const high = binary(state, "shl", binary(state, "and", result, repeated(mask, bits)), shift);
    const low = binary(state, "and", binary(state, "lshr", result, shift), repeated(mask, bits));
    result = binary(state, "or", high, low);
  }
  return result;
}
