/** Instructions as the kernel's log shows them: `(79) r1 = *(u64 *)(r6 +8)`. */

import { btfName } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import { helperName } from "./helper-prototypes.ts";
import {
  aluOp,
  atomicOp,
  callKind,
  insnClass,
  jmpOp,
  memMode,
  opJumpLong,
  pseudo,
  type RawInsn,
  sizeOf,
} from "./opcodes.ts";
import { aluSymbols } from "./pointer-alu.ts";

const loadTypes: Record<number, string> = { 1: "u8", 2: "u16", 4: "u32", 8: "u64" };
const signedTypes: Record<number, string> = { 1: "s8", 2: "s16", 4: "s32", 8: "s64" };

const jumpSymbols: Record<number, string> = {
  [jmpOp.eq]: "==",
  [jmpOp.gt]: ">",
  [jmpOp.lt]: "<",
  [jmpOp.ge]: ">=",
  [jmpOp.le]: "<=",
  [jmpOp.set]: "&",
  [jmpOp.ne]: "!=",
  [jmpOp.sgt]: "s>",
  [jmpOp.slt]: "s<",
  [jmpOp.sge]: "s>=",
  [jmpOp.sle]: "s<=",
};

const atomicNames: Record<number, string> = {
  [atomicOp.add]: "add",
  [atomicOp.and]: "and",
  [atomicOp.or]: "or",
  [atomicOp.xor]: "xor",
};

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}

function address(insn: RawInsn, register: number): string {
  const type = loadTypes[sizeOf(insn.code)];
  return `*(${type} *)(r${register} ${signed(insn.off)})`;
}

function printAlu(insn: RawInsn): string {
  const letter = (insn.code & 7) === insnClass.alu ? "w" : "r";
  const op = insn.code & 0xf0;
  const dst = `${letter}${insn.dst}`;
  if (op === aluOp.end) {
    const isSwap = (insn.code & 7) === insnClass.alu64;
    const name = isSwap ? "bswap" : (insn.code & 8) !== 0 ? "be" : "le";
    return `r${insn.dst} = ${name}${insn.imm} r${insn.dst}`;
  }
  if (op === aluOp.neg) return `${dst} = -${dst}`;
  const isDivision = op === aluOp.div || op === aluOp.mod;
  const symbol = `${isDivision && insn.off === 1 ? "s" : ""}${aluSymbols[op] ?? "?"}`;
  if ((insn.code & 8) === 0) return `${dst} ${symbol} ${insn.imm}`;
  const cast = op === aluOp.mov && insn.off !== 0 ? `(s${insn.off})` : "";
  return `${dst} ${symbol} ${cast}${letter}${insn.src}`;
}

function printAtomic(insn: RawInsn): string {
  const at = address(insn, insn.dst);
  const wide = sizeOf(insn.code) === 8 ? "64" : "";
  const type = loadTypes[sizeOf(insn.code)];
  const place = `(${type} *)(r${insn.dst} ${signed(insn.off)})`;
  const word = sizeOf(insn.code) === 8 ? "r" : "w";
  switch (insn.imm) {
    case atomicOp.loadAcquire:
      return `${word}${insn.dst} = load_acquire((${type} *)(r${insn.src} ${signed(insn.off)}))`;
    case atomicOp.storeRelease:
      return `store_release(${place}, ${word}${insn.src})`;
    case atomicOp.xchg:
      return `r${insn.src} = atomic${wide}_xchg(${place}, r${insn.src})`;
    case atomicOp.cmpxchg:
      return `r0 = atomic${wide}_cmpxchg(${place}, r0, r${insn.src})`;
    default: {
      const op = insn.imm & 0xf0;
      if ((insn.imm & atomicOp.fetch) === 0) {
        return `lock ${at} ${aluSymbols[op] ?? "?"} r${insn.src}`;
      }
      const name = atomicNames[op] ?? "?";
      return `r${insn.src} = atomic${wide}_fetch_${name}(${place}, r${insn.src})`;
    }
  }
}

function kfuncName(env: Env, id: number): string {
  const { kernel } = env.input;
  return kernel === undefined ? "kernel-function" : btfName(kernel.btf, id);
}

function printCall(env: Env, insn: RawInsn): string {
  if (insn.src === callKind.local) return `call pc${signed(insn.imm)}`;
  if (insn.src === callKind.kfunc) return `call ${kfuncName(env, insn.imm)}#${insn.imm}`;
  return `call ${helperName(insn.imm)}#${insn.imm}`;
}

function printJump(env: Env, insn: RawInsn): string {
  const op = insn.code & 0xf0;
  if (op === jmpOp.call) return printCall(env, insn);
  if (op === jmpOp.exit) return "exit";
  if (op === jmpOp.cond) return `may_goto pc${signed(insn.off)}`;
  if (op === jmpOp.ja) {
    return insn.code === opJumpLong ? `gotol pc${signed(insn.imm)}` : `goto pc${signed(insn.off)}`;
  }
  const letter = (insn.code & 7) === insnClass.jmp32 ? "w" : "r";
  const source =
    (insn.code & 8) !== 0
      ? `${letter}${insn.src}`
      : insn.imm < 0 || insn.imm > 9
        ? `0x${(insn.imm >>> 0).toString(16)}`
        : `0x${insn.imm.toString(16)}`;
  const symbol = jumpSymbols[op] ?? "?";
  return `if ${letter}${insn.dst} ${symbol} ${source} goto pc${signed(insn.off)}`;
}

function printLd(env: Env, at: number, insn: RawInsn): string {
  const mode = insn.code & 0xe0;
  const type = loadTypes[sizeOf(insn.code)];
  if (mode === memMode.abs) return `r0 = *(${type} *)skb[${insn.imm}]`;
  if (mode === memMode.ind) return `r0 = *(${type} *)skb[r${insn.src} + ${insn.imm}]`;
  const high = env.insns[at + 1]?.imm ?? 0;
  if (insn.src === pseudo.func) return `r${insn.dst} = 0x${(insn.imm >>> 0).toString(16)}`;
  const value = (BigInt(high >>> 0) << 32n) | BigInt(insn.imm >>> 0);
  if (insn.src === 0) return `r${insn.dst} = 0x${value.toString(16)}`;
  const map = env.input.maps[insn.imm];
  const isValue = insn.src === pseudo.mapValue;
  return `r${insn.dst} = map[${map?.name ?? insn.imm}]${isValue ? `+${high}` : ""} ll`;
}

function printStore(insn: RawInsn): string {
  if ((insn.code & 7) === insnClass.st) return `${address(insn, insn.dst)} = ${insn.imm}`;
  if ((insn.code & 0xe0) === memMode.atomic) return printAtomic(insn);
  return `${address(insn, insn.dst)} = r${insn.src}`;
}

function printLoad(insn: RawInsn): string {
  const types = (insn.code & 0xe0) === memMode.memsx ? signedTypes : loadTypes;
  const type = types[sizeOf(insn.code)];
  return `r${insn.dst} = *(${type} *)(r${insn.src} ${signed(insn.off)})`;
}

function printBody(env: Env, at: number, insn: RawInsn): string {
  switch (insn.code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
      return printAlu(insn);
    case insnClass.ldx:
      return printLoad(insn);
    case insnClass.st:
    case insnClass.stx:
      return printStore(insn);
    case insnClass.ld:
      return printLd(env, at, insn);
    default:
      return printJump(env, insn);
  }
}

/** Addresses of maps are not known here: a map is shown by its name. */
export function printInsn(env: Env, at: number): string {
  const insn = env.insnAt(at);
  return `(${insn.code.toString(16).padStart(2, "0")}) ${printBody(env, at, insn)}`;
}
