/**
 * Loop versioning: of a small loop within another that asks in each round what does not change in it, a second copy
 * is made, and the question is asked once, before both. Each copy does one thing then, and may be small enough
 * to be unrolled. Needs: reachable blocks. Leaves jumps to jumps behind.
 */
import {
  findLoops,
  innermostLoops,
  type Loop,
  predecessors,
  removeUnreachableBlocks,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  computeUses,
  createInstruction,
  makeJump,
  phisOf,
  removeIncoming,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import { cloneBlocks, sizeOf } from "./clone-blocks.ts";
import { Demotion, usesOutside } from "./demote-values.ts";
import type { FunctionPass } from "./pass.ts";
import { preheader, soleEntry } from "./preheader.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { copyInto, isCopyable } from "./unswitch-loops.ts";
import { countInstructions, type InstructionOf, isOp, operand } from "./values.ts";

export const versionLoops: FunctionPass = {
  kind: "function",
  name: "version-loops",
  run(fn, { options }) {
    if (options.level !== "2" && options.level !== "3") return false;
    let changed = false;
    for (let round = 0; round < mostVersions; round += 1) {
      if (!versionOne(fn)) break;
      changed = true;
    }
    return changed;
  },
};

/** Copies that are made in one function, and what is looked at. */
const mostVersions = 4;
const mostInstructions = 4000;
/** Instructions of a loop that is worth a copy, and steps that its question is computed in. */
const largestLoop = 24;
const mostDepth = 3;

function versionOne(fn: IrFunction): boolean {
  const loops = findLoops(fn);
  const inner = innermostLoops(loops).filter((loop) => loop.parent !== undefined);
  if (inner.length === 0 || countInstructions(fn) > mostInstructions) return false;
  const preds = predecessors(fn);
  for (const loop of inner) {
    if (sizeOf(loop.blocks) > largestLoop || loop.header.unroll !== undefined) continue;
    const entry = soleEntry(loop, preds);
    if (entry === undefined) continue;
    const question = findQuestion(loop);
    if (question === undefined) continue;
    version(fn, loop, preheader(fn, entry, loop.header), question);
    return true;
  }
  return false;
}

/** A branch between two ways through the loop that is the same in each round. */
function findQuestion(loop: Loop): InstructionOf<"condbr"> | undefined {
  let found: InstructionOf<"condbr"> | undefined;
  for (const block of loop.blocks) {
    for (const each of block.instructions) {
      if (isOp(each, "call") || isOp(each, "asm") || isOp(each, "asm_goto")) return undefined;
    }
    const branch = terminatorOf(block);
    if (!isOp(branch, "condbr") || found !== undefined) continue;
    const { then, otherwise } = branch.operation;
    if (then === otherwise || !loop.blocks.has(then) || !loop.blocks.has(otherwise)) continue;
    if (isCopyable(operand(branch, 0), loop, mostDepth)) found = branch;
  }
  return found;
}

function version(
  fn: IrFunction,
  loop: Loop,
  front: Block,
  question: InstructionOf<"condbr">,
): void {
  const uses = computeUses(fn);
  const demotion = new Demotion(fn);
  for (const [value, list] of usesOutside(loop.blocks, uses)) demotion.demote(value, list);
  demotion.apply();
  const blocks = fn.blocks.filter((block) => loop.blocks.has(block));
  const values = new Map<Value, Value>();
  const map = new Map<Block, Block>();
  const made = cloneBlocks(fn, blocks, { values, blocks: map, location: (at) => at });
  shareExits(loop, values, map);
  fn.blocks.splice(fn.blocks.indexOf(blocks.at(-1) as Block) + 1, 0, ...made);
  const { then, otherwise } = question.operation;
  const copy = values.get(question) as InstructionOf<"condbr">;
  const condition = copyInto(fn, front, operand(question, 0), loop);
  front.instructions = front.instructions.filter((each) => !isOp(each, "br"));
  const second = map.get(loop.header) as Block;
  const split = { ...question.operation, then: loop.header, otherwise: second };
  front.instructions.push(
    createInstruction(fn, front, "void", split, [condition], question.location),
  );
  goOneWay(question, then, otherwise);
  goOneWay(copy, map.get(otherwise) as Block, map.get(then) as Block);
  removeUnreachableBlocks(fn);
  promoteAllocas(fn);
}

/** What phis outside take from the loop, they take from its copy too. */
function shareExits(
  loop: Loop,
  values: ReadonlyMap<Value, Value>,
  map: ReadonlyMap<Block, Block>,
): void {
  const seen = new Set<IrInstruction>();
  for (const block of loop.blocks) {
    const branch = terminatorOf(block);
    if (!isOp(branch, "condbr")) continue;
    for (const exit of [branch.operation.then, branch.operation.otherwise]) {
      if (loop.blocks.has(exit)) continue;
      for (const phi of phisOf(exit)) {
        if (phi.operation.op !== "phi" || seen.has(phi)) continue;
        seen.add(phi);
        for (const [at, from] of [...phi.operation.incoming.entries()]) {
          if (!loop.blocks.has(from)) continue;
          const value = phi.operands[at] as Value;
          phi.operation.incoming.push(map.get(from) as Block);
          phi.operands.push(values.get(value) ?? value);
        }
      }
    }
  }
}

function goOneWay(branch: IrInstruction, target: Block, other: Block): void {
  removeIncoming(other, branch.block);
  makeJump(branch, target);
}
