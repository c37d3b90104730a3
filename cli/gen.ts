/** `bpfc gen`: files made from objects: skeletons, and the part of a kernel's BTF that they need. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import { readElf } from "../common/object/read-elf.ts";
import { applyCoreRelocations } from "../linker/core/apply.ts";
import type { CoreResolution } from "../linker/core/resolve.ts";
import { loadObject } from "../linker/load.ts";
import { minimiseBtf } from "../linker/minimise-btf.ts";
import { viewObject } from "../linker/object-view.ts";
import type { LoadedObject } from "../linker/program.ts";
import { cSkeleton } from "../linker/skeleton/c.ts";
import { cSubskeleton } from "../linker/skeleton/c-sub.ts";
import { objectManifest } from "../linker/skeleton/manifest.ts";
import { typescriptSkeleton } from "../linker/skeleton/typescript.ts";
import { readBtfFile } from "./btf-file.ts";
import { finish } from "./finish.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { readObjectFile } from "./objects.ts";

type Skeleton = (loaded: LoadedObject, name: string, elf: Uint8Array) => string;

const skeletons: Readonly<Record<string, Skeleton>> = {
  c: cSkeleton,
  "c-sub": cSubskeleton,
  ts: typescriptSkeleton,
  json: (loaded, name) => `${JSON.stringify(objectManifest(loaded, name), null, 2)}\n`,
};

export interface SkeletonOptions {
  readonly format: string;
  readonly name?: string;
  readonly output: string;
}

/** The file's name as an identifier, as bpftool makes it: `dir/my-prog.bpf.o` → `my_prog_bpf`. */
export function skeletonName(path: string): string {
  const base = path.replace(/^.*\//, "").replace(/\.o$/, "");
  const word = base.replace(/[^A-Za-z0-9_]/g, "_");
  return /^[0-9]/.test(word) || word === "" ? `_${word}` : word;
}

/** Prints or writes the skeleton of an object; `words` are bpftool's. Returns the exit code. */
export function runSkeleton(
  path: string,
  words: readonly string[],
  options: SkeletonOptions,
): number {
  const diagnostics = new Diagnostics();
  const [word, wordName, ...more] = words;
  if (word !== undefined && (word !== "name" || wordName === undefined || more.length > 0))
    diagnostics.error("bad-option", `'${words.join(" ")}' is not understood (name NAME)`);
  const format = Object.hasOwn(skeletons, options.format) ? skeletons[options.format] : undefined;
  if (format === undefined)
    diagnostics.error("bad-option", `unknown format '${options.format}' (c, ts or json)`);
  const name = options.name ?? wordName ?? skeletonName(path);
  if (!/^[A-Za-z_]\w*$/.test(name))
    diagnostics.error("bad-option", `'${name}' is not an identifier`);
  const elf = nodeFileSystem.readFile(path);
  if (elf === undefined)
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
  const object = elf && readElf(elf, path, diagnostics);
  const loaded =
    object === undefined || diagnostics.hasErrors
      ? undefined
      : loadObject(object, path, diagnostics, { unknownKconfigIsZero: true });
  const text = elf && loaded && format?.(loaded, name, elf);
  return finish(options.output, text, diagnostics);
}

/** What each object's relocations look at in the target. */
function resolutionsOf(
  paths: readonly string[],
  target: string,
  diagnostics: Diagnostics,
): Uint8Array | undefined {
  const btf = readBtfFile(target, diagnostics);
  if (btf === undefined) return undefined;
  const resolutions = paths.flatMap((path): CoreResolution[] => {
    const { object, diagnostics: reading } = readObjectFile(path);
    for (const diagnostic of reading.list) diagnostics.add(diagnostic);
    const view = object && viewObject(object, path, diagnostics);
    if (view?.btf === undefined || view.btfExt === undefined) return [];
    const input = { object: view.object, path, btf: view.btf, btfExt: view.btfExt };
    // What this kernel lacks is not an error here: a program may ask for it first.
    return applyCoreRelocations(input, btf, new Diagnostics()).resolutions.map((r) => r.resolution);
  });
  return writeBtf(minimiseBtf(btf, resolutions)).btf;
}

/** Writes the part of a kernel's BTF that the objects' CO-RE relocations look at; the exit code. */
export function runMinCoreBtf(target: string, output: string, paths: readonly string[]): number {
  const diagnostics = new Diagnostics();
  const bytes = resolutionsOf(paths, target, diagnostics);
  return finish(output, diagnostics.hasErrors ? undefined : bytes, diagnostics);
}
