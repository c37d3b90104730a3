/**
 * Speed of the VM beside the kernel's JIT and, with --ubpf, uBPF's: programs of bench/workloads, all
 * engines on the same instructions. Rounds are interleaved and minima taken; a run of the empty
 * program is subtracted. Run with NODE_EXTRA_CA_CERTS unset, as root:
 *
 *     npx tsx bench/vm.ts [--rounds 10] [--only NAME] [--ubpf FOLDER] [--folder FOLDER]
 *
 * uBPF's folder holds its sources (`vm` inside), which are compiled for the measurement. The other
 * one holds further workloads, in C: one program each, and perhaps one that is called `fill`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { compileText } from "../test/support/compile.ts";
import { askKernel, type KernelJob } from "../test/support/kernel.ts";
import { compileFile, hex, kernelJob } from "../test/support/toolchain.ts";
import { Kernel, type LoadedSet } from "../vm/kernel/kernel.ts";
import type { Program } from "../vm/program.ts";
import { runProgram } from "../vm/programs/run.ts";
import { synPacket } from "./packets.ts";
import { geometricMean } from "./programs.ts";
import { Ubpf } from "./ubpf.ts";

const { values: cli } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    only: { type: "string" },
    ubpf: { type: "string" },
    folder: { type: "string" },
  },
});
const rounds = Number(cli.rounds);
const folder = join(import.meta.dirname, "workloads");
/** What the workloads of this folder get; those of the others get a TCP packet. */
const packet = Uint8Array.from({ length: 1500 }, (_, i) => (i * 7 + 3) & 255);
/** Nanoseconds that one measurement takes; many short ones dodge other processes. */
const chunk = 2_000_000;

/** Operations of one run, judged per operation. */
const operations: Readonly<Record<string, number>> = {
  "array-lookup": 1000,
  "percpu-array-lookup": 1000,
  "hash-lookup": 1000,
  "hash-lookup-20": 1000,
  "lru-hash-lookup": 1000,
  "percpu-hash-lookup": 1000,
  "hash-update": 1000,
  "hash-insert-delete": 1000,
  "helper-call": 1000,
};

/** Compute and packet workloads, judged as ratios. */
const compute = [
  ...workloadFiles(folder).filter((path) => !(workloadName(path) in operations)),
  ...workloadFiles(join(import.meta.dirname, "kernel-workloads")),
  ...(cli.folder === undefined ? [] : workloadFiles(cli.folder)),
].filter((path) => !["null", "loop"].includes(workloadName(path)));

function workloadFiles(where: string): string[] {
  const files = readdirSync(where).filter((file) => file.endsWith(".c"));
  return files.sort().map((file) => join(where, file));
}

function workloadName(path: string): string {
  return basename(path).replace(/(\.bpf)?\.c$/, "");
}

type Engine = "kernel" | "verified" | "checked" | "ubpf";
const engines: readonly Engine[] = ["kernel", "verified", "checked", "ubpf"];

interface Workload {
  readonly name: string;
  readonly path: string;
  readonly packet: Uint8Array;
  readonly object: LoadedObject;
  readonly spec: ProgramSpec;
  readonly set: LoadedSet;
  readonly program: Program;
  readonly job: KernelJob;
  /** Best time per run, in nanoseconds. */
  readonly best: Record<Engine, number>;
}

const vm = new Kernel();

const own = (name: string): string => join(folder, `${name}.bpf.c`);

function load(path: string): Workload {
  const name = workloadName(path);
  const input = dirname(path) === folder ? packet : synPacket();
  const diagnostics = new Diagnostics();
  const object = loadObject(compileFile(path), path, diagnostics);
  if (object === undefined) throw new Error(diagnostics.list[0]?.message);
  const set = vm.load(object);
  if ("message" in set) throw new Error(set.message);
  const fill = set.programs.get("fill");
  if (fill !== undefined) runProgram(vm, fill, { packet: input });
  const spec = object.programs.find((one) => one.name !== "fill");
  const program = spec && set.programs.get(spec.name);
  if (spec === undefined || program === undefined) throw new Error(`${path}: no program`);
  const portable = kernelJob(object, spec);
  const maps = (portable.maps ?? []).map((map, i) => {
    const made = set.maps.get(object.maps[i]?.name ?? "");
    const copies = made?.isPerCpu ? hostCpus : 1;
    const entries = fill === undefined ? [] : (made?.entries() ?? []);
    return {
      ...map,
      entries: entries.map(
        ([key, value]) =>
          [hex(key), hex(value.subarray(0, map.value_size)).repeat(copies)] as const,
      ),
    };
  });
  const job = { ...portable, maps, log_level: 0 } as KernelJob;
  const best = { kernel: Infinity, verified: Infinity, checked: Infinity, ubpf: Infinity };
  return { name, path, packet: input, object, spec, set, program, job, best };
}

const hostCpus =
  Number(/(\d+)\s*$/.exec(readFileSync("/sys/devices/system/cpu/possible", "utf8"))?.[1] ?? 0) + 1;

function note(workload: Workload, engine: Engine, nanoseconds: number): void {
  workload.best[engine] = Math.min(workload.best[engine], nanoseconds);
}

function repeats(workload: Workload, engine: Engine): number {
  const known = workload.best[engine];
  return Number.isFinite(known) ? Math.max(1, Math.min(100_000, Math.ceil(chunk / known))) : 20;
}

function measureVm(workload: Workload, engine: "verified" | "checked"): void {
  const repeat = repeats(workload, engine);
  const options = { packet: workload.packet, repeat, fuel: 2e9, verified: engine === "verified" };
  const start = process.hrtime.bigint();
  const { error } = runProgram(vm, workload.program, options);
  const elapsed = Number(process.hrtime.bigint() - start);
  if (error !== undefined) throw new Error(`${workload.name}: ${error.message}`);
  note(workload, engine, elapsed / repeat);
}

function measureKernel(workloads: readonly Workload[]): void {
  const jobs = workloads.map((workload) => {
    const repeat = Math.max(20, repeats(workload, "kernel"));
    const runs = Array.from({ length: 4 }, () => ({ data: hex(workload.packet), repeat }));
    return { ...workload.job, runs };
  });
  for (const [i, result] of askKernel(jobs).entries()) {
    const workload = workloads[i] as Workload;
    if (result.verdict !== "accept") throw new Error(`${workload.name}: ${result.log}`);
    for (const run of result.runs ?? []) note(workload, "kernel", run.duration ?? Infinity);
  }
}

/** Those on which kernel and VM agree; the others are an error. */
function agreeing(workloads: readonly Workload[]): readonly Workload[] {
  const jobs = workloads.map((one) => {
    return { ...one.job, log_level: 4, runs: [{ data: hex(one.packet) }] };
  });
  const results = askKernel(jobs);
  return workloads.filter(({ name, program, packet: input }, i) => {
    const result = results[i];
    if (result?.verdict !== "accept") {
      console.log(`${name}: the kernel refuses it\n${result?.log.slice(-300)}`);
      process.exitCode = 1;
      return false;
    }
    const wanted = (result.runs?.[0]?.retval ?? 0) | 0;
    const { retval } = runProgram(vm, program, { packet: input, verified: true });
    if (name === "helper-call" || wanted === retval) return true;
    console.log(`${name}: kernel ${wanted}, VM ${retval}`);
    process.exitCode = 1;
    return false;
  });
}

const warmUp = 100;
const measured = 200;

/**
 * Milliseconds from encoded instructions to the end of the first run, compiled code warm. Each
 * program differs from all others: engines keep what they have compiled before.
 */
function readyTimes(): void {
  for (const [label, base] of [
    ["small", load(own("checksum")).spec],
    ["large", largeProgram()],
  ] as const) {
    const times: number[] = [];
    let cpu = process.cpuUsage();
    for (let i = 0; i < warmUp + measured; i += 1) {
      if (i === warmUp) cpu = process.cpuUsage();
      const spec = variant(base, i);
      const start = process.hrtime.bigint();
      const program = vm.loadProgram(spec, []);
      if ("message" in program) throw new Error(program.message);
      runProgram(vm, program, { packet, verified: true });
      times.push(Number(process.hrtime.bigint() - start) / 1e6);
      vm.unload(program);
    }
    const { user, system } = process.cpuUsage(cpu);
    const sorted = times.slice(warmUp).sort((a, b) => a - b);
    const [least = 0, median = 0] = [sorted[0], sorted[measured >> 1]];
    console.log(
      `ready, ${label} (${base.insns.length / 8 + 1} instructions), first run included: ` +
        `${((user + system) / 1000 / measured).toFixed(2)} ms of CPU (all threads), ` +
        `median ${median.toFixed(2)} ms, least ${least.toFixed(2)} ms`,
    );
  }
}

/** The program with `r0 = number` in front. */
function variant(spec: ProgramSpec, number: number): ProgramSpec {
  const insns = new Uint8Array(spec.insns.length + 8);
  insns[0] = 0xb7;
  new DataView(insns.buffer).setInt32(4, number, true);
  insns.set(spec.insns, 8);
  return { ...spec, insns, lines: [] };
}

/** About 2,700 instructions with as many blocks as large real programs have. */
function largeProgram(): ProgramSpec {
  const steps = Array.from(
    { length: 330 },
    (_, i) => `	if (data + ${i * 4 + 8} > end) return x;
	x += *(__u32 *)(data + ${i * 4}); x ^= x << ${(i % 13) + 1};
	if (x & ${1 << (i % 30)}) x *= ${i + 3};`,
  ).join("\n");
  const text = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int large(struct xdp_md *ctx) {
	unsigned char *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u64 x = 1;
${steps}
	return x;
}
char LICENSE[] SEC("license") = "GPL";`;
  const object = loadObject(compileText(text, "large.c"), "large.c", new Diagnostics());
  return object?.programs[0] as ProgramSpec;
}

const isChosen = (path: string): boolean =>
  cli.only === undefined || workloadName(path).includes(cli.only);
const operationFiles = Object.keys(operations).map(own);
const chosen = [...compute, ...operationFiles].filter(isChosen);
const workloads = agreeing([own("null"), own("loop"), ...chosen].map(load));
const empty = workloads[0] as Workload;
const loop = workloads[1] as Workload;
const ubpf = cli.ubpf === undefined ? undefined : new Ubpf(cli.ubpf, packet);
for (let round = 0; round < rounds; round += 1) {
  measureKernel(workloads);
  // The empty program counts in all results: once more when everything is warm.
  for (const workload of [...workloads, empty]) {
    for (let i = 0; i < 5; i += 1) {
      measureVm(workload, "verified");
      measureVm(workload, "checked");
    }
    if (ubpf !== undefined && workload.spec.kernelReferences.length === 0) {
      const time = ubpf.measure(workload.name, workload.spec, repeats(workload, "ubpf"));
      if (time !== undefined) note(workload, "ubpf", time);
    }
  }
}

const net = (workload: Workload, engine: Engine): number =>
  workload.best[engine] - empty.best[engine];
const shown = (value: number, digits = 2): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "–";
const head =
  "workload | kernel ns | verified ns | checked ns | uBPF ns | ÷ kernel | ÷ uBPF | checked ÷ verified";
console.log(`| ${head} |\n|${"---|".repeat(8)}`);
const ratios: Record<"kernel" | "ubpf" | "checked", number[]> = {
  kernel: [],
  ubpf: [],
  checked: [],
};
for (const workload of workloads.filter(({ path }) => compute.includes(path))) {
  const times = Object.fromEntries(engines.map((e) => [e, net(workload, e)])) as Record<
    Engine,
    number
  >;
  const { kernel, verified, checked } = times;
  if (kernel >= 200) ratios.kernel.push(verified / kernel);
  if (Number.isFinite(times.ubpf)) ratios.ubpf.push(verified / times.ubpf);
  ratios.checked.push(checked / verified);
  const cells = [
    ...engines.map((engine) => shown(times[engine], 0)),
    shown(verified / kernel),
    Number.isFinite(times.ubpf) ? shown(verified / times.ubpf) : "–",
    shown(checked / verified),
  ];
  console.log(`| ${[workload.name, ...cells].join(" | ")} |`);
}
const summary = (list: readonly number[]): string =>
  `geometric mean ${shown(geometricMean(list))}, largest ${shown(Math.max(...list))}`;
console.log(`\nverified ÷ kernel (of at least 200 ns): ${summary(ratios.kernel)}`);
if (ratios.ubpf.length > 0) console.log(`verified ÷ uBPF: ${summary(ratios.ubpf)}`);
console.log(`checked ÷ verified: ${summary(ratios.checked)}`);
console.log(
  `empty program: kernel ${empty.best.kernel} ns, VM ${shown(empty.best.verified, 0)} ns`,
);
console.log(
  "\n| operation | kernel ns | verified ns | checked ns | ÷ kernel |\n|---|---|---|---|---|",
);
for (const workload of workloads) {
  const count = operations[workload.name];
  if (count === undefined) continue;
  const per = (engine: Engine): number => (net(workload, engine) - net(loop, engine)) / count;
  const [kernel, verified, checked] = [per("kernel"), per("verified"), per("checked")];
  const cells = [kernel, verified, checked, verified / kernel].map((value) => shown(value));
  console.log(`| ${[workload.name, ...cells].join(" | ")} |`);
}
readyTimes();
