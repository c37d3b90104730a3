/**
 * Makes `pointer + variable` anew where a test has told more of the variable since, for accesses at a
 * distance from the sum: `a[x - 3]` behind `x > 2` is `(a + x)[-3]`, and the verifier knows of the sum that
 * was made before the test only what it knew of x then. Not for packets, whose sums carry what was checked.
 * Last of the passes over addresses: value numbering would make the sums one again.
 */
import { dominatorTree, predecessors } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, signedValue, type Use } from "../4-lower/ir-builder.ts";
import { addressRoot } from "./context.ts";
import { blockOfUse } from "./demote-values.ts";
import { swappedPredicate } from "./fold-constants.ts";
import { knownOf, withoutZext } from "./known-bits.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { derivation, type Graph, type PassedTest, testsBetween } from "./passed-tests.ts";
import { Rewriter } from "./rewriter.ts";
import {
  constantAddress,
  type InstructionOf,
  instructionsOf,
  isConstant,
  isOp,
  operand,
} from "./values.ts";

export const repeatSums: FunctionPass = {
  kind: "function",
  name: "repeat-sums",
  run(fn, context) {
    const sums = instructionsOf(fn).filter(
      (each): each is InstructionOf<"ptradd"> =>
        isOp(each, "ptradd") && operand(each, 1).kind === "instruction" && hasOwnBounds(each),
    );
    return sums.length > 0 && new RepeatSums(fn, context).run(sums);
  },
};

/** The widest access. */
const widest = 8n;

/** On the stack, in a variable or a map value: the verifier compares sums with the ends of the object. */
function hasOwnBounds(sum: IrInstruction): boolean {
  const root = addressRoot(sum);
  return isOp(root, "alloca") || isOp(root, "call") || root.kind === "global";
}

/** The value, or what is the same number in the same register. */
function isTested(value: Value, test: IrInstruction): boolean {
  const number = withoutZext(value);
  return test.operands.some((each) => withoutZext(each) === number);
}

const lower: ReadonlySet<IntPredicate> = new Set(["ugt", "uge", "sgt", "sge"]);
const upper: ReadonlySet<IntPredicate> = new Set(["ult", "ule", "slt", "sle"]);

/** Whether the test bounds the variable on the side where the distance leads out of the object. */
function isOnSide(chain: readonly Value[], { test, holds }: PassedTest, distance: bigint): boolean {
  if (holds === undefined) return true;
  const isLeft = chain.some((each) => withoutZext(each) === withoutZext(operand(test, 0)));
  const predicate = isLeft ? holds : swappedPredicate[holds];
  if (predicate === "ne") return distance < 0n && isConstant(operand(test, 1), 0n);
  return (distance < 0n ? lower : upper).has(predicate);
}

class RepeatSums {
  readonly #uses: ReadonlyMap<Value, readonly Use[]>;
  readonly #graph: Graph;
  readonly #context: PassContext;
  readonly #rewriter: Rewriter;
  /** New sums, by the old one and the block where they are made. */
  readonly #made = new Map<IrInstruction, Map<Block, Value>>();

  constructor(fn: IrFunction, context: PassContext) {
    this.#uses = context.runs.factsOf(fn).uses;
    this.#graph = { tree: dominatorTree(fn), preds: predecessors(fn) };
    this.#context = context;
    this.#rewriter = new Rewriter(fn);
  }

  run(sums: readonly InstructionOf<"ptradd">[]): boolean {
    for (const sum of sums) {
      for (const { user: place, index } of this.#uses.get(sum) ?? []) {
        if (index !== 0 || !isOp(place, "ptradd")) continue;
        const distance = operand(place, 1);
        if (distance.kind !== "constant" || this.#isWithin(sum, signedValue(distance))) continue;
        for (const use of this.#uses.get(place) ?? []) this.#renew(sum, signedValue(distance), use);
      }
    }
    return this.#rewriter.apply();
  }

  /** Whether every value of the variable leads into the object. */
  #isWithin(sum: InstructionOf<"ptradd">, distance: bigint): boolean {
    const { base, offset } = constantAddress(operand(sum, 0));
    const { min, max } = knownOf(operand(sum, 1));
    const first = BigInt(offset) + distance;
    if (min + first < 0n) return false;
    const size = isOp(base, "alloca")
      ? base.operation.size
      : base.kind === "global"
        ? this.#context.globals.get(base.symbol)?.size
        : undefined;
    return size !== undefined && max + first + widest <= BigInt(size);
  }

  #renew(sum: InstructionOf<"ptradd">, distance: bigint, use: Use): void {
    const place = blockOfUse(use);
    if (place === sum.block || use.user.operation.op === "phi") return;
    const chain = derivation(operand(sum, 1));
    const passed = testsBetween(sum.block, place, this.#graph).find(
      (each) =>
        chain.some((value) => isTested(value, each.test)) && isOnSide(chain, each, distance),
    );
    if (passed === undefined) return;
    const renewed = this.#sumBehind(sum, chain, passed);
    const { user, index } = use;
    user.operands[index] = this.#rewriter.insertBefore(user, "ptr", { op: "ptradd" }, [
      renewed,
      constant("i64", distance),
    ]);
  }

  /** The sum, from what was tested on. */
  #sumBehind(
    sum: InstructionOf<"ptradd">,
    chain: readonly Value[],
    { test, behind }: PassedTest,
  ): Value {
    const known = this.#made.get(sum) ?? new Map<Block, Value>();
    this.#made.set(sum, known);
    const made = known.get(behind);
    if (made !== undefined) return made;
    const at = behind.instructions.find((each) => each.operation.op !== "phi") as IrInstruction;
    const tested = chain.findIndex((each) => isTested(each, test));
    let value = chain[tested] as Value;
    for (const step of chain.slice(0, tested).reverse() as IrInstruction[]) {
      const operands = [value, ...step.operands.slice(1)];
      value = this.#rewriter.insertBefore(at, step.type, step.operation, operands, sum.location);
    }
    const operands = [operand(sum, 0), value];
    const renewed = this.#rewriter.insertBefore(
      at,
      "ptr",
      { op: "ptradd" },
      operands,
      sum.location,
    );
    known.set(behind, renewed);
    return renewed;
  }
}
