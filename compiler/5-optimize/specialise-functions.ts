/**
 * Static functions that were not copied into their callers are fitted to the calls that there are: a
 * parameter that is the same constant everywhere becomes it, one that nobody reads goes, and one that is never
 * wider than 32 bits says so where that decides something. A result that nobody wants or everybody knows goes
 * too, and with it the call of a function that does nothing else. Pointers to objects that are met in one way
 * only say that (find-noalias.ts), and numbers their bound (bound-parameters.ts). Functions whose address is
 * taken, and global ones, keep their signature.
 * Needs: inline-functions before. Leaves dead code and unfolded constants behind.
 */
import type {
  Block,
  Constant,
  GlobalAddress,
  IrFunction,
  IrInstruction,
  Parameter,
  Value,
} from "../4-lower/ir.ts";
import { constant, createInstruction, sameValue } from "../4-lower/ir-builder.ts";
import { ParameterBounds } from "./bound-parameters.ts";
import { type Call, NoaliasFinder } from "./find-noalias.ts";
import { knownOf, onesOf } from "./known-bits.ts";
import type { ModulePass } from "./pass.ts";
import { callsOfPrivate } from "./private-calls.ts";
import {
  argumentRegisters,
  hasEffect,
  instructionsOf,
  isBinary,
  isLifetimeMark,
  isOp,
  operand,
} from "./values.ts";

export const specialiseFunctions: ModulePass = {
  kind: "module",
  name: "specialise-functions",
  run({ module, runs }) {
    let changed = false;
    const callsOf = callsOfPrivate(module);
    const finder = new NoaliasFinder(callsOf);
    const bounds = new ParameterBounds();
    for (const [fn, calls] of callsOf) {
      const isNoalias = markNoalias(fn, finder);
      const marked = markBounds(fn, calls, bounds) || isNoalias;
      if (!specialise(fn, calls) && !marked) continue;
      changed = true;
      runs.touch(fn);
      for (const { caller } of calls) runs.touch(caller);
    }
    return changed;
  },
};

/**
 * A function with more parameters than registers, of which all calls pass the same constants or of which it
 * reads only some, becomes one that can be called.
 * Needs: nothing; run before inlining, so that its size decides whether it is copied.
 */
export const fitParameters: ModulePass = {
  kind: "module",
  name: "fit-parameters",
  run({ module, runs }) {
    const isWide = (fn: IrFunction): boolean =>
      fn.params.length > argumentRegisters && fn.inline !== "always";
    if (!module.functions.some(isWide)) return false;
    let changed = false;
    for (const [fn, calls] of callsOfPrivate(module)) {
      if (!isWide(fn) || !fits(fn, calls)) continue;
      foldParameters(fn, calls);
      changed = removeParameters(fn, calls) || changed;
      runs.touch(fn);
      for (const { caller } of calls) runs.touch(caller);
    }
    return changed;
  },
};

/** Whether registers suffice for what is used and not the same in all calls. */
function fits(fn: IrFunction, calls: readonly Call[]): boolean {
  if (calls.some(({ call }) => call.operands.length !== fn.params.length)) return false;
  const used = usedIn(fn);
  const needed = fn.params.filter(
    (each) => used.has(each) && commonArgument(calls, each.index)?.type !== each.type,
  );
  return needed.length <= argumentRegisters;
}

function usedIn(fn: IrFunction): Set<Value> {
  const used = new Set<Value>();
  for (const { operands } of instructionsOf(fn)) for (const value of operands) used.add(value);
  return used;
}

function markNoalias(fn: IrFunction, finder: NoaliasFinder): boolean {
  const found = fn.params.filter((each) => finder.isNoalias(fn, each));
  for (const parameter of found) mark(fn, { ...parameter, noalias: true });
  return found.length > 0;
}

function markBounds(fn: IrFunction, calls: readonly Call[], bounds: ParameterBounds): boolean {
  if (calls.some(({ call }) => call.operands.length !== fn.params.length)) return false;
  let changed = false;
  for (const parameter of [...fn.params]) {
    const most = bounds.boundOf(parameter, calls);
    if (most === undefined) continue;
    mark(fn, { ...parameter, most });
    changed = true;
  }
  return changed;
}

/** Parameters are replaced, as what is known of them is part of them. */
function mark(fn: IrFunction, made: Parameter): void {
  const parameter = fn.params[made.index] as Parameter;
  fn.params[made.index] = made;
  replaceUses(fn, parameter, made);
}

function specialise(fn: IrFunction, calls: readonly Call[]): boolean {
  // A call that disagrees with the definition (no prototype) leaves both alone.
  if (calls.some(({ call }) => call.operands.length !== fn.params.length)) return false;
  const folded = foldParameters(fn, calls);
  const removed = removeParameters(fn, calls);
  const isFree = hasNoEffect(fn);
  const fitted = fitResult(fn, calls, isFree) || removed || folded;
  return (isFree && removeUnusedCalls(calls)) || fitted;
}

/** Nothing but its result can tell that the function ran; that it comes back the verifier makes sure. */
function hasNoEffect(fn: IrFunction): boolean {
  return instructionsOf(fn).every(
    (each) => !hasEffect(each) || isLifetimeMark(each) || isOp(each, "ret"),
  );
}

/** Calls go whose result nobody reads. */
function removeUnusedCalls(calls: readonly Call[]): boolean {
  let changed = false;
  for (const caller of new Set(calls.map((each) => each.caller))) {
    const used = usedIn(caller);
    const unused = new Set(calls.map(({ call }) => call).filter((call) => !used.has(call)));
    for (const block of caller.blocks) {
      if (!block.instructions.some((each) => unused.has(each))) continue;
      block.instructions = block.instructions.filter((each) => !unused.has(each));
      changed = true;
    }
  }
  return changed;
}

/** What all calls pass. */
function commonArgument(calls: readonly Call[], at: number): Constant | GlobalAddress | undefined {
  const [first, ...others] = calls.map(({ call }) => operand(call, at));
  if (first?.kind !== "constant" && first?.kind !== "global") return undefined;
  return others.every((each) => sameValue(each, first)) ? first : undefined;
}

function foldParameters(fn: IrFunction, calls: readonly Call[]): boolean {
  let changed = false;
  for (const parameter of fn.params) {
    const common = commonArgument(calls, parameter.index);
    if (common?.type === parameter.type) changed = replaceUses(fn, parameter, common) || changed;
    else if (isAlwaysNarrow(parameter, calls) && askedForWidth(fn, parameter)) {
      narrow(fn, parameter);
      changed = true;
    }
  }
  return changed;
}

/** Every call passes a number below 2^32. */
function isAlwaysNarrow(parameter: Parameter, calls: readonly Call[]): boolean {
  if (parameter.type !== "i64") return false;
  return calls.every(({ call }) => knownOf(operand(call, parameter.index)).max <= onesOf(32));
}

/** Whether something asks for the upper half, so that it is worth saying what it is. */
function askedForWidth(fn: IrFunction, parameter: Parameter): boolean {
  for (const each of instructionsOf(fn)) {
    const [value, other] = each.operands;
    if (value !== parameter || other?.kind !== "constant") continue;
    if (isBinary(each, "lshr") && other.value >= 32n) return true;
    if (isOp(each, "icmp") && other.value > onesOf(32)) return true;
  }
  return false;
}

/** p → zext(trunc p) */
function narrow(fn: IrFunction, parameter: Parameter): void {
  const entry = fn.blocks[0] as Block;
  const low = createInstruction(fn, entry, "i32", { op: "trunc" }, [parameter]);
  const wide = createInstruction(fn, entry, "i64", { op: "zext" }, [low]);
  replaceUses(fn, parameter, wide);
  const first = entry.instructions.findIndex((each) => each.operation.op !== "alloca");
  entry.instructions.splice(first, 0, low, wide);
}

function removeParameters(fn: IrFunction, calls: readonly Call[]): boolean {
  const used = usedIn(fn);
  const kept = fn.params.filter((parameter) => used.has(parameter));
  if (kept.length === fn.params.length) return false;
  const moved = new Map<Value, Parameter>();
  const params = kept.map((parameter, index) => {
    const made = { ...parameter, index };
    moved.set(parameter, made);
    return made;
  });
  for (const { operands } of instructionsOf(fn)) {
    for (const [at, value] of operands.entries()) operands[at] = moved.get(value) ?? value;
  }
  // A call in the function itself passes the moved parameters on.
  for (const { call } of calls) {
    call.operands = kept.map(({ index }) => operand(call, index));
    forgetSignature(call);
  }
  fn.params = params;
  return true;
}

function forgetSignature(call: IrInstruction): void {
  if (call.operation.op !== "call" || call.operation.signature === undefined) return;
  const { signature: _, ...rest } = call.operation;
  call.operation = rest;
}

function fitResult(fn: IrFunction, calls: readonly Call[], isFree: boolean): boolean {
  if (fn.returns === "void") return false;
  const returns = [...instructionsOf(fn)].filter((each) => isOp(each, "ret"));
  const [first] = returns.map((each) => each.operands[0]);
  const isSame = returns.every(
    ({ operands: [value] }) => value && first && sameValue(value, first),
  );
  let changed = false;
  if (first?.kind === "constant" && isSame) {
    const result = constant(first.type, first.value);
    for (const { caller, call } of calls) {
      changed = replaceUses(caller, call, result, isFree ? undefined : passesOn) || changed;
    }
  }
  if (calls.some(({ caller, call }) => isUsed(caller, call))) return changed;
  fn.returns = "void";
  for (const each of returns) each.operands = [];
  for (const { call } of calls) {
    call.type = "void";
    forgetSignature(call);
  }
  return true;
}

function isUsed(fn: IrFunction, value: Value): boolean {
  for (const { operands } of instructionsOf(fn)) if (operands.includes(value)) return true;
  return false;
}

/** A result that is only passed on is in its register already; a constant would have to be put there. */
function passesOn(user: IrInstruction): boolean {
  return isOp(user, "ret") || isOp(user, "phi");
}

/** All uses of a value become another, but for those of certain users. Returns whether there were any. */
export function replaceUses(
  fn: IrFunction,
  value: Value,
  by: Value,
  isKept: (user: IrInstruction) => boolean = () => false,
): boolean {
  let changed = false;
  for (const user of instructionsOf(fn)) {
    if (isKept(user)) continue;
    const { operands } = user;
    for (const [at, each] of operands.entries()) {
      if (each !== value) continue;
      operands[at] = by;
      changed = true;
    }
  }
  return changed;
}
