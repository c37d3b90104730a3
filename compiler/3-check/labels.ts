/** Labels: of the whole function, or of one block where `__label__` says so. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CompoundStatement } from "../2-parse/ast.ts";
import type { LabelSymbol } from "./checked.ts";
import { type Context, type LabelState, previousNote, report } from "./context.ts";

function newLabel(context: Context, name: string, span: Span): LabelState {
  context.ids.label += 1;
  const symbol: LabelSymbol = { kind: "label", id: context.ids.label, name, span, used: false };
  return { symbol, defined: false, used: false, firstUse: span };
}

/** Opens the label scope of a block that declares labels of its own. */
export function pushLabels(context: Context, block: CompoundStatement): void {
  const state = context.function;
  if (state === undefined || block.localLabels.length === 0) return;
  const scope = new Map<string, LabelState>();
  for (const name of block.localLabels) scope.set(name, newLabel(context, name, block.span));
  state.labelScopes.push(scope);
}

export function popLabels(context: Context, block: CompoundStatement): void {
  const state = context.function;
  if (state === undefined || block.localLabels.length === 0) return;
  const scope = state.labelScopes.pop();
  if (scope !== undefined) finishLabels(context, scope);
}

function hasErrors(context: Context): boolean {
  return context.diagnostics.faultCount > (context.function?.errorsBefore ?? 0);
}

/** Reports what was jumped to but never defined, and what was defined but never used. */
export function finishLabels(context: Context, scope: ReadonlyMap<string, LabelState>): void {
  for (const [name, label] of scope) {
    if (!label.defined && label.used) report(context, "undeclaredLabel", label.firstUse, [name]);
    else if (label.defined && !label.used && !hasErrors(context))
      report(context, "unusedLabel", label.symbol.span, [name]);
  }
}

function findLabel(context: Context, name: string): LabelState | undefined {
  for (const scope of (context.function?.labelScopes ?? []).toReversed()) {
    const found = scope.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function enterLabel(context: Context, name: string, span: Span): LabelState {
  const label = newLabel(context, name, span);
  context.function?.labelScopes[0]?.set(name, label);
  return label;
}

/** The label that a goto names; it may be defined later. */
export function useLabel(context: Context, name: string, span: Span): LabelSymbol {
  let label = findLabel(context, name);
  label ??= enterLabel(context, name, span);
  if (!label.used && !label.defined) {
    Object.assign(label, { firstUse: span });
  }
  label.used = true;
  label.symbol.used = true;
  return label.symbol;
}

/** A label in front of a statement. */
export function defineLabel(context: Context, name: string, span: Span): LabelSymbol {
  const label = findLabel(context, name) ?? enterLabel(context, name, span);
  if (label.defined) {
    report(context, "duplicateLabel", span, [name], previousNote(label.symbol.span));
    return label.symbol;
  }
  label.defined = true;
  Object.assign(label.symbol, { span });
  context.function?.labels.push(label.symbol);
  return label.symbol;
}
