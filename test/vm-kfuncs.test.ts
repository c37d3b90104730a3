/** Kernel functions of the common sets, in both engines: each program says 42 where all is right. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";
import { compileText } from "./support/compile.ts";

const file = join(import.meta.dirname, "cases/kfuncs/kfuncs.c");
const packet = Uint8Array.from({ length: 20 }, (_, i) => i);

function load(): LoadedObject {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(compileText(readFileSync(file, "utf8")), file, diagnostics);
  if (loaded === undefined) throw new Error(diagnostics.list[0]?.message);
  return loaded;
}

const loaded = load();

describe.each(loaded.programs.map(({ name }) => name))("%s", (name) => {
  test.each(["jit", "interpreter"] as const)("%s", (engine) => {
    const kernel = new Kernel();
    const set = kernel.load(loaded);
    if ("message" in set) throw new Error(set.message);
    const program = set.programs.get(name) ?? expect.unreachable();
    const { error, retval } = runProgram(kernel, program, { packet, engine });
    expect(error).toBeUndefined();
    expect(retval).toBe(42);
  });
});
