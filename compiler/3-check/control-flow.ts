/** Whether control can run off the end of a function: a quick answer on the tree, as clang's CFG gives. */
import type { CheckedExpression, CheckedStatement } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";

/** How a statement can be left. */
interface Exits {
  /** Runs on to the next statement. */
  readonly falls: boolean;
  /** Leaves the enclosing loop or switch by `break`. */
  readonly breaks: boolean;
}

const never: Exits = { falls: false, breaks: false };
const onward: Exits = { falls: true, breaks: false };

/** Whether evaluating it never comes to an end. */
export function neverReturns(expression: CheckedExpression): boolean {
  if (expression.kind === "builtin") {
    return expression.name === "__builtin_unreachable" || expression.name === "__builtin_trap";
  }
  if (expression.kind === "cast" && expression.cast === "to_void") {
    return neverReturns(expression.operand);
  }
  if (expression.kind === "statement_expression") {
    const body = sequence(expression.body);
    return !body.falls || (expression.result !== undefined && neverReturns(expression.result));
  }
  if (expression.kind !== "call" || expression.callee.kind !== "cast") return false;
  const { operand } = expression.callee;
  return operand.kind === "function" && operand.symbol.noreturn;
}

/** Whether a label or case inside makes a statement reachable from elsewhere. */
function hasEntry(statement: CheckedStatement): boolean {
  switch (statement.kind) {
    case "label":
      return statement.label.used || hasEntry(statement.body);
    case "case":
      return true;
    case "compound":
      return statement.body.some(hasEntry);
    case "if":
      return (
        hasEntry(statement.then) ||
        (statement.otherwise !== undefined && hasEntry(statement.otherwise))
      );
    case "loop":
    case "switch":
      return hasEntry(statement.body);
    case "expression":
    case "local":
    case "goto":
    case "break":
    case "continue":
    case "return":
    case "asm":
      return false;
  }
}

function sequence(statements: readonly CheckedStatement[]): Exits {
  let falls = true;
  let breaks = false;
  for (const statement of statements) {
    if (!falls && !hasEntry(statement)) continue;
    const exits = exitsOf(statement);
    falls = exits.falls;
    breaks ||= exits.breaks;
  }
  return { falls, breaks };
}

function constantTruth(condition: CheckedExpression | undefined): boolean | undefined {
  if (condition === undefined) return true;
  const value = evaluateInteger(condition);
  return value === undefined ? undefined : value.value !== 0n;
}

function ifExits(statement: Extract<CheckedStatement, { kind: "if" }>): Exits {
  const truth = constantTruth(statement.condition);
  const then = truth === false && !hasEntry(statement.then) ? never : exitsOf(statement.then);
  const { otherwise } = statement;
  if (otherwise === undefined) return { falls: truth !== true || then.falls, breaks: then.breaks };
  const other = truth === true && !hasEntry(otherwise) ? never : exitsOf(otherwise);
  return { falls: then.falls || other.falls, breaks: then.breaks || other.breaks };
}

function exitsOf(statement: CheckedStatement): Exits {
  switch (statement.kind) {
    case "expression":
      return neverReturns(statement.value) ? never : onward;
    case "local":
      return onward;
    case "compound":
      return sequence(statement.body);
    case "if":
      return ifExits(statement);
    case "loop": {
      const body = exitsOf(statement.body);
      const truth = constantTruth(statement.condition);
      if (statement.form === "do" && truth === false) {
        return { falls: body.falls || body.breaks || hasContinue(statement.body), breaks: false };
      }
      return { falls: truth !== true || body.breaks, breaks: false };
    }
    case "switch": {
      const body = exitsOf(statement.body);
      return { falls: !statement.hasDefault || body.falls || body.breaks, breaks: false };
    }
    case "label":
    case "case":
      return exitsOf(statement.body);
    case "break":
      return { falls: false, breaks: true };
    case "goto":
    case "continue":
    case "return":
      return never;
    case "asm":
      return onward;
  }
}

function some(statement: CheckedStatement, test: (s: CheckedStatement) => boolean): boolean {
  if (test(statement)) return true;
  switch (statement.kind) {
    case "compound":
      return statement.body.some((s) => some(s, test));
    case "if":
      return (
        some(statement.then, test) ||
        (statement.otherwise !== undefined && some(statement.otherwise, test))
      );
    case "loop":
    case "switch":
    case "label":
    case "case":
      return some(statement.body, test);
    case "expression":
    case "local":
    case "goto":
    case "break":
    case "continue":
    case "return":
    case "asm":
      return false;
  }
}

function hasContinue(body: CheckedStatement): boolean {
  return some(body, (s) => s.kind === "continue");
}

/** Whether control can reach the end of the statement. */
export function fallsThrough(statement: CheckedStatement): boolean {
  return exitsOf(statement).falls;
}

/** Whether there is any `return` in it. */
export function reachesReturn(statement: CheckedStatement): boolean {
  return some(statement, (s) => s.kind === "return");
}
