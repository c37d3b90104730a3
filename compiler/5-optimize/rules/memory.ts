/** Loads of constants, calls through known pointers, copies of nothing. */
import type { Endian } from "../../../common/object/object-file.ts";
import type { IrGlobal, Value } from "../../4-lower/ir.ts";
import { constant, globalAddress, sameValue, type ValueType } from "../../4-lower/ir-builder.ts";
import { addressRoot } from "../context.ts";
import type { PassContext } from "../pass.ts";
import { byteSize, constantAddress, isConstant, isOp, operand } from "../values.ts";
import type { Rule } from "./rule.ts";

export const memoryRules: readonly Rule[] = [
  {
    // load of a constant global → its bytes, or the address that stands there; 0 wherever all of it is zero
    name: "load-constant",
    on: ["load"],
    rewrite: ({ operation, type, operands: [pointer] }, tools) => {
      if (operation.op !== "load" || operation.volatile || pointer === undefined) return undefined;
      const { base, offset } = constantAddress(pointer);
      const root = addressRoot(base);
      const global =
        root.kind === "global" ? constantGlobal(tools.context, root.symbol) : undefined;
      if (global && endOfData(global) === 0) return constant(type as ValueType, 0n);
      if (base !== root) return undefined;
      return global && constantAt(global, offset, type as ValueType, tools.endian);
    },
  },
  {
    // call *@f → call @f; call *5 → helper 5
    name: "call-known-function",
    on: ["call"],
    rewrite: (instruction, tools) => {
      const { operation, operands } = instruction;
      const [target] = operands;
      if (operation.op !== "call" || operation.callee.kind !== "indirect") return undefined;
      const callee =
        target?.kind === "global"
          ? ({ kind: "function", symbol: target.symbol } as const)
          : target?.kind === "constant" && target.value < 1n << 31n
            ? ({ kind: "helper", id: Number(target.value) } as const)
            : undefined;
      if (callee === undefined) return undefined;
      return tools.emit(instruction.type, { ...operation, callee }, operands.slice(1));
    },
  },
  {
    // Copy, fill or comparison of zero bytes, or of something with itself
    name: "empty-copy",
    on: ["memcpy", "memmove", "memset", "memcmp"],
    rewrite: ({ operation, operands: [a, b, length] }) => {
      if ("volatile" in operation && operation.volatile) return undefined;
      const isSame = operation.op !== "memset" && a && b && sameValue(a, b);
      if (!isConstant(length, 0n) && !isSame) return undefined;
      return constant("i32", 0n);
    },
  },
  {
    // Long copy of a constant global → copy of what is there, fill with the zeros behind
    name: "copy-constant",
    on: ["memcpy", "memmove"],
    rewrite: ({ operation, operands: [target, source, length] }, tools) => {
      if ((operation.op !== "memcpy" && operation.op !== "memmove") || operation.volatile) return;
      if (target === undefined || source === undefined || length?.kind !== "constant") return;
      const size = Number(length.value);
      const { base, offset } = constantAddress(source);
      if (size < longCopy || offset < 0 || base.kind !== "global") return undefined;
      const global = constantGlobal(tools.context, base.symbol);
      const filled = global && Math.min(size, Math.max(0, endOfData(global) - offset));
      const head = filled === undefined ? size : Math.ceil(filled / 8) * 8;
      if (size - head < fewestZeros) return undefined;
      const { dstAlign, volatile } = operation;
      const tail = head === 0 ? target : tools.addOffset(target, constant("i64", BigInt(head)));
      const rest = constant("i64", BigInt(size - head));
      const fill = { op: "memset", dstAlign: Math.min(dstAlign, 8), volatile } as const;
      tools.emit("void", fill, [tail, constant("i8", 0n), rest]);
      if (head > 0) tools.emit("void", operation, [target, source, constant("i64", BigInt(head))]);
      return constant("i32", 0n);
    },
  },
  {
    // constant_p(c) → true
    name: "known-constant",
    on: ["constant_p"],
    rewrite: ({ operands: [a] }) => (a?.kind === "constant" ? constant("i1", 1n) : undefined),
  },
  {
    // object_size(object + c) → size − c
    name: "known-object-size",
    on: ["object_size"],
    rewrite: ({ operands: [pointer] }, tools) => {
      if (pointer === undefined) return undefined;
      const { base, offset } = constantAddress(pointer);
      const size = isOp(base, "alloca")
        ? base.operation.size
        : base.kind === "global"
          ? tools.context.globals.get(base.symbol)?.size
          : undefined;
      if (size === undefined || offset < 0) return undefined;
      return constant("i64", Math.max(0, size - offset));
    },
  },
  {
    // cast(cast(p, a → b), b → a) → p
    name: "address-space-round-trip",
    on: ["addr_space_cast"],
    rewrite: ({ operation, operands: [a] }) => {
      if (operation.op !== "addr_space_cast" || !isOp(a, "addr_space_cast")) return undefined;
      const isBack = a.operation.from === operation.to && a.operation.to === operation.from;
      return isBack ? operand(a, 0) : undefined;
    },
  },
];

/** Shorter copies become loads and stores, and the loads constants; a fill of fewer bytes is no gain. */
const longCopy = 129;
const fewestZeros = 32;

/** Where the zeros at the end of a global's data begin. */
function endOfData({ data, relocations }: IrGlobal): number {
  let end = data?.length ?? 0;
  while (end > 0 && data?.[end - 1] === 0) end -= 1;
  return Math.max(end, ...relocations.map(({ offset }) => offset + 8));
}

/** A global whose initial data is what every load finds. */
export function constantGlobal(context: PassContext, symbol: string): IrGlobal | undefined {
  const global = context.globals.get(symbol);
  if (global === undefined || !global.constant || global.isExtern) return undefined;
  return global.binding === "weak" ? undefined : global;
}

/**
 * What a load finds in a global's initial data; undefined where that is not a plain value. Beyond its end,
 * where copies of a fixed size from short texts read, is nothing that a program may know: zeros.
 */
export function constantAt(
  global: IrGlobal,
  offset: number,
  type: ValueType,
  endian: Endian,
): Value | undefined {
  const size = byteSize[type];
  const relocation = global.relocations.find(
    (each) => each.offset < offset + size && offset < each.offset + 8,
  );
  if (relocation !== undefined) {
    const isWhole = relocation.offset === offset && size === 8 && relocation.addend === 0;
    return isWhole && type === "ptr" ? globalAddress(relocation.symbol) : undefined;
  }
  let value = 0n;
  for (let at = 0; at < size; at += 1) {
    const byte = BigInt(global.data?.[offset + at] ?? 0);
    value |= byte << BigInt(8 * (endian === "little" ? at : size - 1 - at));
  }
  return constant(type, value);
}
