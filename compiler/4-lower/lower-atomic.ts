/** `__sync_*`, `__atomic_*` and `__c11_atomic_*` → atomic instructions. */
import type { CheckedBuiltin } from "../3-check/checked.ts";
import { alignOf } from "../3-check/layout.ts";
import { canonical, isPointer, isSigned, pointeeOf } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger } from "./access.ts";
import { accessPointer } from "./arena.ts";
import type { FunctionState } from "./function-state.ts";
import type { AtomicRmwOp, BinaryOp, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";

type Lower = (state: FunctionState, expr: CheckedBuiltin) => Value;

const nothing = constant("i64", 0);
const relaxed = 0n;

function argument(state: FunctionState, expr: CheckedBuiltin, index: number): Value {
  const arg = expr.args[index];
  if (arg === undefined) return nothing;
  const value = state.visit.rvalue(arg);
  return index === 0 ? accessPointer(state, value, arg.type) : value;
}

function objectType(expr: CheckedBuiltin): QualType {
  const first = expr.args[0];
  return (first && pointeeOf(first.type)) ?? expr.type;
}

/** The integer type in which the object is changed: pointers count as i64. */
function workType(type: QualType): ValueType {
  const scalar = scalarType(type);
  return scalar === "ptr" ? "i64" : scalar;
}

function toWork(state: FunctionState, value: Value, type: QualType): Value {
  if (value.type === "ptr") return state.emit("i64", { op: "ptrtoint" }, [value]);
  return convertInteger(state, value, workType(type), isSigned(type));
}

function fromWork(state: FunctionState, value: Value, type: QualType): Value {
  return isPointer(type) ? state.emit("ptr", { op: "inttoptr" }, [value]) : value;
}

const operationPattern =
  /(?:fetch_and_|fetch_)(add|sub|and|or|xor|nand)$|_(add|sub|and|or|xor|nand)_(?:and_)?fetch$/;

/** Old or new value, by the order of `fetch` and the operation in the name. */
const readModifyWrite: Lower = (state, expr) => {
  const match = operationPattern.exec(expr.name);
  const atomic = (match?.[1] ?? match?.[2] ?? "add") as AtomicRmwOp;
  const type = objectType(expr);
  const pointer = argument(state, expr, 0);
  const operand = toWork(state, argument(state, expr, 1), type);
  state.at(expr.span);
  const irType = workType(type);
  const old = state.emit(irType, { op: "atomicrmw", atomic }, [pointer, operand]);
  if (match?.[2] === undefined) return fromWork(state, old, type);
  const op: BinaryOp = atomic === "nand" ? "and" : (atomic as BinaryOp);
  let now = state.emit(irType, { op: "binary", binary: op }, [old, operand]);
  if (atomic === "nand")
    now = state.emit(irType, { op: "binary", binary: "xor" }, [now, constant(irType, -1)]);
  return fromWork(state, now, type);
};

const exchange: Lower = (state, expr) => {
  const type = objectType(expr);
  const pointer = argument(state, expr, 0);
  const value = toWork(state, argument(state, expr, 1), type);
  const old = state.emit(workType(type), { op: "atomicrmw", atomic: "xchg" }, [pointer, value]);
  return fromWork(state, old, type);
};

const compareAndSwap =
  (returnsFlag: boolean): Lower =>
  (state, expr) => {
    const type = objectType(expr);
    const pointer = argument(state, expr, 0);
    const expected = toWork(state, argument(state, expr, 1), type);
    const desired = toWork(state, argument(state, expr, 2), type);
    state.at(expr.span);
    const old = state.emit(workType(type), { op: "cmpxchg" }, [pointer, expected, desired]);
    if (!returnsFlag) return fromWork(state, old, type);
    const same = state.emit("i1", { op: "icmp", predicate: "eq" }, [old, expected]);
    return state.emit("i8", { op: "zext" }, [same]);
  };

/** The value expected is in memory and gets what was found there, where that differs. */
const compareExchange: Lower = (state, expr) => {
  const type = objectType(expr);
  const irType = workType(type);
  const align = Math.max(1, alignOf(type));
  const pointer = argument(state, expr, 0);
  const expectedAt = argument(state, expr, 1);
  let desired = argument(state, expr, 2);
  if (expr.name === "__atomic_compare_exchange") {
    desired = state.emit(irType, { op: "load", align, volatile: false }, [desired]);
  }
  const expected = state.emit(irType, { op: "load", align, volatile: false }, [expectedAt]);
  const old = state.emit(irType, { op: "cmpxchg" }, [
    pointer,
    expected,
    toWork(state, desired, type),
  ]);
  const same = state.emit("i1", { op: "icmp", predicate: "eq" }, [old, expected]);
  const differs = state.newBlock("exchange.failed");
  const end = state.newBlock("exchange.end");
  state.branchIf(same, end, differs);
  state.startBlock(differs);
  state.emit("void", { op: "store", align, volatile: false }, [old, expectedAt]);
  state.branchTo(end);
  state.startBlock(end);
  return state.emit("i8", { op: "zext" }, [same]);
};

function orderOf(expr: CheckedBuiltin, index: number): bigint {
  const order = expr.args[index];
  return order?.kind === "constant" ? order.value : 5n;
}

/** Relaxed loads are volatile ones; stronger ones load-acquire, where the target has it. */
const load: Lower = (state, expr) => {
  const type = objectType(expr);
  const pointer = argument(state, expr, 0);
  const plain = orderOf(expr, expr.args.length - 1) === relaxed || !state.module.hasOrderedAccess;
  const align = Math.max(1, alignOf(type));
  const irType = scalarType(type);
  const operation = plain
    ? ({ op: "load", align, volatile: true } as const)
    : ({ op: "load_acquire" } as const);
  const value = plain
    ? state.emit(irType, operation, [pointer])
    : fromWork(state, state.emit(workType(type), operation, [pointer]), type);
  if (expr.name !== "__atomic_load") return value;
  state.emit("void", { op: "store", align, volatile: false }, [value, argument(state, expr, 1)]);
  return nothing;
};

const store: Lower = (state, expr) => {
  const type = objectType(expr);
  const align = Math.max(1, alignOf(type));
  const pointer = argument(state, expr, 0);
  let value = argument(state, expr, 1);
  if (expr.name === "__atomic_store") {
    value = state.emit(scalarType(type), { op: "load", align, volatile: false }, [value]);
  }
  const order = expr.name.endsWith("_init") ? relaxed : orderOf(expr, expr.args.length - 1);
  if (order === relaxed || !state.module.hasOrderedAccess) {
    state.emit("void", { op: "store", align, volatile: true }, [value, pointer]);
  } else {
    state.emit("void", { op: "store_release" }, [toWork(state, value, type), pointer]);
  }
  return nothing;
};

const release: Lower = (state, expr) => {
  const type = objectType(expr);
  const operation = { op: "store" as const, align: Math.max(1, alignOf(type)), volatile: true };
  const zero = constant(canonical(type).type.kind === "void" ? "i8" : scalarType(type), 0);
  state.emit("void", operation, [zero, argument(state, expr, 0)]);
  return nothing;
};

const exchangeThroughMemory: Lower = (state, expr) => {
  const type = objectType(expr);
  const irType = workType(type);
  const align = Math.max(1, alignOf(type));
  const pointer = argument(state, expr, 0);
  const value = state.emit(irType, { op: "load", align, volatile: false }, [
    argument(state, expr, 1),
  ]);
  const old = state.emit(irType, { op: "atomicrmw", atomic: "xchg" }, [pointer, value]);
  state.emit("void", { op: "store", align, volatile: false }, [old, argument(state, expr, 2)]);
  return nothing;
};

const rows: readonly (readonly [pattern: RegExp, lower: Lower])[] = [
  [operationPattern, readModifyWrite],
  [/^__sync_val_compare_and_swap/, compareAndSwap(false)],
  [/^__sync_bool_compare_and_swap/, compareAndSwap(true)],
  [/compare_exchange/, compareExchange],
  [/^__sync_(lock_test_and_set|swap)/, exchange],
  [/^__sync_lock_release|^__atomic_clear/, release],
  [/^__atomic_exchange$/, exchangeThroughMemory],
  [/exchange(_n)?$/, exchange],
  [/atomic_load(_n)?$/, load],
  [/atomic_(store|init)(_n)?$/, store],
];

/** Lowers an atomic builtin; what BPF has no instruction for is reported. */
export function lowerAtomic(state: FunctionState, expr: CheckedBuiltin): Value {
  const name = expr.name.replace(/_(1|2|4|8|16)$/, "");
  const row = rows.find(([pattern]) => pattern.test(name));
  if (row !== undefined) return row[1](state, { ...expr, name });
  state.module.diagnostics.error(
    "builtin-unsupported",
    `'${expr.name}' is not supported for BPF`,
    expr.span,
  );
  return nothing;
}
