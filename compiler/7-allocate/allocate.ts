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
import type { MachineBlock, MachineFunction } from "../6-select/machine.ts";
import { isVirtual } from "../6-select/machine.ts";
import { replaceRegisters } from "../6-select/operands.ts";
import type { TargetOptions } from "../options.ts";
import { type Assignment, assignRegisters, usableRegisters } from "./assign.ts";
import { cleanUp } from "./clean-up.ts";
import { cloneFunction } from "./clone-function.ts";
import { coalesce, removeIdentityMoves } from "./coalesce.ts";
import { frequencyAt, loopDepths, machineOrder } from "./flow.ts";
import { foldFrameAddresses } from "./fold-frame-addresses.ts";
import { forwardSpills } from "./forward-spills.ts";
import { layoutFrame, resolveSlots } from "./frame.ts";
import { hoistConstants } from "./hoist-constants.ts";
import { computeLiveness } from "./intervals.ts";
import { pinContext } from "./pin-context.ts";
import { removePhis } from "./remove-phis.ts";
import { shareAddresses } from "./share-addresses.ts";
import { sinkArguments } from "./sink-arguments.ts";
import { removeDeadSpills } from "./slot-liveness.ts";
import { insertSpills, remakeable, type SpillState } from "./spill.ts";
import { splitRanges } from "./split-ranges.ts";

/** Each round spills what found no register; reloads are shorter every time. */
const maxRounds = 24;

/** Functions beyond this are not allocated twice. */
const mostInstructions = 20_000;

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
  giveRegisters(fn, diagnostics);
  layoutFrame(fn, diagnostics, options.stackLimit);
  foldFrameAddresses(fn);
  shareAddresses(fn);
  hoistConstants(fn);
  resolveSlots(fn);
  cleanUp(fn);
}

/**
 * Where something must be spilled, there are two ways: values that are on the stack for good, with short reloads, or
 * values that change places; neither is always better, so both are tried.
 */
function giveRegisters(fn: MachineFunction, diagnostics: Diagnostics): void {
  const depths = loopDepths(fn);
  coalesce(fn, computeLiveness(fn), depths);
  removeIdentityMoves(fn);
  const state: SpillState = { homes: new Map(), unspillable: new Set() };
  const liveness = computeLiveness(fn);
  const makers = remakeable(fn);
  const first = assignRegisters(fn, liveness, depths, state.unspillable, makers);
  if (first.spilled.length === 0) {
    writeAssignment(fn, first);
    return;
  }
  const split = canSplit(fn, depths) ? cloneFunction(fn) : undefined;
  insertSpills(fn, first.spilled, makers, state);
  spillUntilAssigned(fn, depths, state, diagnostics);
  if (split === undefined || diagnostics.hasErrors) return;
  const splitState: SpillState = { homes: new Map(), unspillable: new Set() };
  splitRanges(split, liveness, loopDepths(split), usableRegisters(split), splitState);
  spillUntilAssigned(split, loopDepths(split), splitState, diagnostics);
  if (isCheaper(split, fn)) {
    fn.blocks = split.blocks;
    fn.slots = split.slots;
    fn.nextRegister = split.nextRegister;
    fn.nextBlock = split.nextBlock;
  }
}

/** Only in loops is there much to win. */
function canSplit(fn: MachineFunction, depths: ReadonlyMap<MachineBlock, number>): boolean {
  const hasGoto = fn.blocks.some(({ terminator }) => terminator.kind === "asm_goto");
  const count = fn.blocks.reduce((sum, { instructions }) => sum + instructions.length, 0);
  return !hasGoto && count <= mostInstructions && [...depths.values()].some((depth) => depth > 0);
}

function spillUntilAssigned(
  fn: MachineFunction,
  depths: ReadonlyMap<MachineBlock, number>,
  state: SpillState,
  diagnostics: Diagnostics,
): void {
  for (let round = 0; round < maxRounds; round += 1) {
    const liveness = computeLiveness(fn);
    const makers = remakeable(fn);
    const assignment = assignRegisters(fn, liveness, depths, state.unspillable, makers);
    if (assignment.spilled.length === 0) {
      writeAssignment(fn, assignment);
      forwardSpills(fn);
      removeDeadSpills(fn);
      return;
    }
    if (assignment.spilled.some((register) => state.unspillable.has(register))) {
      diagnostics.error(
        "out-of-registers",
        `function '${fn.name}': an inline assembly statement needs more registers than BPF has`,
        fn.location && spanOf(fn.location),
      );
      return;
    }
    insertSpills(fn, assignment.spilled, makers, state);
  }
  throw new InternalError(`${fn.name}: register allocation does not end`);
}

function writeAssignment(fn: MachineFunction, { colors }: Assignment): void {
  const map = (register: number): number =>
    isVirtual(register) ? (colors.get(register) ?? 0) : register;
  for (const block of fn.blocks) {
    for (const op of block.instructions) replaceRegisters(op, map);
    replaceRegisters(block.terminator, map);
  }
  removeIdentityMoves(fn);
}

/** Fewer instructions are run, and not many more are written. */
function isCheaper(one: MachineFunction, other: MachineFunction): boolean {
  const [a, b] = [costOf(one), costOf(other)];
  return a.run < b.run && a.written <= b.written + 2;
}

function costOf(fn: MachineFunction): { run: number; written: number } {
  const depths = loopDepths(fn);
  let run = 0;
  let written = 0;
  for (const block of fn.blocks) {
    const count = block.instructions.length + (block.terminator.kind === "jump" ? 0.5 : 1);
    run += count * frequencyAt(depths.get(block));
    written += count;
  }
  return { run, written };
}
