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
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { compile } from "../compiler/compile.ts";
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
  const words = [`-mcpu=${cli.cpu}`, "-O2", ...group.flags, "-I", dirname(file), file];
  const parsed = parseCcArguments(words);
  if (parsed.kind !== "compile") return false;
  const diagnostics = new Diagnostics();
  const before = process.cwd();
  process.chdir(group.cwd);
  try {
    const options = compileOptions(parsed.options);
    const { object, assembly } = compile(file, options, nodeFileSystem, diagnostics);
    if (object === undefined || assembly === undefined || diagnostics.hasErrors) return false;
    writeFileSync(join(out, "bpfc", `${name}.o`), writeElf(object));
    writeFileSync(join(out, "bpfc", `${name}.s`), printAssembly(assembly));
    return true;
  } finally {
    process.chdir(before);
  }
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
