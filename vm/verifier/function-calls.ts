/** Calls of the program's own functions, returns from them, and callbacks that helpers call. */
import { pushAsync, pushPath, widenImprecise } from "./branching.ts";
import { type Env, subprogramAt } from "./env.ts";
import { type FunctionArg, functionArgs, matchArgs } from "./function-args.ts";
import type { VerifierMap } from "./input.ts";
import type { RawInsn } from "./opcodes.ts";
import { invalidatePacketPointers } from "./packet-pointers.ts";
import { markPrecise } from "./precision.ts";
import { printState } from "./print-state.ts";
import { notInitReg, pointerReg, type Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { clearCallerSaved, framePointer, setUnknown } from "./registers.ts";
import { checkRange } from "./return-codes.ts";
import { type Frame, maxFrames, newFrame, type State } from "./state.ts";
import { errno, Rejection, Unsupported } from "./stop.ts";
import { previousVisit } from "./visits.ts";

/** A frame whose registers are unset but for the frame pointer. */
export function emptyFrame(callsite: number, frameNo: number, subprog: number): Frame {
  const frame = newFrame(callsite, frameNo, subprog);
  const pointer = pointerReg(kind.stack);
  pointer.frame = frameNo;
  frame.regs[framePointer] = pointer;
  return frame;
}

/** Adds the callee's frame to a state; `fill` sets its argument registers. */
function enter(
  env: Env,
  state: State,
  subprog: number,
  callsite: number,
  fill: (callee: Frame) => void,
): void {
  const depth = state.frames.length;
  if (depth >= maxFrames) {
    env.reject(`the call stack of ${depth + 1} frames is too deep`, errno.tooBig);
  }
  const callee = emptyFrame(callsite, depth, subprog);
  fill(callee);
  state.frames.push(callee);
}

/** Whether the arguments fit what BTF says; messages are said, static functions are let off. */
function argsFit(env: Env, subprog: number): boolean {
  const sub = env.subprograms[subprog]!;
  if (env.input.functions.length === 0) return true;
  if (env.input.btf === undefined) {
    if (sub.linkage === "global") env.unsupported("global function without BTF");
    return true;
  }
  if (sub.isUnreliable) return false;
  let args: FunctionArg[] | undefined;
  try {
    args = functionArgs(env, sub);
    if (args !== undefined && matchArgs(env, args)) return true;
  } catch (stop) {
    if (!(stop instanceof Rejection) || stop instanceof Unsupported) throw stop;
  }
  sub.isUnreliable = true;
  return false;
}

function callGlobal(env: Env, subprog: number, fits: boolean): void {
  const sub = env.subprograms[subprog]!;
  const { state } = env;
  if (state.activeLocks > 0) {
    env.say("global function calls are not allowed while holding a lock,");
    env.reject("use static function instead", errno.invalid);
  }
  const isProtected =
    state.activeRcu > 0 || state.activePreempt > 0 || state.activeIrq !== 0 || !state.inSleepable;
  if (sub.mightSleep && isProtected) {
    env.say("global functions that may sleep are not allowed in non-sleepable context,");
    env.say("i.e., in a RCU/IRQ/preempt-disabled section, or in");
    env.reject("a non-sleepable BPF program context", errno.invalid);
  }
  if (!fits) {
    env.reject(`Caller passes invalid args into func#${subprog} ('${sub.name}')`, errno.invalid);
  }
  if (env.log.isTracing) {
    env.say(`Func#${subprog} ('${sub.name}') is global and assumed valid.`);
  }
  if (sub.changesPacket) invalidatePacketPointers(env);
  sub.isCalled = true;
  clearCallerSaved(env);
  setUnknown(env, 0);
}

/** Gives the next instruction. */
export function callFunction(env: Env, insn: RawInsn): number {
  const subprog = subprogramAt(env, env.insn + insn.imm + 1);
  const sub = env.subprograms[subprog]!;
  const fits = argsFit(env, subprog);
  if (sub.linkage === "global" && env.input.functions.length > 0) {
    callGlobal(env, subprog, fits);
    return env.insn + 1;
  }
  const { state } = env;
  const caller = env.frame;
  enter(env, state, subprog, env.insn, (callee) => {
    for (let r = 1; r <= 5; r += 1) callee.regs[r] = caller.regs[r]!;
  });
  for (let r = 0; r <= 5; r += 1) {
    caller.regs[r] = notInitReg;
    env.scratchReg(r);
  }
  env.scratchReg(framePointer);
  env.liveStack?.leave();
  if (env.log.isTracing) {
    env.say(`caller:\n${printState(env, state, caller.frameNo, true)}`);
    env.say(`callee:\n${printState(env, state, caller.frameNo + 1, true)}`);
  }
  return sub.start;
}

function checkCallbackReturn(env: Env, callee: Frame): void {
  const reg = callee.regs[0]!;
  if (reg.type !== kind.scalar) env.reject("R0 not a scalar value");
  markPrecise(env, 0);
  if (callee.callback !== undefined) {
    checkRange(env, 0, reg, callee.callback.range, "At callback return");
  }
}

/** From an inner frame back to its caller; callbacks go back to the call that runs them. */
export function returnFromFunction(env: Env): number {
  const { state } = env;
  const callee = env.frame;
  const caller = state.frames[state.frames.length - 2]!;
  const result: Reg = callee.regs[0]!;
  if (result.type === kind.stack) {
    env.reject("cannot return stack pointer to the caller", errno.invalid);
  }
  const isCallback = callee.callback !== undefined;
  if (isCallback) checkCallbackReturn(env, callee);
  else caller.regs[0] = result;
  const next = isCallback ? callee.callsite : callee.callsite + 1;
  if (env.log.isTracing) {
    env.say(`returning from callee:\n${printState(env, state, callee.frameNo, true)}`);
    env.say(`to caller at ${next}:\n${printState(env, state, caller.frameNo, true)}`);
  }
  state.frames.pop();
  env.liveStack?.leave();
  if (isCallback) {
    const previous = previousVisit(env, state, next);
    if (previous !== undefined) widenImprecise(previous, state);
  }
  return next;
}

/** How a helper calls a callback. */
export interface CallbackSetup {
  readonly fill: (caller: Frame, callee: Frame) => void;
  readonly max: number;
  /** 0 if absent. */
  readonly min?: number;
  /** Whether a callback that runs later may sleep then. */
  readonly isSleepable?: boolean;
}

/** One more round of a callback that the helper calls before it returns. */
export function pushCallback(env: Env, subprog: number, setup: CallbackSetup): void {
  argsFit(env, subprog);
  const sub = env.subprograms[subprog]!;
  sub.isCallback = true;
  const caller = env.frame;
  env.scratchAll();
  const state = pushPath(env, sub.start, env.insn);
  enter(env, state, subprog, env.insn, (callee) => {
    setup.fill(caller, callee);
    callee.callback = { isAsync: false, range: { min: 0, max: setup.max } };
  });
  state.callbackUnroll += 1;
  const outer = state.frames[state.frames.length - 2]!;
  outer.callbackDepth += 1;
  caller.callbackDepth = 0;
}

/** What a timer or work item calls, with the map that it is in. */
export function timerSetup(f: { readonly map: VerifierMap | undefined }): CallbackSetup {
  const pointerTo = (type: number): Reg => {
    const reg = pointerReg(type);
    reg.map = f.map;
    return reg;
  };
  const fill = (_caller: Frame, callee: Frame): void => {
    callee.regs[1] = pointerTo(kind.mapPtr);
    callee.regs[2] = pointerTo(kind.mapKey);
    callee.regs[3] = pointerTo(kind.mapValue);
  };
  return { fill, max: 0 };
}

/** A callback that runs some time later, on its own stack. */
export function pushAsyncCallback(env: Env, subprog: number, setup: CallbackSetup): void {
  argsFit(env, subprog);
  const sub = env.subprograms[subprog]!;
  sub.isCallback = true;
  sub.isAsyncCallback = true;
  env.scratchAll();
  const caller = env.frame;
  const callee = emptyFrame(-1, 0, subprog);
  callee.asyncEntries = caller.asyncEntries + 1;
  setup.fill(caller, callee);
  callee.callback = { isAsync: true, range: { min: setup.min ?? 0, max: setup.max } };
  const state = pushAsync(env, sub.start, env.insn, callee);
  state.inSleepable = setup.isSleepable === true;
}
