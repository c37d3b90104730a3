/**
 * `q = p + 14; if (q > end) …; use p[12]` needs two registers and a copy; `q[-2]` needs one. After the sum of
 * a pointer and a constant that is compared (a packet bounds check), later accesses are counted from the
 * sum, if that is the end of the pointer's life. The verifier counts offsets either way; but where the
 * check failed it calls the sum, and the sum alone, a pointer beyond the packet, so that nothing may be
 * counted from it there or behind the place where both ways meet.
 */
import { appendAll } from "../../common/append.ts";
import { type DominatorTree, dominatorTree, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, signedValue, successors, type Use } from "../4-lower/ir-builder.ts";
import { blockOfUse } from "./demote-values.ts";
import { swappedPredicate } from "./fold-constants.ts";
import { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, isConstantOffset, isOp, operand } from "./values.ts";

export const rebaseAddresses: FunctionPass = {
  kind: "function",
  name: "rebase-addresses",
  run(fn, { runs }) {
    let changed = false;
    // The sums of one round are the pointers of the next: checks come in chains.
    for (let round = 0; round < 8; round += 1) {
      const { uses } = round === 0 ? runs.factsOf(fn) : new FunctionFacts(fn);
      if (!rebaseOnce(fn, uses)) break;
      changed = true;
    }
    return changed;
  },
};

function rebaseOnce(fn: IrFunction, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  const tree = dominatorTree(fn);
  const rewriter = new Rewriter(fn);
  const positions = positionsOf(fn);
  const taken = new Set<Value>();
  for (const block of reversePostOrder(fn)) {
    for (const sum of block.instructions) {
      if (!isConstantOffset(sum)) continue;
      const pointer = operand(sum, 0);
      if (taken.has(pointer) || taken.has(sum) || !isMoving(pointer)) continue;
      if (!isComparedOnly(sum, uses)) continue;
      const later = usesAfter(pointer, sum, uses, tree, positions);
      if (later === undefined || later.length === 0) continue;
      if (isUsedBeyond(sum, later, uses)) continue;
      taken.add(pointer).add(sum);
      for (const use of later) moveUse(use, sum, uses, rewriter);
    }
  }
  return rewriter.apply();
}

/** Packet and similar pointers; addresses of objects are no registers that could be saved. */
function isMoving(pointer: Value): boolean {
  if (pointer.kind !== "instruction") return false;
  const { op } = pointer.operation;
  return op === "inttoptr" || op === "ptradd" || op === "phi" || op === "load";
}

/** The sum is there for a check, or is carried around a loop. */
function isComparedOnly(sum: IrInstruction, uses: ReadonlyMap<Value, readonly Use[]>): boolean {
  const list = uses.get(sum) ?? [];
  const isCompared = list.some(({ user }) => user.operation.op === "icmp");
  return (
    isCompared &&
    list.every(({ user, index }) => {
      const { op } = user.operation;
      if (op === "icmp" || op === "load" || op === "phi") return true;
      return (op === "store" && index === 1) || (op === "ptradd" && index === 0);
    })
  );
}

function positionsOf(fn: IrFunction): Map<IrInstruction, number> {
  const positions = new Map<IrInstruction, number>();
  for (const block of fn.blocks) {
    for (const [at, each] of block.instructions.entries()) positions.set(each, at);
  }
  return positions;
}

/**
 * The uses of `pointer` behind `sum`, if all of them can be counted from the sum and the pointer is not
 * needed on any other way from there.
 */
function usesAfter(
  pointer: Value,
  sum: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
  tree: DominatorTree,
  positions: ReadonlyMap<IrInstruction, number>,
): Use[] | undefined {
  const later: Use[] = [];
  let reachable: Set<Block> | undefined;
  for (const use of uses.get(pointer) ?? []) {
    const { user, index } = use;
    if (user === sum) continue;
    const place = blockOfUse(use);
    const isPhi = user.operation.op === "phi";
    if (place === sum.block && !isPhi) {
      if ((positions.get(user) ?? 0) < (positions.get(sum) ?? 0)) continue;
    } else if (!tree.dominates(sum.block, place)) {
      reachable ??= reachableFrom(pointer, ...successors(sum.block));
      if (reachable.has(place)) return undefined;
      continue;
    }
    if (!isAddressUse(user, index, uses)) return undefined;
    later.push(use);
  }
  return later;
}

/** Whether a use can follow a failed check of the sum. */
function isUsedBeyond(
  sum: IrInstruction,
  later: readonly Use[],
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  for (const { user: check, index } of uses.get(sum) ?? []) {
    if (!isOp(check, "icmp")) continue;
    for (const { user: branch } of uses.get(check) ?? []) {
      if (!isOp(branch, "condbr")) return true;
      const failed = failedSide(branch, check.operation.predicate, index);
      if (failed === undefined) continue;
      const beyond = reachableFrom(sum, failed);
      if (later.some((use) => beyond.has(blockOfUse(use)))) return true;
    }
  }
  return false;
}

/** Where a branch goes if operand `index` of its comparison is the larger one. */
function failedSide(
  { operation }: InstructionOf<"condbr">,
  predicate: IntPredicate,
  index: number,
): Block | undefined {
  const asLeft = index === 0 ? predicate : swappedPredicate[predicate];
  if (asLeft === "ugt" || asLeft === "uge") return operation.then;
  return asLeft === "ult" || asLeft === "ule" ? operation.otherwise : undefined;
}

function isAddressUse(
  user: IrInstruction,
  index: number,
  uses: ReadonlyMap<Value, readonly Use[]>,
): boolean {
  const { op } = user.operation;
  if (op === "load") return true;
  if (op === "store") return index === 1;
  if (op !== "ptradd" || index !== 0) return false;
  if (isConstantOffset(user)) return true;
  // pointer + variable: counted from the sum too if all its uses have an offset that takes the difference.
  return (uses.get(user) ?? []).every((use) => use.index === 0 && isConstantOffset(use.user));
}

/** Blocks from `starts` on, up to where the pointer is computed anew. */
function reachableFrom(pointer: Value, ...starts: readonly Block[]): Set<Block> {
  const home = pointer.kind === "instruction" ? pointer.block : undefined;
  const seen = new Set<Block>();
  const work = [...starts];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (seen.has(block) || block === home) continue;
    seen.add(block);
    appendAll(work, successors(block));
  }
  return seen;
}

function moveUse(
  { user, index }: Use,
  sum: InstructionOf<"ptradd">,
  uses: ReadonlyMap<Value, readonly Use[]>,
  rewriter: Rewriter,
): void {
  const by = stepOf(sum);
  if (!isOp(user, "ptradd")) {
    user.operands[index] = addressBefore(user, sum, -by, rewriter);
  } else if (operand(user, 1).kind === "constant" && stepOf(user) === by) {
    rewriter.replace(user, sum);
  } else if (operand(user, 1).kind === "constant") {
    user.operands[0] = sum;
    user.operands[1] = constant("i64", stepOf(user) - by);
  } else {
    user.operands[0] = sum;
    for (const { user: outer } of uses.get(user) ?? []) {
      const left = stepOf(outer) - by;
      outer.operands[1] = constant("i64", left);
      if (left === 0n) rewriter.replace(outer, user);
    }
  }
  rewriter.touch();
}

/** The constant that a sum adds. */
function stepOf(sum: IrInstruction): bigint {
  const step = operand(sum, 1);
  return step.kind === "constant" ? signedValue(step) : 0n;
}

function addressBefore(at: IrInstruction, base: Value, by: bigint, rewriter: Rewriter): Value {
  return rewriter.insertBefore(at, "ptr", { op: "ptradd" }, [base, constant("i64", by)]);
}
