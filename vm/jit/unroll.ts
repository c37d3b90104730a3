/**
 * Copies the blocks of small innermost loops, so that several rounds follow each other: engines ask
 * at each round of a loop whether they should stop, which costs small ones much. Needs a reducible
 * graph; whatever the rounds compute stays the same.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import type { Block, RawBlock } from "./blocks.ts";

/** Instructions of all rounds together. */
const largestUnrolled = 80;
const mostRounds = 4;

/** Blocks of the loop with that header: those from which its back edges are reached. */
function loopBlocks(blocks: readonly Block[], header: number): ReadonlySet<number> {
  const body = new Set([header]);
  const predecessors = (order: number): readonly Block[] =>
    blocks.filter((block) => block.successors.includes(order));
  const pending = predecessors(header).filter((block) => block.order >= header);
  for (let block = pending.pop(); block !== undefined; block = pending.pop()) {
    if (body.has(block.order)) continue;
    body.add(block.order);
    pending.push(...predecessors(block.order));
  }
  return body;
}

/** How many rounds a loop's body is worth; 1 where it stays as it is. */
function roundsOf(
  body: ReadonlySet<number>,
  blocks: readonly Block[],
  insns: readonly (Instruction | undefined)[],
): number {
  let count = 0;
  for (const order of body) {
    const { start, end } = blocks[order] as Block;
    count += end - start;
    if (count * 2 > largestUnrolled) return 1;
    for (let slot = start; slot < end; slot += 1) if (insns[slot]?.kind === "call") return 1;
  }
  return Math.min(mostRounds, Math.floor(largestUnrolled / count));
}

/** The blocks with their copies, by key; undefined where no loop is worth it. */
export function unrollLoops(
  blocks: readonly Block[],
  raw: ReadonlyMap<number, RawBlock>,
  insns: readonly (Instruction | undefined)[],
): ReadonlyMap<number, RawBlock> | undefined {
  const headers = blocks.filter((block) => block.isLoop);
  if (headers.length === 0) return undefined;
  const result = new Map(raw);
  // Keys of copies lie beyond all slots.
  const distance = insns.length + 1;
  for (const header of headers) {
    const body = loopBlocks(blocks, header.order);
    const isInnermost = headers.every((other) => other === header || !body.has(other.order));
    const rounds = isInnermost ? roundsOf(body, blocks, insns) : 1;
    if (rounds === 1) continue;
    const starts = new Set([...body].map((order) => (blocks[order] as Block).start));
    for (let round = 0; round < rounds; round += 1) {
      const keyOf = (start: number): number => {
        if (!starts.has(start)) return start;
        const isNext = start === header.start;
        return start + distance * (isNext ? (round + 1) % rounds : round);
      };
      for (const start of starts) {
        const block = raw.get(start);
        if (block === undefined) continue;
        result.set(start + distance * round, { ...block, next: block.next.map(keyOf) });
      }
    }
  }
  return result.size === raw.size ? undefined : result;
}
