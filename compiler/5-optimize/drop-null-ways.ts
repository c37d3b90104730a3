/**
 * Ways that end in an access through a null pointer, or one that was never set, are not taken: the kernel refuses
 * the access whatever leads to it, and in C such a way does not exist. A branch with such a way goes the other one;
 * a block that goes nowhere else has left the program before. What is done in front of the access counts no more,
 * unless something is called, which may be the last that happens.
 * Needs: reachable blocks. Guarantees: the same.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, Value } from "../4-lower/ir.ts";
import { removeIncoming, successors, terminatorOf } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import {
  constantAddress,
  type InstructionOf,
  isOp,
  isPlainAccess,
  isPure,
  operand,
  pointerOf,
} from "./values.ts";

export const dropNullWays: FunctionPass = {
  kind: "function",
  name: "drop-null-ways",
  ignoresRemovals: true,
  run(fn) {
    const found = fn.blocks.flatMap((block) => [...nullPointersOf(block)].map((at) => [block, at]));
    if (found.length === 0) return false;
    const ways = new Ways(fn);
    for (const [block, pointer] of found as [Block, Value][]) {
      if (!isOp(pointer, "phi")) ways.closeBlock(block);
      else for (const pred of nullInputsOf(pointer)) ways.close(pred, block);
    }
    return removeUnreachableBlocks(fn) > 0 || ways.changed;
  },
};

/** Offsets from null that are no place, as no object begins there. */
const firstPlace = 4096;

const isNull = (value: Value): boolean =>
  value.kind === "undef" || (value.kind === "constant" && value.value === 0n);

/** Where the phi is null from. */
const nullInputsOf = (phi: InstructionOf<"phi">): Block[] =>
  phi.operation.incoming.filter((_, at) => isNull(operand(phi, at)));

/** Pointers that the block reads or writes through whenever it is entered, and that are null on one way in at least. */
function nullPointersOf(block: Block): Set<Value> {
  const pointers = new Set<Value>();
  for (const each of block.instructions) {
    if (isPlainAccess(each)) {
      const { base, offset } = constantAddress(pointerOf(each));
      const isNear = offset >= 0 && offset < firstPlace;
      const isMeeting = isOp(base, "phi") && base.block === block;
      if (isNear && (isNull(base) || (isMeeting && nullInputsOf(base).length > 0)))
        pointers.add(base);
    } else if (!isPure(each) && !isOp(each, "phi")) break;
  }
  return pointers;
}

/** Nothing happens in it that is seen elsewhere than in memory. */
const isSilent = ({ instructions }: Block): boolean =>
  instructions
    .slice(0, -1)
    .every((each) => isPlainAccess(each) || isPure(each) || isOp(each, "phi"));

class Ways {
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #closed = new Set<Block>();
  changed = false;

  constructor(fn: IrFunction) {
    this.#preds = predecessors(fn);
  }

  /** Nothing leads into the block any more, nor into those from which nothing else is reached. */
  closeBlock(first: Block): void {
    const work = [first];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      if (this.#closed.has(block)) continue;
      this.#closed.add(block);
      for (const pred of this.#preds.get(block) ?? [])
        if (this.#closeEdge(pred, block)) work.push(pred);
    }
  }

  /** The edge goes. */
  close(pred: Block, block: Block): void {
    if (this.#closeEdge(pred, block)) this.closeBlock(pred);
  }

  /** Whether the block that it came from is of no use without it. */
  #closeEdge(pred: Block, block: Block): boolean {
    const branch = terminatorOf(pred);
    if (branch === undefined || !successors(pred).includes(block)) return false;
    const { operation } = branch;
    if (operation.op === "condbr" && operation.then !== operation.otherwise) {
      const target = operation.then === block ? operation.otherwise : operation.then;
      branch.operation = { op: "br", target };
    } else if (operation.op === "br") branch.operation = { op: "unreachable" };
    else return false;
    branch.operands = [];
    removeIncoming(block, pred);
    this.changed = true;
    // The block that the function begins with stays.
    const isEntered = (this.#preds.get(pred)?.length ?? 0) > 0;
    return branch.operation.op === "unreachable" && isEntered && isSilent(pred);
  }
}
