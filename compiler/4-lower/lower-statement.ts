/** Statements → blocks. */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type {
  CheckedCase,
  CheckedStatement,
  LabelSymbol,
  VariableSymbol,
} from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { isVoid } from "../3-check/type-tools.ts";
import { convertInteger, copyObject } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Block, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { lowerAsm } from "./lower-asm.ts";
import { lowerCondition } from "./lower-condition.ts";
import { isMemory, resultType } from "./lower-types.ts";
import { variableAlign } from "./pointer-alignment.ts";
import {
  beginLife,
  closeScope,
  jumpToLabel,
  leaveScopes,
  markBypassed,
  openScope,
  snapshot,
} from "./scopes.ts";

type Of<K extends CheckedStatement["kind"]> = Extract<CheckedStatement, { kind: K }>;

/** Ranges of cases with at most this many values become that many cases. */
const smallRange = 32n;

function inScope(state: FunctionState, locals: readonly VariableSymbol[], body: () => void): void {
  openScope(state, locals);
  body();
  closeScope(state);
}

/** The object of a local variable that comes to life here. */
function slotOf(state: FunctionState, symbol: VariableSymbol): Value {
  const known = state.slots.get(symbol);
  if (known !== undefined) return known;
  const slot = state.alloca(sizeOf(symbol.type), variableAlign(symbol), symbol.name);
  state.slots.set(symbol, slot);
  return slot;
}

function local(state: FunctionState, statement: Of<"local">): void {
  const { symbol, initializer } = statement;
  state.at(statement.span);
  const slot = slotOf(state, symbol);
  state.emit("void", { op: "lifetime_start" }, [slot]);
  if (initializer !== undefined) {
    state.withTemporaries(() => state.visit.initialize(slot, symbol.type, initializer));
  } else if (state.module.autoInit !== undefined) {
    const operands = [constant("i8", state.module.autoInit), constant("i64", sizeOf(symbol.type))];
    const operation = { op: "memset" as const, dstAlign: alignOf(symbol.type), volatile: false };
    state.emit("void", operation, [slot, ...operands]);
  }
  beginLife(state, symbol);
}

/** All links of a chain of `else if` end in one block, and are walked in a loop: they may be thousands. */
function ifStatement(state: FunctionState, statement: Of<"if">): void {
  let end: Block | undefined;
  let rest: CheckedStatement | undefined = statement;
  while (rest?.kind === "if") {
    const then = state.newBlock("if.then");
    const otherwise = rest.otherwise && state.newBlock("if.else");
    end ??= state.newBlock("if.end");
    state.at(rest.span);
    lowerCondition(state, rest.condition, then, otherwise ?? end);
    state.startBlock(then);
    state.visit.statement(rest.then);
    state.branchTo(end);
    if (otherwise !== undefined) state.startBlock(otherwise);
    rest = rest.otherwise;
  }
  if (end === undefined) return;
  if (rest !== undefined) {
    state.visit.statement(rest);
    state.branchTo(end);
  }
  state.startBlock(end);
}

function loop(state: FunctionState, statement: Of<"loop">): void {
  inScope(state, statement.locals, () => {
    if (statement.init !== undefined) state.visit.statement(statement.init);
    const condition = state.newBlock("loop.cond");
    const body = state.newBlock("loop.body");
    const step = state.newBlock("loop.step");
    const end = state.newBlock("loop.end");
    const header = statement.form === "do" ? body : condition;
    if (statement.unroll !== undefined) header.unroll = statement.unroll;
    state.branchTo(header);
    const test = (): void => {
      if (statement.condition === undefined) state.branchTo(body);
      else lowerCondition(state, statement.condition, body, end);
    };
    if (statement.form !== "do") {
      state.startBlock(condition);
      test();
    }
    state.startBlock(body);
    const depth = state.scopes.length;
    state.jumpTargets.push({ breakTo: end, continueTo: step, scopeDepth: depth });
    state.visit.statement(statement.body);
    state.jumpTargets.pop();
    state.branchTo(step);
    state.startBlock(step);
    if (statement.step !== undefined) state.visit.rvalue(statement.step);
    if (statement.form === "do") test();
    else state.branchTo(condition);
    state.startBlock(end);
  });
}

function jump(state: FunctionState, statement: Of<"break" | "continue">): void {
  const target = state.jumpTargets.findLast(
    (each) => statement.kind === "break" || each.continueTo !== undefined,
  );
  if (target === undefined) throw new InternalError(`${statement.kind} outside of a loop`);
  state.at(statement.span);
  leaveScopes(state, target.scopeDepth);
  const block = statement.kind === "break" ? target.breakTo : target.continueTo;
  if (block !== undefined) state.branchTo(block);
}

/** A large range: value - low ≤ high - low, unsigned. */
function rangeTest(state: FunctionState, value: Value, range: CheckedCase, target: Block): void {
  const type = value.type as ValueType;
  const next = state.newBlock("case.next");
  const moved = state.emit(type, { op: "binary", binary: "sub" }, [
    value,
    constant(type, range.low),
  ]);
  const span = constant(type, range.high - range.low);
  const inside = state.emit("i1", { op: "icmp", predicate: "ule" }, [moved, span]);
  state.branchIf(inside, target, next);
  state.startBlock(next);
}

function switchStatement(state: FunctionState, statement: Of<"switch">): void {
  const value = state.visit.rvalue(statement.value);
  state.at(statement.span);
  const type = value.type as ValueType;
  const end = state.newBlock("switch.end");
  const fallback = statement.hasDefault ? state.caseBlock(statement.id, -1) : end;
  const cases: { value: bigint; target: Block }[] = [];
  for (const each of statement.cases) {
    const target = state.caseBlock(statement.id, each.caseId);
    if (each.high - each.low >= smallRange) {
      rangeTest(state, value, each, target);
      continue;
    }
    for (let at = each.low; at <= each.high; at++) {
      cases.push({ value: constant(type, at).value, target });
    }
  }
  if (cases.length === 0) state.branchTo(fallback);
  else state.emit("void", { op: "switch", cases, fallback }, [value]);
  state.startBlock(state.newBlock("switch.body"));
  state.switchDepths.set(statement.id, state.scopes.length);
  state.jumpTargets.push({ breakTo: end, continueTo: undefined, scopeDepth: state.scopes.length });
  state.visit.statement(statement.body);
  state.jumpTargets.pop();
  state.branchTo(end);
  state.startBlock(end);
}

function returnStatement(state: FunctionState, statement: Of<"return">): void {
  const { value } = statement;
  const type = state.fn.returns;
  let result: Value | undefined;
  if (value !== undefined) {
    const computed = state.visit.rvalue(value);
    state.at(statement.span);
    if (isMemory(value.type)) {
      if (state.resultAddress !== undefined)
        copyObject(state, state.resultAddress, computed, value.type);
    } else if (!isVoid(value.type) && type !== "void")
      result = extendResult(state, computed, value.type);
  }
  leaveScopes(state, 0);
  state.at(statement.span);
  state.emit("void", { op: "ret" }, result === undefined ? [] : [result]);
}

function extendResult(
  state: FunctionState,
  value: Value,
  type: Parameters<typeof resultType>[0],
): Value {
  const wanted = resultType(type);
  if (wanted === "void" || wanted === "ptr" || value.type === wanted) return value;
  return convertInteger(state, value, wanted, state.module.isSigned(type));
}

function goTo(state: FunctionState, label: LabelSymbol): void {
  if (!state.isTerminated) state.branchTo(jumpToLabel(state, label));
}

type Lowerings = {
  readonly [K in CheckedStatement["kind"]]: (state: FunctionState, statement: Of<K>) => void;
};

const lowerings: Lowerings = {
  compound(state, statement) {
    inScope(state, statement.locals, () => {
      for (const each of statement.body) state.visit.statement(each);
    });
  },
  expression: (state, statement) => {
    state.withTemporaries(() => state.visit.rvalue(statement.value));
  },
  local,
  if: ifStatement,
  switch: switchStatement,
  case(state, statement) {
    const block = state.caseBlock(statement.switchId, statement.caseId);
    state.branchTo(block);
    state.startBlock(block);
    markBypassed(state, state.switchDepths.get(statement.switchId) ?? 0);
    state.visit.statement(statement.body);
  },
  loop,
  label(state, statement) {
    const block = state.labelBlock(statement.label);
    state.labelScopes.set(statement.label, snapshot(state));
    state.branchTo(block);
    state.startBlock(block);
    markBypassed(state, 0);
    state.visit.statement(statement.body);
  },
  goto: (state, statement) => {
    state.at(statement.span);
    goTo(state, statement.label);
  },
  break: jump,
  continue: jump,
  return: returnStatement,
  asm: lowerAsm,
};

/** Lowers any statement. */
export function lowerStatement(state: FunctionState, statement: CheckedStatement): void {
  const lower = lowerings[statement.kind] as (s: FunctionState, each: CheckedStatement) => void;
  lower(state, statement);
}
