/**
 * In a loop whose rounds were joined, random numbers and the like go on from one another: y = x * a + b, z = y * a + b, …
 * Each is computed from the first: z = x * a² + (a * b + b). The next round then waits for one product instead of eight.
 *
 * Needs: unrolling done. Guarantees: as many products and sums; one register more, where the loop has it.
 */
import { findLoops, type Loop } from "../4-lower/cfg.ts";
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, phisOf } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { fitsRegisters } from "./register-pressure.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, operand } from "./values.ts";

export const shortenChains: FunctionPass = {
  kind: "function",
  name: "shorten-chains",
  run(fn, { runs }) {
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const { uses } = runs.factsOf(fn);
    const isUsedOnce = (value: Value): boolean => uses.get(value)?.length === 1;
    const rewriter = new Rewriter(fn);
    for (const loop of loops) {
      for (const phi of phisOf(loop.header)) shorten(phi, loop, { fn, rewriter, isUsedOnce });
    }
    return rewriter.apply();
  },
};

/** Links from which on it pays, and beyond which not. Of 32 bits only: wider factors do not fit an instruction. */
const fewestLinks = 3;
const mostLinks = 64;

interface Surroundings {
  readonly fn: IrFunction;
  readonly rewriter: Rewriter;
  isUsedOnce(value: Value): boolean;
}

interface Link {
  readonly sum: IrInstruction;
  readonly product: IrInstruction;
  readonly factor: bigint;
  readonly addend: bigint;
}

function shorten(phi: IrInstruction, loop: Loop, { fn, rewriter, isUsedOnce }: Surroundings): void {
  const [latch, ...others] = loop.latches;
  if (phi.type !== "i32" || phi.operation.op !== "phi" || latch === undefined || others.length > 0)
    return;
  const links: Link[] = [];
  let value = phi.operands[phi.operation.incoming.indexOf(latch)];
  for (let link = linkOf(value); link !== undefined; link = linkOf(value)) {
    if (!isUsedOnce(link.product)) return;
    links.push(link);
    value = operand(link.product, 0);
    if (value === phi) break;
    if (links.length > mostLinks) return;
  }
  if (value !== phi || links.length < fewestLinks || !fitsRegisters(fn, loop, 1)) return;
  let [factor, addend] = [1n, 0n];
  for (const link of links.toReversed()) {
    factor = BigInt.asIntN(32, factor * link.factor);
    addend = BigInt.asIntN(32, addend * link.factor + link.addend);
    const { product, sum } = link;
    if (operand(product, 0) === phi) continue;
    product.operands.splice(0, 2, phi, constant("i32", factor));
    sum.operands[1] = constant("i32", addend);
    rewriter.touch();
  }
}

/** x * a + b that nothing else of the product is read of. */
function linkOf(value: Value | undefined): Link | undefined {
  if (!isBinary(value, "add")) return undefined;
  const [product, b] = [operand(value, 0), operand(value, 1)];
  if (b.kind !== "constant" || !isBinary(product, "mul")) return undefined;
  const a = operand(product, 1);
  if (a.kind !== "constant") return undefined;
  return { sum: value, product, factor: a.value, addend: b.value };
}
