/** Earlier checkpoints at an instruction, found by where they are and how they were called. */
import type { Env } from "./env.ts";
import { currentFrame, type State } from "./state.ts";

/** Key of the list of checkpoints that the current state is compared with. */
export function bucketOf(env: Env, insn: number): number {
  const key = (insn ^ currentFrame(env.state).callsite) >>> 0;
  return key % env.insns.length;
}

export function sameCallsites(a: State, b: State): boolean {
  if (a.frames.length !== b.frames.length) return false;
  return a.frames.every((frame, i) => frame.callsite === b.frames[i]!.callsite);
}

/** The nearest checkpoint at `insn` on the current path. */
export function previousVisit(env: Env, current: State, insn: number): State | undefined {
  for (const { state } of env.explored[bucketOf(env, insn)] ?? []) {
    const isOnPath = state.insn === insn && state.branches > 0;
    if (isOnPath && sameCallsites(state, current) && state.dfsDepth < current.dfsDepth) {
      return state;
    }
  }
  return undefined;
}
