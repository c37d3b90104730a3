/** Random operations on maps from user space: the simulated kernel answers as the running one. */
import { expect } from "vitest";
import { Kernel } from "../vm/kernel/kernel.ts";
import { kernelTest } from "./support/kernel.ts";
import { compareMaps, mapCases, possibleCpus } from "./support/map-operations.ts";

kernelTest("map operations", () => {
  const kernel = new Kernel({ cpuCount: possibleCpus() });
  expect(compareMaps(mapCases, kernel, 2000, 7)).toEqual([]);
});
