/** Programs from a file: an ELF object, or a C source that is compiled first. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
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
  /** The kernel that ships its types with bpfc; then `btf` is not looked at. */
  readonly shipped?: boolean;
  readonly btf?: string;
  /** BTF of its modules, split from `btf`. */
  readonly moduleBtf?: readonly string[];
  /** Its symbol table, as /proc/kallsyms. */
  readonly kallsyms?: string;
}

function targetOf(files: KernelFiles, diagnostics: Diagnostics): Btf | undefined {
  const shipped = files.shipped === true ? shippedKernelBtf() : undefined;
  if (shipped !== undefined) return readBtf(shipped, diagnostics);
  return files.btf === undefined ? undefined : readBtfFile(files.btf, diagnostics);
}

function kernelOptions(files: KernelFiles, diagnostics: Diagnostics): LoadOptions {
  const targetBtf = targetOf(files, diagnostics);
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

/**
 * Loads the file; `words` are compiler options for a C source, `kernel` says what kernel is meant. What went wrong has been reported where the result is undefined.
 */
export async function loadFile(
  path: string,
  words: readonly string[],
  kernel: KernelFiles = {},
): Promise<LoadedObject | undefined> {
  const diagnostics = new Diagnostics();
  const options = kernelOptions(kernel, diagnostics);
  const bytes = nodeFileSystem.readFile(path);
  let loaded: LoadedObject | undefined;
  if (bytes === undefined)
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
  else {
    const object =
      isElf(bytes) || !/\.(c|i|h)$/.test(path)
        ? readElf(bytes, path, diagnostics)
        : await compileSource(path, words, diagnostics);
    if (object !== undefined && !diagnostics.hasErrors)
      loaded = loadObject(object, path, diagnostics, options);
  }
  const shown = diagnostics.list.filter((d) => d.severity === "error");
  // An attempt with the shipped types is beside the user's own request.
  if (kernel.shipped !== true) report(shown, plainReport);
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
