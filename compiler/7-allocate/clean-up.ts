/** After allocation: what the code does not need goes, and blocks get their final order. */
import type { MachineFunction } from "../6-select/machine.ts";
import { layoutBlocks } from "./layout.ts";
import { threadJumps } from "./thread-jumps.ts";

export function cleanUp(fn: MachineFunction): void {
  threadJumps(fn);
  layoutBlocks(fn);
}
