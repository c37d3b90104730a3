/** Compiles C text to an object in memory, with the shipped headers only. */

import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../../common/file-system.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { defaultPreprocessOptions } from "../../compiler/1-preprocess/options.ts";
import { compile } from "../../compiler/compile.ts";

/** The object of a program that has no errors; throws with the messages otherwise. */
export function compileText(text: string, path = "test.c"): ObjectFile {
  return compileWith({ [path]: text }, path);
}

/** The object of one of these files, which may include the others. */
export function compileWith(texts: Readonly<Record<string, string>>, path: string): ObjectFile {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem(texts);
  const { object } = compile(path, defaultPreprocessOptions, files, diagnostics);
  if (object === undefined) {
    throw new Error(diagnostics.list.map((each) => each.message).join("\n"));
  }
  return object;
}
