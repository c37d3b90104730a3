/** Ends of scopes: cleanup functions run, stack objects die. */
import type { FunctionState } from "./function-state.ts";

/** Leaves the open scopes from the innermost down to `depth` (exclusive), without closing them. */
export function leaveScopes(state: FunctionState, depth: number): void {
  if (state.isTerminated) return;
  for (let i = state.scopes.length - 1; i >= depth; i--) {
    const locals = state.scopes[i]?.locals ?? [];
    for (const symbol of [...locals].reverse()) {
      const slot = state.slots.get(symbol);
      if (slot === undefined) continue;
      if (symbol.cleanup !== undefined) {
        const callee = { kind: "function" as const, symbol: symbol.cleanup.linkName };
        state.emit("void", { op: "call", callee, noreturn: false }, [slot]);
      }
    }
    for (const symbol of locals) {
      const slot = state.slots.get(symbol);
      if (slot !== undefined) state.emit("void", { op: "lifetime_end" }, [slot]);
    }
  }
}
