/** `__sync_*`, `__atomic_*` and `__c11_atomic_*`: typed by what their first argument points to. */
import type { Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
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

/**
 * What an argument after the address is: `value` of the pointed-to type, `pointer` to it, a memory
 * `order`, a `flag`, or the integer that is added to or taken from a pointer's value.
 */
type ArgumentKind = "value" | "pointer" | "order" | "flag";

interface AtomicRow {
  readonly args: readonly ArgumentKind[];
  readonly returns: "value" | "bool" | "void";
  /** Further arguments are ignored, as in old lists of protected variables. */
  readonly more?: boolean;
}

const fetchRow: AtomicRow = { args: ["value", "order"], returns: "value" };
const syncRow: AtomicRow = { args: ["value"], returns: "value", more: true };

const operations = ["add", "sub", "and", "or", "xor", "nand"] as const;

const rows: ReadonlyMap<string, AtomicRow> = new Map([
  ...operations.flatMap((op): [string, AtomicRow][] => [
    [`__sync_fetch_and_${op}`, syncRow],
    [`__sync_${op}_and_fetch`, syncRow],
    [`__atomic_fetch_${op}`, fetchRow],
    [`__atomic_${op}_fetch`, fetchRow],
    [`__c11_atomic_fetch_${op}`, fetchRow],
  ]),
  ...["min", "max"].flatMap((op): [string, AtomicRow][] => [
    [`__atomic_fetch_${op}`, fetchRow],
    [`__atomic_${op}_fetch`, fetchRow],
    [`__c11_atomic_fetch_${op}`, fetchRow],
  ]),
  ["__sync_val_compare_and_swap", { args: ["value", "value"], returns: "value", more: true }],
  ["__sync_bool_compare_and_swap", { args: ["value", "value"], returns: "bool", more: true }],
  ["__sync_lock_test_and_set", syncRow],
  ["__sync_swap", syncRow],
  ["__sync_lock_release", { args: [], returns: "void", more: true }],
  ["__atomic_load_n", { args: ["order"], returns: "value" }],
  ["__atomic_load", { args: ["pointer", "order"], returns: "void" }],
  ["__atomic_store_n", { args: ["value", "order"], returns: "void" }],
  ["__atomic_store", { args: ["pointer", "order"], returns: "void" }],
  ["__atomic_exchange_n", { args: ["value", "order"], returns: "value" }],
  ["__atomic_exchange", { args: ["pointer", "pointer", "order"], returns: "void" }],
  [
    "__atomic_compare_exchange_n",
    { args: ["pointer", "value", "flag", "order", "order"], returns: "bool" },
  ],
  [
    "__atomic_compare_exchange",
    { args: ["pointer", "pointer", "flag", "order", "order"], returns: "bool" },
  ],
  ["__atomic_test_and_set", { args: ["order"], returns: "bool" }],
  ["__atomic_clear", { args: ["order"], returns: "void" }],
  ["__c11_atomic_init", { args: ["value"], returns: "void" }],
  ["__c11_atomic_load", { args: ["order"], returns: "value" }],
  ["__c11_atomic_store", { args: ["value", "order"], returns: "void" }],
  ["__c11_atomic_exchange", fetchRow],
  [
    "__c11_atomic_compare_exchange_strong",
    { args: ["pointer", "value", "order", "order"], returns: "bool" },
  ],
  [
    "__c11_atomic_compare_exchange_weak",
    { args: ["pointer", "value", "order", "order"], returns: "bool" },
  ],
]);

/** The name without a size such as `_4`. */
function withoutSize(name: string): string {
  return name.startsWith("__sync_") ? name.replace(/_(1|2|4|8|16)$/, "") : name;
}

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
): QualType | undefined {
  const pointee = pointeeOf(pointer.type);
  if (pointee === undefined) {
    report(context, "atomicPointer", pointer.span, [quoteType(pointer.type)]);
    return undefined;
  }
  const generic = /^__atomic_(load|store|exchange|compare_exchange|test_and_set|clear)$/.test(name);
  const fits =
    isInteger(pointee) || isPointer(pointee) || (generic && asRecord(pointee) !== undefined);
  const byteWise = name === "__atomic_test_and_set" || name === "__atomic_clear";
  if (!fits && !byteWise) {
    report(context, "atomicType", pointer.span, [quoteType(pointer.type)]);
    return undefined;
  }
  if (canonical(pointee).const && !name.includes("load")) {
    report(context, "atomicConst", pointer.span, [quoteType(pointer.type)]);
    return undefined;
  }
  if (!byteWise && ![1, 2, 4, 8, 16].includes(sizeOf(pointee))) {
    report(context, "atomicSize", pointer.span, [quoteType(pointer.type)]);
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
  const row = rows.get(name);
  if (row === undefined) {
    const lockFree = /^__(atomic|c11_atomic)_(is|always)_lock_free$/.test(name);
    if (lockFree) return { kind: "constant", value: 1n, type: boolType, span };
    report(context, "unknownBuiltin", span, [call.name]);
    return errorExpression(span);
  }
  if (!hasArity(context, call, row)) return errorExpression(span);
  const [first, ...rest] = call.args as [Expression, ...Expression[]];
  const pointer = decay(context.recurse.expression(context, first));
  if (isError(pointer.type)) return errorExpression(span);
  const pointee = checkAddress(context, pointer, name);
  if (pointee === undefined) return errorExpression(span);
  const args = row.args.map((kind, i) => {
    const argument = rest[i] as Expression;
    return checkArgument(context, argument, argumentType(kind, pointee, name));
  });
  if (args.some((a) => isError(a.type))) return errorExpression(span);
  const types = { value: unqualified(pointee), bool: boolType, void: voidType };
  return { kind: "builtin", name, args: [pointer, ...args], type: types[row.returns], span };
}
