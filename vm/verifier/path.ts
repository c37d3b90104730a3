/** The instructions that led from the entry to the current one, from the states' histories. */
import type { Env } from "./env.ts";
import { previousOnPath } from "./history.ts";
import type { State } from "./state.ts";

/** In place of a next instruction: the path ended. */
export const pathEnd = -1;

const maxPath = 100_000;

/** Oldest first; the current instruction last. Long paths keep their end. */
export function currentPath(env: Env): number[] {
  const path: number[] = [env.insn];
  let state: State | undefined = env.state;
  let at = env.insn;
  while (state !== undefined && path.length < maxPath) {
    let count = state.history.length;
    for (;;) {
      const previous = previousOnPath(state, at, count);
      if (previous === undefined || previous.insn < 0 || path.length >= maxPath) break;
      at = previous.insn;
      count = previous.count;
      path.push(at);
    }
    state = state.parent;
    if (state === undefined || state.lastInsn < 0) break;
    at = state.lastInsn;
    path.push(at);
  }
  return path.reverse();
}
