/**
 * Ends of scopes: cleanup functions run, stack objects die. Jumps to labels are finished when the
 * whole body is lowered, because only then it is known which scopes they leave.
 */
import type { LabelSymbol, VariableSymbol } from "../3-check/checked.ts";
import { asFunction } from "../3-check/type-tools.ts";
import type { FunctionState } from "./function-state.ts";
import type { Block, DebugLocation, Value } from "./ir.ts";
import { resultType } from "./lower-types.ts";

/** A block of the source with its variables. */
export interface Scope {
  readonly locals: ReadonlySet<VariableSymbol>;
  /** Those whose declaration was passed, in order. */
  readonly live: VariableSymbol[];
}

/** The open scopes at some place, with what was live in them there. */
export type ScopeSnapshot = readonly { readonly scope: Scope; readonly live: number }[];

/** A jump to a label from `block`, which is still empty. */
export interface PendingJump {
  readonly block: Block;
  readonly label: LabelSymbol;
  readonly from: ScopeSnapshot;
  readonly location: DebugLocation | undefined;
  /** What the jump does first. */
  readonly before?: () => void;
}

export function openScope(state: FunctionState, locals: readonly VariableSymbol[]): void {
  state.scopes.push({ locals: new Set(locals), live: [] });
}

/** Runs the cleanups of the innermost scope and closes it. */
export function closeScope(state: FunctionState): void {
  leaveScopes(state, state.scopes.length - 1);
  state.scopes.pop();
}

/** From here on the variable exists. */
export function beginLife(state: FunctionState, symbol: VariableSymbol): void {
  const owner = state.scopes.findLast((scope) => scope.locals.has(symbol)) ?? state.scopes.at(-1);
  if (owner !== undefined && !owner.live.includes(symbol)) owner.live.push(symbol);
}

export function snapshot(state: FunctionState): ScopeSnapshot {
  return state.scopes.map((scope) => ({ scope, live: scope.live.length }));
}

/**
 * Control may come to this place without passing the declarations of what is live here: those objects
 * count as alive all the time. `depth`: scopes below it cannot have been entered by the jump.
 */
export function markBypassed(state: FunctionState, depth: number): void {
  for (const scope of state.scopes.slice(depth)) {
    for (const symbol of scope.live) {
      const slot = state.slots.get(symbol);
      if (slot !== undefined) state.bypassed.add(slot);
    }
  }
}

function endLife(state: FunctionState, variables: readonly VariableSymbol[]): void {
  for (const symbol of [...variables].reverse()) {
    const slot = state.slots.get(symbol);
    if (slot === undefined || symbol.cleanup === undefined) continue;
    state.module.useFunction(symbol.cleanup);
    const callee = { kind: "function" as const, symbol: symbol.cleanup.linkName };
    const returns = asFunction(symbol.cleanup.type)?.returns;
    const type = returns === undefined ? "void" : resultType(returns);
    state.emit(type, { op: "call", callee, noreturn: false }, [slot]);
  }
  for (const symbol of variables) {
    const slot = state.slots.get(symbol);
    if (slot !== undefined) state.emit("void", { op: "lifetime_end" }, [slot]);
  }
}

/** Leaves the open scopes from the innermost down to `depth` (inclusive), without closing them. */
export function leaveScopes(state: FunctionState, depth: number): void {
  if (state.isTerminated) return;
  for (let at = state.scopes.length - 1; at >= depth; at -= 1) {
    endLife(state, state.scopes[at]?.live ?? []);
  }
}

/** A block that will leave the scopes between here and the label, and go there. */
export function jumpToLabel(state: FunctionState, label: LabelSymbol, before?: () => void): Block {
  const block = state.newBlock(`to.${label.name}`);
  state.pendingJumps.push({
    block,
    label,
    from: snapshot(state),
    location: state.location,
    ...(before && { before }),
  });
  return block;
}

/** Fills the blocks of {@link jumpToLabel}; to be called at the end of the function. */
export function finishJumps(state: FunctionState): void {
  for (const { block, label, from, location, before } of state.pendingJumps) {
    state.startBlock(block);
    state.location = location;
    before?.();
    const to = state.labelScopes.get(label) ?? [];
    for (let at = from.length - 1; at >= 0; at -= 1) {
      const left = from[at];
      if (left === undefined) continue;
      const kept = to[at]?.scope === left.scope ? (to[at]?.live ?? 0) : 0;
      endLife(state, left.scope.live.slice(kept, left.live));
    }
    state.branchTo(state.labelBlock(label));
  }
}

/** Takes out the life marks of objects that jumps may reach without passing their declaration. */
export function dropBypassedMarks(state: FunctionState): void {
  if (state.bypassed.size === 0) return;
  const isMark = (op: string): boolean => op === "lifetime_start" || op === "lifetime_end";
  for (const block of state.fn.blocks) {
    block.instructions = block.instructions.filter(
      ({ operation, operands }) =>
        !isMark(operation.op) || !state.bypassed.has(operands[0] as Value),
    );
  }
}
