/**
 * Control-flow clean-up: decided branches go, empty blocks are skipped, chains become one block, phis
 * of one value vanish, branches on what a phi brings in are taken at its source, branches on and/or
 * become two branches. Never makes selects: BPF has none, and merging paths loses what the verifier
 * learnt on each. Guarantees: all blocks reachable.
 */
import { predecessors, removeUnreachableBlocks } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Terminator, Value } from "../4-lower/ir.ts";
import {
  constant,
  createBlock,
  createInstruction,
  phisOf,
  redirectSuccessor,
  removeIncoming,
  replaceIncoming,
  sameValue,
  successors,
  terminatorOf,
} from "../4-lower/ir-builder.ts";
import { foldComparison } from "./fold-constants.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, isConstant, isOp, operand } from "./values.ts";

export const simplifyCfg: FunctionPass = {
  kind: "function",
  name: "simplify-cfg",
  run(fn) {
    let changed = removeUnreachableBlocks(fn) > 0;
    for (let round = 0; round < 16; round += 1) {
      const steps = [
        foldBranches,
        splitLogicalBranches,
        threadConstantPhis,
        skipEmptyBlocks,
        mergeChains,
        simplifyPhis,
      ];
      let again = false;
      for (const step of steps) again = step(fn) || again;
      if (!again) break;
      changed = true;
    }
    return changed;
  },
};

/** Branches whose way is known, and branches that lead to one block either way. */
export function foldBranches(fn: IrFunction): boolean {
  let changed = false;
  for (const block of fn.blocks) {
    const last = terminatorOf(block);
    const target = last && onlyTarget(last);
    if (last === undefined || target === undefined) {
      if (last !== undefined) changed = tidyBranch(fn, block, last) || changed;
      continue;
    }
    for (const next of new Set(successors(block))) if (next !== target) removeIncoming(next, block);
    last.operation = { op: "br", target };
    last.operands = [];
    changed = true;
  }
  return removeUnreachableBlocks(fn) > 0 || changed;
}

function onlyTarget(last: IrInstruction): Block | undefined {
  const { operation } = last;
  const [value] = last.operands;
  if (operation.op === "condbr") {
    if (operation.then === operation.otherwise) return operation.then;
    if (value?.kind === "constant")
      return value.value === 1n ? operation.then : operation.otherwise;
    return value?.kind === "undef" ? operation.otherwise : undefined;
  }
  if (operation.op !== "switch") return undefined;
  if (value?.kind === "undef" || operation.cases.length === 0) return operation.fallback;
  if (value?.kind === "constant") {
    const hit = operation.cases.find((each) => each.value === value.value);
    return hit?.target ?? operation.fallback;
  }
  return operation.cases.every((each) => each.target === operation.fallback)
    ? operation.fallback
    : undefined;
}

/** !c ? a : b → c ? b : a;  a switch of one case → an equality. */
function tidyBranch(fn: IrFunction, block: Block, last: IrInstruction): boolean {
  const { operation } = last;
  if (operation.op === "condbr") {
    const condition = operand(last, 0);
    if (!isBinary(condition, "xor") || !isConstant(operand(condition, 1), 1n)) return false;
    const { then, otherwise, likely } = operation;
    last.operation = { op: "condbr", then: otherwise, otherwise: then };
    if (likely !== undefined) last.operation.likely = !likely;
    last.operands = [operand(condition, 0)];
    return true;
  }
  if (operation.op !== "switch") return false;
  const before = operation.cases.length;
  operation.cases = operation.cases.filter((each) => each.target !== operation.fallback);
  const [only, ...others] = operation.cases;
  if (only === undefined || others.length > 0) return operation.cases.length < before;
  const value = operand(last, 0);
  const test = createInstruction(
    fn,
    block,
    "i1",
    { op: "icmp", predicate: "eq" },
    [value, constant(value.type as "i32", only.value)],
    last.location,
  );
  block.instructions.splice(-1, 0, test);
  last.operation = { op: "condbr", then: only.target, otherwise: operation.fallback };
  last.operands = [test];
  return true;
}

/** if (a & b) → if (a) if (b);  if (a | b) → if (a) … else if (b): truth values cost a branch anyway. */
export function splitLogicalBranches(fn: IrFunction): boolean {
  const blocks: Block[] = [];
  for (const block of fn.blocks) {
    blocks.push(block);
    const last = terminatorOf(block);
    if (last?.operation.op !== "condbr") continue;
    const condition = operand(last, 0);
    const isAnd = isBinary(condition, "and");
    if (!isAnd && !isBinary(condition, "or")) continue;
    const { then, otherwise } = last.operation;
    if (then === otherwise) continue;
    const second = createBlock(fn, undefined, true);
    blocks.push(second);
    const branch: Terminator = { op: "condbr", then, otherwise };
    const value = operand(condition as IrInstruction, 1);
    second.instructions.push(createInstruction(fn, second, "void", branch, [value], last.location));
    last.operands = [operand(condition as IrInstruction, 0)];
    last.operation = isAnd
      ? { op: "condbr", then: second, otherwise }
      : { op: "condbr", then, otherwise: second };
    replaceIncoming(isAnd ? then : otherwise, block, second);
    addIncoming(isAnd ? otherwise : then, second, block);
  }
  const changed = blocks.length > fn.blocks.length;
  fn.blocks = blocks;
  return changed;
}

/** Phis of `block` take from `pred` what they take from `like`. */
export function addIncoming(block: Block, pred: Block, like: Block): void {
  for (const phi of phisOf(block)) {
    if (phi.operation.op !== "phi") continue;
    const at = phi.operation.incoming.indexOf(like);
    phi.operation.incoming.push(pred);
    phi.operands.push(operand(phi, at));
  }
}

/**
 * Blocks that only test what their phis bring in: predecessors that bring a constant jump on directly.
 * The block's values must not be used elsewhere, phis of its successors aside.
 */
export function threadConstantPhis(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  const users = usersOutside(fn);
  let changed = false;
  for (const block of fn.blocks) {
    if (block.unroll !== undefined || users.has(block)) continue;
    const shape = testShape(block);
    if (shape === undefined) continue;
    for (const pred of preds.get(block) ?? []) {
      if (pred === block) continue;
      const target = shape.targetFrom(pred);
      if (target === undefined || target === block) continue;
      if (!canRedirect(pred, block, target, preds)) continue;
      const incoming = phisOf(target).map((phi) => valueThrough(phi, block, pred));
      redirectSuccessor(pred, block, target);
      addPhiInputs(target, pred, incoming, preds);
      removeIncoming(block, pred);
      movePred(preds, pred, block, target);
      changed = true;
    }
  }
  return removeUnreachableBlocks(fn) > 0 || changed;
}

/** Blocks that define a value which is used outside, but for phis of their successors. */
function usersOutside(fn: IrFunction): Set<Block> {
  const result = new Set<Block>();
  for (const block of fn.blocks) {
    for (const user of block.instructions) {
      const { operation } = user;
      for (const [at, value] of user.operands.entries()) {
        if (value.kind !== "instruction") continue;
        const place = operation.op === "phi" ? operation.incoming[at] : block;
        if (value.block !== place) result.add(value.block);
      }
    }
  }
  return result;
}

interface TestShape {
  /** Where an edge from `pred` ends up, if its phi inputs decide. */
  readonly targetFrom: (pred: Block) => Block | undefined;
}

function testShape(block: Block): TestShape | undefined {
  const rest = block.instructions.filter((each) => each.operation.op !== "phi");
  const last = rest.at(-1);
  if (rest.length === block.instructions.length || last === undefined || rest.length > 2)
    return undefined;
  const input = (value: Value, pred: Block): Value | undefined => {
    if (!isOp(value, "phi") || value.block !== block) return value;
    return value.operands[value.operation.incoming.indexOf(pred)];
  };
  const test = rest.length === 2 ? rest[0] : undefined;
  if (test !== undefined && !isOp(test, "icmp")) return undefined;
  const { operation } = last;
  if (operation.op === "switch" && test === undefined) {
    const targetFrom = (pred: Block): Block | undefined => {
      const value = input(operand(last, 0), pred);
      if (value?.kind !== "constant") return undefined;
      return (
        operation.cases.find((each) => each.value === value.value)?.target ?? operation.fallback
      );
    };
    return { targetFrom };
  }
  if (operation.op !== "condbr") return undefined;
  const condition = operand(last, 0);
  if (test !== undefined && condition !== test) return undefined;
  const decide = (pred: Block): Value | undefined => {
    if (test === undefined) return input(condition, pred);
    const [a, b] = [input(operand(test, 0), pred), input(operand(test, 1), pred)];
    if (a?.kind !== "constant" || b?.kind !== "constant") return undefined;
    return foldComparison(test.operation.predicate, a, b);
  };
  const targetFrom = (pred: Block): Block | undefined => {
    const value = decide(pred);
    if (value?.kind !== "constant") return edgeDecides(value, pred, block, operation);
    return value.value === 1n ? operation.then : operation.otherwise;
  };
  return { targetFrom };
}

/** The phi brings in the very condition on which `pred` branched here. */
function edgeDecides(
  value: Value | undefined,
  pred: Block,
  block: Block,
  branch: Extract<Terminator, { op: "condbr" }>,
): Block | undefined {
  const last = terminatorOf(pred);
  if (value === undefined || last?.operation.op !== "condbr" || last.operands[0] !== value)
    return undefined;
  const { then, otherwise } = last.operation;
  if (then === otherwise) return undefined;
  return then === block ? branch.then : branch.otherwise;
}

/** No asm goto; and `target` must not already have another edge from `pred` with other phi inputs. */
function canRedirect(pred: Block, from: Block, target: Block, preds: Map<Block, Block[]>): boolean {
  if (terminatorOf(pred)?.operation.op === "asm_goto") return false;
  if (phisOf(target).some((phi) => isComputedIn(phi, from))) return false;
  if (!(preds.get(target) ?? []).includes(pred)) return true;
  return phisOf(target).every((phi) => {
    if (phi.operation.op !== "phi") return true;
    const direct = operand(phi, phi.operation.incoming.indexOf(pred));
    return sameValue(direct, valueThrough(phi, from, pred));
  });
}

/** What comes from `block` is computed there, not merely passed on by a phi. */
function isComputedIn(phi: IrInstruction, block: Block): boolean {
  if (phi.operation.op !== "phi") return false;
  const value = phi.operands[phi.operation.incoming.indexOf(block)];
  return value?.kind === "instruction" && value.block === block && !isOp(value, "phi");
}

/** What a phi gets on the way pred → through → phi. */
function valueThrough(phi: IrInstruction, through: Block, pred: Block): Value {
  const incoming = phi.operation.op === "phi" ? phi.operation.incoming : [];
  const value = operand(phi, incoming.indexOf(through));
  if (!isOp(value, "phi") || value.block !== through) return value;
  return operand(value, value.operation.incoming.indexOf(pred));
}

function addPhiInputs(
  target: Block,
  pred: Block,
  values: readonly Value[],
  preds: ReadonlyMap<Block, readonly Block[]>,
): void {
  if ((preds.get(target) ?? []).includes(pred)) return;
  for (const [at, phi] of phisOf(target).entries()) {
    if (phi.operation.op !== "phi") continue;
    phi.operation.incoming.push(pred);
    phi.operands.push(values[at] as Value);
  }
}

function movePred(preds: Map<Block, Block[]>, pred: Block, from: Block, to: Block): void {
  preds.set(
    from,
    (preds.get(from) ?? []).filter((each) => each !== pred),
  );
  const list = preds.get(to) ?? [];
  if (!list.includes(pred)) preds.set(to, [...list, pred]);
}

/** Blocks that only jump on are left out. */
export function skipEmptyBlocks(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  const feedsPhiOnly = usersOutside(fn);
  let changed = false;
  for (const block of fn.blocks.slice(1)) {
    const last = terminatorOf(block);
    if (last?.operation.op !== "br" || block.unroll !== undefined) continue;
    const { target } = last.operation;
    const isEmpty = block.instructions.every(
      (each) => each === last || each.operation.op === "phi",
    );
    if (!isEmpty || target === block || feedsPhiOnly.has(block)) continue;
    for (const pred of [...(preds.get(block) ?? [])]) {
      if (pred === block || !canRedirect(pred, block, target, preds)) continue;
      const incoming = phisOf(target).map((phi) => valueThrough(phi, block, pred));
      redirectSuccessor(pred, block, target);
      addPhiInputs(target, pred, incoming, preds);
      removeIncoming(block, pred);
      movePred(preds, pred, block, target);
      changed = true;
    }
    // Without predecessors its values reach nobody.
    if ((preds.get(block) ?? []).length === 0) {
      removeIncoming(target, block);
      preds.set(
        target,
        (preds.get(target) ?? []).filter((each) => each !== block),
      );
    }
  }
  return removeUnreachableBlocks(fn) > 0 || changed;
}

/** A block and its only successor, whose only predecessor it is, become one. */
export function mergeChains(fn: IrFunction): boolean {
  const preds = predecessors(fn);
  const gone = new Set<Block>();
  const rewriter = new Rewriter(fn);
  for (const block of fn.blocks) {
    if (gone.has(block)) continue;
    for (;;) {
      const last = terminatorOf(block);
      if (last?.operation.op !== "br") break;
      const { target } = last.operation;
      if (target === block || target === fn.blocks[0] || (preds.get(target) ?? []).length !== 1)
        break;
      for (const phi of phisOf(target)) rewriter.replace(phi, operand(phi, 0));
      block.instructions.pop();
      for (const each of target.instructions) {
        each.block = block;
        block.instructions.push(each);
      }
      for (const next of new Set(successors(block))) {
        replaceIncoming(next, target, block);
        preds.set(
          next,
          (preds.get(next) ?? []).map((each) => (each === target ? block : each)),
        );
      }
      gone.add(target);
    }
  }
  if (gone.size === 0) return false;
  fn.blocks = fn.blocks.filter((block) => !gone.has(block));
  rewriter.apply();
  return true;
}

/** phi(x, x) → x;  phi(x, itself) → x;  phi(x, undef) → x where x is known everywhere. */
export function simplifyPhis(fn: IrFunction): boolean {
  const rewriter = new Rewriter(fn);
  for (const block of fn.blocks) {
    for (const phi of phisOf(block)) {
      const value = soleInput(phi, rewriter);
      if (value !== undefined) rewriter.replace(phi, value);
    }
  }
  return rewriter.apply();
}

function soleInput(phi: IrInstruction, rewriter: Rewriter): Value | undefined {
  let sole: Value | undefined;
  let hasUndef = false;
  for (const each of phi.operands) {
    const value = rewriter.resolve(each);
    if (value === phi) continue;
    if (value.kind === "undef") {
      hasUndef = true;
      continue;
    }
    if (sole !== undefined && !sameValue(sole, value)) return undefined;
    sole = value;
  }
  if (sole === undefined) return hasUndef ? operand(phi, 0) : undefined;
  // With undef on another path an instruction need not dominate the phi.
  return hasUndef && sole.kind === "instruction" ? undefined : sole;
}
