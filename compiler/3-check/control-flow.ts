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

type If = Extract<CheckedStatement, { kind: "if" }>;

/** The branches of a chain of `else if`, which may be too long to walk by recursion. */
function linksOf(chain: If): CheckedStatement[] {
  const links: CheckedStatement[] = [];
  let rest: CheckedStatement | undefined = chain;
  for (; rest?.kind === "if"; rest = rest.otherwise) links.push(rest.then);
  return rest === undefined ? links : [...links, rest];
}

/** Whether a label or case inside makes a statement reachable from elsewhere. */
function hasEntry(statement: CheckedStatement): boolean {
  return some(statement, (s) => s.kind === "case" || (s.kind === "label" && s.label.used));
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

/** All links of a chain together; those behind a condition that holds do not count. */
function ifExits(statement: If): Exits {
  let falls = false;
  let breaks = false;
  const add = (exits: Exits): void => {
    falls ||= exits.falls;
    breaks ||= exits.breaks;
  };
  let rest: CheckedStatement | undefined = statement;
  while (rest?.kind === "if") {
    const truth = constantTruth(rest.condition);
    if (truth !== false || hasEntry(rest.then)) add(exitsOf(rest.then));
    const next: CheckedStatement | undefined = rest.otherwise;
    if (truth === true && (next === undefined || !hasEntry(next))) return { falls, breaks };
    rest = next;
  }
  add(rest === undefined ? onward : exitsOf(rest));
  return { falls, breaks };
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
      return linksOf(statement).some((s) => some(s, test));
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
