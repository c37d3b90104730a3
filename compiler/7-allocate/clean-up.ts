/** After allocation: moves that nobody needs go, equal code is shared, and blocks get their final order. */
import type { MachineFunction } from "../6-select/machine.ts";
import { hoistCommonMoves } from "./hoist-common-moves.ts";
import { hoistMoves } from "./hoist-moves.ts";
import { duplicateExits, layoutBlocks } from "./layout.ts";
import { mergeTails } from "./merge-tails.ts";
import { repeatTests } from "./repeat-tests.ts";
import { reuseValues } from "./reuse-values.ts";
import { threadJumps } from "./thread-jumps.ts";

export function cleanUp(fn: MachineFunction): void {
  threadJumps(fn);
  reuseValues(fn);
  hoistCommonMoves(fn);
  threadJumps(fn);
  hoistMoves(fn);
  reuseValues(fn);
  threadJumps(fn);
  if (mergeTails(fn)) {
    // What is left of a block may be a move alone.
    threadJumps(fn);
    hoistMoves(fn);
  }
  threadJumps(fn);
  repeatTests(fn);
  layoutBlocks(fn);
  duplicateExits(fn);
}
