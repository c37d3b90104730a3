/** `bpfc link A.o B.o -o OUT`: several objects → one. */
import { setFlagsFromString } from "node:v8";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { writeElf } from "../common/object/write-elf.ts";
import type { LinkInput } from "../linker/link/input.ts";
import { linkObjects } from "../linker/link.ts";
import { finish } from "./finish.ts";
import { readObjectFile } from "./objects.ts";

export interface LinkCommandOptions {
  readonly output: string;
  readonly allowUnresolved?: boolean;
  readonly diagnostics: string;
}

/** Reads every object before giving up, so that all broken ones are named. */
function readInputs(paths: readonly string[], diagnostics: Diagnostics): LinkInput[] {
  return paths.flatMap((path): LinkInput[] => {
    const read = readObjectFile(path);
    for (const diagnostic of read.diagnostics.list) diagnostics.add(diagnostic);
    return read.object === undefined ? [] : [{ object: read.object, path }];
  });
}

/** Types of a whole kernel: loops over them are worth optimising, unlike those of a compilation. */
const largeInput = 1 << 20;

/**
 * Loops over them go on as optimised code as soon as V8 finds them hot, which then is compiled at
 * once: in the background it would take as much time, and the loop meanwhile far more.
 */
function optimiseSoon(inputs: readonly LinkInput[]): void {
  const size = inputs
    .flatMap(({ object }) => object.sections)
    .reduce((sum, { data }) => sum + data.length, 0);
  if (size <= largeInput) return;
  for (const flag of ["--interrupt-budget=300000", "--no-concurrent-osr"]) setFlagsFromString(flag);
}

/** Links; returns the exit code. */
export function runLink(paths: readonly string[], options: LinkCommandOptions): number {
  const diagnostics = new Diagnostics();
  const inputs = readInputs(paths, diagnostics);
  optimiseSoon(inputs);
  const allowUnresolved = options.allowUnresolved === true;
  const object = diagnostics.hasErrors
    ? undefined
    : linkObjects(inputs, diagnostics, { allowUnresolved });
  return finish(options.output, object && writeElf(object), diagnostics, options.diagnostics);
}
