/**
 * Frame memory that can be locals: what a function whose frame's address goes nowhere keeps there,
 * at offsets that are always accessed with the same size. Programs that are not verified may come to
 * their frame by made-up addresses all the same: their code keeps memory and locals alike.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import type { Program } from "../program.ts";
import type { Block } from "./blocks.ts";

export interface FrameLocal {
  readonly size: number;
  /** Counted from 0. */
  readonly index: number;
}

/** More would only be spilled by the engine. */
const mostLocals = 48;

/** Whether an instruction uses r10 for more than a load or a store. */
function takesFrame(insn: Instruction): boolean {
  switch (insn.kind) {
    case "alu":
    case "branch":
      return insn.dst === 10 || (insn.src.kind === "register" && insn.src.register === 10);
    case "movsx":
    case "addr_space_cast":
      return insn.src === 10;
    case "store":
      return insn.src.kind === "register" && insn.src.register === 10;
    case "store_release":
      return insn.src === 10 || insn.base === 10;
    case "atomic":
      return insn.src === 10 || insn.base === 10;
    case "load_acquire":
      return insn.base === 10;
    default:
      return false;
  }
}

/** By offset from r10; none where the frame's address is used otherwise. */
export function frameLocals(
  program: Program,
  blocks: readonly Block[],
  stackSize: number,
): ReadonlyMap<number, FrameLocal> {
  const sizes = new Map<number, Set<number>>();
  for (const { start, end } of blocks) {
    for (let slot = start; slot < end; slot += 1) {
      const insn = program.insns[slot];
      if (insn === undefined) continue;
      if (takesFrame(insn)) return new Map();
      if ((insn.kind !== "load" && insn.kind !== "store") || insn.base !== 10) continue;
      const known = sizes.get(insn.offset) ?? new Set();
      sizes.set(insn.offset, known.add(insn.size));
    }
  }
  const accesses = [...sizes].flatMap(([offset, set]) =>
    [...set].map((size) => ({ offset, size })),
  );
  accesses.sort((a, b) => a.offset - b.offset || a.size - b.size);
  const result = new Map<number, FrameLocal>();
  let reached = Number.NEGATIVE_INFINITY;
  for (const [i, { offset, size }] of accesses.entries()) {
    const next = accesses[i + 1]?.offset ?? Number.POSITIVE_INFINITY;
    const isInside = offset >= -stackSize && offset + size <= 0;
    const isApart = isInside && offset >= reached && offset + size <= next;
    reached = Math.max(reached, offset + size);
    if (isApart && result.size < mostLocals) result.set(offset, { size, index: result.size });
  }
  return result;
}
