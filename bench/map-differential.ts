/**
 * Random operations on every map type that can be created, through bpf() in the running kernel and in
 * the simulated one: same answers, errno included.
 *
 *     npx tsx bench/map-differential.ts [--operations 200000] [--seed 1] [--match TEXT]
 */
import { parseArgs } from "node:util";
import { compareMaps, mapCases, possibleCpus } from "../test/support/map-operations.ts";
import { Kernel } from "../vm/kernel/kernel.ts";

const { values: cli } = parseArgs({
  options: {
    operations: { type: "string", default: "200000" },
    seed: { type: "string", default: "1" },
    match: { type: "string", default: "" },
  },
});
let differences = 0;
let compared = 0;
for (const map of mapCases.filter(({ name }) => name.includes(cli.match))) {
  const kernel = new Kernel({ cpuCount: possibleCpus() });
  const found = compareMaps([map], kernel, Number(cli.operations), Number(cli.seed));
  for (const text of found) console.log(text.slice(0, 500));
  if (found.length === 0) console.log(`${map.name}: ${cli.operations} operations agree`);
  differences += found.length;
  compared += 1;
}
console.log(`${compared} maps, ${differences} with differences`);
process.exitCode = differences === 0 && compared > 0 ? 0 : 1;
