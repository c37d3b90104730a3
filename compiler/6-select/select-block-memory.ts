/**
 * memcpy, memmove, memset and memcmp of constant length as loads and stores: in BPF there is no
 * library to call. Units are as wide as alignment (or the kernel's tolerance off the stack) allows.
 */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import type { ValueType } from "../4-lower/ir-builder.ts";
import { constantAt } from "../5-optimize/rules/memory.ts";
import { constantAddress, integerOfSize } from "../5-optimize/values.ts";
import { fitsSigned, type SelectContext, type SelectedAddress } from "./context.ts";
import type { MachineRegister } from "./machine.ts";
import { immediateSource, registerSource } from "./machine.ts";
import { addressAt, blockAddress, takesConstants, widestAccess } from "./select-memory.ts";

type Size = 1 | 2 | 4 | 8;

/** Beyond this many bytes the code would be absurd; clang refuses beyond 128 stores. */
const maxExpandedBytes = 4096;
/** memmove has to load all before it stores; so many units fit in registers without spilling much. */
const maxUnitsAtOnce = 5;

function constantLength(
  context: SelectContext,
  at: IrInstruction,
  name: string,
): number | undefined {
  const length = at.operands[2] as Value;
  if (length.kind === "constant" && length.value <= BigInt(maxExpandedBytes)) {
    return Number(length.value);
  }
  const why =
    length.kind === "constant" ? `of ${length.value} bytes is too long` : "has a variable length";
  context.error(
    "unsupported-memory-builtin",
    `${name} ${why}; BPF has no library to call: use a loop or a helper`,
  );
  return undefined;
}

/** Splits a length into [offset, size] pieces of at most `unit` bytes, falling at the end. */
function pieces(length: number, unit: Size): { offset: number; size: Size }[] {
  const list: { offset: number; size: Size }[] = [];
  let size: number = unit;
  for (let offset = 0; offset < length; offset += size) {
    while (size > length - offset) size /= 2;
    list.push({ offset, size: size as Size });
  }
  return list;
}

export function selectCopyBlock(
  context: SelectContext,
  at: IrInstruction,
  operation: { op: "memcpy" | "memmove"; dstAlign: number; srcAlign: number },
): void {
  const length = constantLength(context, at, operation.op);
  if (length === undefined || length === 0) return;
  const [dst, src] = at.operands as [Value, Value, Value];
  const unit = Math.min(
    widestAccess(context, dst, 8, operation.dstAlign),
    widestAccess(context, src, 8, operation.srcAlign),
  ) as Size;
  const list = pieces(length, unit);
  if (storeConstants(context, list, dst, src)) return;
  const from = blockAddress(context, src);
  const to = blockAddress(context, dst);
  if (operation.op === "memmove" && list.length > maxUnitsAtOnce) {
    moveOverlapping(context, list, from, to);
    return;
  }
  const batch = operation.op === "memmove" ? list.length : 1;
  for (let start = 0; start < list.length; start += batch) {
    const group = list.slice(start, start + batch);
    const held = group.map(({ offset, size }) => loadUnit(context, from, offset, size));
    group.forEach(({ offset, size }, index) => {
      const address = addressAt(to, offset);
      const source = registerSource(held[index] as MachineRegister);
      context.emit({ kind: "store", size, address, src: source });
    });
  }
}

/** What comes from data that nothing writes is part of the stores, if they take constants and all of it fits. */
function storeConstants(
  context: SelectContext,
  list: readonly { offset: number; size: Size }[],
  dst: Value,
  src: Value,
): boolean {
  const { base, offset: start } = constantAddress(src);
  if (base.kind !== "global" || !takesConstants(context, dst)) return false;
  const global = context.module.globals.find(({ name }) => name === base.symbol);
  const isFixed = global?.constant && !global.isExtern && global.binding !== "weak";
  if (!isFixed || start < 0) return false;
  const values: number[] = [];
  for (const { offset, size } of list) {
    const type = integerOfSize[size] as ValueType;
    const value = constantAt(global, start + offset, type, context.options.endian);
    if (value?.kind !== "constant") return false;
    const stored = BigInt.asIntN(size * 8, value.value);
    if (!fitsSigned(stored, 32)) return false;
    values.push(Number(stored));
  }
  const to = blockAddress(context, dst);
  for (const [index, { offset, size }] of list.entries()) {
    const stored = immediateSource(values[index] ?? 0);
    context.emit({ kind: "store", size, address: addressAt(to, offset), src: stored });
  }
  return true;
}

function loadUnit(
  context: SelectContext,
  from: SelectedAddress,
  offset: number,
  size: Size,
): MachineRegister {
  const dst = context.newRegister();
  const address = addressAt(from, offset);
  context.emit({ kind: "load", size, signed: false, dst, address });
  return dst;
}

/** Long memmove: all units are loaded first; the allocator spills what does not fit. */
function moveOverlapping(
  context: SelectContext,
  list: readonly { offset: number; size: Size }[],
  from: SelectedAddress,
  to: SelectedAddress,
): void {
  const held = list.map(({ offset, size }) => loadUnit(context, from, offset, size));
  list.forEach(({ offset, size }, index) => {
    const address = addressAt(to, offset);
    const source = registerSource(held[index] as MachineRegister);
    context.emit({ kind: "store", size, address, src: source });
  });
}

export function selectFillBlock(context: SelectContext, at: IrInstruction, dstAlign: number): void {
  const length = constantLength(context, at, "memset");
  if (length === undefined || length === 0) return;
  const [dst, byte] = at.operands as [Value, Value, Value];
  const unit = widestAccess(context, dst, 8, dstAlign);
  const list = pieces(length, unit);
  const to = blockAddress(context, dst);
  const pattern = byte.kind === "constant" ? repeat(byte.value, 8) : undefined;
  const isSimple = pattern === 0n || pattern === 0xffffffffffffffffn;
  if (isSimple || byte.kind === "undef") {
    const value = pattern === 0n || pattern === undefined ? 0 : -1;
    const src = takesConstants(context, dst)
      ? immediateSource(value)
      : registerSource(context.materialize(BigInt(value)));
    for (const { offset, size } of list)
      context.emit({ kind: "store", size, address: addressAt(to, offset), src });
    return;
  }
  const widest = list[0]?.size ?? 1;
  const filled =
    pattern === undefined
      ? spread(context, byte, widest)
      : context.materialize(repeat(byte.kind === "constant" ? byte.value : 0n, widest));
  for (const { offset, size } of list) {
    const address = addressAt(to, offset);
    context.emit({ kind: "store", size, address, src: registerSource(filled) });
  }
}

function repeat(byte: bigint, count: number): bigint {
  return BigInt(`0x${(byte & 0xffn).toString(16).padStart(2, "0").repeat(count)}`);
}

/** A byte of unknown value in each byte of a unit: times 0x0101…. */
function spread(context: SelectContext, byte: Value, size: Size): MachineRegister {
  if (size === 1) return context.register(byte);
  const dst = context.newRegister();
  context.extendZero(dst, context.register(byte), 8);
  const ones = repeat(1n, size);
  const factor =
    size === 8 ? registerSource(context.materialize(ones)) : immediateSource(Number(ones));
  context.alu("mul", 64, dst, factor);
  return dst;
}

/** Compares unit by unit; the first difference decides. The result's sign is memcmp's, its size is not specified. */
export function selectCompareBlock(context: SelectContext, at: IrInstruction): void {
  const length = constantLength(context, at, "memcmp");
  const result = context.newRegister();
  context.moveConstant(result, 0n);
  context.define(at, result);
  if (length === undefined || length === 0) return;
  const [a, b] = at.operands as [Value, Value, Value];
  const onlyEquality = (context.uses.get(at) ?? []).every(
    ({ user }) =>
      user.operation.op === "icmp" &&
      (user.operation.predicate === "eq" || user.operation.predicate === "ne"),
  );
  const unitOf = (pointer: Value): Size => widestAccess(context, pointer, 8, 1);
  const unit = onlyEquality ? (Math.min(unitOf(a), unitOf(b)) as Size) : 1;
  const [left, right] = [blockAddress(context, a), blockAddress(context, b)];
  const differs = context.newBlock();
  const done = context.newBlock();
  const x = context.newRegister();
  const y = context.newRegister();
  for (const { offset, size } of pieces(length, unit)) {
    const next = context.newBlock();
    for (const [dst, from] of [
      [x, left],
      [y, right],
    ] as const) {
      const address = addressAt(from, offset);
      context.emit({ kind: "load", size, signed: false, dst, address });
    }
    context.terminate({
      kind: "branch",
      op: "ne",
      width: 64,
      dst: x,
      src: registerSource(y),
      then: differs,
      otherwise: next,
    });
    context.startBlock(next);
  }
  context.terminate({ kind: "jump", target: done });
  context.startBlock(differs);
  if (onlyEquality) context.moveConstant(result, 1n);
  else {
    context.move(result, x);
    context.alu("sub", context.has32 ? 32 : 64, result, registerSource(y));
  }
  context.terminate({ kind: "jump", target: done });
  context.startBlock(done);
}
