/**
 * In a loop, what a sum brings from the round before is added last: ((s + a) + b) + c → s + ((a + b) + c). Each round
 * then waits for one addition of the round before instead of three. The same for *, &, |, ^.
 *
 * Only where the code does not grow: what is added first must be a value that nobody else reads, whose register takes
 * the sum. Needs: no pass behind it that puts sums in an order of its own (combine does).
 */
import { findLoops, type Loop } from "../4-lower/cfg.ts";
import type { BinaryOp, Block, IrInstruction, Value } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { commutative } from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, isOp } from "./values.ts";

export const orderSums: FunctionPass = {
  kind: "function",
  name: "order-sums",
  run(fn, { runs }) {
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const innermost = new Map<Block, Loop>();
    for (const loop of loops) for (const block of loop.blocks) innermost.set(block, loop);
    const { uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    for (const [block, loop] of innermost) {
      for (const each of block.instructions) {
        const sum = sumOf(each, uses);
        if (sum !== undefined) reorder(sum, loop, uses, rewriter);
      }
    }
    return rewriter.apply();
  },
};

export type Uses = ReadonlyMap<Value, readonly Use[]>;

/** Summands of one sum, and instructions that are looked at to learn what one depends on. */
const mostSummands = 12;
const longestSearch = 200;

export interface Sum {
  readonly root: IrInstruction;
  readonly binary: BinaryOp;
  /** In the order in which they are added. */
  readonly summands: readonly Value[];
  /** Instructions that add, without the root. */
  readonly inner: readonly IrInstruction[];
}

/** The whole of a sum of at least three values, found at its last instruction. */
export function sumOf(root: IrInstruction, uses: Uses): Sum | undefined {
  if (!isOp(root, "binary") || !commutative.has(root.operation.binary)) return undefined;
  if (root.type !== "i32" && root.type !== "i64") return undefined;
  const { binary } = root.operation;
  if (isPart(root, binary, root.block, uses)) return undefined;
  const summands: Value[] = [];
  const inner: IrInstruction[] = [];
  const collect = (value: Value): void => {
    if (inner.length > mostSummands) return;
    if (isBinary(value, binary) && isPart(value, binary, root.block, uses)) {
      inner.push(value);
      for (const each of value.operands) collect(each);
    } else summands.push(value);
  };
  for (const each of root.operands) collect(each);
  const isWhole = inner.length <= mostSummands && summands.length <= mostSummands;
  const fits = summands.length > 2 && isWhole;
  return fits ? { root, binary, summands, inner } : undefined;
}

/** Read by nobody but a like operation of the same block. */
function isPart(value: IrInstruction, binary: BinaryOp, block: Block, uses: Uses): boolean {
  const [only, ...others] = uses.get(value) ?? [];
  if (only === undefined || others.length > 0 || value.block !== block) return false;
  return isBinary(only.user, binary) && only.user.block === block;
}

function reorder(sum: Sum, loop: Loop, uses: Uses, rewriter: Rewriter): void {
  const { root, summands, inner } = sum;
  const carried = summands.filter((each) => dependsOn(each, root, loop));
  const [last] = carried;
  if (last === undefined || carried.length > 1 || root.operands.includes(last)) return;
  const others = summands.filter((each) => each !== last);
  const first = others.find((each) => isInLoop(each, loop) && uses.get(each)?.length === 1);
  if (first === undefined) return;
  const rest = others.filter((each) => each !== first);
  const add = (a: Value, b: Value): Value =>
    rewriter.insertBefore(root, root.type, root.operation, [a, b]);
  const total = add(last, rest.reduce(add, first));
  for (const each of inner) rewriter.erase(each);
  rewriter.replace(root, total);
}

function isInLoop(value: Value, loop: Loop): value is IrInstruction {
  return value.kind === "instruction" && loop.blocks.has(value.block);
}

/** Whether a value of this round comes from the sum of the round before; true where that is too long to find out. */
function dependsOn(value: Value, root: IrInstruction, loop: Loop): boolean {
  const seen = new Set<Value>();
  const work = [value];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (next === root) return true;
    if (seen.has(next) || !isInLoop(next, loop)) continue;
    seen.add(next);
    if (seen.size > longestSearch) return true;
    for (const each of next.operands) work.push(each);
  }
  return false;
}
