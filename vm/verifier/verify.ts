/** The whole verification: checks of the program's form, then its walk, then what the walk found. */
import { checkSleepable, findAttachTarget, hasAttachTarget } from "./attach-target.ts";
import { computeComponents } from "./components.ts";
import { checkControlFlow } from "./control-flow.ts";
import { checkCallbacksKept } from "./dead-code.ts";
import { Env } from "./env.ts";
import { functionArgs, setInitialArgs } from "./function-args.ts";
import { emptyFrame } from "./function-calls.ts";
import type { StepRange, Verdict, VerifierInput, VerifyOptions } from "./input.ts";
import { computeLiveRegisters } from "./live-registers.ts";
import { LiveStack } from "./live-stack.ts";
import type { PathStep } from "./path-steps.ts";
import {
  attachType,
  isSleepableProgram,
  programFlag,
  programType,
  programVariant,
  tracingVariant,
} from "./program-variants.ts";
import { pointerReg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { resolveReferences } from "./resolve.ts";
import { SccVisits } from "./scc-visits.ts";
import { checkStackDepth } from "./stack-depth.ts";
import { newState } from "./state.ts";
import { errno, Rejection, Unsupported } from "./stop.ts";
import { checkFunctionInfo, checkSubprograms, findSubprograms } from "./subprograms.ts";
import { verdictOf } from "./verdict.ts";
import { walk } from "./walk.ts";

const maxInstructions = 1_000_000;

/** Types that the kernel loads for one attach type only. */
const onlyAttachType: Readonly<Record<number, number>> = {
  [programType.skLookup]: 36,
  [programType.syscall]: 0,
  [programType.netfilter]: 45,
};

/** Infrared receivers: not in the kernel that was measured. */
const lircMode2 = 20;

/** Types whose programs are loaded for one of their attach types. */
const oneOfHooks: ReadonlySet<number> = new Set([
  programType.cgroupSkb,
  programType.cgroupSock,
  programType.cgroupSockAddr,
  programType.skReuseport,
  programType.cgroupSockopt,
]);

/** What is refused without a word before the verifier begins. */
function fitsLoad(input: VerifierInput): boolean {
  const { programType: type } = input;
  if ((input.flags & ~knownFlags) !== 0) return false;
  if (type <= 0 || type === lircMode2 || type > programType.netfilter) return false;
  if (oneOfHooks.has(type) && programVariant(input) === undefined) return false;
  const attachesToKernel =
    hasAttachTarget(type) || type === programType.structOps || type === programType.extension;
  if ((input.attachBtfId ?? 0) !== 0 && !attachesToKernel) return false;
  return (onlyAttachType[type] ?? input.attachType) === input.attachType;
}

/** All flags that this kernel knows; most of them change nothing for its verifier. */
const knownFlags = 0xff | programFlag.token;

/** Tracing programs for what this kernel has no hook of: refused once their target is looked up. */
function isNoHook({ programType: type, attachType: attach }: VerifierInput): boolean {
  const isSecurity = attach === attachType.lsmMac || attach === attachType.lsmCgroup;
  return type === programType.tracing && !isSecurity;
}

/** What the kernel refuses before its verifier runs, and what is not modelled at all. */
function checkProgram(env: Env): void {
  const { input } = env;
  if (env.insns.length === 0 || env.insns.length > maxInstructions) {
    throw new Rejection(errno.tooBig);
  }
  if (input.insns.length % 8 !== 0 || !fitsLoad(input)) throw new Rejection(errno.invalid);
  const unmodelled: readonly number[] = [programType.extension];
  if (unmodelled.includes(input.programType)) {
    env.unsupported(`program type ${input.programType}`);
  }
  const isKnown = programVariant(input) !== undefined || tracingVariant(input) !== undefined;
  if (!isKnown && input.programType !== programType.structOps && !isNoHook(input)) {
    env.unsupported(`program type ${input.programType} with attach type ${input.attachType}`);
  }
  if ((input.flags & programFlag.token) !== 0) env.unsupported("programs loaded by a token");
}

/** The program's own signature is looked at, but nothing follows from it except messages. */
function sayMainSignature(env: Env): void {
  if (env.input.functions.length === 0 || env.input.btf === undefined) return;
  try {
    functionArgs(env, env.subprograms[0]!);
  } catch (stop) {
    if (!(stop instanceof Rejection) && !(stop instanceof Unsupported)) throw stop;
  }
}

/** The state at a function's first instruction. */
function enterFunction(env: Env, subprog: number): void {
  const sub = env.subprograms[subprog]!;
  const state = newState();
  state.frames = [emptyFrame(-1, 0, subprog)];
  state.firstInsn = sub.start;
  state.inSleepable = isSleepableProgram(env.input);
  env.state = state;
  env.insn = sub.start;
  env.previousInsn = -1;
  env.trail = { start: env.processed + 1, parent: undefined, fork: 0 };
  env.explored = [];
  env.exploredStates = 0;
  env.previousLine = undefined;
  env.liveStack!.leave();
  env.scratchAll();
  if (subprog === 0) {
    sayMainSignature(env);
    env.regs[1] = pointerReg(kind.ctx);
    return;
  }
  if (env.log.isTracing) env.say(`Validating ${sub.name}() func#${subprog}...`);
  const args = functionArgs(env, sub);
  if (args === undefined) throw new Rejection(errno.invalid);
  if (sub.isExceptionCallback && (args.length !== 1 || args[0]?.kind !== "number")) {
    env.reject("exception cb only supports single integer argument", errno.invalid);
  }
  setInitialArgs(env, args);
}

/** Global functions that were called, each on its own, until no new one turns up. */
function walkGlobals(env: Env): void {
  if (env.input.functions.length === 0) return;
  const exception = env.subprograms[env.exceptionCallback ?? -1];
  if (exception !== undefined) exception.isCalled = true;
  for (let found = true; found; ) {
    found = false;
    for (const [i, sub] of env.subprograms.entries()) {
      const isDue = i > 0 && sub.linkage === "global" && sub.isCalled && !sub.isVerified;
      if (!isDue) continue;
      enterFunction(env, i);
      walk(env);
      sub.isVerified = true;
      found = true;
      if (env.log.isTracing) {
        env.say(`Func#${i} ('${sub.name}') is safe for any args that match its prototype`);
      }
    }
  }
}

function run(env: Env): void {
  checkProgram(env);
  findSubprograms(env);
  checkSubprograms(env);
  checkFunctionInfo(env);
  resolveReferences(env);
  checkControlFlow(env);
  checkSleepable(env);
  findAttachTarget(env);
  computeComponents(env);
  computeLiveRegisters(env);
  env.liveStack = new LiveStack(env);
  env.sccVisits = new SccVisits(env);
  env.isWalking = true;
  enterFunction(env, 0);
  walk(env);
  walkGlobals(env);
  env.isWalking = false;
  checkStackDepth(env);
  checkCallbacksKept(env);
}

function judge(env: Env): Verdict {
  try {
    run(env);
    return verdictOf(env, undefined);
  } catch (stop) {
    if (stop instanceof Rejection || stop instanceof Unsupported) return verdictOf(env, stop);
    throw stop;
  }
}

/** The verdict of Linux 6.18 on a program, without a kernel. */
export function verify(input: VerifierInput, options: VerifyOptions = {}): Verdict {
  return judge(new Env(input, options));
}

/** What was known at steps of a verification, which is done again for it. */
export function stepsAgain(input: VerifierInput, steps: readonly StepRange[]): PathStep[] {
  const env = new Env(input, {});
  env.follow = steps;
  judge(env);
  return env.steps;
}
