/**
 * The greatest numbers that the calls of a static function pass, where something says so at every call: in
 * the function its parameter is then as well known as a masked value, so that sums of it do not wrap.
 * The verifier follows each of these calls and knows the same: only what it finds as well is used.
 */
import { bitWidth, type IrFunction, type Parameter } from "../4-lower/ir.ts";
import type { ValueType } from "../4-lower/ir-builder.ts";
import { type EdgeRanges, edgeRangesOf } from "./edge-ranges.ts";
import type { Call } from "./find-noalias.ts";
import { operand } from "./values.ts";

/** Calls that are looked at of one function. */
const mostCalls = 16;
/** Greater numbers say nothing that is of use. */
const largest = 0x7fffffffn;

export class ParameterBounds {
  readonly #ranges = new Map<IrFunction, EdgeRanges>();

  /** The bound of a parameter; undefined where there is none, or nothing new. */
  boundOf(parameter: Parameter, calls: readonly Call[]): number | undefined {
    const { type, index, most } = parameter;
    if (type === "ptr" || bitWidth[type as ValueType] < 32 || calls.length > mostCalls) return;
    let bound = 0n;
    for (const { caller, call } of calls) {
      const value = operand(call, index);
      if (value.type !== type) return;
      const range = this.#rangesOf(caller).rangeIn(value, call.block);
      if (range === undefined || range.max > largest || range.min > range.max) return;
      if (range.max > bound) bound = range.max;
    }
    return most !== undefined && bound >= BigInt(most) ? undefined : Number(bound);
  }

  #rangesOf(fn: IrFunction): EdgeRanges {
    const known = this.#ranges.get(fn);
    if (known !== undefined) return known;
    const made = edgeRangesOf(fn);
    this.#ranges.set(fn, made);
    return made;
  }
}
