/** A program as one compiler made it, made ready for the kernel, and what it did there. */
import type { ObjectFile } from "../common/object/object-file.ts";
import type { LoadedObject } from "../linker/program.ts";
import type { KernelJob, KernelResult } from "../test/support/kernel.ts";
import { kernelJob, kernelMaps, load } from "../test/support/toolchain.ts";
import { instructionCount } from "./compile-object.ts";

export interface KernelSide {
  readonly object: ObjectFile;
  readonly loaded: LoadedObject;
  readonly job: KernelJob;
  readonly instructions: number;
}

/** The object's first program, to be run on these packets. Throws if there is none. */
export function kernelSide(
  object: ObjectFile,
  path: string,
  runs: NonNullable<KernelJob["runs"]>,
): KernelSide {
  const loaded = load(object, path);
  const [program] = loaded.programs;
  if (program === undefined) throw new Error(`${path}: no program`);
  const job = { ...kernelJob(loaded, program), runs, dump: true };
  return { object, loaded, job, instructions: instructionCount(object) };
}

export type Ran = readonly [side: KernelSide, result: KernelResult];

/**
 * Names of the maps and variables that two programs left differently, "answers" where their numbers or packets
 * differ. Variables that one of them does not have, as they come to nothing, do not count.
 */
export function differences(a: Ran, b: Ran): string[] {
  const [left, right] = [memoryEffects(...a), memoryEffects(...b)];
  const differing = [...left].flatMap(([name, held]) =>
    right.has(name) && right.get(name) !== held ? [name] : [],
  );
  return answersOf(a) === answersOf(b) ? differing : ["answers", ...differing];
}

function answersOf([, { runs }]: Ran): string {
  return JSON.stringify(runs?.map(({ retval, data, errno }) => [retval, data, errno]));
}

/** What a program left in maps and variables, by name, as text that can be compared. */
function memoryEffects(
  { loaded, object }: KernelSide,
  { maps }: KernelResult,
): Map<string, string> {
  const contents = kernelMaps(loaded, maps ?? []);
  const found = new Map<string, string>();
  for (const { name, dataSection } of loaded.maps) {
    if (dataSection === undefined) found.set(name, JSON.stringify(contents[name]));
  }
  for (const { name, type, section, value, size } of object.symbols) {
    const place = typeof section === "number" ? object.sections[section]?.name : undefined;
    const map = loaded.maps.find(({ dataSection }) => dataSection === place);
    if (type !== "object" || map === undefined) continue;
    const held = contents[map.name]?.[0]?.split("=")[1] ?? "";
    found.set(name, held.slice(2 * value, 2 * (value + size)));
  }
  return found;
}
