/**
 * One random program, judged: what gcc's program prints, and what bpfc's programs give in the VM at
 * each level for each CPU.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseCcArguments } from "../../cli/cc/arguments.ts";
import { compileOptions } from "../../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../../cli/node-file-system.ts";
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { compile } from "../../compiler/compile.ts";
import { loadObject } from "../../linker/load.ts";
import type { LoadedObject } from "../../linker/program.ts";
import { Kernel, type LoadedSet } from "../../vm/kernel/kernel.ts";
import { ArrayMap } from "../../vm/maps/array.ts";
import { runProgram } from "../../vm/programs/run.ts";

export interface Task {
  /** Options of csmith besides the seed. */
  readonly options: readonly string[];
  /** `-O2 -mcpu=v3` and the like: one compilation each. */
  readonly variants: readonly (readonly string[])[];
  readonly engine: "jit" | "interpreter";
  /** Folder for what is made on the way. */
  readonly work: string;
  /** Folder where the programs that went wrong are kept. */
  readonly keep: string | undefined;
}

export type VerdictKind =
  | "right"
  | "wrong"
  | "crash"
  | "fault"
  | "not compiled"
  | "not loaded"
  /** More than the 8 nested calls that the kernel allows; without inlining that is the program's. */
  | "too many nested calls"
  /** More instructions than the VM counts, of a program that takes its time natively, too. */
  | "not ended";

export interface Verdict {
  readonly variant: string;
  readonly kind: VerdictKind;
  /** What there is instead of the expected number. */
  readonly text: string;
  /** The program needs more than the 512 bytes of stack that a kernel gives. */
  readonly needsLargeStack: boolean;
}

export const isFailure = (kind: VerdictKind): boolean =>
  kind !== "right" && kind !== "too many nested calls" && kind !== "not ended";

/** The verdicts on one seed; `undefined` where gcc's program does not end in time. */
export interface SeedResult {
  readonly seed: number;
  readonly expected: string | undefined;
  readonly verdicts: readonly Verdict[];
}

const headers = import.meta.dirname;
/** Milliseconds for one run of gcc's program; what takes longer is not counted. */
const patience = 2000;
const fuel = 2_000_000_000;
/** Milliseconds in which gcc's program executes fewer instructions than the VM may. */
const shortRun = 200;
/** Bytes of a frame where 512 do not do. */
const largeStack = 16_384;

function expectedOf(source: string, binary: string): string | undefined {
  const flags = ["-std=gnu17", "-w", "-O0", "-fwrapv", "-fno-strict-aliasing", "-I", headers];
  const built = spawnSync("gcc", [...flags, source, "-o", binary], { timeout: 60_000 });
  if (built.status !== 0) return undefined;
  const ran = spawnSync(binary, [], { timeout: patience, encoding: "utf8" });
  return ran.status === 0 ? ran.stdout.trim() : undefined;
}

/** Whether a program ends so soon when it is run natively that our fuel must do for it. */
function endsSoon(binary: string): boolean {
  return [1, 2, 3].some(() => {
    const start = performance.now();
    spawnSync(binary, [], { timeout: patience });
    return performance.now() - start < shortRun;
  });
}

/** The object, or why there is none. */
function compiled(
  source: string,
  words: readonly string[],
  stackLimit: number | undefined,
): ObjectFile | { readonly code: string; readonly message: string } {
  const parsed = parseCcArguments(["-w", ...words, "-I", headers, source]);
  if (parsed.kind !== "compile") return { code: "", message: "bad options" };
  const options = compileOptions(parsed.options);
  const target = { ...options.target, ...(stackLimit !== undefined && { stackLimit }) };
  const diagnostics = new Diagnostics();
  const { object } = compile(source, { ...options, target }, nodeFileSystem, diagnostics);
  const problem = diagnostics.list.find(({ severity }) => severity === "error");
  if (problem !== undefined) return { code: problem.code, message: problem.message };
  return object ?? { code: "", message: "no object" };
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

type Outcome = Pick<Verdict, "kind" | "text">;

function run(
  object: ObjectFile,
  source: string,
  stackSize: number | undefined,
  engine: Task["engine"],
): Outcome {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, source, diagnostics);
  const notLoaded = (text: string): Outcome => ({ kind: "not loaded", text });
  if (loaded === undefined) return notLoaded(diagnostics.list[0]?.message ?? "");
  const kernel = new Kernel({ ...(stackSize !== undefined && { stackSize }) });
  const set = kernel.load(loaded);
  if ("message" in set) return notLoaded(set.message);
  const program = set.programs.get("bpfc_entry");
  if (program === undefined) return notLoaded("no program");
  fillPointers(object, loaded, set, kernel);
  const result = runProgram(kernel, program, { fuel, engine });
  if (result.error) {
    const { kind, message: text } = result.error;
    if (kind === "out-of-fuel") return { kind: "not ended", text };
    const isDeep = kind === "stack-overflow" && text.includes("calls deep");
    return { kind: isDeep ? "too many nested calls" : "fault", text };
  }
  return { kind: "right", text: String(result.retval) };
}

function judgeVariant(
  source: string,
  words: readonly string[],
  expected: string,
  engine: Task["engine"],
): Verdict {
  const variant = words.join(" ");
  let needsLargeStack = false;
  try {
    let object = compiled(source, words, undefined);
    needsLargeStack = "code" in object && object.code === "stack-too-large";
    const stackSize = needsLargeStack ? largeStack : undefined;
    if (needsLargeStack) object = compiled(source, words, stackSize);
    if ("code" in object) {
      return { variant, kind: "not compiled", text: object.message, needsLargeStack };
    }
    const { kind, text } = run(object, source, stackSize, engine);
    const isWrong = kind === "right" && text !== expected;
    return { variant, kind: isWrong ? "wrong" : kind, text, needsLargeStack };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { variant, kind: "crash", text, needsLargeStack };
  }
}

/** Makes the program of a seed and judges it. */
export function judgeSeed(seed: number, task: Task): SeedResult {
  const source = join(task.work, `${seed}.c`);
  const csmithOptions = [...task.options, "--seed", String(seed), "-o", source];
  // It writes a file of its own into the current folder.
  spawnSync("csmith", csmithOptions, { timeout: 10_000, cwd: task.work });
  const binary = join(task.work, `${seed}`);
  const expected = expectedOf(source, binary);
  if (expected === undefined) return { seed, expected, verdicts: [] };
  let verdicts = task.variants.map((words) => judgeVariant(source, words, expected, task.engine));
  if (verdicts.some(({ kind }) => kind === "not ended") && endsSoon(binary)) {
    verdicts = verdicts.map((each) =>
      each.kind === "not ended" ? { ...each, kind: "fault" } : each,
    );
  }
  if (task.keep !== undefined && verdicts.some(({ kind }) => isFailure(kind))) {
    mkdirSync(task.keep, { recursive: true });
    copyFileSync(source, join(task.keep, `${seed}.c`));
  }
  return { seed, expected, verdicts };
}
