/** `switch`, `case` (with GNU ranges) and `default`. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression, Statement } from "../2-parse/ast.ts";
import type { CheckedExpression, CheckedStatement } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import {
  type Context,
  errorExpression,
  inScope,
  previousNote,
  report,
  reportFolding,
  type SwitchState,
} from "./context.ts";
import { decay, promote } from "./conversions.ts";
import { quoteType } from "./print-type.ts";
import { asEnum, bare, intType, isError, isInteger, scalarBits, wrapToType } from "./type-tools.ts";
import type { QualType } from "./types.ts";

type Of<K extends Statement["kind"]> = Extract<Statement, { kind: K }>;

function switchValue(context: Context, expression: Expression): CheckedExpression {
  const value = decay(context.recurse.expression(context, expression));
  if (isError(value.type) || isInteger(value.type)) return value;
  report(context, "switchType", expression.span, [quoteType(value.type)]);
  return errorExpression(expression.span);
}

function names(missing: readonly string[]): string {
  const quoted = missing.map((name) => `'${name}'`);
  const [a, b, c] = quoted;
  if (missing.length === 1) return ` ${a}`;
  if (missing.length === 2) return `s ${a} and ${b}`;
  return `s ${a}, ${b}, and ${c}`;
}

function warnMissing(context: Context, state: SwitchState, type: QualType, span: Span): void {
  const definition = asEnum(type)?.definition;
  if (definition === undefined || state.default !== undefined) return;
  const covered = (value: bigint): boolean =>
    state.cases.some((c) => value >= c.low && value <= c.high);
  const missing = definition.enumerators.filter((e) => !covered(wrapToType(e.value, state.type)));
  if (missing.length === 0) return;
  const list = missing.map((e) => e.name);
  if (missing.length > 3) {
    report(context, "switchMissingMany", span, [
      String(missing.length),
      list
        .slice(0, 3)
        .map((name) => `'${name}'`)
        .join(", "),
    ]);
  } else report(context, "switchMissing", span, [names(list)]);
}

/** A switch is a scope, which what its value declares is in (C17 6.8.4). */
export function checkSwitch(context: Context, statement: Of<"switch">): CheckedStatement {
  return inScope(context, "block", () => checkScopedSwitch(context, statement));
}

function checkScopedSwitch(context: Context, statement: Of<"switch">): CheckedStatement {
  const written = switchValue(context, statement.value);
  const value = promote(written);
  const type = isError(value.type) ? intType : value.type;
  context.ids.switch += 1;
  const state: SwitchState = {
    id: context.ids.switch,
    type,
    unpromoted: isError(written.type) ? intType : written.type,
    cases: [],
    default: undefined,
  };
  const inside = context.function;
  inside?.switches.push(state);
  if (inside !== undefined) inside.breakable += 1;
  const body = inScope(context, "block", () => context.recurse.statement(context, statement.body));
  inside?.switches.pop();
  if (inside !== undefined) inside.breakable -= 1;
  const original = written.kind === "cast" ? written.operand.type : written.type;
  if (!isError(value.type)) {
    reportDuplicates(context, state);
    warnMissing(context, state, original, statement.value.span);
  }
  return {
    kind: "switch",
    id: state.id,
    value,
    cases: state.cases.map(({ caseId, low, high }) => ({ caseId, low, high })),
    hasDefault: state.default !== undefined,
    body,
    span: statement.span,
  };
}

function reportDuplicates(context: Context, state: SwitchState): void {
  const sorted = [...state.cases].sort((a, b) => {
    if (a.low !== b.low) return a.low < b.low ? -1 : 1;
    return a.caseId - b.caseId;
  });
  let last = sorted[0];
  for (const entry of sorted.slice(1)) {
    if (last !== undefined && entry.low <= last.high) {
      const [earlier, later] = entry.caseId > last.caseId ? [last, entry] : [entry, last];
      report(
        context,
        "duplicateCase",
        later.span,
        [caseName(later.span, entry.low)],
        previousNote(earlier.span, "previous case defined here"),
      );
    }
    if (last === undefined || entry.high > last.high) last = entry;
  }
}

/** The case as written where it is a name, else its value. */
function caseName(span: Span, value: bigint): string {
  const text = span.file.text.slice(span.start, span.end);
  return /^[A-Za-z_]\w*$/.test(text) && span.expandedFrom === undefined ? text : String(value);
}

/** A case that the enum of the condition does not have. */
function warnNotInEnum(context: Context, type: QualType, value: bigint, span: Span): void {
  const definition = asEnum(type)?.definition;
  if (definition === undefined || definition.enumerators.length === 0) return;
  if (definition.enumerators.some((e) => e.value === value)) return;
  report(context, "switchNotInEnum", span, [quoteType(type)]);
}

/** The value of a case label in the switch's type; undefined after a report. */
function caseValue(
  context: Context,
  expression: Expression,
  state: SwitchState,
): bigint | undefined {
  const checked = decay(context.recurse.expression(context, expression));
  if (isError(checked.type)) return undefined;
  if (!isInteger(checked.type)) {
    report(context, "notConstantInteger", expression.span, [quoteType(checked.type)]);
    return undefined;
  }
  const value = evaluateInteger(checked, { constants: context.constants, decideConstantP: true });
  if (value === undefined) {
    report(context, "notConstant", expression.span);
    return undefined;
  }
  if (!value.exact) reportFolding(context, expression.span);
  const narrow = wrapToType(value.value, state.unpromoted);
  const isNarrower = scalarBits(state.unpromoted) < scalarBits(checked.type);
  if (isNarrower && narrow !== value.value && bare(state.unpromoted).kind !== "bool") {
    report(context, "caseOverflow", expression.span, [String(value.value), String(narrow)]);
  }
  warnNotInEnum(context, state.unpromoted, value.value, expression.span);
  return wrapToType(value.value, state.type);
}

export function checkCase(context: Context, statement: Of<"case">): CheckedStatement {
  const { span } = statement;
  const state = context.function?.switches.at(-1);
  if (state === undefined) {
    report(context, "caseOutside", span);
    return context.recurse.statement(context, statement.body);
  }
  const low = caseValue(context, statement.low, state);
  const high = statement.high === undefined ? low : caseValue(context, statement.high, state);
  const caseId = state.cases.length;
  if (low !== undefined && high !== undefined) {
    if (high < low) report(context, "emptyCaseRange", statement.low.span);
    else state.cases.push({ caseId, low, high, span: statement.low.span });
  }
  const body = context.recurse.statement(context, statement.body);
  return { kind: "case", switchId: state.id, caseId, body, span };
}

export function checkDefault(context: Context, statement: Of<"default">): CheckedStatement {
  const { span } = statement;
  const state = context.function?.switches.at(-1);
  if (state === undefined) report(context, "defaultOutside", span);
  else if (state.default !== undefined) {
    report(
      context,
      "duplicateDefault",
      span,
      [],
      previousNote(state.default, "previous case defined here"),
    );
  } else state.default = span;
  const body = context.recurse.statement(context, statement.body);
  return { kind: "case", switchId: state?.id ?? 0, caseId: -1, body, span };
}
