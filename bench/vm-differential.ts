/**
 * The VM beside the running kernel: programs that BPF_PROG_TEST_RUN supports, each on many packets,
 * must give the same return values, output packets and map contents (as sets); random verified
 * programs must give the same in the kernel, in compiled code and in the interpreter.
 *
 *     npx tsx bench/vm-differential.ts [--manifest FILE] [--match TEXT] [--inputs 60] [--seed 1]
 *     npx tsx bench/vm-differential.ts --random 20000 [--seed 1]
 *
 * Maps of programs that ask for the time, a random number, the process or the CPU are left out, and
 * all that programs with timers give.
 */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { helperById } from "../common/platform/helpers.ts";
import { loadObject } from "../linker/load.ts";
import { portableCase } from "../linker/portable-case.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { askKernel, type KernelJob, type KernelResult } from "../test/support/kernel.ts";
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
    verbose: { type: "boolean", default: false },
  },
});

/** Program types that get packets: socket filter, tc, XDP, cgroup_skb, lwt, flow dissector. */
const packetTypes = new Set([1, 3, 4, 6, 8, 10, 11, 12, 19, 22]);
/** Helpers whose results belong to the machine, not to the program. */
const ofTheMachine =
  /ktime|jiffies|prandom|smp_processor|numa|current|cgroup|cookie|get_stack|task|fib_lookup|route|tai|hash/;

interface Tally {
  programs: number;
  runs: number;
  /** Programs whose maps were not compared. */
  withoutMaps: number;
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

/** One program on all packets, in both; the first difference is noted. */
function compareProgram(
  name: string,
  loaded: LoadedObject,
  spec: ProgramSpec,
  packets: readonly Uint8Array[],
  wanted: KernelResult,
  tally: Tally,
): void {
  if (wanted.verdict !== "accept") {
    tally.refused += 1;
    return;
  }
  const note = (text: string): void => {
    tally.differences.push(`${name} ${spec.name}: ${text}`);
  };
  const kernel = new Kernel({ cpuCount: 2 });
  const set = kernel.load(loaded);
  if ("message" in set) {
    note(set.message);
    return;
  }
  const program = set.programs.get(spec.name);
  if (program === undefined) return;
  tally.programs += 1;
  const excluded = callsHelper(program, ofTheMachine);
  // Timers run between the kernel's runs, when they like.
  const isTimed = callsHelper(program, /timer/);
  for (const [i, packet] of packets.entries()) {
    const right = wanted.runs?.[i];
    const got = runProgram(kernel, program, { packet, verified: true });
    tally.runs += 1;
    if (right === undefined || (right.errno !== 0) !== (got.error !== undefined)) {
      note(
        `#${i} kernel ${right?.errno ? `errno ${right.errno}` : right?.retval}, VM ${describe(got)}`,
      );
      return;
    }
    if (right.errno !== 0 || isTimed) continue;
    if (((right.retval ?? 0) | 0) !== got.retval) {
      note(`#${i} kernel ${(right.retval ?? 0) | 0}, VM ${got.retval}`);
      return;
    }
    if (right.data !== hex(got.packet ?? new Uint8Array(0))) {
      note(`#${i} kernel packet ${right.data}, VM ${hex(got.packet ?? new Uint8Array(0))}`);
      return;
    }
  }
  if (excluded || isTimed) tally.withoutMaps += 1;
  else compareMaps(loaded, set, wanted, note);
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
    if (got.join() === right.join()) continue;
    const missing = right.filter((entry) => !got.includes(entry)).slice(0, 2);
    const extra = got.filter((entry) => !right.includes(entry)).slice(0, 2);
    note(`map ${map}: kernel has ${right.length} entries, VM ${got.length}: -${missing} +${extra}`);
  }
}

function runPrograms(): Tally {
  const tally: Tally = { programs: 0, runs: 0, withoutMaps: 0, refused: 0, differences: [] };
  const maker = new PacketMaker(Number(cli.seed));
  for (const group of programGroups(cli.manifest)) {
    for (const file of group.files) {
      if (!`${group.repo}/${file}`.includes(cli.match)) continue;
      const { object } = withBpfc(group, file, { cpu: "v3", level: "2" });
      const loaded = object && loadObject(object, file, new Diagnostics());
      const programs = loaded?.programs.filter((program) => packetTypes.has(program.type)) ?? [];
      if (loaded === undefined || programs.length === 0) continue;
      const packets = Array.from({ length: Number(cli.inputs) }, () => maker.next());
      const runs = packets.map((packet) => ({ data: hex(packet) }));
      const jobs = programs.map((program) => ({ ...kernelJob(loaded, program), runs, dump: true }));
      const name = `${group.repo}/${relative(group.cwd, file) || file}`;
      for (const [i, result] of askKernel(jobs).entries()) {
        const spec = programs[i] as ProgramSpec;
        const before = tally.differences.length;
        try {
          compareProgram(name, loaded, spec, packets, result, tally);
        } catch (error) {
          tally.differences.push(`${name} ${spec.name}: ${(error as Error).stack}`);
        }
        for (const text of tally.differences.slice(before)) console.log(`  ${text}`);
        if (cli.verbose) console.log(`${name} ${spec.name}: ${result.verdict}`);
      }
    }
  }
  return tally;
}

const batch = 250;

function runRandom(count: number): Tally {
  const tally: Tally = { programs: 0, runs: 0, withoutMaps: 0, refused: 0, differences: [] };
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
      if (!same)
        tally.differences.push(`seed ${seeds[i]}: kernel ${right}, VM ${results.map(describe)}`);
      kernel.unload(program);
    }
  }
  for (const text of tally.differences) console.log(`  ${text}`);
  return tally;
}

const tally = cli.random === undefined ? runPrograms() : runRandom(Number(cli.random));
console.log(
  `${tally.programs} programs, ${tally.runs} runs, ${tally.differences.length} differences; ` +
    `${tally.refused} refused by the kernel, maps of ${tally.withoutMaps} not compared`,
);
process.exitCode = tally.differences.length === 0 && tally.programs > 0 ? 0 : 1;
