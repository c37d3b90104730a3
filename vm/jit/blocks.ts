/**
 * Basic blocks of one subprogram, their dominator tree and reverse postorder. Only blocks that can
 * be reached are there.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import { unrollLoops } from "./unroll.ts";

export interface Block {
  /** First and one past the last slot. */
  readonly start: number;
  readonly end: number;
  /** Position in reverse postorder, which is also its index in the list. */
  readonly order: number;
  /** Block orders. For a branch: taken first, then the next instruction. */
  readonly successors: readonly number[];
  /** Of the immediate dominator; -1 for the entry. */
  readonly dominator: number;
  /** Blocks that it immediately dominates. */
  readonly children: readonly number[];
  /** Reached by more than one forward edge. */
  readonly isMerge: boolean;
  /** Target of a back edge. */
  readonly isLoop: boolean;
}

export interface FlowGraph {
  readonly blocks: readonly Block[];
  /** False where a loop has two entries: such code cannot be nested. */
  readonly isReducible: boolean;
  /** The blocks before rounds of loops were copied; each copy starts at the same slot. */
  readonly originals: readonly Block[];
}

type Slots = readonly (Instruction | undefined)[];

/** Slots that control may go to after the instruction at a slot. */
export function slotSuccessors(insn: Instruction, slot: number): readonly number[] {
  switch (insn.kind) {
    case "jump":
      return [slot + 1 + insn.offset];
    case "branch":
    case "may_goto":
      return [slot + 1 + insn.offset, slot + 1];
    case "exit":
    case "callx":
    case "gotox":
      return [];
    case "load_imm64":
      return [slot + 2];
    default:
      return [slot + 1];
  }
}

function isEnd(insn: Instruction): boolean {
  return ["jump", "branch", "may_goto", "exit", "callx", "gotox"].includes(insn.kind);
}

/** Slots at which blocks start, found by walking from the entry. */
function findLeaders(insns: Slots, entry: number): ReadonlySet<number> {
  const leaders = new Set([entry]);
  const seen = new Set<number>();
  const pending = [entry];
  for (let slot = pending.pop(); slot !== undefined; slot = pending.pop()) {
    const insn = insns[slot];
    if (insn === undefined || seen.has(slot)) continue;
    seen.add(slot);
    const next = slotSuccessors(insn, slot);
    for (const target of next) {
      // Code that runs off its end goes to a block without instructions.
      if (isEnd(insn) || insns[target] === undefined) leaders.add(target);
      pending.push(target);
    }
  }
  return leaders;
}

export interface RawBlock {
  readonly start: number;
  readonly end: number;
  /** Keys of blocks: their first slots; copies have others. */
  readonly next: readonly number[];
}

function rawBlock(insns: Slots, leaders: ReadonlySet<number>, start: number): RawBlock {
  let slot = start;
  for (;;) {
    const insn = insns[slot];
    // A jump into nowhere is a block of its own, which faults.
    if (insn === undefined) return { start, end: slot, next: [] };
    const next = slotSuccessors(insn, slot);
    const after = slot + (insn.kind === "load_imm64" ? 2 : 1);
    if (isEnd(insn)) return { start, end: after, next };
    if (leaders.has(after) || insns[after] === undefined) return { start, end: after, next };
    slot = after;
  }
}

/** Reverse postorder by an explicit stack: functions may have thousands of blocks. */
function reversePostorder(blocks: ReadonlyMap<number, RawBlock>, entry: number): number[] {
  const order: number[] = [];
  const seen = new Set([entry]);
  const stack = [{ start: entry, at: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const target = blocks.get(top.start)?.next[top.at];
    top.at += 1;
    if (target === undefined) {
      order.push(top.start);
      stack.pop();
    } else if (!seen.has(target)) {
      seen.add(target);
      stack.push({ start: target, at: 0 });
    }
  }
  return order.reverse();
}

/** Cooper, Harvey and Kennedy's iteration; arguments and result are by order. */
function dominators(successors: readonly (readonly number[])[]): number[] {
  const predecessors: number[][] = successors.map(() => []);
  for (const [from, list] of successors.entries()) {
    for (const to of list) (predecessors[to] as number[]).push(from);
  }
  const found: number[] = new Array(successors.length).fill(-1);
  found[0] = 0;
  const meet = (a: number, b: number): number => {
    let [left, right] = [a, b];
    while (left !== right) {
      while (left > right) left = found[left] as number;
      while (right > left) right = found[right] as number;
    }
    return left;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (let b = 1; b < successors.length; b += 1) {
      let best = -1;
      for (const p of predecessors[b] as number[]) {
        if (found[p] !== -1) best = best === -1 ? p : meet(p, best);
      }
      if (found[b] !== best) {
        found[b] = best;
        changed = true;
      }
    }
  }
  found[0] = -1;
  return found;
}

export function buildFlowGraph(insns: Slots, entry: number): FlowGraph {
  const leaders = findLeaders(insns, entry);
  const raw = new Map([...leaders].map((start) => [start, rawBlock(insns, leaders, start)]));
  const graph = graphOf(raw, entry);
  const unrolled = graph.isReducible ? unrollLoops(graph.blocks, raw, insns) : undefined;
  return unrolled === undefined ? graph : { ...graphOf(unrolled, entry), originals: graph.blocks };
}

function graphOf(raw: ReadonlyMap<number, RawBlock>, entry: number): FlowGraph {
  const starts = reversePostorder(raw, entry);
  const orderOf = new Map(starts.map((start, order) => [start, order]));
  const successors = starts.map((start) =>
    (raw.get(start)?.next ?? []).map((next) => orderOf.get(next) as number),
  );
  const parents = dominators(successors);
  const dominates = (a: number, b: number): boolean => {
    let at = b;
    while (at > a) at = parents[at] as number;
    return at === a;
  };
  const forward: number[] = new Array(starts.length).fill(0);
  const loops = new Set<number>();
  let isReducible = true;
  for (const [from, list] of successors.entries()) {
    for (const to of list) {
      if (to > from) forward[to] = (forward[to] as number) + 1;
      else if (dominates(to, from)) loops.add(to);
      else isReducible = false;
    }
  }
  const children: number[][] = starts.map(() => []);
  for (const [block, parent] of parents.entries()) {
    if (parent >= 0) (children[parent] as number[]).push(block);
  }
  const blocks = starts.map((key, order): Block => {
    const { start, end } = raw.get(key) as RawBlock;
    return {
      start,
      end,
      order,
      successors: successors[order] as number[],
      dominator: parents[order] as number,
      children: children[order] as number[],
      isMerge: (forward[order] as number) > 1,
      isLoop: loops.has(order),
    };
  });
  return { blocks, isReducible, originals: blocks };
}
