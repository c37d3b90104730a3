/**
 * What registers are known to hold at each block's start, by forward analysis of one subprogram:
 * numbers' ranges, maps, and pointers into the frame, the context, the packet or a map's values.
 * Compiled code calls a known map's functions directly; its checked variant leaves out checks of
 * pointers with known offset, and first tries the range that a pointer without one should be in.
 * Needs blocks in reverse postorder. Loops are widened where they start; two more rounds without
 * widening and the bounds of counted loops then say how far numbers and pointers really go.
 */
import type { Instruction, JumpOp } from "../../common/isa/instruction.ts";
import { ArrayMap } from "../maps/array.ts";
import { HashMap } from "../maps/hash.ts";
import type { Program } from "../program.ts";
import { packetFields } from "../programs/contexts.ts";
import type { Block } from "./blocks.ts";
import { definedRegisters } from "./defined-registers.ts";
import { loopBounds } from "./inductions.ts";
import {
  allBits,
  joinKnown,
  type Known,
  type KnownState,
  knownOf,
  largestWord,
  meetKnown,
  movedKnown,
  registerCount,
  sameKnown,
  widenKnown,
} from "./known.ts";

/** What holds in either state; one of them itself where that is all. */
function joinStates(a: KnownState, b: KnownState): KnownState {
  if (a === b) return a;
  const joined: KnownState = [];
  for (let r = 0; r < registerCount; r += 1) joined.push(joinKnown(a[r], b[r]));
  return joined;
}

const lookupHelpers: readonly number[] = [1, 195];

export interface KnownOptions {
  /** What the function starts with. */
  readonly start: KnownState;
  /** Whether numbers are followed too; only checks profit from them. */
  readonly numbers: boolean;
}

export class KnownValues {
  readonly #program: Program;
  readonly #packetOffsets: readonly number[];
  readonly #numbers: boolean;
  #packet: boolean;
  readonly #blocks: readonly Block[];
  /** Edges into each block: the block it comes from, and which of its successors it is. */
  readonly #edges: (readonly [from: Block, index: number])[][];
  /** At the start of each block, by order. */
  readonly #starts: (KnownState | undefined)[] = [];
  readonly #ends: (readonly KnownState[] | undefined)[] = [];
  /** Copies of a block know what the block does. */
  readonly #bySlot: ReadonlyMap<number, KnownState>;

  constructor(program: Program, blocks: readonly Block[], { start, numbers }: KnownOptions) {
    this.#program = program;
    this.#numbers = numbers;
    this.#packet = start.some((known) => known?.kind === "packet");
    this.#packetOffsets = packetFields(program.spec.type);
    this.#blocks = blocks;
    this.#edges = blocks.map(() => []);
    for (const block of blocks) {
      for (const [i, to] of block.successors.entries()) this.#edges[to]?.push([block, i]);
    }
    this.#ascend(start);
    if (numbers) this.#refine(start);
    this.#bySlot = new Map(
      blocks.map((block) => [block.start, this.#starts[block.order] ?? []] as const),
    );
  }

  /** Whether some register may point to the packet. */
  get hasPacket(): boolean {
    return this.#packet;
  }

  /** Before the first instruction of the block, or of the one that it is a copy of. */
  at(block: Block): KnownState {
    return this.#bySlot.get(block.start) ?? [];
  }

  #ascend(start: KnownState): void {
    const isDirty = this.#blocks.map((_, order) => order === 0);
    for (let again = true; again; ) {
      again = false;
      for (const block of this.#blocks) {
        if (isDirty[block.order] !== true) continue;
        isDirty[block.order] = false;
        const old = this.#starts[block.order];
        const incoming = this.#incoming(block, start);
        const isHead = this.#edges[block.order]?.some(([from]) => from.order >= block.order);
        const next =
          old !== undefined && isHead
            ? old.map((each, r) => widenKnown(each, incoming[r]))
            : incoming;
        if (old?.every((each, r) => sameKnown(each, next[r]))) continue;
        this.#starts[block.order] = next;
        this.#leave(block, next);
        for (const to of block.successors) {
          isDirty[to] = true;
          again ||= to <= block.order;
        }
      }
    }
  }

  /** What holds on one of the edges into the block; its loop's bounds say more where they are given. */
  #incoming(block: Block, start: KnownState, bounds?: KnownState): KnownState {
    let joined = block.order === 0 ? start : undefined;
    for (const [from, index] of this.#edges[block.order] ?? []) {
      const state = this.#ends[from.order]?.[index];
      if (state === undefined) continue;
      joined = joined === undefined ? state : joinStates(joined, state);
    }
    const all = joined ?? [];
    return bounds === undefined ? all : all.map((known, r) => meetKnown(known, bounds[r]));
  }

  #leave(block: Block, start: KnownState): void {
    const state = [...start];
    let last: Instruction | undefined;
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = this.#program.insns[slot];
      if (insn === undefined) continue;
      this.step(insn, state);
      last = insn;
    }
    this.#ends[block.order] = block.successors.map((_, i) =>
      refine(last, state, i === 0 && block.successors.length === 2),
    );
  }

  /** Each round starts from what holds, so that what it finds holds too. */
  #refine(start: KnownState): void {
    const isLooping = this.#blocks.some((block) => block.isLoop);
    if (!isLooping) return;
    let bounds: ReadonlyMap<number, KnownState> = new Map();
    for (let round = 0; round < 4; round += 1) {
      for (const block of this.#blocks) {
        const state = this.#incoming(block, start, bounds.get(block.order));
        this.#starts[block.order] = state;
        this.#leave(block, state);
      }
      if (round === 0 || round === 2) bounds = this.#bounds(bounds);
    }
  }

  #bounds(known: ReadonlyMap<number, KnownState>): ReadonlyMap<number, KnownState> {
    return loopBounds({
      program: this.#program,
      blocks: this.#blocks,
      known,
      edges: (block) =>
        (this.#edges[block.order] ?? []).map(([from, index]) => ({
          from,
          index,
          state: this.#ends[from.order]?.[index] ?? [],
        })),
      start: (block) => this.#starts[block.order] ?? [],
      step: (insn, state) => this.step(insn, state),
    });
  }

  /** Changes the state as an instruction does. */
  step(insn: Instruction, state: KnownState): void {
    switch (insn.kind) {
      case "alu":
        state[insn.dst] =
          (insn.width === 64 ? pointerArithmetic(insn, state) : undefined) ??
          (this.#numbers ? scalarArithmetic(insn, state) : undefined);
        break;
      case "load": {
        const base = knownOf(state, insn.base);
        const isPacket =
          base?.kind === "context" && this.#packetOffsets.includes(base.offset + insn.offset);
        const isSmall = this.#numbers && !insn.signed && insn.size <= 4;
        const number = isSmall
          ? ({ kind: "scalar", min: 0, max: 256 ** insn.size - 1 } as const)
          : undefined;
        this.#packet ||= isPacket;
        state[insn.dst] = isPacket ? { kind: "packet" } : number;
        break;
      }
      case "load_imm64":
        state[insn.dst] = insn.source === 4 ? this.#function(insn) : this.#wide(insn);
        break;
      case "call":
        this.#call(insn, state);
        break;
      case "movsx":
      case "neg":
      case "endian":
      case "load_acquire":
      case "addr_space_cast":
      case "atomic":
      case "load_packet":
      case "store":
      case "store_release":
      case "jump":
      case "branch":
      case "may_goto":
      case "exit":
      case "callx":
      case "gotox":
        for (const register of definedRegisters(insn)) state[register] = undefined;
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
    if (op === "add") return movedKnown(target, { from: src.value, span: 0 });
    return op === "sub" ? movedKnown(target, { from: -src.value, span: 0 }) : undefined;
  }
  const source = knownOf(state, src.register);
  if (op === "mov") return source;
  if (op === "sub") return isNumber(source) ? movedKnown(target, undefined) : undefined;
  if (op !== "add") return undefined;
  if (isNumber(source)) return movedKnown(target, amount(source));
  return isNumber(target) ? movedKnown(source, amount(target)) : undefined;
}

const isNumber = (known: Known | undefined): boolean =>
  known === undefined || known.kind === "scalar";

const amount = (known: Known | undefined): { from: number; span: number } | undefined =>
  known?.kind === "scalar" ? { from: known.min, span: known.max - known.min } : undefined;

interface Range {
  readonly min: number;
  readonly max: number;
}

const anything: Range = { min: 0, max: Number.POSITIVE_INFINITY };

/** What an operation can give, from what its operands can be; no result wraps that is in range. */
const rangeRules: Readonly<Partial<Record<Alu["op"], (a: Range, b: Range) => Range>>> = {
  mov: (_, b) => b,
  add: (a, b) => ({ min: a.min + b.min, max: a.max + b.max }),
  and: (a, b) => ({ min: 0, max: Math.min(a.max, b.max) }),
  or: (a, b) => ({ min: Math.max(a.min, b.min), max: allBits(Math.max(a.max, b.max)) }),
  xor: (a, b) => ({ min: 0, max: allBits(Math.max(a.max, b.max)) }),
  mul: (a, b) => ({ min: a.min * b.min, max: a.max * b.max }),
  sub: (a, b) => (a.min >= b.max ? { min: a.min - b.max, max: a.max - b.min } : anything),
  rsh: (a) => ({ min: 0, max: a.max }),
  mod: (a) => ({ min: 0, max: a.max }),
  div: (a) => ({ min: 0, max: a.max }),
};

/** Operations by a constant. */
const constantRules: Readonly<Partial<Record<Alu["op"], (a: Range, by: number) => Range>>> = {
  lsh: ({ min, max }, by) => ({ min: min * 2 ** by, max: max * 2 ** by }),
  rsh: ({ min, max }, by) => ({ min: Math.floor(min / 2 ** by), max: Math.floor(max / 2 ** by) }),
  // The remainder by 0 is the dividend.
  mod: ({ max }, by) => ({ min: 0, max: by > 0 ? Math.min(max, by - 1) : max }),
  div: ({ min, max }, by) =>
    by > 0 ? { min: Math.floor(min / by), max: Math.floor(max / by) } : { min: 0, max },
};

function scalarArithmetic({ op, width, dst, src }: Alu, state: KnownState): Known | undefined {
  const most = 2 ** width - 1;
  const rangeOf = (known: Known | undefined): Range =>
    known?.kind === "scalar" ? known : { min: 0, max: most };
  const isShift = op === "lsh" || op === "rsh";
  // What subtracts a constant is mostly written as an addition.
  if (op === "add" && src.kind === "immediate" && src.value < 0) {
    const by = { kind: "immediate", value: -src.value } as const;
    return scalarArithmetic({ kind: "alu", op: "sub", width, dst, src: by }, state);
  }
  let b: Range;
  if (src.kind === "register") b = rangeOf(knownOf(state, src.register));
  else {
    const value = src.value < 0 && width === 32 ? src.value >>> 0 : src.value;
    // As the instruction masks it.
    const amount = isShift ? src.value & (width - 1) : value;
    b = amount >= 0 ? { min: amount, max: amount } : { min: 0, max: most };
  }
  const a = rangeOf(state[dst]);
  const rule = b.min === b.max ? constantRules[op] : undefined;
  const general = rangeRules[op];
  let range = anything;
  if (rule !== undefined) range = rule(a, b.min);
  else if (general !== undefined) range = general(a, b);
  if (range.max <= largestWord) return { kind: "scalar", min: range.min, max: range.max };
  return width === 32 ? { kind: "scalar", min: 0, max: largestWord } : undefined;
}

/** What a branch tells of its register on one of its sides. */
function refine(insn: Instruction | undefined, state: KnownState, taken: boolean): KnownState {
  if (insn?.kind !== "branch" || insn.dst === 10) return state;
  const known = state[insn.dst];
  const value = insn.src.kind === "immediate" ? insn.src.value : undefined;
  const constant = value !== undefined && value >= 0 ? exactly(value) : undefined;
  const compared = insn.src.kind === "register" ? knownOf(state, insn.src.register) : undefined;
  const other = compared?.kind === "scalar" ? compared : constant;
  let better: Known | undefined;
  if (known?.kind === "value" && known.nullable && known.offset === 0 && value === 0) {
    const isValue = (insn.op === "eq" && !taken) || (insn.op === "ne" && taken);
    if (isValue && insn.width === 64) better = { ...known, nullable: false };
  } else if (known === undefined || known.kind === "scalar") {
    // The low halves tell nothing of numbers that may have more.
    const isWhole = known !== undefined || insn.width === 64;
    const limit = other === undefined || !isWhole ? undefined : limits[insn.op]?.(other, taken);
    if (limit !== undefined) {
      const min = Math.max(limit.min, known?.min ?? 0);
      const max = Math.min(limit.max, known?.max ?? Number.POSITIVE_INFINITY);
      // An empty range is of a side that is never taken.
      if (min <= max && max <= largestWord) better = { kind: "scalar", min, max };
    }
  }
  if (better === undefined) return state;
  const refined = [...state];
  refined[insn.dst] = better;
  return refined;
}

const below = (max: number): Range => ({ min: 0, max });
const above = (min: number): Range => ({ min, max: Number.POSITIVE_INFINITY });
const exactly = (value: number): Range => ({ min: value, max: value });

/** What a register can be on a side of an unsigned comparison. */
const limits: Readonly<
  Partial<Record<JumpOp, (other: Range, taken: boolean) => Range | undefined>>
> = {
  lt: ({ min, max }, taken) => (taken ? below(max - 1) : above(min)),
  le: ({ min, max }, taken) => (taken ? below(max) : above(min + 1)),
  gt: ({ min, max }, taken) => (taken ? above(min + 1) : below(max)),
  ge: ({ min, max }, taken) => (taken ? above(min) : below(max - 1)),
  eq: (other, taken) => (taken ? other : undefined),
  ne: (other, taken) => (taken ? undefined : other),
};
