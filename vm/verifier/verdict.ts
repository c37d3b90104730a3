/** How a verification ended, as the answer that callers get. */
import type { Env } from "./env.ts";
import type { RejectionFacts, Verdict } from "./input.ts";
import { currentPath } from "./path.ts";
import { stepsOf } from "./path-steps.ts";
import { printReg } from "./print-state.ts";
import { kind } from "./reg-types.ts";
import { type Rejection, Unsupported } from "./stop.ts";

function factsOf(env: Env): RejectionFacts {
  const path = currentPath(env);
  const { frame } = env;
  const registers = frame.regs.flatMap((reg, register) =>
    reg.type === kind.notInit ? [] : [{ register, text: printReg(reg, frame.frameNo) }],
  );
  const kindBefore = env.facts.pointerKind[env.insn] ?? 0;
  const otherKind = kindBefore === 0 ? {} : { otherKind: kindBefore };
  return { insn: env.insn, path, steps: stepsOf(env), registers, ...otherKind };
}

/** Lines of the log that say where or what, not why. */
const notReasons =
  /^(Func#\d+ \(|Validating |arg#\d+ reference type|; |from \d+ to |\d+: |processed |stack depth|caller:|callee:|cur state:|old state:| R\d|frame\d|func#\d+ @|mark_precise)/;

/** The line that says why, among the lines of a log. */
export function firstReason(messages: readonly string[]): string {
  return messages.find((line) => !notReasons.test(line)) ?? messages.at(-1) ?? "";
}

/** Lines that only tell what fields of the context are, or of the main function's own type. */
const remarks = /^func '[^']*' arg\d+ has btf_id |^Global function \w+\(\) doesn't return scalar/;

/** Why a program was refused, for people: a remark is no reason. */
export function mainReason({ reason, messages }: Verdict): string {
  if (!remarks.test(reason)) return reason;
  const others = messages.filter((line) => !remarks.test(line));
  return firstReason(others) || reason;
}

/** What is answered when a verification ended, by `stop` or with everything found safe. */
export function verdictOf(env: Env, stop: Rejection | Unsupported | undefined): Verdict {
  const messages = env.log.messages;
  const common = {
    messages,
    processed: env.processed,
    states: env.totalStates,
    peakStates: env.peakStates,
    log: env.log.text,
    ...(env.options.watch !== undefined && { watched: env.watched }),
    ...(env.options.states !== undefined && { views: env.views }),
    ...(env.deepCalls !== undefined && { calls: env.deepCalls }),
    contextOffsets: env.contextOffsets,
    ...(env.contextConstant !== undefined && { contextConstant: env.contextConstant }),
    ...(env.visits !== undefined && { visits: env.visits }),
    ...(env.checkpoints !== undefined && { checkpoints: env.checkpoints }),
  };
  if (stop === undefined) return { verdict: "accept", reason: "", errno: 0, ...common };
  const place = env.isWalking ? { insn: env.insn, facts: factsOf(env) } : {};
  if (stop instanceof Unsupported) {
    return { verdict: "unsupported", reason: stop.construct, errno: 0, ...place, ...common };
  }
  return {
    verdict: "reject",
    reason: firstReason(messages),
    errno: stop.errno,
    ...place,
    ...common,
  };
}
