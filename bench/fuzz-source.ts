/**
 * Damaged C sources through the whole compiler: it must answer with an object or diagnostics, never
 * with a throw, and within the time limit. The sources are the examples and the tests' C files.
 * Run: npx tsx bench/fuzz-source.ts [--count 20000] [--seed 1] [--limit 5] [--keep FOLDER] [--only SEED]
 */
import { fork } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { AsmModule } from "../assembler/asm-module.ts";
import { assemble } from "../assembler/assemble.ts";
import { parseAssembly } from "../assembler/parse.ts";
import { printAssembly } from "../assembler/print.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { renderDiagnostic } from "../common/diagnostics/render.ts";
import type { FileSystem } from "../common/file-system.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";
import { loadObject } from "../linker/load.ts";
import { verifyObjectProgram } from "../vm/verifier/verify-program.ts";
import { mutant } from "./fuzz-mutations.ts";
import { cFilesBelow } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    count: { type: "string", default: "20000" },
    seed: { type: "string", default: "1" },
    limit: { type: "string", default: "5" },
    keep: { type: "string" },
    only: { type: "string" },
    worker: { type: "boolean", default: false },
  },
});

const root = join(import.meta.dirname, "..");
const sources = cFilesBelow(["examples", "test/cases"]).map((path) => ({
  path,
  text: readFileSync(path, "utf8"),
}));

// Sources that are wrong by themselves get less far, and long ones take long.
const weighted = sources.flatMap((source) => {
  const isWrong = /error/.test(source.path);
  const times = isWrong ? 1 : Math.max(2, Math.round(24_000 / (source.text.length + 1500)));
  return Array.from({ length: times }, () => source);
});

const levels = ["2", "0", "1", "s"] as const;
const cpus = ["v3", "v1", "v2", "v4"] as const;
const cache = new Map<string, Uint8Array | undefined>();

/**
 * What a mutant came to: an object, errors of the program's text, errors of a later phase, or the
 * place of the crash.
 */
interface Outcome {
  readonly kind: "compiled" | "checked" | "refused" | "crashed";
  readonly message?: string;
  /** CPU time. */
  readonly milliseconds: number;
}

function compileMutant(seed: number): Outcome {
  const started = process.cpuUsage();
  const outcome = tryMutant(seed);
  const { user, system } = process.cpuUsage(started);
  return { ...outcome, milliseconds: (user + system) / 1000 };
}

function tryMutant(seed: number): Omit<Outcome, "milliseconds"> {
  const { path, text } = mutant(weighted, seed);
  const files: FileSystem = {
    readFile(name) {
      if (name === path) return Buffer.from(text);
      if (!cache.has(name)) cache.set(name, nodeFileSystem.readFile(name));
      return cache.get(name);
    },
  };
  const options = {
    ...defaultPreprocessOptions,
    quoteDirectories: [join(root, "test/cases/bases")],
    target: { endian: "little", cpu: cpus[seed % 4] ?? "v3", strictAlign: false },
    optimization: levels[Math.floor(seed / 4) % 4] ?? "2",
    debugInfo: seed % 3 !== 0,
    warnings: [{ name: "all", state: "on" }],
  } as const;
  try {
    const diagnostics = new Diagnostics();
    const { assembly, checked, object } = compile(path, options, files, diagnostics);
    for (const diagnostic of diagnostics.list) renderDiagnostic(diagnostic, plain);
    if (object === undefined || diagnostics.hasErrors) {
      if (!diagnostics.hasErrors) return { kind: "crashed", message: "neither object nor errors" };
      return { kind: checked === undefined ? "refused" : "checked" };
    }
    const elf = writeElf(object);
    const message =
      (seed % 5 === 0 && assembly !== undefined ? assembledAlike(assembly, elf) : undefined) ??
      (seed % 7 === 0 ? judged(object, path) : undefined);
    return message === undefined ? { kind: "compiled" } : { kind: "crashed", message };
  } catch (error) {
    return { kind: "crashed", message: placeOf(error) };
  }
}

const plain = { color: false, tool: "bpfc" };

/** The printed assembly gives the same object; or what is wrong. */
function assembledAlike(assembly: AsmModule, elf: Uint8Array): string | undefined {
  const diagnostics = new Diagnostics();
  const file = { path: "mutant.s", text: printAssembly(assembly), isSystem: false };
  const { module } = parseAssembly(file, "little", diagnostics);
  const object = diagnostics.hasErrors ? undefined : assemble(module, diagnostics);
  const [first] = diagnostics.list;
  if (object === undefined) return `assembly: ${first?.message.replace(/'[^']*'/g, "…")}`;
  return Buffer.compare(writeElf(object), elf) === 0 ? undefined : "assembly: another object";
}

/** The object loads and is judged, or is refused with errors; or what is wrong. */
function judged(object: ObjectFile, path: string): string | undefined {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, path, diagnostics);
  if (loaded === undefined)
    return diagnostics.hasErrors ? undefined : "loading: neither programs nor errors";
  for (const program of loaded.programs)
    verifyObjectProgram(loaded, program, { maxProcessed: 20_000 });
  return undefined;
}

/** The message and the first frames of ours. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at .*\.ts:/.test(line));
  const names = frames.slice(0, cli.only === undefined ? 3 : 20).map((line) => line.trim());
  return `${error.name}: ${error.message.slice(0, 120)} ${names.join(" ")}`.replaceAll(root, "");
}

function work(first: number, end: number): void {
  for (let seed = first; seed < end; seed += 1) {
    process.send?.({ seed, outcome: compileMutant(seed) });
  }
  process.exit();
}

interface Tally {
  readonly counts: Record<Outcome["kind"] | "hung", number>;
  /** First seed of each kind of crash. */
  readonly crashes: Map<string, number>;
  slowest: { seed: number; milliseconds: number };
}

function keep(seed: number): void {
  if (cli.keep === undefined) return;
  mkdirSync(cli.keep, { recursive: true });
  writeFileSync(join(cli.keep, `${seed}.c`), mutant(weighted, seed).text);
}

/**
 * Runs seeds in a child until the end or its death; the first seed that is left. A seed that takes
 * too long is tried once more by itself, as the machine may have been busy.
 */
function runChild(first: number, end: number, tally: Tally, isRetry = false): Promise<number> {
  const args = ["--worker", "--seed", String(first), "--count", String(end - first)];
  const child = fork(import.meta.filename, args, { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let [next, since, isUp] = [first, performance.now(), false];
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => {
    errors = `${errors}${text}`.slice(-2000);
  });
  child.on("message", ({ seed, outcome }: { seed: number; outcome: Outcome }) => {
    const { milliseconds } = outcome;
    // The first ones also pay for V8 compiling the compiler.
    if (isUp && milliseconds > tally.slowest.milliseconds) tally.slowest = { seed, milliseconds };
    [next, since, isUp] = [seed + 1, performance.now(), true];
    tally.counts[outcome.kind] += 1;
    if (outcome.message !== undefined) note(outcome.message, seed, tally);
  });
  const watch = setInterval(() => {
    // Starting takes long on a busy machine.
    if (performance.now() - since > Number(cli.limit) * (isUp ? 8000 : 20_000))
      child.kill("SIGKILL");
  }, 200);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearInterval(watch);
      if (next >= end) return resolve(next);
      if (code === null && !isRetry) return resolve(runChild(next, next + 1, tally, true));
      tally.counts[code === null ? "hung" : "crashed"] += 1;
      note(code === null ? `hung on ${next}` : `died: ${errors.split("\n")[0]}`, next, tally);
      resolve(next + 1);
    });
  });
}

function note(message: string, seed: number, tally: Tally): void {
  if (tally.crashes.has(message)) return;
  tally.crashes.set(message, seed);
  console.log(`seed ${seed}: ${message}`);
  keep(seed);
}

async function main(): Promise<void> {
  const first = Number(cli.seed);
  const end = first + Number(cli.count);
  if (cli.worker) return work(first, end);
  const tally: Tally = {
    counts: { compiled: 0, checked: 0, refused: 0, crashed: 0, hung: 0 },
    crashes: new Map(),
    slowest: { seed: 0, milliseconds: 0 },
  };
  for (let next = first; next < end; ) next = await runChild(next, end, tally);
  const { slowest, counts } = tally;
  console.log(
    `${cli.count} mutants of ${sources.length} sources:`,
    Object.entries(counts)
      .map(([what, number]) => `${number} ${what}`)
      .join(", "),
    `(slowest: seed ${slowest.seed}, ${Math.round(slowest.milliseconds)} ms)`,
  );
  if (counts.crashed + counts.hung > 0) process.exitCode = 1;
}

if (cli.only !== undefined) {
  keep(Number(cli.only));
  console.log(JSON.stringify(compileMutant(Number(cli.only))).replaceAll(" at ", "\n  at "));
} else {
  await main();
}
