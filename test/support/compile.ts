/** Compiles C text to an object in memory, with the shipped headers only. */

import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../../common/file-system.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { defaultPreprocessOptions } from "../../compiler/1-preprocess/options.ts";
import { compile } from "../../compiler/compile.ts";

/** The object of a program that has no errors; throws with the messages otherwise. */
export function compileText(text: string, path = "test.c"): ObjectFile {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ [path]: text });
  const { object } = compile(path, defaultPreprocessOptions, files, diagnostics);
  if (object === undefined) {
    throw new Error(diagnostics.list.map((each) => each.message).join("\n"));
  }
  return object;
}
