/**
 * Makes the objects that the measurements of object tools read: every program of the manifests with
 * clang-19 (`clang/N.o`, `clang/N.s`) and bpfc (`bpfc/N.o`, `bpfc/N.s`), and `index.json` about them.
 * Run: npx tsx bench/corpus-objects.ts [--manifest FILE…] --out DIR [--cpu v3]
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { printAssembly } from "../assembler/print.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { withBpfc as compileWithBpfc } from "./compile-object.ts";
import type { ProgramIndexEntry } from "./object-index.ts";
import { type ProgramGroup, programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    manifest: { type: "string", multiple: true },
    out: { type: "string" },
    cpu: { type: "string", default: "v3" },
  },
});
if (cli.out === undefined) throw new Error("--out DIR is missing");
const out = resolve(cli.out);
for (const maker of ["clang", "bpfc"]) mkdirSync(join(out, maker), { recursive: true });
const root = join(import.meta.dirname, "..");

function withClang(group: ProgramGroup, file: string, name: string): boolean {
  const headers = group.cwd === root ? ["-nostdinc", "-I", join(root, "compiler/include")] : [];
  const common = ["-target", "bpf", `-mcpu=${cli.cpu}`, "-O2", "-g", "-Wno-everything"];
  const input = [...headers, ...group.flags, "-I", dirname(file), file];
  return [
    ["-c", ".o"],
    ["-S", ".s"],
  ].every(([mode = "", ending]) => {
    const output = join(out, "clang", name + ending);
    const args = [...common, ...input, mode, "-o", output];
    return spawnSync("clang-19", args, { cwd: group.cwd }).status === 0;
  });
}

function withBpfc(group: ProgramGroup, file: string, name: string): boolean {
  const { object, assembly } = compileWithBpfc(group, file, { cpu: cli.cpu, level: "2" });
  if (object === undefined || assembly === undefined) return false;
  writeFileSync(join(out, "bpfc", `${name}.o`), writeElf(object));
  writeFileSync(join(out, "bpfc", `${name}.s`), printAssembly(assembly));
  return true;
}

const groups = (cli.manifest ?? [undefined]).flatMap((path) =>
  programGroups(path === undefined ? undefined : resolve(path)),
);
const index = groups.flatMap((group) =>
  group.files.map((file): ProgramIndexEntry => {
    const name = `${group.repo}__${file.replaceAll("/", "__").replace(/\.c$/, "")}`;
    const clang = withClang(group, file, name);
    const bpfc = withBpfc(group, file, name);
    if (clang !== bpfc) console.log(`${name}: clang ${clang}, bpfc ${bpfc}`);
    return { name, repo: group.repo, file, clang, bpfc };
  }),
);
writeFileSync(join(out, "index.json"), `${JSON.stringify(index, null, 1)}\n`);
const count = (maker: "clang" | "bpfc"): number => index.filter((entry) => entry[maker]).length;
console.log(`${index.length} programs: clang ${count("clang")}, bpfc ${count("bpfc")} objects`);
