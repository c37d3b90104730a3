/**
 * The debug information of bpfc's objects beside clang-19's: types, functions, variables, sections,
 * tags, CO-RE relocations, and whether line records are complete and true. Order, ids, paths,
 * static functions and the numbers in names of static variables are no difference.
 * Run: npx tsx bench/btf-compare.ts [--manifest FILE] [--match TEXT] [--level 2] [--cpu v3] [--details]
 */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { LineInfo } from "../common/object/btf.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { isCode, type ObjectView, viewObject } from "../linker/object-view.ts";
import { type Shape, shapeOf } from "./btf-shape.ts";
import { withBpfc, withClang } from "./compile-object.ts";
import { type ProgramGroup, programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    manifest: { type: "string" },
    match: { type: "string", default: "" },
    level: { type: "string", default: "2" },
    cpu: { type: "string", default: "v3" },
    details: { type: "boolean", default: false },
  },
});
const target = { level: cli.level, cpu: cli.cpu };

/** One line per thing that differs: `- ` only in clang's, `+ ` only in bpfc's. */
function differences(clang: Shape, bpfc: Shape): string[] {
  const lines: string[] = [];
  for (const key of new Set([...clang.keys(), ...bpfc.keys()])) {
    const theirs = clang.get(key) ?? [];
    const ours = bpfc.get(key) ?? [];
    for (const text of theirs) if (!ours.includes(text)) lines.push(`- ${key}: ${text}`);
    for (const text of ours) if (!theirs.includes(text)) lines.push(`+ ${key}: ${text}`);
  }
  return lines;
}

const sources = new Map<string, readonly string[] | undefined>();

function linesOf(place: string): readonly string[] | undefined {
  if (!sources.has(place)) {
    try {
      sources.set(place, readFileSync(place, "utf8").split(/\r?\n/));
    } catch {
      sources.set(place, undefined);
    }
  }
  return sources.get(place);
}

/** Objects name a header as it was included where it lies outside of the working directory. */
function sourceLines({ cwd, flags }: ProgramGroup, path: string): readonly string[] | undefined {
  const folders = flags.filter((_, at) => /^-(I|isystem|idirafter)$/.test(flags[at - 1] ?? ""));
  for (const folder of [".", ...folders]) {
    const lines = linesOf(resolve(cwd, folder, path));
    if (lines !== undefined) return lines;
  }
  return undefined;
}

function lineProblem(
  group: ProgramGroup,
  { file, text, line, column }: LineInfo,
): string | undefined {
  if (line === 0) return "line 0";
  const source = sourceLines(group, file);
  // Shipped headers are no files here.
  if (source === undefined) return file.startsWith("<") ? undefined : `no such file: ${file}`;
  const real = source[line - 1];
  if (real === undefined) return `${file} has no line ${line}`;
  if (text !== "" && text !== real) return `${file}:${line} reads otherwise`;
  return column > real.length + 1 ? `${file}:${line} has no column ${column}` : undefined;
}

/** Every function must start with a record, records must ascend and quote their lines. */
function lineProblems(group: ProgramGroup, view: ObjectView): string[] {
  const problems: string[] = [];
  const bySection = new Map(view.btfExt?.lineInfo.map((s) => [s.section, s.records]));
  view.object.sections.forEach((section, index) => {
    if (!isCode(section) || section.size === 0) return;
    const records = bySection.get(section.name) ?? [];
    const offsets = new Set(records.map((record) => record.insnOffset));
    for (const symbol of view.symbolsOf(index)) {
      if (symbol.type === "func" && !offsets.has(symbol.value))
        problems.push(`! ${symbol.name} starts without a line`);
    }
    records.forEach((record, at) => {
      if (at > 0 && record.insnOffset <= records[at - 1]!.insnOffset)
        problems.push(`! ${section.name}: line records out of order`);
      const problem = lineProblem(group, record);
      if (problem !== undefined) problems.push(`! ${section.name}: ${problem}`);
    });
  });
  return [...new Set(problems)];
}

function viewOf(object: ObjectFile, file: string): ObjectView | undefined {
  return viewObject(object, file, new Diagnostics());
}

function compareFile(group: ProgramGroup, file: string): string[] | undefined {
  const clang = withClang(group, file, target);
  if (clang.object === undefined) return undefined;
  const bpfc = withBpfc(group, file, target);
  if (bpfc.object === undefined) return [`! not compiled: ${bpfc.error}`];
  const theirs = viewOf(clang.object, file);
  const ours = viewOf(bpfc.object, file);
  if (theirs?.btf === undefined) return undefined;
  if (ours?.btf === undefined) return ["! no BTF that can be read"];
  return [
    ...differences(shapeOf(theirs.btf, theirs.btfExt), shapeOf(ours.btf, ours.btfExt)),
    ...lineProblems(group, ours),
  ];
}

for (const group of programGroups(cli.manifest && resolve(cli.manifest))) {
  const results = group.files
    .filter((file) => `${group.repo}/${file}`.includes(cli.match))
    .map((file) => ({ file, lines: compareFile(group, file) }))
    .flatMap(({ file, lines }) => (lines === undefined ? [] : [{ file, lines }]));
  if (results.length === 0) continue;
  const equal = results.filter(({ lines }) => lines.length === 0).length;
  console.log(`${group.repo.padEnd(28)} ${`${equal}/${results.length}`.padStart(9)} equal`);
  for (const { file, lines } of results) {
    if (lines.length === 0) continue;
    console.log(`  ${file}: ${lines.length} differences`);
    if (cli.details) for (const line of lines) console.log(`    ${line.slice(0, 400)}`);
  }
}
