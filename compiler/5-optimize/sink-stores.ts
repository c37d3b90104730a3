/**
 * Stores to one place on all ways into a block become one store there, of a phi: `x = a; if (c) x = b;`
 * writes once. What is loaded there afterwards is then a value. Constants that a store takes as an
 * immediate are no gain to carry, so at most one of the ways may store one.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Operation, Value } from "../4-lower/ir.ts";
import {
  constant,
  firstNonPhi,
  sameValue,
  successors,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { agreesWhere } from "./choices.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { constantAddress, operand } from "./values.ts";

export const sinkStores: FunctionPass = {
  kind: "function",
  name: "sink-stores",
  run(fn, { runs }) {
    const preds = predecessors(fn);
    const facts = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    for (const block of fn.blocks) {
      const from = preds.get(block) ?? [];
      if (from.length === 2) sinkInto(block, from, preds, facts.alias, rewriter);
    }
    return rewriter.apply();
  },
};

/** Instructions that are looked at from the end of each block. */
const longestSearch = 24;

/** One of the two values of a diamond gives the other one where that is stored, so that it can stand for both. */
function isOneValue(
  arm: Block,
  other: Block,
  [a, b]: readonly [Value, Value],
  preds: ReadonlyMap<Block, readonly Block[]>,
): boolean {
  const [head, ...more] = preds.get(arm) ?? [];
  const branch = head && terminatorOf(head);
  if (branch?.operation.op !== "condbr" || more.length > 0) return false;
  if (preds.get(other)?.length !== 1 || preds.get(other)?.[0] !== head) return false;
  const condition = operand(branch, 0);
  const isThen = branch.operation.then === arm;
  return agreesWhere(condition, isThen, b, a) || agreesWhere(condition, !isThen, a, b);
}

function sinkInto(
  block: Block,
  from: readonly Block[],
  preds: ReadonlyMap<Block, readonly Block[]>,
  alias: AliasAnalysis,
  rewriter: Rewriter,
): void {
  // The arm that is certain to come here tells which store; the other one must have the same.
  const arm = from.find((each) => successors(each).length === 1);
  const other = from.find((each) => each !== arm);
  if (arm === undefined || other === undefined) return;
  for (const store of lastStores(arm, alias, rewriter)) {
    const location = alias.accessOf(store) as Location;
    const partner = lastStores(other, alias, rewriter).find((each) => isSamePlace(each, store));
    if (partner === undefined) continue;
    const isDiamond = successors(other).length === 1;
    // Around a triangle the first store must not be seen on the longer way.
    if (!isDiamond && !isUnseen(other, arm, store, location, preds, alias)) continue;
    const values = [store, partner].map((each) => operand(each, 0)) as [Value, Value];
    if (values[0].type !== values[1].type) continue;
    const constants = values.filter((each) => each.kind === "constant").length;
    if (constants > (isDiamond ? 0 : 1) && !isOneValue(arm, other, values, preds)) continue;
    const value = sameValue(...values)
      ? values[0]
      : rewriter.insertPhi(block, values[0].type, [arm, other], values, store.location);
    const first = block.instructions[firstNonPhi(block)] as IrInstruction;
    // The base is one value on both ways, so that it is known here too.
    const { base, offset } = constantAddress(operand(store, 1));
    const address =
      offset === 0
        ? base
        : rewriter.insertBefore(first, "ptr", { op: "ptradd" }, [base, constant("i64", offset)]);
    const operation = joinedAccess(store, partner);
    rewriter.insertBefore(first, "void", operation, [value, address], store.location);
    rewriter.erase(store);
    rewriter.erase(partner);
    return;
  }
}

/** One store for both: where their types differ, of any. */
function joinedAccess(store: IrInstruction, partner: IrInstruction): Operation {
  const operation = { ...store.operation };
  if (operation.op !== "store" || partner.operation.op !== "store") return operation;
  operation.align = Math.min(operation.align, partner.operation.align);
  if (operation.accessed !== partner.operation.accessed) delete operation.accessed;
  return operation;
}

/** Plain stores of the block behind which nothing can tell whether they have happened, last first. */
function lastStores(block: Block, alias: AliasAnalysis, rewriter: Rewriter): IrInstruction[] {
  const found: IrInstruction[] = [];
  const later: IrInstruction[] = [];
  for (const each of block.instructions.slice(-longestSearch).reverse()) {
    const effect = memoryEffect(each);
    if (effect.kind === "none") continue;
    if (isOrdered(effect)) break;
    if (each.operation.op === "store" && !rewriter.isErased(each)) {
      const location = alias.accessOf(each);
      const isTouched = (other: IrInstruction): boolean =>
        location === undefined || alias.mayRead(other, location) || alias.mayWrite(other, location);
      if (!later.some(isTouched)) found.push(each);
    }
    later.push(each);
  }
  return found;
}

function isSamePlace(a: IrInstruction, b: IrInstruction): boolean {
  const [x, y] = [constantAddress(operand(a, 1)), constantAddress(operand(b, 1))];
  return sameBase(x.base, y.base) && x.offset === y.offset;
}

/** From `other` the only way besides the direct one leads through `arm`, which does not read first. */
function isUnseen(
  other: Block,
  arm: Block,
  store: IrInstruction,
  location: Location,
  preds: ReadonlyMap<Block, readonly Block[]>,
  alias: AliasAnalysis,
): boolean {
  const targets = new Set(successors(other));
  if (targets.size !== 2 || !targets.has(arm) || (preds.get(arm) ?? []).length !== 1) return false;
  if (other.instructions.at(-1)?.operation.op !== "condbr") return false;
  const before = arm.instructions.slice(0, arm.instructions.indexOf(store));
  return before.every((each) => {
    const effect = memoryEffect(each);
    return effect.kind === "none" || (!isOrdered(effect) && !alias.mayRead(each, location));
  });
}
