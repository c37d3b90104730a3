/**
 * Phase 7: virtual registers → r0–r9 and stack slots.
 *
 * The allocator colours live intervals with holes, in the manner of a greedy linear scan: copies are
 * coalesced first, long intervals choose first, and an interval that finds no register may evict
 * cheaper ones or goes to the stack, after which the function is numbered again. Chosen over graph
 * colouring because no interference graph is built (a test costs the interval's length, so large
 * functions stay near linear) and over SSA-based colouring because BPF's two-address ALU and its
 * fixed argument registers make most of the work coalescing and hints, which intervals do directly.
 * r6–r9 need no saving in BPF, so only call clobbers tell registers apart.
 */
import { type Diagnostics, InternalError } from "../../common/diagnostics/diagnostic.ts";
import { spanOf } from "../5-optimize/report.ts";
import type { MachineFunction } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { replaceRegisters } from "../6-select/operands.ts";
import type { TargetOptions } from "../options.ts";
import { type Assignment, assignRegisters } from "./assign.ts";
import { cleanUp } from "./clean-up.ts";
import { coalesce, removeIdentityMoves } from "./coalesce.ts";
import { loopDepths, machineOrder } from "./flow.ts";
import { forwardSpills } from "./forward-spills.ts";
import { layoutFrame, resolveSlots } from "./frame.ts";
import { computeLiveness } from "./intervals.ts";
import { pinContext } from "./pin-context.ts";
import { removePhis } from "./remove-phis.ts";
import { shareAddresses } from "./share-addresses.ts";
import { sinkArguments } from "./sink-arguments.ts";
import { insertSpills, remakeable, type SpillState } from "./spill.ts";

/** Each round spills what found no register; reloads are shorter every time. */
const maxRounds = 24;

/** Allocates in place. A frame that is too large, or inline assembly that wants too much, is reported. */
export function allocateFunction(
  fn: MachineFunction,
  options: TargetOptions,
  diagnostics: Diagnostics,
): void {
  const has32 = options.cpu === "v3" || options.cpu === "v4";
  fn.blocks = machineOrder(fn);
  removePhis(fn, has32);
  fn.blocks = machineOrder(fn);
  sinkArguments(fn);
  pinContext(fn);
  const assignment = findAssignment(fn, diagnostics);
  const map = (register: number): number =>
    isVirtual(register) ? (assignment?.colors.get(register) ?? 0) : register;
  for (const block of fn.blocks) {
    for (const op of block.instructions) replaceRegisters(op, map);
    replaceRegisters(block.terminator, map);
  }
  removeIdentityMoves(fn);
  forwardSpills(fn);
  layoutFrame(fn, diagnostics, options.stackLimit);
  shareAddresses(fn);
  resolveSlots(fn);
  cleanUp(fn);
}

function findAssignment(fn: MachineFunction, diagnostics: Diagnostics): Assignment | undefined {
  const depths = loopDepths(fn);
  const state: SpillState = { homes: new Map(), unspillable: new Set() };
  let liveness = computeLiveness(fn);
  coalesce(fn, liveness, depths);
  removeIdentityMoves(fn);
  for (let round = 0; round < maxRounds; round += 1) {
    liveness = computeLiveness(fn);
    const makers = remakeable(fn);
    const assignment = assignRegisters(fn, liveness, depths, state.unspillable, makers);
    if (assignment.spilled.length === 0) return assignment;
    if (assignment.spilled.some((register) => state.unspillable.has(register))) {
      diagnostics.error(
        "out-of-registers",
        `function '${fn.name}': an inline assembly statement needs more registers than BPF has`,
        fn.location && spanOf(fn.location),
      );
      return undefined;
    }
    insertSpills(fn, assignment.spilled, makers, state);
  }
  throw new InternalError(`${fn.name}: register allocation does not end`);
}
