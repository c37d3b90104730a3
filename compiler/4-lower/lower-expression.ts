/** Expressions → values. One function per kind of node, in a table. */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { CheckedExpression } from "../3-check/checked.ts";
import { isVoid } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { copyObject, readPlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Block, Value } from "./ir.ts";
import { constant, globalAddress } from "./ir-builder.ts";
import { assign, compoundAssign, increment } from "./lower-assign.ts";
import { lowerBuiltin } from "./lower-builtin.ts";
import { lowerCall } from "./lower-call.ts";
import { lowerCast } from "./lower-cast.ts";
import { lowerCondition } from "./lower-condition.ts";
import { arithmetic, compare, offsetPointer, pointerDifference, unary } from "./lower-operators.ts";
import { isMemory, scalarType } from "./lower-types.ts";
import { wideConstant } from "./lower-wide.ts";
import { placeOf, pointerTo, relocatedElement } from "./place.ts";
import { closeScope, openScope } from "./scopes.ts";

type Of<K extends CheckedExpression["kind"]> = Extract<CheckedExpression, { kind: K }>;

const nothing = constant("i64", 0);

/** Both branches end in one block; their values meet in a phi. */
function conditional(state: FunctionState, expr: Of<"conditional">): Value {
  const then = state.newBlock("cond.true");
  const otherwise = state.newBlock("cond.false");
  const end = state.newBlock("cond.end");
  lowerCondition(state, expr.condition, then, otherwise);
  // Objects are copied, so that no pointer comes to choose between two variables.
  const copy = isMemory(expr.type) ? state.temporaryOf(expr.type, "conditional") : undefined;
  const branch = (block: Block, value: CheckedExpression): readonly [Value, Block] => {
    state.startBlock(block);
    const result = state.visit.rvalue(value);
    if (copy !== undefined) copyObject(state, copy, result, expr.type);
    const last = state.block;
    state.branchTo(end);
    return [result, last];
  };
  const arms = [branch(then, expr.then), branch(otherwise, expr.otherwise)] as const;
  state.startBlock(end);
  return copy ?? joinArms(state, expr.type, arms);
}

/** The phi of the arms that reach the current block. */
function joinArms(
  state: FunctionState,
  type: QualType,
  arms: readonly (readonly [Value, Block])[],
): Value {
  if (isVoid(type)) return nothing;
  const irType = scalarType(type);
  const operation = { op: "phi" as const, incoming: arms.map(([, block]) => block) };
  return state.emit(
    irType,
    operation,
    arms.map(([value]) => value),
  );
}

/** `a && b` and `a || b` as 0 or 1. */
function logical(state: FunctionState, expr: CheckedExpression): Value {
  const then = state.newBlock("true");
  const otherwise = state.newBlock("false");
  const end = state.newBlock("end");
  lowerCondition(state, expr, then, otherwise);
  state.startBlock(then);
  state.branchTo(end);
  state.startBlock(otherwise);
  state.branchTo(end);
  state.startBlock(end);
  const operation = { op: "phi" as const, incoming: [then, otherwise] };
  return state.emit("i32", operation, [constant("i32", 1), constant("i32", 0)]);
}

/** Long sums lean to the left; they are walked in a loop. */
function arithmeticChain(state: FunctionState, expr: Of<"arithmetic">): Value {
  const chain: Of<"arithmetic">[] = [];
  let first: CheckedExpression = expr;
  for (; first.kind === "arithmetic"; first = first.left) chain.push(first);
  let left = state.visit.rvalue(first);
  for (const step of chain.reverse()) {
    const right = state.visit.rvalue(step.right);
    state.at(step.span);
    left = arithmetic(state, step.op, left, right, step.type);
  }
  return left;
}

function statementExpression(state: FunctionState, expr: Of<"statement_expression">): Value {
  openScope(state, expr.locals);
  for (const statement of expr.body) state.visit.statement(statement);
  let result: Value = nothing;
  if (expr.result !== undefined) {
    result = state.visit.rvalue(expr.result);
    // The object may live in a local of this scope, which ends here.
    if (isMemory(expr.type)) {
      const copy = state.temporaryOf(expr.type, "result");
      copyObject(state, copy, result, expr.type);
      result = copy;
    }
  }
  closeScope(state);
  return result;
}

type Lowerings = {
  readonly [K in CheckedExpression["kind"]]: (state: FunctionState, expr: Of<K>) => Value;
};

const lowerings: Lowerings = {
  constant(state, expr) {
    if (isMemory(expr.type)) return wideConstant(state, expr.value);
    return constant(scalarType(expr.type), expr.value);
  },
  variable: (state, expr) => readPlace(state, placeOf(state, expr)),
  dereference: (state, expr) => readPlace(state, placeOf(state, expr)),
  member: (state, expr) => readPlace(state, placeOf(state, expr)),
  compound_literal: (state, expr) => readPlace(state, placeOf(state, expr)),
  string_literal: (_, expr) => globalAddress(expr.symbol.linkName),
  function: (_, expr) => globalAddress(expr.symbol.linkName),
  unary,
  arithmetic: arithmeticChain,
  compare: (state, expr) => state.emit("i32", { op: "zext" }, [compare(state, expr)]),
  logical,
  pointer_offset(state, expr) {
    const element = expr.isElement === true ? relocatedElement(state, expr) : undefined;
    if (element !== undefined) return element;
    const pointer = state.visit.rvalue(expr.pointer);
    const index = state.visit.rvalue(expr.index);
    state.at(expr.span);
    return offsetPointer(state, pointer, index, expr.index.type, expr.elementSize, expr.subtract);
  },
  pointer_difference: pointerDifference,
  address_of: (state, expr) => pointerTo(state, expr.operand),
  cast: lowerCast,
  assign,
  compound_assign: compoundAssign,
  increment,
  conditional,
  bind(state, expr) {
    state.bound.set(expr.id, state.visit.rvalue(expr.value));
    return state.visit.rvalue(expr.body);
  },
  reuse(state, expr) {
    const value = state.bound.get(expr.id);
    if (value === undefined) throw new InternalError("a value is used before it is bound");
    return value;
  },
  comma(state, expr) {
    state.visit.rvalue(expr.left);
    return state.visit.rvalue(expr.right);
  },
  call: lowerCall,
  builtin: lowerBuiltin,
  statement_expression: statementExpression,
};

/** Lowers any expression; see {@link lowerings}. */
export function lowerExpression(state: FunctionState, expr: CheckedExpression): Value {
  state.at(expr.span);
  const lower = lowerings[expr.kind] as (state: FunctionState, expr: CheckedExpression) => Value;
  return lower(state, expr);
}
