/** Function calls: prototypes, default promotions, library functions that are builtins. */
import type { DiagnosticExtra } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression } from "../2-parse/ast.ts";
import { convertForAssignment } from "./assignment-conversion.ts";
import { noAttributes } from "./attributes.ts";
import { isBuiltinName, libraryBuiltins, libraryTypes } from "./builtins-table.ts";
import { checkBuiltinCall } from "./check-builtin.ts";
import { discard } from "./check-expression-binary.ts";
import { declareFunction } from "./check-function.ts";
import { forwardNote } from "./check-tag.ts";
import type { CheckedExpression, FunctionSymbol } from "./checked.ts";
import { type Context, errorExpression, report } from "./context.ts";
import { convert, decay, promoteArgument } from "./conversions.ts";
import { closingPlace, placeBetween } from "./expression-place.ts";
import { placeOf, quoteType } from "./print-type.ts";
import { lookUp, nearestDeclared } from "./scope.ts";
import {
  asFunction,
  intType,
  isComplete,
  isError,
  isVoid,
  plain,
  pointeeOf,
  unqualified,
} from "./type-tools.ts";
import type { FunctionType, QualType } from "./types.ts";

type Call = Extract<Expression, { kind: "call" }>;

function reportUndeclared(context: Context, name: string, span: Span): void {
  const library = libraryTypes().get(name);
  if (library !== undefined) {
    const [type, header] = library;
    report(context, "implicitLibraryFunction", span, [name, type], {
      notes: [
        {
          message: `include the header <${header}> or explicitly provide a declaration for '${name}'`,
          span,
        },
      ],
    });
    return;
  }
  const entity = nearestDeclared(context, name);
  const extra: DiagnosticExtra =
    entity?.kind === "function"
      ? {
          notes: [
            { message: `did you mean '${entity.name}'?`, span },
            { message: `'${entity.name}' declared here`, span: entity.span },
          ],
        }
      : {};
  report(context, "implicitFunction", span, [name], extra);
}

function calledSymbol(callee: CheckedExpression): FunctionSymbol | undefined {
  if (callee.kind === "function") return callee.symbol;
  return callee.kind === "cast" && callee.operand.kind === "function"
    ? callee.operand.symbol
    : undefined;
}

function declaredHere(symbol: FunctionSymbol | undefined): DiagnosticExtra {
  if (symbol === undefined) return {};
  return { notes: [{ message: `'${symbol.name}' declared here`, span: symbol.span }] };
}

function reportArity(
  context: Context,
  call: Call,
  type: FunctionType,
  symbol: FunctionSymbol | undefined,
): void {
  const wanted = type.params.length;
  const have = String(call.args.length);
  const [only] = type.params;
  const extra = declaredHere(symbol);
  const single = wanted === 1 && only?.name !== undefined ? only.name : undefined;
  if (call.args.length < wanted) {
    const place = closingPlace(call.span);
    if (single !== undefined) {
      const name = type.variadic ? "tooFewArgumentsAtLeastOne" : "tooFewArgumentsSingle";
      report(context, name, place, [single], extra);
    } else {
      const name = type.variadic ? "tooFewArgumentsAtLeast" : "tooFewArguments";
      report(context, name, place, [String(wanted), have], extra);
    }
    return;
  }
  const place = call.args[wanted]?.span ?? call.span;
  if (single !== undefined) report(context, "tooManyArgumentsSingle", place, [single, have], extra);
  else report(context, "tooManyArguments", place, [String(wanted), have], extra);
}

function parameterNote(type: FunctionType, index: number): DiagnosticExtra {
  const param = type.params[index];
  const span = param && placeOf(param);
  if (param === undefined || span === undefined) return {};
  const name = param.name === undefined ? "" : ` '${param.name}'`;
  return { notes: [{ message: `passing argument to parameter${name} here`, span }] };
}

function checkArgument(
  context: Context,
  argument: Expression,
  type: FunctionType,
  index: number,
): CheckedExpression {
  const original = context.recurse.expression(context, argument);
  const value = decay(original);
  if (isError(value.type)) return value;
  const param = type.params[index];
  if (param !== undefined) {
    return convertForAssignment(context, original, value, param.type, {
      reason: "passing",
      span: argument.span,
      extra: parameterNote(type, index),
    });
  }
  if (isVoid(value.type) || !isComplete(value.type)) {
    report(context, "incompleteArgument", argument.span, [quoteType(value.type)]);
    return errorExpression(argument.span);
  }
  return promoteArgument(value);
}

/** A memcpy that the program only declares is the compiler's own. */
function libraryBuiltin(symbol: FunctionSymbol | undefined): string | undefined {
  if (symbol === undefined || symbol.linkage === "static" || symbol.body !== undefined)
    return undefined;
  return libraryBuiltins().has(symbol.linkName) ? `__builtin_${symbol.linkName}` : undefined;
}

function returnsComplete(
  context: Context,
  returns: QualType,
  symbol: FunctionSymbol | undefined,
  span: Span,
): boolean {
  if (isVoid(returns) || isComplete(returns)) return true;
  const args = [symbol?.name ?? "function", quoteType(returns)];
  report(context, "incompleteCall", span, args, forwardNote(returns));
  return false;
}

function checkKnownCall(
  context: Context,
  call: Call,
  callee: CheckedExpression,
  type: FunctionType,
): CheckedExpression {
  const { span } = call;
  const symbol = calledSymbol(callee);
  const wanted = type.params.length;
  const fewer = call.args.length < wanted;
  const more = call.args.length > wanted && !type.variadic;
  if (type.old && symbol !== undefined && (fewer || more)) {
    const place = fewer ? closingPlace(span) : (call.args[wanted]?.span ?? span);
    report(context, fewer ? "tooFewOld" : "tooManyOld", place, [symbol.name]);
  } else if (type.prototyped && (fewer || more)) {
    reportArity(context, call, type, symbol);
    for (const argument of call.args) context.recurse.expression(context, argument);
    return errorExpression(span);
  }
  const hasNoPrototype = !type.prototyped && type.implicit !== true;
  if (hasNoPrototype && call.args.length > 0 && symbol !== undefined) {
    report(context, "deprecatedNoPrototype", span, [symbol.name]);
  }
  const args = call.args.map((argument, i) => checkArgument(context, argument, type, i));
  if (args.some((a) => isError(a.type))) return errorExpression(span);
  if (!returnsComplete(context, type.returns, symbol, span)) return errorExpression(span);
  const returns = unqualified(type.returns);
  const intrinsic = symbol?.linkName.startsWith("llvm.") ? symbol.linkName : libraryBuiltin(symbol);
  if (intrinsic !== undefined) {
    return { kind: "builtin", name: intrinsic, args, type: returns, span };
  }
  const made = { kind: "call" as const, callee, functionType: type, type: returns, span };
  if (!type.old || args.length === wanted) return { ...made, args };
  const passed = [...args.slice(0, wanted), ...missingArguments(type, args.length, span)];
  return args
    .slice(wanted)
    .reduceRight<CheckedExpression>(
      (right, left) => ({ kind: "comma", left: discard(left), right, type: returns, span }),
      { ...made, args: passed },
    );
}

/** What a function of old style finds in parameters that the call gives nothing for: zeros. */
function missingArguments(type: FunctionType, from: number, span: Span): CheckedExpression[] {
  return type.params.slice(from).map((param) => {
    const zero: CheckedExpression = { kind: "constant", value: 0n, type: intType, span };
    return convert(zero, unqualified(param.type));
  });
}

/** A call of a name that nothing declares, where that is allowed: it is an `int name()`. */
function checkImplicitCall(context: Context, call: Call): CheckedExpression {
  const { callee, args, span } = call;
  if (callee.kind !== "identifier") return errorExpression(span);
  const { name } = callee;
  if (libraryBuiltins().has(name))
    return checkBuiltinCall(context, { name: `__builtin_${name}`, args, span });
  const type: FunctionType = {
    ...{ kind: "function", returns: intType, params: [] },
    ...{ variadic: false, prototyped: false, implicit: true },
  };
  const symbol = declareFunction(context, {
    ...{ name, span: callee.span, type: plain(type), storage: undefined },
    ...{ inline: false, noreturn: false, attributes: noAttributes(), asmLabel: undefined },
  });
  if (symbol === undefined) return errorExpression(span);
  return checkKnownCall(context, call, decay(context.recurse.expression(context, callee)), type);
}

export function checkCall(context: Context, call: Call): CheckedExpression {
  const { callee, args, span } = call;
  if (callee.kind === "identifier") {
    const entity = lookUp(context, callee.name);
    if (entity === undefined) {
      if (isBuiltinName(callee.name)) {
        return checkBuiltinCall(context, { name: callee.name, args, span });
      }
      const { errorCount } = context.diagnostics;
      reportUndeclared(context, callee.name, callee.span);
      if (context.diagnostics.errorCount === errorCount) return checkImplicitCall(context, call);
      for (const argument of args) context.recurse.expression(context, argument);
      return errorExpression(span);
    }
  }
  const checked = context.recurse.expression(context, callee);
  if (isError(checked.type)) {
    for (const argument of args) context.recurse.expression(context, argument);
    return errorExpression(span);
  }
  const pointer = decay(checked);
  const pointee = pointeeOf(pointer.type);
  const type = pointee && asFunction(pointee);
  if (type === undefined) {
    const place = placeBetween(callee.span, span.end, "(", callee.span);
    report(context, "notAFunction", place, [quoteType(checked.type)]);
    return errorExpression(span);
  }
  return checkKnownCall(context, call, pointer, type);
}
