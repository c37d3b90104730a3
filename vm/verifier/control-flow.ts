/**
 * Walks the control-flow graph once: every instruction must be reachable. Marks where states are
 * compared (prune points), where the path taken must be remembered (jump points), and what callees
 * do to their callers.
 */

import { type Env, type Subprogram, subprogramOf } from "./env.ts";
import { changesPacketHelpers, helperPrototypeOf } from "./helper-prototypes.ts";
import { callsBackLater, callsBackNow, changesPacket, hasFlag, kfuncOf } from "./kfuncs.ts";
import {
  isFunctionAddress,
  isHelperCall,
  isJumpClass,
  isKfuncCall,
  isLoadImm64,
  isLocalCall,
  jmpOp,
  jumpOffset,
  opMayGoto,
  type RawInsn,
} from "./opcodes.ts";
import { errno } from "./stop.ts";

const unseen = 0;
const onPath = 1;
const done = 2;

interface Edge {
  readonly to: number;
  readonly isBranch: boolean;
}

/** An instruction on the path that is being walked. */
interface Step {
  readonly at: number;
  readonly edges: readonly Edge[];
  next: number;
}

function merge(caller: Subprogram | undefined, callee: Subprogram | undefined): void {
  if (caller === undefined || callee === undefined) return;
  caller.changesPacket ||= callee.changesPacket;
  caller.mightSleep ||= callee.mightSleep;
}

class Walk {
  readonly env: Env;
  readonly status: Uint8Array;

  constructor(env: Env) {
    this.env = env;
    this.status = new Uint8Array(env.insns.length);
  }

  markPrune(at: number): void {
    if (at < this.env.insns.length) this.env.facts.prunePoint[at] = 1;
  }

  markJump(at: number): void {
    if (at < this.env.insns.length) this.env.facts.jumpPoint[at] = 1;
  }

  /** Successors in the order in which they are walked. */
  edges(at: number): Edge[] {
    const { env } = this;
    const insn = env.insnAt(at);
    if (isFunctionAddress(insn)) return this.callEdges(at, true);
    if (!isJumpClass(insn.code)) {
      return [{ to: at + (isLoadImm64(insn) ? 2 : 1), isBranch: false }];
    }
    const op = insn.code & 0xf0;
    if (op === jmpOp.exit) return [];
    if (op === jmpOp.call) {
      this.markCall(at);
      return this.callEdges(at, isLocalCall(insn));
    }
    const target = at + jumpOffset(insn) + 1;
    if (op === jmpOp.ja) {
      this.markPrune(target);
      this.markJump(target);
      return [{ to: target, isBranch: false }];
    }
    this.markPrune(at);
    if (insn.code === opMayGoto) env.facts.forceCheckpoint[at] = 1;
    return [
      { to: at + 1, isBranch: false },
      { to: target, isBranch: true },
    ];
  }

  callEdges(at: number, visitsCallee: boolean): Edge[] {
    const insn = this.env.insnAt(at);
    const next = at + (isLoadImm64(insn) ? 2 : 1);
    this.markPrune(next);
    this.markJump(next);
    if (!visitsCallee) return [{ to: next, isBranch: false }];
    this.markPrune(at);
    return [
      { to: next, isBranch: false },
      { to: at + insn.imm + 1, isBranch: true },
    ];
  }

  markCall(at: number): void {
    const { env } = this;
    const insn = env.insnAt(at);
    if (callsBackLater(env, insn)) this.markPrune(at);
    if (callsBackNow(env, insn)) {
      env.facts.callsCallback[at] = 1;
      env.facts.forceCheckpoint[at] = 1;
      this.markPrune(at);
      this.markJump(at);
    }
    if (isKfuncCall(insn)) this.markKfunc(at, insn);
    if (!isHelperCall(insn)) return;
    const caller = env.subprograms[subprogramOf(env, at)];
    if (caller === undefined) return;
    if (helperPrototypeOf(env, insn.imm)?.mightSleep) caller.mightSleep = true;
    if (changesPacketHelpers.has(insn.imm)) caller.changesPacket = true;
  }

  markKfunc(at: number, insn: RawInsn): void {
    const { env } = this;
    const kfunc = kfuncOf(env, insn);
    if (kfunc === undefined || !kfunc.isAllowed) return;
    if (hasFlag(kfunc, "KF_ITER_NEXT")) {
      this.markPrune(at);
      env.facts.forceCheckpoint[at] = 1;
    }
    const caller = env.subprograms[subprogramOf(env, at)];
    if (caller === undefined) return;
    if (hasFlag(kfunc, "KF_SLEEPABLE")) caller.mightSleep = true;
    if (changesPacket(kfunc)) caller.changesPacket = true;
  }

  checkTarget(from: number, to: number): void {
    if (to >= 0 && to < this.env.insns.length) return;
    this.env.reject(`jump out of range from insn ${from} to ${to}`, errno.invalid);
  }

  run(): void {
    const path: Step[] = [];
    const enter = (at: number): void => {
      this.status[at] = onPath;
      path.push({ at, edges: this.edges(at), next: 0 });
    };
    enter(0);
    this.#finish(path, enter);
    const exception = this.env.subprograms[this.env.exceptionCallback ?? -1];
    if (exception === undefined || this.status[exception.start] !== unseen) return;
    enter(exception.start);
    this.#finish(path, enter);
  }

  #finish(path: Step[], enter: (at: number) => void): void {
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const edge = top.edges[top.next];
      if (edge === undefined) {
        this.status[top.at] = done;
        path.pop();
        continue;
      }
      top.next += 1;
      this.checkTarget(top.at, edge.to);
      if (edge.isBranch) {
        this.markPrune(edge.to);
        this.markJump(edge.to);
      }
      if (this.status[edge.to] === unseen) enter(edge.to);
    }
  }

  /** Effects of callees, again and again until nothing changes: callees may be walked later. */
  mergeCallees(): void {
    const { env } = this;
    for (let round = 0; round < env.subprograms.length; round += 1) {
      env.insns.forEach((insn, at) => {
        if (!isLocalCall(insn) && !isFunctionAddress(insn)) return;
        const caller = env.subprograms[subprogramOf(env, at)];
        merge(caller, env.subprograms[subprogramOf(env, at + insn.imm + 1)]);
      });
    }
  }

  checkReached(): void {
    for (let at = 0; at < this.env.insns.length; at += 1) {
      if (this.status[at] !== done) this.env.reject(`unreachable insn ${at}`, errno.invalid);
      if (!isLoadImm64(this.env.insnAt(at))) continue;
      if (this.status[at + 1] !== unseen) {
        this.env.reject(`jump into the middle of ldimm64 insn ${at}`, errno.invalid);
      }
      at += 1;
    }
  }
}

/** Instructions that may run next inside the same function; calls go on behind the call. */
export function successors(env: Env, at: number): number[] {
  const insn = env.insnAt(at);
  if (!isJumpClass(insn.code)) return [at + (isLoadImm64(insn) ? 2 : 1)];
  const op = insn.code & 0xf0;
  if (op === jmpOp.exit) return [];
  if (op === jmpOp.call) return [at + 1];
  const target = at + jumpOffset(insn) + 1;
  return op === jmpOp.ja ? [target] : [at + 1, target];
}

function computePostorder(env: Env): void {
  const seen = new Uint8Array(env.insns.length);
  for (const subprogram of env.subprograms) {
    const path = [{ at: subprogram.start, next: successors(env, subprogram.start) }];
    seen[subprogram.start] = 1;
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = top.next.pop();
      if (to === undefined) {
        env.postorder.push(top.at);
        path.pop();
      } else if (seen[to] === 0) {
        seen[to] = 1;
        path.push({ at: to, next: successors(env, to) });
      }
    }
  }
}

export function checkControlFlow(env: Env): void {
  const walk = new Walk(env);
  walk.run();
  walk.mergeCallees();
  walk.checkReached();
  computePostorder(env);
}
