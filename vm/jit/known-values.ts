/**
 * What registers are known to hold at each block's start, by forward analysis of one subprogram:
 * maps, and pointers into the frame, the packet or a map's values. Compiled code calls a known map's
 * functions directly; its checked variant leaves out checks of pointers with known offset, and first
 * tries the range that a pointer with unknown offset should be in. What is said of maps, and of
 * pointers with an offset, is certain whatever the program does; the rest is a guess.
 */
import type { Instruction, Register } from "../../common/isa/instruction.ts";
import { ArrayMap } from "../maps/array.ts";
import { HashMap } from "../maps/hash.ts";
import type { BpfMap } from "../maps/map.ts";
import type { Program } from "../program.ts";
import { packetFields } from "../programs/contexts.ts";
import type { Block } from "./blocks.ts";

export type Known =
  | { readonly kind: "map"; readonly map: BpfMap }
  /** Offset from r10. */
  | { readonly kind: "frame"; readonly offset: number | undefined }
  /** Perhaps the context, as the program was entered with it. */
  | { readonly kind: "context" }
  | { readonly kind: "packet" }
  | {
      readonly kind: "value";
      readonly map: BpfMap;
      /** From the value's start. */
      readonly offset: number | undefined;
      readonly nullable: boolean;
    };

/** By register; r10 is not in it. */
export type KnownState = (Known | undefined)[];

const registers = 10;
const lookupHelpers: readonly number[] = [1, 195];

function same(a: Known | undefined, b: Known | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined || a.kind !== b.kind) return false;
  if (a.kind === "map") return b.kind === "map" && a.map === b.map;
  if (a.kind === "frame") return b.kind === "frame" && a.offset === b.offset;
  if (a.kind !== "value") return true;
  return (
    b.kind === "value" && a.map === b.map && a.offset === b.offset && a.nullable === b.nullable
  );
}

function join(a: Known | undefined, b: Known | undefined): Known | undefined {
  if (same(a, b)) return a;
  if (a === undefined || b === undefined || a.kind !== b.kind) return undefined;
  if (a.kind === "frame") return { kind: "frame", offset: undefined };
  if (a.kind !== "value" || b.kind !== "value" || a.map !== b.map) return undefined;
  const offset = a.offset === b.offset ? a.offset : undefined;
  return { kind: "value", map: a.map, offset, nullable: a.nullable || b.nullable };
}

/** A pointer after an addition; the amount is undefined where it is not a constant. */
function moved(pointer: Known | undefined, amount: number | undefined): Known | undefined {
  if (pointer === undefined || pointer.kind === "map" || pointer.kind === "context")
    return undefined;
  if (pointer.kind === "packet" || amount === 0) return pointer;
  const { offset } = pointer;
  const sum = offset === undefined || amount === undefined ? undefined : offset + amount;
  if (pointer.kind === "frame") return { kind: "frame", offset: sum };
  // A null pointer that moves is no longer recognised as one.
  return { ...pointer, offset: pointer.nullable ? undefined : sum };
}

export class KnownValues {
  readonly #program: Program;
  readonly #packetOffsets: readonly number[];
  /** At the start of each block, by order. */
  readonly starts: KnownState[] = [];

  constructor(program: Program, blocks: readonly Block[], entry: number) {
    this.#program = program;
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
    return register === 10 ? { kind: "frame", offset: 0 } : state[register];
  }

  /** Changes the state as an instruction does. */
  step(insn: Instruction, state: KnownState): void {
    switch (insn.kind) {
      case "alu":
        state[insn.dst] = insn.width === 64 ? arithmetic(insn, state) : undefined;
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
        state[insn.dst] = isPacket ? { kind: "packet" } : undefined;
        break;
      }
      case "load_imm64":
        state[insn.dst] = this.#wide(insn);
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

  #wide(insn: Instruction & { kind: "load_imm64" }): Known | undefined {
    const map = this.#program.maps[Number(insn.value & 0xffffffffn)];
    if (map === undefined) return undefined;
    if (insn.source === 1 || insn.source === 5) return { kind: "map", map };
    if (insn.source !== 2 && insn.source !== 6) return undefined;
    return { kind: "value", map, offset: Number(insn.value >> 32n), nullable: false };
  }

  #call(insn: Instruction & { kind: "call" }, state: KnownState): void {
    const map = state[1];
    const isLookup = insn.target === "helper" && lookupHelpers.includes(insn.imm);
    const gives =
      isLookup &&
      map?.kind === "map" &&
      (map.map instanceof ArrayMap || map.map instanceof HashMap);
    state.fill(undefined, 0, 6);
    if (gives) state[0] = { kind: "value", map: map.map, offset: 0, nullable: true };
  }
}

function arithmetic(insn: Instruction & { kind: "alu" }, state: KnownState): Known | undefined {
  const { op, dst, src } = insn;
  const target = state[dst];
  if (src.kind === "immediate") {
    if (op === "add") return moved(target, src.value);
    return op === "sub" ? moved(target, -src.value) : undefined;
  }
  const source = KnownValues.of(state, src.register);
  if (op === "mov") return source;
  if (op === "add") {
    if (target !== undefined && source !== undefined) return undefined;
    return target === undefined ? moved(source, undefined) : moved(target, undefined);
  }
  return op === "sub" && source === undefined ? moved(target, undefined) : undefined;
}

/** After a comparison with 0, on the side where it is not 0, a value is not null. */
function refine(insn: Instruction | undefined, state: KnownState, taken: boolean): KnownState {
  if (insn?.kind !== "branch" || insn.width !== 64 || insn.dst === 10) return state;
  if (insn.src.kind !== "immediate" || insn.src.value !== 0) return state;
  const known = state[insn.dst];
  const isValue = (insn.op === "eq" && !taken) || (insn.op === "ne" && taken);
  if (!isValue || known?.kind !== "value" || !known.nullable || known.offset !== 0) return state;
  const refined = [...state];
  refined[insn.dst] = { ...known, nullable: false };
  return refined;
}
