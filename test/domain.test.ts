/** Soundness of the value domain by trial: what happens to members happens inside the result. */
import { describe, expect, test } from "vitest";
import {
  constantScalar,
  isContradiction,
  MutableScalar,
  type Scalar,
  syncBounds,
  unknownScalar,
} from "../common/domain/scalar.ts";
import { type ScalarOp, transferScalar } from "../common/domain/scalar-alu.ts";
import { decideBranch, refineBranch } from "../common/domain/scalar-branch.ts";
import { printScalar } from "../common/domain/scalar-print.ts";
import { tnumContains, tnumMul, tnumNext, tnumRange } from "../common/domain/tnum.ts";
import type { JumpOp } from "../common/isa/instruction.ts";
import { randomNumbers } from "./support/verifier-random.ts";

const next = randomNumbers(7);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const s64 = (value: bigint): bigint => BigInt.asIntN(64, value);

const corners = [0n, 1n, 2n, 7n, 255n, 4095n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];

function randomValue(): bigint {
  const corner = corners[next() % corners.length] ?? 0n;
  switch (next() % 4) {
    case 0:
      return corner;
    case 1:
      return u64(-corner);
    case 2:
      return BigInt(next());
    default:
      return (BigInt(next()) << 32n) | BigInt(next());
  }
}

function holds(s: Scalar, value: bigint): boolean {
  const low = Number(value & 0xffff_ffffn);
  return (
    (value & ~s.mask) === s.value &&
    value >= s.umin &&
    value <= s.umax &&
    s64(value) >= s.smin &&
    s64(value) <= s.smax &&
    low >= s.u32min &&
    low <= s.u32max &&
    (low | 0) >= s.s32min &&
    (low | 0) <= s.s32max
  );
}

function least(list: readonly bigint[]): bigint {
  return list.reduce((a, b) => {
    if (a < b) return a;
    return b;
  });
}

function most(list: readonly bigint[]): bigint {
  return -least(list.map((value) => -value));
}

/** A scalar with some members of it. */
function randomScalar(): { scalar: Scalar; members: bigint[] } {
  const members = [randomValue(), randomValue(), randomValue()];
  const s = new MutableScalar(unknownScalar);
  const signed = members.map(s64);
  if (next() % 2 === 0) {
    s.umin = least(members);
    s.umax = most(members);
  }
  if (next() % 2 === 0) {
    s.smin = least(signed);
    s.smax = most(signed);
  }
  if (next() % 2 === 0) {
    const [first = 0n] = members;
    s.mask = members.reduce((mask, member) => mask | (member ^ first), 0n);
    s.value = first & ~s.mask;
  }
  syncBounds(s);
  return { scalar: s, members };
}

const exact: Record<ScalarOp, (a: bigint, b: bigint, bits: number) => bigint> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  neg: (a) => -a,
  mul: (a, b) => a * b,
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, bits) => a << (b & BigInt(bits - 1)),
  rsh: (a, b, bits) => BigInt.asUintN(bits, a) >> (b & BigInt(bits - 1)),
  arsh: (a, b, bits) => BigInt.asIntN(bits, a) >> (b & BigInt(bits - 1)),
};

describe("arithmetic", () => {
  test.each(Object.keys(exact) as ScalarOp[])("%s holds every result", (op) => {
    for (let i = 0; i < 500; i += 1) {
      const a = randomScalar();
      const isShift = op === "lsh" || op === "rsh" || op === "arsh";
      const shift = BigInt(next() % 64);
      const b = isShift ? { scalar: constantScalar(shift), members: [shift] } : randomScalar();
      const is32 = next() % 2 === 0;
      const bits = is32 ? 32 : 64;
      if (isShift && shift >= BigInt(bits)) continue;
      const result = transferScalar(op, a.scalar, b.scalar, is32);
      for (const x of a.members) {
        for (const y of b.members) {
          const value = BigInt.asUintN(bits, exact[op](x, y, bits));
          expect(holds(result, value), `${x} ${op} ${y} (${bits})`).toBe(true);
        }
      }
    }
  });
});

const compare: Record<JumpOp, (a: bigint, b: bigint) => boolean> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  set: (a, b) => (a & b) !== 0n,
  sgt: (a, b) => a > b,
  sge: (a, b) => a >= b,
  slt: (a, b) => a < b,
  sle: (a, b) => a <= b,
};

describe("branches", () => {
  test.each(Object.keys(compare) as JumpOp[])("%s keeps the members that take it", (op) => {
    for (let i = 0; i < 500; i += 1) {
      const a = randomScalar();
      const b = next() % 2 === 0 ? randomScalar() : constantCase();
      const is32 = next() % 2 === 0;
      const decision = decideBranch(op, a.scalar, b.scalar, is32);
      const taken = refineBranch(op, a.scalar, b.scalar, is32, true);
      const passed = refineBranch(op, a.scalar, b.scalar, is32, false);
      for (const x of a.members) {
        for (const y of b.members) {
          const outcome = compare[op](view(op, x, is32), view(op, y, is32));
          if (decision !== undefined) expect(outcome).toBe(decision);
          const pair = outcome ? taken : passed;
          expect(holds(pair.a, x) && holds(pair.b, y), `${x} ${op} ${y} ${is32}`).toBe(true);
        }
      }
    }
  });
});

function constantCase(): { scalar: Scalar; members: bigint[] } {
  const value = randomValue();
  return { scalar: constantScalar(value), members: [value] };
}

function view(op: JumpOp, value: bigint, is32: boolean): bigint {
  const isSigned = op.startsWith("s") && op !== "set";
  const bits = is32 ? 32 : 64;
  return isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

test("synchronised scalars are no contradiction and keep their members", () => {
  for (let i = 0; i < 1000; i += 1) {
    const { scalar, members } = randomScalar();
    expect(isContradiction(scalar)).toBe(false);
    for (const member of members) expect(holds(scalar, member)).toBe(true);
  }
});

test("tnums: range, product, next member", () => {
  expect(tnumRange(4n, 7n)).toEqual({ value: 4n, mask: 3n });
  expect(tnumMul({ value: 0n, mask: 1n }, { value: 6n, mask: 0n })).toEqual({
    value: 0n,
    mask: 6n,
  });
  expect(tnumNext({ value: 1n, mask: 4n }, 1n)).toBe(5n);
  expect(tnumNext({ value: 1n, mask: 4n }, 9n)).toBe(5n);
  expect(tnumContains({ value: 0n, mask: 15n }, { value: 4n, mask: 3n })).toBe(true);
  expect(tnumContains({ value: 4n, mask: 3n }, { value: 0n, mask: 15n })).toBe(false);
});

test("scalars print as the kernel's log shows them", () => {
  expect(printScalar(constantScalar(-1n))).toBe("-1");
  expect(printScalar(constantScalar(0x12345678n))).toBe("0x12345678");
  expect(printScalar(unknownScalar, 3)).toBe("scalar(id=3)");
  const byte = new MutableScalar(unknownScalar);
  byte.umax = 255n;
  syncBounds(byte);
  expect(printScalar(byte)).toBe(
    "scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))",
  );
});
