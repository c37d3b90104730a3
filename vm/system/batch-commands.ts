/**
 * Batches: many elements with one call. The cursor is the last key that was read; the kernel's hash
 * maps use a bucket number, which is as opaque to callers.
 */
import { errno } from "../errno.ts";
import { updateFlags } from "../maps/map.ts";
import type { BpfAttr } from "./attr.ts";
import type { Command } from "./command.ts";
import { mapFor, storedValue } from "./map-commands.ts";
import type { MapObject } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

const hashTypes: readonly number[] = [1, 5, 9, 10, 13];
/** Types that have batch commands, and which. */
const batchTypes: Readonly<Record<string, readonly number[]>> = {
  lookup: [...hashTypes, 2, 6, 11, 12],
  lookupAndDelete: hashTypes,
  update: [...hashTypes, 2, 6, 11, 12],
  delete: [...hashTypes, 11],
};

function slice(bytes: Uint8Array | undefined, index: number, size: number): Uint8Array | undefined {
  const part = bytes?.subarray(index * size, (index + 1) * size);
  return part?.length === size ? part : undefined;
}

function hasBadFlags(attr: BpfAttr, map: MapObject): boolean {
  const flags = attr.elem_flags ?? 0n;
  const isLock = flags === BigInt(updateFlags.lock);
  if (flags !== 0n && !isLock) return true;
  return isLock && map.map.description.hasLock !== true;
}

function mapOf(
  system: SystemState,
  attr: BpfAttr,
  operation: keyof typeof batchTypes,
): MapObject | number {
  const object = mapFor(system, attr, operation === "lookup" ? "read" : "write");
  if (typeof object === "number") return object;
  const types = batchTypes[operation] ?? [];
  return types.includes(object.map.description.type) ? object : -errno.ENOTSUPP;
}

function lookup(system: SystemState, attr: BpfAttr, deletes: boolean): number {
  const object = mapOf(system, attr, deletes ? "lookupAndDelete" : "lookup");
  if (typeof object === "number") return object;
  if (hasBadFlags(attr, object) || (attr.flags ?? 0n) !== 0n) return -errno.EINVAL;
  const wanted = attr.batch_count ?? 0;
  if (wanted === 0) return 0;
  const { map } = object;
  const { keySize } = map.description;
  let at: Uint8Array | undefined = attr.in_batch?.subarray(0, keySize);
  const read: Uint8Array[] = [];
  attr.batch_count = 0;
  while (read.length < wanted) {
    const key = system.kernel.mapNextKey(map, at);
    if (typeof key === "number") break;
    const value = system.kernel.mapLookup(map, key);
    if (!(value instanceof Uint8Array)) break;
    slice(attr.keys, read.length, keySize)?.set(key);
    slice(attr.values, read.length, map.userValueSize)?.set(value);
    read.push(key);
    at = key;
  }
  attr.batch_count = read.length;
  if (at !== undefined) attr.out_batch?.set(at);
  const isEnd = typeof system.kernel.mapNextKey(map, at) === "number" && read.length < wanted;
  if (deletes) for (const key of read) system.kernel.mapDelete(map, key);
  return isEnd ? -errno.ENOENT : 0;
}

/** Runs one element operation per key until one fails; `count` tells how many were done. */
function forEachKey(
  attr: BpfAttr,
  object: MapObject,
  operate: (key: Uint8Array, index: number) => number,
): number {
  const wanted = attr.batch_count ?? 0;
  attr.batch_count = 0;
  for (let i = 0; i < wanted; i += 1) {
    const key = slice(attr.keys, i, object.map.description.keySize);
    const result = key === undefined ? -errno.EFAULT : operate(key, i);
    if (result < 0) return result;
    attr.batch_count = i + 1;
  }
  return 0;
}

function update(system: SystemState, attr: BpfAttr): number {
  const object = mapOf(system, attr, "update");
  if (typeof object === "number") return object;
  if (hasBadFlags(attr, object)) return -errno.EINVAL;
  const { map } = object;
  return forEachKey(attr, object, (key, i) => {
    const value = slice(attr.values, i, map.userValueSize);
    const stored = value === undefined ? -errno.EFAULT : storedValue(system, object, value);
    if (typeof stored === "number") return stored;
    return system.kernel.mapUpdate(map, key, stored, attr.elem_flags ?? 0n);
  });
}

function remove(system: SystemState, attr: BpfAttr): number {
  const object = mapOf(system, attr, "delete");
  if (typeof object === "number") return object;
  if (hasBadFlags(attr, object)) return -errno.EINVAL;
  return forEachKey(attr, object, (key) => system.kernel.mapDelete(object.map, key));
}

const writeFields = ["map_fd", "keys", "values", "batch_count", "elem_flags"] as const;
const readFields = [...writeFields, "in_batch", "out_batch", "flags"] as const;

/** By the name of the command without `BPF_`. */
export const batchCommands: Readonly<Record<string, Command>> = {
  MAP_LOOKUP_BATCH: { fields: readFields, run: (system, attr) => lookup(system, attr, false) },
  MAP_LOOKUP_AND_DELETE_BATCH: {
    fields: readFields,
    run: (system, attr) => lookup(system, attr, true),
  },
  MAP_UPDATE_BATCH: { fields: writeFields, run: update },
  MAP_DELETE_BATCH: { fields: writeFields, run: remove },
};
