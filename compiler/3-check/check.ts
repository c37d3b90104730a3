/**
 * Phase 3: syntax tree → checked program. The user's declarations are checked in order; header
 * declarations when a name reaches them; header functions when something that is kept calls them.
 */
import { appendAll } from "../../common/append.ts";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { TranslationUnit, UnitDeclaration } from "../2-parse/ast.ts";
import {
  checkExternalDeclaration,
  checkLocalDeclaration,
  finishTentative,
} from "./check-declaration.ts";
import { checkExpression } from "./check-expression.ts";
import { checkPendingBody } from "./check-function.ts";
import { checkInitializer } from "./check-initializer.ts";
import { defineEnum, defineRecord } from "./check-record.ts";
import { checkBlock, checkStatement } from "./check-statement.ts";
import { checkDeclaratorType, checkSpecifiedType, checkTypeName } from "./check-type.ts";
import type { CheckedUnit, FunctionSymbol, VariableSymbol } from "./checked.ts";
import { type CheckOptions, type Context, newScope, type Recursion, report } from "./context.ts";
import { enterDefinitions, enterUnconditional } from "./scope.ts";
import { reportSectionConflicts } from "./section-conflicts.ts";
import { canonical, isError } from "./type-tools.ts";

export type { CheckOptions } from "./context.ts";

const recursion: Recursion = {
  expression: checkExpression,
  typeName: checkTypeName,
  specifiedType: checkSpecifiedType,
  declaratorType: checkDeclaratorType,
  defineRecord,
  defineEnum,
  externalDeclaration: checkExternalDeclaration,
  localDeclaration: checkLocalDeclaration,
  statement: checkStatement,
  block: checkBlock,
  initializer: checkInitializer,
};

function newContext(
  unit: TranslationUnit,
  options: CheckOptions,
  diagnostics: Diagnostics,
): Context {
  const fileScope = newScope("file", undefined);
  return {
    unit,
    options,
    diagnostics,
    recurse: recursion,
    fileScope,
    ids: { symbol: 0, record: 0, label: 0, switch: 0, bind: 0, string: 0, literal: 0 },
    indexed: new Map(),
    entered: new Set(),
    specified: new Map(),
    unbound: new Map(),
    strings: new Map(),
    pendingBodies: new Map(),
    dependencies: new Map(),
    functions: [],
    variables: [],
    places: new Map(),
    fileAsm: [],
    unusedResult: new Set(),
    unusedAllowed: new Set(),
    usedTypedefs: new Set(),
    tentative: new Set(),
    initialized: new Set(),
    defining: new Set(),
    constants: new Map(),
    scope: fileScope,
    ordinal: 0,
    lazy: false,
    function: undefined,
    quietFolding: false,
    variableLengths: undefined,
    unevaluated: 0,
    references: undefined,
  };
}

/** The user's declarations and those of headers that count without being named, in order. */
function checkDeclarations(context: Context): void {
  const { unit } = context;
  const own = new Set<UnitDeclaration>(unit.declarations);
  const all = [...unit.index.unconditional(), ...unit.declarations];
  for (const entry of all.sort((a, b) => a.ordinal - b.ordinal)) {
    context.ordinal = entry.ordinal;
    if (own.has(entry)) checkExternalDeclaration(context, entry.declaration);
    else enterUnconditional(context, entry);
  }
  context.ordinal = Number.POSITIVE_INFINITY;
}

type AnySymbol = FunctionSymbol | VariableSymbol;

function isRoot(context: Context, symbol: AnySymbol): boolean {
  if (symbol.attributes.used) return true;
  if (symbol.kind === "variable") return symbol.defined && symbol.storage === "global";
  const defined = symbol.body !== undefined || context.pendingBodies.has(symbol);
  return defined && symbol.linkage === "global";
}

/** Marks all that roots reach, checking header functions on the way. */
function markReferenced(context: Context): void {
  const pending: AnySymbol[] = [...context.functions, ...context.variables].filter((s) =>
    isRoot(context, s),
  );
  const seen = new Set<AnySymbol>(pending);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    next.referenced = true;
    if (context.fileScope.ordinary.get(next.name) === next) enterDefinitions(context, next.name);
    if (next.kind === "function") {
      checkPendingBody(context, next);
    }
    const needs = [...(context.dependencies.get(next) ?? [])];
    if (next.kind === "variable") {
      appendAll(needs, next.data?.relocations.map((r) => r.symbol) ?? []);
    }
    for (const symbol of needs) {
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      pending.push(symbol);
    }
  }
}

/** Warns of static functions and variables of the user's own file that nothing reaches. */
function warnUnused(context: Context): void {
  // After an error a use may have been lost.
  if (context.diagnostics.faultCount > 0) return;
  const mentioned = new Set<AnySymbol>();
  for (const needs of context.dependencies.values()) for (const s of needs) mentioned.add(s);
  const mainFile = context.unit.end.file;
  const isOwn = (symbol: AnySymbol): boolean =>
    symbol.span.file === mainFile && symbol.span.expandedFrom === undefined;
  for (const symbol of context.functions) {
    const candidate = symbol.linkage === "static" && symbol.body !== undefined && isOwn(symbol);
    const exempt = symbol.attributes.used;
    if (candidate && !exempt && !mentioned.has(symbol) && !context.unusedAllowed.has(symbol)) {
      report(context, "unusedFunction", symbol.span, [symbol.name]);
    }
  }
  for (const symbol of context.variables) {
    const candidate = symbol.storage === "static" && symbol.defined && isOwn(symbol);
    const fileScope = context.fileScope.ordinary.get(symbol.name) === symbol;
    if (!candidate || !fileScope || symbol.attributes.used || mentioned.has(symbol)) continue;
    if (context.unusedAllowed.has(symbol)) continue;
    const name = canonical(symbol.type).const ? "unusedConst" : "unusedStatic";
    report(context, name, symbol.span, [symbol.name]);
  }
}

function inSourceOrder<T extends AnySymbol>(context: Context, symbols: readonly T[]): T[] {
  const place = (symbol: T): number => context.places.get(symbol) ?? Number.POSITIVE_INFINITY;
  return symbols
    .map((symbol, i) => ({ symbol, i }))
    .sort((a, b) => {
      const left = place(a.symbol);
      const right = place(b.symbol);
      return left === right ? a.symbol.id - b.symbol.id || a.i - b.i : left - right;
    })
    .map(({ symbol }) => symbol);
}

function result(context: Context): CheckedUnit {
  const functions = inSourceOrder(context, context.functions);
  const strings = [...context.strings.values()];
  const variables = [...inSourceOrder(context, context.variables), ...strings];
  const kept = (symbol: VariableSymbol): boolean => symbol.referenced && !isError(symbol.type);
  return {
    path: context.unit.path,
    functions: functions.filter((f) => f.body !== undefined && f.referenced),
    externFunctions: functions.filter((f) => f.body === undefined && f.referenced),
    variables: variables.filter(kept),
    fileAsm: context.fileAsm,
  };
}

/**
 * Checks a unit. Gives the program, or undefined where there were errors (here or before); all
 * errors of the file are reported in one run.
 */
export function checkTranslationUnit(
  unit: TranslationUnit,
  options: CheckOptions,
  diagnostics: Diagnostics,
): CheckedUnit | undefined {
  const context = newContext(unit, options, diagnostics);
  try {
    checkDeclarations(context);
    finishTentative(context);
    markReferenced(context);
    warnUnused(context);
    const symbols = [...context.functions, ...context.variables];
    reportSectionConflicts(context, inSourceOrder<AnySymbol>(context, symbols));
  } catch (problem) {
    // The syntax was so deeply nested that the stack ran out.
    if (!(problem instanceof RangeError)) throw problem;
    diagnostics.error("nested-too-deeply", "the program is nested too deeply", unit.end);
  }
  return diagnostics.hasErrors ? undefined : result(context);
}
