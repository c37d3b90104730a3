/** `__sync_*`, `__atomic_*` and `__c11_atomic_*`: typed by what their first argument points to. */
import type { Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { type ArgumentKind, type AtomicRow, atomicRow, withoutSize } from "./atomics-table.ts";
import type { CheckedExpression } from "./checked.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { decay } from "./conversions.ts";
import { closingPlace } from "./expression-place.ts";
import { sizeOf } from "./layout.ts";
import { quoteType } from "./print-type.ts";
import {
  asRecord,
  boolType,
  canonical,
  intType,
  isError,
  isInteger,
  isPointer,
  pointeeOf,
  pointerTo,
  unqualified,
  voidType,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

interface AtomicCall {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly span: CheckedExpression["span"];
}

/** Reports unless the address points to something that can be accessed atomically. */
function checkAddress(
  context: Context,
  pointer: CheckedExpression,
  name: string,
  place: CheckedExpression["span"],
): QualType | undefined {
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined) {
    report(context, "atomicPointer", place, [quoteType(pointer.type)]);
    return undefined;
  }
  const generic = /^__atomic_(load|store|exchange|compare_exchange|test_and_set|clear)$/.test(name);
  const fits =
    isInteger(pointee) || isPointer(pointee) || (generic && asRecord(pointee) !== undefined);
  const byteWise = name === "__atomic_test_and_set" || name === "__atomic_clear";
  if (!fits && !byteWise) {
    report(context, "atomicType", place, [quoteType(pointer.type)]);
    return undefined;
  }
  if (canonical(pointee).const && !name.includes("load")) {
    report(context, "atomicConst", place, [quoteType(pointer.type)]);
    return undefined;
  }
  if (!byteWise && ![1, 2, 4, 8, 16].includes(sizeOf(pointee))) {
    report(context, "atomicSize", place, [quoteType(pointer.type)]);
    return undefined;
  }
  return pointee;
}

function argumentType(kind: ArgumentKind, pointee: QualType, name: string): QualType {
  const stepsPointer = isPointer(pointee) && /(add|sub)/.test(name);
  if (kind === "value") return stepsPointer ? intType : unqualified(pointee);
  if (kind === "pointer") return pointerTo(unqualified(pointee));
  return intType;
}

function hasArity(context: Context, call: AtomicCall, row: AtomicRow): boolean {
  const wanted = row.args.length + 1;
  const have = call.args.length;
  const extra = call.args[wanted];
  if (have < wanted) {
    const name = row.more === true ? "tooFewArgumentsAtLeast" : "tooFewArguments";
    report(context, name, closingPlace(call.span), [String(wanted), String(have)]);
    return false;
  }
  if (extra === undefined || row.more === true) return true;
  report(context, "tooManyArguments", extra.span, [String(wanted), String(have)]);
  return false;
}

function checkArgument(
  context: Context,
  argument: Expression,
  target: QualType,
): CheckedExpression {
  const original = context.recurse.expression(context, argument);
  const value = decay(original);
  // The pointer argument of the generic forms may point to a qualified or void object.
  const pointer = isPointer(target) && isPointer(value.type) ? pointeeOf(value.type) : undefined;
  const wanted = pointer !== undefined && canonical(pointer).const ? value.type : target;
  return convertForAssignment(context, original, value, wanted, {
    reason: "passing",
    span: argument.span,
  });
}

export function checkAtomic(context: Context, call: AtomicCall): CheckedExpression {
  const { span } = call;
  const name = withoutSize(call.name);
  const row = atomicRow(call.name);
  if (row === undefined) {
    report(context, "unknownBuiltin", span, [call.name]);
    return errorExpression(span);
  }
  if (!hasArity(context, call, row)) return errorExpression(span);
  const [first, ...rest] = call.args as [Expression, ...Expression[]];
  const pointer = decay(context.recurse.expression(context, first));
  if (isError(pointer.type)) return errorExpression(span);
  const pointee = checkAddress(context, pointer, name, span);
  if (pointee === undefined) return errorExpression(span);
  const args = row.args.map((kind, i) => {
    const argument = rest[i] as Expression;
    return checkArgument(context, argument, argumentType(kind, pointee, name));
  });
  if (args.some((a) => isError(a.type))) return errorExpression(span);
  const types = { value: unqualified(pointee), bool: boolType, void: voidType };
  return { kind: "builtin", name, args: [pointer, ...args], type: types[row.returns], span };
}
