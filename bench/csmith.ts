/**
 * Random programs of csmith through bpfc and the VM, against gcc on this machine: both print a
 * checksum of all global variables. Integer-only, with bit-fields, packed structs, unions, volatiles
 * and pointers.
 * Run: npx tsx bench/csmith.ts [--count 1000] [--seed 1] [--levels 0,2] [--cpus v3] [--engine jit] [--keep FOLDER]
 *        [--options="--max-funcs 10 --builtins …"]   options of csmith instead of the usual ones
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { compile } from "../compiler/compile.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import { Kernel, type LoadedSet } from "../vm/kernel/kernel.ts";
import { ArrayMap } from "../vm/maps/array.ts";
import { runProgram } from "../vm/programs/run.ts";

const { values: cli } = parseArgs({
  options: {
    count: { type: "string", default: "1000" },
    seed: { type: "string", default: "1" },
    levels: { type: "string", default: "0,2" },
    cpus: { type: "string", default: "v3" },
    engine: { type: "string", default: "jit" },
    keep: { type: "string" },
    options: { type: "string" },
  },
});

const usualOptions = [
  ...["--concise", "--max-funcs", "4", "--max-block-depth", "3"],
  ...["--max-block-size", "3", "--max-expr-complexity", "6"],
  ...["--max-array-dim", "2", "--max-array-len-per-dim", "4", "--max-struct-fields", "6"],
  ...["--bitfields", "--packed-struct", "--unions", "--volatiles", "--pointers", "--math64"],
];
const options = ["--no-argc", "--quiet", ...(cli.options?.split(" ") ?? usualOptions)];
const headers = join(import.meta.dirname, "csmith");
const work = mkdtempSync(join(tmpdir(), "bpfc-csmith-"));
/** One run of a compiled program; programs that take longer are not counted. */
const patience = 2000;

/** What gcc's program prints; undefined where it does not end in time. */
function expected(source: string): string | undefined {
  const binary = join(work, "program");
  const flags = ["-std=gnu17", "-w", "-O0", "-fwrapv", "-fno-strict-aliasing", "-I", headers];
  const built = spawnSync("gcc", [...flags, source, "-o", binary], { timeout: 60_000 });
  if (built.status !== 0) return undefined;
  const ran = spawnSync(binary, [], { timeout: patience, encoding: "utf8" });
  return ran.status === 0 ? ran.stdout.trim() : undefined;
}

/** The object, or why there is none. */
function compiled(source: string, level: string, cpu: string): ObjectFile | string {
  const words = [`-O${level}`, `-mcpu=${cpu}`, "-w", "-I", headers, source];
  const parsed = parseCcArguments(words);
  if (parsed.kind !== "compile") return "bad options";
  const diagnostics = new Diagnostics();
  const { object } = compile(source, compileOptions(parsed.options), nodeFileSystem, diagnostics);
  const problem = diagnostics.list.find(({ severity }) => severity === "error");
  return problem?.message ?? object ?? "no object";
}

/** Loaders know no pointers in data: they are put in here, as addresses in the VM's memory. */
function fillPointers(
  object: ObjectFile,
  loaded: LoadedObject,
  set: LoadedSet,
  kernel: Kernel,
): void {
  const startOf = (section: string): number | undefined => {
    const name = loaded.maps.find((map) => map.dataSection === section)?.name;
    const map = name === undefined ? undefined : set.maps.get(name);
    return map instanceof ArrayMap ? map.start : undefined;
  };
  const view = new DataView(kernel.memory.bytes.buffer);
  for (const section of object.sections) {
    const start = startOf(section.name);
    if (start === undefined) continue;
    for (const { offset, symbol } of section.relocations) {
      const target = object.symbols[symbol];
      const held =
        typeof target?.section === "number" ? object.sections[target.section] : undefined;
      const base = held && startOf(held.name);
      if (target === undefined || base === undefined) throw new Error("pointer to unknown data");
      const addend = view.getBigUint64(start + offset, true);
      view.setBigUint64(start + offset, BigInt(base + target.value) + addend, true);
    }
  }
}

/** The checksum, or what went wrong. */
function run(object: ObjectFile, source: string): string {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, source, diagnostics);
  if (loaded === undefined) return `not loaded: ${diagnostics.list[0]?.message}`;
  const kernel = new Kernel();
  const set = kernel.load(loaded);
  if ("message" in set) return `not loaded: ${set.message}`;
  const program = set.programs.get("bpfc_entry");
  if (program === undefined) return "no program";
  fillPointers(object, loaded, set, kernel);
  const engine = cli.engine === "interpreter" ? "interpreter" : "jit";
  const result = runProgram(kernel, program, { fuel: 400_000_000, engine });
  return result.error ? `fault: ${result.error.message}` : String(result.retval);
}

function outcome(source: string, level: string, cpu: string): string {
  try {
    const object = compiled(source, level, cpu);
    if (typeof object !== "string") return run(object, source);
    return object.includes("stack") ? `more than the stack: ${object}` : `not compiled: ${object}`;
  } catch (error) {
    return `crash: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const counts = new Map<string, number>();
const count = (what: string): void => {
  counts.set(what, (counts.get(what) ?? 0) + 1);
};

const first = Number(cli.seed);
for (let seed = first; seed < first + Number(cli.count); seed += 1) {
  const source = join(work, `${seed}.c`);
  spawnSync("csmith", [...options, "--seed", String(seed), "-o", source], { timeout: 10_000 });
  const wanted = expected(source);
  if (wanted === undefined) {
    count("does not end");
    continue;
  }
  for (const level of cli.levels.split(",")) {
    for (const cpu of cli.cpus.split(",")) {
      const got = outcome(source, level, cpu);
      const kind = got === wanted ? "right" : (/^[a-z ]+(?=:)/.exec(got)?.[0] ?? "wrong");
      count(kind);
      if (kind === "right" || kind === "more than the stack") continue;
      console.log(`seed ${seed} -O${level} ${cpu}: ${got} instead of ${wanted}`);
      if (cli.keep === undefined) continue;
      mkdirSync(cli.keep, { recursive: true });
      writeFileSync(join(cli.keep, `${seed}.c`), nodeFileSystem.readFile(source) ?? "");
    }
  }
}
rmSync(work, { recursive: true });
console.log([...counts].map(([what, number]) => `${what}: ${number}`).join(", "));
