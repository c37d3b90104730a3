/** `bpfc btf dump` and `bpfc btf diff`: types of objects and kernels. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { type BtfChange, diffBtf } from "../linker/dump/btf-diff.ts";
import { vmlinuxHeader } from "../linker/dump/c.ts";
import { dumpBtfJson } from "../linker/dump/json.ts";
import { dumpBtf } from "../linker/dump/raw.ts";
import { readBtfFile } from "./btf-file.ts";
import { plainReport, print, printError, report } from "./report.ts";

const formats: Readonly<Record<string, (btf: Btf) => string>> = {
  raw: dumpBtf,
  c: vmlinuxHeader,
  json: dumpBtfJson,
};

export interface BtfDumpOptions {
  readonly format: string;
}

/** Prints the types of one file; returns the exit code. */
export function runBtfDump(path: string, options: BtfDumpOptions): number {
  const format = Object.hasOwn(formats, options.format) ? formats[options.format] : undefined;
  if (format === undefined) {
    printError(`bpfc: error: unknown format '${options.format}' (raw, c or json)`);
    return 1;
  }
  const diagnostics = new Diagnostics();
  const btf = readBtfFile(path, diagnostics);
  report(diagnostics.list, plainReport);
  if (btf === undefined) return 1;
  print(format(btf));
  return 0;
}

/** A change as lines: the type, and under it what changed. */
export function changeLines({ change, type, details }: BtfChange): string[] {
  const sign = { added: "+", removed: "-", changed: "~" }[change];
  return [`${sign} ${type}`, ...details.map((line) => `    ${line}`)];
}

export interface BtfDiffOptions {
  readonly json?: boolean;
}

/** Prints how two files' types differ; exit code 0 if they do not, 1 if they do, 2 for trouble. */
export function runBtfDiff(a: string, b: string, options: BtfDiffOptions): number {
  const diagnostics = new Diagnostics();
  const before = readBtfFile(a, diagnostics);
  const after = readBtfFile(b, diagnostics);
  report(diagnostics.list, plainReport);
  if (before === undefined || after === undefined) return 2;
  const changes = diffBtf(before, after);
  if (options.json) print(JSON.stringify(changes));
  else print(changes.flatMap(changeLines).join("\n"));
  return changes.length === 0 ? 0 : 1;
}
