/** Programs from a file: an ELF object, or a C source that is compiled first. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { isElf, readElf } from "../common/object/read-elf.ts";
import { parseKernelSymbols } from "../linker/kernel-symbols.ts";
import { type LoadOptions, loadObject } from "../linker/load.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { readBtfFile } from "./btf-file.ts";
import { shippedKernelBtf } from "./kernel-types/shipped-btf.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { plainReport, printError, report } from "./report.ts";

async function compileSource(
  path: string,
  words: readonly string[],
  diagnostics: Diagnostics,
): Promise<ObjectFile | undefined> {
  const { parseCcArguments } = await import("./cc/arguments.ts");
  const { compileOptions } = await import("./cc/compile-options.ts");
  const { compile } = await import("../compiler/compile.ts");
  const parsed = parseCcArguments([...words, path]);
  if (parsed.kind !== "compile") {
    diagnostics.error("bad-option", parsed.kind === "error" ? parsed.message : "not a compilation");
    return undefined;
  }
  const { options } = parsed;
  const { headerSource, withVmlinux } = await import("./kernel-types/with-vmlinux.ts");
  const files = withVmlinux(nodeFileSystem, await headerSource(options.btf), diagnostics);
  return compile(path, compileOptions(options), files, diagnostics).object;
}

/** Files about the kernel that is meant. */
export interface KernelFiles {
  readonly btf?: string;
  /** BTF of its modules, split from `btf`. */
  readonly moduleBtf?: readonly string[];
  /** Its symbol table, as /proc/kallsyms. */
  readonly kallsyms?: string;
}

function kernelOptions(files: KernelFiles, diagnostics: Diagnostics): LoadOptions {
  const targetBtf = files.btf === undefined ? undefined : readBtfFile(files.btf, diagnostics);
  const modules = files.moduleBtf ?? [];
  if (modules.length > 0 && files.btf === undefined)
    diagnostics.error("bad-option", "--module-btf needs --btf, which it continues");
  const moduleBtf = modules.flatMap((path) => readBtfFile(path, diagnostics, files.btf) ?? []);
  const symbols =
    files.kallsyms === undefined ? undefined : nodeFileSystem.readFile(files.kallsyms);
  if (files.kallsyms !== undefined && symbols === undefined)
    diagnostics.error("file-not-found", `no such file or directory: '${files.kallsyms}'`);
  return {
    ...(targetBtf && { targetBtf, moduleBtf }),
    ...(symbols && { kernelSymbols: parseKernelSymbols(new TextDecoder().decode(symbols)) }),
  };
}

/** The object of a file: an ELF object, or what a C source compiles to with `words` as options. */
async function readObject(
  path: string,
  words: readonly string[],
  diagnostics: Diagnostics,
): Promise<ObjectFile | undefined> {
  const bytes = nodeFileSystem.readFile(path);
  if (bytes === undefined) {
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
    return undefined;
  }
  return isElf(bytes) || !/\.(c|i|h)$/.test(path)
    ? readElf(bytes, path, diagnostics)
    : await compileSource(path, words, diagnostics);
}

/** Program types whose hooks are found in the kernel's types: tracing, struct_ops, ext, LSM. */
const typedHooks: readonly number[] = [26, 27, 28, 29];

/** Whether a program's hook is one of a kernel's types, and none was found for it. */
export const lacksHookType = ({ type, attachBtfId }: ProgramSpec): boolean =>
  typedHooks.includes(type) && attachBtfId === 0;

/** An object loaded for the kernel that was asked for, and on demand for the one that ships. */
export interface LoadedFile {
  readonly loaded: LoadedObject;
  /** With the types that ship with bpfc; undefined where the object does not fit them. */
  readonly forShippedKernel: () => LoadedObject | undefined;
}

/**
 * Loads the file; `words` are compiler options for a C source, `kernel` says what kernel is meant.
 * What went wrong has been reported where the result is undefined.
 */
export async function openFile(
  path: string,
  words: readonly string[],
  kernel: KernelFiles = {},
): Promise<LoadedFile | undefined> {
  const diagnostics = new Diagnostics();
  const options = kernelOptions(kernel, diagnostics);
  const object = await readObject(path, words, diagnostics);
  const isRead = object !== undefined && !diagnostics.hasErrors;
  const loaded = isRead ? loadObject(object, path, diagnostics, options) : undefined;
  const shown = diagnostics.list.filter((d) => d.severity === "error");
  report(shown, plainReport);
  if (object === undefined || loaded === undefined || diagnostics.hasErrors) return undefined;
  let typed: { readonly loaded: LoadedObject | undefined } | undefined;
  const forShippedKernel = (): LoadedObject | undefined => {
    typed ??= { loaded: loadForShipped(object, path, options) };
    return typed.loaded;
  };
  return { loaded, forShippedKernel };
}

/** An attempt beside the user's own request: what does not fit is not reported. */
function loadForShipped(
  object: ObjectFile,
  path: string,
  options: LoadOptions,
): LoadedObject | undefined {
  const bytes = shippedKernelBtf();
  const diagnostics = new Diagnostics();
  const targetBtf = bytes && readBtf(bytes, diagnostics);
  if (targetBtf === undefined) return undefined;
  const loaded = loadObject(object, path, diagnostics, { ...options, targetBtf });
  return diagnostics.hasErrors ? undefined : loaded;
}

/** The program of that name, or the first; says so where there is none. */
export function chooseProgram(
  loaded: LoadedObject,
  name: string | undefined,
): ProgramSpec | undefined {
  const program =
    name === undefined
      ? loaded.programs.find((p) => p.autoload)
      : loaded.programs.find((p) => p.name === name || p.section === name);
  if (program === undefined) {
    const names = loaded.programs.map((p) => p.name).join(", ") || "none";
    const what = name === undefined ? "no program" : `no program '${name}'`;
    printError(`bpfc: error: ${what} in '${loaded.path}' (it has: ${names})`);
  }
  return program;
}
