/**
 * The VM beside the running kernel: programs that BPF_PROG_TEST_RUN supports, each on many inputs
 * (packets, or the context's bytes), must give the same return values, output packets and map
 * contents (as sets); random verified programs must give the same in the kernel, in compiled
 * code and in the interpreter.
 *
 *     npx tsx bench/vm-differential.ts [--manifest FILE] [--match TEXT] [--inputs 60] [--seed 1]
 *                                      [--levels 2]
 *     npx tsx bench/vm-differential.ts --random 20000 [--seed 1]
 *
 * The VM's process is that which ran the programs in the kernel. Maps of programs that ask for the
 * time, random numbers, the CPU or what only the running machine knows are left out, and all that
 * programs with timers give: the summary says for how many programs and why. A program that differs
 * is run again on stacks filled otherwise; where that changes what it gives, it reads stack memory
 * that it never wrote, and the kernel's answer is as good as any.
 */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { helperById } from "../common/platform/helpers.ts";
import { loadObject } from "../linker/load.ts";
import { portableCase } from "../linker/portable-case.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import {
  askKernel,
  askKernelAs,
  type KernelJob,
  type KernelProcess,
  type KernelResult,
  type KernelRunResult,
} from "../test/support/kernel.ts";
import { loadAssembly } from "../test/support/load-assembly.ts";
import { randomProgram } from "../test/support/random-bpf.ts";
import { hex, kernelJob, kernelMaps, vmMaps } from "../test/support/toolchain.ts";
import { Kernel, type LoadedSet } from "../vm/kernel/kernel.ts";
import type { Program } from "../vm/program.ts";
import { type RunResult, runProgram } from "../vm/programs/run.ts";
import { withBpfc } from "./compile-object.ts";
import { PacketMaker } from "./packets.ts";
import { programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    manifest: { type: "string" },
    match: { type: "string", default: "" },
    inputs: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    random: { type: "string" },
    levels: { type: "string", default: "2" },
    verbose: { type: "boolean", default: false },
  },
});

/** Program types that get packets: socket filter, tc, XDP, cgroup_skb, lwt, flow dissector, netfilter. */
const packetTypes = new Set([1, 3, 4, 6, 8, 10, 11, 12, 19, 22, 32]);
/** Types that get a context alone, and its bytes. */
const contextSizes: ReadonlyMap<number, number> = new Map([
  [17, 96],
  [24, 96],
  [31, 64],
]);
/** Helpers whose results belong to the machine, not to the program. */
const ofTheMachine: Readonly<Record<string, RegExp>> = {
  "the time": /ktime|jiffies|tai/,
  "random numbers": /prandom/,
  "the CPU": /smp_processor|numa/,
  "tasks, cgroups, sockets": /current_task|task_|cgroup|cookie|get_stack|ancestor|sk_storage/,
  "routes and flow hashes": /fib_lookup|route|hash/,
};
const timers = "timers";
const lruTypes: readonly number[] = [9, 10];

interface Tally {
  /** Random programs whose running code the kernel's verifier took for dead. */
  readonly cut: string[];
  programs: number;
  runs: number;
  /** Programs whose maps were not compared, by the reason. */
  readonly withoutMaps: Map<string, number>;
  /** Programs that read stack memory which they never wrote. */
  readonly undefined: string[];
  refused: number;
  readonly differences: string[];
}

function callsHelper(program: Program, names: RegExp): boolean {
  return program.insns.some(
    (insn) =>
      insn?.kind === "call" &&
      insn.target === "helper" &&
      names.test(helperById(insn.imm)?.name ?? ""),
  );
}

function describe(result: RunResult): string {
  return result.error === undefined
    ? `${result.retval}`
    : `${result.error.kind}: ${result.error.message} at ${result.error.slot}`;
}

const newTally = (): Tally => ({
  programs: 0,
  runs: 0,
  withoutMaps: new Map(),
  undefined: [],
  refused: 0,
  differences: [],
  cut: [],
});

/** What both are given. */
interface Inputs {
  readonly packets: readonly Uint8Array[];
  readonly process: KernelProcess | undefined;
}

/** One program on all inputs in the VM, its stack filled with a byte beforehand. */
function compareRuns(
  loaded: LoadedObject,
  spec: ProgramSpec,
  { packets, process: runner }: Inputs,
  wanted: KernelResult,
  fill: number,
): { readonly runs: number; readonly difference?: string; readonly excluded?: string } {
  const identity = runner && { ...runner, tgid: runner.pid };
  const kernel = new Kernel({ cpuCount: 2, ...(identity && { process: identity }) });
  const set = kernel.load(loaded);
  if ("message" in set) return { runs: 0, difference: set.message };
  const program = set.programs.get(spec.name);
  if (program === undefined) return { runs: 0, difference: "not there" };
  // Timers run between the kernel's runs, when they like.
  const isTimed = callsHelper(program, /timer/);
  const { stackBase, frameStride } = kernel.engineMemory;
  for (const [i, packet] of packets.entries()) {
    const right = wanted.runs?.[i];
    const input = contextSizes.has(spec.type) ? { context: packet } : { packet };
    kernel.memory.bytes.fill(fill, stackBase, stackBase + 16 * frameStride);
    const got = runProgram(kernel, program, { ...input, verified: true });
    const difference = right === undefined ? "no answer" : differenceOf(right, got, isTimed);
    if (difference !== undefined) return { runs: i + 1, difference: `#${i} ${difference}` };
  }
  const excluded = isTimed
    ? timers
    : Object.entries(ofTheMachine).find(([, names]) => callsHelper(program, names))?.[0];
  if (excluded !== undefined) return { runs: packets.length, excluded };
  const notes: string[] = [];
  compareMaps(loaded, set, wanted, (text) => void notes.push(text));
  return { runs: packets.length, ...(notes[0] !== undefined && { difference: notes[0] }) };
}

function differenceOf(
  right: KernelRunResult,
  got: RunResult,
  isTimed: boolean,
): string | undefined {
  if ((right.errno !== 0) !== (got.error !== undefined)) {
    const theirs = right.errno !== 0 ? `errno ${right.errno}` : right.retval;
    return `kernel ${theirs}, VM ${describe(got)}`;
  }
  if (right.errno !== 0 || isTimed) return undefined;
  if (((right.retval ?? 0) | 0) !== got.retval)
    return `kernel ${(right.retval ?? 0) | 0}, VM ${got.retval}`;
  const packet = hex(got.packet ?? new Uint8Array(0));
  const isSame = (right.data ?? "") === packet;
  return isSame ? undefined : `kernel packet ${right.data}, VM ${packet}`;
}

/** One program on all inputs, in both; the first difference is noted. */
function compareProgram(
  name: string,
  loaded: LoadedObject,
  spec: ProgramSpec,
  inputs: Inputs,
  wanted: KernelResult,
  tally: Tally,
): void {
  if (wanted.verdict !== "accept") {
    tally.refused += 1;
    return;
  }
  tally.programs += 1;
  const { runs, difference, excluded } = compareRuns(loaded, spec, inputs, wanted, 0);
  tally.runs += runs;
  if (excluded !== undefined) {
    tally.withoutMaps.set(excluded, (tally.withoutMaps.get(excluded) ?? 0) + 1);
  }
  if (difference === undefined) return;
  const other = compareRuns(loaded, spec, inputs, wanted, 0xa5).difference;
  if (other === difference) tally.differences.push(`${name} ${spec.name}: ${difference}`);
  else tally.undefined.push(`${name} ${spec.name}`);
}

function compareMaps(
  loaded: LoadedObject,
  set: LoadedSet,
  wanted: KernelResult,
  note: (text: string) => void,
): void {
  const ours = vmMaps(loaded, set);
  for (const [map, right] of Object.entries(kernelMaps(loaded, wanted.maps ?? []))) {
    const got = ours[map] ?? [];
    // Whom a full LRU map evicts is not specified.
    const spec = loaded.maps.find(({ name }) => name === map);
    const isFull = spec !== undefined && got.length >= spec.maxEntries;
    if (isFull && lruTypes.includes(spec.type) && right.length <= spec.maxEntries) continue;
    if (got.join() === right.join()) continue;
    const missing = right.filter((entry) => !got.includes(entry)).slice(0, 2);
    const extra = got.filter((entry) => !right.includes(entry)).slice(0, 2);
    note(`map ${map}: kernel has ${right.length} entries, VM ${got.length}: -${missing} +${extra}`);
  }
}

/** The inputs of one program: packets, or contexts of its type. */
function inputsFor(maker: PacketMaker, type: number): readonly Uint8Array[] {
  const size = contextSizes.get(type);
  return Array.from({ length: Number(cli.inputs) }, () =>
    size === undefined ? maker.next() : maker.noise(size),
  );
}

function compareObject(name: string, loaded: LoadedObject, maker: PacketMaker, tally: Tally): void {
  const programs = loaded.programs.filter(
    ({ type }) => packetTypes.has(type) || contextSizes.has(type),
  );
  if (programs.length === 0) return;
  const inputs = programs.map(({ type }) => inputsFor(maker, type));
  const jobs = programs.map((program, p) => {
    const isPlain = contextSizes.has(program.type);
    const runs = (inputs[p] ?? []).map((bytes) =>
      isPlain ? { ctx: hex(bytes), plain: true } : { data: hex(bytes) },
    );
    return { ...kernelJob(loaded, program), runs, dump: true };
  });
  const { results, process: runner } = askKernelAs(jobs);
  for (const [p, result] of results.entries()) {
    const spec = programs[p] as ProgramSpec;
    const before = tally.differences.length;
    const given = { packets: inputs[p] ?? [], process: runner };
    try {
      compareProgram(name, loaded, spec, given, result, tally);
    } catch (error) {
      tally.differences.push(`${name} ${spec.name}: ${(error as Error).stack}`);
    }
    for (const text of tally.differences.slice(before)) console.log(`  ${text}`);
    if (cli.verbose) {
      const reason =
        result.verdict === "accept" ? "" : result.log.trim().split("\n").slice(-4).join(" / ");
      console.log(`${name} ${spec.name}: ${result.verdict} ${reason}`);
    }
  }
}

const kernelBtf = readBtf(readFileSync("/sys/kernel/btf/vmlinux"), new Diagnostics());

/** Programs that call the kernel's functions need its types; the others are loaded as they are. */
function loadForKernel(object: ObjectFile, file: string): LoadedObject | undefined {
  const loaded = loadObject(object, file, new Diagnostics());
  const refers = loaded?.programs.some(({ kernelReferences }) => kernelReferences.length > 0);
  if (refers !== true || kernelBtf === undefined) return loaded;
  return loadObject(object, file, new Diagnostics(), { targetBtf: kernelBtf }) ?? loaded;
}

function runPrograms(): Tally {
  const tally = newTally();
  const maker = new PacketMaker(Number(cli.seed));
  for (const group of programGroups(cli.manifest)) {
    for (const file of group.files) {
      if (!`${group.repo}/${file}`.includes(cli.match)) continue;
      for (const level of cli.levels.split(",")) {
        const { object } = withBpfc(group, file, { cpu: "v3", level });
        const loaded = object && loadForKernel(object, file);
        const name = `${group.repo}/${relative(group.cwd, file) || file} -O${level}`;
        if (loaded !== undefined) compareObject(name, loaded, maker, tally);
      }
    }
  }
  return tally;
}

const batch = 250;

/**
 * An instruction that runs although the kernel's verifier never came to it: the kernel then takes it
 * for dead and cuts it off, so that its answer says nothing.
 */
function unvisited(
  kernel: Kernel,
  program: Program,
  job: KernelJob,
  packet: Uint8Array,
): number | undefined {
  const [result] = askKernel([{ ...job, log_level: 2 }]);
  const isWhole = /^processed \d+ insns/m.test(result?.log ?? "");
  if (result === undefined || !isWhole) return undefined;
  const visited = new Set(
    [...result.log.matchAll(/^(\d+): \([0-9a-f]{2}\)/gm)].map((match) => Number(match[1])),
  );
  let missed: number | undefined;
  const onStep = ({ slot }: { readonly slot: number }): void => {
    if (!visited.has(slot)) missed ??= slot;
  };
  runProgram(kernel, program, { packet, onStep });
  return missed;
}

function runRandom(count: number): Tally {
  const tally = newTally();
  const first = Number(cli.seed);
  const packet = new Uint8Array(14);
  for (let start = first; start < first + count; start += batch) {
    const seeds = Array.from(
      { length: Math.min(batch, first + count - start) },
      (_, i) => start + i,
    );
    const objects = seeds.map((seed) => loadAssembly(randomProgram(seed)));
    const jobs = objects.map((object): KernelJob => {
      const job = portableCase(object, object.programs[0] as ProgramSpec) as KernelJob;
      return { ...job, runs: [{ data: hex(packet) }] };
    });
    const kernel = new Kernel();
    for (const [i, result] of askKernel(jobs).entries()) {
      if (result.verdict !== "accept") {
        tally.refused += 1;
        continue;
      }
      const set = kernel.load(objects[i] as LoadedObject);
      if ("message" in set) throw new Error(set.message);
      const program = [...set.programs.values()][0] as Program;
      const results = [
        runProgram(kernel, program, { packet, verified: true }),
        runProgram(kernel, program, { packet }),
        runProgram(kernel, program, { packet, engine: "interpreter" }),
      ];
      const right = (result.runs?.[0]?.retval ?? 0) | 0;
      tally.programs += 1;
      tally.runs += results.length;
      const same = results.every((r) => r.retval === right && r.r0 === results[0]?.r0);
      if (!same) {
        const text = `seed ${seeds[i]}: kernel ${right}, VM ${results.map(describe)}`;
        const missed = unvisited(kernel, program, jobs[i] as KernelJob, packet);
        if (missed === undefined) tally.differences.push(text);
        else tally.cut.push(`${text}; instruction ${missed} runs`);
      }
      kernel.unload(program);
    }
  }
  for (const text of tally.differences) console.log(`  ${text}`);
  return tally;
}

const tally = cli.random === undefined ? runPrograms() : runRandom(Number(cli.random));
console.log(
  `${tally.programs} programs, ${tally.runs} runs, ${tally.differences.length} differences; ` +
    `${tally.refused} refused by the kernel`,
);
for (const [reason, count] of tally.withoutMaps) {
  const what = reason === timers ? "results" : "maps";
  console.log(`${what} of ${count} not compared: ${reason}`);
}
for (const text of tally.cut)
  console.log(`cut off by the kernel's verifier, which never came there: ${text}`);
for (const name of tally.undefined) console.log(`reads stack memory that it never wrote: ${name}`);
process.exitCode = tally.differences.length === 0 && tally.programs > 0 ? 0 : 1;
