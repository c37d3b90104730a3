/**
 * Tests of a number's bits are made of a copy that has no other bits, where the number is tested again behind them: of
 * what a bit test asks the verifier learns the bits, and n such tests whose ways meet again are 2^n states if a
 * later test is decided by those bits. The copy forgets them. Tests of a bit that was tested before get another copy.
 * Costs two instructions for each copy, and a register.
 * Behind the combiner and value numbering, which would make the copies the number again.
 */
import { pushTo } from "../../common/append.ts";
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  successors,
  terminatorOf,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { blockOfUse } from "./demote-values.ts";
import { isEquality } from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { comparisonsOf } from "./passed-tests.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, isConstant, isOp, operand } from "./values.ts";

export const copyTested: FunctionPass = {
  kind: "function",
  name: "copy-tested",
  run(fn, { runs }) {
    const tested = bitTests(fn);
    for (const [value, tests] of tested) if (tests.length < fewest) tested.delete(value);
    return tested.size > 0 && new CopyTested(fn, runs.factsOf(fn).uses).run(tested);
  },
};

/** Tests whose ways meet again: below that the copy costs more than the states. */
const fewest = 3;
/** Later tests of one value that are looked at, and instructions from the value to one. */
const mostPlaces = 16;
const mostDepth = 4;

/** `masked` is the value's bits of a constant mask, of which only a branch at the block's end asks whether any is set. */
interface BitTest {
  readonly masked: IrInstruction;
  readonly mask: bigint;
  readonly block: Block;
}

/** By what is tested. What a loop carries is masked before it is tested (select-compare.ts). */
function bitTests(fn: IrFunction): Map<Value, BitTest[]> {
  const tested = new Map<Value, BitTest[]>();
  for (const block of fn.blocks) {
    const branch = terminatorOf(block);
    if (!isOp(branch, "condbr")) continue;
    for (const test of comparisonsOf(operand(branch, 0))) {
      const masked = operand(test, 0);
      if (!isEquality(test.operation.predicate) || !isConstant(operand(test, 1), 0n)) continue;
      if (!isBinary(masked, "and") || masked.block !== block) continue;
      const [value, mask] = [operand(masked, 0), operand(masked, 1)];
      if (mask.kind === "constant" && value.kind !== "constant" && !isOp(value, "phi"))
        pushTo(tested, value, { masked, mask: mask.value, block });
    }
  }
  return tested;
}

/** Tests of one loop that have no bit in common. */
interface Group {
  readonly loop: Loop | undefined;
  readonly tests: BitTest[];
  mask: bigint;
}

class CopyTested {
  readonly #uses: ReadonlyMap<Value, readonly Use[]>;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #loops: readonly Loop[];
  readonly #rewriter: Rewriter;

  constructor(fn: IrFunction, uses: ReadonlyMap<Value, readonly Use[]>) {
    this.#uses = uses;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    this.#loops = findLoops(fn);
    this.#rewriter = new Rewriter(fn);
  }

  run(tested: ReadonlyMap<Value, readonly BitTest[]>): boolean {
    for (const [value, tests] of tested) {
      const sole = tests.filter(({ masked }) => this.#uses.get(masked)?.length === 1);
      if (sole.length < fewest) continue;
      const others = this.#otherTests(value, sole);
      const groups = this.#groupsOf(sole);
      const again = groups.slice(1).flatMap((group) => group.tests.map(({ block }) => block));
      const inLoop = groups.flatMap(({ loop }) =>
        loop === this.#loopOf(value) ? [] : (loop?.header ?? []),
      );
      const places = new Set([...others, ...again, ...inLoop]);
      if (places.size > mostPlaces || ![...places].some((at) => this.#isWorthwhile(sole, at)))
        continue;
      const isLast = (group: Group): boolean =>
        others.size === 0 && group.loop === this.#loopOf(value);
      const kept = groups.findLast(isLast);
      for (const group of groups) if (group !== kept) this.#copy(value, group);
    }
    return this.#rewriter.apply();
  }

  /** Where else something may be decided by the value's bits. */
  #otherTests(value: Value, tests: readonly BitTest[]): Set<Block> {
    const own = new Set<Value>(tests.map(({ masked }) => masked));
    const blocks = new Set<Block>();
    const work = [{ value, depth: 0 }];
    for (let at = work.pop(); at !== undefined; at = work.pop()) {
      for (const use of this.#uses.get(at.value) ?? []) {
        const { user, index } = use;
        if (own.has(user) || (isOp(user, "store") && index === 0) || isOp(user, "ret")) continue;
        if (isArithmetic(user) && at.depth < mostDepth)
          work.push({ value: user, depth: at.depth + 1 });
        else blocks.add(blockOfUse(use));
      }
    }
    return blocks;
  }

  #groupsOf(tests: readonly BitTest[]): Group[] {
    const groups: Group[] = [];
    for (const test of tests) {
      const loop = this.#innermost(test.block);
      const group = groups.find((each) => each.loop === loop && (each.mask & test.mask) === 0n);
      if (group === undefined) groups.push({ loop, tests: [test], mask: test.mask });
      else {
        group.tests.push(test);
        group.mask |= test.mask;
      }
    }
    return groups;
  }

  #loopOf(value: Value): Loop | undefined {
    return value.kind === "instruction" ? this.#innermost(value.block) : undefined;
  }

  #innermost(block: Block): Loop | undefined {
    return this.#loops.findLast(({ blocks }) => blocks.has(block));
  }

  /** Whether enough tests lead to the place whether their bits are set or not. */
  #isWorthwhile(tests: readonly BitTest[], place: Block): boolean {
    const above = new Set<Block>();
    const work: Block[] = [place];
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      for (const pred of this.#preds.get(block) ?? []) {
        if (above.has(pred)) continue;
        above.add(pred);
        work.push(pred);
      }
    }
    const leads = (block: Block): boolean => block === place || above.has(block);
    return tests.filter(({ block }) => successors(block).every(leads)).length >= fewest;
  }

  #copy(value: Value, { tests, mask }: Group): void {
    const type = value.type as ValueType;
    let target = tests[0]?.block as Block;
    for (const { block } of tests) {
      while (!this.#tree.dominates(target, block)) target = this.#tree.parent.get(target) as Block;
    }
    const users = new Set<IrInstruction>(tests.map(({ masked }) => masked));
    const first = target.instructions.find((each) => users.has(each)) ?? terminatorOf(target);
    const copy = this.#rewriter.insertBefore(
      first as IrInstruction,
      type,
      { op: "binary", binary: "and" },
      [value, constant(type, mask)],
    );
    for (const { masked } of tests) masked.operands[0] = copy;
  }
}

function isArithmetic({ operation, type }: IrInstruction): boolean {
  return type !== "ptr" && ["binary", "zext", "sext", "trunc"].includes(operation.op);
}
