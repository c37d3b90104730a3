/** Runs the program abstractly along every path that is not covered by an earlier one. */
import { checkAlu } from "./alu.ts";
import type { Env } from "./env.ts";
import { finishPath, isVisited } from "./explored.ts";
import { callFunction, returnFromFunction } from "./function-calls.ts";
import { callHelper } from "./helper-calls.ts";
import { helperId } from "./helper-ids.ts";
import { noteJump } from "./history.ts";
import { checkBranch } from "./jump.ts";
import { callKfunc } from "./kfunc-calls.ts";
import { mayCallWithLock } from "./kfuncs.ts";
import { checkLoadImm64 } from "./load-imm64.ts";
import { checkLoad, checkPacketLoad, checkStore } from "./memory-insns.ts";
import { callKind, insnClass, jmpOp, memMode, opJumpLong, type RawInsn } from "./opcodes.ts";
import { pathEnd } from "./path.ts";
import { noteStep } from "./path-steps.ts";
import { printInsn } from "./print-insn.ts";
import { printReg, printState, traceInsnState } from "./print-state.ts";
import { checkResources } from "./references.ts";
import { checkReturn } from "./return-codes.ts";
import { verboseLine } from "./source-lines.ts";
import { noteState } from "./state-view.ts";
import { errno } from "./stop.ts";

function checkCallFields(env: Env, insn: RawInsn): void {
  const isKfunc = insn.src === callKind.kfunc;
  const isBad =
    (insn.code & 8) !== 0 ||
    (!isKfunc && insn.off !== 0) ||
    insn.src > callKind.kfunc ||
    insn.dst !== 0 ||
    (insn.code & 7) === insnClass.jmp32;
  if (isBad) env.reject("BPF_CALL uses reserved fields", errno.invalid);
  if (env.state.activeLocks === 0) return;
  const isHelper = insn.src === callKind.helper;
  if (isHelper ? insn.imm !== helperId.spinUnlock : isKfunc && !mayCallWithLock(env, insn)) {
    env.reject("function calls are not allowed while holding a lock", errno.invalid);
  }
}

function call(env: Env, insn: RawInsn): number {
  checkCallFields(env, insn);
  if (insn.src === callKind.local) return callFunction(env, insn);
  if (insn.src === callKind.kfunc) return callKfunc(env, insn);
  return callHelper(env, insn);
}

function jump(env: Env, insn: RawInsn): number {
  const isLong = insn.code === opJumpLong;
  const isBad =
    (insn.code & 8) !== 0 ||
    insn.src !== 0 ||
    insn.dst !== 0 ||
    (isLong ? insn.off !== 0 : insn.imm !== 0);
  if (isBad) env.reject("BPF_JA uses reserved fields", errno.invalid);
  return env.insn + (isLong ? insn.imm : insn.off) + 1;
}

function exit(env: Env, insn: RawInsn): number {
  const isBad =
    (insn.code & 8) !== 0 ||
    insn.imm !== 0 ||
    insn.src !== 0 ||
    insn.dst !== 0 ||
    (insn.code & 7) === insnClass.jmp32;
  if (isBad) env.reject("BPF_EXIT uses reserved fields", errno.invalid);
  const isOutermost = env.state.frames.length === 1;
  checkResources(env, isOutermost, "BPF_EXIT instruction in main prog");
  if (isOutermost) {
    checkReturn(env, 0);
    return pathEnd;
  }
  env.liveStack!.update();
  env.isNewPath = true;
  return returnFromFunction(env);
}

function checkJump(env: Env, insn: RawInsn): number {
  env.jumpsProcessed += 1;
  switch (insn.code & 0xf0) {
    case jmpOp.call:
      return call(env, insn);
    case jmpOp.ja:
      return jump(env, insn);
    case jmpOp.exit:
      return exit(env, insn);
    default:
      return checkBranch(env, insn);
  }
}

function checkLd(env: Env, insn: RawInsn): number {
  const mode = insn.code & 0xe0;
  if (mode === memMode.abs || mode === memMode.ind) {
    return checkPacketLoad(env, insn);
  }
  if (mode !== memMode.imm) env.reject("invalid BPF_LD mode", errno.invalid);
  checkLoadImm64(env, insn);
  return env.insn + 2;
}

/** Gives the next instruction, or {@link pathEnd}. */
function checkInsn(env: Env, insn: RawInsn): number {
  switch (insn.code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
      checkAlu(env, insn);
      return env.insn + 1;
    case insnClass.ldx:
      checkLoad(env, insn);
      return env.insn + 1;
    case insnClass.st:
    case insnClass.stx:
      checkStore(env, insn);
      return env.insn + 1;
    case insnClass.ld:
      return checkLd(env, insn);
    default:
      return checkJump(env, insn);
  }
}

function traceInsn(env: Env): void {
  const { log } = env;
  if (env.isNewPath && log.isDetailed) {
    const state = printState(env, env.state, env.state.frames.length - 1, true);
    log.trace(`\nfrom ${env.previousInsn} to ${env.insn}:${state}\n`);
    env.isNewPath = false;
  }
  if (env.hasScratched) traceInsnState(env);
  verboseLine(env, env.insn, "; ");
  log.traceInsn(`${env.insn}: ${printInsn(env, env.insn)}`);
}

function tracePruned(env: Env): void {
  if (!env.log.isTracing) return;
  if (env.isNewPath) env.say(`\nfrom ${env.previousInsn} to ${env.insn}: safe`);
  else env.say(`${env.insn}: safe`);
}

function watch(env: Env): void {
  const wanted = env.options.watch;
  if (wanted === undefined || wanted.insn !== env.insn) return;
  const frame = env.state.frames.length - 1;
  env.watched.push(printReg(env.regs[wanted.register]!, frame));
}

function countInsn(env: Env): void {
  env.processed += 1;
  if (env.visits !== undefined) env.visits[env.insn] = (env.visits[env.insn] ?? 0) + 1;
  if (env.processed > env.maxProcessed) {
    env.reject(`BPF program is too large. Processed ${env.processed} insn`, errno.tooBig);
  }
}

/** Takes up the path left last; false if there is none. */
function nextPath(env: Env): boolean {
  env.scratchAll();
  env.liveStack!.update();
  finishPath(env);
  const next = env.pending.pop();
  if (next === undefined) return false;
  if (!env.log.isDetailed) env.log.reset(next.log);
  env.state = next.state;
  env.insn = next.insn;
  env.previousInsn = next.previous;
  env.trail = { start: env.processed + 1, parent: next.trail, fork: next.fork };
  env.isNewPath = true;
  env.liveStack!.leave();
  return true;
}

/** One instruction; false at the end of a path. */
function step(env: Env): boolean {
  env.historyEntry = undefined;
  const insn = env.insns[env.insn];
  if (insn === undefined) {
    env.reject(`invalid insn idx ${env.insn} insn_cnt ${env.insns.length}`, errno.fault);
  }
  countInsn(env);
  env.state.lastInsn = env.previousInsn;
  env.state.insn = env.insn;
  if (env.follow !== undefined) noteStep(env, env.follow);
  if (env.facts.prunePoint[env.insn] === 1 && isVisited(env, env.insn)) {
    tracePruned(env);
    return false;
  }
  if (env.facts.jumpPoint[env.insn] === 1) noteJump(env);
  if (env.log.isTracing) traceInsn(env);
  if (env.options.states !== undefined) noteState(env, env.options.states.limit);
  env.facts.seen[env.insn] = 1;
  env.liveStack!.begin(env.insn);
  const next = checkInsn(env, insn);
  if (env.options.watch !== undefined) watch(env);
  env.liveStack!.commit();
  env.previousInsn = env.insn;
  if (next === pathEnd) return false;
  env.insn = next;
  return true;
}

/** Walks everything from the current state on; ends by a rejection or with all paths safe. */
export function walk(env: Env): void {
  env.isNewPath = false;
  while (step(env) || nextPath(env));
  // Only level 2 keeps the trace of a function that was found safe.
  if (!env.log.isDetailed) env.log.reset({ text: 0, messages: 0 });
}
