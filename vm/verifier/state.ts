/**
 * The abstract machine at one instruction: frames with registers and stack slots, references and
 * locks. Registers and slots are shared between states; the arrays that hold them are not.
 */
import { notInitReg, type Reg } from "./reg.ts";

export const maxFrames = 8;
export const maxStack = 512;

/** What one byte of stack holds. */
export const byteKind = {
  invalid: 0,
  spill: 1,
  misc: 2,
  zero: 3,
  dynptr: 4,
  iter: 5,
  irq: 6,
} as const;

/** Eight bytes of stack. `types` packs a {@link byteKind} per byte, the highest address lowest. */
export interface Slot {
  readonly types: number;
  /** The spilled register if byte 7 (the lowest address) is a spill; a dynptr's state. */
  readonly reg: Reg;
}

export const emptySlot: Slot = { types: 0, reg: notInitReg };

/** The kind of byte `index`; 7 is at the lowest address. */
export function byteOf(slot: Slot, index: number): number {
  return (slot.types >>> (index * 4)) & 15;
}

export function withByte(types: number, index: number, value: number): number {
  const shift = index * 4;
  return (types & ~(15 << shift)) | (value << shift);
}

/** All eight bytes of one kind. */
export function allBytes(value: number): number {
  return Math.imul(value, 0x1111_1111);
}

export function isSpilledReg(slot: Slot): boolean {
  return slot.types >>> 28 === byteKind.spill;
}

export interface ReturnRange {
  readonly min: number;
  readonly max: number;
  /** Only the lower half counts. */
  readonly is32?: true;
}

/** How a frame was entered, for frames that are callbacks. */
export interface CallbackInfo {
  readonly isAsync: boolean;
  readonly range: ReturnRange;
}

export interface Frame {
  /** Instruction of the call; -1 in the outermost frame. */
  callsite: number;
  frameNo: number;
  subprog: number;
  regs: Reg[];
  /** By slot, from fp-8 downward. */
  stack: Slot[];
  callback: CallbackInfo | undefined;
  asyncEntries: number;
  callbackDepth: number;
  /** Scalars that a verdict depended on: bit per register. Only checkpoints have them. */
  preciseRegs: number;
  preciseStackLow: number;
  preciseStackHigh: number;
}

export function newFrame(callsite: number, frameNo: number, subprog: number): Frame {
  return {
    callsite,
    frameNo,
    subprog,
    regs: new Array<Reg>(11).fill(notInitReg),
    stack: [],
    callback: undefined,
    asyncEntries: 0,
    callbackDepth: 0,
    preciseRegs: 0,
    preciseStackLow: 0,
    preciseStackHigh: 0,
  };
}

function copyFrame(frame: Frame): Frame {
  return { ...frame, regs: frame.regs.slice(), stack: frame.stack.slice() };
}

/** Something acquired that must be released. */
export interface Reference {
  readonly kind: "resource" | "lock" | "res-lock" | "res-lock-irq" | "irq";
  readonly id: number;
  readonly insn: number;
  /** What is locked: the map's identity or the object. */
  readonly lockOf?: unknown;
}

/** Which stack slot an instruction used, and which registers a branch linked. */
export interface HistoryEntry {
  insn: number;
  previous: number;
  /** 1: stack access through a register; frame and slot below. */
  stackAccess: boolean;
  frame: number;
  slot: number;
  /** The dst or src register of the branch points to the stack. */
  dstIsStack: boolean;
  srcIsStack: boolean;
  linked: readonly LinkedReg[] | undefined;
}

export interface LinkedReg {
  readonly frame: number;
  readonly isReg: boolean;
  /** Register, or stack slot. */
  readonly at: number;
}

export interface State {
  frames: Frame[];
  refs: readonly Reference[];
  activeLocks: number;
  activeLockId: number;
  activeLockOf: unknown;
  activeRcu: number;
  activePreempt: number;
  /** The interrupt flags saved last, 0 if none are. */
  activeIrq: number;
  inSleepable: boolean;
  /** Where it is: next instruction, and the checkpoint's own. */
  insn: number;
  parent: State | undefined;
  /** Paths that still have to be explored below this checkpoint. */
  branches: number;
  firstInsn: number;
  lastInsn: number;
  history: HistoryEntry[];
  dfsDepth: number;
  callbackUnroll: number;
  mayGotoDepth: number;
  /** Registers that cannot be read any more were dropped. */
  isCleaned: boolean;
  /** For a back edge: the state that it was found equal to. */
  equalState: State | undefined;
}

export function newState(): State {
  return {
    frames: [],
    refs: [],
    activeLocks: 0,
    activeLockId: 0,
    activeLockOf: undefined,
    activeRcu: 0,
    activePreempt: 0,
    activeIrq: 0,
    inSleepable: false,
    insn: 0,
    parent: undefined,
    branches: 1,
    firstInsn: 0,
    lastInsn: -1,
    history: [],
    dfsDepth: 0,
    callbackUnroll: 0,
    mayGotoDepth: 0,
    isCleaned: false,
    equalState: undefined,
  };
}

export function copyState(state: State): State {
  return { ...state, frames: state.frames.map(copyFrame), history: state.history.slice() };
}

export function currentFrame(state: State): Frame {
  return state.frames[state.frames.length - 1]!;
}

/** A value of every register and spilled register of all frames; `change` gives the new one or the same. */
export function mapRegs(state: State, change: (reg: Reg) => Reg): void {
  for (const frame of state.frames) {
    for (let r = 0; r < 11; r += 1) {
      const reg = frame.regs[r]!;
      const changed = change(reg);
      if (changed !== reg) frame.regs[r] = changed;
    }
    for (let s = 0; s < frame.stack.length; s += 1) {
      const slot = frame.stack[s]!;
      if (!isSpilledReg(slot)) continue;
      const changed = change(slot.reg);
      if (changed !== slot.reg) frame.stack[s] = { types: slot.types, reg: changed };
    }
  }
}
