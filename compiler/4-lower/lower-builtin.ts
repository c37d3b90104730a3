/** The compiler's own functions → IR, by table. Families of names share a row. */
import type { CheckedBuiltin, CheckedExpression } from "../3-check/checked.ts";
import { convertInteger } from "./access.ts";
import { bitCount, highBitIndex, lowBitIndex, parity, reverseBits, rotate } from "./bit-tricks.ts";
import type { FunctionState } from "./function-state.ts";
import type { BinaryOp, Value } from "./ir.ts";
import { constant, type ValueType } from "./ir-builder.ts";
import { lowerAtomic } from "./lower-atomic.ts";
import { enumValue, fieldInfo, preserveAccess, typeInfo } from "./lower-core.ts";
import { isTrue } from "./lower-expression-tools.ts";
import { lowerOverflow } from "./lower-overflow.ts";
import { lowerStringFunction } from "./lower-string.ts";
import { scalarType } from "./lower-types.ts";
import { pointerAlignment } from "./pointer-alignment.ts";

type Lower = (state: FunctionState, expr: CheckedBuiltin) => Value;

const nothing = constant("i64", 0);

function argument(state: FunctionState, expr: CheckedBuiltin, index: number): Value {
  const arg = expr.args[index];
  return arg === undefined ? nothing : state.visit.rvalue(arg);
}

/** The alignment of what a pointer argument points to, before it became `void *`. */
function promisedAlign(expr: CheckedExpression | undefined): number {
  return expr === undefined ? 1 : pointerAlignment(expr).align;
}

const copy =
  (op: "memcpy" | "memmove"): Lower =>
  (state, expr) => {
    const to = argument(state, expr, 0);
    const from = argument(state, expr, 1);
    const length = convertInteger(state, argument(state, expr, 2), "i64", false);
    state.at(expr.span);
    const [dst, src] = [promisedAlign(expr.args[0]), promisedAlign(expr.args[1])];
    state.emit("void", { op, dstAlign: dst, srcAlign: src, volatile: false }, [to, from, length]);
    return to;
  };

const fill: Lower = (state, expr) => {
  const to = argument(state, expr, 0);
  const byte = convertInteger(state, argument(state, expr, 1), "i8", false);
  const length = convertInteger(state, argument(state, expr, 2), "i64", false);
  state.at(expr.span);
  state.emit("void", { op: "memset", dstAlign: promisedAlign(expr.args[0]), volatile: false }, [
    to,
    byte,
    length,
  ]);
  return to;
};

const zero: Lower = (state, expr) => {
  const to = argument(state, expr, 0);
  const length = argument(state, expr, 1);
  const operation = {
    op: "memset" as const,
    dstAlign: promisedAlign(expr.args[0]),
    volatile: false,
  };
  state.emit("void", operation, [to, constant("i8", 0), length]);
  return nothing;
};

const compareMemory: Lower = (state, expr) => {
  const operands = [argument(state, expr, 0), argument(state, expr, 1), argument(state, expr, 2)];
  state.at(expr.span);
  return state.emit("i32", { op: "memcmp" }, operands);
};

const unaryTrick =
  (trick: (state: FunctionState, value: Value) => Value): Lower =>
  (state, expr) => {
    const value = argument(state, expr, 0);
    state.at(expr.span);
    const result = trick(state, value);
    return convertInteger(state, result, scalarType(expr.type), false);
  };

const swap = unaryTrick((state, value) => state.emit(value.type, { op: "bswap" }, [value]));

const rotation =
  (left: boolean): Lower =>
  (state, expr) =>
    rotate(state, argument(state, expr, 0), argument(state, expr, 1), left);

const absolute: Lower = (state, expr) => {
  const value = argument(state, expr, 0);
  const type = value.type as ValueType;
  const negative = state.emit("i1", { op: "icmp", predicate: "slt" }, [value, constant(type, 0)]);
  const negated = state.emit(type, { op: "binary", binary: "sub" }, [constant(type, 0), value]);
  return state.emit(type, { op: "select" }, [negative, negated, value]);
};

/** The path ends here; what follows is dead. */
const endPath: Lower = (state) => {
  state.emit("void", { op: "unreachable" }, []);
  state.startBlock(state.newBlock("after"));
  return nothing;
};

const fence: Lower = (state) => {
  state.emit("void", { op: "fence" }, []);
  return nothing;
};

const firstArgument: Lower = (state, expr) => {
  const value = argument(state, expr, 0);
  for (const rest of expr.args.slice(1)) state.visit.rvalue(rest);
  return value;
};

/** How many bits after the sign bit equal it: zeros above the value with its sign removed. */
const signBits: Lower = (state, expr) => {
  const value = argument(state, expr, 0);
  const type = value.type as ValueType;
  const bits = Number(type.slice(1));
  const binary = (op: BinaryOp, a: Value, b: Value): Value =>
    state.emit(type, { op: "binary", binary: op }, [a, b]);
  const sign = binary("ashr", value, constant(type, bits - 1));
  const index = highBitIndex(state, binary("xor", value, sign));
  const count = binary("sub", constant(type, bits - 2), index);
  return convertInteger(state, count, scalarType(expr.type), true);
};

const objectSize: Lower = (state, expr) => {
  const [pointer, kind] = expr.args;
  const type = kind?.kind === "constant" ? Number(kind.value) : 0;
  if (pointer === undefined) return nothing;
  return state.emit("i64", { op: "object_size", type }, [state.visit.rvalue(pointer)]);
};

/** Aligned for anything, unless the call says how, in bits. */
const dynamicObject: Lower = (state, expr) => {
  const size = argument(state, expr, 0);
  const bits = expr.args[1];
  const known = bits === undefined ? undefined : constantOf(bits);
  const align = known === undefined ? 8 : Number(known) / 8;
  state.at(expr.span);
  state.fn.hasDynamicStack = true;
  const scoped = expr.name === "__builtin_variable_length_array";
  return state.emit("ptr", { op: "dynamic_alloca", align, scoped }, [size]);
};

function constantOf(expr: CheckedExpression): bigint | undefined {
  if (expr.kind === "constant") return expr.value;
  return expr.kind === "cast" ? constantOf(expr.operand) : undefined;
}

const discard: Lower = (state, expr) => {
  for (const arg of expr.args) state.visit.rvalue(arg);
  return expr.type.type.kind === "void" ? nothing : constant(scalarType(expr.type), 0);
};

const ignore: Lower = () => nothing;

/** Only what the arguments do besides is left. */
const evaluateArguments: Lower = (state, expr) => {
  for (const arg of expr.args) state.visit.rvalue(arg);
  return nothing;
};

/** 0 where the value is 0, otherwise one more than the index of its lowest bit. */
const findFirstSet: Lower = (state, expr) => {
  const value = argument(state, expr, 0);
  const index = convertInteger(state, lowBitIndex(state, value), "i32", false);
  const next = state.emit("i32", { op: "binary", binary: "add" }, [index, constant("i32", 1)]);
  return state.emit("i32", { op: "select" }, [isTrue(state, value), next, constant("i32", 0)]);
};

const constantP: Lower = (state, expr) => {
  const known = state.emit("i1", { op: "constant_p" }, [argument(state, expr, 0)]);
  return state.emit("i32", { op: "zext" }, [known]);
};

const packetLoadSizes: Readonly<Record<string, 1 | 2 | 4>> = {
  "llvm.bpf.load.byte": 1,
  "llvm.bpf.load.half": 2,
  "llvm.bpf.load.word": 4,
};

/** Declared as `load_byte(skb, offset) asm("llvm.bpf.load.byte")`: a legacy packet load. */
const packetLoad: Lower = (state, expr) => {
  const operands = [argument(state, expr, 0), argument(state, expr, 1)];
  state.at(expr.span);
  const size = packetLoadSizes[expr.name] ?? 1;
  const loaded = state.emit("i64", { op: "load_packet", size }, operands);
  return convertInteger(state, loaded, scalarType(expr.type), false);
};

/** What programs use most comes first: each pattern that is tried has to be compiled. */
const rows: readonly (readonly [pattern: RegExp, lower: Lower])[] = [
  [/^__builtin_bswap/, swap],
  [/^(__sync_synchronize|__(atomic|c11_atomic)_(thread|signal)_fence)$/, fence],
  [/^__(sync|atomic|c11_atomic)_/, lowerAtomic],
  [/^__builtin_memcpy(_inline)?$/, copy("memcpy")],
  [/^__builtin_memmove$/, copy("memmove")],
  [/^__builtin_memset(_inline)?$/, fill],
  [/^__builtin_bzero$/, zero],
  [/^__builtin_(memcmp|bcmp)$/, compareMemory],
  [/^__builtin_(str|stpcpy|memchr|mempcpy)/, lowerStringFunction],
  [/^__builtin_bitreverse/, unaryTrick(reverseBits)],
  [/^__builtin_rotateleft/, rotation(true)],
  [/^__builtin_rotateright/, rotation(false)],
  [/^__builtin_ctz/, unaryTrick(lowBitIndex)],
  [
    /^__builtin_clz/,
    unaryTrick((state, value) => {
      const type = value.type as ValueType;
      const bits = Number(type.slice(1));
      const index = highBitIndex(state, value);
      return state.emit(type, { op: "binary", binary: "sub" }, [constant(type, bits - 1), index]);
    }),
  ],
  [/^__builtin_ffs/, findFirstSet],
  [/^__builtin_popcount/, unaryTrick(bitCount)],
  [/^__builtin_parity/, unaryTrick(parity)],
  [/^__builtin_l{0,2}abs$/, absolute],
  [
    /^__builtin_(expect|expect_with_probability|unpredictable|assume_aligned|launder|extract_return_addr)$/,
    firstArgument,
  ],
  [/^__builtin_(assume|va_start|va_end|va_copy)$/, ignore],
  [/^__builtin_prefetch$/, evaluateArguments],
  [/^__builtin_(frame_address|return_address|readcyclecounter)$/, discard],
  [/^__builtin_(alloca|variable_length_array)/, dynamicObject],
  [/^__builtin_(dynamic_)?object_size$/, objectSize],
  [/^__builtin_clrsb/, signBits],
  [/^__builtin_(unreachable|trap|abort)$/, endPath],
  [/^__builtin_constant_p$/, constantP],
  [/_overflow$/, lowerOverflow],
  [/^llvm\.bpf\.load\./, packetLoad],
  [/^__builtin_preserve_access_index$/, preserveAccess],
  [/^__builtin_preserve_field_info$/, fieldInfo],
  [/^__builtin_(preserve_type_info|btf_type_id)$/, typeInfo],
  [/^__builtin_preserve_enum_value$/, enumValue],
];

/** Lowers a builtin; one that no row covers is reported. */
export function lowerBuiltin(state: FunctionState, expr: CheckedBuiltin): Value {
  const row = rows.find(([pattern]) => pattern.test(expr.name));
  if (row !== undefined) return row[1](state, expr);
  state.module.diagnostics.error(
    "builtin-unsupported",
    `'${expr.name}' is not supported for BPF`,
    expr.span,
  );
  return nothing;
}
