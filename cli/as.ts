/** `bpfc as FILE -o OUT`: assembly text → object. */
import { readFileSync } from "node:fs";
import { assemble } from "../assembler/assemble.ts";
import { parseAssembly } from "../assembler/parse.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../common/diagnostics/source.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { removeOutput, writeOutput } from "./output.ts";
import { plainReport, printError, type ReportOptions, report } from "./report.ts";

export interface AsOptions {
  readonly output?: string;
  readonly bigEndian?: boolean;
  readonly diagnostics: string;
}

function readSource(path: string): SourceFile | undefined {
  const bytes = path === "-" ? readFileSync(0) : nodeFileSystem.readFile(path);
  if (bytes === undefined) return undefined;
  return {
    path: path === "-" ? "<stdin>" : path,
    text: new TextDecoder().decode(bytes),
    isSystem: false,
  };
}

function reportOptions(format: string): ReportOptions {
  return { ...plainReport, format: format === "json" || format === "sarif" ? format : "clang" };
}

/** Assembles one file; returns the exit code. */
export function runAs(path: string, options: AsOptions): number {
  const diagnostics = new Diagnostics();
  const output = options.output ?? path.replace(/\.[^./]*$/, "").concat(".o");
  const file = readSource(path);
  if (file === undefined)
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
  const endian = options.bigEndian ? "big" : "little";
  const parsed = file && parseAssembly(file, endian, diagnostics);
  const object =
    parsed === undefined || diagnostics.hasErrors
      ? undefined
      : assemble(parsed.module, diagnostics, { spanOf: parsed.spanOf });
  const failed = report(diagnostics.list, reportOptions(options.diagnostics));
  if (object === undefined || failed) {
    removeOutput(output);
    return 1;
  }
  const problem = writeOutput(output, writeElf(object));
  if (problem === undefined) return 0;
  printError(`bpfc: error: ${problem}`);
  return 1;
}
