/**
 * Addresses of labels, and jumps to them (GNU C). BPF has no jump to an address: a label's address is
 * its number among those of the function whose address is taken, and the jump is a switch over them.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import type { CheckedExpression, CheckedStatement, LabelSymbol } from "./checked.ts";
import {
  type ComputedJump,
  type Context,
  errorExpression,
  type LabelAddresses,
  report,
} from "./context.ts";
import { castNode, decay } from "./conversions.ts";
import { useLabel } from "./labels.ts";
import { isError, pointerTo, unsignedLongType, voidType, withConst } from "./type-tools.ts";

function addressesOf(context: Context): LabelAddresses | undefined {
  const state = context.function;
  if (state === undefined) return undefined;
  state.labelAddresses ??= { labels: [], jumps: [] };
  return state.labelAddresses;
}

function addCase(jump: ComputedJump, label: LabelSymbol, caseId: number): void {
  const { span } = jump;
  const number = BigInt(caseId + 1);
  jump.cases.push({ caseId, low: number, high: number });
  const body: CheckedStatement = { kind: "goto", label, span };
  jump.body.push({ kind: "case", switchId: jump.id, caseId, body, span });
}

/** `&&label`. */
export function checkLabelAddress(
  context: Context,
  { name, span }: Extract<Expression, { kind: "label_address" }>,
): CheckedExpression {
  const known = addressesOf(context);
  const place = { ...span, start: span.end - name.length };
  if (known === undefined) {
    report(context, "labelAddress", place);
    return errorExpression(span);
  }
  const label = useLabel(context, name, place);
  if (!known.labels.includes(label)) {
    known.labels.push(label);
    for (const jump of known.jumps) addCase(jump, label, known.labels.length - 1);
  }
  const value = BigInt(known.labels.indexOf(label) + 1);
  const number: CheckedExpression = { kind: "constant", value, type: unsignedLongType, span };
  return castNode("integral_to_pointer", number, pointerTo(voidType));
}

/** `goto *address;`. */
export function checkComputedGoto(
  context: Context,
  target: Expression,
  span: Span,
): CheckedStatement {
  const original = context.recurse.expression(context, target);
  const place = { reason: "passing", span: target.span } as const;
  const wanted = pointerTo(withConst(voidType));
  const address = convertForAssignment(context, original, decay(original), wanted, place);
  const known = addressesOf(context);
  const nothing: CheckedStatement = { kind: "compound", body: [], locals: [], span };
  if (isError(address.type) || known === undefined) return nothing;
  context.ids.switch += 1;
  const jump: ComputedJump = { id: context.ids.switch, cases: [], body: [], span };
  known.jumps.push(jump);
  for (const [at, label] of known.labels.entries()) addCase(jump, label, at);
  const unreachable: CheckedExpression = {
    ...{ kind: "builtin", name: "__builtin_unreachable", args: [], type: voidType, span },
  };
  const other: CheckedStatement = { kind: "expression", value: unreachable, span };
  const fallback: CheckedStatement = {
    ...{ kind: "case", switchId: jump.id, caseId: -1, body: other, span },
  };
  const cases: CheckedStatement = { kind: "compound", body: jump.body, locals: [], span };
  return {
    kind: "switch",
    id: jump.id,
    value: castNode("pointer_to_integral", address, unsignedLongType),
    cases: jump.cases,
    hasDefault: true,
    body: { kind: "compound", body: [fallback, cases], locals: [], span },
    span,
  };
}

/** At the end of a function: a jump without any label to go to is an error. */
export function finishComputedGotos(context: Context): void {
  const known = context.function?.labelAddresses;
  if (known === undefined || known.labels.length > 0) return;
  for (const { span } of known.jumps) report(context, "computedGotoNowhere", span);
}
