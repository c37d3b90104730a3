/**
 * In a loop, a way around arithmetic that would change nothing is not taken: `if (x > 0xffff)
 * x = (x & 0xffff) + (x >> 16)` gives x by itself if x is small. The kernel's verifier goes both ways in every
 * round, and forgets states that many rounds did not meet, so that a thousand rounds with a few such tests are more than it looks at.
 * Outside of loops the test stays: it is mostly cheaper than what it spares.
 * Needs: comparisons in their usual form (combine). Leaves blocks that one jump leads to (simplify-cfg).
 */
import { findLoops, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  makeJump,
  phisOf,
  removeIncoming,
  sameValue,
  terminatorOf,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { isBinary, isOp, isPure, operand } from "./values.ts";

/** Instructions that are then run in every round. */
const mostInstructions = 5;

export const dropNeedlessTests: FunctionPass = {
  kind: "function",
  name: "drop-needless-tests",
  run(fn) {
    const tests = fn.blocks.flatMap((block) => sizeTestOf(block) ?? []);
    if (tests.length === 0) return false;
    const inLoops = new Set(findLoops(fn).flatMap((loop) => [...loop.blocks]));
    const found = tests.filter(({ block }) => inLoops.has(block));
    return found.length > 0 && dropFrom(fn, found);
  },
};

interface SizeTest {
  readonly block: Block;
  readonly value: Value;
  /** The largest number with which the arm is passed by. */
  readonly most: bigint;
  readonly arm: Block;
  readonly join: Block;
}

/** A block that ends in a test of a number's size, around a block of a few pure instructions. */
function sizeTestOf(block: Block): SizeTest | undefined {
  const branch = terminatorOf(block);
  if (!isOp(branch, "condbr")) return undefined;
  const test = operand(branch, 0);
  const most = isOp(test, "icmp") ? operand(test, 1) : undefined;
  if (!isOp(test, "icmp") || most?.kind !== "constant" || most.type === "ptr") return undefined;
  const { then, otherwise } = branch.operation;
  const value = operand(test, 0);
  const large = { block, value, most: most.value, arm: then, join: otherwise };
  const small = { block, value, most: most.value - 1n, arm: otherwise, join: then };
  if (test.operation.predicate === "ugt") return isArm(large) ? large : undefined;
  if (test.operation.predicate !== "ult" || most.value === 0n) return undefined;
  return isArm(small) ? small : undefined;
}

function isArm({ block, arm, join }: SizeTest): boolean {
  const end = terminatorOf(arm);
  if (arm === join || join === block || !isOp(end, "br") || end.operation.target !== join) {
    return false;
  }
  const body = arm.instructions.slice(0, -1);
  return body.length <= mostInstructions && body.every(isPure);
}

function dropFrom(fn: IrFunction, tests: readonly SizeTest[]): boolean {
  const preds = predecessors(fn);
  let changed = false;
  for (const test of tests) {
    const { block, arm, join } = test;
    if (preds.get(arm)?.length !== 1) continue;
    const results = resultsOfSmall(test);
    const isNeedless = phisOf(join).every((phi) => {
      if (!isOp(phi, "phi")) return false;
      const input = (from: Block): Value => operand(phi, phi.operation.incoming.indexOf(from));
      const result = results.get(input(arm)) ?? input(arm);
      return result !== "unknown" && sameValue(result, input(block));
    });
    if (!isNeedless) continue;
    removeIncoming(join, block);
    makeJump(terminatorOf(block) as IrInstruction, arm);
    changed = true;
  }
  return changed;
}

/** What the arm's instructions give with a number that is not above `most`. */
function resultsOfSmall({ arm, value, most }: SizeTest): Map<Value, Value | "unknown"> {
  const results = new Map<Value, Value | "unknown">();
  for (const each of arm.instructions) {
    const [a, b] = each.operands.map((of) => results.get(of) ?? of);
    results.set(each, "unknown");
    if (!isOp(each, "binary") || a === undefined || a === "unknown") continue;
    if (b === undefined || b === "unknown") continue;
    results.set(each, resultOf(each, a, b, { value, most }));
  }
  return results;
}

function resultOf(
  each: IrInstruction,
  a: Value,
  b: Value,
  { value, most }: Pick<SizeTest, "value" | "most">,
): Value | "unknown" {
  const isZero = (of: Value): boolean => of.kind === "constant" && of.value === 0n;
  const isSmall = a === value && b.kind === "constant";
  if (isBinary(each, "and") && isSmall) {
    const covered = (1n << BigInt(most.toString(2).length)) - 1n;
    return (b.value & covered) === covered ? a : "unknown";
  }
  if (isBinary(each, "lshr") && isSmall) {
    const isGone = b.value < 64n && most >> b.value === 0n;
    return isGone ? constant(each.type as ValueType, 0n) : "unknown";
  }
  const isSum = isBinary(each, "add") || isBinary(each, "or") || isBinary(each, "xor");
  if (!isSum) return "unknown";
  if (isZero(b)) return a;
  return isZero(a) ? b : "unknown";
}
