/**
 * Damaged ELF and BTF files through everything that reads them: each must be read or refused with a
 * diagnostic, never end in a throw, and stay within the limits of time and memory. Inputs are the
 * objects of the project's own C files, and the BTF in them.
 * Run: npx tsx bench/fuzz-objects.ts [--count 200000] [--seed 1] [--limit 10] [--memory 1024]
 *      [--keep FOLDER] [--only SEED]
 */
import { fork } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { disassemble } from "../assembler/disassemble.ts";
import { printAssembly } from "../assembler/print.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { stripDebug } from "../cli/strip.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { writeBtf } from "../common/object/btf-writer.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { isElf, readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { compile } from "../compiler/compile.ts";
import { applyCoreRelocations } from "../linker/core/apply.ts";
import { diffBtf } from "../linker/dump/btf-diff.ts";
import { vmlinuxHeader } from "../linker/dump/c.ts";
import { dumpBtfJson } from "../linker/dump/json.ts";
import { sortForC } from "../linker/dump/order.ts";
import { dumpBtf, ownTypes } from "../linker/dump/raw.ts";
import { foreignSection, sectionFileOffsets } from "../linker/foreign-elf.ts";
import { linkObjects } from "../linker/link.ts";
import { listFunctions, listInstructions } from "../linker/listing.ts";
import { loadObject } from "../linker/load.ts";
import { minimiseBtf } from "../linker/minimise-btf.ts";
import { diffObjects } from "../linker/object-diff.ts";
import { isCode, type ObjectView, viewObject } from "../linker/object-view.ts";
import type { LoadedObject } from "../linker/program.ts";
import { cSkeleton } from "../linker/skeleton/c.ts";
import { cSubskeleton } from "../linker/skeleton/c-sub.ts";
import { objectManifest } from "../linker/skeleton/manifest.ts";
import { typescriptSkeleton } from "../linker/skeleton/typescript.ts";
import { damage, randomNumbers } from "../test/support/fuzz.ts";
import { verifyObjectProgram } from "../vm/verifier/verify-program.ts";
import { cFilesBelow } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    count: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    limit: { type: "string", default: "10" },
    memory: { type: "string", default: "1024" },
    keep: { type: "string" },
    only: { type: "string" },
    worker: { type: "boolean", default: false },
  },
});
const root = join(import.meta.dirname, "..");

interface Input {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Where ELF sections start. */
  readonly places: readonly number[];
}

const folders = ["examples", "test/cases/bases", "test/cases/core", "test/cases/object-tools"];

/** Objects of both byte orders, and their BTF alone. */
function makeInputs(): Input[] {
  return cFilesBelow(folders).flatMap((path, index): Input[] => {
    const target = { ...defaultPreprocessOptions.target, endian: "little" } as const;
    const options = {
      ...defaultPreprocessOptions,
      quoteDirectories: [join(root, "test/cases/bases")],
      target: index % 5 === 4 ? { ...target, endian: "big" as const } : target,
    };
    const { object } = compile(path, options, nodeFileSystem, new Diagnostics());
    if (object === undefined) return [];
    const bytes = writeElf(object);
    const btf = object.sections.find(({ name }) => name === ".BTF")?.data;
    const elf = { path, bytes, places: sectionFileOffsets(bytes).filter((place) => place > 0) };
    return btf === undefined
      ? [elf]
      : [elf, elf, elf, { path: `${path}.btf`, bytes: btf, places: [24] }];
  });
}

const words = [
  0, 1, 2, 4, 8, 0x7f, 0xff, 0x100, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
];

/** Whole words of a section are changed: lengths, offsets, ids, indexes. */
function damageWords({ bytes, places }: Input, random: (limit: number) => number): Uint8Array {
  const changed = bytes.slice();
  const view = new DataView(changed.buffer);
  for (let i = 1 + random(6); i > 0; i--) {
    const start = places[random(places.length)] ?? 0;
    const at = start + random(Math.min(600, Math.max(1, (bytes.length - start) >> 2))) * 4;
    if (at + 4 > bytes.length) continue;
    const old = view.getUint32(at, true);
    const choice = random(5);
    if (choice === 0) view.setUint32(at, words[random(words.length)] ?? 0, true);
    else if (choice === 1) view.setUint32(at, (old + random(5) - 2) >>> 0, true);
    else if (choice === 2) view.setUint32(at, random(64), true);
    else if (choice === 3)
      view.setUint32(at, view.getUint32(random(bytes.length >> 2) * 4, true), true);
    else view.setUint32(at, old ^ (1 << random(32)), true);
  }
  return changed;
}

const inputs = makeInputs();

function mutant(seed: number): { readonly input: Input; readonly bytes: Uint8Array } {
  const random = randomNumbers(Math.imul(seed, 2654435761) ^ 0x9e3779b9);
  random(2);
  const input = inputs[random(inputs.length)]!;
  const bytes = random(2) === 0 ? damage(input.bytes, random) : damageWords(input, random);
  return { input, bytes };
}

const kernel = (() => {
  const path = join(root, "test/cases/core/kernel-moved.c");
  const { object } = compile(path, defaultPreprocessOptions, nodeFileSystem, new Diagnostics());
  const btf = object && viewObject(object, path, new Diagnostics())?.btf;
  if (btf === undefined) throw new Error("the kernel's types do not compile");
  return btf;
})();
const partner = readElf(inputs[0]!.bytes, "partner.o", new Diagnostics())!;
const partnerView = viewObject(partner, "partner.o", new Diagnostics())!;

/** Everything that takes types. */
function readTypes(btf: Btf): void {
  dumpBtf(btf);
  dumpBtfJson(btf);
  vmlinuxHeader(btf, sortForC(btf, ownTypes(btf)));
  diffBtf(kernel, btf);
  writeBtf(btf);
}

function showLoaded(loaded: LoadedObject, bytes: Uint8Array): void {
  cSkeleton(loaded, "name", bytes);
  cSubskeleton(loaded, "name");
  typescriptSkeleton(loaded, "name", bytes);
  objectManifest(loaded, "name");
  for (const program of loaded.programs.slice(0, 2)) {
    verifyObjectProgram(loaded, program, { maxProcessed: 3000 });
  }
}

function showView(view: ObjectView): void {
  const { object, btf, btfExt, path } = view;
  if (btf !== undefined) readTypes(btf);
  listFunctions(view);
  object.sections.forEach((section, index) => {
    if (isCode(section)) listInstructions(view, section, index);
  });
  diffObjects(partnerView, view);
  if (btf === undefined || btfExt === undefined) return;
  const input = { object, path, btf, btfExt };
  const { resolutions } = applyCoreRelocations(input, kernel, new Diagnostics());
  minimiseBtf(
    kernel,
    resolutions.map((each) => each.resolution),
  );
}

/** "read", or "refused" with a diagnostic; throws where neither. */
function readObject(object: ObjectFile, bytes: Uint8Array): "read" | "refused" {
  const refusals: Diagnostics[] = [];
  const attempt = <T>(
    what: string,
    run: (diagnostics: Diagnostics) => T | undefined,
  ): T | undefined => {
    const diagnostics = new Diagnostics();
    const result = run(diagnostics);
    if (result !== undefined && !diagnostics.hasErrors) return result;
    if (!diagnostics.hasErrors) throw new Error(`${what}: neither a result nor a diagnostic`);
    refusals.push(diagnostics);
    return undefined;
  };
  const view = attempt("view", (diagnostics) => viewObject(object, "damaged.o", diagnostics));
  if (view !== undefined) showView(view);
  for (const targetBtf of [undefined, kernel]) {
    const options = { unknownKconfigIsZero: true, ...(targetBtf && { targetBtf }) };
    const loaded = attempt("load", (diagnostics) =>
      loadObject(object, "damaged.o", diagnostics, options),
    );
    if (loaded !== undefined) showLoaded(loaded, bytes);
  }
  const damaged = { object, path: "damaged.o" };
  const both = [{ object: partner, path: "partner.o" }, damaged];
  const linked = attempt("link", (diagnostics) => linkObjects([damaged], diagnostics));
  if (linked !== undefined) writeElf(linked);
  attempt("link two", (diagnostics) => linkObjects(both, diagnostics));
  writeElf(stripDebug(object));
  printAssembly(disassemble(object));
  return refusals.length === 0 ? "read" : "refused";
}

/** What a mutant came to. */
interface Outcome {
  readonly kind: "read" | "refused" | "crashed";
  readonly message?: string;
}

function tryMutant(seed: number): Outcome {
  const { bytes } = mutant(seed);
  try {
    const diagnostics = new Diagnostics();
    if (!isElf(bytes)) {
      const btf = readBtf(bytes, diagnostics, "damaged.btf");
      if (btf !== undefined) readTypes(btf);
      else if (!diagnostics.hasErrors) throw new Error("BTF: neither a result nor a diagnostic");
      return { kind: btf === undefined ? "refused" : "read" };
    }
    foreignSection(bytes, ".BTF");
    const object = readElf(bytes, "damaged.o", diagnostics);
    if (object !== undefined) return { kind: readObject(object, bytes) };
    if (!diagnostics.hasErrors) throw new Error("ELF: neither a result nor a diagnostic");
    return { kind: "refused" };
  } catch (error) {
    return { kind: "crashed", message: placeOf(error) };
  }
}

/** The message and the first frames of ours. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const frames = (error.stack ?? "").split("\n").filter((line) => /^\s+at .*\.ts:/.test(line));
  const names = frames.slice(0, cli.only === undefined ? 3 : 20).map((line) => line.trim());
  return `${error.name}: ${error.message.slice(0, 120)} ${names.join(" ")}`.replaceAll(root, "");
}

interface Report {
  readonly seed: number;
  readonly outcome: Outcome;
  /** Bytes in use by the process. */
  readonly memory: number;
  /** CPU time that the mutant took. */
  readonly milliseconds: number;
}

function work(first: number, end: number): void {
  for (let seed = first; seed < end; seed += 1) {
    const before = process.cpuUsage();
    const outcome = tryMutant(seed);
    const { user, system } = process.cpuUsage(before);
    const milliseconds = (user + system) / 1000;
    process.send?.({ seed, outcome, memory: process.memoryUsage.rss(), milliseconds });
  }
  process.exit();
}

const counts: Record<Outcome["kind"] | "hung", number> = {
  read: 0,
  refused: 0,
  crashed: 0,
  hung: 0,
};
const crashes = new Map<string, number>();
const peaks = { memory: 0, slowest: { seed: 0, milliseconds: 0 } };

function note(seed: number, kind: keyof typeof counts, message: string = kind): void {
  counts[kind] += 1;
  if (kind === "read" || kind === "refused" || crashes.has(message)) return;
  crashes.set(message, seed);
  console.log(`seed ${seed}: ${message}`);
  if (cli.keep === undefined) return;
  mkdirSync(cli.keep, { recursive: true });
  writeFileSync(join(cli.keep, String(seed)), mutant(seed).bytes);
}

/** Seconds of CPU that a process has had; 0 once it is gone. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return 0;
  }
}

/** Runs seeds in a child until the end or its death; the first seed that is left. */
function runChild(first: number, end: number): Promise<number> {
  return new Promise((resolve) => {
    const args = ["--worker", "--seed", String(first), "--count", String(end - first)];
    const execArgv = [...process.execArgv, `--max-old-space-size=${cli.memory}`];
    const child = fork(import.meta.filename, args, { execArgv });
    let next = first;
    let timer: NodeJS.Timeout | undefined;
    // In CPU time: a busy machine may stop a process for long.
    const arm = (seconds: number): void => {
      clearTimeout(timer);
      const end = cpuSeconds(child.pid!) + seconds;
      const check = (): void => {
        const left = end - cpuSeconds(child.pid!);
        if (left <= 0) child.kill("SIGKILL");
        else timer = setTimeout(check, left * 1000);
      };
      timer = setTimeout(check, seconds * 1000);
    };
    // The first one waits for the inputs to be compiled.
    arm(Number(cli.limit) + 120);
    child.on("message", ({ seed, outcome, memory, milliseconds }: Report) => {
      if (milliseconds > peaks.slowest.milliseconds) peaks.slowest = { seed, milliseconds };
      peaks.memory = Math.max(peaks.memory, memory);
      arm(Number(cli.limit));
      note(seed, outcome.kind, outcome.message);
      next = seed + 1;
    });
    child.on("exit", (code, signal) => {
      clearTimeout(timer);
      if (next >= end) return resolve(next);
      note(next, signal === "SIGKILL" ? "hung" : "crashed", `ended with ${signal ?? code}`);
      resolve(next + 1);
    });
  });
}

async function main(): Promise<void> {
  const first = Number(cli.seed);
  const end = first + Number(cli.count);
  if (cli.worker) return work(first, end);
  for (let next = first; next < end; ) {
    // New processes now and then, so that memory that is never freed would show as growth of one.
    next = await runChild(next, Math.min(end, next + 25_000));
  }
  const { memory, slowest } = peaks;
  console.log(
    `${cli.count} mutants of ${inputs.length} inputs:`,
    Object.entries(counts)
      .map(([what, number]) => `${number} ${what}`)
      .join(", "),
    `(at most ${Math.round(memory / 2 ** 20)} MB; slowest: seed ${slowest.seed}, ` +
      `${Math.round(slowest.milliseconds)} ms)`,
  );
  if (counts.crashed + counts.hung > 0) process.exitCode = 1;
}

if (cli.only !== undefined) {
  console.log(JSON.stringify(tryMutant(Number(cli.only))).replaceAll(" at ", "\n  at "));
} else {
  await main();
}
