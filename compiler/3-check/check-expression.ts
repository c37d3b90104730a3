/** Expressions: one table row per kind of syntax node, and the primary expressions themselves. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { Expression, IntegerLiteral } from "../2-parse/ast.ts";
import { isBuiltinName } from "./builtins-table.ts";
import { checkCall } from "./check-call.ts";
import { checkIndex, checkMember } from "./check-expression-access.ts";
import { checkAssign } from "./check-expression-assign.ts";
import { checkBinary, checkConditional } from "./check-expression-binary.ts";
import {
  checkCast,
  checkCompoundLiteral,
  checkGeneric,
  checkOffsetof,
  checkSizeof,
  checkStatementExpression,
  checkTypesCompatible,
  checkVaArg,
} from "./check-expression-types.ts";
import { checkPostfix, checkUnary } from "./check-expression-unary.ts";
import { checkFloatLiteral } from "./check-float.ts";
import type { CheckedExpression, VariableSymbol } from "./checked.ts";
import { checkLabelAddress } from "./computed-goto.ts";
import {
  type Context,
  type Entity,
  errorExpression,
  plainChar,
  previousNote,
  refer,
  report,
} from "./context.ts";
import { castNode, decay } from "./conversions.ts";
import { lookUp, nearestDeclared } from "./scope.ts";
import { stringLiteral, wideUnits } from "./string-literals.ts";
import {
  errorType,
  intType,
  longLongType,
  longType,
  pointerTo,
  unsignedIntType,
  unsignedLongLongType,
  unsignedLongType,
  withConst,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

type Handlers = {
  readonly [K in Expression["kind"]]: (
    context: Context,
    expression: Extract<Expression, { kind: K }>,
  ) => CheckedExpression;
};

const handlers: Handlers = {
  identifier: checkIdentifier,
  integer: checkInteger,
  character: (context, e) => {
    const isByte = context.options.unsignedChar === true && !e.wide && e.value < 0;
    const value = BigInt(isByte && e.value >= -128 ? e.value & 0xff : e.value);
    return { kind: "constant", value, type: intType, span: e.span };
  },
  string: (context, e) =>
    stringLiteral(context, e.bytes, e.span, e.unit === undefined ? undefined : wideUnits[e.unit]),
  float: checkFloatLiteral,
  unary: checkUnary,
  postfix: checkPostfix,
  binary: checkBinary,
  assign: checkAssign,
  conditional: checkConditional,
  call: checkCall,
  index: (context, e) => checkIndex(context, e),
  member: checkMember,
  cast: checkCast,
  compound_literal: checkCompoundLiteral,
  sizeof: checkSizeof,
  alignof: checkSizeof,
  statement_expression: checkStatementExpression,
  generic: checkGeneric,
  offsetof: checkOffsetof,
  types_compatible: checkTypesCompatible,
  va_arg: checkVaArg,
  label_address: checkLabelAddress,
};

/** Checks an expression as it stands: an lvalue stays one. */
export function checkExpression(context: Context, expression: Expression): CheckedExpression {
  const handler = handlers[expression.kind] as (c: Context, e: Expression) => CheckedExpression;
  return handler(context, expression);
}

interface Candidate {
  readonly type: QualType;
  readonly long: 0 | 1 | 2;
  readonly unsigned: boolean;
  readonly limit: bigint;
}

const candidates: readonly Candidate[] = [
  { type: intType, long: 0, unsigned: false, limit: 1n << 31n },
  { type: unsignedIntType, long: 0, unsigned: true, limit: 1n << 32n },
  { type: longType, long: 1, unsigned: false, limit: 1n << 63n },
  { type: unsignedLongType, long: 1, unsigned: true, limit: 1n << 64n },
  { type: longLongType, long: 2, unsigned: false, limit: 1n << 63n },
  { type: unsignedLongLongType, long: 2, unsigned: true, limit: 1n << 64n },
];

/** The first type of C17 6.4.4.1's list that can hold the literal. */
function literalType(context: Context, literal: IntegerLiteral): QualType {
  const found = candidates.find(
    (c) =>
      c.long >= literal.long &&
      (literal.unsigned ? c.unsigned : !c.unsigned || !literal.decimal) &&
      literal.value < c.limit,
  );
  if (found !== undefined) return found.type;
  if (literal.value < 1n << 64n) {
    report(context, "integerUnsigned", literal.span);
    return literal.long === 2 ? unsignedLongLongType : unsignedLongType;
  }
  report(context, "integerTooLarge", literal.span);
  return errorType;
}

function checkInteger(context: Context, literal: IntegerLiteral): CheckedExpression {
  const type = literalType(context, literal);
  return { kind: "constant", value: literal.value, type, span: literal.span };
}

const functionNames: ReadonlySet<string> = new Set([
  "__func__",
  "__FUNCTION__",
  "__PRETTY_FUNCTION__",
]);

/** The value of `__func__`, an array of char; undefined for other names and at file scope. */
function functionName(context: Context, name: string, span: Span): CheckedExpression | undefined {
  if (!functionNames.has(name)) return undefined;
  const text = context.function?.symbol.name ?? "";
  return stringLiteral(
    context,
    new TextEncoder().encode(text),
    span,
    withConst(plainChar(context)),
  );
}

function undeclared(context: Context, name: string, span: Span): CheckedExpression {
  const entity = nearestDeclared(context, name);
  if (entity === undefined || entity.kind === "typedef") {
    report(context, "undeclared", span, [name]);
  } else {
    const hint = entity.name;
    report(context, "undeclaredHint", span, [name, hint], {
      ...previousNote(entity.span, `'${hint}' declared here`),
      fixIts: [{ span, replacement: hint }],
    });
  }
  return errorExpression(span);
}

function noteUse(context: Context, symbol: VariableSymbol): void {
  const use = context.function?.uses.get(symbol);
  if (use !== undefined) use.references += 1;
}

/** An array of variable length is what its hidden pointer points to. */
function runtimeArray(
  { type }: VariableSymbol,
  { pointer, length }: NonNullable<VariableSymbol["runtimeArray"]>,
  span: Span,
): CheckedExpression {
  const held: CheckedExpression = { kind: "variable", symbol: pointer, type: pointer.type, span };
  const address = castNode("bitcast", decay(held), pointerTo(type));
  return { kind: "dereference", pointer: address, length, type, span };
}

/** The expression that names an entity. */
export function entityExpression(context: Context, entity: Entity, span: Span): CheckedExpression {
  switch (entity.kind) {
    case "variable":
      noteUse(context, entity);
      refer(context, entity);
      if (entity.runtimeArray !== undefined) return runtimeArray(entity, entity.runtimeArray, span);
      return { kind: "variable", symbol: entity, type: entity.type, span };
    case "function":
      refer(context, entity);
      return { kind: "function", symbol: entity, type: entity.type, span };
    case "enumerator":
      return { kind: "constant", value: entity.value, type: entity.type, span };
    case "typedef":
      report(context, "unexpectedType", span, [entity.name]);
      return errorExpression(span);
  }
}

function checkIdentifier(
  context: Context,
  expression: Extract<Expression, { kind: "identifier" }>,
): CheckedExpression {
  const { name, span } = expression;
  const entity = lookUp(context, name);
  if (entity !== undefined) return entityExpression(context, entity, span);
  const special = functionName(context, name, span);
  if (special !== undefined) return special;
  if (isBuiltinName(name)) {
    report(context, "builtinNotCalled", span);
    return errorExpression(span);
  }
  return undeclared(context, name, span);
}
