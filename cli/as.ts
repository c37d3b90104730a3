/** `bpfc as FILE -o OUT`: assembly text → object. */
import { readFileSync } from "node:fs";
import { assemble } from "../assembler/assemble.ts";
import { type ParsedAssembly, parseAssembly } from "../assembler/parse.ts";
import type { SourceMapOptions } from "../assembler/source-map.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../common/diagnostics/source.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { sectionFileOffsets } from "../linker/foreign-elf.ts";
import { finish } from "./finish.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { removeOutput } from "./output.ts";
import { sourceMapOptions } from "./source-map-file.ts";

export interface AsOptions {
  readonly output?: string;
  readonly bigEndian?: boolean;
  readonly diagnostics: string;
  /** Where to write the map from the object's bytes to the text. */
  readonly sourceMap?: string;
  readonly sourceMapContent?: boolean;
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

async function writeSourceMap(
  map: SourceMapOptions,
  mapPath: string,
  { module, spanOf }: ParsedAssembly,
  elf: Uint8Array,
): Promise<number> {
  const { objectSourceMap } = await import("../assembler/source-map.ts");
  const sectionOffsets = sectionFileOffsets(elf).slice(1);
  const text = { module, spanOf, sectionOffsets };
  return finish(mapPath, objectSourceMap(text, map), new Diagnostics());
}

/** Assembles one file; returns the exit code. */
export async function runAs(path: string, options: AsOptions): Promise<number> {
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
  const elf = object && writeElf(object);
  const code = finish(output, elf, diagnostics, options.diagnostics);
  if (options.sourceMap === undefined) return code;
  if (code === 0 && parsed !== undefined && elf !== undefined) {
    const contentOf = options.sourceMapContent === true ? () => file?.text : undefined;
    const map = sourceMapOptions(options.sourceMap, output, contentOf);
    return writeSourceMap(map, options.sourceMap, parsed, elf);
  }
  removeOutput(options.sourceMap);
  return code;
}
