/** Random operations on maps from user space: the simulated kernel answers as the running one. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { Kernel } from "../vm/kernel/kernel.ts";
import type { BpfMap } from "../vm/maps/map.ts";
import { kernelTest } from "./support/kernel.ts";

type Operation = {
  readonly op: "lookup" | "update" | "delete" | "lookup_and_delete" | "keys";
  readonly k: string;
  readonly v?: string;
  readonly f?: number;
};
type Answer = number | string | readonly (number | string)[];

/** Type, key size, value size, entries, flags; and what keys and values to try. */
const maps: readonly (readonly [name: string, ...shape: number[]])[] = [
  ["hash", 1, 4, 8, 5, 0],
  ["hash without preallocation", 1, 7, 3, 6, 1],
  ["array", 2, 4, 5, 4, 0],
  ["prog array", 3, 4, 4, 3, 0],
  ["perf event array", 4, 4, 4, 3, 0],
  ["per-CPU hash", 5, 4, 6, 5, 0],
  ["per-CPU array", 6, 4, 5, 3, 0],
  ["stack trace", 7, 4, 8, 4, 0],
  ["LRU hash that does not fill", 9, 4, 8, 1000, 0],
  ["per-CPU LRU hash that does not fill", 10, 4, 8, 1000, 0],
  ["LPM trie", 11, 8, 4, 6, 1],
  ["LPM trie of bytes", 11, 5, 4, 6, 1],
  ["device map", 14, 4, 4, 5, 0],
  ["CPU map", 16, 4, 4, 2, 0],
  ["queue", 22, 0, 8, 3, 0],
  ["stack", 23, 0, 8, 3, 0],
  ["device hash", 25, 4, 4, 5, 0],
  ["ring buffer", 27, 0, 0, 4096, 0],
];
const operationsPerMap = 3000;
const lpmTrie = 11;
/** Values are handles of objects: only ones that do not exist are tried. */
const handleMaps = [3, 4];
/** Values are device indexes or queue sizes: 0 and 1. */
const targetMaps = [14, 16, 25];
const largeMaps = [9, 10];

let state = 7;
function below(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 0x1_0000_0000) * limit);
}

function randomKey(type: number, size: number): Uint8Array {
  const key = new Uint8Array(size);
  if (type === lpmTrie) {
    key[0] = [0, 1, 3, 8, 8, 8, 9, 16, 24, 32, 33][below(11)] as number;
    for (let i = 4; i < size; i += 1) key[i] = [0, 1, 0x80, 0xc0, 0xff][below(5)] as number;
  } else if (size > 0) key[0] = below(largeMaps.includes(type) ? 200 : 8);
  return key;
}

function randomValue(type: number, size: number): Uint8Array {
  if (handleMaps.includes(type)) return new Uint8Array(size).fill(0xff);
  const value = new Uint8Array(size);
  if (targetMaps.includes(type)) value[0] = below(2);
  else for (let i = 0; i < size; i += 1) value[i] = below(256);
  return value;
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function randomOperation(type: number, keySize: number, valueSize: number): Operation {
  const k = hex(randomKey(type, keySize));
  const pick = below(100);
  if (pick < 40) {
    const f = [0, 0, 0, 1, 2, 3, 4, 5, 8][below(9)] as number;
    return { op: "update", k, v: hex(randomValue(type, valueSize)), f };
  }
  if (pick < 60) return { op: "delete", k };
  if (pick < 62) return { op: "keys", k };
  return { op: pick < 75 ? "lookup_and_delete" : "lookup", k };
}

function answer(kernel: Kernel, map: BpfMap, { op, k, v = "", f = 0 }: Operation): Answer {
  const key = new Uint8Array(Buffer.from(k, "hex"));
  const shown = (value: Uint8Array | number): Answer =>
    typeof value === "number" ? value : hex(value);
  switch (op) {
    case "lookup":
      return shown(kernel.mapLookup(map, key));
    case "lookup_and_delete":
      return shown(kernel.mapLookupAndDelete(map, key));
    case "update":
      return kernel.mapUpdate(map, key, Buffer.from(v, "hex"), BigInt(f));
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

function possibleCpus(): number {
  const text = readFileSync("/sys/devices/system/cpu/possible", "utf8");
  return Number(/(\d+)\s*$/.exec(text)?.[1] ?? 0) + 1;
}

kernelTest("map operations", () => {
  const kernel = new Kernel({ cpuCount: possibleCpus() });
  const jobs = maps.map(
    ([name, type = 0, keySize = 0, valueSize = 0, maxEntries = 0, flags = 0]) => {
      const spec = { name, type, keySize, valueSize, maxEntries, flags, extra: 0n };
      const map = kernel.createMap(spec);
      if (typeof map === "number") throw new Error(`${name}: errno ${-map}`);
      const size = map.userValueSize;
      const ops = Array.from({ length: operationsPerMap }, () =>
        randomOperation(type, keySize, size),
      );
      return {
        name,
        type,
        map,
        job: { map: [type, keySize, valueSize, maxEntries, flags], size, ops },
      };
    },
  );
  const child = spawnSync("python3", [join(import.meta.dirname, "support/kernel-maps.py")], {
    input: JSON.stringify(jobs.map(({ job }) => job)),
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  expect(child.stderr).toBe("");
  const results = JSON.parse(child.stdout) as readonly (readonly Answer[] | number)[];
  const differences: string[] = [];
  for (const [i, { name, type, map, job }] of jobs.entries()) {
    const wanted = results[i];
    if (typeof wanted !== "object") throw new Error(`the kernel refused '${name}': ${wanted}`);
    for (const [n, operation] of job.ops.entries()) {
      const got = comparable(type, answer(kernel, map, operation));
      const right = comparable(type, wanted[n] as Answer);
      if (got !== right) {
        differences.push(`${name} #${n} ${JSON.stringify(operation)}: kernel ${right}, VM ${got}`);
      }
    }
  }
  expect(differences.slice(0, 20)).toEqual([]);
});
