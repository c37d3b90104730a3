/** Random functions: selected and allocated code computes what the IR means, for every -mcpu. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { createModule } from "../compiler/4-lower/ir-builder.ts";
import { printFunction } from "../compiler/4-lower/print-ir.ts";
import { printMachine } from "../compiler/6-select/print-machine.ts";
import { selectFunction } from "../compiler/6-select/select.ts";
import { allocateFunction } from "../compiler/7-allocate/allocate.ts";
import type { CpuVersion } from "../compiler/options.ts";
import { RandomFunction, randomSource } from "./support/random-ir.ts";
import { simulateIr } from "./support/simulate-ir.ts";
import { MachineSimulator } from "./support/simulate-machine.ts";

const count = Number(process.env["RANDOM_COUNT"] ?? 60);
const first = Number(process.env["RANDOM_SEED"] ?? 1);

function checkSeed(seed: number, cpu: CpuVersion): void {
  const { fn: ir } = new RandomFunction(seed, 4 + (seed % 30));
  const diagnostics = new Diagnostics();
  const options = { endian: "little", cpu, strictAlign: false } as const;
  const module = createModule("random.c", "little");
  const none = new Set<string>();
  const environment = { module, defined: none, compiled: none, options, diagnostics };
  const fn = selectFunction(ir, environment);
  const selected = printMachine(fn);
  allocateFunction(fn, options, diagnostics);
  const hasBigFrame = diagnostics.list.every(({ code }) => code === "stack-too-large");
  if (diagnostics.hasErrors && hasBigFrame) return;
  expect(diagnostics.list).toEqual([]);
  const random = randomSource(seed);
  for (let round = 0; round < 4; round += 1) {
    // Narrow arguments come with rubbish above their width: callers promise nothing.
    const args = ir.params.map(() => {
      const high = BigInt(Math.floor(random() * 2 ** 32));
      return (high << 32n) | BigInt(Math.floor(random() * 2 ** 32));
    });
    const expected = simulateIr(ir, args);
    let actual: bigint | string;
    try {
      actual = new MachineSimulator(fn, args).run();
    } catch (error) {
      actual = String(error);
    }
    if (actual !== expected) {
      const dump = `${printFunction(ir)}\n${selected}\n${printMachine(fn)}`;
      expect.fail(`seed ${seed} ${cpu}: ${actual} instead of ${expected}\n${dump}`);
    }
  }
}

for (const cpu of ["v1", "v2", "v3", "v4"] as const) {
  test(`${count} random functions on ${cpu}`, () => {
    for (let seed = first; seed < first + count; seed += 1) checkSeed(seed, cpu);
  });
}
