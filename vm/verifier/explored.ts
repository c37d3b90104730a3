/** Checkpoints: where states are kept, compared with the current one, and given up. */
import type { Env, Explored } from "./env.ts";
import { noteJump } from "./history.ts";
import { isIteratorNext } from "./kfuncs.ts";
import { opMayGoto } from "./opcodes.ts";
import { clearPrecision, propagatePrecision } from "./precision.ts";
import { printState } from "./print-state.ts";
import { programFlag } from "./program-variants.ts";
import { activeDepthsDiffer, mayBeLooping, statesEqual } from "./prune.ts";
import { notInitReg } from "./reg.ts";
import { verboseLine } from "./source-lines.ts";
import { copyState, currentFrame, emptySlot, type State } from "./state.ts";
import { errno } from "./stop.ts";
import { bucketOf, sameCallsites } from "./visits.ts";

/** Drops what cannot be read any more, so that more states are equal to it. */
function clean(env: Env, state: State): void {
  state.isCleaned = true;
  for (const [i, frame] of state.frames.entries()) {
    const insn = state.frames[i + 1]?.callsite ?? state.insn;
    const live = env.facts.liveBefore[insn]!;
    for (let r = 0; r < 10; r += 1) {
      if ((live & (1 << r)) === 0) frame.regs[r] = notInitReg;
    }
    for (let s = 0; s < frame.stack.length; s += 1) {
      if (frame.stack[s] === emptySlot) continue;
      if (!env.liveStack!.isSlotAlive(state, i, s)) frame.stack[s] = emptySlot;
    }
  }
}

function cleanFinished(env: Env, list: readonly Explored[], insn: number): void {
  for (const { state } of list) {
    if (state.branches > 0 || state.insn !== insn || state.isCleaned) continue;
    if (!sameCallsites(state, env.state)) continue;
    if (env.sccVisits!.isIncomplete(state)) continue;
    clean(env, state);
  }
}

type Comparison = "hit" | "loop" | "miss" | "miss-on-path";

function rejectInfiniteLoop(env: Env, old: State, insn: number): never {
  verboseLine(env, insn, "; ");
  env.say(`infinite loop detected at insn ${insn}`);
  const frame = env.state.frames.length - 1;
  env.say(`cur state:${printState(env, env.state, frame, true)}`);
  env.reject(`old state:${printState(env, old, frame, true)}`, errno.invalid);
}

/** Whether the iterator that r1 points to has elements left, for all that is known. */
function isActiveIterator(state: State): boolean {
  const reg = currentFrame(state).regs[1]!;
  const offset = reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
  const slot = state.frames[reg.frame]?.stack[Math.trunc((-offset - 1) / 8)];
  return slot?.reg.iterator?.state === "active";
}

/** A checkpoint on the current path: converged, looping for ever, or still making progress. */
function compareOnPath(env: Env, old: State, insn: number): Comparison {
  const { state } = env;
  const frame = currentFrame(old);
  const isAsync = frame.callback?.isAsync ?? false;
  if (isAsync && frame.asyncEntries !== currentFrame(state).asyncEntries) return "miss-on-path";
  if (isIteratorNext(env, env.insnAt(insn))) {
    const isEqual = statesEqual(env, old, state, "within");
    return isEqual && isActiveIterator(state) ? "loop" : "miss-on-path";
  }
  if (env.insnAt(insn).code === opMayGoto && old.mayGotoDepth !== state.mayGotoDepth) {
    if (statesEqual(env, old, state, "within")) return "loop";
  }
  if (env.facts.callsCallback[insn] === 1) {
    return statesEqual(env, old, state, "within") ? "loop" : "miss-on-path";
  }
  const isSame =
    mayBeLooping(old, state) &&
    statesEqual(env, old, state, "exact") &&
    !activeDepthsDiffer(old, state) &&
    old.mayGotoDepth === state.mayGotoDepth &&
    old.callbackUnroll === state.callbackUnroll;
  if (isSame) rejectInfiniteLoop(env, old, insn);
  return "miss-on-path";
}

function compare(env: Env, old: State, insn: number): Comparison {
  if (old.branches > 0) return compareOnPath(env, old, insn);
  const isLoop = env.sccVisits!.isIncomplete(old);
  if (!statesEqual(env, old, env.state, isLoop ? "within" : "loose")) return "miss";
  return isLoop ? "loop" : "hit";
}

function acceptHit(env: Env, old: State, insn: number, isLoop: boolean): void {
  if (env.facts.jumpPoint[env.insn] === 1) noteJump(env);
  propagatePrecision(env, old, env.state, { changed: false });
  if (!isLoop) return;
  const edge = copyState(env.state);
  edge.equalState = old;
  edge.insn = insn;
  env.sccVisits!.addBackEdge(old, edge);
}

function addCheckpoint(env: Env, list: Explored[], insn: number): void {
  const { state } = env;
  env.totalStates += 1;
  if (env.checkpoints !== undefined) env.checkpoints[insn] = (env.checkpoints[insn] ?? 0) + 1;
  env.exploredStates += 1;
  env.peakStates = Math.max(env.peakStates, env.exploredStates);
  env.previousJumps = env.jumpsProcessed;
  env.previousProcessed = env.processed;
  clearPrecision(state);
  const checkpoint = copyState(state);
  checkpoint.insn = insn;
  checkpoint.branches = 1;
  checkpoint.isCleaned = false;
  env.sccVisits!.enter(checkpoint);
  state.parent = checkpoint;
  state.firstInsn = insn;
  state.dfsDepth = checkpoint.dfsDepth + 1;
  state.history = [];
  list.unshift({ state: checkpoint, hits: 0, misses: 0 });
}

/** Evicts checkpoints that were compared often and in vain. */
function countMiss(env: Env, list: Explored[], at: number, insn: number): boolean {
  const explored = list[at]!;
  explored.misses += 1;
  const isKept = env.facts.forceCheckpoint[insn] === 1 && explored.state.branches > 0;
  const factor = isKept ? 64 : 3;
  if (explored.misses <= explored.hits * factor + factor) return false;
  list.splice(at, 1);
  env.exploredStates -= 1;
  return true;
}

/** Whether the current state is covered by an earlier one; if not, it may become a checkpoint. */
export function isVisited(env: Env, insn: number): boolean {
  const { state } = env;
  const isTest = (env.input.flags & programFlag.testStateFrequency) !== 0;
  const forced = isTest || env.facts.forceCheckpoint[insn] === 1 || state.history.length > 40;
  const jumps = env.jumpsProcessed - env.previousJumps;
  const processed = env.processed - env.previousProcessed;
  let adds = forced || (jumps >= 2 && processed >= 8);
  const bucket = bucketOf(env, insn);
  const list = (env.explored[bucket] ??= []);
  cleanFinished(env, list, insn);
  for (let at = 0; at < list.length; at += 1) {
    const explored = list[at]!;
    if (explored.state.insn !== insn) continue;
    const result = compare(env, explored.state, insn);
    if (result === "hit" || result === "loop") {
      explored.hits += 1;
      acceptHit(env, explored.state, insn, result === "loop");
      return true;
    }
    if (result === "miss-on-path" && !forced && jumps < 20 && processed < 100) adds = false;
    if (adds && countMiss(env, list, at, insn)) at -= 1;
  }
  if (adds) addCheckpoint(env, list, insn);
  return false;
}

/** A path below the current state ended: checkpoints without open paths are complete. */
export function finishPath(env: Env): void {
  let state: State | undefined = env.state;
  while (state !== undefined) {
    state.branches -= 1;
    if (state.branches > 0) break;
    env.sccVisits!.exit(state);
    state = state.parent;
  }
}
