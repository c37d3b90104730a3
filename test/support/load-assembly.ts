/** Assembly text → maps and programs, for tests that do not want to go through C. */
import { expect } from "vitest";
import { assemble } from "../../assembler/assemble.ts";
import { parseAssembly } from "../../assembler/parse.ts";
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Endian } from "../../common/object/object-file.ts";
import { loadObject } from "../../linker/load.ts";
import type { LoadedObject } from "../../linker/program.ts";

export function loadAssembly(text: string, endian: Endian = "little"): LoadedObject {
  const diagnostics = new Diagnostics();
  const file = { path: "test.s", text, isSystem: false };
  const { module, spanOf } = parseAssembly(file, endian, diagnostics);
  const object = assemble(module, diagnostics, { spanOf });
  const loaded = object && loadObject(object, file.path, diagnostics);
  expect(diagnostics.list).toEqual([]);
  return loaded as LoadedObject;
}
