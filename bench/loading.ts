/**
 * What our loader makes of objects beside libbpf: for every program, the instructions after CO-RE,
 * maps, externs and calls have been resolved for the running kernel. `--prepare` is the program
 * built from bench/peers/libbpf-prepare.c, DIR a folder that corpus-objects.ts made.
 * Run: npx tsx bench/loading.ts DIR --prepare PROGRAM [--match TEXT]
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { parseKernelSymbols } from "../linker/kernel-symbols.ts";
import { loadObject } from "../linker/load.ts";
import { viewObject } from "../linker/object-view.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { objectAt } from "./object-contents.ts";
import { type IndexedObject, indexedObjects } from "./object-index.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: { match: { type: "string", default: "" }, prepare: { type: "string" } },
});
const [folder = "."] = positionals;
const prepare = cli.prepare;
if (prepare === undefined || !existsSync(prepare)) throw new Error("--prepare PROGRAM is missing");
const target = kernelBtf();
const kernelSymbols = parseKernelSymbols(readFileSync("/proc/kallsyms", "utf8"));

function kernelBtf(): Btf {
  const btf = readBtf(readFileSync("/sys/kernel/btf/vmlinux"), new Diagnostics());
  if (btf === undefined) throw new Error("the kernel has no readable BTF");
  return btf;
}

interface PreparedProgram {
  readonly type: number;
  readonly attachType: number;
  /** Hexadecimal, with the map's name where one is meant. */
  readonly slots: readonly string[];
}

/** By program name; or libbpf's complaint. */
function withLibbpf(
  path: string,
  names: readonly string[],
): ReadonlyMap<string, PreparedProgram> | string {
  const { status, stdout, stderr } = spawnSync(prepare ?? "", [path, ...names], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) return stderr.trim().split("\n").slice(-3)[0] ?? "failed";
  const programs = new Map<string, PreparedProgram>();
  let slots: string[] = [];
  for (const line of stdout.trimEnd().split("\n")) {
    const [, name, type, attachType] = /^program (\S+) (\d+) (\d+)/.exec(line) ?? [];
    if (name === undefined) slots.push(line);
    else {
      slots = [];
      programs.set(name, { type: Number(type), attachType: Number(attachType), slots });
    }
  }
  return programs;
}

const dataMap = /^.*(\.(?:rodata|data|bss|kconfig))$/;
const poison = { core: 0xbadc0de, kfunc: 0xbadf00d };

/** One form for both: maps by name, poison without the number of the relocation. */
function canonicalSlots(slots: readonly string[]): string[] {
  return slots.map((slot) => {
    const [hex = "", , map] = slot.split(" ");
    const bytes = Buffer.from(hex, "hex");
    if (map !== undefined) bytes.writeInt32LE(0, 4);
    const isCall = bytes[0] === 0x85 && (bytes[1] ?? 0) >> 4 === 0;
    const number = bytes.readInt32LE(4);
    if (isCall && number >= 195_896_080 && number < 196_000_000) bytes.writeInt32LE(poison.core, 4);
    if (isCall && number >= 2_002_000_000 && number < 2_003_000_000)
      bytes.writeInt32LE(poison.kfunc, 4);
    return bytes.toString("hex") + (map === undefined ? "" : ` ${map.replace(dataMap, "$1")}`);
  });
}

/** Our slots in the same form. */
function ownSlots({ insns }: ProgramSpec, loaded: LoadedObject): string[] {
  const bytes = Buffer.from(insns);
  const slots: string[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const source = (bytes[at + 1] ?? 0) >> 4;
    const isMap = bytes[at] === 0x18 && (source === 1 || source === 2);
    const hex = bytes.subarray(at, at + 8).toString("hex");
    const map = loaded.maps[bytes.readInt32LE(at + 4)]?.name ?? "?";
    slots.push(isMap ? `${hex} map ${map}` : hex);
  }
  return canonicalSlots(slots);
}

const kinds = new Map<string, number>();
const counts = { objects: 0, equalObjects: 0, programs: 0, equalPrograms: 0, relocations: 0 };
const refused = { libbpf: 0, both: 0 };

function countRelocations(path: string): void {
  const view = viewObject(objectAt(path), path, new Diagnostics());
  for (const { records } of view?.btfExt?.coreRelocations ?? []) {
    for (const record of records) {
      kinds.set(record.kind, (kinds.get(record.kind) ?? 0) + 1);
      counts.relocations += 1;
    }
  }
}

function compareProgram(
  name: string,
  theirs: PreparedProgram,
  loaded: LoadedObject,
): string | undefined {
  const own = loaded.programs.find((program) => program.name === name);
  if (own === undefined) return "missing";
  const slots = ownSlots(own, loaded);
  const expected = canonicalSlots(theirs.slots);
  const at = expected.findIndex((slot, index) => slot !== slots[index]);
  if (at >= 0) return `instruction ${at}: libbpf ${expected[at]}, bpfc ${slots[at]}`;
  if (slots.length !== expected.length) return `${slots.length} slots, not ${expected.length}`;
  if (own.type !== theirs.type) return `type ${own.type}, libbpf ${theirs.type}`;
  if (own.attachType !== theirs.attachType)
    return `attach type ${own.attachType}, libbpf ${theirs.attachType}`;
  return undefined;
}

function compareObject({ path, maker, entry }: IndexedObject): void {
  const show = (what: string): void => console.log(`  ${maker} ${entry.name}: ${what}`);
  const diagnostics = new Diagnostics();
  const loaded = loadObject(objectAt(path), path, diagnostics, {
    targetBtf: target,
    kernelSymbols,
    unknownKconfigIsZero: true,
  });
  const theirs = withLibbpf(path, []);
  if (typeof theirs === "string") {
    refused.libbpf += 1;
    if (loaded === undefined) refused.both += 1;
    show(`libbpf refuses: ${theirs}`);
    return;
  }
  if (theirs.size === 0) return;
  counts.objects += 1;
  countRelocations(path);
  counts.programs += theirs.size;
  if (loaded === undefined) {
    show(`bpfc refuses: ${diagnostics.list[0]?.message}`);
    return;
  }
  const wrong = [...theirs].flatMap(([name, program]) => {
    const difference = compareProgram(name, program, loaded);
    if (difference !== undefined) show(`${name}: ${difference}`);
    return difference === undefined ? [] : [name];
  });
  counts.equalPrograms += theirs.size - wrong.length;
  if (wrong.length === 0) counts.equalObjects += 1;
}

for (const object of indexedObjects(folder, cli.match)) compareObject(object);
console.log(
  `${counts.equalObjects} of ${counts.objects} objects and ${counts.equalPrograms} of ` +
    `${counts.programs} programs have libbpf's instructions; ${counts.relocations} CO-RE ` +
    `relocations; libbpf refuses ${refused.libbpf} objects, both ${refused.both}`,
);
console.log([...kinds].map(([kind, count]) => `${kind} ${count}`).join(", "));
