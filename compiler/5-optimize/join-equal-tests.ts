/**
 * `x == a || x == b`, where a and b differ in one bit, as one comparison without that bit: a branch less,
 * and one way less that the verifier follows. Only of values that nothing else uses, as those that know
 * their number on each way are worth more.
 * Needs: to run late, when what tests the value again has been found. Leaves an unused comparison and a
 * jump to the next block behind.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  insertBefore,
  makeJump,
  removeIncoming,
  sameValue,
  signedValue,
  terminatorOf,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { sameInputs, type Test, testOf } from "./join-range-tests.ts";
import type { FunctionPass } from "./pass.ts";

export const joinEqualTests: FunctionPass = {
  kind: "function",
  name: "join-equal-tests",
  run(fn, { runs }) {
    const preds = predecessors(fn);
    const facts = runs.factsOf(fn);
    let changed = false;
    const touched = new Set<Block>();
    for (const block of fn.blocks) {
      const first = touched.has(block) ? undefined : testOf(block);
      const next = first && nextTest(block, first);
      if (first === undefined || next === undefined) continue;
      if (touched.has(next.block) || preds.get(next.block)?.length !== 1) continue;
      if (!isAlone(first, next.test, facts.uses)) continue;
      if (!join(fn, block, first, next)) continue;
      touched.add(block).add(next.block);
      changed = true;
    }
    return changed;
  },
};

interface NextTest {
  readonly block: Block;
  readonly test: Test;
  /** Where both go if the value is one of the two. */
  readonly out: Block;
}

/** The test behind the first, if it is another of the same value that leads to the same block. */
function nextTest(block: Block, first: Test): NextTest | undefined {
  const out = outIfEqual(first);
  const next = out === first.then ? first.otherwise : first.then;
  const test = out === undefined || next === block ? undefined : testOf(next);
  if (test === undefined || out === undefined || outIfEqual(test) !== out) return undefined;
  if (next.instructions.length !== 2 || test.condition.block !== next) return undefined;
  if (!sameValue(first.value, test.value) || !sameInputs(out, block, next)) return undefined;
  return { block: next, test, out };
}

function outIfEqual({ predicate, then, otherwise }: Test): Block | undefined {
  if (predicate === "eq") return then;
  return predicate === "ne" ? otherwise : undefined;
}

/** The two comparisons are all that use the value, and the branches all that use them. */
function isAlone(a: Test, b: Test, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  const users = new Set((uses.get(a.value) ?? []).map((use) => use.user));
  if (users.size !== 2 || !users.has(a.condition) || !users.has(b.condition)) return false;
  return [a, b].every((test) => uses.get(test.condition)?.length === 1);
}

/** What an instruction takes as its constant. */
const largestImmediate = 0x7fffffffn;

function join(fn: IrFunction, block: Block, first: Test, next: NextTest): boolean {
  const { test, out } = next;
  const difference = first.bound ^ test.bound;
  const type = first.value.type as ValueType;
  const bit = constant(type, difference).value;
  if (bit === 0n || (bit & (bit - 1n)) !== 0n) return false;
  const kept = constant(type, ~bit);
  const wanted = constant(type, first.bound & test.bound);
  const fits = [kept, wanted].every((each) => {
    const value = signedValue(each);
    return value <= largestImmediate && value >= -largestImmediate - 1n;
  });
  if (!fits) return false;
  const operation = { op: "binary", binary: "and" } as const;
  test.condition.operands = [
    insertBefore(fn, test.condition, type, operation, [first.value, kept]),
    wanted,
  ];
  const branch = terminatorOf(block) as IrInstruction;
  makeJump(branch, next.block);
  removeIncoming(out, block);
  return true;
}
