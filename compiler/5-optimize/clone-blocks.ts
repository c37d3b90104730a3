/** Copies blocks, for inlining and unrolling. */
import type {
  Block,
  DebugLocation,
  IrFunction,
  IrInstruction,
  Operation,
  Value,
} from "../4-lower/ir.ts";
import { createBlock, createInstruction } from "../4-lower/ir-builder.ts";

export interface CloneMaps {
  /** Values of the original and what stands for them; the clone's instructions are added. */
  readonly values: Map<Value, Value>;
  /** Likewise for blocks; those not in it are outside and stay as they are. */
  readonly blocks: Map<Block, Block>;
  readonly location: (location: DebugLocation | undefined) => DebugLocation | undefined;
}

/** Copies `blocks` into `fn`; the new blocks are returned, not added. Operands outside stay. */
export function cloneBlocks(fn: IrFunction, blocks: readonly Block[], maps: CloneMaps): Block[] {
  const made = blocks.map((block) => {
    const copy = createBlock(fn, block.name, true);
    if (block.unroll !== undefined) copy.unroll = block.unroll;
    maps.blocks.set(block, copy);
    return copy;
  });
  for (const [at, block] of blocks.entries()) {
    const copy = made[at] as Block;
    for (const each of block.instructions) {
      const clone = createInstruction(fn, copy, each.type, each.operation, each.operands);
      clone.location = maps.location(each.location);
      if (each.name !== undefined) clone.name = each.name;
      copy.instructions.push(clone);
      maps.values.set(each, clone);
    }
  }
  const block = (from: Block): Block => maps.blocks.get(from) ?? from;
  for (const copy of made) {
    for (const each of copy.instructions) {
      each.operation = cloneOperation(each.operation, block);
      for (const [at, value] of each.operands.entries()) {
        each.operands[at] = maps.values.get(value) ?? value;
      }
    }
  }
  return made;
}

/** A copy that shares nothing that can change, with its blocks replaced. */
export function cloneOperation(operation: Operation, block: (from: Block) => Block): Operation {
  switch (operation.op) {
    case "phi":
      return { op: "phi", incoming: operation.incoming.map(block) };
    case "br":
      return { op: "br", target: block(operation.target) };
    case "condbr":
      return { ...operation, then: block(operation.then), otherwise: block(operation.otherwise) };
    case "switch":
      return {
        op: "switch",
        cases: operation.cases.map(({ value, target }) => ({ value, target: block(target) })),
        fallback: block(operation.fallback),
      };
    case "asm_goto":
      return { ...operation, next: block(operation.next), labels: operation.labels.map(block) };
    default:
      return { ...operation };
  }
}

/** Puts `location`, which is in an inlined function, below the call at `site`. */
export function inlineLocation(
  location: DebugLocation,
  site: DebugLocation | undefined,
): DebugLocation {
  if (site === undefined) return location;
  const { inlinedAt } = location;
  return {
    ...location,
    inlinedAt: inlinedAt === undefined ? site : inlineLocation(inlinedAt, site),
  };
}

/** The instructions of all blocks, for counting. */
export function sizeOf(blocks: Iterable<Block>): number {
  let size = 0;
  for (const block of blocks) size += block.instructions.filter(isCounted).length;
  return size;
}

const free: ReadonlySet<string> = new Set([
  "phi",
  "alloca",
  "br",
  "ptrtoint",
  "inttoptr",
  "trunc",
  "lifetime_start",
  "lifetime_end",
  "constant_p",
]);

/** Costs an instruction on BPF, as a rule of thumb. */
export function isCounted(instruction: IrInstruction): boolean {
  return !free.has(instruction.operation.op);
}
