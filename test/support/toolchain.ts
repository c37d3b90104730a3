/** The toolchain as tests use it: C text to loaded programs, runs in the VM and in the kernel. */
import { parseCcArguments } from "../../cli/cc/arguments.ts";
import { compileOptions } from "../../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../../cli/node-file-system.ts";
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { renderDiagnostic } from "../../common/diagnostics/render.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { compile } from "../../compiler/compile.ts";
import { loadObject } from "../../linker/load.ts";
import { portableCase } from "../../linker/portable-case.ts";
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import type { LoadedSet } from "../../vm/kernel/kernel.ts";
import type { KernelJob, KernelMap } from "./kernel.ts";

function fail(diagnostics: Diagnostics): never {
  const lines = diagnostics.list.flatMap((d) =>
    renderDiagnostic(d, { color: false, tool: "bpfc" }),
  );
  throw new Error(`did not compile:\n${lines.join("\n")}`);
}

/** Compiles a C file with clang's options; throws with the diagnostics where that fails. */
export function compileFile(path: string, words: readonly string[] = []): ObjectFile {
  const parsed = parseCcArguments(["-D__TARGET_ARCH_x86", ...words, path]);
  if (parsed.kind !== "compile") throw new Error("bad options");
  const diagnostics = new Diagnostics();
  const { object } = compile(path, compileOptions(parsed.options), nodeFileSystem, diagnostics);
  return object === undefined || diagnostics.hasErrors ? fail(diagnostics) : object;
}

/** Loads an object; throws with the diagnostics where that fails. */
export function load(object: ObjectFile, path: string): LoadedObject {
  const diagnostics = new Diagnostics();
  return loadObject(object, path, diagnostics) ?? fail(diagnostics);
}

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));

function tailsOf(loaded: LoadedObject): NonNullable<KernelJob["tails"]> {
  return loaded.maps.flatMap((map, index) =>
    map.slots.flatMap((slot) => {
      if (slot.target.kind !== "program") return [];
      const { program: name } = slot.target;
      const program = loaded.programs.find((p) => p.name === name);
      if (program === undefined) return [];
      const { insns, func_info } = portableCase(loaded, program);
      return [{ insns, ...(func_info && { func_info }), map: index, index: slot.index }];
    }),
  );
}

/** A program as the kernel is asked about it, with the programs of its prog arrays. */
export function kernelJob(loaded: LoadedObject, program: ProgramSpec): KernelJob {
  const { maps, ...rest } = portableCase(loaded, program);
  const sized = maps.map(
    (map): KernelMap =>
      map.type === 4 && map.max_entries === 0 ? { ...map, max_entries: 8 } : map,
  );
  const tails = tailsOf(loaded);
  return { ...rest, maps: sized, ...(tails.length > 0 && { tails }) };
}

const perCpuTypes = new Set([5, 6, 10, 21]);

/** Values of all CPUs that ran something, in an order that does not depend on which CPU it was. */
function perCpuValue(value: string, valueSize: number): string {
  const stride = Math.ceil(valueSize / 8) * 16;
  const parts = value.match(new RegExp(`.{${stride}}`, "g")) ?? [];
  return (
    parts
      .filter((part) => /[^0]/.test(part))
      .sort()
      .join("+") || "0"
  );
}

type Entries = readonly (readonly [key: string, value: string])[];

/** Contents in a form that can be compared between engines: sorted, per-CPU values without places. */
export function comparableEntries(entries: Entries, type: number, valueSize: number): string[] {
  return entries
    .map(
      ([key, value]) => `${key}=${perCpuTypes.has(type) ? perCpuValue(value, valueSize) : value}`,
    )
    .sort();
}

/** Maps that hold handles or records, which engines number by themselves. */
export const opaqueMapTypes: ReadonlySet<number> = new Set([3, 4, 12, 13, 27, 31]);

/** The VM's map contents by name, comparable. */
export function vmMaps(loaded: LoadedObject, set: LoadedSet): Record<string, string[]> {
  return Object.fromEntries(
    loaded.maps
      .filter((map) => !opaqueMapTypes.has(map.type))
      .map((map) => {
        const entries = set.maps.get(map.name)?.entries() ?? [];
        const text = entries.map(([k, v]) => [hex(k), hex(v)] as const);
        return [map.name, comparableEntries(text, map.type, map.valueSize)];
      }),
  );
}

/** The kernel's map contents by name, comparable. */
export function kernelMaps(
  loaded: LoadedObject,
  dumps: readonly (Entries | null)[],
): Record<string, string[]> {
  return Object.fromEntries(
    loaded.maps.flatMap((map, i) => {
      const dump = dumps[i];
      if (opaqueMapTypes.has(map.type) || dump === undefined) return [];
      return [[map.name, comparableEntries(dump ?? [], map.type, map.valueSize)]];
    }),
  );
}
