/**
 * Machine code of one function: blocks of BPF instructions whose registers are virtual until phase 7
 * has assigned r0–r9. Virtual registers may be written more than once (the ALU is two-address);
 * values that meet at a join do so in machine phis until phase 7 turns them into copies.
 * Mutable: phases 6 and 7 build and rewrite it in place.
 */
import type { AluOp, AtomicOp, JumpOp } from "../../common/isa/instruction.ts";
import type { AsmConstraint, CoreAccess, DebugLocation } from "../4-lower/ir.ts";

/** 0–10 physical; from {@link firstVirtual} on virtual. */
export type MachineRegister = number;

export const firstVirtual = 16;
export const framePointer: MachineRegister = 10;

export function isVirtual(register: MachineRegister): boolean {
  return register >= firstVirtual;
}

export type MachineSource =
  | { readonly kind: "register"; readonly register: MachineRegister }
  | { readonly kind: "immediate"; readonly value: number };

export type Width = 32 | 64;

/** What a memory instruction addresses: a register, or (`slot`) an object of the frame. */
export interface MachineAddress {
  base: MachineRegister;
  /** Index into {@link MachineFunction.slots}; `base` is then r10 and `offset` counts from the object's start. */
  slot?: number;
  offset: number;
}

export interface AsmOperand {
  readonly constraint: AsmConstraint;
  readonly kind: "register" | "immediate" | "memory" | "symbol";
  /** Register, or the base of a memory operand. */
  register: MachineRegister;
  slot?: number;
  /** Immediate value, or the offset of a memory operand. */
  value: bigint;
  symbol?: string;
  readonly isOutput: boolean;
  /** Read: inputs, and outputs that start with a value ("+r"). */
  readonly isInput: boolean;
  /** Written before all inputs are read. */
  readonly earlyClobber: boolean;
  /** The value has at most 32 bits. */
  readonly narrow: boolean;
}

export interface AsmBody {
  readonly template: string;
  readonly operands: AsmOperand[];
  readonly clobbers: readonly MachineRegister[];
}

export type MachineOperation =
  | { kind: "alu"; op: AluOp; width: Width; dst: MachineRegister; src: MachineSource }
  | { kind: "movsx"; from: 8 | 16 | 32; width: Width; dst: MachineRegister; src: MachineRegister }
  | { kind: "neg"; width: Width; dst: MachineRegister }
  | { kind: "endian"; op: "le" | "be" | "bswap"; bits: 16 | 32 | 64; dst: MachineRegister }
  /** A wide constant, or with `symbol` the address of a map, variable or function (`value` is the addend). */
  | { kind: "load_imm64"; dst: MachineRegister; value: bigint; symbol?: string }
  /** Address of a frame object plus offset; becomes `dst = r10; dst += k`. */
  | { kind: "frame_address"; dst: MachineRegister; slot: number; offset: number }
  | {
      kind: "load";
      size: 1 | 2 | 4 | 8;
      signed: boolean;
      dst: MachineRegister;
      address: MachineAddress;
      isVolatile?: boolean;
      /** Of a spilled register; set by frame layout. */
      isSpill?: boolean;
    }
  | {
      kind: "store";
      size: 1 | 2 | 4 | 8;
      address: MachineAddress;
      src: MachineSource;
      /** Of a spilled register; set by frame layout. */
      isSpill?: boolean;
    }
  /** With `fetch`, `src` receives the old value (cmpxchg: r0 does, and r0 is compared). */
  | {
      kind: "atomic";
      op: AtomicOp;
      fetch: boolean;
      size: 4 | 8;
      address: MachineAddress;
      src: MachineRegister;
    }
  | { kind: "load_acquire"; size: 1 | 2 | 4 | 8; dst: MachineRegister; address: MachineAddress }
  | { kind: "store_release"; size: 1 | 2 | 4 | 8; address: MachineAddress; src: MachineRegister }
  /** Context in r6, result in r0, clobbers r1–r5. `src` only with mode `ind`. */
  | {
      kind: "load_packet";
      mode: "abs" | "ind";
      size: 1 | 2 | 4;
      src: MachineRegister;
      imm: number;
    }
  | { kind: "addr_space_cast"; dst: MachineRegister; src: MachineRegister; imm: number }
  /** Reads r1…r(argCount), writes r0 (`hasResult`: somebody reads it), clobbers r0–r5. */
  | {
      kind: "call";
      target:
        | { readonly kind: "helper"; readonly id: number }
        | { readonly kind: "local" | "extern"; readonly symbol: string };
      argCount: number;
      hasResult: boolean;
    }
  | { kind: "asm"; body: AsmBody }
  /** The frame object's contents begin or end to matter, or are used through a pointer: for stack sharing only. */
  | { kind: "lifetime"; slot: number; mark: "start" | "end" | "touch" };

export type MachineTerminator =
  | { kind: "jump"; target: MachineBlock }
  | {
      kind: "branch";
      op: JumpOp;
      width: Width;
      dst: MachineRegister;
      src: MachineSource;
      then: MachineBlock;
      otherwise: MachineBlock;
      likely?: boolean;
      /** Compares pointers: what it says of the register depends on the pointer's kind. */
      isPointer?: boolean;
    }
  | { kind: "asm_goto"; body: AsmBody; next: MachineBlock; labels: MachineBlock[] }
  /** `hasResult`: r0 is read. */
  | { kind: "exit"; hasResult: boolean }
  /** Naked functions: control does not come here, nothing is emitted. */
  | { kind: "end" };

export type MachineInstruction = MachineOperation & {
  location: DebugLocation | undefined;
  /** CO-RE relocation that patches this instruction. */
  core?: CoreAccess;
};

export type LocatedTerminator = MachineTerminator & { location: DebugLocation | undefined };

export type PhiInput =
  | { readonly kind: "register"; readonly register: MachineRegister }
  /** Materialised at the end of the predecessor. */
  | { readonly kind: "immediate"; readonly value: bigint }
  | { readonly kind: "undef" };

export interface MachinePhi {
  dst: MachineRegister;
  readonly inputs: { from: MachineBlock; value: PhiInput }[];
  readonly location: DebugLocation | undefined;
}

export interface MachineBlock {
  readonly id: number;
  phis: MachinePhi[];
  instructions: MachineInstruction[];
  terminator: LocatedTerminator;
}

/** An object on the stack. */
export interface FrameSlot {
  readonly size: number;
  /** Raised where wide accesses profit. */
  align: number;
  /** Variable's name, for stack reports. */
  readonly name: string;
  readonly location: DebugLocation | undefined;
  readonly isSpill: boolean;
  /** Nobody reaches it except instructions that name it, and "touch" marks. */
  readonly isShareable: boolean;
  /** The loader says where one of its fields is. */
  readonly isRelocated?: boolean;
  /** Offset from r10, negative; set by frame layout. */
  offset?: number;
}

export interface MachineFunction {
  readonly name: string;
  readonly paramCount: number;
  /** Called by others: its frame is not the program's. */
  readonly isCallee: boolean;
  readonly naked: boolean;
  readonly location: DebugLocation | undefined;
  /** Entry first; otherwise in layout order once phase 7 is done. */
  blocks: MachineBlock[];
  slots: FrameSlot[];
  nextRegister: MachineRegister;
  nextBlock: number;
  /** Bytes below r10 in use; set by frame layout. */
  frameSize: number;
}

export function registerSource(register: MachineRegister): MachineSource {
  return { kind: "register", register };
}

export function immediateSource(value: number): MachineSource {
  return { kind: "immediate", value };
}

/** Blocks that may follow, in order. */
export function machineSuccessors(block: MachineBlock): MachineBlock[] {
  const end = block.terminator;
  switch (end.kind) {
    case "jump":
      return [end.target];
    case "branch":
      return end.then === end.otherwise ? [end.then] : [end.then, end.otherwise];
    case "asm_goto":
      return [...new Set([end.next, ...end.labels])];
    case "exit":
    case "end":
      return [];
  }
}

/** Makes every edge from `block` to `from` go to `to`. */
export function redirectEdge(block: MachineBlock, from: MachineBlock, to: MachineBlock): void {
  const end = block.terminator;
  const move = (target: MachineBlock): MachineBlock => (target === from ? to : target);
  switch (end.kind) {
    case "jump":
      end.target = move(end.target);
      return;
    case "branch":
      end.then = move(end.then);
      end.otherwise = move(end.otherwise);
      return;
    case "asm_goto":
      end.next = move(end.next);
      end.labels = end.labels.map(move);
      return;
    case "exit":
    case "end":
      return;
  }
}

export function machinePredecessors(fn: MachineFunction): Map<MachineBlock, MachineBlock[]> {
  const result = new Map<MachineBlock, MachineBlock[]>(fn.blocks.map((block) => [block, []]));
  for (const block of fn.blocks) {
    for (const next of machineSuccessors(block)) result.get(next)?.push(block);
  }
  return result;
}

/** A new block, not yet in the function's list; its terminator is a placeholder. */
export function newMachineBlock(fn: MachineFunction): MachineBlock {
  const id = fn.nextBlock;
  fn.nextBlock += 1;
  return {
    id,
    phis: [],
    instructions: [],
    terminator: { kind: "exit", hasResult: false, location: undefined },
  };
}

export function newRegister(fn: MachineFunction): MachineRegister {
  const register = fn.nextRegister;
  fn.nextRegister += 1;
  return register;
}

export function newSlot(fn: MachineFunction, slot: FrameSlot): number {
  fn.slots.push(slot);
  return fn.slots.length - 1;
}
