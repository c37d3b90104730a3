/** BPF_MAP_CREATE: checks the attributes as Linux 6.18 does and makes the map. */
import { keepsSizeRule, mapTypeById } from "../../common/platform/map-types.ts";
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { ArenaMap } from "./arena.ts";
import { ArrayMap, PerCpuArrayMap } from "./array.ts";
import { BloomFilterMap } from "./bloom-filter.ts";
import { CgroupStorageMap, PerCpuCgroupStorageMap } from "./cgroup-storage.ts";
import { HashMap, LruHashMap, LruPerCpuHashMap, PerCpuHashMap } from "./hash.ts";
import { HashOfMaps } from "./hash-of-maps.ts";
import { LocalStorageMap } from "./local-storage.ts";
import { LpmTrieMap } from "./lpm-trie.ts";
import { type BpfMap, type MapDescription, type MapHost, mapFlags } from "./map.ts";
import { PerfEventArrayMap } from "./perf-event-array.ts";
import { ArrayOfMaps, CgroupArrayMap, ProgramArrayMap } from "./program-array.ts";
import { QueueMap, StackMap } from "./queue-stack.ts";
import { CpuMap, DevHashMap, DevMap, XskMap } from "./redirect-maps.ts";
import { RingBufferMap } from "./ring-buffer.ts";
import { ReuseportArray, SockHash, SockMap } from "./socket-maps.ts";
import { StackTraceMap } from "./stack-trace.ts";
import { StructOpsMap } from "./struct-ops.ts";
import { UserRingBufferMap } from "./user-ring-buffer.ts";

type MapClass = new (id: number, description: MapDescription, host: MapHost) => BpfMap;

/** By enum bpf_map_type. */
const classes: Readonly<Record<number, MapClass>> = {
  1: HashMap,
  2: ArrayMap,
  3: ProgramArrayMap,
  4: PerfEventArrayMap,
  5: PerCpuHashMap,
  6: PerCpuArrayMap,
  7: StackTraceMap,
  8: CgroupArrayMap,
  9: LruHashMap,
  10: LruPerCpuHashMap,
  11: LpmTrieMap,
  12: ArrayOfMaps,
  13: HashOfMaps,
  14: DevMap,
  15: SockMap,
  16: CpuMap,
  17: XskMap,
  18: SockHash,
  19: CgroupStorageMap,
  20: ReuseportArray,
  21: PerCpuCgroupStorageMap,
  22: QueueMap,
  23: StackMap,
  24: LocalStorageMap,
  25: DevHashMap,
  26: StructOpsMap,
  27: RingBufferMap,
  28: LocalStorageMap,
  29: LocalStorageMap,
  30: BloomFilterMap,
  31: UserRingBufferMap,
  32: LocalStorageMap,
  33: ArenaMap,
};

const pageSize = 4096;
const lpmTrie = 11;
const ringBuffer = 27;
const lruTypes: readonly number[] = [9, 10];

/** The map, or a negative errno. */
export function createMap(id: number, description: MapDescription, host: MapHost): BpfMap | number {
  const { type, keySize, valueSize, maxEntries, flags } = description;
  const row = mapTypeById(type);
  const made = classes[type];
  if (row === undefined || made === undefined) return -errno.EINVAL;
  const isPerfArrayOfAllCpus = type === 4 && maxEntries === 0;
  const sizes =
    keepsSizeRule(row.keySize, keySize) &&
    keepsSizeRule(row.valueSize, valueSize) &&
    (isPerfArrayOfAllCpus || keepsSizeRule(row.maxEntries, maxEntries));
  if (!sizes) return -errno.EINVAL;
  if (type === lpmTrie && (flags & mapFlags.noPrealloc) === 0) return -errno.EINVAL;
  if (lruTypes.includes(type) && (flags & mapFlags.noPrealloc) !== 0) return -errno.ENOTSUPP;
  if (type === ringBuffer) {
    const isPower = Number.isInteger(Math.log2(maxEntries));
    if (!isPower || maxEntries % pageSize !== 0) return -errno.EINVAL;
  }
  try {
    return new made(id, description, host);
  } catch (fault) {
    if (fault instanceof Fault && fault.kind === "out-of-memory") return -errno.ENOMEM;
    throw fault;
  }
}
