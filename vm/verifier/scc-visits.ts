/**
 * Loops under exploration. A state inside a loop may be found equal to an earlier one before all of
 * the loop's precision marks are known; such back edges are kept until the loop is left, then the
 * marks are carried round until nothing changes.
 */
import { rejectBug } from "./backtrack.ts";
import type { Env } from "./env.ts";
import { markAllPrecise, propagatePrecision } from "./precision.ts";
import type { State } from "./state.ts";

interface Visit {
  entry: State | undefined;
  backEdges: State[];
}

const maxRounds = 64;

export class SccVisits {
  readonly #env: Env;
  readonly #visits = new Map<string, Visit>();

  constructor(env: Env) {
    this.#env = env;
  }

  /** The outermost loop that a state is in, by the calls that lead there. */
  #key(state: State): string | undefined {
    const { scc } = this.#env.facts;
    let key = "";
    for (let i = 0; i < state.frames.length; i += 1) {
      const next = state.frames[i + 1];
      const insn = next === undefined ? state.insn : next.callsite;
      const component = scc[insn]!;
      if (component !== 0) return `${key}/${component}`;
      key += `${insn},`;
    }
    return undefined;
  }

  #trace(what: string, key: string | undefined): void {
    const { log } = this.#env;
    if (log.isDetailed) log.trace(`SCC ${what} (${key?.replace("/", "") ?? ""})\n`);
  }

  #visitOf(state: State): Visit | undefined {
    const key = this.#key(state);
    return key === undefined ? undefined : this.#visits.get(key);
  }

  enter(state: State): void {
    const key = this.#key(state);
    if (key === undefined) return;
    const visit = this.#visits.get(key) ?? { entry: undefined, backEdges: [] };
    this.#visits.set(key, visit);
    if (visit.entry !== undefined) return;
    visit.entry = state;
    this.#trace("enter", key);
  }

  /** All paths below `state` are done; if it is where the loop began, the loop is finished. */
  exit(state: State): void {
    const key = this.#key(state);
    if (key === undefined) return;
    const visit = this.#visits.get(key);
    // Exceptions end paths inside of loops, before anything was remembered of them.
    if (visit === undefined) {
      const chain = key.replace("/", "");
      rejectBug(this.#env, `scc exit: no visit info for call chain (${chain})`);
    }
    if (visit.entry !== state) return;
    this.#trace("exit", key);
    visit.entry = undefined;
    this.#propagate(visit);
  }

  addBackEdge(found: State, edge: State): void {
    const visit = this.#visitOf(found);
    if (visit === undefined) return;
    this.#trace("backedge", this.#key(found));
    visit.backEdges.push(edge);
  }

  /** Marks of this state's loop may still be missing. */
  isIncomplete(state: State): boolean {
    return (this.#visitOf(state)?.backEdges.length ?? 0) > 0;
  }

  #propagate(visit: Visit): void {
    const change = { changed: true };
    for (let round = 0; change.changed; round += 1) {
      if (round > maxRounds) {
        for (const edge of visit.backEdges) markAllPrecise(this.#env, edge);
        break;
      }
      change.changed = false;
      for (const edge of visit.backEdges) {
        if (edge.equalState !== undefined) {
          propagatePrecision(this.#env, edge.equalState, edge, change);
        }
      }
    }
    visit.backEdges = [];
  }
}
