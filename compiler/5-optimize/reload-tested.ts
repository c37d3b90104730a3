/**
 * Loads again, where a test comes that the verifier need not know the outcome of: several values that lie
 * on the stack, each tested once in one part of the function and once more behind it, are 2^n states for the
 * second part if they stay the same values, as the outcome of each first test tells that of its second.
 * What is loaded again is any number. Only where nothing on the way tells anything of the value, so that
 * nothing is forgotten that a check said. Costs a load each, and saves a register or a slot across calls.
 * Behind value numbering, which would make the loads one again.
 */

import { pushTo } from "../../common/append.ts";
import { dominatorTree, predecessors, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { terminatorOf, type Use } from "../4-lower/ir-builder.ts";
import type { AliasAnalysis, Location } from "./alias.ts";
import { addressRoot } from "./context.ts";
import { blockOfUse } from "./demote-values.ts";
import { isEquality } from "./fold-constants.ts";
import type { MemoryVersions, Version } from "./memory-versions.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { comparisonsOf, derivation, type Graph, testsBetween } from "./passed-tests.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, isOp, isPure, operand } from "./values.ts";

export const reloadTested: FunctionPass = {
  kind: "function",
  name: "reload-tested",
  run(fn, context) {
    const tested = testedLoads(fn);
    return tested.size >= fewest && new ReloadTested(fn, context).run(tested);
  },
};

/** Values that are worth it: with fewer the verifier saves as much as it loses. */
const fewest = 4;
/** Instructions that a condition is made of, one from the other. */
const mostDepth = 6;

type Load = InstructionOf<"load">;

/** Loads from the stack, with the blocks that end in a test of them, predecessors first, if there are two. */
function testedLoads(fn: IrFunction): Map<Load, Block[]> {
  const tests = new Map<Load, Block[]>();
  for (const block of reversePostOrder(fn)) {
    const last = terminatorOf(block);
    if (!isOp(last, "condbr")) continue;
    const loads = comparisonsOf(operand(last, 0)).flatMap(({ operation, operands }) => {
      const [value, bound] = operands;
      // Tests of order tell of each other: a number below 10 is below 100.
      if (!isEquality(operation.predicate) || value === undefined || bound?.kind !== "constant")
        return [];
      return derivation(value).filter(isStackLoad);
    });
    for (const load of new Set(loads)) {
      pushTo(tests, load, block);
    }
  }
  for (const [load, blocks] of tests) if (blocks.length < 2) tests.delete(load);
  return tests;
}

function isStackLoad(value: Value): value is Load {
  if (!isOp(value, "load") || value.operation.volatile) return false;
  return isOp(addressRoot(operand(value, 0)), "alloca");
}

class ReloadTested {
  readonly #uses: ReadonlyMap<Value, readonly Use[]>;
  readonly #alias: AliasAnalysis;
  readonly #memory: MemoryVersions;
  readonly #graph: Graph;
  readonly #rewriter: Rewriter;

  constructor(fn: IrFunction, { runs }: PassContext) {
    const { uses, alias, memory } = runs.factsOf(fn);
    this.#uses = uses;
    this.#alias = alias;
    this.#memory = memory;
    this.#graph = { tree: dominatorTree(fn), preds: predecessors(fn) };
    this.#rewriter = new Rewriter(fn);
  }

  run(tested: ReadonlyMap<Load, readonly Block[]>): boolean {
    const places = new Map<Load, Block[]>();
    for (const [load, [, ...later]] of tested) {
      const list = later.filter((block) => this.#canReload(load, block));
      if (list.length > 0) places.set(load, list);
    }
    if (places.size < fewest) return false;
    for (const [load, list] of places) this.#reload(load, list);
    return this.#rewriter.apply();
  }

  #canReload(load: Load, block: Block): boolean {
    if (block === load.block || !this.#graph.tree.dominates(load.block, block)) return false;
    const location = this.#alias.accessOf(load);
    if (location === undefined) return false;
    const memory = this.#memory.classOf(location.region);
    const now = this.#settled(this.#memory.atStart(memory, block), location);
    if (now !== this.#settled(this.#versionAt(load, location), location)) return false;
    return !testsBetween(load.block, block, this.#graph).some(({ test }) =>
      test.operands.some((each) => derivation(each).includes(load)),
    );
  }

  #versionAt(load: Load, location: Location): Version {
    const memory = this.#memory.classOf(location.region);
    let version = this.#memory.atStart(memory, load.block);
    for (const each of load.block.instructions) {
      if (each === load) break;
      for (const [written, made] of this.#memory.written(each)) {
        if (written === memory) version = made;
      }
    }
    return version;
  }

  /** The state of memory before whatever does not write to the location. */
  #settled(version: Version, location: Location): Version {
    let at = version;
    for (;;) {
      const { instruction, before } = this.#memory.definition(at);
      if (instruction === undefined || this.#alias.mayWrite(instruction, location)) return at;
      at = before;
    }
  }

  #reload(load: Load, places: readonly Block[]): void {
    const loads = new Map<Block, Value>();
    for (const block of places) {
      const at = block.instructions.find((each) => each.operation.op !== "phi") as IrInstruction;
      const { type, operation, operands, location } = load;
      const again = this.#rewriter.insertBefore(at, type, operation, operands, location);
      loads.set(block, again);
      const branch = terminatorOf(block) as IrInstruction;
      branch.operands[0] = this.#renewed(operand(branch, 0), load, again, branch);
    }
    for (const use of this.#uses.get(load) ?? []) {
      const again = this.#nearest(blockOfUse(use), load.block, loads);
      if (again !== undefined) use.user.operands[use.index] = again;
    }
  }

  /** The condition of a branch, computed anew: the first test may be the same value. */
  #renewed(value: Value, load: Load, again: Value, at: IrInstruction, depth = 0): Value {
    if (value === load) return again;
    if (value.kind !== "instruction" || !isPure(value) || depth > mostDepth) return value;
    const renew = (each: Value): Value => this.#renewed(each, load, again, at, depth + 1);
    const operands = value.operands.map(renew);
    if (operands.every((each, index) => each === value.operands[index])) return value;
    const { type, operation, location } = value;
    return this.#rewriter.insertBefore(at, type, operation, operands, location);
  }

  #nearest(from: Block, top: Block, loads: ReadonlyMap<Block, Value>): Value | undefined {
    for (let at: Block | undefined = from; at !== undefined && at !== top; ) {
      const known = loads.get(at);
      if (known !== undefined) return known;
      at = this.#graph.tree.parent.get(at);
    }
    return undefined;
  }
}
