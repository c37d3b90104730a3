/**
 * Which pointer parameters of static functions lead to an object that nothing else in the function leads
 * to: at every call the argument is a stack object of the caller whose address goes nowhere but into
 * accesses, helpers and calls like this one. Needs all calls of the functions to be known.
 */
import type { IrFunction, IrInstruction, Parameter, Value } from "../4-lower/ir.ts";
import { computeUses, type Use } from "../4-lower/ir-builder.ts";
import { helperEffects } from "./effects.ts";
import { addressUses } from "./escapes.ts";
import { constantAddress, isConstantOffset, isOp, operand } from "./values.ts";

export interface Call {
  readonly caller: IrFunction;
  readonly call: IrInstruction;
}

/** Asks about the functions in `calls`, each with all its calls. */
export class NoaliasFinder {
  readonly #calls: ReadonlyMap<IrFunction, readonly Call[]>;
  readonly #byName: ReadonlyMap<string, IrFunction>;
  readonly #uses = new Map<IrFunction, Map<Value, Use[]>>();
  /** Of parameters that are being asked about it is assumed that they keep to themselves. */
  readonly #private = new Map<Parameter, boolean>();

  constructor(calls: ReadonlyMap<IrFunction, readonly Call[]>) {
    this.#calls = calls;
    this.#byName = new Map([...calls.keys()].map((fn) => [fn.name, fn]));
  }

  isNoalias(fn: IrFunction, parameter: Parameter): boolean {
    if (parameter.type !== "ptr" || !this.#isPrivate(fn, parameter)) return false;
    return (this.#calls.get(fn) ?? []).every(({ caller, call }) => {
      const { base } = constantAddress(operand(call, parameter.index));
      if (!isOp(base, "alloca") || !this.#keepsToItself(caller, base)) return false;
      return call.operands.every(
        (each, at) => at === parameter.index || constantAddress(each).base !== base,
      );
    });
  }

  #isPrivate(fn: IrFunction, parameter: Parameter): boolean {
    const known = this.#private.get(parameter);
    if (known !== undefined) return known;
    this.#private.set(parameter, true);
    const result = this.#keepsToItself(fn, parameter);
    this.#private.set(parameter, result);
    return result;
  }

  /** Neither stored, nor mixed with other pointers, nor made a number of. */
  #keepsToItself(fn: IrFunction, pointer: Value): boolean {
    let uses = this.#uses.get(fn);
    if (uses === undefined) this.#uses.set(fn, (uses = computeUses(fn)));
    const work = [pointer];
    for (let each = work.pop(); each !== undefined; each = work.pop()) {
      for (const { user, index } of uses.get(each) ?? []) {
        if (index === 0 && isConstantOffset(user)) {
          work.push(user);
        } else if (!this.#isHarmless(user, index)) return false;
      }
    }
    return true;
  }

  #isHarmless(user: IrInstruction, index: number): boolean {
    const { operation } = user;
    if (addressUses.has(operation.op)) return true;
    switch (operation.op) {
      case "store":
        return index === 1;
      case "call": {
        const { callee } = operation;
        if (callee.kind === "helper") return helperEffects(callee.id)?.clobbersAll === false;
        const target = callee.kind === "function" ? this.#byName.get(callee.symbol) : undefined;
        const parameter = target?.params[index];
        return (
          target !== undefined && parameter !== undefined && this.#isPrivate(target, parameter)
        );
      }
      default:
        return false;
    }
  }
}
