/** What programs may do with each map type. */
import type { Env } from "./env.ts";
import { helperId } from "./helper-ids.ts";
import { helperName } from "./helper-prototypes.ts";
import type { VerifierMap } from "./input.ts";
import { recordOf } from "./map-record.ts";
import { attachType, isSleepableProgram, programType } from "./program-variants.ts";
import { errno } from "./stop.ts";

/** enum bpf_map_type. */
export const mapType = {
  hash: 1,
  array: 2,
  progArray: 3,
  perfEventArray: 4,
  percpuHash: 5,
  percpuArray: 6,
  stackTrace: 7,
  cgroupArray: 8,
  lruHash: 9,
  lruPercpuHash: 10,
  lpmTrie: 11,
  arrayOfMaps: 12,
  hashOfMaps: 13,
  devmap: 14,
  sockmap: 15,
  cpumap: 16,
  xskmap: 17,
  sockhash: 18,
  cgroupStorage: 19,
  reuseportSockarray: 20,
  percpuCgroupStorage: 21,
  queue: 22,
  stack: 23,
  skStorage: 24,
  devmapHash: 25,
  structOps: 26,
  ringbuf: 27,
  inodeStorage: 28,
  taskStorage: 29,
  bloomFilter: 30,
  userRingbuf: 31,
  cgrpStorage: 32,
  arena: 33,
} as const;

export const mapFlag = { readOnlyProg: 1 << 7, writeOnlyProg: 1 << 8 } as const;

const pageSize = 4096;

/** Bytes of a map's value that programs can address directly; undefined if they cannot. */
export function directValueSize(map: VerifierMap): number | undefined {
  if (map.type === mapType.arena) return map.maxEntries * pageSize;
  return map.type === mapType.array ? map.valueSize : undefined;
}

/** Values of device maps are pointers into the kernel's own entries. */
export function isReadOnlyForPrograms(map: VerifierMap): boolean {
  const isDevmap = map.type === mapType.devmap || map.type === mapType.devmapHash;
  return isDevmap || (map.flags & mapFlag.readOnlyProg) !== 0;
}

export function isArrayLike(map: VerifierMap): boolean {
  return map.type === mapType.array || map.type === mapType.percpuArray;
}

export function isMapOfMaps(map: VerifierMap): boolean {
  return map.type === mapType.arrayOfMaps || map.type === mapType.hashOfMaps;
}

const h = helperId;

/** Map types that only these helpers take. */
const helpersOfMap: Record<number, readonly number[]> = {
  [mapType.progArray]: [h.tailCall],
  [mapType.perfEventArray]: [
    h.perfEventRead,
    h.perfEventOutput,
    h.skbOutput,
    h.perfEventReadValue,
    h.xdpOutput,
  ],
  [mapType.ringbuf]: [
    h.ringbufOutput,
    h.ringbufReserve,
    h.ringbufQuery,
    h.ringbufReserveDynptr,
    h.ringbufSubmitDynptr,
    h.ringbufDiscardDynptr,
  ],
  [mapType.userRingbuf]: [h.userRingbufDrain],
  [mapType.stackTrace]: [h.getStackId],
  [mapType.cgroupArray]: [h.skbUnderCgroup, h.currentTaskUnderCgroup],
  [mapType.cgroupStorage]: [h.getLocalStorage],
  [mapType.percpuCgroupStorage]: [h.getLocalStorage],
  [mapType.devmap]: [h.redirectMap, h.mapLookup],
  [mapType.devmapHash]: [h.redirectMap, h.mapLookup],
  [mapType.cpumap]: [h.redirectMap],
  [mapType.xskmap]: [h.redirectMap, h.mapLookup],
  [mapType.arrayOfMaps]: [h.mapLookup],
  [mapType.hashOfMaps]: [h.mapLookup],
  [mapType.sockmap]: [
    h.skRedirectMap,
    h.sockMapUpdate,
    h.msgRedirectMap,
    h.skSelectReuseport,
    h.mapLookup,
  ],
  [mapType.sockhash]: [
    h.skRedirectHash,
    h.sockHashUpdate,
    h.msgRedirectHash,
    h.skSelectReuseport,
    h.mapLookup,
  ],
  [mapType.reuseportSockarray]: [h.skSelectReuseport],
  [mapType.queue]: [h.mapPeek, h.mapPop, h.mapPush],
  [mapType.stack]: [h.mapPeek, h.mapPop, h.mapPush],
  [mapType.skStorage]: [h.skStorageGet, h.skStorageDelete, h.kptrXchg],
  [mapType.inodeStorage]: [h.inodeStorageGet, h.inodeStorageDelete, h.kptrXchg],
  [mapType.taskStorage]: [h.taskStorageGet, h.taskStorageDelete, h.kptrXchg],
  [mapType.cgrpStorage]: [h.cgrpStorageGet, h.cgrpStorageDelete, h.kptrXchg],
  [mapType.bloomFilter]: [h.mapPeek, h.mapPush],
};

/** Helpers that only these map types go to. */
const mapsOfHelper: Record<number, readonly number[]> = {
  [h.tailCall]: [mapType.progArray],
  [h.perfEventRead]: [mapType.perfEventArray],
  [h.perfEventOutput]: [mapType.perfEventArray],
  [h.perfEventReadValue]: [mapType.perfEventArray],
  [h.skbOutput]: [mapType.perfEventArray],
  [h.xdpOutput]: [mapType.perfEventArray],
  [h.ringbufOutput]: [mapType.ringbuf],
  [h.ringbufReserve]: [mapType.ringbuf],
  [h.ringbufQuery]: [mapType.ringbuf],
  [h.ringbufReserveDynptr]: [mapType.ringbuf],
  [h.ringbufSubmitDynptr]: [mapType.ringbuf],
  [h.ringbufDiscardDynptr]: [mapType.ringbuf],
  [h.userRingbufDrain]: [mapType.userRingbuf],
  [h.getStackId]: [mapType.stackTrace],
  [h.currentTaskUnderCgroup]: [mapType.cgroupArray],
  [h.skbUnderCgroup]: [mapType.cgroupArray],
  [h.redirectMap]: [mapType.devmap, mapType.devmapHash, mapType.cpumap, mapType.xskmap],
  [h.skRedirectMap]: [mapType.sockmap],
  [h.msgRedirectMap]: [mapType.sockmap],
  [h.sockMapUpdate]: [mapType.sockmap],
  [h.skRedirectHash]: [mapType.sockhash],
  [h.msgRedirectHash]: [mapType.sockhash],
  [h.sockHashUpdate]: [mapType.sockhash],
  [h.getLocalStorage]: [mapType.cgroupStorage, mapType.percpuCgroupStorage],
  [h.skSelectReuseport]: [mapType.reuseportSockarray, mapType.sockmap, mapType.sockhash],
  [h.mapPop]: [mapType.queue, mapType.stack],
  [h.mapPeek]: [mapType.queue, mapType.stack, mapType.bloomFilter],
  [h.mapPush]: [mapType.queue, mapType.stack, mapType.bloomFilter],
  [h.mapLookupPercpu]: [mapType.percpuArray, mapType.percpuHash, mapType.lruPercpuHash],
  [h.skStorageGet]: [mapType.skStorage],
  [h.skStorageDelete]: [mapType.skStorage],
  [h.inodeStorageGet]: [mapType.inodeStorage],
  [h.inodeStorageDelete]: [mapType.inodeStorage],
  [h.taskStorageGet]: [mapType.taskStorage],
  [h.taskStorageDelete]: [mapType.taskStorage],
  [h.cgrpStorageGet]: [mapType.cgrpStorage],
  [h.cgrpStorageDelete]: [mapType.cgrpStorage],
};

/** Programs in which no socket of a sockmap can be locked, so that it may be changed. */
const sockmapWriters: ReadonlySet<number> = new Set([
  programType.socketFilter,
  programType.schedCls,
  programType.schedAct,
  programType.xdp,
  programType.skReuseport,
  programType.flowDissector,
  programType.skLookup,
]);

function mayUpdateSockmap(env: Env, helper: number): boolean {
  if (helper !== h.mapUpdate && helper !== h.mapDelete) return false;
  const type = env.input.programType;
  const isOwnDelete = type === programType.sockOps && helper === h.mapDelete;
  const isIterator = type === programType.tracing && env.input.attachType === attachType.iterator;
  if (isOwnDelete || isIterator || sockmapWriters.has(type)) return true;
  env.say("cannot update sockmap in this context");
  return false;
}

/** A map type that the helper cannot take, or the other way round. */
export function checkMapHelper(env: Env, map: VerifierMap, helper: number): void {
  const helpers = helpersOfMap[map.type];
  const maps = mapsOfHelper[helper];
  let fits = helpers === undefined || helpers.includes(helper);
  const isSockmap = map.type === mapType.sockmap || map.type === mapType.sockhash;
  if (isSockmap && !fits) fits = mayUpdateSockmap(env, helper);
  if (map.type === mapType.arena || map.type === mapType.structOps) {
    env.unsupported(`map type ${map.type}`);
  }
  if (fits && (maps === undefined || maps.includes(map.type))) return;
  env.reject(
    `cannot pass map_type ${map.type} into func ${helperName(helper)}#${helper}`,
    errno.invalid,
  );
}

/** Maps that stay valid while a program sleeps. */
const sleepableMaps: ReadonlySet<number> = new Set([
  mapType.hash,
  mapType.lruHash,
  mapType.array,
  mapType.percpuHash,
  mapType.percpuArray,
  mapType.lruPercpuHash,
  mapType.arrayOfMaps,
  mapType.hashOfMaps,
  mapType.ringbuf,
  mapType.userRingbuf,
  mapType.inodeStorage,
  mapType.skStorage,
  mapType.taskStorage,
  mapType.cgrpStorage,
  mapType.queue,
  mapType.stack,
  mapType.arena,
]);

const tracingTypes: ReadonlySet<number> = new Set([
  programType.kprobe,
  programType.tracepoint,
  programType.perfEvent,
  programType.rawTracepoint,
  programType.rawTracepointWritable,
]);

/** Some maps may not be used at all by some programs. */
export function checkMapForProgram(env: Env, map: VerifierMap): void {
  const record = recordOf(env, map);
  const type = env.input.programType;
  if (map.type > mapType.arena) env.unsupported(`map type ${map.type}`);
  const has = (name: string): boolean => record.fields.some((field) => field.name === name);
  if ((has("bpf_list_head") || has("bpf_rb_root")) && tracingTypes.has(type)) {
    env.reject("tracing progs cannot use bpf_{list_head,rb_root} yet", errno.invalid);
  }
  if (has("bpf_spin_lock") || has("bpf_res_spin_lock")) {
    if (type === programType.socketFilter) {
      env.reject("socket filter progs cannot use bpf_spin_lock yet", errno.invalid);
    }
    if (tracingTypes.has(type)) {
      env.reject("tracing progs cannot use bpf_spin_lock yet", errno.invalid);
    }
  }
  if (has("bpf_timer") && tracingTypes.has(type)) {
    env.reject("tracing progs cannot use bpf_timer yet", errno.invalid);
  }
  if (has("bpf_wq") && tracingTypes.has(type)) {
    env.reject("tracing progs cannot use bpf_wq yet", errno.invalid);
  }
  if (isSleepableProgram(env.input) && !sleepableMaps.has(map.type)) {
    env.reject(
      "Sleepable programs can only use array, hash, ringbuf and local storage maps",
      errno.invalid,
    );
  }
  if (map.type === mapType.structOps) {
    env.reject("bpf_struct_ops map cannot be used in prog", errno.invalid);
  }
  if (map.type === mapType.arena) useArena(env, map);
}

/** One arena, whose place in the user's memory is known. */
function useArena(env: Env, map: VerifierMap): void {
  if (env.arena !== undefined) env.reject("Only one arena per program", 16);
  env.arena = map;
  if ((map.extra ?? 0n) === 0n) {
    env.reject("arena's user address must be set via map_extra or mmap()", errno.invalid);
  }
}
