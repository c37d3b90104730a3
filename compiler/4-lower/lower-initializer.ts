/** Filling local objects. */
import type { CheckedInitializer, InitializerElement } from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import type { QualType } from "../3-check/types.ts";
import { writePlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import type { Place } from "./place.ts";

/** Bytes stored one by one up to here; longer texts are copied from a constant. */
const storedBytes = 64;

function zeroFill(state: FunctionState, address: Value, size: number, align: number): void {
  if (size === 0) return;
  const operation = { op: "memset" as const, dstAlign: align, volatile: false };
  state.emit("void", operation, [address, constant("i8", 0), constant("i64", size)]);
}

function storeBytes(
  state: FunctionState,
  address: Value,
  bytes: Uint8Array,
  align: number,
  size: number,
): void {
  const text = new Uint8Array(size);
  text.set(bytes.subarray(0, size));
  if (text.every((byte) => byte === 0)) {
    zeroFill(state, address, size, align);
    return;
  }
  if (size > storedBytes) {
    const symbol = state.module.constantBytes(text);
    const operation = { op: "memcpy" as const, dstAlign: align, srcAlign: 1, volatile: false };
    state.emit("void", operation, [address, symbol, constant("i64", size)]);
    return;
  }
  for (let at = 0; at < size; ) {
    const width = [8, 4, 2, 1].find((w) => at + w <= size && at % w === 0) ?? 1;
    let value = 0n;
    for (let i = 0; i < width; i++) {
      const place = state.module.endian === "little" ? width - 1 - i : i;
      value = (value << 8n) | BigInt(text[at + place] ?? 0);
    }
    const type = (["i8", "i16", "i32", "i64"] as const)[Math.log2(width)] ?? "i8";
    const known = at === 0 ? align : Math.min(align, at & -at);
    const operation = { op: "store" as const, align: Math.min(known, width), volatile: false };
    state.emit("void", operation, [constant(type, value), state.offset(address, at)]);
    at += width;
  }
}

/** Whether the elements cover every byte, so that zeroing first would be wasted. */
function coversAll(elements: readonly InitializerElement[], size: number): boolean {
  if (elements.some(({ field }) => field !== undefined)) return false;
  const lengths = elements.map(({ type, value }) =>
    value.kind === "bytes" ? value.bytes.length : sizeOf(type),
  );
  // Objects may be larger than any memory; what covers one was written out.
  if (lengths.reduce((sum, length) => sum + length, 0) < size) return false;
  const covered = new Uint8Array(size);
  for (const [index, { offset }] of elements.entries())
    covered.fill(1, offset, offset + (lengths[index] ?? 0));
  return covered.every((byte) => byte === 1);
}

function element(
  state: FunctionState,
  address: Value,
  align: number,
  size: number,
  each: InitializerElement,
): void {
  const at = state.offset(address, each.offset);
  const known = each.offset === 0 ? align : Math.min(align, each.offset & -each.offset);
  if (each.value.kind === "bytes") {
    storeBytes(state, at, each.value.bytes, known, each.value.bytes.length);
    return;
  }
  const value = state.visit.rvalue(each.value);
  state.at(each.value.span);
  const bits = each.field && {
    field: each.field,
    bitOffset: each.field.bitOffset,
    // What else the record has is being filled too: any access inside the object will do.
    runStart: 0,
    runEnd: size - each.offset,
  };
  const place: Place = {
    address: at,
    type: each.type,
    align: known,
    volatile: false,
    ...(bits && { bits }),
  };
  writePlace(state, place, value);
}

/** Fills the object at `address`; what the initialiser does not mention becomes zero. */
export function lowerInitializer(
  state: FunctionState,
  address: Value,
  type: QualType,
  initializer: CheckedInitializer,
): void {
  const size = sizeOf(type);
  const align = Math.max(1, alignOf(type));
  switch (initializer.kind) {
    case "expression": {
      const value = state.visit.rvalue(initializer.value);
      state.at(initializer.value.span);
      writePlace(state, { address, type, align, volatile: type.volatile }, value);
      return;
    }
    case "string":
      storeBytes(state, address, initializer.bytes, align, size);
      return;
    case "aggregate":
      state.at(initializer.span);
      if (!coversAll(initializer.elements, size)) zeroFill(state, address, size, align);
      for (const each of initializer.elements) element(state, address, align, size, each);
      return;
  }
}
