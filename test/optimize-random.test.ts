import { expect, test } from "vitest";
import type { OptimizationLevel } from "../compiler/options.ts";
import { optimizeChecked, optimizeOptions } from "./support/optimize.ts";
import { interpret, type Outcome } from "./support/optimizer-interpreter.ts";
import { randomModule } from "./support/optimizer-random-ir.ts";

const inputs: readonly (readonly bigint[])[] = [
  [0n, 0n],
  [1n, 2n],
  [0xffffffffffffffffn, 5n],
  [0x123456789abcdefn, 0x80000000n],
];

const visible = ({ result, trace, globals }: Outcome): unknown => ({ result, trace, globals });

/** Programs count up from this seed; a longer run takes SEEDS=5000. */
const seeds = Number(process.env["SEEDS"] ?? 60);

for (const level of ["0", "s", "2", "3"] satisfies OptimizationLevel[]) {
  test(`random programs compute the same at -O${level}, and no more slowly`, () => {
    let before = 0;
    let after = 0;
    for (let seed = 0; seed < seeds; seed += 1) {
      const original = randomModule(seed);
      const optimized = randomModule(seed);
      optimizeChecked(optimized, optimizeOptions(level));
      for (const input of inputs) {
        const expected = interpret(original, "main", input);
        const actual = interpret(optimized, "main", input);
        expect(visible(actual), `seed ${seed}`).toEqual(visible(expected));
        before += expected.steps;
        after += actual.steps;
      }
    }
    expect(after).toBeLessThan(before / 2);
  });
}
