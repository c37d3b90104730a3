/**
 * Finds locals that are read before anything can have been stored in them. Follows straight lines
 * only: where control may come from elsewhere or leave, nothing is claimed.
 */
import type { CheckedExpression, CheckedStatement, VariableSymbol } from "./checked.ts";
import { type Context, report } from "./context.ts";
import { childrenOf, initializerParts } from "./expression-children.ts";
import { canonical, isInteger, isPointer } from "./type-tools.ts";

/** What the first thing that happens to a variable is: a sure read, or anything else. */
type Use = { readonly kind: "read"; readonly at: CheckedExpression } | { readonly kind: "other" };

const other: Use = { kind: "other" };

function isVariable(expression: CheckedExpression, symbol: VariableSymbol): boolean {
  return expression.kind === "variable" && expression.symbol === symbol;
}

/** The first use among parts that may or may not be evaluated. */
function uncertain(parts: readonly CheckedExpression[], symbol: VariableSymbol): Use | undefined {
  return parts.some((part) => firstUse(part, symbol) !== undefined) ? other : undefined;
}

function firstOf(parts: readonly CheckedExpression[], symbol: VariableSymbol): Use | undefined {
  for (const part of parts) {
    const found = firstUse(part, symbol);
    if (found !== undefined) return found;
  }
  return undefined;
}

function firstUse(e: CheckedExpression, symbol: VariableSymbol): Use | undefined {
  if (e.kind === "cast" && e.cast === "lvalue_to_rvalue" && isVariable(e.operand, symbol)) {
    return { kind: "read", at: e.operand };
  }
  if ((e.kind === "increment" || e.kind === "compound_assign") && isVariable(e.target, symbol)) {
    const before = e.kind === "compound_assign" ? firstUse(e.value, symbol) : undefined;
    return before ?? { kind: "read", at: e.target };
  }
  if (isVariable(e, symbol)) return other;
  if (e.kind === "logical") return firstUse(e.left, symbol) ?? uncertain([e.right], symbol);
  if (e.kind === "conditional") {
    return firstUse(e.condition, symbol) ?? uncertain([e.then, e.otherwise], symbol);
  }
  if (e.kind === "statement_expression") {
    return e.body.length > 0
      ? firstInStatements(e.body, symbol, e.result)
      : firstOf(childrenOf(e), symbol);
  }
  // CO-RE builtins only look at the shape of what they are given.
  if (e.kind === "builtin" && e.name.startsWith("__builtin_preserve"))
    return uncertain(e.args, symbol);
  return firstOf(childrenOf(e), symbol);
}

function firstInStatements(
  statements: readonly CheckedStatement[],
  symbol: VariableSymbol,
  result: CheckedExpression | undefined,
): Use | undefined {
  for (const statement of statements) {
    const found = firstInStatement(statement, symbol);
    if (found !== undefined) return found;
  }
  return result && firstUse(result, symbol);
}

/** The first use in a statement; `other` also where control does not simply go on. */
function firstInStatement(statement: CheckedStatement, symbol: VariableSymbol): Use | undefined {
  switch (statement.kind) {
    case "expression":
      return firstUse(statement.value, symbol);
    case "local":
      return statement.initializer && firstOf(initializerParts(statement.initializer), symbol);
    case "compound":
      return firstInStatements(statement.body, symbol, undefined);
    case "if":
      return firstUse(statement.condition, symbol) ?? other;
    case "switch":
      return firstUse(statement.value, symbol) ?? other;
    case "return":
      return (statement.value && firstUse(statement.value, symbol)) ?? other;
    case "loop":
    case "label":
    case "case":
    case "goto":
    case "break":
    case "continue":
    case "asm":
      return other;
  }
}

function warn(context: Context, symbol: VariableSymbol, use: Use | undefined, own: boolean): void {
  if (use?.kind !== "read") return;
  const { span } = use.at;
  if (own) report(context, "uninitializedSelf", span, [symbol.name]);
  else {
    const message = `initialize the variable '${symbol.name}' to silence this warning`;
    report(context, "uninitialized", span, [symbol.name], {
      notes: [{ message, span: { ...symbol.span, start: symbol.span.end } }],
    });
  }
}

/** `int x = x;` says that it is left uninitialised on purpose. */
function isSelfCopy(parts: readonly CheckedExpression[], symbol: VariableSymbol): boolean {
  const [only] = parts;
  return only?.kind === "cast" && parts.length === 1 && isVariable(only.operand, symbol);
}

/** Warns of the locals of one block that are read before they can hold anything. */
export function warnUninitialized(context: Context, statements: readonly CheckedStatement[]): void {
  statements.forEach((statement, i) => {
    if (statement.kind !== "local") return;
    const { symbol, initializer } = statement;
    const scalar = isInteger(symbol.type) || isPointer(symbol.type);
    if (!scalar || canonical(symbol.type).volatile) return;
    if (initializer !== undefined) {
      const parts = initializerParts(initializer);
      if (!isSelfCopy(parts, symbol)) warn(context, symbol, firstOf(parts, symbol), true);
    } else {
      warn(context, symbol, firstInStatements(statements.slice(i + 1), symbol, undefined), false);
    }
  });
}
