/** Whether something may be assigned to, and the message where it may not. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { CheckedExpression } from "./checked.ts";
import { type Context, previousNote, report } from "./context.ts";
import { isLvalue } from "./conversions.ts";
import { quoteType } from "./print-type.ts";
import { asArray, asFunction, asRecord, canonical, isError } from "./type-tools.ts";
import type { QualType, RecordType } from "./types.ts";

function constMember(record: RecordType): string | undefined {
  for (const field of record.definition?.fields ?? []) {
    if (canonical(field.type).const) return field.name ?? "";
    const inner = asRecord(field.type);
    const found = inner && constMember(inner);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether the const comes from the field's own declaration rather than from the object's. */
function isConstField(target: Extract<CheckedExpression, { kind: "member" }>): string | undefined {
  const field = target.path.find((f) => canonical(f.type).const);
  return field?.name;
}

function reportConst(
  context: Context,
  target: CheckedExpression,
  type: QualType,
  span: Span,
): void {
  if (target.kind === "variable") {
    const { symbol } = target;
    report(
      context,
      "assignConst",
      span,
      [symbol.name, quoteType(type)],
      previousNote(symbol.span, `variable '${symbol.name}' declared const here`),
    );
    return;
  }
  if (target.kind === "member") {
    const field = isConstField(target);
    if (field !== undefined) {
      report(context, "assignConstMember", span, [field, quoteType(type)]);
      return;
    }
    let root: CheckedExpression = target.object;
    while (root.kind === "member") root = root.object;
    if (root.kind === "variable" && canonical(root.type).const) {
      reportConst(context, root, root.type, span);
      return;
    }
  }
  report(context, "assignReadOnly", span);
}

/** Reports unless the lvalue may be assigned to. */
export function checkModifiable(context: Context, target: CheckedExpression, span: Span): boolean {
  const { type } = target;
  if (isError(type)) return false;
  if (asFunction(type) !== undefined) {
    report(context, "functionNotAssignable", span, [quoteType(type)]);
    return false;
  }
  if (!isLvalue(target) || canonical(type).type.kind === "void") {
    report(context, "notAssignable", span);
    return false;
  }
  if (asArray(type) !== undefined) {
    report(context, "arrayNotAssignable", span, [quoteType(type)]);
    return false;
  }
  if (canonical(type).const) {
    reportConst(context, target, type, span);
    return false;
  }
  const record = asRecord(type);
  const nested = record && constMember(record);
  if (nested !== undefined) {
    const name = target.kind === "variable" ? target.symbol.name : "";
    if (target.kind === "variable") report(context, "assignNested", span, [name, nested]);
    else report(context, "assignReadOnly", span);
    return false;
  }
  return true;
}
