/** What `bpfc cc` does with its inputs: compiles each and writes what was asked for. */
import { readFileSync } from "node:fs";
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { FileSystem } from "../../common/file-system.ts";
import { writeElf } from "../../common/object/write-elf.ts";
import { printDependencies } from "../../compiler/1-preprocess/dependencies.ts";
import { printMacros, printPreprocessed } from "../../compiler/1-preprocess/print-preprocessed.ts";
import { type Compilation, type CompileGoal, compile } from "../../compiler/compile.ts";
import { shippedHeaderDirectory } from "../../compiler/shipped-header-directory.ts";
import { withShippedHeaders } from "../../compiler/shipped-header-files.ts";
import { headerSource, withVmlinux } from "../kernel-types/with-vmlinux.ts";
import { beginLongRun, watchingLength } from "../long-run.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import { removeOutput, writeOutput } from "../output.ts";
import { print, printError, report } from "../report.ts";
import { sourceMapOptions } from "../source-map-file.ts";
import { compileOptions } from "./compile-options.ts";
import type { CcOptions, CcOutput } from "./options.ts";

/** Standard input as the file `-`, read once. */
function withStandardInput(files: FileSystem): FileSystem {
  let input: Uint8Array | undefined;
  return {
    ...files,
    readFile(path) {
      if (path !== "-") return files.readFile(path);
      input ??= readFileSync(0);
      return input;
    },
  };
}

function goalOf(output: CcOutput): CompileGoal {
  if (typeof output === "object") {
    const forms = {
      tokens: "preprocessed",
      ast: "syntax",
      checked: "checked",
      ir: "ir",
      machine: "ir",
    } as const;
    return forms[output.print];
  }
  const byName = {
    object: "object",
    assembly: "assembly",
    preprocess: "preprocessed",
    macros: "preprocessed",
    dependencies: "preprocessed",
    syntax: "checked",
  } as const;
  return byName[output];
}

const baseName = (path: string): string => path.replace(/^.*\//, "").replace(/\.[^.]*$/, "");

/** Where the result goes; undefined where nothing is written. */
function outputPath(input: string, options: CcOptions): string | undefined {
  if (options.outputFile !== undefined) return options.outputFile;
  switch (options.output) {
    case "object":
      return `${input === "-" ? "-" : baseName(input)}.o`;
    case "assembly":
      return `${input === "-" ? "-" : baseName(input)}.s`;
    case "syntax":
      return undefined;
    default:
      return "-";
  }
}

function dependencyText(compilation: Compilation, input: string, options: CcOptions): string {
  const { dependencies } = options;
  if (dependencies === undefined || compilation.preprocessed === undefined) return "";
  const target =
    options.outputFile !== undefined && options.output !== "dependencies"
      ? options.outputFile
      : `${baseName(input)}.o`;
  return printDependencies(compilation.preprocessed, {
    targets: dependencies.targets.length > 0 ? dependencies.targets : [target],
    userOnly: dependencies.userHeadersOnly,
    phony: dependencies.phonyTargets,
    builtinPrefix: shippedHeaderDirectory,
  });
}

/** The result's content for the form that was asked for. */
async function resultOf(
  compilation: Compilation,
  input: string,
  options: CcOptions,
  diagnostics: Diagnostics,
): Promise<string | Uint8Array | undefined> {
  const { output } = options;
  if (typeof output === "object") {
    const { printForm } = await import("./print-form.ts");
    return printForm(output.print, compilation, options, diagnostics);
  }
  switch (output) {
    case "object":
      return compilation.object && writeElf(compilation.object);
    case "assembly": {
      if (compilation.assembly === undefined) return undefined;
      const { printAssembly } = await import("../../assembler/print.ts");
      return printAssembly(compilation.assembly);
    }
    case "preprocess":
      return (
        compilation.preprocessed && printPreprocessed(compilation.preprocessed, options.lineMarkers)
      );
    case "macros":
      return compilation.preprocessed && printMacros(compilation.preprocessed);
    case "dependencies":
      return dependencyText(compilation, input, options);
    case "syntax":
      return "";
  }
}

function writeResult(
  path: string | undefined,
  content: string | Uint8Array,
  tool: string,
): boolean {
  const problem = path === undefined ? undefined : writeOutput(path, content);
  if (problem !== undefined) printError(`${tool}: error: ${problem}`);
  return problem === undefined;
}

function writeDependencies(
  compilation: Compilation,
  input: string,
  options: CcOptions,
  tool: string,
): boolean {
  const { dependencies } = options;
  if (dependencies === undefined || options.output === "dependencies") return true;
  const stem = (options.outputFile ?? `${baseName(input)}.o`).replace(/\.[^./]*$/, "");
  return writeResult(
    dependencies.file ?? `${stem}.d`,
    dependencyText(compilation, input, options),
    tool,
  );
}

function sourceText(path: string): string | undefined {
  const bytes = withShippedHeaders(nodeFileSystem).readFile(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** The map of -S; other outputs have no lines that it could speak of. */
async function writeSourceMap(
  { assembly }: Compilation,
  path: string,
  { output, sourceMap, sourceMapContent }: CcOptions,
  tool: string,
): Promise<boolean> {
  if (sourceMap === undefined || assembly === undefined || output !== "assembly") return true;
  const { printWithSourceMap } = await import("../../assembler/source-map.ts");
  const contentOf = sourceMapContent ? sourceText : undefined;
  const { map } = printWithSourceMap(assembly, sourceMapOptions(sourceMap, path, contentOf));
  return writeResult(sourceMap, map, tool);
}

/** Costs go to standard output, or to standard error where the result itself goes there. */
async function showStats(
  { stats }: Compilation,
  input: string,
  format: CcOptions["stats"],
  path: string | undefined,
): Promise<void> {
  if (stats === undefined || format === undefined) return;
  const { printStats } = await import("./print-stats.ts");
  const text = printStats(input, stats, format);
  if (path === "-") printError(text);
  else print(text);
}

/** Asked for only where something is shown: to look at standard error, Node loads its streams. */
function wantsColor({ color }: CcOptions): boolean {
  return color === "auto" ? process.stderr.isTTY === true : color;
}

/** Compiles one input; true where that worked. */
async function compileInput(input: string, options: CcOptions, tool: string): Promise<boolean> {
  const diagnostics = new Diagnostics();
  const source = await headerSource(options.btf);
  const standard = withStandardInput(nodeFileSystem);
  const files = watchingLength(withVmlinux(standard, source, diagnostics));
  const compilation = compile(
    input,
    compileOptions(options),
    files,
    diagnostics,
    goalOf(options.output),
  );
  const path =
    options.output === "dependencies"
      ? (options.dependencies?.file ?? options.outputFile ?? "-")
      : outputPath(input, options);
  const content = diagnostics.hasErrors
    ? undefined
    : await resultOf(compilation, input, options, diagnostics);
  if (options.verify && compilation.object !== undefined && !diagnostics.hasErrors) {
    const { verifyCompiled } = await import("../verify/rejection.ts");
    verifyCompiled(compilation.object, input, diagnostics, options.maxProcessed);
  }
  const shown = diagnostics.list;
  const failed = report(shown, {
    format: options.diagnosticsFormat,
    color: shown.length > 0 && wantsColor(options),
    tool,
    errorLimit: options.errorLimit,
  });
  if (failed || content === undefined) {
    if (path !== undefined) removeOutput(path);
    return false;
  }
  await showStats(compilation, input, options.stats, path);
  return (
    writeResult(path, content, tool) &&
    writeDependencies(compilation, input, options, tool) &&
    (await writeSourceMap(compilation, path ?? "-", options, tool))
  );
}

/** Compiles all inputs; true where all of them worked. */
export async function compileInputs(options: CcOptions, tool: string): Promise<boolean> {
  let ok = true;
  if (options.inputs.length > 1) beginLongRun();
  for (const input of options.inputs) ok = (await compileInput(input, options, tool)) && ok;
  return ok;
}
