/**
 * Block order: chains of blocks that fall through into each other, so that few jumps remain. The
 * emitter writes a jump only where the next block is not the target.
 *
 * In loops the edges that are taken most often pick first (edge-frequencies.ts): a round then jumps
 * as rarely as can be. A jump that falls away saves an instruction besides, and counts twice; so does
 * the only way into a block, which would need a jump back where it stands elsewhere, and the way out at a loop's end. An edge back counts a little less, as the way into a loop that does not begin with its header is a jump.
 * Elsewhere jumps pick first, since they have one choice and a branch has two.
 *
 * Nothing falls back into a loop but by a branch: kernels before 6.6 take an edge back only from a
 * jump, and refuse a loop whose last instruction in front of its test is another one.
 */
import {
  type MachineBlock,
  type MachineFunction,
  machinePredecessors,
  machineSuccessors,
} from "../6-select/machine.ts";
import { edgeFrequencies, expectedExit } from "./edge-frequencies.ts";
import { loopDepths, machineOrder } from "./flow.ts";

interface Edge {
  readonly from: MachineBlock;
  readonly to: MachineBlock;
  readonly rank: number;
}

export function layoutBlocks(fn: MachineFunction): void {
  const order = machineOrder(fn);
  const chains = new Chains(order);
  const entry = order[0];
  for (const { from, to } of rankedEdges(fn, order)) {
    if (to !== entry) chains.join(from, to);
  }
  fn.blocks = chains.concatenate(order);
}

function isBareExit(block: MachineBlock): boolean {
  return block.instructions.length === 0 && block.terminator.kind === "exit";
}

/** What a branch back to its loop is worth beside one forward. */
const backWorth = 0.9;

/** Above all edges outside loops; and once more, ways out that the verifier is to take first. */
const loopRank = 1000;

/** Candidates for falling through, best first. */
function rankedEdges(fn: MachineFunction, order: readonly MachineBlock[]): Edge[] {
  const depths = loopDepths(fn);
  const preds = machinePredecessors(fn);
  const index = new Map(order.map((block, at) => [block, at]));
  const frequencies = edgeFrequencies(order, depths);
  const edges: Edge[] = [];
  order.forEach((from, at) => {
    const end = from.terminator;
    const isForward = (to: MachineBlock): boolean => (index.get(to) ?? 0) > at;
    const add = (to: MachineBlock, rank: number): void => {
      // A jump to a lone exit is an exit itself: it gains nothing by falling through.
      edges.push({ from, to, rank: isBareExit(to) ? -1 : rank });
    };
    // Where nobody else can fall into a block, this is its only chance.
    const own = (block: MachineBlock): number => (preds.get(block)?.length === 1 ? 1 : 0);
    if ((depths.get(from) ?? 0) > 0) {
      const ways = frequencies.get(from) ?? [];
      const goesBack = ways.some(({ to }) => !isForward(to));
      const expected = expectedExit(from, depths);
      for (const { to, frequency } of ways) {
        // A bit test cannot be inverted.
        if (end.kind === "branch" ? end.op === "set" && to === end.then : !isForward(to)) continue;
        const isOnly = goesBack || own(to) === 1;
        const forward = end.kind === "branch" && end.op === "set" ? 2 : isOnly ? 1.9 : 1;
        const worth = end.kind !== "branch" ? 2 : isForward(to) ? forward : backWorth;
        const tie = end.kind === "branch" && to === end.otherwise ? 0.01 : 0;
        const first = to === expected ? loopRank : 0;
        add(to, loopRank + first + frequency * (worth + tie));
      }
    } else if (end.kind === "jump") {
      if (isForward(end.target)) add(end.target, 6);
    } else if (end.kind === "asm_goto") {
      if (isForward(end.next)) add(end.next, 7);
    } else if (end.kind === "branch") {
      const inLoop = (block: MachineBlock): number => Math.min(depths.get(block) ?? 0, 8) / 16;
      const likely = end.likely === undefined ? 0 : end.likely ? 1 : -1;
      const rank = (block: MachineBlock): number => 2 + inLoop(block) + own(block);
      add(end.otherwise, rank(end.otherwise) + 0.5 - likely);
      if (end.op !== "set") add(end.then, rank(end.then) + likely);
    }
  });
  return edges.sort((a, b) => b.rank - a.rank);
}

class Chains {
  readonly #next = new Map<MachineBlock, MachineBlock>();
  readonly #hasPrevious = new Set<MachineBlock>();
  readonly #heads: Map<MachineBlock, MachineBlock>;

  constructor(order: readonly MachineBlock[]) {
    this.#heads = new Map(order.map((block) => [block, block]));
  }

  #head(block: MachineBlock): MachineBlock {
    let at = block;
    for (let up = this.#heads.get(at); up !== undefined && up !== at; up = this.#heads.get(at)) {
      at = up;
    }
    this.#heads.set(block, at);
    return at;
  }

  join(from: MachineBlock, to: MachineBlock): void {
    if (this.#next.has(from) || this.#hasPrevious.has(to)) return;
    const head = this.#head(from);
    if (head === this.#head(to)) return;
    this.#next.set(from, to);
    this.#hasPrevious.add(to);
    this.#heads.set(to, head);
  }

  /** Chains in the order of their first mention after the blocks that lead to them. */
  concatenate(order: readonly MachineBlock[]): MachineBlock[] {
    const result: MachineBlock[] = [];
    const placed = new Set<MachineBlock>();
    const place = (head: MachineBlock): void => {
      for (
        let at: MachineBlock | undefined = head;
        at !== undefined && !placed.has(at);
        at = this.#next.get(at)
      ) {
        placed.add(at);
        result.push(at);
      }
    };
    for (const block of order) place(this.#head(block));
    return result;
  }
}

/** Jumps to a lone exit become exits. */
export function duplicateExits(fn: MachineFunction): void {
  fn.blocks.forEach((block, at) => {
    const end = block.terminator;
    if (end.kind !== "jump" || !isBareExit(end.target) || fn.blocks[at + 1] === end.target) return;
    block.terminator = { ...end.target.terminator };
  });
  const used = new Set<MachineBlock>(fn.blocks.flatMap(machineSuccessors));
  fn.blocks = fn.blocks.filter((block, at) => at === 0 || used.has(block));
  fallIntoExits(fn);
}

/** A bare exit that branches need stands behind a block that exits too, which then falls into it. */
function fallIntoExits(fn: MachineFunction): void {
  for (const exit of fn.blocks.filter(isBareExit)) {
    const at = fn.blocks.indexOf(exit);
    const before = fn.blocks[at - 1];
    if (before === undefined || machineSuccessors(before).includes(exit)) continue;
    const ends = (block: MachineBlock): boolean =>
      block !== exit && block.terminator.kind === "exit" && block.instructions.length > 0;
    const host = ends(before) ? before : fn.blocks.find(ends);
    if (host === undefined) continue;
    host.terminator = { kind: "jump", target: exit, location: host.terminator.location };
    fn.blocks.splice(at, 1);
    fn.blocks.splice(fn.blocks.indexOf(host) + 1, 0, exit);
  }
}
