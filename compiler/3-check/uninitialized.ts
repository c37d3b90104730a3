/**
 * Locals that are read before anything was stored in them: clang's -Wuninitialized, where that is so
 * on every way to the read, and -Wsometimes-uninitialized, where one side of a branch leads there for
 * sure. What is merely possible is not reported.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CheckedFunctionBody, CheckedInitializer, VariableSymbol } from "./checked.ts";
import { type Context, report } from "./context.ts";
import { initializerParts } from "./expression-children.ts";
import {
  type BranchWord,
  type FlowBlock,
  type FlowEvent,
  type FlowVariable,
  flowGraph,
  reachableBlocks,
} from "./flow-graph.ts";

/** What a variable can be: bits, so that ways that meet are joined by `|`. */
const SET = 1;
const UNSET = 2;
const EITHER = SET | UNSET;

/** `int x = x;` says that it is left uninitialised on purpose; what reads it then is at fault. */
function isUnreadSelfCopy(
  symbol: VariableSymbol,
  initializer: CheckedInitializer,
  blocks: readonly FlowBlock[],
): boolean {
  const [only, ...more] = initializerParts(initializer);
  if (only?.kind !== "cast" || more.length > 0) return false;
  if (only.operand.kind !== "variable" || only.operand.symbol !== symbol) return false;
  const uses = blocks.flatMap(({ events }) =>
    events.filter((event) => event.symbol === symbol && event.kind === "use"),
  );
  return uses.length === 1;
}

/** The state of one variable at the end of each block that control reaches. */
function solve(
  symbol: VariableSymbol,
  blocks: readonly FlowBlock[],
): { readonly before: Map<FlowBlock, number>; readonly after: Map<FlowBlock, number> } {
  const before = new Map<FlowBlock, number>();
  const after = new Map<FlowBlock, number>();
  for (let changed = true; changed; ) {
    changed = false;
    blocks.forEach((block, i) => {
      let state = i === 0 ? UNSET : 0;
      for (const pred of block.predecessors) state |= after.get(pred) ?? 0;
      before.set(block, state);
      for (const event of block.events) {
        if (event.symbol === symbol) state = afterEvent(event, state);
      }
      changed ||= after.get(block) !== state;
      after.set(block, state);
    });
  }
  return { before, after };
}

function afterEvent({ kind }: FlowEvent, state: number): number {
  if (kind === "declare") return UNSET;
  return kind === "set" ? SET : state;
}

interface Finding {
  readonly rank: number;
  readonly use: FlowEvent;
  /** The branches that lead to the use for sure; none where every way does. */
  readonly branches: readonly { readonly block: FlowBlock; readonly output: number }[];
}

/** The branches of which one side makes the use an uninitialised one. */
function guiltyBranches(
  use: FlowBlock,
  after: Map<FlowBlock, number>,
  blocks: readonly FlowBlock[],
): Finding["branches"] {
  const visited = new Map<FlowBlock, number>([[use, use.successors.length]]);
  const queue = [use];
  for (let block = queue.pop(); block !== undefined; block = queue.pop()) {
    for (const pred of block.predecessors) {
      const state = after.get(pred) ?? SET;
      if (state === SET || (state === EITHER && after.get(block) === UNSET)) continue;
      const missing = pred.successors.filter((s) => s === undefined).length;
      const count = (visited.get(pred) ?? missing) + 1;
      visited.set(pred, count);
      if (count === pred.successors.length) queue.push(pred);
    }
  }
  const isSure = (block: FlowBlock): boolean =>
    visited.has(block) && (visited.get(block) ?? 0) >= block.successors.length;
  return blocks.flatMap((block) => {
    if (!visited.has(block) || isSure(block) || block.branch === undefined) return [];
    return block.successors.flatMap((next, output) =>
      next !== undefined && isSure(next) && after.get(block) === UNSET ? [{ block, output }] : [],
    );
  });
}

function findings(symbol: VariableSymbol, blocks: readonly FlowBlock[]): Finding[] {
  const { before, after } = solve(symbol, blocks);
  const found: Finding[] = [];
  for (const block of blocks) {
    let state = before.get(block) ?? SET;
    for (const event of block.events) {
      if (event.symbol !== symbol) continue;
      if (event.kind === "use" && state === UNSET)
        found.push({ rank: 0, use: event, branches: [] });
      else if (event.kind === "use" && state === EITHER) {
        const branches = guiltyBranches(block, after, blocks);
        if (branches.length > 0) found.push({ rank: 1, use: event, branches });
      }
      // One report is enough for what follows in the block.
      state = event.kind === "use" ? SET : afterEvent(event, state);
    }
  }
  return found.sort((a, b) => a.rank - b.rank || a.use.span.start - b.use.span.start);
}

const loopSides = ["is entered", "exits because its condition is false"];
const truthSides = ["true", "false"];

/** What happens when a branch goes one way, e.g. `'if' condition is false`. */
function sideText(word: BranchWord, output: number): string {
  if (word === "while" || word === "for") return `'${word}' loop ${loopSides[output]}`;
  if (word === "do") return `'do' loop ${output === 0 ? "condition is true" : loopSides[1]}`;
  return `'${word}' condition is ${truthSides[output]}`;
}

function reportBranch(
  context: Context,
  symbol: VariableSymbol,
  use: FlowEvent,
  { block, output }: Finding["branches"][number],
): void {
  if (block.branch === undefined) return;
  const { word, span } = block.branch;
  const notes = [{ message: "uninitialized use occurs here", span: use.span }, silence(symbol)];
  if (word !== "switch") {
    const args = [symbol.name, sideText(word, output)];
    report(context, "sometimesUninitialized", span, args, { notes });
    return;
  }
  const label = block.successors[output]?.caseLabel;
  if (label === undefined) return;
  const args = [symbol.name, `switch ${label.isDefault ? "default" : "case"} is taken`];
  const place = label.isDefault ? label.span : caseValue(label.span);
  report(context, "sometimesUninitialized", place, args, { notes });
}

/** The value behind the word `case`. */
function caseValue(span: Span): Span {
  const between = /^case\s*/.exec(span.file.text.slice(span.start, span.end));
  return { ...span, start: span.start + (between?.[0].length ?? 0) };
}

function silence(symbol: VariableSymbol): { message: string; span: Span } {
  const message = `initialize the variable '${symbol.name}' to silence this warning`;
  return { message, span: { ...symbol.span, start: symbol.span.end } };
}

function warnVariable(
  context: Context,
  { symbol, initializer }: FlowVariable,
  blocks: readonly FlowBlock[],
): void {
  const [first] = findings(symbol, blocks);
  if (
    first === undefined ||
    (initializer !== undefined && isUnreadSelfCopy(symbol, initializer, blocks))
  )
    return;
  const { use, branches } = first;
  if (branches.length > 0) {
    for (const branch of branches) reportBranch(context, symbol, use, branch);
  } else if (initializer !== undefined) {
    report(context, "uninitializedSelf", use.span, [symbol.name]);
  } else {
    report(context, "uninitialized", use.span, [symbol.name], { notes: [silence(symbol)] });
  }
}

/** Falls into the next case without saying so. */
function warnFallthrough(context: Context, blocks: readonly FlowBlock[]): void {
  const reachable = new Set(blocks);
  for (const block of blocks) {
    const { caseLabel: label } = block;
    if (label === undefined || label.span.expandedFrom !== undefined) continue;
    const seen = new Set<FlowBlock>();
    const queue = [...block.predecessors];
    let isSilent = false;
    for (let pred = queue.pop(); pred !== undefined && !isSilent; pred = queue.pop()) {
      if (seen.has(pred) || !reachable.has(pred) || pred.branch?.word === "switch") continue;
      seen.add(pred);
      if (pred.hasContent) isSilent = !pred.endsAnnotated;
      else if (!label.isChained || pred.caseLabel === undefined) queue.push(...pred.predecessors);
    }
    if (isSilent) {
      report(context, "implicitFallthrough", label.span, [], {
        notes: [{ message: "insert 'break;' to avoid fall-through", span: label.span }],
      });
    }
  }
}

/** Warns of a function's uninitialised reads and silent falls from case to case. */
export function warnFlow(context: Context, body: CheckedFunctionBody): void {
  const { span } = body.body;
  const isOn = (code: string): boolean => context.diagnostics.isOn(code, span);
  const wantsReads = isOn("uninitialized") || isOn("sometimes-uninitialized");
  const wantsFalls = isOn("implicit-fallthrough");
  if (!wantsReads && !wantsFalls) return;
  const graph = flowGraph(body);
  const blocks = reachableBlocks(graph);
  const doubtful = graph.variables.filter(
    ({ initializer, isOwnSource }) => initializer === undefined || isOwnSource,
  );
  if (wantsReads) for (const variable of doubtful) warnVariable(context, variable, blocks);
  if (wantsFalls) warnFallthrough(context, blocks);
}
