/** What one instruction does to the set of registers and slots whose precise value matters. */
import type { Env } from "./env.ts";
import { subprogramAt } from "./env.ts";
import { helperId } from "./helper-ids.ts";
import { callsBackNow } from "./kfuncs.ts";
import {
  aluOp,
  atomicOp,
  insnClass,
  isHelperCall,
  isLocalCall,
  jmpOp,
  memMode,
  type RawInsn,
} from "./opcodes.ts";
import { framePointer } from "./registers.ts";
import type { HistoryEntry } from "./state.ts";
import { maxFrames } from "./state.ts";
import { errno } from "./stop.ts";

const argMask = 0x3e;

/** Registers and slots to follow backwards, by frame. */
export class Wanted {
  frame: number;
  readonly regs = new Int32Array(maxFrames);
  /** Slots 0–31 and 32–63 of each frame. */
  readonly low = new Int32Array(maxFrames);
  readonly high = new Int32Array(maxFrames);

  constructor(frame: number) {
    this.frame = frame;
  }

  get isEmpty(): boolean {
    for (let i = 0; i <= this.frame; i += 1) {
      if ((this.regs[i]! | this.low[i]! | this.high[i]!) !== 0) return false;
    }
    return true;
  }

  clear(): void {
    this.regs.fill(0);
    this.low.fill(0);
    this.high.fill(0);
  }

  hasReg(register: number, frame = this.frame): boolean {
    return (this.regs[frame]! & (1 << register)) !== 0;
  }

  setReg(register: number, frame = this.frame): void {
    this.regs[frame] = this.regs[frame]! | (1 << register);
  }

  clearReg(register: number, frame = this.frame): void {
    this.regs[frame] = this.regs[frame]! & ~(1 << register);
  }

  hasAnySlot(frame: number): boolean {
    return (this.low[frame]! | this.high[frame]!) !== 0;
  }

  hasSlot(frame: number, slot: number): boolean {
    const mask = slot < 32 ? this.low[frame]! : this.high[frame]!;
    return (mask & (1 << (slot & 31))) !== 0;
  }

  setSlot(frame: number, slot: number): void {
    const masks = slot < 32 ? this.low : this.high;
    masks[frame] = masks[frame]! | (1 << (slot & 31));
  }

  clearSlot(frame: number, slot: number): void {
    const masks = slot < 32 ? this.low : this.high;
    masks[frame] = masks[frame]! & ~(1 << (slot & 31));
  }
}

/** The path cannot be followed through this instruction: all numbers must be kept precise. */
export const cannotFollow = Symbol("cannot follow");

export function rejectBug(env: Env, what: string): never {
  env.reject(`verifier bug: ${what}`, errno.fault);
}

function syncLinked(wanted: Wanted, entry: HistoryEntry | undefined): void {
  const linked = entry?.linked;
  if (linked === undefined) return;
  const isWanted = linked.some((l) =>
    l.isReg ? wanted.hasReg(l.at, l.frame) : wanted.hasSlot(l.frame, l.at),
  );
  if (!isWanted) return;
  for (const l of linked) {
    if (l.isReg) wanted.setReg(l.at, l.frame);
    else wanted.setSlot(l.frame, l.at);
  }
}

function throughAlu(wanted: Wanted, insn: RawInsn): void {
  const op = insn.code & 0xf0;
  if (!wanted.hasReg(insn.dst) || op === aluOp.end || op === aluOp.neg) return;
  if (op === aluOp.mov) wanted.clearReg(insn.dst);
  const isRegister = (insn.code & 8) !== 0;
  if (isRegister && insn.src !== framePointer) wanted.setReg(insn.src);
}

function throughLoad(wanted: Wanted, insn: RawInsn, entry: HistoryEntry | undefined): void {
  if (!wanted.hasReg(insn.dst)) return;
  wanted.clearReg(insn.dst);
  if (entry?.stackAccess) wanted.setSlot(entry.frame, entry.slot);
}

function throughStore(
  wanted: Wanted,
  insn: RawInsn,
  entry: HistoryEntry | undefined,
): typeof cannotFollow | undefined {
  if (wanted.hasReg(insn.dst)) return cannotFollow;
  if (!entry?.stackAccess || !wanted.hasSlot(entry.frame, entry.slot)) return undefined;
  wanted.clearSlot(entry.frame, entry.slot);
  if ((insn.code & 7) === insnClass.stx) wanted.setReg(insn.src);
  return undefined;
}

function leaveSubprogram(env: Env, wanted: Wanted): void {
  if (wanted.frame === 0) rejectBug(env, "subprog exit from frame 0");
  wanted.frame -= 1;
}

function enterSubprogram(env: Env, wanted: Wanted): void {
  if (wanted.frame + 1 >= maxFrames) rejectBug(env, "subprog enter frame overflow");
  wanted.frame += 1;
}

/** Backwards over a call: out of the callee into its caller. */
function throughLocalCall(env: Env, wanted: Wanted, insn: RawInsn, at: number): void {
  const callee = env.subprograms[subprogramAt(env, at + insn.imm + 1)];
  const mask = wanted.regs[wanted.frame]!;
  if (callee !== undefined && callee.linkage === "global" && env.input.functions.length > 0) {
    if ((mask & argMask) !== 0) rejectBug(env, "global subprog unexpected regs");
    wanted.clearReg(0);
    return;
  }
  if ((mask & ~argMask) !== 0) rejectBug(env, "static subprog unexpected regs");
  if (wanted.hasAnySlot(wanted.frame)) rejectBug(env, "static subprog leftover stack slots");
  wanted.regs[wanted.frame] = 0;
  leaveSubprogram(env, wanted);
  wanted.regs[wanted.frame] = wanted.regs[wanted.frame]! | mask;
}

function throughCallbackCall(env: Env, wanted: Wanted): void {
  const mask = wanted.regs[wanted.frame]!;
  if ((mask & ~argMask) !== 0) rejectBug(env, "callback unexpected regs");
  if (wanted.hasAnySlot(wanted.frame)) rejectBug(env, "callback leftover stack slots");
  wanted.regs[wanted.frame] = 0;
  leaveSubprogram(env, wanted);
}

function throughExit(env: Env, wanted: Wanted, following: number): void {
  if (following >= 0 && env.facts.callsCallback[following] === 1) {
    wanted.regs[wanted.frame] = wanted.regs[wanted.frame]! & ~argMask;
  }
  if ((wanted.regs[wanted.frame]! & argMask) !== 0) {
    rejectBug(env, "backtracking exit unexpected regs");
  }
  const call = following > 0 ? env.insnAt(following - 1) : undefined;
  const wantsResult = call !== undefined && isLocalCall(call) && wanted.hasReg(0);
  wanted.clearReg(0);
  enterSubprogram(env, wanted);
  if (wantsResult) wanted.setReg(0);
}

function throughBranch(wanted: Wanted, insn: RawInsn, entry: HistoryEntry | undefined): void {
  if ((insn.code & 8) === 0) return;
  if (!wanted.hasReg(insn.dst) && !wanted.hasReg(insn.src)) return;
  if (!entry?.srcIsStack) wanted.setReg(insn.src);
  if (!entry?.dstIsStack) wanted.setReg(insn.dst);
}

/** Calls and exits; gives false where the entry's links do not matter any more. */
function throughJump(
  env: Env,
  wanted: Wanted,
  at: number,
  following: number,
  entry: HistoryEntry | undefined,
): boolean {
  const insn = env.insnAt(at);
  const op = insn.code & 0xf0;
  if (op === jmpOp.exit) {
    throughExit(env, wanted, following);
    return false;
  }
  if (op !== jmpOp.call) {
    throughBranch(wanted, insn, entry);
    return true;
  }
  if (isLocalCall(insn)) {
    throughLocalCall(env, wanted, insn, at);
    return false;
  }
  if (callsBackNow(env, insn) && at !== following - 1) {
    throughCallbackCall(env, wanted);
    return false;
  }
  wanted.clearReg(0);
  if ((wanted.regs[wanted.frame]! & argMask) !== 0) {
    rejectBug(env, "backtracking call unexpected regs");
  }
  // A tail call that returned to the caller of its function: back into that function.
  const isTailCall = isHelperCall(insn) && insn.imm === helperId.tailCall;
  if (isTailCall && following - at !== 1) enterSubprogram(env, wanted);
  return true;
}

/** One step back. `following` is the instruction that ran after this one. */
export function backtrack(
  env: Env,
  wanted: Wanted,
  at: number,
  following: number,
  entry: HistoryEntry | undefined,
): typeof cannotFollow | undefined {
  const insn = env.insnAt(at);
  if (insn.code === 0) return undefined;
  syncLinked(wanted, entry);
  const mode = insn.code & 0xe0;
  switch (insn.code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
      throughAlu(wanted, insn);
      break;
    case insnClass.ldx:
      throughLoad(wanted, insn, entry);
      break;
    case insnClass.stx:
      if (mode === memMode.atomic && insn.imm === atomicOp.loadAcquire) {
        throughLoad(wanted, insn, entry);
        break;
      }
      if (throughStore(wanted, insn, entry) === cannotFollow) return cannotFollow;
      break;
    case insnClass.st:
      if (throughStore(wanted, insn, entry) === cannotFollow) return cannotFollow;
      break;
    case insnClass.ld:
      if (!wanted.hasReg(insn.dst)) return undefined;
      wanted.clearReg(insn.dst);
      if (mode === memMode.abs || mode === memMode.ind) return cannotFollow;
      break;
    default:
      if (!throughJump(env, wanted, at, following, entry)) return undefined;
  }
  syncLinked(wanted, entry);
  return undefined;
}
