/** Runs phases 1 to 3 on a file, for the checker's suites. */
import { readFileSync } from "node:fs";
import { type Diagnostic, Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { FileSystem } from "../../common/file-system.ts";
import type { Endian } from "../../common/object/object-file.ts";
import { defaultPreprocessOptions } from "../../compiler/1-preprocess/options.ts";
import { preprocess } from "../../compiler/1-preprocess/preprocess.ts";
import { parseTranslationUnit } from "../../compiler/2-parse/parse.ts";
import { checkTranslationUnit } from "../../compiler/3-check/check.ts";
import type { CheckedUnit } from "../../compiler/3-check/checked.ts";
import { shippedHeaderDirectory } from "../../compiler/shipped-header-directory.ts";
import { withShippedHeaders } from "../../compiler/shipped-header-files.ts";
import { warningPolicy } from "../../compiler/warning-options.ts";

export interface CheckedSource {
  readonly unit: CheckedUnit | undefined;
  readonly diagnostics: readonly Diagnostic[];
}

/** Checks a text as if it were the file at `path`; headers come from those that ship. */
export function checkSource(path: string, text: string, endian: Endian = "little"): CheckedSource {
  const files: FileSystem = withShippedHeaders({
    readFile: (name) => (name === path ? new TextEncoder().encode(text) : readIfThere(name)),
  });
  const diagnostics = new Diagnostics();
  diagnostics.policy = warningPolicy([{ name: "all", state: "on" }], false);
  const options = { ...defaultPreprocessOptions, standardDirectories: [shippedHeaderDirectory] };
  const preprocessed = preprocess(path, options, files, diagnostics);
  if (preprocessed === undefined) return { unit: undefined, diagnostics: diagnostics.list };
  const syntax = parseTranslationUnit(preprocessed, diagnostics);
  const unit = checkTranslationUnit(syntax, { endian, cpu: "v3" }, diagnostics);
  return { unit, diagnostics: diagnostics.list };
}

function readIfThere(name: string): Uint8Array | undefined {
  try {
    return readFileSync(name);
  } catch {
    return undefined;
  }
}
