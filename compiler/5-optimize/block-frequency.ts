/**
 * How often blocks run for one run of their function, guessed from its text, as clang guesses it: pointers
 * are seldom null and seldom equal, numbers seldom 0 or negative, what a loop tests mostly keeps it going.
 */
import { findLoops, type Loop, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { signedValue, successors, terminatorOf } from "../4-lower/ir-builder.ts";
import { isBinary, isOp, operand } from "./values.ts";

/** Rounds of a loop whose number is not known, and the part of them that goes on. */
const rounds = 32;
const goesOn = 1 - 1 / rounds;
/** A guess that is better than none. */
const likely = 20 / 32;
/** The programmer said so. */
const expected = 2000 / 2001;

/** Rounds of a loop count as `rounds`, whatever its number of ways out. */
export function blockFrequencies(fn: IrFunction): ReadonlyMap<Block, number> {
  const loops = findLoops(fn);
  const innermost = new Map<Block, Loop>();
  for (const loop of loops) for (const block of loop.blocks) innermost.set(block, loop);
  const headers = new Set(loops.map(({ header }) => header));
  const frequencies = new Map<Block, number>();
  const [entry] = fn.blocks;
  if (entry !== undefined) frequencies.set(entry, 1);
  for (const block of reversePostOrder(fn)) {
    const frequency = (frequencies.get(block) ?? 0) * (headers.has(block) ? rounds : 1);
    frequencies.set(block, frequency);
    for (const [next, part] of waysOf(block, innermost.get(block))) {
      // A way back is counted in the header's rounds.
      if (isWayBack(block, next, innermost)) continue;
      frequencies.set(next, (frequencies.get(next) ?? 0) + frequency * part);
    }
  }
  return frequencies;
}

function isWayBack(from: Block, to: Block, innermost: ReadonlyMap<Block, Loop>): boolean {
  for (let loop = innermost.get(from); loop !== undefined; loop = loop.parent) {
    if (loop.header === to) return true;
  }
  return false;
}

/** Each way out of a block with the part of its runs that takes it. */
function waysOf(block: Block, loop: Loop | undefined): [Block, number][] {
  const last = terminatorOf(block);
  if (last?.operation.op !== "condbr") {
    const next = successors(block);
    return next.map((each) => [each, 1 / next.length]);
  }
  const { then, otherwise } = last.operation;
  const part = partOfThen(last, loop);
  return [
    [then, part],
    [otherwise, 1 - part],
  ];
}

function partOfThen(branch: IrInstruction, loop: Loop | undefined): number {
  const { operation } = branch;
  if (operation.op !== "condbr") return 1;
  if (operation.likely !== undefined) return operation.likely ? expected : 1 - expected;
  const [stays, leaves] = [operation.then, operation.otherwise].map(
    (next) => loop === undefined || loop.blocks.has(next),
  );
  if (stays !== leaves) return stays ? goesOn : 1 - goesOn;
  return partThatHolds(operand(branch, 0));
}

/** `true`: the comparison with this constant mostly holds. */
const mostly: ReadonlyMap<string, boolean> = new Map([
  ["eq 0", false],
  ["ne 0", true],
  ["slt 0", false],
  ["sgt 0", true],
  ["eq -1", false],
  ["ne -1", true],
  ["sgt -1", true],
  ["slt 1", false],
]);

function partThatHolds(condition: Value): number {
  if (!isOp(condition, "icmp")) return 1 / 2;
  const { predicate } = condition.operation;
  const [a, b] = condition.operands;
  if (a?.type === "ptr") {
    if (predicate !== "eq" && predicate !== "ne") return 1 / 2;
    return predicate === "ne" ? likely : 1 - likely;
  }
  if (b?.kind !== "constant" || isSingleBit(a)) return 1 / 2;
  const holds = mostly.get(`${predicate} ${signedValue(b)}`);
  if (holds === undefined) return 1 / 2;
  return holds ? likely : 1 - likely;
}

/** Flags are set as often as not. */
function isSingleBit(value: Value | undefined): boolean {
  if (!isBinary(value, "and")) return false;
  const mask = operand(value, 1);
  return mask.kind === "constant" && (mask.value & (mask.value - 1n)) === 0n;
}
