/**
 * How often each edge is taken, beside the function's entry: from what a branch asks, where it is not
 * known (a loop goes on, two values are rather different than equal), and from the loops.
 */
import {
  type LocatedTerminator,
  type MachineBlock,
  machineSuccessors,
} from "../6-select/machine.ts";

/** Rounds of a loop; a way out of it is taken once. */
const rounds = 8;
const likelyOdds = 0.9;
/** That a value equals a constant. Little less than even: a guess should not move code out of line. */
const equalOdds = 0.36;

export interface EdgeFrequency {
  readonly to: MachineBlock;
  readonly frequency: number;
}

/** `order` is machineOrder's: predecessors first, edges back aside. */
export function edgeFrequencies(
  order: readonly MachineBlock[],
  depths: ReadonlyMap<MachineBlock, number>,
): Map<MachineBlock, readonly EdgeFrequency[]> {
  const blocks = new Map<MachineBlock, number>();
  const result = new Map<MachineBlock, readonly EdgeFrequency[]>();
  const headers = headersOf(order);
  order.forEach((block, at) => {
    const entered = at === 0 ? 1 : (blocks.get(block) ?? 0);
    const frequency = headers.has(block) ? entered * rounds : entered;
    const targets = machineSuccessors(block);
    const odds = oddsOf(block, depths);
    result.set(
      block,
      targets.map((to, which) => {
        const share = frequency * (odds[which] ?? 1 / targets.length);
        blocks.set(to, (blocks.get(to) ?? 0) + share);
        return { to, frequency: share };
      }),
    );
  });
  return result;
}

/** Blocks that an edge leads back to. */
function headersOf(order: readonly MachineBlock[]): Set<MachineBlock> {
  const seen = new Set<MachineBlock>();
  const headers = new Set<MachineBlock>();
  for (const block of order) {
    seen.add(block);
    for (const next of machineSuccessors(block)) if (seen.has(next)) headers.add(next);
  }
  return headers;
}

/** The odds of the block's successors, in machineSuccessors' order; empty where they are even. */
function oddsOf(block: MachineBlock, depths: ReadonlyMap<MachineBlock, number>): readonly number[] {
  const end = block.terminator;
  if (end.kind === "asm_goto") return [likelyOdds];
  if (end.kind !== "branch" || end.then === end.otherwise) return [];
  const odds = branchOdds(end, block, depths);
  return [odds, 1 - odds];
}

function branchOdds(
  end: LocatedTerminator & { kind: "branch" },
  block: MachineBlock,
  depths: ReadonlyMap<MachineBlock, number>,
): number {
  if (expectedExit(block, depths) !== undefined)
    return end.likely === true ? 1 / rounds : 1 - 1 / rounds;
  if (end.likely !== undefined) return end.likely ? likelyOdds : 1 - likelyOdds;
  const leaves = (to: MachineBlock): boolean => isOutside(to, block, depths);
  if (leaves(end.then) !== leaves(end.otherwise)) {
    return leaves(end.then) ? 1 / rounds : 1 - 1 / rounds;
  }
  if (end.src.kind !== "immediate") return 0.5;
  return end.op === "eq" ? equalOdds : end.op === "ne" ? 1 - equalOdds : 0.5;
}

/**
 * The way out of a loop that is marked as the likely one: what expect-exits.ts wants to be fallen into for the verifier's
 * sake, which says nothing of how often it is taken.
 */
export function expectedExit(
  block: MachineBlock,
  depths: ReadonlyMap<MachineBlock, number>,
): MachineBlock | undefined {
  const end = block.terminator;
  if (end.kind !== "branch" || end.likely === undefined) return undefined;
  const [to, other] = end.likely ? [end.then, end.otherwise] : [end.otherwise, end.then];
  return isOutside(to, block, depths) && !isOutside(other, block, depths) ? to : undefined;
}

function isOutside(
  to: MachineBlock,
  from: MachineBlock,
  depths: ReadonlyMap<MachineBlock, number>,
): boolean {
  return (depths.get(to) ?? 0) < (depths.get(from) ?? 0);
}
