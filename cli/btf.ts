/** `bpfc btf dump` and `bpfc btf diff`: types of objects and kernels. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, TypeId } from "../common/object/btf.ts";
import { type BtfChange, diffBtf } from "../linker/dump/btf-diff.ts";
import { vmlinuxHeader } from "../linker/dump/c.ts";
import { dumpBtfJson } from "../linker/dump/json.ts";
import { sortForC } from "../linker/dump/order.ts";
import { dumpBtf, ownTypes } from "../linker/dump/raw.ts";
import { readBtfFile } from "./btf-file.ts";
import { plainReport, print, printError, report } from "./report.ts";

type Format = (btf: Btf, ids: readonly TypeId[]) => string;

const formats: Readonly<Record<string, Format>> = {
  raw: dumpBtf,
  c: vmlinuxHeader,
  json: dumpBtfJson,
};

export interface BtfDumpOptions {
  readonly format: string;
  readonly json?: boolean;
  readonly baseBtf?: string;
  readonly rootId: readonly string[];
  readonly unsorted?: boolean;
}

interface DumpRequest {
  readonly path: string;
  readonly format: string;
  readonly roots: readonly string[];
  readonly sorted: boolean;
}

/** bpftool's words: `file PATH [root_id ID]… [format FORMAT] [unsorted]`; or what is wrong. */
function parseDumpWords(words: readonly string[], options: BtfDumpOptions): DumpRequest | string {
  const rest = words[0] === "file" && words.length > 1 ? words.slice(1) : [...words];
  const [path = "", ...more] = rest;
  const roots = [...options.rootId];
  let format = options.format;
  let sorted = options.unsorted !== true;
  for (let i = 0; i < more.length; i++) {
    const word = more[i];
    const value = more[i + 1];
    if (word === "unsorted") sorted = false;
    else if ((word === "format" || word === "root_id") && value !== undefined) {
      if (word === "format") format = value;
      else roots.push(value);
      i += 1;
    } else return `unknown word '${word}' (root_id ID, format FORMAT or unsorted)`;
  }
  if (options.json === true) {
    if (format === "c") return "C cannot be shown as JSON";
    format = "json";
  }
  if (!Object.hasOwn(formats, format)) return `unknown format '${format}' (raw, c or json)`;
  return { path, format, roots, sorted };
}

/** The ids that were asked for, or what is wrong with them. */
function wantedTypes(btf: Btf, roots: readonly string[]): readonly TypeId[] | string {
  if (roots.length === 0) return ownTypes(btf);
  const wrong = roots.find((root) => !/^[1-9]\d*$/.test(root) || Number(root) > btf.types.length);
  return wrong === undefined ? roots.map(Number) : `there is no type '${wrong}'`;
}

/** Prints the types of one file; returns the exit code. */
export function runBtfDump(words: readonly string[], options: BtfDumpOptions): number {
  const request = parseDumpWords(words, options);
  if (typeof request === "string") {
    printError(`bpfc: error: ${request}`);
    return 1;
  }
  const { path, format, roots, sorted } = request;
  const diagnostics = new Diagnostics();
  const btf = readBtfFile(path, diagnostics, options.baseBtf);
  report(diagnostics.list, plainReport);
  if (btf === undefined) return 1;
  const ids = wantedTypes(btf, roots);
  if (typeof ids === "string") {
    printError(`bpfc: error: ${path}: ${ids}`);
    return 1;
  }
  const isSorted = format === "c" && sorted && roots.length === 0;
  print(formats[format]?.(btf, isSorted ? sortForC(btf, ids) : ids) ?? "");
  return 0;
}

/** A change as lines: the type, and under it what changed. */
export function changeLines({ change, type, details }: BtfChange): string[] {
  const sign = { added: "+", removed: "-", changed: "~" }[change];
  return [`${sign} ${type}`, ...details.map((line) => `    ${line}`)];
}

export interface BtfDiffOptions {
  /** Base of both, where they are split BTF. */
  readonly baseBtf?: string;
  readonly json?: boolean;
}

/** Prints how two files' types differ; exit code 0 if they do not, 1 if they do, 2 for trouble. */
export function runBtfDiff(a: string, b: string, options: BtfDiffOptions): number {
  const diagnostics = new Diagnostics();
  const before = readBtfFile(a, diagnostics, options.baseBtf);
  const after = readBtfFile(b, diagnostics, options.baseBtf);
  report(diagnostics.list, plainReport);
  if (before === undefined || after === undefined) return 2;
  const changes = diffBtf(before, after);
  if (options.json) print(JSON.stringify(changes));
  else print(changes.flatMap(changeLines).join("\n"));
  return changes.length === 0 ? 0 : 1;
}
