/**
 * Memory and handles over many test runs and program loads: both must stay what they were after a
 * warm-up.
 *
 *     npx tsx bench/vm-memory.ts [--runs 1000000] [--loads 50000]
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import { compileFile } from "../test/support/toolchain.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";

const { values: cli } = parseArgs({
  options: {
    runs: { type: "string", default: "1000000" },
    loads: { type: "string", default: "50000" },
  },
});
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

interface Sizes {
  /** Megabytes. */
  readonly heap: number;
  readonly external: number;
  readonly resident: number;
  readonly linear: number;
  /** Maps and programs of the kernel. */
  readonly handles: number;
}

function sizes(kernel: Kernel): Sizes {
  for (let i = 0; i < 4; i += 1) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  const mega = (bytes: number): number => Math.round(bytes / 1e5) / 10;
  return {
    heap: mega(heapUsed),
    external: mega(external),
    resident: mega(rss),
    linear: mega(kernel.memory.bytes.length),
    handles: kernel.maps.length + kernel.programCount,
  };
}

const file = join(import.meta.dirname, "../examples/xdp-firewall/firewall.bpf.c");
const loaded = loadObject(compileFile(file), file, new Diagnostics()) as LoadedObject;
const packet = Uint8Array.from({ length: 80 }, (_, i) => (i === 12 ? 8 : i === 13 ? 0 : i));

/** Runs `step` a tenth of the times, notes the sizes, runs the rest, and compares. */
function measure(name: string, kernel: Kernel, count: number, step: (i: number) => void): boolean {
  const warm = Math.ceil(count / 10);
  for (let i = 0; i < warm; i += 1) step(i);
  const before = sizes(kernel);
  for (let i = warm; i < count; i += 1) step(i);
  const after = sizes(kernel);
  console.log(`${name}: after ${warm} ${JSON.stringify(before)}`);
  console.log(`${name}: after ${count} ${JSON.stringify(after)}`);
  const grown = after.heap - before.heap + after.external - before.external;
  const isSteady = after.resident - before.resident < 30;
  return (
    isSteady && grown < 5 && after.linear === before.linear && after.handles === before.handles
  );
}

function load(kernel: Kernel) {
  const set = kernel.load(loaded);
  if ("message" in set) throw new Error(set.message);
  return set;
}

const running = new Kernel();
const [program] = [...load(running).programs.values()];
if (program === undefined) throw new Error("no program");
const runsStay = measure("runs", running, Number(cli.runs), () => {
  const { error } = runProgram(running, program, { packet, verified: true });
  if (error !== undefined) throw new Error(error.message);
});

const loading = new Kernel();
const loadsStay = measure("loads", loading, Number(cli.loads), (i) => {
  const set = load(loading);
  for (const one of set.programs.values()) {
    runProgram(loading, one, { packet, verified: i % 2 === 0 });
    loading.unload(one);
  }
  for (const map of set.maps.values()) loading.destroyMap(map);
});
console.log(runsStay && loadsStay ? "no growth" : "GROWTH");
process.exitCode = runsStay && loadsStay ? 0 : 1;
