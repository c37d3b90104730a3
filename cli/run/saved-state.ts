/** The state after a run as a file, for `bpfc prog` and `bpfc map` to look at. */
import type { LoadedObject } from "../../linker/program.ts";
import type { Kernel, LoadedSet } from "../../vm/kernel/kernel.ts";
import { toHex } from "./hex.ts";
import { readOwnJson } from "./json-file.ts";
import { type MapContents, mapContents } from "./map-contents.ts";

const version = 1;

export interface SavedProgram {
  readonly id: number;
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly mapIds: readonly number[];
  /** Loaded instructions in hexadecimal, in the target's byte order. */
  readonly insns: string;
}

export interface SavedMap extends MapContents {
  readonly id: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

export interface SavedState {
  readonly version: number;
  readonly endian: "little" | "big";
  /** Nanoseconds since boot. */
  readonly time: string;
  readonly programs: readonly SavedProgram[];
  readonly maps: readonly SavedMap[];
}

export function savedState(loaded: LoadedObject, kernel: Kernel, set: LoadedSet): string {
  const programs = [...set.programs.values()].map(
    ({ id, spec, maps }): SavedProgram => ({
      id,
      name: spec.name,
      section: spec.section,
      type: spec.type,
      mapIds: maps.map((map) => map.id),
      insns: toHex(spec.insns),
    }),
  );
  const maps = mapContents(loaded, set).flatMap((contents): SavedMap[] => {
    const map = set.maps.get(contents.name);
    if (map === undefined) return [];
    const { keySize, valueSize, maxEntries, flags } = map.description;
    return [{ id: map.id, keySize, valueSize, maxEntries, flags, ...contents }];
  });
  const { endian } = loaded;
  const state: SavedState = { version, endian, time: String(kernel.time), programs, maps };
  return `${JSON.stringify(state, null, 2)}\n`;
}

export function readSavedState(path: string): SavedState {
  return readOwnJson<SavedState>(path, "a state that bpfc run --save wrote", (state) => {
    const isWhole = Array.isArray(state.programs) && Array.isArray(state.maps);
    return state.version === version && isWhole;
  });
}
