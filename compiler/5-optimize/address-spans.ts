/** How far an address with variable steps may lie from where it is counted from. */
import type { Value } from "../4-lower/ir.ts";
import { signedValue } from "../4-lower/ir-builder.ts";
import { knownOf } from "./known-bits.ts";
import { isOp, operand } from "./values.ts";

/** How far an address may lie from another, in bytes. */
export interface Span {
  readonly root: Value;
  readonly least: number;
  readonly most: number;
}

/** Beyond this an index says nothing of where it leads: an address could come round. Indices of 32 bits stay below. */
const farthest = 1n << 40n;

/** Through the constant steps of an address, and those that are known to be small. */
export function findSpan(address: Value): Span | undefined {
  let root = address;
  let [least, most] = [0n, 0n];
  while (isOp(root, "ptradd")) {
    const step = operand(root, 1);
    root = operand(root, 0);
    if (step.kind === "constant") {
      least += signedValue(step);
      most += signedValue(step);
      continue;
    }
    const { min, max } = knownOf(step);
    least += min;
    most += max;
    if (most > farthest) return undefined;
  }
  return { root, least: Number(least), most: Number(most) };
}
