/**
 * Quotient and remainder of the same numbers need one division: x % y → x − (x / y) · y. That holds for
 * y = 0 as well, where BPF's quotient is 0 and the remainder x. Divisions are by far the slowest arithmetic.
 * Needs: number-values before, so that equal operands are one value. Works within a block.
 */
import type { Block, IrInstruction } from "../4-lower/ir.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { isBinary, operand } from "./values.ts";

export const pairDivisions: FunctionPass = {
  kind: "function",
  name: "pair-divisions",
  run(fn) {
    const rewriter = new Rewriter(fn);
    for (const block of fn.blocks) pairIn(block, rewriter);
    return rewriter.apply();
  },
};

interface Pair {
  quotient?: IrInstruction;
  remainder?: IrInstruction;
}

function pairIn(block: Block, rewriter: Rewriter): void {
  const pairs: Pair[] = [];
  for (const each of block.instructions) {
    const isQuotient = isBinary(each, "udiv");
    if (!isQuotient && !isBinary(each, "urem")) continue;
    let pair = pairs.find(({ quotient, remainder }) => {
      const [x, y] = (quotient ?? remainder)?.operands ?? [];
      return x === operand(each, 0) && isSameDivisor(y, operand(each, 1));
    });
    if (pair === undefined) pairs.push((pair = {}));
    if (isQuotient) pair.quotient ??= each;
    else pair.remainder ??= each;
  }
  for (const { quotient, remainder } of pairs) {
    if (quotient !== undefined && remainder !== undefined) join(quotient, remainder, rewriter);
  }
}

function isSameDivisor(a: IrInstruction["operands"][number] | undefined, b: typeof a): boolean {
  if (a?.kind !== "constant" || b?.kind !== "constant") return a === b;
  return a.value === b.value && a.type === b.type;
}

function join(quotient: IrInstruction, remainder: IrInstruction, rewriter: Rewriter): void {
  const { type, operands } = remainder;
  const [x, y] = [operand(remainder, 0), operand(remainder, 1)];
  // The division is made where the first of the two stood.
  const { instructions } = remainder.block;
  const isLater = instructions.indexOf(quotient) > instructions.indexOf(remainder);
  const first = isLater
    ? rewriter.insertBefore(remainder, type, quotient.operation, operands)
    : quotient;
  if (isLater) rewriter.replace(quotient, first);
  const product = rewriter.insertBefore(remainder, type, { op: "binary", binary: "mul" }, [
    first,
    y,
  ]);
  const rest = rewriter.insertBefore(remainder, type, { op: "binary", binary: "sub" }, [
    x,
    product,
  ]);
  rewriter.replace(remainder, rest);
}
