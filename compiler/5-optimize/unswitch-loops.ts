/**
 * Loop unswitching, where it copies nothing: a test of what does not change in a loop, that leaves the
 * loop, is made once before it. Only tests that the first round reaches before it does anything else:
 * whether they are made early makes no difference then, and what they say of a value (a bound, that a
 * pointer is not null) holds in the loop as before.
 * Needs: reachable blocks. Leaves jumps to jumps and equal computations behind.
 */
import { findLoops, type Loop, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  successors,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import { foldComparison } from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { soleEntry } from "./preheader.ts";
import {
  type InstructionOf,
  instructionsOf,
  isConstantOffset,
  isOp,
  isPure,
  operand,
} from "./values.ts";

export const unswitchLoops: FunctionPass = {
  kind: "function",
  name: "unswitch-loops",
  run(fn) {
    let changed = false;
    for (let round = 0; round < mostRounds; round += 1) {
      if (!unswitchOne(fn)) return changed;
      changed = true;
    }
    return changed;
  },
};

/** Loops that are changed in one run; the graph is analysed anew after each. */
const mostRounds = 16;
/** Blocks of a loop that are looked at, and instructions that one test is made of. */
const mostBlocks = 8;
const mostDepth = 3;

/** Inner loops first: a test that leaves one may then leave the loop around it. */
function unswitchOne(fn: IrFunction): boolean {
  const loops = findLoops(fn);
  if (loops.length === 0) return false;
  const preds = predecessors(fn);
  for (const loop of loops.toReversed()) {
    const entry = soleEntry(loop, preds);
    if (entry === undefined || successors(entry).filter(isHeaderOf(loop)).length > 1) continue;
    const tests = findTests(fn, loop, entry, preds);
    if (tests.length === 0) continue;
    moveTests(fn, loop, entry, tests);
    return true;
  }
  return false;
}

const isHeaderOf =
  ({ header }: Loop) =>
  (block: Block): boolean =>
    block === header;

interface LoopTest {
  readonly block: Block;
  readonly branch: InstructionOf<"condbr">;
  readonly inside: Block;
  readonly outside: Block;
}

/** Follows the first round until it has an effect or its way cannot be told. */
function findTests(
  fn: IrFunction,
  loop: Loop,
  entry: Block,
  preds: ReadonlyMap<Block, readonly Block[]>,
): LoopTest[] {
  const tests: LoopTest[] = [];
  let block = loop.header;
  for (let step = 0; step < mostBlocks; step += 1) {
    const branch = terminatorOf(block);
    if (!block.instructions.every((each) => each === branch || isHarmless(each))) break;
    if (!isOp(branch, "condbr")) break;
    const { then, otherwise } = branch.operation;
    const [inside, outside] = loop.blocks.has(then) ? [then, otherwise] : [otherwise, then];
    if (!loop.blocks.has(inside) || loop.blocks.has(outside)) break;
    const condition = operand(branch, 0);
    if (isCopyable(condition, loop, mostDepth)) {
      const test = { block, branch, inside, outside };
      if (!canLeaveEarly(fn, loop, test)) break;
      tests.push(test);
    } else if (firstOutcome(condition, loop, entry) !== (inside === then)) break;
    if (preds.get(inside)?.length !== 1) break;
    block = inside;
  }
  return tests;
}

function isHarmless(instruction: IrInstruction): boolean {
  const { operation } = instruction;
  if (operation.op === "load") return !operation.volatile;
  return operation.op === "phi" || isPure(instruction);
}

function isInvariant(value: Value, loop: Loop): boolean {
  return value.kind !== "instruction" || !loop.blocks.has(value.block);
}

/**
 * Whether a condition is the same in each round and can be computed again in front of the loop. A sum of
 * pointer and variable cannot: to the verifier it would be another pointer.
 */
export function isCopyable(value: Value, loop: Loop, depth: number): boolean {
  if (value.kind !== "instruction" || !loop.blocks.has(value.block)) return true;
  const { op } = value.operation;
  const isPlain =
    op === "icmp" || op === "binary" || op === "zext" || op === "sext" || op === "trunc";
  if (depth === 0 || !(isPlain || isConstantOffset(value))) return false;
  return value.operands.every((each) => isCopyable(each, loop, depth - 1));
}

/** What a comparison of counters gives in the first round. */
function firstOutcome(condition: Value, loop: Loop, entry: Block): boolean | undefined {
  if (!isOp(condition, "icmp")) return undefined;
  const [a, b] = condition.operands.map((each) => firstValue(each, loop, entry));
  if (a?.kind !== "constant" || b?.kind !== "constant") return undefined;
  return foldComparison(condition.operation.predicate, a, b).value === 1n;
}

/** A value as it is when the loop is entered. */
function firstValue(value: Value, loop: Loop, entry: Block): Value | undefined {
  if (isInvariant(value, loop)) return value;
  if (!isOp(value, "phi") || value.block !== loop.header) return undefined;
  return operand(value, value.operation.incoming.indexOf(entry));
}

/** Behind the way out nothing may ask for values that the loop has not computed then. */
function canLeaveEarly(fn: IrFunction, loop: Loop, { block, outside }: LoopTest): boolean {
  for (const phi of phisOf(outside)) {
    if (phi.operation.op !== "phi") continue;
    const value = operand(phi, phi.operation.incoming.indexOf(block));
    const isFirst = isOp(value, "phi") && value.block === loop.header;
    if (!isInvariant(value, loop) && !isFirst) return false;
  }
  const reached = reachedFrom(outside);
  for (const user of instructionsOf(fn)) {
    if (loop.blocks.has(user.block)) continue;
    const { operation } = user;
    for (const [at, value] of user.operands.entries()) {
      if (isInvariant(value, loop)) continue;
      const place = operation.op === "phi" ? (operation.incoming[at] as Block) : user.block;
      if (!loop.blocks.has(place) && reached.has(place)) return false;
    }
  }
  return true;
}

function reachedFrom(start: Block): Set<Block> {
  const seen = new Set([start]);
  for (const block of seen) for (const next of successors(block)) seen.add(next);
  return seen;
}

function moveTests(fn: IrFunction, loop: Loop, entry: Block, tests: readonly LoopTest[]): void {
  const { header } = loop;
  const made: Block[] = [];
  let last = entry;
  for (const { block, branch, inside, outside } of tests) {
    const early = createBlock(fn, undefined, true);
    const condition = copyInto(fn, early, operand(branch, 0), loop);
    const { then, otherwise } = branch.operation;
    const operation = {
      ...branch.operation,
      then: then === inside ? header : outside,
      otherwise: otherwise === inside ? header : outside,
    };
    early.instructions.push(
      createInstruction(fn, early, "void", operation, [condition], branch.location),
    );
    redirectSuccessor(last, header, early);
    for (const phi of phisOf(outside)) {
      if (phi.operation.op !== "phi") continue;
      const at = phi.operation.incoming.indexOf(block);
      phi.operands[at] = firstValue(operand(phi, at), loop, last) as Value;
      phi.operation.incoming[at] = early;
    }
    for (const phi of phisOf(header)) {
      if (phi.operation.op !== "phi") continue;
      phi.operation.incoming[phi.operation.incoming.indexOf(last)] = early;
    }
    block.instructions.pop();
    block.instructions.push(
      createInstruction(fn, block, "void", { op: "br", target: inside }, [], branch.location),
    );
    made.push(early);
    last = early;
  }
  fn.blocks.splice(fn.blocks.indexOf(header), 0, ...made);
}

/** Computes such a value there. */
export function copyInto(fn: IrFunction, block: Block, value: Value, loop: Loop): Value {
  if (value.kind !== "instruction" || !loop.blocks.has(value.block)) return value;
  const operands = value.operands.map((each) => copyInto(fn, block, each, loop));
  const { type, operation, location } = value;
  const made = createInstruction(fn, block, type, { ...operation }, operands, location);
  block.instructions.push(made);
  return made;
}
