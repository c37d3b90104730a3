/**
 * Parameters narrower than 32 bits arrive extended, as the ABI says: extending them again is needed
 * only where the kernel's verifier has to know their range. Static functions it follows from each call,
 * so that it knows; of a global function's numbers it assumes nothing, and what goes into an address,
 * a size or a loop's bound must be cut to its width there. All others are marked as trusted.
 * Needs: values instead of memory (the uses are followed); calls of static functions to be known.
 * Guarantees: nothing but marks; the rules for extensions and masks read them (known-bits.ts).
 */
import { helperTakesAnything } from "../../common/platform/helper-arguments.ts";
import type { IrFunction, IrInstruction, IrModule, Parameter, Value } from "../4-lower/ir.ts";
import { computeUses, type Use } from "../4-lower/ir-builder.ts";
import { addressRoot } from "./context.ts";
import type { Call } from "./find-noalias.ts";
import type { ModulePass } from "./pass.ts";
import { callsOfPrivate } from "./private-calls.ts";
import { replaceUses } from "./specialise-functions.ts";
import { operand } from "./values.ts";

export const trustParameters: ModulePass = {
  kind: "module",
  name: "trust-parameters",
  run({ module, runs }) {
    const callsOf = callsOfPrivate(module);
    let changed = false;
    for (const fn of module.functions) {
      if (!fn.params.some(isCandidate)) continue;
      const chosen = trustedOf(fn, callsOf.get(fn), module);
      for (const parameter of chosen) {
        const made: Parameter = { ...parameter, trusted: true };
        fn.params[parameter.index] = made;
        replaceUses(fn, parameter, made);
      }
      if (chosen.length === 0) continue;
      runs.touch(fn);
      changed = true;
    }
    return changed;
  },
};

function isCandidate({ extendedFrom, trusted }: Parameter): boolean {
  return extendedFrom !== undefined && trusted !== true;
}

function trustedOf(
  fn: IrFunction,
  calls: readonly Call[] | undefined,
  module: IrModule,
): Parameter[] {
  const candidates = fn.params.filter(isCandidate);
  if (fn.section !== ".text" || fn.naked) return [];
  // Without its calls at hand a static function is a callback: the kernel calls it.
  if (fn.binding === "local") {
    if (calls === undefined) return [];
    return candidates.filter(({ index }) =>
      calls.every(({ call }) => call.operands[index]?.type === "i32"),
    );
  }
  const uses = computeUses(fn);
  const checked = checkedAlone(module);
  return candidates.filter((each) => !isRangeNeeded(each, uses, checked));
}

/** Functions that are verified for any argument: global ones, here or in another object. */
function checkedAlone(module: IrModule): Set<string> {
  const own = module.functions.filter(({ binding }) => binding !== "local");
  const others = module.externFunctions.filter(({ section }) => section !== ".ksyms");
  return new Set([...own, ...others].map(({ name }) => name));
}

/** Whether the number reaches a place where the verifier asks for its range. */
function isRangeNeeded(
  parameter: Parameter,
  uses: ReadonlyMap<Value, readonly Use[]>,
  alone: ReadonlySet<string>,
): boolean {
  const seen = new Set<Value>([parameter]);
  for (const value of seen) {
    for (const { user, index } of uses.get(value) ?? []) {
      const verdict = judge(user, index, alone);
      if (verdict === "needed") return true;
      if (verdict === "follow") seen.add(user);
    }
  }
  return false;
}

function judge(
  user: IrInstruction,
  index: number,
  alone: ReadonlySet<string>,
): "needed" | "follow" | "free" {
  const { operation } = user;
  switch (operation.op) {
    case "binary":
    case "zext":
    case "sext":
    case "trunc":
    case "bswap":
    case "select":
      return "follow";
    case "icmp":
      // A comparison with a constant tells the verifier more by itself; one with another value may bound a loop.
      return operand(user, 1 - index).kind === "constant" ? "free" : "needed";
    case "ret":
    case "switch":
      return "free";
    case "store":
      return index === 0 && isForgotten(user) ? "free" : "needed";
    case "call":
      return isCheckedAlone(user, index, alone) ? "free" : "needed";
    default:
      return "needed";
  }
}

/** Of what lies outside of the stack the verifier remembers nothing; of a byte or two, the range by itself. */
function isForgotten(store: IrInstruction): boolean {
  const { type } = operand(store, 0);
  if (type === "i8" || type === "i16") return true;
  return addressRoot(operand(store, 1)).kind === "global";
}

/** Helpers that take any number, and functions that nobody follows from here. */
function isCheckedAlone(call: IrInstruction, index: number, alone: ReadonlySet<string>): boolean {
  if (call.operation.op !== "call") return false;
  const { callee } = call.operation;
  switch (callee.kind) {
    case "helper":
      return helperTakesAnything(callee.id, index);
    case "function":
      return alone.has(callee.symbol);
    case "indirect":
      return false;
  }
}
