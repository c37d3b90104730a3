/** Functions: declarations, definitions, and the checking of their bodies. */
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  DeclarationSpecifiers,
  Declarator,
  FunctionDefinition,
  ParameterDeclaration,
} from "../2-parse/ast.ts";
import { noAttributes, parseAttributes } from "./attributes.ts";
import { forwardNote } from "./check-tag.ts";
import type { CheckedStatement, FunctionSymbol, VariableSymbol } from "./checked.ts";
import { finishComputedGotos } from "./computed-goto.ts";
import {
  atFileScope,
  type Context,
  type FunctionState,
  newScope,
  previousNote,
  report,
} from "./context.ts";
import { fallsThrough, reachesReturn } from "./control-flow.ts";
import { finishLabels } from "./labels.ts";
import { placeOf, quoteType } from "./print-type.ts";
import { declare, lookUpHere } from "./scope.ts";
import {
  clashes,
  type DeclaredName,
  newFunction,
  newVariable,
  redeclareFunction,
} from "./symbols.ts";
import { asFunction, canonical, errorType, isComplete, isError, isVoid } from "./type-tools.ts";
import type { FunctionType, QualType } from "./types.ts";
import { warnFlow } from "./uninitialized.ts";

type ReadName = (
  context: Context,
  specifiers: DeclarationSpecifiers,
  declarator: Declarator,
  base: QualType,
) => DeclaredName;

/** Enters a declaration of a function; undefined where its name means something else. */
export function declareFunction(
  context: Context,
  declared: DeclaredName,
): FunctionSymbol | undefined {
  if (declared.storage === "auto" || declared.storage === "register") {
    report(context, "functionStorage", declared.span);
    return undefined;
  }
  const block = context.scope;
  const local = block.kind === "file" ? undefined : block.ordinary.get(declared.name);
  if (clashes(context, local, declared, "function")) return undefined;
  context.scope = context.fileScope;
  const earlier = lookUpHere(context, declared.name);
  const clash = clashes(context, earlier, declared, "function");
  let symbol = earlier?.kind === "function" ? earlier : undefined;
  if (!clash && symbol !== undefined && !redeclareFunction(context, symbol, declared)) {
    context.scope = block;
    return undefined;
  }
  if (!clash && symbol === undefined) {
    symbol = newFunction(context, declared);
    declare(context, declared.name, symbol);
    context.functions.push(symbol);
    context.places.set(symbol, context.ordinal);
  }
  context.scope = block;
  if (block.kind !== "file" && symbol !== undefined) declare(context, declared.name, symbol);
  return symbol;
}

function functionPart(declarator: Declarator): readonly ParameterDeclaration[] {
  const part = declarator.parts.find((p) => p.kind === "function");
  return part?.kind === "function" ? part.params : [];
}

function parameterSymbols(
  context: Context,
  type: FunctionType,
  written: readonly ParameterDeclaration[],
): VariableSymbol[] {
  return type.params.map((param, i) => {
    const source = written[i];
    const span = source?.declarator.nameSpan ??
      placeOf(param) ?? { file: context.unit.end.file, start: 0, end: 0 };
    const attributes =
      source === undefined
        ? noAttributes()
        : parseAttributes(context, source.specifiers.attributes, source.declarator.attributes);
    const symbol = newVariable(
      context,
      {
        name: param.name ?? "",
        span,
        type: param.type,
        storage: undefined,
        inline: false,
        noreturn: false,
        attributes,
        asmLabel: undefined,
      },
      "param",
    );
    if (!isError(param.type) && !isComplete(param.type)) {
      report(
        context,
        "incompleteParameter",
        span,
        [quoteType(param.type)],
        forwardNote(param.type),
      );
      symbol.type = errorType;
    }
    return symbol;
  });
}

function warnReturn(
  context: Context,
  symbol: FunctionSymbol,
  body: CheckedStatement,
  end: Span,
): void {
  const type = asFunction(symbol.type);
  if (type === undefined || symbol.naked || context.diagnostics.faultCount > 0) return;
  const falls = fallsThrough(body);
  if (symbol.noreturn && falls) report(context, "noreturnReturns", end, [symbol.name]);
  if (isVoid(type.returns) || isError(type.returns) || !falls || symbol.noreturn) return;
  report(context, reachesReturn(body) ? "missingReturnSome" : "missingReturn", end);
}

/** The place of the closing brace. */
function closingBrace(span: Span): Span {
  return { ...span, start: Math.max(span.start, span.end - 1) };
}

function warnUnusedParameters(context: Context, state: FunctionState): void {
  if (context.diagnostics.faultCount > state.errorsBefore) return;
  for (const [symbol, use] of state.uses) {
    const named = symbol.storage === "param" && symbol.name !== "";
    if (!named || context.unusedAllowed.has(symbol)) continue;
    if (use.references === 0) report(context, "unusedParameter", symbol.span, [symbol.name]);
    else if (use.references === use.stores && !canonical(symbol.type).volatile)
      report(context, "unusedButSetParameter", symbol.span, [symbol.name]);
  }
}

/** Checks the statements of a function and gives it its body. */
function checkBody(
  context: Context,
  symbol: FunctionSymbol,
  definition: FunctionDefinition,
  params: readonly VariableSymbol[],
): void {
  const type = asFunction(symbol.type);
  if (type === undefined) return;
  const state: FunctionState = {
    symbol,
    returns: type.returns,
    variadic: type.variadic,
    labelScopes: [new Map()],
    labels: [],
    switches: [],
    loops: 0,
    breakable: 0,
    uses: new Map(),
    staticNames: new Map(),
    errorsBefore: context.diagnostics.faultCount,
  };
  const references = new Set<FunctionSymbol | VariableSymbol>();
  context.dependencies.set(symbol, references);
  const { scope, function: outer, references: before } = context;
  context.scope = newScope("block", context.fileScope);
  context.function = state;
  context.references = references;
  enterParameters(context, state, params);
  const { body } = definition;
  const statements = context.recurse.block(context, body, false);
  for (const labels of state.labelScopes) finishLabels(context, labels);
  if (state.labelAddresses !== undefined) finishComputedGotos(context);
  const locals = statements.flatMap((s) => (s.kind === "local" ? [s.symbol] : []));
  const block: CheckedStatement = { kind: "compound", body: statements, locals, span: body.span };
  const end = closingBrace(body.span);
  warnReturn(context, symbol, block, end);
  warnUnusedParameters(context, state);
  symbol.body = { params, body: block, labels: state.labels, endSpan: end };
  // After an error anywhere clang says no more about the flow of control.
  if (context.diagnostics.faultCount === 0) warnFlow(context, symbol.body);
  context.scope = scope;
  context.function = outer;
  context.references = before;
}

function enterParameters(
  context: Context,
  state: FunctionState,
  params: readonly VariableSymbol[],
): void {
  for (const param of params) {
    state.uses.set(param, { references: 0, stores: 0 });
    if (param.name === "") continue;
    const earlier = context.scope.ordinary.get(param.name);
    if (earlier !== undefined) {
      report(
        context,
        "redefinitionParameter",
        param.span,
        [param.name],
        previousNote(earlier.span, "previous declaration is here"),
      );
    }
    declare(context, param.name, param);
  }
}

/**
 * C99's `inline` without `static` or `extern`, and GNU's with `extern`, as in a C library's headers: this
 * unit's code is for inlining only.
 */
function settleLinkage(symbol: FunctionSymbol, declared: DeclaredName): void {
  if (symbol.linkage === "static") return;
  const isExtern = declared.storage === "extern";
  const onlyInline = declared.inline && isExtern === declared.attributes.gnuInline;
  symbol.linkage = onlyInline ? "static" : "global";
}

/** A function definition. Those of headers wait until something needs them. */
export function checkFunctionDefinition(
  context: Context,
  definition: FunctionDefinition,
  readName: ReadName,
): void {
  const { specifiers, declarator } = definition;
  const base = context.recurse.specifiedType(context, specifiers, false);
  const declared = readName(context, specifiers, declarator, base);
  const written = asFunction(declared.type);
  if (written === undefined) {
    if (!isError(declared.type)) report(context, "notFunctionDefinition", declared.span);
    return;
  }
  const [outermost] = declarator.parts;
  if (outermost?.kind === "function" && outermost.identifiers === true)
    report(context, "oldDefinition", declared.span);
  const symbol = declareFunction(context, declared);
  if (symbol === undefined) {
    // Its name is taken, but its body may still hold errors of its own.
    const stranger = newFunction(context, declared);
    checkBody(
      context,
      stranger,
      definition,
      parameterSymbols(context, written, functionPart(declarator)),
    );
    return;
  }
  if (
    symbol.body !== undefined ||
    context.pendingBodies.has(symbol) ||
    context.defining.has(symbol)
  ) {
    report(context, "redefinition", declared.span, [declared.name], previousNote(symbol.span));
    return;
  }
  context.defining.add(symbol);
  symbol.type = declared.type;
  Object.assign(symbol, { span: declared.span });
  context.places.set(symbol, context.ordinal);
  settleLinkage(symbol, declared);
  const { returns } = written;
  if (!isVoid(returns) && !isError(returns) && !isComplete(returns)) {
    report(context, "incompleteReturn", declared.span, [quoteType(returns)], forwardNote(returns));
  }
  const params = parameterSymbols(context, written, functionPart(declarator));
  if (context.lazy) {
    const { ordinal, scope } = context;
    context.pendingBodies.set(symbol, { definition, ordinal, params, scope });
  } else checkBody(context, symbol, definition, params);
}

/** Checks the body of a header function that turned out to be needed. */
export function checkPendingBody(context: Context, symbol: FunctionSymbol): void {
  const pending = context.pendingBodies.get(symbol);
  if (pending === undefined) return;
  context.pendingBodies.delete(symbol);
  atFileScope(context, pending.ordinal, () => {
    checkBody(context, symbol, pending.definition, pending.params);
  });
}
