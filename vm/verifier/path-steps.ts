/** The steps of the path that is being followed, across the branches at which it was left and taken up. */
import type { Env } from "./env.ts";
import type { StepRange } from "./input.ts";
import type { Reg } from "./reg.ts";
import type { Slot } from "./state.ts";

/** A stretch of consecutive steps, and the stretch and step from which it branches off. */
export interface Trail {
  /** Number of its first step. */
  readonly start: number;
  readonly parent: Trail | undefined;
  /** Last step of `parent` that belongs to the path. */
  readonly fork: number;
}

/** What was known before one instruction, in the function that it belongs to. */
export interface PathStep {
  readonly insn: number;
  /** Functions on the call stack: 1 in the program itself. */
  readonly depth: number;
  readonly regs: readonly Reg[];
  readonly stack: readonly Slot[];
}

/** Longer paths are known by their last steps only. */
const maxSteps = 20_000;

/** The current path's last steps, oldest first. */
export function stepsOf(env: Env): StepRange[] {
  const ranges: StepRange[] = [];
  let last = env.processed;
  let count = 0;
  for (let trail: Trail | undefined = env.trail; trail !== undefined; trail = trail.parent) {
    const first = Math.max(trail.start, last - (maxSteps - count) + 1);
    ranges.push([first, last]);
    count += last - first + 1;
    if (count >= maxSteps) break;
    last = trail.fork;
  }
  return ranges.reverse();
}

/** Notes what is known, if the current step is one of the wanted. */
export function noteStep(env: Env, wanted: readonly StepRange[]): void {
  const { processed: at, frame } = env;
  let low = 0;
  let high = wanted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (wanted[middle]![1] < at) low = middle + 1;
    else high = middle;
  }
  const range = wanted[low];
  if (range === undefined || at < range[0] || at > range[1]) return;
  const { regs, stack } = frame;
  const depth = env.state.frames.length;
  env.steps.push({ insn: env.insn, depth, regs: regs.slice(), stack: stack.slice() });
}
