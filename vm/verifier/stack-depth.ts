/** Stack used along every chain of calls. */
import { type Env, subprogramAt } from "./env.ts";
import { throwName } from "./exceptions.ts";
import type { VerifierInput } from "./input.ts";
import { kfuncOf } from "./kfuncs.ts";
import { isFunctionAddress, isKfuncCall, isLocalCall } from "./opcodes.ts";
import { attachType, programType } from "./program-variants.ts";
import { maxFrames, maxStack } from "./state.ts";
import { errno } from "./stop.ts";

/** Most stack that callers of a function with tail calls may have. */
const maxBelowTailCall = 256;
/** Functions that use less keep the caller's stack. */
const minPrivateStack = 64;

const privateStackTypes: ReadonlySet<number> = new Set([
  programType.kprobe,
  programType.tracepoint,
  programType.perfEvent,
  programType.rawTracepoint,
]);

/** Hooks that never interrupt themselves; iterators may. */
function hasPrivateStack({ programType: type, attachType: attach }: VerifierInput): boolean {
  const isTraced = type === programType.tracing && attach !== attachType.iterator;
  return isTraced || privateStackTypes.has(type);
}

type Mode = "unknown" | "shared" | "private";

class DepthCheck {
  readonly env: Env;
  readonly modes: Mode[];
  /** Functions entered and not yet left, the innermost last. */
  readonly chain: number[] = [];

  constructor(env: Env) {
    this.env = env;
    this.modes = env.subprograms.map(() => "unknown");
  }

  /** The just-in-time compiler keeps the stack aligned to 16 bytes. */
  depthOf(subprog: number): number {
    return Math.ceil(this.env.subprograms[subprog]!.stackDepth / 16) * 16;
  }

  refuse(message: string, code?: number): never {
    const { env, chain } = this;
    env.deepCalls = chain.map((subprog) => {
      const { name, start: insn } = env.subprograms[subprog]!;
      return { function: name, insn, bytes: this.depthOf(subprog) };
    });
    return env.reject(message, code);
  }

  setMode(subprog: number, allowsPrivate: boolean): void {
    if (!allowsPrivate) this.modes[subprog] = "shared";
    else if (this.modes[subprog] === "unknown" && this.depthOf(subprog) >= minPrivateStack) {
      this.modes[subprog] = "private";
    }
  }

  visit(subprog: number, below: number, frame: number, allowsPrivate: boolean): void {
    const { env } = this;
    const sub = env.subprograms[subprog]!;
    if (subprog > 0 && sub.hasTailCall && below >= maxBelowTailCall) {
      this.refuse(
        `tail_calls are not allowed when call stack of previous frames is ${below} bytes. Too large`,
      );
    }
    this.chain.push(subprog);
    this.setMode(subprog, allowsPrivate);
    const own = this.depthOf(subprog);
    let depth = below;
    if (this.modes[subprog] === "private") {
      if (own > maxStack) this.refuse(`stack size of subprog ${subprog} is ${own}. Too large`);
    } else {
      depth += own;
      if (depth > maxStack) {
        this.refuse(`combined stack size of ${frame + 1} calls is ${depth}. Too large`);
      }
    }
    for (let at = sub.start; at < sub.end; at += 1) {
      this.visitCall(at, depth, frame, allowsPrivate);
    }
    this.chain.pop();
    this.checkTailCall(subprog);
  }

  visitCall(at: number, depth: number, frame: number, allowsPrivate: boolean): void {
    const { env } = this;
    const insn = env.insnAt(at);
    if (isKfuncCall(insn)) this.checkThrow(at);
    if (!isLocalCall(insn) && !isFunctionAddress(insn)) return;
    const callee = subprogramAt(env, at + insn.imm + 1);
    const sub = env.subprograms[callee]!;
    if (sub.isAsyncCallback) {
      if (sub.hasTailCall) env.reject("verifier bug: subprog has tail_call and async cb", 14);
      if (!isLocalCall(insn)) return;
      if (sub.isExceptionCallback) {
        env.reject(`insn ${at} cannot call exception cb directly`, errno.invalid);
      }
    }
    if (frame + 1 >= maxFrames) {
      this.refuse(`the call stack of ${frame + 1} frames is too deep !`, errno.tooBig);
    }
    this.visit(callee, depth, frame + 1, allowsPrivate);
  }

  /** Exceptions end the program, but not the kernel's own function that runs a callback. */
  checkThrow(at: number): void {
    const { env, chain } = this;
    if (kfuncOf(env, env.insnAt(at))?.name !== throwName) return;
    if (!chain.some((subprog) => env.subprograms[subprog]?.isCallback)) return;
    env.reject(
      `bpf_throw kfunc (insn ${at}) cannot be called from callback subprog ${chain.at(-1)}`,
      errno.invalid,
    );
  }

  /** Tail calls replace the frames below, which exception callbacks do not have. */
  checkTailCall(subprog: number): void {
    const { env, chain } = this;
    if (!env.subprograms[subprog]?.hasTailCall) return;
    if (!chain.some((one) => env.subprograms[one]?.isExceptionCallback)) return;
    env.reject("cannot tail call within exception cb", errno.invalid);
  }
}

export function checkStackDepth(env: Env): void {
  const check = new DepthCheck(env);
  const hasTailCall = env.subprograms.some((sub) => sub.hasTailCall);
  const supports = !hasTailCall && hasPrivateStack(env.input);
  for (let i = env.subprograms.length - 1; i >= 0; i -= 1) {
    if (i > 0 && !env.subprograms[i]!.isAsyncCallback) continue;
    check.visit(i, 0, 0, i === 0 && supports);
  }
}
