/** Inline assembly: operands become lvalues or values as their constraints say. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { AsmOperand, AsmStatement } from "../2-parse/ast.ts";
import type { CheckedAsmOperand, CheckedExpression, CheckedStatement } from "./checked.ts";
import { evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { decay, isLvalue } from "./conversions.ts";
import { useLabel } from "./labels.ts";
import { quoteType } from "./print-type.ts";
import { asRecord, isError, isVoid } from "./type-tools.ts";

function operand(written: AsmOperand, value: CheckedAsmOperand["value"]): CheckedAsmOperand {
  return {
    ...(written.name !== undefined && { name: written.name }),
    constraint: written.constraint,
    value,
  };
}

function noteStore(context: Context, value: CheckedAsmOperand["value"]): void {
  if (value.kind !== "variable") return;
  const use = context.function?.uses.get(value.symbol);
  if (use !== undefined) use.references += 1;
}

/** The constraint's literal, in front of the operand. */
function constraintPlace(written: AsmOperand): Span {
  const { span } = written.value;
  const text = `"${written.constraint}"`;
  const at = span.file.text.lastIndexOf(text, span.start);
  return at < 0 ? span : { ...span, start: at, end: at + text.length };
}

function checkOutput(context: Context, written: AsmOperand): CheckedAsmOperand {
  const value = context.recurse.expression(context, written.value);
  if (isError(value.type)) return operand(written, value);
  if (!/^[=+]/.test(written.constraint)) {
    report(context, "asmOutputConstraint", constraintPlace(written), [written.constraint]);
    return operand(written, errorExpression(value.span));
  }
  if (!isLvalue(value)) {
    report(context, "asmOutput", written.value.span);
    return operand(written, errorExpression(value.span));
  }
  noteStore(context, value);
  return operand(written, value);
}

/** Whether a constraint allows memory only: its operand is then an lvalue. */
function wantsMemory(constraint: string): boolean {
  return /[mo]/.test(constraint) && !/[rgiInX0-9]/.test(constraint);
}

function checkInput(context: Context, written: AsmOperand): CheckedAsmOperand {
  const value = context.recurse.expression(context, written.value);
  if (isError(value.type)) return operand(written, value);
  if (!inputConstraint.test(written.constraint)) {
    report(context, "asmInputConstraint", constraintPlace(written), [written.constraint]);
    return operand(written, errorExpression(value.span));
  }
  if (wantsMemory(written.constraint)) {
    if (isLvalue(value)) return operand(written, value);
    report(context, "asmInput", written.value.span, [written.constraint]);
    return operand(written, errorExpression(value.span));
  }
  const read = decay(value);
  if (isVoid(read.type) || asRecord(read.type) !== undefined) {
    report(context, "asmType", written.value.span, [
      quoteType(read.type),
      `input for constraint '${written.constraint}'`,
    ]);
    return operand(written, errorExpression(value.span));
  }
  return operand(written, wantsNumber(written.constraint) ? asNumber(context, read) : read);
}

/** Whether a constraint allows constants only. */
function wantsNumber(constraint: string): boolean {
  return /^[inIs]+$/.test(constraint);
}

/** An offset that is computed from a null pointer is a number here, and no relocation. */
function asNumber(context: Context, value: CheckedExpression): CheckedExpression {
  const known = evaluateInteger(value, { constants: context.constants });
  if (known === undefined) return value;
  return { kind: "constant", value: known.value, type: value.type, span: value.span };
}

const clobberNames = /^(?:[rw](?:[0-9]|1[01])|memory|cc|~?\{?dirflag\}?)$/;

const inputConstraint = /^[%&+*]*[rwimngopXsEF0-9,]+$|^\[\w+\]$/;

export function checkAsm(context: Context, statement: AsmStatement): CheckedStatement {
  const outputs = statement.outputs.map((o) => checkOutput(context, o));
  const inputs = statement.inputs.map((o) => checkInput(context, o));
  for (const clobber of statement.clobbers) {
    if (!clobberNames.test(clobber)) report(context, "asmClobber", statement.span, [clobber]);
  }
  const labels = statement.labels.map((name) => useLabel(context, name, statement.span));
  return {
    kind: "asm",
    template: statement.template,
    extended: statement.extended,
    volatile: statement.volatile || outputs.length === 0,
    outputs,
    inputs,
    clobbers: statement.clobbers,
    labels,
    span: statement.span,
  };
}
