/**
 * Mutants of programs: the slips that programmers, compilers and optimizers make. Most of it is one table of them,
 * with how often each is made.
 */
import { decodeSlots, isLoadImm64, type RawInsn } from "../vm/verifier/opcodes.ts";

export type Insn = { -readonly [K in keyof RawInsn]: RawInsn[K] };
type Random = () => number;

const comparisons = [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0];
const arithmetic = [0x00, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0];
const smallSteps = [-8, -4, -2, -1, 1, 2, 4, 8];
const nop: Insn = { code: 0x05, dst: 0, src: 0, off: 0, imm: 0 };

export function encodeSlots(insns: readonly RawInsn[]): Uint8Array {
  const bytes = new Uint8Array(insns.length * 8);
  const view = new DataView(bytes.buffer);
  insns.forEach((insn, i) => {
    view.setUint8(i * 8, insn.code);
    view.setUint8(i * 8 + 1, insn.dst | (insn.src << 4));
    view.setInt16(i * 8 + 2, insn.off, true);
    view.setInt32(i * 8 + 4, insn.imm, true);
  });
  return bytes;
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[random() % list.length]!;
}

function isJump(code: number): boolean {
  return (code & 7) === 5 || (code & 7) === 6;
}

function isConditional(code: number): boolean {
  return isJump(code) && comparisons.includes(code & 0xf0);
}

function isMemory(code: number): boolean {
  const mode = code & 0xe0;
  return (code & 7) >= 1 && (code & 7) <= 3 && (mode === 0x60 || mode === 0x80 || mode === 0xc0);
}

function isAlu(code: number): boolean {
  return (code & 7) === 4 || (code & 7) === 7;
}

/** Starts of instructions: not the second halves of two-slot loads. */
function starts(program: readonly Insn[]): number[] {
  const list: number[] = [];
  for (let i = 0; i < program.length; i += isLoadImm64(program[i]!) ? 2 : 1) list.push(i);
  return list;
}

/** A change at one place; false if it does not apply there. */
type Operator = (random: Random, program: Insn[], at: number) => boolean;

function change(
  test: (insn: Insn) => boolean,
  edit: (random: Random, insn: Insn) => void,
): Operator {
  return (random, program, at) => {
    const insn = program[at]!;
    if (!test(insn)) return false;
    edit(random, insn);
    return true;
  };
}

function clampS16(value: number): number {
  return (value << 16) >> 16;
}

const anyImmediate = [0, -1, 1, 31, 32, 63, 64, 255, 256, 4096, 65535, 0x7fffffff, -0x80000000];

function newImmediate(random: Random, old: number): number {
  if (random() % 2 === 0) return (old + pick(random, smallSteps)) | 0;
  return pick(random, [...anyImmediate, -old, random() | 0]);
}

/** Inserts instructions; jumps and calls over the place keep their targets. */
function insert(program: Insn[], at: number, added: readonly Insn[]): void {
  const count = added.length;
  const isWide = new Set(starts(program));
  program.forEach((insn, from) => {
    if (!isWide.has(from)) return;
    const isLocalCall = insn.code === 0x85 && insn.src === 1;
    const isAddress = insn.code === 0x18 && insn.src === 4;
    const usesImm = isLocalCall || isAddress || insn.code === 0x06;
    if (!usesImm && !(isJump(insn.code) && insn.code !== 0x85 && insn.code !== 0x95)) return;
    const target = from + 1 + (usesImm ? insn.imm : insn.off);
    const shift = (from < at ? 0 : -count) + (target > at ? count : 0);
    if (usesImm) insn.imm += shift;
    else insn.off = clampS16(insn.off + shift);
  });
  program.splice(at, 0, ...added.map((insn) => ({ ...insn })));
}

function randomInsn(random: Random): Insn {
  const dst = random() % 11;
  const src = random() % 11;
  switch (random() % 6) {
    case 0:
      return { code: 0xb7, dst, src: 0, off: 0, imm: newImmediate(random, 0) };
    case 1:
      return { code: 0xbf, dst, src, off: 0, imm: 0 };
    case 2:
      return {
        code: pick(random, [0x07, 0x57, 0x47, 0x67, 0x77]),
        dst,
        src: 0,
        off: 0,
        imm: random() % 64,
      };
    case 3:
      return {
        code: pick(random, [0x61, 0x69, 0x71, 0x79]),
        dst,
        src,
        off: (random() % 33) - 16,
        imm: 0,
      };
    case 4:
      return {
        code: pick(random, [0x63, 0x6b, 0x73, 0x7b]),
        dst,
        src,
        off: (random() % 33) - 16,
        imm: 0,
      };
    default:
      return { code: pick(random, [0x0f, 0x1f, 0x4f, 0x5f]), dst, src, off: 0, imm: 0 };
  }
}

function usedRegisters(program: readonly Insn[]): number[] {
  return [...new Set(program.flatMap((insn) => [insn.dst, insn.src]))].filter((r) => r < 11);
}

const operators: readonly (readonly [weight: number, operator: Operator])[] = [
  [
    9,
    (random, program, at) => {
      const register = random() % 25 === 0 ? random() % 16 : pick(random, usedRegisters(program));
      const insn = program[at]!;
      if (random() % 2 === 0) insn.dst = register;
      else insn.src = register;
      return true;
    },
  ],
  [
    14,
    change(
      ({ code }) => isMemory(code),
      (random, insn) => {
        const moved = insn.off + pick(random, smallSteps);
        insn.off = clampS16(pick(random, [moved, moved, 0, -512, -520, -8, -16, 4, 16, 64, 256]));
      },
    ),
  ],
  [
    12,
    change(
      ({ code }) => code !== 0x85 && code !== 0x18 && !(isAlu(code) && (code & 8) !== 0),
      (random, insn) => {
        insn.imm = newImmediate(random, insn.imm);
      },
    ),
  ],
  [
    10,
    change(
      ({ code }) => isConditional(code),
      (_, insn) => Object.assign(insn, nop),
    ),
  ],
  [
    5,
    change(
      ({ code }) => isConditional(code),
      (_, insn) => {
        Object.assign(insn, { ...nop, off: insn.off });
      },
    ),
  ],
  [
    11,
    change(
      ({ code }) => isConditional(code),
      (random, insn) => {
        insn.code = (insn.code & 0x0f) | pick(random, comparisons);
      },
    ),
  ],
  [
    8,
    change(
      ({ code }) => isMemory(code),
      (random, insn) => {
        insn.code = (insn.code & ~0x18) | pick(random, [0x00, 0x08, 0x10, 0x18]);
      },
    ),
  ],
  [
    5,
    change(
      ({ code }) => isAlu(code),
      (random, insn) => {
        insn.code = (insn.code & 0x0f) | pick(random, arithmetic);
      },
    ),
  ],
  [
    5,
    change(
      ({ code }) => isAlu(code) || isConditional(code),
      (_, insn) => {
        insn.code ^= isAlu(insn.code) ? 3 : 3;
      },
    ),
  ],
  [
    7,
    (_, program, at) => {
      if (isLoadImm64(program[at]!)) program[at + 1] = { ...nop };
      program[at] = { ...nop };
      return true;
    },
  ],
  [
    5,
    (_, program, at) => {
      const a = program[at]!;
      const b = program[at + 1];
      if (b === undefined || isLoadImm64(a) || isLoadImm64(b)) return false;
      program[at] = b;
      program[at + 1] = a;
      return true;
    },
  ],
  [
    9,
    (random, program, at) => {
      const calls = program.filter((insn) => insn.code === 0x85 && insn.src !== 1);
      const insn = program[at]!;
      if (insn.code !== 0x85 || insn.src === 1 || calls.length === 0) return false;
      const other = random() % 3 === 0 ? { src: 0, imm: random() % 212 } : pick(random, calls);
      insn.src = other.src;
      insn.imm = other.imm;
      return true;
    },
  ],
  [
    8,
    (random, program, at) => {
      if (program[at]!.code !== 0x85) return false;
      program[at] = random() % 2 === 0 ? { ...nop } : { ...nop, code: 0xb7, imm: random() % 2 };
      return true;
    },
  ],
  [
    4,
    (random, program, at) => {
      const exits = starts(program).filter((i) => i > at + 1 && program[i]!.code === 0x95);
      if (exits.length === 0 || isLoadImm64(program[at]!)) return false;
      program[at] = { ...nop, off: clampS16(pick(random, exits) - at - 1) };
      return true;
    },
  ],
  [
    5,
    change(
      ({ code }) => isJump(code) && code !== 0x85 && code !== 0x95,
      (random, insn) => {
        insn.off = clampS16(insn.off + pick(random, [-3, -2, -1, 1, 2, 3]));
      },
    ),
  ],
  [
    12,
    (random, program, at) => {
      insert(program, at, [randomInsn(random)]);
      return true;
    },
  ],
  [
    6,
    (random, program, at) => {
      const from = pick(random, starts(program));
      const width = isLoadImm64(program[from]!) ? 2 : 1;
      insert(program, at, program.slice(from, from + width));
      return true;
    },
  ],
  [
    4,
    (random, program, at) => {
      const added = { ...nop, code: 0x15 | pick(random, [0x00, 0x10, 0x40]), dst: random() % 10 };
      const to = pick(random, starts(program));
      insert(program, at, [{ ...added, off: clampS16(to > at ? to - at : to - at - 1), imm: 0 }]);
      return true;
    },
  ],
];

const wheel = operators.flatMap(([weight, operator]) => new Array<Operator>(weight).fill(operator));

/** One or two changes of a program, or undefined if none was found. */
export function mutate(random: Random, base: Uint8Array): Uint8Array | undefined {
  const program: Insn[] = decodeSlots(base).map((insn) => ({ ...insn }));
  const wanted = random() % 4 === 0 ? 2 : 1;
  let done = 0;
  for (let attempt = 0; attempt < 100 && done < wanted; attempt += 1) {
    const at = pick(random, starts(program));
    if (pick(random, wheel)(random, program, at)) done += 1;
  }
  const bytes = encodeSlots(program);
  const isSame = bytes.length === base.length && bytes.every((byte, i) => byte === base[i]);
  return done === 0 || isSame ? undefined : bytes;
}
