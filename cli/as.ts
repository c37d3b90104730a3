/** `bpfc as FILE -o OUT`: assembly text → object. */
import { readFileSync } from "node:fs";
import { assemble } from "../assembler/assemble.ts";
import { parseAssembly } from "../assembler/parse.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../common/diagnostics/source.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { finish } from "./finish.ts";
import { nodeFileSystem } from "./node-file-system.ts";

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
  return finish(output, object && writeElf(object), diagnostics, options.diagnostics);
}
