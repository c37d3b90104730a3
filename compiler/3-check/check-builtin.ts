/** Calls of builtins whose types depend on their arguments. */

import { presumedPlace } from "../../common/diagnostics/source.ts";
import { floatToBits } from "../../common/domain/float-bits.ts";
import type { Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { type BuiltinKind, type BuiltinPrototype, builtinRow } from "./builtins-table.ts";
import { checkAtomic } from "./check-atomic.ts";
import { floatSize } from "./check-float.ts";
import type { CheckedBuiltin, CheckedExpression } from "./checked.ts";
import { evaluateAddress, evaluateConstant, evaluateInteger } from "./constant-evaluator.ts";
import { type Context, errorExpression, report, unevaluated } from "./context.ts";
import { bitFieldOf, convert, decay, isLvalue } from "./conversions.ts";
import { closingPlace } from "./expression-place.ts";
import { sizeOf } from "./layout.ts";
import { quoteType } from "./print-type.ts";
import { lookUp } from "./scope.ts";
import { mayHaveEffects } from "./side-effects.ts";
import { stringLiteral } from "./string-literals.ts";
import {
  asEnum,
  asRecord,
  bare,
  boolType,
  canonical,
  doubleType,
  floatType,
  intType,
  isArithmetic,
  isError,
  isInteger,
  isPointer,
  longDoubleType,
  pointeeOf,
  pointerTo,
  sizeType,
  unqualified,
  unsignedIntType,
  unsignedLongType,
  vaListType,
  voidType,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** A call of a builtin as written. */
export interface BuiltinCall {
  readonly name: string;
  readonly args: readonly Expression[];
  readonly span: CheckedExpression["span"];
}

type Check = (context: Context, call: BuiltinCall) => CheckedExpression;

function node(
  call: BuiltinCall,
  args: readonly CheckedExpression[],
  type: QualType,
): CheckedBuiltin {
  return { kind: "builtin", name: call.name, args, type, span: call.span };
}

/** Reports unless the number of arguments is right. */
function hasArity(context: Context, call: BuiltinCall, least: number, most = least): boolean {
  const have = String(call.args.length);
  if (call.args.length < least) {
    const name = least === most ? "tooFewArguments" : "tooFewArgumentsAtLeast";
    report(context, name, closingPlace(call.span), [String(least), have]);
    return false;
  }
  const extra = call.args[most];
  if (extra === undefined) return true;
  report(context, "tooManyArguments", extra.span, [String(most), have]);
  return false;
}

function value(context: Context, expression: Expression | undefined): CheckedExpression {
  if (expression === undefined) throw new TypeError("argument count was checked");
  return decay(context.recurse.expression(context, expression));
}

function checkConstantP(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 1)) return errorExpression(call.span);
  const argument = value(context, call.args[0]);
  if (isError(argument.type)) return argument;
  const result = node(call, [argument], intType);
  // As in clang, what has effects is never evaluated, nor constant.
  const known = mayHaveEffects(argument)
    ? 0n
    : evaluateInteger(result, { constants: context.constants })?.value;
  if (known === undefined) return result;
  return { kind: "constant", value: known, type: intType, span: call.span };
}

function checkChoose(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 3)) return errorExpression(call.span);
  const [first, yes, no] = call.args as [Expression, Expression, Expression];
  const condition = value(context, first);
  if (isError(condition.type)) return condition;
  const known = evaluateInteger(condition, { constants: context.constants, decideConstantP: true });
  if (known === undefined) {
    report(context, "chooseConstant", first.span);
    return errorExpression(call.span);
  }
  return context.recurse.expression(context, known.value !== 0n ? yes : no);
}

/** How many bytes lie after a constant address inside its object. */
function remainingBytes(pointer: CheckedExpression): bigint | undefined {
  const target = pointer.kind === "cast" && pointer.cast === "bitcast" ? pointer.operand : pointer;
  if (
    target.kind === "address_of" ||
    (target.kind === "cast" && target.cast === "array_to_pointer")
  ) {
    const { operand } = target;
    if (operand.kind === "variable" && operand.symbol.storage !== "extern") {
      return BigInt(sizeOf(operand.type));
    }
    const address = evaluateAddress(operand, {});
    if (address?.kind === "address" && address.symbol.kind === "variable") {
      return BigInt(sizeOf(address.symbol.type)) - address.offset;
    }
  }
  return undefined;
}

function checkObjectSize(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 2)) return errorExpression(call.span);
  const pointer = unevaluated(context, () => value(context, call.args[0]));
  const kind = value(context, call.args[1]);
  if (isError(pointer.type) || isError(kind.type)) return errorExpression(call.span);
  const which = evaluateInteger(kind)?.value ?? 0n;
  const unknown = which >= 2n ? 0n : (1n << 64n) - 1n;
  return {
    kind: "constant",
    value: remainingBytes(pointer) ?? unknown,
    type: sizeType,
    span: call.span,
  };
}

function checkOverflow(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 3)) return errorExpression(call.span);
  const args = call.args.map((a) => value(context, a));
  const [left, right, result] = args as [CheckedExpression, CheckedExpression, CheckedExpression];
  if (args.some((a) => isError(a.type))) return errorExpression(call.span);
  for (const operand of [left, right]) {
    if (isInteger(operand.type)) continue;
    report(context, "overflowType", operand.span, [quoteType(operand.type)]);
    return errorExpression(call.span);
  }
  const pointee = pointeeOf(result.type);
  if (pointee === undefined || !isInteger(pointee) || canonical(pointee).const) {
    report(context, "overflowResult", result.span, [quoteType(result.type)]);
    return errorExpression(call.span);
  }
  const typed = /^__builtin_([su])(?:add|sub|mul)(l{0,2})_overflow$/.exec(call.name);
  if (typed === null) return node(call, args, boolType);
  const target = unqualified(pointee);
  return node(call, [convert(left, target), convert(right, target), result], boolType);
}

function checkPreserveAccess(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 1)) return errorExpression(call.span);
  const argument = value(context, call.args[0]);
  return isError(argument.type) ? argument : node(call, [argument], argument.type);
}

/** The constant second argument of a CO-RE builtin. */
function flagArgument(
  context: Context,
  call: BuiltinCall,
  message: "fieldInfoKind" | "typeInfoKind",
): CheckedExpression | undefined {
  const flag = value(context, call.args[1]);
  if (isError(flag.type)) return undefined;
  const known = evaluateInteger(flag, { constants: context.constants });
  if (known === undefined) {
    report(context, message, call.args[1]?.span ?? call.span, [call.name]);
    return undefined;
  }
  return { kind: "constant", value: known.value, type: unsignedLongType, span: flag.span };
}

function isFieldAccess(expression: CheckedExpression): boolean {
  if (expression.kind === "member") return true;
  if (expression.kind === "dereference") return expression.pointer.kind === "pointer_offset";
  return bitFieldOf(expression) !== undefined;
}

function checkFieldInfo(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 2)) return errorExpression(call.span);
  const [first] = call.args as [Expression];
  const field = context.recurse.expression(context, first);
  const flag = flagArgument(context, call, "fieldInfoKind");
  if (isError(field.type) || flag === undefined) return errorExpression(call.span);
  if (!isFieldAccess(field)) {
    report(context, "fieldInfoArgument", first.span);
    return errorExpression(call.span);
  }
  return node(call, [field, flag], unsignedIntType);
}

function checkTypeInfo(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 2)) return errorExpression(call.span);
  const [first] = call.args as [Expression];
  const operand = unevaluated(context, () => context.recurse.expression(context, first));
  const flag = flagArgument(context, call, "typeInfoKind");
  if (isError(operand.type) || flag === undefined) return errorExpression(call.span);
  const returns = call.name === "__builtin_btf_type_id" ? unsignedLongType : unsignedIntType;
  return { ...node(call, [operand, flag], returns), typeArg: operand.type };
}

/** The enumerator in `*(enum e *)NAME`, the argument's only accepted form. */
function namedEnumerator(argument: Expression): Expression | undefined {
  let at = argument;
  if (at.kind === "unary" && at.op === "*") at = at.operand;
  while (at.kind === "cast") at = at.operand;
  return at;
}

function checkEnumValue(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 2)) return errorExpression(call.span);
  const [first] = call.args as [Expression];
  const operand = unevaluated(context, () => context.recurse.expression(context, first));
  const flag = flagArgument(context, call, "typeInfoKind");
  if (isError(operand.type) || flag === undefined) return errorExpression(call.span);
  const enumType = asEnum(operand.type);
  const named = namedEnumerator(first);
  const entity = named?.kind === "identifier" ? lookUp(context, named.name) : undefined;
  const known = named && unevaluated(context, () => evaluateInteger(value(context, named)));
  const enumerator =
    entity?.kind === "enumerator"
      ? entity
      : enumType?.definition?.enumerators.find((e) => e.value === known?.value);
  if (enumType === undefined || enumerator === undefined) {
    report(context, "typeInfoArgument", first.span, [call.name]);
    return errorExpression(call.span);
  }
  const { name, value: number } = enumerator;
  return {
    ...node(call, [operand, flag], unsignedLongType),
    typeArg: operand.type,
    enumerator: { enumType, name, value: number },
  };
}

/** va_start and its kin are accepted in functions that use nothing they give. */
function checkVa(count: number, most = count): Check {
  return (context, call) => {
    if (!hasArity(context, call, count, most)) return errorExpression(call.span);
    const args = call.args.map((a) => context.recurse.expression(context, a));
    const [list] = args;
    if (list === undefined || args.some((a) => isError(a.type))) return errorExpression(call.span);
    if (bare(list.type).kind !== bare(vaListType).kind || !isLvalue(list)) {
      report(context, "vaArgList", list.span, [quoteType(list.type)]);
      return errorExpression(call.span);
    }
    if (call.name === "__builtin_va_start" && context.function?.variadic !== true) {
      report(context, "vaStartVariadic", call.span);
      return errorExpression(call.span);
    }
    return node(call, args, voidType);
  };
}

function checkLine(_: Context, call: BuiltinCall): CheckedExpression {
  const { line } = presumedPlace(call.span.file, call.span.start);
  return { kind: "constant", value: BigInt(line), type: intType, span: call.span };
}

function checkFile(context: Context, call: BuiltinCall): CheckedExpression {
  const { path } = presumedPlace(call.span.file, call.span.start);
  const text = call.name === "__builtin_FILE_NAME" ? (path.split("/").at(-1) ?? path) : path;
  return decay(stringLiteral(context, new TextEncoder().encode(text), call.span));
}

function checkFunctionName(context: Context, call: BuiltinCall): CheckedExpression {
  const text = context.function?.symbol.name ?? "";
  return decay(stringLiteral(context, new TextEncoder().encode(text), call.span));
}

function checkAssumeAligned(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 2, 3)) return errorExpression(call.span);
  const args = call.args.map((a) => value(context, a));
  const [pointer] = args;
  if (pointer === undefined || args.some((a) => isError(a.type))) return errorExpression(call.span);
  return node(call, args, pointerTo(voidType));
}

/** `alloca(size)`, or with an alignment in bits behind it. */
function checkAlloca(context: Context, call: BuiltinCall): CheckedExpression {
  const most = call.name === "__builtin_alloca_with_align" ? 2 : 1;
  if (!hasArity(context, call, most)) return errorExpression(call.span);
  const args = call.args.map((argument) => {
    const original = context.recurse.expression(context, argument);
    const found = { reason: "passing", span: argument.span } as const;
    return convertForAssignment(context, original, decay(original), sizeType, found);
  });
  if (args.some((a) => isError(a.type))) return errorExpression(call.span);
  const [, bits] = args;
  const align = bits && evaluateConstant(bits);
  if (bits !== undefined && (align?.kind !== "integer" || !isAlignmentInBits(align.value))) {
    report(context, "alignmentPower", bits.span);
    return errorExpression(call.span);
  }
  return node(call, args, pointerTo(voidType));
}

function isAlignmentInBits(bits: bigint): boolean {
  return bits >= 8n && bits <= 1n << 31n && (bits & (bits - 1n)) === 0n;
}

function checkPrefetch(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 1, 3)) return errorExpression(call.span);
  const args = call.args.map((a) => value(context, a));
  return args.some((a) => isError(a.type))
    ? errorExpression(call.span)
    : node(call, args, voidType);
}

/** GCC's classes: 1 integer, 5 pointer, 12 struct, 13 union, -1 none. */
function checkClassify(context: Context, call: BuiltinCall): CheckedExpression {
  if (!hasArity(context, call, 1)) return errorExpression(call.span);
  const { type } = unevaluated(context, () => value(context, call.args[0]));
  if (isError(type)) return errorExpression(call.span);
  const record = asRecord(type);
  const recordClass = record === undefined ? -1n : record.kind === "struct" ? 12n : 13n;
  const found = isInteger(type) ? 1n : isPointer(type) ? 5n : recordClass;
  return { kind: "constant", value: found, type: intType, span: call.span };
}

function checkUnsupported(context: Context, call: BuiltinCall): CheckedExpression {
  report(context, "builtinUnsupported", call.span, [call.name]);
  return errorExpression(call.span);
}

const checks: Readonly<Record<BuiltinKind, Check>> = {
  constant_p: checkConstantP,
  choose_expr: checkChoose,
  object_size: checkObjectSize,
  overflow: checkOverflow,
  preserve_access_index: checkPreserveAccess,
  preserve_field_info: checkFieldInfo,
  preserve_type_info: checkTypeInfo,
  preserve_enum_value: checkEnumValue,
  atomic: checkAtomic,
  va_start: checkVa(1, 2),
  va_end: checkVa(1),
  va_copy: checkVa(2),
  source_line: checkLine,
  source_file: checkFile,
  source_function: checkFunctionName,
  assume_aligned: checkAssumeAligned,
  alloca: checkAlloca,
  prefetch: checkPrefetch,
  classify: checkClassify,
  floating: checkFloating,
  unsupported: checkUnsupported,
  same_type: checkPreserveAccess,
};

/** Infinity, not-a-number, and the absolute value of what is constant. */
function checkFloating(context: Context, call: BuiltinCall): CheckedExpression {
  const { span, name } = call;
  const [, what = "", suffix = ""] = /^__builtin_(huge_val|inf|nan|fabs)([fl]?)$/.exec(name) ?? [];
  const type = suffix === "f" ? floatType : suffix === "l" ? longDoubleType : doubleType;
  if (!hasArity(context, call, what === "nan" || what === "fabs" ? 1 : 0))
    return errorExpression(span);
  const [argument] = call.args.map((arg) => decay(context.recurse.expression(context, arg)));
  if (argument !== undefined && isError(argument.type)) return errorExpression(span);
  const size = floatSize(type);
  if (what !== "fabs") {
    const value = floatToBits(what === "nan" ? Number.NaN : Number.POSITIVE_INFINITY, size);
    return { kind: "constant", value, type, span };
  }
  const known = argument && isArithmetic(argument.type) ? convert(argument, type) : undefined;
  const value = known && evaluateConstant(known);
  if (value?.kind !== "integer") return checkUnsupported(context, call);
  const magnitude = BigInt.asUintN(8 * size - 1, value.value);
  return { kind: "constant", value: magnitude, type, span };
}

/** A builtin with a fixed prototype; folded where its value is known. */
export function checkPrototypedBuiltin(
  context: Context,
  call: BuiltinCall,
  prototype: BuiltinPrototype,
): CheckedExpression {
  // expect_with_probability takes a floating-point third argument that tells us nothing.
  const written =
    call.name === "__builtin_expect_with_probability" ? call.args.slice(0, 2) : call.args;
  const { params } = prototype;
  const adjusted = { ...call, args: written };
  if (!hasArity(context, adjusted, params.length)) return errorExpression(call.span);
  const args = written.map((argument, i) => {
    const original = context.recurse.expression(context, argument);
    return convertForAssignment(context, original, decay(original), params[i] ?? voidType, {
      reason: "passing",
      span: argument.span,
    });
  });
  if (args.some((a) => isError(a.type))) return errorExpression(call.span);
  const made = node(call, args, prototype.returns);
  if (made.name.startsWith("__builtin_expect")) return made;
  const known = evaluateConstant(made);
  if (known?.kind !== "integer") return made;
  return { kind: "constant", value: known.value, type: made.type, span: call.span };
}

/** A call of a name that belongs to the compiler. */
export function checkBuiltinCall(context: Context, call: BuiltinCall): CheckedExpression {
  const row = builtinRow(call.name);
  if (row === undefined) {
    report(context, "unknownBuiltin", call.span, [call.name]);
    return errorExpression(call.span);
  }
  return row.kind === "prototype"
    ? checkPrototypedBuiltin(context, call, row.prototype)
    : checks[row.kind](context, call);
}
