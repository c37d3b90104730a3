/** Strongly connected components of each function's graph (Tarjan): loops get numbers, the rest 0. */
import { successors } from "./control-flow.ts";
import type { Env } from "./env.ts";

interface Visit {
  readonly at: number;
  readonly next: readonly number[];
  index: number;
}

export function computeComponents(env: Env): void {
  const count = env.insns.length;
  const { scc } = env.facts;
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const isOpen = new Uint8Array(count);
  const open: number[] = [];
  let visited = 0;
  let components = 0;

  const enter = (at: number): Visit => {
    order[at] = visited;
    low[at] = visited;
    visited += 1;
    open.push(at);
    isOpen[at] = 1;
    return { at, next: successors(env, at), index: 0 };
  };

  /** Members of a finished component; a single instruction counts only if it repeats itself. */
  const close = (root: Visit): void => {
    const members: number[] = [];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      isOpen[at] = 0;
      members.push(at);
      if (at === root.at) break;
    }
    const repeats = root.next.includes(root.at);
    if (members.length === 1 && !repeats) return;
    components += 1;
    for (const at of members) scc[at] = components;
  };

  for (const subprogram of env.subprograms) {
    if (order[subprogram.start] !== -1) continue;
    const path = [enter(subprogram.start)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const to = top.next[top.index];
      top.index += 1;
      if (to === undefined) {
        path.pop();
        if (low[top.at] === order[top.at]) close(top);
        const parent = path.at(-1);
        if (parent !== undefined) low[parent.at] = Math.min(low[parent.at]!, low[top.at]!);
      } else if (order[to] === -1) {
        path.push(enter(to));
      } else if (isOpen[to] === 1) {
        low[top.at] = Math.min(low[top.at]!, order[to]!);
      }
    }
  }
}
