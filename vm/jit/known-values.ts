/**
 * What registers are known to hold at each block's start, by forward analysis of one subprogram:
 * maps, and pointers into the frame, the packet or a map's values. Compiled code calls a known map's
 * functions directly; its checked variant leaves out checks of pointers with known offset, and first
 * tries the range that a pointer with unknown offset should be in. What is said of maps, and of
 * pointers with an offset, is certain whatever the program does; the rest is a guess.
 */
import type { Instruction, JumpOp, Register } from "../../common/isa/instruction.ts";
import { ArrayMap } from "../maps/array.ts";
import { HashMap } from "../maps/hash.ts";
import type { BpfMap } from "../maps/map.ts";
import type { Program } from "../program.ts";
import { packetFields } from "../programs/contexts.ts";
import type { Block } from "./blocks.ts";

export type Known =
  | { readonly kind: "map"; readonly map: BpfMap }
  /** An unsigned number of at most 32 bits. */
  | { readonly kind: "scalar"; readonly max: number }
  /** Offsets from r10: from `offset` to `offset + span`. */
  | { readonly kind: "frame"; readonly offset: number | undefined; readonly span: number }
  /** The address of the function that starts at a slot. */
  | { readonly kind: "function"; readonly slot: number }
  /** Perhaps the context, as the program was entered with it. */
  | { readonly kind: "context" }
  | { readonly kind: "packet" }
  | {
      readonly kind: "value";
      readonly map: BpfMap;
      /** From the value's start. */
      readonly offset: number | undefined;
      readonly span: number;
      readonly nullable: boolean;
    };

/** By register; r10 is not in it. */
export type KnownState = (Known | undefined)[];

const registers = 10;
const lookupHelpers: readonly number[] = [1, 195];

const largest = 0xffff_ffff;
/** Spans above this are not of use. */
const largestSpan = 1 << 20;

function same(a: Known | undefined, b: Known | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.kind !== b.kind) return false;
  switch (a.kind) {
    case "map":
      return b.kind === "map" && a.map === b.map;
    case "scalar":
      return b.kind === "scalar" && a.max === b.max;
    case "function":
      return b.kind === "function" && a.slot === b.slot;
    case "frame":
      return b.kind === "frame" && a.offset === b.offset && a.span === b.span;
    case "value":
      return (
        b.kind === "value" &&
        a.map === b.map &&
        a.offset === b.offset &&
        a.span === b.span &&
        a.nullable === b.nullable
      );
    case "context":
    case "packet":
      return true;
  }
}

/** What holds after either; it gets wider in few steps, so that loops are done with soon. */
function join(a: Known | undefined, b: Known | undefined): Known | undefined {
  if (same(a, b)) return a;
  if (a === undefined || b === undefined || a.kind !== b.kind) return undefined;
  if (a.kind === "scalar" && b.kind === "scalar") {
    return { kind: "scalar", max: allBits(Math.max(a.max, b.max)) };
  }
  if (a.kind === "frame") return { kind: "frame", offset: undefined, span: 0 };
  if (a.kind !== "value" || b.kind !== "value" || a.map !== b.map) return undefined;
  const isSame = a.offset === b.offset && a.span === b.span;
  const nullable = a.nullable || b.nullable;
  return isSame ? { ...a, nullable } : { ...a, offset: undefined, span: 0, nullable };
}

/** A pointer after a number from `from` to `from + span` was added; undefined: any number. */
function moved(
  pointer: Known | undefined,
  by: { readonly from: number; readonly span: number } | undefined,
): Known | undefined {
  if (pointer?.kind === "packet") return pointer;
  if (pointer?.kind !== "frame" && pointer?.kind !== "value") return undefined;
  const span = pointer.span + (by?.span ?? 0);
  // A null pointer that moves is no longer recognised as one.
  const isNull = pointer.kind === "value" && pointer.nullable;
  const isKnown =
    pointer.offset !== undefined && by !== undefined && span <= largestSpan && !isNull;
  if (!isKnown) return { ...pointer, offset: undefined, span: 0 };
  return { ...pointer, offset: (pointer.offset ?? 0) + by.from, span };
}

export class KnownValues {
  readonly #program: Program;
  readonly #packetOffsets: readonly number[];
  /** Whether numbers are followed too; only checks profit from them. */
  readonly #scalars: boolean;
  /** At the start of each block, by order. */
  readonly starts: KnownState[] = [];

  constructor(program: Program, blocks: readonly Block[], entry: number, scalars: boolean) {
    this.#program = program;
    this.#scalars = scalars;
    this.#packetOffsets = packetFields(program.spec.type);
    const start: KnownState = new Array(registers).fill(undefined);
    if (entry === 0 && this.#packetOffsets.length > 0) start[1] = { kind: "context" };
    this.#solve(blocks, start);
  }

  #solve(blocks: readonly Block[], start: KnownState): void {
    this.starts[0] = start;
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of blocks) {
        const before = this.starts[block.order];
        if (before === undefined) continue;
        const state = [...before];
        const last = this.#walk(block, state);
        for (const [i, target] of block.successors.entries()) {
          const refined = refine(last, state, i === 0 && block.successors.length === 2);
          if (this.#merge(target, refined)) changed = true;
        }
      }
    }
  }

  #walk(block: Block, state: KnownState): Instruction | undefined {
    let last: Instruction | undefined;
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = this.#program.insns[slot];
      if (insn === undefined) continue;
      this.step(insn, state);
      last = insn;
    }
    return last;
  }

  #merge(target: number, state: KnownState): boolean {
    const known = this.starts[target];
    if (known === undefined) {
      this.starts[target] = [...state];
      return true;
    }
    let changed = false;
    for (let r = 0; r < registers; r += 1) {
      const joined = join(known[r], state[r]);
      if (same(joined, known[r])) continue;
      known[r] = joined;
      changed = true;
    }
    return changed;
  }

  /** What a register holds; r10 is the frame's top. */
  static of(state: KnownState, register: Register): Known | undefined {
    return register === 10 ? { kind: "frame", offset: 0, span: 0 } : state[register];
  }

  /** Changes the state as an instruction does. */
  step(insn: Instruction, state: KnownState): void {
    switch (insn.kind) {
      case "alu":
        state[insn.dst] =
          (insn.width === 64 ? pointerArithmetic(insn, state) : undefined) ??
          (this.#scalars ? scalarArithmetic(insn, state) : undefined);
        break;
      case "movsx":
      case "neg":
      case "endian":
      case "load_acquire":
      case "addr_space_cast":
        state[insn.dst] = undefined;
        break;
      case "load": {
        const isContext = KnownValues.of(state, insn.base)?.kind === "context";
        const isPacket = isContext && this.#packetOffsets.includes(insn.offset);
        const isSmall = this.#scalars && !insn.signed && insn.size <= 4;
        const number = isSmall
          ? ({ kind: "scalar", max: 256 ** insn.size - 1 } as const)
          : undefined;
        state[insn.dst] = isPacket ? { kind: "packet" } : number;
        break;
      }
      case "load_imm64":
        state[insn.dst] = insn.source === 4 ? this.#function(insn) : this.#wide(insn);
        break;
      case "atomic":
        if (insn.op === "cmpxchg") state[0] = undefined;
        else if (insn.fetch) state[insn.src] = undefined;
        break;
      case "load_packet":
        state[0] = undefined;
        break;
      case "call":
        this.#call(insn, state);
        break;
      case "store":
      case "store_release":
      case "jump":
      case "branch":
      case "may_goto":
      case "exit":
      case "callx":
      case "gotox":
        break;
    }
  }

  #function(insn: Instruction & { kind: "load_imm64" }): Known {
    const distance = Number(BigInt.asIntN(32, insn.value));
    return { kind: "function", slot: this.#program.insns.indexOf(insn) + 1 + distance };
  }

  #wide(insn: Instruction & { kind: "load_imm64" }): Known | undefined {
    const map = this.#program.maps[Number(insn.value & 0xffffffffn)];
    if (map === undefined) return undefined;
    if (insn.source === 1 || insn.source === 5) return { kind: "map", map };
    if (insn.source !== 2 && insn.source !== 6) return undefined;
    return { kind: "value", map, offset: Number(insn.value >> 32n), span: 0, nullable: false };
  }

  #call(insn: Instruction & { kind: "call" }, state: KnownState): void {
    const map = state[1];
    const isLookup = insn.target === "helper" && lookupHelpers.includes(insn.imm);
    const gives =
      isLookup &&
      map?.kind === "map" &&
      (map.map instanceof ArrayMap || map.map instanceof HashMap);
    state.fill(undefined, 0, 6);
    if (gives) state[0] = { kind: "value", map: map.map, offset: 0, span: 0, nullable: true };
  }
}

type Alu = Instruction & { kind: "alu" };

function pointerArithmetic(insn: Alu, state: KnownState): Known | undefined {
  const { op, dst, src } = insn;
  const target = state[dst];
  if (src.kind === "immediate") {
    if (op === "add") return moved(target, { from: src.value, span: 0 });
    return op === "sub" ? moved(target, { from: -src.value, span: 0 }) : undefined;
  }
  const source = KnownValues.of(state, src.register);
  if (op === "mov") return source;
  if (op === "sub") return isNumber(source) ? moved(target, undefined) : undefined;
  if (op !== "add") return undefined;
  if (isNumber(source)) return moved(target, amount(source));
  return isNumber(target) ? moved(source, amount(target)) : undefined;
}

const isNumber = (known: Known | undefined): boolean =>
  known === undefined || known.kind === "scalar";

const amount = (known: Known | undefined): { from: number; span: number } | undefined =>
  known?.kind === "scalar" ? { from: 0, span: known.max } : undefined;

/** The largest number with as many bits. */
const allBits = (most: number): number =>
  most > largest ? Number.POSITIVE_INFINITY : 2 ** (32 - Math.clz32(most)) - 1;

/** The most that an operation can give, from the most that its operands can be. */
const scalarRules: Readonly<Partial<Record<Alu["op"], (a: number, b: number) => number>>> = {
  mov: (_, b) => b,
  add: (a, b) => a + b,
  and: (a, b) => Math.min(a, b),
  or: (a, b) => allBits(Math.max(a, b)),
  xor: (a, b) => allBits(Math.max(a, b)),
  mul: (a, b) => a * b,
  rsh: (a) => a,
  mod: (a, b) => Math.min(a, b),
  div: (a) => a,
};

function scalarArithmetic({ op, width, dst, src }: Alu, state: KnownState): Known | undefined {
  const most = (known: Known | undefined): number =>
    known?.kind === "scalar" ? known.max : Number.POSITIVE_INFINITY;
  const isConstant = src.kind === "immediate";
  const a = Math.min(most(state[dst]), 2 ** width - 1);
  let b = isConstant ? src.value : most(KnownValues.of(state, src.register));
  if (b < 0) b = width === 32 ? b >>> 0 : Number.POSITIVE_INFINITY;
  const scalar = (max: number): Known | undefined => {
    if (max <= largest) return { kind: "scalar", max };
    return width === 32 ? { kind: "scalar", max: largest } : undefined;
  };
  // A shift by a constant, masked as the instruction does it.
  if (op === "lsh") return scalar(isConstant ? a * 2 ** (src.value & (width - 1)) : Infinity);
  if (op === "rsh" && isConstant) return scalar(Math.floor(a / 2 ** (src.value & (width - 1))));
  // The remainder by 0 is the dividend.
  if (op === "mod") return scalar(isConstant && src.value > 0 ? Math.min(a, src.value - 1) : a);
  const rule = scalarRules[op];
  // Halves of unknown operands: only an `and` bounds them.
  if (rule === undefined) return scalar(Number.POSITIVE_INFINITY);
  const result = rule(a, b);
  return scalar(Number.isNaN(result) ? Number.POSITIVE_INFINITY : result);
}

/** What a branch tells of its register on one of its sides. */
function refine(insn: Instruction | undefined, state: KnownState, taken: boolean): KnownState {
  if (insn?.kind !== "branch" || insn.dst === 10 || insn.src.kind !== "immediate") return state;
  const known = state[insn.dst];
  const { value } = insn.src;
  let better: Known | undefined;
  if (known?.kind === "value" && known.nullable && known.offset === 0 && value === 0) {
    const isValue = (insn.op === "eq" && !taken) || (insn.op === "ne" && taken);
    if (isValue && insn.width === 64) better = { ...known, nullable: false };
  } else if (known === undefined || known.kind === "scalar") {
    // The low halves tell nothing of numbers that may have more.
    const isWhole = known !== undefined || insn.width === 64;
    const limit = value >= 0 && isWhole ? limits[insn.op]?.(value, taken) : undefined;
    if (limit !== undefined && limit >= 0 && limit < (known?.max ?? Infinity)) {
      better = { kind: "scalar", max: limit };
    }
  }
  if (better === undefined) return state;
  const refined = [...state];
  refined[insn.dst] = better;
  return refined;
}

/** The most that a register can be on a side of an unsigned comparison with a constant. */
const limits: Readonly<
  Partial<Record<JumpOp, (value: number, taken: boolean) => number | undefined>>
> = {
  lt: (value, taken) => (taken ? value - 1 : undefined),
  le: (value, taken) => (taken ? value : undefined),
  gt: (value, taken) => (taken ? undefined : value),
  ge: (value, taken) => (taken ? undefined : value - 1),
  eq: (value, taken) => (taken ? value : undefined),
  ne: (value, taken) => (taken ? undefined : value),
};
