/**
 * Lookup, update and delete of hash maps as WebAssembly functions: one module per size of keys and
 * values, its parts unrolled for them. They work on the tables of vm/maps/hash-table.ts, whose class
 * does the same in JavaScript; what needs new memory is left to it.
 */
import { errno } from "../errno.ts";
import type { HashMap } from "../maps/hash.ts";
import {
  elementFields,
  hashFactor,
  hashTailFactor,
  tableFields,
  valueOffset,
} from "../maps/hash-table.ts";
import { updateFlags } from "../maps/map.ts";
import { WasmCode } from "./wasm-code.ts";
import { emptyBlockType, op, valueType, writeModule } from "./wasm-writer.ts";

const { i32, i64 } = valueType;

/** Signatures of the functions. The last argument is the address of the table's header. */
export const mapFunctionTypes = {
  /** Key → address of the value that programs on this CPU get, or 0. */
  lookup: { params: [i32, i32], results: [i32] },
  /** Key, value, flags → 0, a negative errno, or {@link notDone}. */
  update: { params: [i32, i32, i64, i32], results: [i32] },
  /** Key → 0 or a negative errno. */
  delete: { params: [i32, i32], results: [i32] },
} as const;
export type MapFunctionName = keyof typeof mapFunctionTypes;
export const mapFunctionNames = ["lookup", "update", "delete"] as const;

/** What `update` gives back where the caller must ask JavaScript. */
export const notDone = 1;

export interface MapShape {
  readonly keySize: number;
  readonly valueSize: number;
  /** Distance of two CPUs' values; 0 where all share one. */
  readonly cpuStride: number;
  readonly isLru: boolean;
}

const longestKey = 64;
const longestValue = 256;

/** The shape of a map whose operations compiled code can do by itself. */
export function mapShape(map: HashMap): MapShape | undefined {
  const { keySize, valueSize, hasLock } = map.description;
  if (keySize > longestKey || valueSize > longestValue || hasLock === true) return undefined;
  return { keySize, valueSize, cpuStride: map.isPerCpu ? map.valueStride : 0, isLru: map.isLru };
}

/** Key parts, widest first: 4-byte words, then bytes. */
function parts(size: number): readonly { readonly at: number; readonly word: boolean }[] {
  const words = Math.floor(size / 4);
  return [
    ...Array.from({ length: words }, (_, i) => ({ at: i * 4, word: true })),
    ...Array.from({ length: size % 4 }, (_, i) => ({ at: words * 4 + i, word: false })),
  ];
}

/** Locals are: arguments, then hash, element, link (what points to the element). */
interface Locals {
  readonly key: number;
  readonly table: number;
  readonly hash: number;
  readonly element: number;
  readonly link: number;
}

const loadPart = (code: WasmCode, address: number, { at, word }: { at: number; word: boolean }) => {
  code.get(address);
  code.memory(word ? op.i32Load : op.i32Load8U, at);
};

function emitHash(code: WasmCode, { keySize }: MapShape, { key, hash }: Locals): void {
  const mix = (shift: number): void => {
    code.get(hash);
    code.get(hash);
    code.const32(shift);
    code.op(op.i32ShrU, op.i32Xor);
  };
  code.const32(keySize);
  for (const part of parts(keySize)) {
    loadPart(code, key, part);
    code.op(op.i32Xor);
    code.const32(part.word ? hashFactor : hashTailFactor);
    code.op(op.i32Mul);
    if (!part.word) continue;
    code.set(hash);
    mix(15);
  }
  code.set(hash);
  mix(13);
  code.set(hash);
}

/** Finds the key: `element` is its address and `link` that of the word which holds it; or 0. */
function emitFind(code: WasmCode, shape: MapShape, locals: Locals): void {
  const { key, table, hash, element, link } = locals;
  emitHash(code, shape, locals);
  code.get(table);
  code.memory(op.i32Load, tableFields.buckets);
  code.get(hash);
  code.get(table);
  code.memory(op.i32Load, tableFields.mask);
  code.op(op.i32And);
  code.const32(2);
  code.op(op.i32Shl, op.i32Add);
  code.set(link);
  code.open(op.block, emptyBlockType);
  code.open(op.loop, emptyBlockType);
  code.get(link);
  code.memory(op.i32Load, 0);
  code.tee(element);
  code.op(op.i32Eqz);
  code.branch(op.brIf, 1);
  code.open(op.block, emptyBlockType);
  code.get(element);
  code.memory(op.i32Load, elementFields.hash);
  code.get(hash);
  code.op(op.i32Ne);
  code.branch(op.brIf, 0);
  for (const part of parts(shape.keySize)) {
    loadPart(code, key, part);
    loadPart(code, element, { ...part, at: part.at + elementFields.key });
    code.op(op.i32Ne);
    code.branch(op.brIf, 0);
  }
  code.branch(op.br, 2);
  code.op(op.end);
  // The chain's next link is the element's first word.
  code.get(element);
  code.set(link);
  code.branch(op.br, 0);
  code.op(op.end, op.end);
}

function emitTouch(code: WasmCode, { isLru }: MapShape, element: number): void {
  if (!isLru) return;
  code.get(element);
  code.const32(1);
  code.memory(op.i32Store, elementFields.used);
}

/** Pushes the address of the value in `element`. */
function emitValueAddress(code: WasmCode, shape: MapShape, locals: Locals): void {
  code.get(locals.element);
  code.const32(valueOffset(shape.keySize));
  code.op(op.i32Add);
  if (shape.cpuStride === 0) return;
  code.get(locals.table);
  code.memory(op.i32Load, tableFields.cpuCell);
  code.memory(op.i32Load, 0);
  code.const32(shape.cpuStride);
  code.op(op.i32Mul, op.i32Add);
}

function lookupBody(shape: MapShape): Uint8Array {
  const code = new WasmCode();
  const locals = { key: 0, table: 1, hash: 2, element: 3, link: 4 };
  startBody(code, 3);
  emitFind(code, shape, locals);
  code.get(locals.element);
  code.op(op.i32Eqz);
  returnIf(code, 0);
  emitTouch(code, shape, locals.element);
  emitValueAddress(code, shape, locals);
  code.op(op.end);
  return code.finish();
}

function startBody(code: WasmCode, words: number): void {
  code.unsigned(1);
  code.unsigned(words);
  code.byte(i32);
}

/** Returns a constant where the i32 on the stack is not 0. */
function returnIf(code: WasmCode, value: number): void {
  code.open(op.if, emptyBlockType);
  code.const32(value);
  code.op(op.return, op.end);
}

/** Copies `size` bytes, 8 at a time; the local `to` and `from` hold addresses. */
function emitCopy(code: WasmCode, to: number, from: number, size: number, offset: number): void {
  const widths = [
    [8, op.i64Load, op.i64Store],
    [4, op.i32Load, op.i32Store],
    [1, op.i32Load8U, op.i32Store8],
  ] as const;
  let at = 0;
  for (const [width, load, store] of widths) {
    for (; at + width <= size; at += width) {
      code.get(to);
      code.get(from);
      code.memory(load, at);
      code.memory(store, offset + at);
    }
  }
}

function updateBody(shape: MapShape): Uint8Array {
  const code = new WasmCode();
  const [value, flags] = [1, 2];
  const locals = { key: 0, table: 3, hash: 4, element: 5, link: 6 };
  startBody(code, 4);
  const target = 7;
  code.get(flags);
  code.const64(BigInt(updateFlags.exist));
  code.op(op.i64GtU);
  returnIf(code, -errno.EINVAL);
  emitFind(code, shape, locals);
  code.get(locals.element);
  code.open(op.if, emptyBlockType);
  code.get(flags);
  code.const64(BigInt(updateFlags.noexist));
  code.op(op.i64Eq);
  returnIf(code, -errno.EEXIST);
  emitTouch(code, shape, locals.element);
  emitValueAddress(code, shape, locals);
  code.set(target);
  emitCopy(code, target, value, shape.valueSize, 0);
  code.const32(0);
  code.op(op.return);
  code.op(op.end);
  code.get(flags);
  code.const64(BigInt(updateFlags.exist));
  code.op(op.i64Eq);
  returnIf(code, -errno.ENOENT);
  if (shape.cpuStride === 0) emitInsert(code, shape, { ...locals, value });
  else code.const32(notDone);
  code.op(op.end);
  return code.finish();
}

/** While an element is free, the number of its chunk is there as a negative one. */
function emitNegateChunk(code: WasmCode, element: number): void {
  code.get(element);
  code.const32(0);
  code.get(element);
  code.memory(op.i32Load, elementFields.chunk);
  code.op(op.i32Sub);
  code.memory(op.i32Store, elementFields.chunk);
}

/** Leaves 0, or {@link notDone} where the map is full, has no free element or should grow. */
function emitInsert(code: WasmCode, shape: MapShape, locals: Locals & { value: number }): void {
  const { key, table, hash, element, link, value } = locals;
  const field = (name: keyof typeof tableFields): void => {
    code.get(table);
    code.memory(op.i32Load, tableFields[name]);
  };
  field("count");
  field("maxEntries");
  code.op(op.i32GeU);
  field("count");
  field("mask");
  code.op(op.i32GtU, op.i32Or);
  field("free");
  code.tee(element);
  code.op(op.i32Eqz, op.i32Or);
  returnIf(code, notDone);
  code.get(table);
  code.get(element);
  code.memory(op.i32Load, elementFields.next);
  code.memory(op.i32Store, tableFields.free);
  code.get(table);
  field("count");
  code.const32(1);
  code.op(op.i32Add);
  code.memory(op.i32Store, tableFields.count);
  code.get(element);
  code.get(hash);
  code.memory(op.i32Store, elementFields.hash);
  code.get(element);
  code.const32(0);
  code.memory(op.i32Store, elementFields.used);
  emitNegateChunk(code, element);
  emitCopy(code, element, key, shape.keySize, elementFields.key);
  emitCopy(code, element, value, shape.valueSize, valueOffset(shape.keySize));
  field("buckets");
  code.get(hash);
  field("mask");
  code.op(op.i32And);
  code.const32(2);
  code.op(op.i32Shl, op.i32Add);
  code.set(link);
  code.get(element);
  code.get(link);
  code.memory(op.i32Load, 0);
  code.memory(op.i32Store, elementFields.next);
  code.get(link);
  code.get(element);
  code.memory(op.i32Store, 0);
  code.const32(0);
}

function deleteBody(shape: MapShape): Uint8Array {
  const code = new WasmCode();
  const locals = { key: 0, table: 1, hash: 2, element: 3, link: 4 };
  const { table, element, link } = locals;
  startBody(code, 3);
  emitFind(code, shape, locals);
  code.get(element);
  code.op(op.i32Eqz);
  returnIf(code, -errno.ENOENT);
  code.get(link);
  code.get(element);
  code.memory(op.i32Load, elementFields.next);
  code.memory(op.i32Store, 0);
  code.get(element);
  code.get(table);
  code.memory(op.i32Load, tableFields.free);
  code.memory(op.i32Store, elementFields.next);
  emitNegateChunk(code, element);
  code.get(table);
  code.get(element);
  code.memory(op.i32Store, tableFields.free);
  code.get(table);
  code.get(table);
  code.memory(op.i32Load, tableFields.count);
  code.const32(1);
  code.op(op.i32Sub);
  code.memory(op.i32Store, tableFields.count);
  code.const32(0);
  code.op(op.end);
  return code.finish();
}

const modules = new Map<string, WebAssembly.Module>();
const shapeName = (shape: MapShape): string =>
  `${shape.keySize} ${shape.valueSize} ${shape.cpuStride} ${shape.isLru}`;

function moduleOf(shape: MapShape): WebAssembly.Module {
  const name = shapeName(shape);
  const known = modules.get(name);
  if (known !== undefined) return known;
  const bodies = [lookupBody(shape), updateBody(shape), deleteBody(shape)];
  const bytes = writeModule({
    types: mapFunctionNames.map((function_) => mapFunctionTypes[function_]),
    imports: [{ name: "memory", what: { kind: "memory" } }],
    functions: bodies.map((body, type) => ({ type, body })),
    table: [],
    exports: mapFunctionNames.map((function_, index) => ({ name: function_, index })),
  });
  const made = new WebAssembly.Module(bytes);
  modules.set(name, made);
  return made;
}

export type MapFunctions = Readonly<Record<MapFunctionName, WebAssembly.ExportValue>>;

/** The functions of the shapes that a memory's programs use; modules are shared by all memories. */
export class MapFunctionCache {
  readonly #memory: WebAssembly.Memory;
  readonly #known = new Map<string, MapFunctions>();

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
  }

  functions(shape: MapShape): MapFunctions {
    const name = shapeName(shape);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const env = { memory: this.#memory };
    const { exports } = new WebAssembly.Instance(moduleOf(shape), { env });
    const made = exports as MapFunctions;
    this.#known.set(name, made);
    return made;
  }
}
