/**
 * Merging equal types of an input as large as a kernel: CPU of `bpfc link` beside `bpftool gen
 * object`, whole processes, interleaved. The inputs are ELF objects that hold a kernel's types
 * (without its variables): one object, and the same types in two objects.
 * Run: npm run build && npx tsx bench/deduplication.ts [--btf FILE] [--bpftool PROGRAM] [--runs N]
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { mapReferences } from "../common/object/btf-references.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { viewObject } from "../linker/object-view.ts";
import { objectAt } from "./object-contents.ts";
import { median } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    btf: { type: "string", default: "/sys/kernel/btf/vmlinux" },
    bpftool: { type: "string", default: "bpftool" },
    runs: { type: "string", default: "7" },
  },
});
const work = mkdtempSync(join(tmpdir(), "bpfc-dedup-"));
const bundle = join(import.meta.dirname, "../dist/bpfc.cjs");

/** Variables need sections, which the object does not have. */
function withoutVariables({ endian, types }: Btf): Btf {
  const isKept = types.map(({ kind }) => kind !== "var" && kind !== "datasec");
  const isTag = (index: number): boolean => {
    const type = types[index];
    return type?.kind === "decl_tag" && isKept[type.type - 1] === false;
  };
  let next = 0;
  const ids = types.map((_, index) => (isKept[index] && !isTag(index) ? ++next : 0));
  const kept = types.filter((_, index) => ids[index] !== 0);
  return {
    endian,
    types: kept.map((type) => mapReferences(type, (id) => (id === 0 ? 0 : (ids[id - 1] ?? 0)))),
  };
}

function makeInput(name: string, btf: Btf): string {
  const data = writeBtf(btf).btf;
  const section = { kind: "progbits", elfType: 1, entrySize: 0, relocations: [] } as const;
  const sections = [
    { ...section, name: ".text", flags: 6, align: 4, data: new Uint8Array(), size: 0 },
    { ...section, name: ".BTF", flags: 0, align: 4, data, size: data.length },
  ];
  const path = join(work, name);
  writeFileSync(path, writeElf({ endian: btf.endian, sections, symbols: [] }));
  return path;
}

/** User and system seconds of a command. */
function cpuOf(command: string, ...args: readonly string[]): number {
  const script = 'TIMEFORMAT="%U %S"; time "$@" >/dev/null';
  const env = { ...process.env };
  delete env["NODE_EXTRA_CA_CERTS"];
  const shell = ["-c", `{ ${script}; } 2>&1`, "time", command, ...args];
  const text = execFileSync("bash", shell, { encoding: "utf8", env });
  const [user = 0, system = 0] = text.trim().split(/\s+/).slice(-2).map(Number);
  return user + system;
}

const typeCount = (path: string): number =>
  viewObject(objectAt(path), path, new Diagnostics())?.btf?.types.length ?? 0;

const kernel = readBtf(readFileSync(cli.btf), new Diagnostics());
if (kernel === undefined) throw new Error(`${cli.btf}: no readable BTF`);
const types = withoutVariables(kernel);
const structs = types.types.filter(({ kind }) => kind === "struct").length;
console.log(`${types.types.length} types, ${structs} of them structs`);
const first = makeInput("first.o", types);
const second = makeInput("second.o", types);
for (const inputs of [[first], [first, second]]) {
  const [ours, theirs] = [join(work, "ours.o"), join(work, "theirs.o")];
  const times = { bpfc: [] as number[], bpftool: [] as number[] };
  for (let run = 0; run < Number(cli.runs); run++) {
    times.bpftool.push(cpuOf(cli.bpftool, "gen", "object", theirs, ...inputs));
    times.bpfc.push(cpuOf(process.execPath, bundle, "link", ...inputs, "-o", ours));
  }
  const [bpfc, bpftool] = [median(times.bpfc), median(times.bpftool)];
  console.log(
    `${inputs.length} object(s): bpfc ${(bpfc * 1000).toFixed(0)} ms, ${typeCount(ours)} types, ` +
      `${statSync(ours).size} bytes; bpftool ${(bpftool * 1000).toFixed(0)} ms, ` +
      `${typeCount(theirs)} types, ${statSync(theirs).size} bytes; ratio ${(bpfc / bpftool).toFixed(2)}`,
  );
}
rmSync(work, { recursive: true });
