/** Numbers, pointers and instructions in the words of explanations. */
import { type Scalar, s32Max, s32Min, s64Max, s64Min, u32Max } from "../../common/domain/scalar.ts";
import { u64Max } from "../../common/domain/tnum.ts";
import { helperName } from "./helper-prototypes.ts";
import type { VerifierLine } from "./input.ts";
import { insnClass, isHelperCall, opCall, type RawInsn } from "./opcodes.ts";
import type { Reg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag } from "./reg-types.ts";
import { lineAt } from "./source-lines.ts";

/** `between 0 and 60`, `7`, `any number`. */
export function numberWords(s: Scalar): string {
  if (s.mask === 0n) return String(s.smin);
  if (s.smin >= 0n && s.smax < s64Max) return `between ${s.umin} and ${s.umax}`;
  if (s.smin > s64Min && s.smax < s64Max) return `between ${s.smin} and ${s.smax}`;
  if (s.umin > 0n || s.umax < u64Max) return `between ${s.umin} and ${s.umax}, unsigned`;
  if (s.smin >= 0n) return "0 or more";
  if (s.smax < s64Max) return `at most ${s.smax}, and perhaps negative`;
  return "any number";
}

/** Why the bounds that there are do not do as an offset or size; undefined if nothing is odd. */
export function weakness(s: Scalar): string | undefined {
  if (s.mask === 0n) return undefined;
  const isHalfBounded = s.u32max < u32Max || s.s32max < s32Max || s.s32min > s32Min;
  const isWide = s.umax >= BigInt(u32Max);
  if (isWide && isHalfBounded && s.s32min < 0) {
    return `its lower 32 bits are at most ${s.s32max} as a signed number, so a negative one passes the test`;
  }
  if (isWide && isHalfBounded && s.umax > BigInt(u32Max)) {
    return `only its lower 32 bits are bounded (${s.u32min} to ${s.u32max}); the upper half is not`;
  }
  if (s.smin < 0n && s.smax < s64Max) return "it is bounded from above only: it may be negative";
  if (s.smin >= 0n && s.smax === s64Max && s.umax >= BigInt(s64Max)) {
    return "it is bounded from below only";
  }
  return undefined;
}

const pointerWords: Readonly<Record<number, string>> = {
  [kind.ctx]: "the context",
  [kind.mapPtr]: "a map",
  [kind.mapValue]: "a pointer into a map's value",
  [kind.mapKey]: "a pointer to a map's key",
  [kind.stack]: "a pointer to the stack",
  [kind.packetMeta]: "a pointer to the packet's metadata",
  [kind.packet]: "a pointer into the packet",
  [kind.packetEnd]: "the end of the packet",
  [kind.socket]: "a pointer to a socket",
  [kind.sockCommon]: "a pointer to a socket's common part",
  [kind.tcpSock]: "a pointer to a TCP socket",
  [kind.btfId]: "a pointer to a kernel object",
  [kind.mem]: "a pointer to memory",
  [kind.buf]: "a pointer to a buffer",
  [kind.func]: "a function",
  [kind.dynptr]: "a dynptr",
};

/** `a pointer into the packet`. */
export function typeWords(type: number): string {
  return pointerWords[kindOf(type)] ?? "a pointer";
}

/** What a register holds: `a number between 0 and 3`, `a pointer into a map's value that may be NULL`. */
export function valueWords(reg: Reg): string {
  const base = kindOf(reg.type);
  if (base === kind.scalar) {
    const words = numberWords(reg.scalar);
    if (reg.scalar.mask === 0n) return `the number ${words}`;
    return words === "any number" ? "a number of which nothing is known" : `a number ${words}`;
  }
  if (base === kind.notInit) return "nothing: it has no value";
  const what = typeWords(reg.type);
  const memory = (reg.type & typeFlag.ringbuf) !== 0 ? "a pointer to a ring buffer's record" : what;
  return mayBeNull(reg.type) ? `${memory} that may be NULL` : memory;
}

const keywords: ReadonlySet<string> = new Set(["if", "return", "while", "for", "else", "const"]);

/** The variable that a line assigns, as far as its text shows it: `v` of `v = f(x);`. */
export function assignedName(
  lines: readonly VerifierLine[] | undefined,
  insn: number,
): string | undefined {
  const line = lineAt(lines, insn);
  if (line === undefined) return undefined;
  const before = line.column > 0 ? line.text.slice(0, line.column - 1) : line.text;
  // Between the name and the value there are casts, parentheses and unary operators only.
  const match = /(?:^|[\s*(;,])([A-Za-z_]\w*)\s*=(?!=)(?:\([\w\s]*\**\s*\)|[\s*&(])*$/.exec(before);
  const name = match?.[1];
  return name === undefined || keywords.has(name) ? undefined : name;
}

/** What an instruction did to make a register's value: `is what bpf_f returned here`. */
export function makingWords(insn: RawInsn): string {
  if (isHelperCall(insn)) return `is what ${helperName(insn.imm)} returned here`;
  if (insn.code === opCall) return "is what this call returned";
  switch (insn.code & 7) {
    case insnClass.ldx:
      return "was loaded from memory here";
    case insnClass.st:
    case insnClass.stx:
      return "was stored here";
    default:
      return "was computed here";
  }
}
