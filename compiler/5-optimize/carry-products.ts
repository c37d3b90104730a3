/**
 * Strength reduction of numbers: where a loop counts i and computes `base + i * scale`, a value to which
 * step * scale is added each round takes the place of copying, multiplying and adding. Addresses are
 * move-pointers.ts's; what becomes part of one stays as it is, as the verifier's tests speak of the counter.
 * Only where a round gets shorter, and only for counters that start at a constant, in loops that the verifier
 * follows round by round: it then knows as much of the sum as of the product.
 * Needs: reachable blocks; late, as other passes know products better than sums. Guarantees: no loop needs
 * more registers at once than there are.
 */
import {
  type DominatorTree,
  dominatorTree,
  findLoops,
  type Loop,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  computeUses,
  constant,
  phisOf,
  signedValue,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { type CounterParts, counterParts, counterRange, isFollowed } from "./counter-ranges.ts";
import type { FunctionPass } from "./pass.ts";
import { fitsRegisters } from "./register-pressure.ts";
import { Rewriter } from "./rewriter.ts";
import { countInstructions, isBinary, isOp, operand } from "./values.ts";

export const carryProducts: FunctionPass = {
  kind: "function",
  name: "carry-products",
  run(fn) {
    // Registers are counted over the whole function.
    if (countInstructions(fn) > mostInstructions) return false;
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const tree = dominatorTree(fn);
    let changed = false;
    for (const loop of loops.toReversed()) {
      if (loop.latches.length !== 1 || !isFollowed(loop)) continue;
      for (const phi of phisOf(loop.header)) {
        changed = carryAlong(phi, { fn, loop, tree }) || changed;
      }
    }
    return changed;
  },
};

const mostInstructions = 4000;
/** Values that one counter carries, how long their sums are, and how far an address is looked for. */
const mostCarried = 2;
const mostAdded = 4;
const mostSteps = 4;

interface Surroundings {
  readonly fn: IrFunction;
  readonly loop: Loop;
  readonly tree: DominatorTree;
}

type Uses = ReadonlyMap<Value, readonly Use[]>;

/** `counter * scale` and what is added to it, none of which changes in the loop. */
interface Product {
  /** The whole sum. */
  readonly value: IrInstruction;
  readonly scale: bigint;
  readonly added: readonly { readonly value: Value; readonly isSubtracted: boolean }[];
}

function carryAlong(phi: IrInstruction, around: Surroundings): boolean {
  const { fn, loop, tree } = around;
  const parts = counterParts(phi);
  if (parts?.start.kind !== "constant" || parts.latch !== loop.latches[0]) return false;
  if (loop.blocks.has(parts.entry)) return false;
  const uses = computeUses(fn);
  const rewriter = new Rewriter(fn);
  let count = 0;
  for (const product of productsOf(phi, loop, uses)) {
    if (count >= mostCarried) break;
    if (!tree.dominates(product.value.block, parts.latch)) continue;
    const step = parts.by * product.scale;
    if (BigInt.asIntN(32, step) !== step) continue;
    const extensions = extensionsOf(product, phi, around, uses);
    if (!isShorter(product, extensions, uses)) continue;
    const isInPlace = count === 0 && takesPlace(product, loop, uses);
    const replaced = extensions.length > 0 ? extensions : [product.value];
    if (!isInPlace && !fitsRegisters(fn, loop, count + 1, replaced)) continue;
    carry(product, parts, { extensions, header: phi.block, rewriter });
    count += 1;
  }
  return rewriter.apply();
}

function productsOf(phi: IrInstruction, loop: Loop, uses: Uses): Product[] {
  const products: Product[] = [];
  for (const { user, index } of uses.get(phi) ?? []) {
    if (index !== 0 || !loop.blocks.has(user.block)) continue;
    const scale = scaleOf(user);
    if (scale === undefined) continue;
    const product = withAdded(user, scale, loop, uses);
    if (!isInAddress(product.value, uses)) products.push(product);
  }
  return products;
}

function scaleOf(user: IrInstruction): bigint | undefined {
  if (!isBinary(user, "mul") && !isBinary(user, "shl")) return undefined;
  const by = operand(user, 1);
  if (by.kind !== "constant") return undefined;
  return isBinary(user, "mul") ? signedValue(by) : 1n << (by.value & 31n);
}

/** The product with the sums that it alone goes into. */
function withAdded(product: IrInstruction, scale: bigint, loop: Loop, uses: Uses): Product {
  const added: { value: Value; isSubtracted: boolean }[] = [];
  let value = product;
  while (added.length < mostAdded) {
    const [use, ...others] = uses.get(value) ?? [];
    if (use === undefined || others.length > 0 || !loop.blocks.has(use.user.block)) break;
    const isSubtracted = isBinary(use.user, "sub") && use.index === 0;
    if (!isSubtracted && !isBinary(use.user, "add")) break;
    const other = operand(use.user, 1 - use.index);
    if (other.kind === "instruction" && loop.blocks.has(other.block)) break;
    added.push({ value: other, isSubtracted });
    value = use.user;
  }
  return { value, scale, added };
}

/** Whether a pointer is computed from the value, or a call gets it. */
function isInAddress(value: IrInstruction, uses: Uses, depth = mostSteps): boolean {
  return (uses.get(value) ?? []).some(({ user }) => {
    if (isOp(user, "ptradd") || isOp(user, "inttoptr") || isOp(user, "call")) return true;
    const isValue = isOp(user, "binary") || isOp(user, "zext") || isOp(user, "sext");
    return isValue && (depth === 0 || isInAddress(user, uses, depth - 1));
  });
}

/** Its zero extensions, if nothing else uses the value and it does not wrap: they are carried in its stead. */
function extensionsOf(
  { value, scale, added }: Product,
  phi: IrInstruction,
  { fn, loop, tree }: Surroundings,
  uses: Uses,
): readonly IrInstruction[] {
  const list = uses.get(value) ?? [];
  if (value.type !== "i32" || !list.every(({ user }) => isOp(user, "zext"))) return [];
  const preds = predecessors(fn);
  const range = counterRange(phi, loop, { tree, preds, startRange: () => undefined });
  let constants = 0n;
  for (const each of added) {
    if (each.value.kind !== "constant") return [];
    constants += (each.isSubtracted ? -1n : 1n) * signedValue(each.value);
  }
  if (range === undefined || range.smin < 0n || scale < 0n || constants < 0n) return [];
  return range.smax * scale + constants < 1n << 32n ? list.map(({ user }) => user) : [];
}

/** Whether what is added lives in the loop for this alone: the carried value takes its register. */
function takesPlace({ added }: Product, loop: Loop, uses: Uses): boolean {
  return (
    loop.parent === undefined &&
    added.some(({ value }) => value.kind === "instruction" && uses.get(value)?.length === 1)
  );
}

/** A copy, the product and the sums go; an addition comes, and a copy where an instruction overwrites the value. */
function isShorter(
  { value, added }: Product,
  extensions: readonly IrInstruction[],
  uses: Uses,
): boolean {
  const overwrites = ({ user, index }: Use): boolean =>
    (isOp(user, "binary") && index === 0) ||
    isOp(user, "bswap") ||
    isOp(user, "trunc") ||
    isOp(user, "zext");
  const carried = extensions.length > 0 ? extensions : [value];
  const isCopied = carried.some((each) => (uses.get(each) ?? []).some(overwrites));
  return added.length > 0 || !isCopied;
}

interface Change {
  readonly extensions: readonly IrInstruction[];
  readonly header: Block;
  readonly rewriter: Rewriter;
}

/** carried = phi [start * scale + added, carried + step * scale] */
function carry(
  { value, scale, added }: Product,
  { start, entry, latch, by, next }: CounterParts,
  { extensions, header, rewriter }: Change,
): void {
  const type = (extensions[0] ?? value).type as ValueType;
  let first: Value = constant(type, start.kind === "constant" ? signedValue(start) * scale : 0n);
  for (const each of added) {
    const isSubtracted = each.isSubtracted;
    if (first.kind === "constant" && each.value.kind === "constant") {
      const by = signedValue(each.value);
      first = constant(type, isSubtracted ? first.value - by : first.value + by);
    } else if (first.kind === "constant" && first.value === 0n && !isSubtracted) {
      first = each.value;
    } else {
      const binary = isSubtracted ? "sub" : "add";
      first = rewriter.insertAtEnd(entry, type, { op: "binary", binary }, [first, each.value]);
    }
  }
  const carried = rewriter.insertPhi(header, type, [entry, latch], [first, first], next.location);
  carried.operands[1] = rewriter.insertAtEnd(
    latch,
    type,
    { op: "binary", binary: "add" },
    [carried, constant(type, by * scale)],
    next.location,
  );
  for (const each of extensions) rewriter.replace(each, carried);
  if (extensions.length === 0) rewriter.replace(value, carried);
}
