/**
 * A simulated kernel: memory, maps, programs, time, one process, a random generator. Everything in
 * it is deterministic; what time it is and who runs is set by its user.
 */

import type { Btf } from "../../common/object/btf.ts";
import { skipModifiers } from "../../common/object/btf-types.ts";
import type { Endian } from "../../common/object/object-file.ts";
import { mapTypeById } from "../../common/platform/map-types.ts";
import type { LoadedObject, MapSpec, ProgramSpec } from "../../linker/program.ts";
import {
  allocateEngineMemory,
  cells,
  defaultStackSize,
  type EngineMemory,
} from "../engine-memory.ts";
import { type ErrnoName, errno, errnoName } from "../errno.ts";
import { createMap } from "../maps/create-map.ts";
import { type BpfMap, type MapHost, updateFlags } from "../maps/map.ts";
import { ObjectArrayMap } from "../maps/program-array.ts";
import { RingBufferMap } from "../maps/ring-buffer.ts";
import { LinearMemory } from "../memory.ts";
import { decodeLoadedProgram, type Program } from "../program.ts";
import type { KernelObject } from "./objects.ts";
import { TimerQueue } from "./timers.ts";

/** The current process, as helpers report it. */
export interface Process {
  readonly pid: number;
  readonly tgid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
  readonly cgroupId: bigint;
  /** Return addresses that stack helpers find, innermost first. */
  readonly kernelStack: readonly bigint[];
  readonly userStack: readonly bigint[];
}

export interface KernelOptions {
  readonly endian?: Endian;
  readonly cpuCount?: number;
  /** Nanoseconds since boot at the start. */
  readonly time?: bigint;
  readonly process?: Partial<Process>;
  readonly randomSeed?: number;
  /** Bytes of a stack frame; 512 as in Linux, more for programs that no kernel shall load. */
  readonly stackSize?: number;
}

const defaultProcess: Process = {
  pid: 1234,
  tgid: 1234,
  uid: 1000,
  gid: 1000,
  comm: "bpfc",
  cgroupId: 1n,
  kernelStack: [],
  userStack: [],
};

/** Wall-clock time of boot, for bpf_ktime_get_tai_ns: 2024-01-01. */
const bootTime = 1_704_067_200_000_000_000n;

export interface LoadFailure {
  readonly message: string;
}

/** Maps and programs of one object, by name. */
export interface LoadedSet {
  readonly maps: ReadonlyMap<string, BpfMap>;
  readonly programs: ReadonlyMap<string, Program>;
}

export class Kernel implements MapHost {
  readonly memory = new LinearMemory();
  readonly little: boolean;
  readonly cpuCount: number;
  cpu = 0;
  readonly wallClockOffset = bootTime;
  process: Process;
  /** Lines of bpf_trace_printk. */
  readonly trace: string[] = [];
  /** Called for each of these lines as it is written. */
  onTrace: ((line: string) => void) | undefined;
  /** What iterator programs wrote. */
  readonly sequence: Uint8Array[] = [];
  /** Things that programs asked for in vain, each once. */
  readonly notices = new Set<string>();
  readonly timers = new TimerQueue();
  readonly #maps = new Map<number, BpfMap>();
  readonly #slots: (BpfMap | undefined)[] = [];
  readonly #programs = new Map<number, Program>();
  readonly #handles = new Map<number, KernelObject>();
  readonly #objects = new Map<string, bigint>();
  #nextId = 1;
  readonly #stackSize: number;
  #engineMemory: EngineMemory | undefined;

  constructor(options: KernelOptions = {}) {
    this.little = options.endian !== "big";
    this.cpuCount = options.cpuCount ?? 4;
    this.#stackSize = options.stackSize ?? defaultStackSize;
    this.time = options.time ?? 1_000_000_000n;
    this.process = { ...defaultProcess, ...options.process };
    const random = this.engineMemory.control + cells.random;
    this.memory.view.setInt32(random, (options.randomSeed ?? 1) | 0 || 1, true);
  }

  /** A line for the trace pipe. */
  traceLine(line: string): void {
    this.trace.push(line);
    this.onTrace?.(line);
  }

  /** 32 random bits (xorshift32). */
  random(): number {
    const at = this.engineMemory.control + cells.random;
    let x = this.memory.view.getInt32(at, true);
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.memory.view.setInt32(at, x, true);
    return x >>> 0;
  }

  /** Nanoseconds since boot; where compiled code reads them too. */
  get time(): bigint {
    return this.memory.view.getBigUint64(this.engineMemory.control + cells.time, true);
  }

  set time(nanoseconds: bigint) {
    // Asking for the engines' memory may make it, and with it a new view of all memory.
    const { control } = this.engineMemory;
    this.memory.view.setBigUint64(control + cells.time, nanoseconds, true);
  }

  /** Runs do not overlap, so that all of them share the engines' memory. */
  get engineMemory(): EngineMemory {
    this.#engineMemory ??= allocateEngineMemory(this.memory, this.#stackSize);
    return this.#engineMemory;
  }

  get cpuCell(): number {
    return this.engineMemory.control + cells.cpu;
  }

  /** A kernel object that programs may read, such as the current task; zeroes. */
  object(name: string, size: number): bigint {
    const known = this.#objects.get(name);
    if (known !== undefined) return known;
    const address = BigInt(this.memory.region("kernel object", name, size, "read"));
    this.#objects.set(name, address);
    return address;
  }

  /** The ring buffer that a record's address belongs to. */
  ringBufferOf(address: bigint): RingBufferMap | undefined {
    return this.maps.find(
      (map): map is RingBufferMap => map instanceof RingBufferMap && map.isReserved(address),
    );
  }

  /** The map that a program's handle stands for. */
  mapAtSlot(slot: number): BpfMap | undefined {
    return this.#slots[slot];
  }

  mapById(id: number): BpfMap | undefined {
    return this.#maps.get(id);
  }

  programById(id: number): Program | undefined {
    return this.#programs.get(id);
  }

  /** Makes an object; its id stands where user space passes a descriptor. */
  openObject(object: KernelObject): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#handles.set(id, object);
    return id;
  }

  objectById(id: number): KernelObject | undefined {
    return this.#handles.get(id);
  }

  get programCount(): number {
    return this.#programs.size;
  }

  isProgram(id: number): boolean {
    return this.#programs.has(id);
  }

  get maps(): readonly BpfMap[] {
    return [...this.#maps.values()];
  }

  /** BPF_MAP_CREATE with the attributes of a loaded object's map; a negative errno on refusal. */
  createMap(
    spec: Omit<MapSpec, "slots" | "keyType" | "valueType" | "pinning" | "frozen">,
    hasLock = false,
    inner?: BpfMap,
  ): BpfMap | number {
    const { name, type, keySize, valueSize, maxEntries, flags, extra } = spec;
    const description = { name, type, keySize, valueSize, maxEntries, flags, extra, hasLock };
    const template = inner?.description;
    const shape = template === undefined ? description : { ...description, inner: template };
    const map = createMap(this.#nextId, shape, this);
    if (typeof map === "number") return map;
    this.#nextId += 1;
    this.#maps.set(map.id, map);
    const free = this.#slots.indexOf(undefined);
    map.handleSlot = free < 0 ? this.#slots.length : free;
    this.#slots[map.handleSlot] = map;
    return map;
  }

  /** Loads a program whose map indexes count in `maps`. */
  loadProgram(spec: ProgramSpec, maps: readonly BpfMap[], btf?: Btf): Program | LoadFailure {
    const program = decodeLoadedProgram(this.#nextId, spec, maps, this.little, btf);
    if ("problem" in program) {
      return { message: `${spec.name}: ${program.problem} at instruction ${program.slot}` };
    }
    this.#nextId += 1;
    this.#programs.set(program.id, program);
    return program;
  }

  /** Creates an object's maps, fills them, and loads its programs. */
  load(object: LoadedObject): LoadedSet | LoadFailure {
    const maps: BpfMap[] = [];
    for (const spec of object.maps) {
      const map = this.createMap(withCpuCount(spec, this.cpuCount), hasSpinLock(object, spec));
      if (typeof map === "number") {
        return { message: `cannot create map '${spec.name}': ${errnoName(-map)}` };
      }
      fillMap(map, spec);
      maps.push(map);
    }
    const programs = new Map<string, Program>();
    for (const spec of object.programs) {
      const program = this.loadProgram(spec, maps, object.btf);
      if ("message" in program) return program;
      programs.set(spec.name, program);
    }
    for (const [i, spec] of object.maps.entries()) {
      this.#fillSlots(maps[i] as BpfMap, spec, maps, programs);
    }
    return { maps: new Map(maps.map((map) => [map.description.name, map])), programs };
  }

  #fillSlots(
    map: BpfMap,
    spec: MapSpec,
    maps: readonly BpfMap[],
    programs: ReadonlyMap<string, Program>,
  ): void {
    for (const { index, target } of spec.slots) {
      const id = target.kind === "map" ? maps[target.map]?.id : programs.get(target.program)?.id;
      if (id === undefined) continue;
      if (map instanceof ObjectArrayMap) map.put(index, id);
      else map.userUpdate(this.word(index), this.word(id), 0n);
    }
  }

  /** A u32 as the target's bytes. */
  word(value: number): Uint8Array {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, this.little);
    return bytes;
  }

  /** The errno with which a map type refuses a bpf() command altogether; 0 where it does not. */
  #refusal(map: BpfMap, operation: string): number {
    const name = mapTypeById(map.description.type)?.refusals[operation];
    return name === undefined ? 0 : -(errno[name as ErrnoName] ?? errno.EINVAL);
  }

  /** BPF_MAP_LOOKUP_ELEM from user space: a copy of the value, or a negative errno. */
  mapLookup(map: BpfMap, key: Uint8Array): Uint8Array | number {
    const refusal = this.#refusal(map, "lookup");
    if (refusal !== 0) return refusal;
    return key.length === map.description.keySize ? map.userLookup(key) : -errno.EINVAL;
  }

  /** BPF_MAP_UPDATE_ELEM from user space, with the checks that do not depend on the type. */
  mapUpdate(map: BpfMap, key: Uint8Array, value: Uint8Array, flags = 0n): number {
    if (map.frozen) return -errno.EPERM;
    const wantsLock = (flags & BigInt(updateFlags.lock)) !== 0n;
    if (wantsLock && map.description.hasLock !== true) return -errno.EINVAL;
    const refusal = this.#refusal(map, "update");
    if (refusal !== 0) return refusal;
    if (key.length !== map.description.keySize) return -errno.EINVAL;
    const isHandle = map instanceof ObjectArrayMap;
    if (!isHandle && value.length !== map.userValueSize) return -errno.EINVAL;
    return map.userUpdate(key, value, flags);
  }

  /** BPF_MAP_DELETE_ELEM from user space. */
  mapDelete(map: BpfMap, key: Uint8Array): number {
    if (map.frozen) return -errno.EPERM;
    const refusal = this.#refusal(map, "delete");
    if (refusal !== 0) return refusal;
    return key.length === map.description.keySize ? map.delete(key) : -errno.EINVAL;
  }

  /** BPF_MAP_LOOKUP_AND_DELETE_ELEM from user space. */
  mapLookupAndDelete(map: BpfMap, key: Uint8Array): Uint8Array | number {
    const refusal = this.#refusal(map, "lookup_and_delete");
    if (refusal !== 0) return refusal;
    if (map.description.keySize === 0) {
      const value = new Uint8Array(map.description.valueSize);
      const problem = map.pop(value);
      return problem === 0 ? value : problem;
    }
    const value = this.mapLookup(map, key);
    if (value instanceof Uint8Array) map.delete(key);
    return value;
  }

  /** BPF_MAP_GET_NEXT_KEY: -ENOENT after the last key. */
  mapNextKey(map: BpfMap, key: Uint8Array | undefined): Uint8Array | number {
    const refusal = this.#refusal(map, "get_next_key");
    return refusal !== 0 ? refusal : (map.nextKey(key) ?? -errno.ENOENT);
  }

  unload(program: Program): void {
    this.#programs.delete(program.id);
  }

  destroyMap(map: BpfMap): void {
    map.release();
    this.#maps.delete(map.id);
    this.#slots[map.handleSlot] = undefined;
  }
}

/** Whether the value's BTF struct holds a struct bpf_spin_lock. */
function hasSpinLock(object: LoadedObject, spec: MapSpec): boolean {
  if (object.btf === undefined || spec.valueType === 0) return false;
  const value = skipModifiers(object.btf, spec.valueType);
  if (value?.kind !== "struct") return false;
  const { btf } = object;
  return value.members.some((member) => {
    const type = skipModifiers(btf, member.type);
    return type?.kind === "struct" && type.name === "bpf_spin_lock";
  });
}

const perfEventArray = 4;

/** Like libbpf: a perf event array without a size gets one entry per CPU. */
function withCpuCount(spec: MapSpec, cpuCount: number): MapSpec {
  const isUnsized = spec.type === perfEventArray && spec.maxEntries === 0;
  return isUnsized ? { ...spec, maxEntries: cpuCount } : spec;
}

function fillMap(map: BpfMap, spec: MapSpec): void {
  if (spec.initial !== undefined) {
    const value = new Uint8Array(map.userValueSize);
    value.set(spec.initial.subarray(0, value.length));
    map.userUpdate(new Uint8Array(spec.keySize), value, 0n);
  }
  map.frozen = spec.frozen;
}
