/**
 * Random operations on maps from user space, for the simulated kernel and, through kernel-maps.py,
 * for the running one: both must answer alike, errno included.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kernel } from "../../vm/kernel/kernel.ts";
import type { BpfMap } from "../../vm/maps/map.ts";
import { randomNumbers } from "./fuzz.ts";

export type Operation = {
  readonly op: "lookup" | "update" | "delete" | "lookup_and_delete" | "keys";
  readonly k: string;
  readonly v?: string;
  readonly f?: number;
};
type Answer = number | string | readonly (number | string)[];

/** Objects that a map's values or keys stand for. */
type ObjectKind = "program" | "map" | "cgroup" | "socket" | "file" | "task" | "none";

export interface MapCase {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags?: number;
  /** Values are objects of that kind. */
  readonly handles?: ObjectKind;
  /** Keys are objects of that kind: local storage. */
  readonly owners?: ObjectKind;
  /** Distinct first bytes of keys; 8 by default. */
  readonly keys?: number;
  /** Values are small numbers: device indexes, queue sizes. */
  readonly small?: boolean;
}

const row = (
  name: string,
  type: number,
  keySize: number,
  valueSize: number,
  maxEntries: number,
  more: Partial<MapCase> = {},
): MapCase => ({ name, type, keySize, valueSize, maxEntries, ...more });

const noPrealloc = 1;
/** BPF_F_MMAPABLE. */
const mappable = 1024;

export const mapCases: readonly MapCase[] = [
  row("hash", 1, 4, 8, 5),
  row("hash without preallocation", 1, 7, 3, 6, { flags: noPrealloc }),
  row("array", 2, 4, 5, 4),
  row("prog array", 3, 4, 4, 3, { handles: "program" }),
  row("perf event array", 4, 4, 4, 3, { handles: "none" }),
  row("per-CPU hash", 5, 4, 6, 5),
  row("per-CPU array", 6, 4, 5, 3),
  row("stack trace", 7, 4, 8, 4),
  row("cgroup array", 8, 4, 4, 3, { handles: "none" }),
  row("LRU hash that does not fill", 9, 4, 8, 1000, { keys: 200 }),
  row("per-CPU LRU hash that does not fill", 10, 4, 8, 1000, { keys: 200 }),
  row("LPM trie", 11, 8, 4, 6, { flags: noPrealloc }),
  row("LPM trie of bytes", 11, 5, 4, 6, { flags: noPrealloc }),
  row("array of maps", 12, 4, 4, 3, { handles: "map" }),
  row("hash of maps", 13, 4, 4, 3, { handles: "map" }),
  row("device map", 14, 4, 4, 5, { small: true }),
  row("device map with programs", 14, 4, 8, 5, { small: true }),
  row("socket map", 15, 4, 4, 3, { handles: "socket" }),
  row("socket map of cookies", 15, 4, 8, 3, { handles: "socket" }),
  row("CPU map", 16, 4, 4, 2, { small: true }),
  row("AF_XDP socket map", 17, 4, 4, 3, { handles: "socket" }),
  row("socket hash", 18, 4, 4, 3, { handles: "socket" }),
  row("cgroup storage", 19, 8, 8, 0),
  row("socket array for SO_REUSEPORT", 20, 4, 8, 3, { handles: "socket" }),
  row("per-CPU cgroup storage", 21, 8, 8, 0),
  row("queue", 22, 0, 8, 3),
  row("stack", 23, 0, 8, 3),
  row("socket storage", 24, 4, 8, 0, { flags: noPrealloc, owners: "socket" }),
  row("device hash", 25, 4, 4, 5, { small: true }),
  row("ring buffer", 27, 0, 0, 4096),
  row("inode storage", 28, 4, 8, 0, { flags: noPrealloc, owners: "file" }),
  row("task storage", 29, 4, 8, 0, { flags: noPrealloc, owners: "task" }),
  row("bloom filter of all values", 30, 0, 1, 4),
  row("user ring buffer", 31, 0, 0, 4096),
  row("cgroup storage by cgroup", 32, 4, 8, 0, { flags: noPrealloc, owners: "none" }),
  row("arena", 33, 0, 0, 4, { flags: mappable }),
];

const lpmTrie = 11;
const bloomFilter = 30;
const mapsOfMaps: readonly number[] = [12, 13];

export class OperationMaker {
  readonly #below: (limit: number) => number;

  constructor(seed: number) {
    this.#below = randomNumbers(seed);
  }

  #key({ type, keySize, keys = 8, owners }: MapCase): Uint8Array {
    const key = new Uint8Array(keySize);
    if (type === lpmTrie) {
      key[0] = [0, 1, 3, 8, 8, 8, 9, 16, 24, 32, 33][this.#below(11)] as number;
      for (let i = 4; i < keySize; i += 1) {
        key[i] = [0, 1, 0x80, 0xc0, 0xff][this.#below(5)] as number;
      }
    } else if (keySize > 0) key[0] = this.#below(owners === undefined ? keys : 3);
    return key;
  }

  #value({ type, handles, small }: MapCase, size: number): Uint8Array {
    const value = new Uint8Array(size);
    if (handles !== undefined) value[0] = this.#below(3);
    else if (small) value[0] = this.#below(2);
    else if (type === bloomFilter) value[0] = this.#below(2);
    else for (let i = 0; i < size; i += 1) value[i] = this.#below(256);
    return value;
  }

  next(map: MapCase, valueSize: number): Operation {
    const k = hex(this.#key(map));
    const pick = this.#below(100);
    if (pick < 40) {
      const f = [0, 0, 0, 1, 2, 3, 4, 5, 8][this.#below(9)] as number;
      return { op: "update", k, v: hex(this.#value(map, valueSize)), f };
    }
    if (pick < 60) return { op: "delete", k };
    if (pick < 62) return { op: "keys", k };
    // Whether a bloom filter seems to hold what was not added is a matter of chance.
    if (map.type === bloomFilter) return { op: "lookup_and_delete", k };
    return { op: pick < 75 ? "lookup_and_delete" : "lookup", k };
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** Objects of the simulated kernel by their number; beyond them, one that is not there. */
class Objects {
  readonly #kernel: Kernel;
  readonly #made = new Map<ObjectKind, readonly number[]>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  id(kind: ObjectKind, index: number): number {
    const known = this.#made.get(kind) ?? this.#make(kind);
    this.#made.set(kind, known);
    return known[index] ?? 1 << 20;
  }

  #make(kind: ObjectKind): readonly number[] {
    const kernel = this.#kernel;
    switch (kind) {
      case "program":
        return [0, 1].map(() => {
          const program = kernel.loadProgram(trivialProgram, []);
          return "message" in program ? 0 : program.id;
        });
      case "map":
        return [0, 1].map(() => {
          const shape = { name: "inner", type: 2, keySize: 4, valueSize: 8, maxEntries: 1 };
          const map = kernel.createMap({ ...shape, flags: 0, extra: 0n });
          return typeof map === "number" ? 0 : map.id;
        });
      case "cgroup":
        return [kernel.openObject({ kind: "cgroup" })];
      case "socket":
        return [
          kernel.openObject({ kind: "socket", protocol: "tcp", state: "listening" }),
          kernel.openObject({ kind: "socket", protocol: "udp", state: "bound" }),
        ];
      case "file":
        return [kernel.openObject({ kind: "inode" }), kernel.openObject({ kind: "inode" })];
      case "task":
        return [kernel.openObject({ kind: "task" }), kernel.openObject({ kind: "task" })];
      case "none":
        return [];
    }
  }
}

const trivialProgram = {
  name: "trivial",
  section: "xdp",
  type: 6,
  attachType: 0,
  flags: 0,
  target: "",
  attachBtfId: 0,
  autoload: true,
  license: "GPL",
  insns: Uint8Array.from(Buffer.from("b7000000000000009500000000000000", "hex")),
  functions: [],
  lines: [],
  kernelReferences: [],
} as const;

function answer(
  kernel: Kernel,
  map: BpfMap,
  { handles, owners }: MapCase,
  objects: Objects,
  { op, k, v = "", f = 0 }: Operation,
): Answer {
  const index = Number.parseInt(k.slice(0, 2), 16);
  const key =
    owners === undefined
      ? new Uint8Array(Buffer.from(k, "hex"))
      : kernel.word(objects.id(owners, index));
  const shown = (value: Uint8Array | number): Answer =>
    typeof value === "number" ? value : handles === undefined ? hex(value) : "object";
  switch (op) {
    case "lookup":
      return shown(kernel.mapLookup(map, key));
    case "lookup_and_delete":
      return shown(kernel.mapLookupAndDelete(map, key));
    case "update": {
      const value = new Uint8Array(Buffer.from(v, "hex"));
      if (handles !== undefined) {
        value.set(kernel.word(objects.id(handles, value[0] ?? 0)));
      }
      return kernel.mapUpdate(map, key, value, BigInt(f));
    }
    case "delete":
      return kernel.mapDelete(map, key);
    case "keys": {
      const keys: (string | number)[] = [];
      let next = kernel.mapNextKey(map, undefined);
      for (; next instanceof Uint8Array; next = kernel.mapNextKey(map, next)) keys.push(hex(next));
      if (keys.length === 0 || next !== -2) keys.push(next);
      return keys;
    }
  }
}

/** Hash maps list their keys in an order of their own. */
const comparable = (type: number, value: Answer): string =>
  typeof value === "object" && type !== lpmTrie ? [...value].sort().join() : String(value);

export function possibleCpus(): number {
  const text = readFileSync("/sys/devices/system/cpu/possible", "utf8");
  return Number(/(\d+)\s*$/.exec(text)?.[1] ?? 0) + 1;
}

/** The first difference of each case, as text; nothing where both kernels agree. */
export function compareMaps(
  cases: readonly MapCase[],
  kernel: Kernel,
  operations: number,
  seed: number,
): string[] {
  const maker = new OperationMaker(seed);
  const objects = new Objects(kernel);
  const jobs = cases.map((map) => {
    const { name, type, keySize, valueSize, maxEntries, flags = 0 } = map;
    const inner = mapsOfMaps.includes(type) ? kernel.mapById(objects.id("map", 0)) : undefined;
    const made = kernel.createMap(
      { name, type, keySize, valueSize, maxEntries, flags, extra: 0n },
      false,
      inner,
    );
    const size = typeof made === "number" ? 0 : made.userValueSize;
    const ops = Array.from({ length: operations }, () => maker.next(map, size));
    const { handles, owners } = map;
    const shape = [type, keySize, valueSize, maxEntries, flags];
    const btf = owners !== undefined;
    return {
      map,
      made,
      job: { map: shape, size, ops, handles, owners, btf, inner: inner !== undefined },
    };
  });
  const child = spawnSync("python3", [join(import.meta.dirname, "kernel-maps.py")], {
    input: JSON.stringify(jobs.map(({ job }) => job)),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (child.status !== 0) throw new Error(child.stderr);
  const results = JSON.parse(child.stdout) as readonly (readonly Answer[] | number)[];
  const differences: string[] = [];
  for (const [i, { map, made, job }] of jobs.entries()) {
    const wanted = results[i];
    if (typeof wanted !== "object" || typeof made === "number") {
      differences.push(`${map.name}: kernel creates ${wanted}, VM ${made}`);
      continue;
    }
    for (const [n, operation] of job.ops.entries()) {
      const got = comparable(map.type, answer(kernel, made, map, objects, operation));
      const right = comparable(map.type, wanted[n] as Answer);
      if (got === right) continue;
      const shown = JSON.stringify(operation);
      differences.push(`${map.name} #${n} ${shown}: kernel ${right}, VM ${got}`);
      break;
    }
    kernel.destroyMap(made);
  }
  return differences;
}
