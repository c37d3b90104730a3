/** Statements: one table row per kind (C17 6.8, with labels, case ranges and asm of GNU C). */
import { lineColumnAt, type Span } from "../../common/diagnostics/source.ts";
import type { BlockItem, CompoundStatement, Expression, Statement } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { checkAsm } from "./check-asm.ts";
import { discard } from "./check-expression-binary.ts";
import { localsOf } from "./check-expression-types.ts";
import { checkStaticAssert } from "./check-static-assert.ts";
import { checkCase, checkDefault, checkSwitch } from "./check-switch.ts";
import type { CheckedExpression, CheckedStatement } from "./checked.ts";
import { checkComputedGoto } from "./computed-goto.ts";
import { type Context, inScope, newScope, report } from "./context.ts";
import { decay, toCondition } from "./conversions.ts";
import { defineLabel, popLabels, pushLabels, useLabel } from "./labels.ts";
import { warnAssignedCondition, warnExtraParentheses } from "./precedence-warnings.ts";
import { isError, isVoid } from "./type-tools.ts";
import { warnUnusedLocals, warnUnusedValue } from "./usage-warnings.ts";

type Of<K extends Statement["kind"]> = Extract<Statement, { kind: K }>;

type Handlers = {
  readonly [K in Statement["kind"]]: (context: Context, statement: Of<K>) => CheckedStatement;
};

const handlers: Handlers = {
  compound: checkCompound,
  expression: (context, s) => checkExpressionStatement(context, s.value, s.span),
  empty: (_, s) => ({
    ...emptyStatement(s.span),
    fallthrough: s.attributes.some(({ name }) => /^(__)?fallthrough(__)?$/.test(name)),
  }),
  if: checkIf,
  switch: checkSwitch,
  case: checkCase,
  default: checkDefault,
  while: checkWhile,
  do: checkWhile,
  for: checkFor,
  labeled: checkLabeled,
  goto: (context, s) => ({
    kind: "goto",
    label: useLabel(context, s.label, labelPlace(s)),
    span: s.span,
  }),
  computed_goto: (context, s) => checkComputedGoto(context, s.target, s.span),
  break: checkJump,
  continue: checkJump,
  return: checkReturn,
  asm: checkAsm,
};

/** The label's name after `goto`. */
function labelPlace(statement: Of<"goto">): Span {
  const { span, label } = statement;
  const at = span.file.text.indexOf(label, span.start + "goto".length);
  return at < 0 || at >= span.end ? span : { ...span, start: at, end: at + label.length };
}

export function checkStatement(context: Context, statement: Statement): CheckedStatement {
  const handler = handlers[statement.kind] as (c: Context, s: Statement) => CheckedStatement;
  return handler(context, statement);
}

export function emptyStatement(span: Span): Extract<CheckedStatement, { kind: "compound" }> {
  return { kind: "compound", body: [], locals: [], span };
}

/** The items of a block in the present scope. */
export function checkBlock(
  context: Context,
  block: CompoundStatement,
  hasValue: boolean,
): CheckedStatement[] {
  const result: CheckedStatement[] = [];
  pushLabels(context, block);
  block.items.forEach((item, i) => {
    const next = block.items[i + 1];
    if (item.kind === "while" || item.kind === "for") warnEmptyLoop(context, item, next);
    const isValue = hasValue && i === block.items.length - 1;
    if (item.kind === "declaration")
      result.push(...context.recurse.localDeclaration(context, item));
    else if (item.kind === "static_assert") checkStaticAssert(context, item);
    else if (item.kind === "function_definition") report(context, "nestedFunction", item.body.span);
    else if (item.kind === "expression" && isValue) {
      const value = context.recurse.expression(context, item.value);
      result.push({ kind: "expression", value, span: item.span });
    } else if (item.kind === "labeled" && isValue) result.push(checkLabeled(context, item, true));
    else result.push(checkStatement(context, item));
  });
  popLabels(context, block);
  warnUnusedLocals(context, context.scope);
  return result;
}

function checkCompound(context: Context, statement: CompoundStatement): CheckedStatement {
  const body = inScope(context, "block", () => checkBlock(context, statement, false));
  return { kind: "compound", body, locals: localsOf(body), span: statement.span };
}

export function checkExpressionStatement(
  context: Context,
  expression: Expression,
  span: Span,
): CheckedStatement {
  const checked = context.recurse.expression(context, expression);
  if (!isError(checked.type)) warnUnusedValue(context, expression, checked);
  return { kind: "expression", value: discard(checked), span };
}

/** A controlling expression; clang points at the statement where it is no scalar. */
function condition(context: Context, expression: Expression, place: Span): CheckedExpression {
  warnAssignedCondition(context, expression);
  warnExtraParentheses(context, expression);
  const checked = context.recurse.expression(context, expression);
  return toCondition(context, checked, "statementNotScalar", place);
}

/** A statement in a scope of its own, as the parts of `if` and loops are. */
function inner(context: Context, statement: Statement): CheckedStatement {
  return inScope(context, "block", () => checkStatement(context, statement));
}

/** `if (x);` on one line is rarely meant; `end`: where the head ends. */
function warnEmptyBody(context: Context, body: Statement, end: Span, what: string): void {
  if (body.kind !== "empty" || body.attributes.length > 0) return;
  if (body.span.expandedFrom !== undefined || body.span.file !== end.file) return;
  const between = body.span.file.text.slice(end.end, body.span.start);
  if (!between.includes("\n")) report(context, "emptyBody", body.span, [what]);
}

/** An empty loop is suspect only where what follows looks as if it were the body. */
function warnEmptyLoop(
  context: Context,
  loop: Of<"while" | "do"> | Of<"for">,
  next?: BlockItem,
): void {
  if (next === undefined || next.kind === "function_definition") return;
  const [own, following] = [loop.span, next.span];
  if (own.file !== following.file || own.expandedFrom !== undefined) return;
  const isDeeper =
    lineColumnAt(following.file, following.start).column > lineColumnAt(own.file, own.start).column;
  if (next.kind !== "compound" && !isDeeper) return;
  const head = loop.kind === "for" ? (loop.step ?? loop.condition ?? loop.init) : loop.condition;
  warnEmptyBody(context, loop.body, head?.span ?? own, `${loop.kind} loop`);
}

/** Chains of `else if` are walked in a loop: they may be thousands of links long. */
function checkIf(context: Context, statement: Of<"if">): CheckedStatement {
  const outer = context.scope;
  const links: Extract<CheckedStatement, { kind: "if" }>[] = [];
  let rest: Statement | undefined = statement;
  try {
    while (rest?.kind === "if") {
      const { span } = rest;
      // Each statement is a scope inside the one before; where nothing was declared, that one serves.
      const { scope } = context;
      if (scope === outer || scope.ordinary.size + scope.tags.size > 0)
        context.scope = newScope("block", scope);
      const test = condition(context, rest.condition, span);
      const then = inner(context, rest.then);
      links.push({ kind: "if", condition: test, then, span });
      if (rest.otherwise === undefined)
        warnEmptyBody(context, rest.then, rest.condition.span, "if statement");
      rest = rest.otherwise;
    }
    const last = rest && inner(context, rest);
    return links.reduceRight<CheckedStatement | undefined>(
      (otherwise, link) => (otherwise === undefined ? link : { ...link, otherwise }),
      last,
    ) as CheckedStatement;
  } finally {
    context.scope = outer;
  }
}

function loopBody(context: Context, body: Statement): CheckedStatement {
  const state = context.function;
  if (state === undefined) return inner(context, body);
  state.loops += 1;
  state.breakable += 1;
  const checked = inner(context, body);
  state.loops -= 1;
  state.breakable -= 1;
  return checked;
}

function checkWhile(context: Context, statement: Of<"while" | "do">): CheckedStatement {
  return inScope(context, "block", () => checkLoop(context, statement));
}

function checkLoop(context: Context, statement: Of<"while" | "do">): CheckedStatement {
  const before =
    statement.kind === "while"
      ? condition(context, statement.condition, statement.span)
      : undefined;
  const body = loopBody(context, statement.body);
  return {
    kind: "loop",
    form: statement.kind,
    condition: before ?? condition(context, statement.condition, statement.span),
    body,
    locals: [],
    ...(statement.unroll !== undefined && { unroll: statement.unroll }),
    span: statement.span,
  };
}

function forInit(context: Context, init: NonNullable<Of<"for">["init"]>): CheckedStatement[] {
  return init.kind === "declaration"
    ? context.recurse.localDeclaration(context, init)
    : [checkExpressionStatement(context, init, init.span)];
}

function checkFor(context: Context, statement: Of<"for">): CheckedStatement {
  return inScope(context, "block", () => {
    const { span } = statement;
    const init = statement.init === undefined ? [] : forInit(context, statement.init);
    const test = statement.condition && condition(context, statement.condition, statement.span);
    const step = statement.step && context.recurse.expression(context, statement.step);
    if (step !== undefined && statement.step !== undefined && !isError(step.type)) {
      warnUnusedValue(context, statement.step, step);
    }
    const body = loopBody(context, statement.body);
    warnUnusedLocals(context, context.scope);
    const [only] = init;
    const first: CheckedStatement | undefined =
      init.length === 1 ? only : { kind: "compound", body: init, locals: [], span };
    return {
      kind: "loop",
      form: "for",
      ...(first !== undefined && init.length > 0 && { init: first }),
      ...(test !== undefined && { condition: test }),
      ...(step !== undefined && { step: discard(step) }),
      body,
      locals: localsOf(init),
      ...(statement.unroll !== undefined && { unroll: statement.unroll }),
      span,
    };
  });
}

function checkLabeled(
  context: Context,
  statement: Of<"labeled">,
  isValue = false,
): CheckedStatement {
  const { name, span } = statement;
  const label = defineLabel(context, name, { ...span, end: span.start + name.length });
  const { body } = statement;
  if (isValue && body.kind === "expression") {
    const value = context.recurse.expression(context, body.value);
    return { kind: "label", label, body: { kind: "expression", value, span: body.span }, span };
  }
  return { kind: "label", label, body: checkStatement(context, body), span };
}

function checkJump(context: Context, statement: Of<"break" | "continue">): CheckedStatement {
  const { kind, span } = statement;
  const state = context.function;
  const depth = kind === "break" ? (state?.breakable ?? 0) : (state?.loops ?? 0);
  if (depth === 0) report(context, kind === "break" ? "breakOutside" : "continueOutside", span);
  return { kind, span };
}

function returnVoid(
  context: Context,
  value: CheckedExpression,
  span: Span,
  name: string,
): CheckedStatement {
  if (!isVoid(value.type) && !isError(value.type)) {
    report(context, "voidReturn", span, [name]);
  }
  const effect: CheckedStatement = { kind: "expression", value: discard(value), span };
  return { kind: "compound", body: [effect, { kind: "return", span }], locals: [], span };
}

function checkReturn(context: Context, statement: Of<"return">): CheckedStatement {
  const { span } = statement;
  const state = context.function;
  if (state === undefined) return emptyStatement(span);
  const { name } = state.symbol;
  if (statement.value === undefined) {
    const needsValue = !isVoid(state.returns) && !isError(state.returns);
    if (needsValue) report(context, "nonVoidReturn", span, [name]);
    return { kind: "return", span };
  }
  const original = context.recurse.expression(context, statement.value);
  if (isVoid(state.returns)) return returnVoid(context, original, span, name);
  const value = convertForAssignment(context, original, decay(original), state.returns, {
    reason: "returning",
    span: statement.value.span,
  });
  return { kind: "return", value, span };
}
