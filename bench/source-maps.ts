/**
 * Source maps of real programs, position by position: every mapping from assembly text to C names the
 * place that the comment above the instruction names, and the line there has the text that the comment
 * quotes; every mapping from an object to its text leads from an instruction's bytes to its line.
 * Run: npm run build && npx tsx bench/source-maps.ts --manifest FILE [--match TEXT]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type MappingItem, SourceMapConsumer } from "source-map";
import { decodeInstruction } from "../common/isa/decode.ts";
import { printInstruction } from "../common/isa/print.ts";
import { programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: { manifest: { type: "string" }, match: { type: "string", default: "" } },
});
const bundle = join(import.meta.dirname, "../dist/bpfc.cjs");
const work = mkdtempSync(join(tmpdir(), "bpfc-maps-"));
const at = (name: string): string => join(work, name);

function bpfc(cwd: string, ...words: readonly string[]): boolean {
  return spawnSync(process.execPath, [bundle, ...words], { cwd }).status === 0;
}

async function mappingsOf(path: string): Promise<MappingItem[]> {
  const places: MappingItem[] = [];
  await SourceMapConsumer.with(readFileSync(path, "utf8"), null, (consumer) => {
    consumer.eachMapping((mapping) => places.push(mapping));
  });
  return places;
}

/** Mappings to C that are wrong, and how many there are. */
async function checkText(): Promise<[wrong: number, all: number]> {
  const lines = readFileSync(at("text.s"), "utf8").split("\n");
  const { sources, sourcesContent } = JSON.parse(readFileSync(at("text.map"), "utf8"));
  const contents = new Map<string, string[]>(
    sources.map((name: string, i: number) => [name, (sourcesContent[i] ?? "").split("\n")]),
  );
  let comment = "";
  const comments = lines.map((line) => {
    if (/^\t# .*:\d+:\d+/.test(line)) comment = line;
    return comment;
  });
  const places = await mappingsOf(at("text.map"));
  const isRight = (place: MappingItem): boolean => {
    const above = comments[place.generatedLine - 1] ?? "";
    const [, line, column, text = ""] = /:(\d+):(\d+) {2}(.*)$/.exec(above) ?? [];
    const source = contents.get(place.source ?? "")?.[(place.originalLine ?? 0) - 1] ?? "";
    return (
      Number(line) === place.originalLine &&
      Math.max(0, Number(column) - 1) === place.originalColumn &&
      source.trim().startsWith(text.trim().slice(0, 60)) &&
      /^\t[^#.]/.test(lines[place.generatedLine - 1] ?? "")
    );
  };
  return [places.filter((place) => !isRight(place)).length, places.length];
}

/** Mappings from bytes to text that are wrong, and how many there are; every instruction has one. */
async function checkObject(): Promise<[wrong: number, all: number]> {
  const lines = readFileSync(at("text.s"), "utf8").split("\n");
  const elf = new Uint8Array(readFileSync(at("text.o")));
  // Symbols and labels are numbers in the object.
  const plain = (words: string): string => words.replace(/(goto|call) .*$| \S+ ll$/, "");
  const places = await mappingsOf(at("object.map"));
  const isRight = ({ originalLine, originalColumn, generatedColumn }: MappingItem): boolean => {
    const text = lines[(originalLine ?? 0) - 1]?.slice(originalColumn ?? 0) ?? "";
    const decoded = decodeInstruction(elf, generatedColumn, "little");
    return decoded.ok && plain(printInstruction(decoded.insn)) === plain(text);
  };
  const instructions = lines.filter((line) => /^\t(?![.#])./.test(line)).length;
  const missing = Math.abs(instructions - places.length);
  return [places.filter((place) => !isRight(place)).length + missing, places.length];
}

let programs = 0;
const totals = { text: [0, 0] as [number, number], object: [0, 0] as [number, number] };
for (const { cwd, files, flags, repo } of programGroups(cli.manifest && resolve(cli.manifest))) {
  for (const file of files.filter((path) => path.includes(cli.match))) {
    const maps = ["--source-map", at("text.map"), "--source-map-content"];
    const words = ["-O2", "-g", "-w", ...flags, "-I", dirname(file), "-S", file];
    if (!bpfc(cwd, "cc", ...words, "-o", at("text.s"), ...maps)) continue;
    if (!bpfc(work, "as", at("text.s"), "-o", at("text.o"), "--source-map", at("object.map")))
      throw new Error(`${file}: its text does not assemble`);
    programs += 1;
    const results = { text: await checkText(), object: await checkObject() };
    for (const which of ["text", "object"] as const) {
      const [wrong, all] = results[which];
      totals[which][0] += wrong;
      totals[which][1] += all;
      if (wrong > 0) console.log(`${repo} ${file}: ${wrong} of ${all} ${which} mappings are wrong`);
    }
  }
}
console.log(
  `${programs} programs: ${totals.text[1]} mappings to C, ${totals.text[0]} wrong; ` +
    `${totals.object[1]} from bytes to text, ${totals.object[0]} wrong`,
);
rmSync(work, { recursive: true });
