/**
 * Jumps beyond 16 bits. On v4 a jump becomes gotol, and a branch hops over one. Below v4 there is no
 * long jump: it goes through islands, each a jump that control passes by:
 *
 *     goto over;  island: goto target;  over:
 *
 * An island stands every `hop` instructions on the way, serves all jumps to its target from around,
 * and costs nothing to pass where control does not fall into it anyway.
 */
import type { AsmItem } from "../../assembler/asm-module.ts";
import { slotCount } from "../../common/isa/instruction.ts";

type InstructionItem = Extract<AsmItem, { kind: "instruction" }>;

export interface RelaxOptions {
  /** Makes labels unique in the module. */
  readonly index: number;
  readonly hasV4: boolean;
  /** How far a jump reaches, in slots. Smaller only in tests. */
  readonly reach?: number;
}

const usualReach = 32_767;
/** Shares of the reach: how far an island stands from its jump, and from island to island. */
const hopShare = 0.9;
const gridShare = 0.05;

/** Islands move code, which may put others out of reach: so often at most. */
const maxRounds = 64;

/** The function's items with every jump in reach of its target; undefined if that cannot be had. */
export function relaxJumps(items: AsmItem[], options: RelaxOptions): AsmItem[] | undefined {
  const reach = options.reach ?? usualReach;
  let current = items;
  for (let round = 0; round < maxRounds; round += 1) {
    const layout = layOut(current);
    const far = farJumps(current, layout, reach);
    if (far.length === 0) return current;
    current = options.hasV4
      ? lengthenAll(current, new Set(far), options.index, round)
      : throughIslands(current, layout, far, options.index, round, reach);
  }
  return undefined;
}

interface Layout {
  /** Slot of each item. */
  readonly slots: readonly number[];
  readonly labels: ReadonlyMap<string, number>;
}

function layOut(items: readonly AsmItem[]): Layout {
  const labels = new Map<string, number>();
  const slots: number[] = [];
  let slot = 0;
  for (const item of items) {
    slots.push(slot);
    if (item.kind === "label") labels.set(item.name, slot);
    if (item.kind === "instruction") slot += slotCount(item.insn);
  }
  slots.push(slot);
  return { slots, labels };
}

/** Indexes of short jumps that do not reach their label. */
function farJumps(items: readonly AsmItem[], layout: Layout, reach: number): number[] {
  if ((layout.slots.at(-1) ?? 0) <= reach) return [];
  return items.flatMap((item, at) => {
    if (item.kind !== "instruction" || item.target === undefined) return [];
    const { insn } = item;
    const isShort =
      (insn.kind === "jump" && !insn.long) || insn.kind === "branch" || insn.kind === "may_goto";
    const target = layout.labels.get(item.target.symbol);
    const after = (layout.slots[at] ?? 0) + slotCount(insn);
    return isShort && target !== undefined && Math.abs(target - after) > reach ? [at] : [];
  });
}

const jumpTo = (symbol: string, long: boolean): InstructionItem => ({
  kind: "instruction",
  insn: { kind: "jump", long, offset: 0 },
  target: { symbol, addend: 0 },
});

function lengthenAll(
  items: readonly AsmItem[],
  far: ReadonlySet<number>,
  index: number,
  round: number,
): AsmItem[] {
  return items.flatMap((item, at) => {
    if (!far.has(at) || item.kind !== "instruction" || item.target === undefined) return [item];
    const { insn, target } = item;
    if (insn.kind === "jump") return [{ ...item, insn: { ...insn, long: true } }];
    const over = `LBB${index}_far${round}_${at}`;
    const there = `${over}_to`;
    return [
      { ...item, target: { symbol: there, addend: 0 } },
      jumpTo(over, false),
      { kind: "label", name: there },
      jumpTo(target.symbol, true),
      { kind: "label", name: over },
    ];
  });
}

interface Island {
  readonly label: string;
  readonly target: string;
}

function throughIslands(
  items: readonly AsmItem[],
  layout: Layout,
  far: readonly number[],
  index: number,
  round: number,
  reach: number,
): AsmItem[] {
  const islands = new Map<number, Island[]>();
  const labels = new Map<number, string>();
  for (const at of far) {
    const item = items[at] as InstructionItem;
    const target = item.target?.symbol ?? "";
    const place = islandPlace(items, layout, at, layout.labels.get(target) ?? 0, reach);
    const here = islands.get(place) ?? [];
    islands.set(place, here);
    let island = here.find((each) => each.target === target);
    if (island === undefined) {
      island = { label: `LBB${index}_hop${round}_${place}_${here.length}`, target };
      here.push(island);
    }
    labels.set(at, island.label);
  }
  return items.flatMap((item, at) => {
    const label = labels.get(at);
    const own: AsmItem =
      label === undefined
        ? item
        : { ...(item as InstructionItem), target: { symbol: label, addend: 0 } };
    const here = islands.get(at);
    if (here === undefined) return [own];
    const jumps = here.flatMap(({ label: name, target }): AsmItem[] => [
      { kind: "label", name },
      jumpTo(target, false),
    ]);
    if (endsFlow(items[at - 1])) return [...jumps, own];
    const over = `LBB${index}_over${round}_${at}`;
    return [jumpTo(over, false), ...jumps, { kind: "label", name: over }, own];
  });
}

/** Index of the item before which the island goes: on a grid, so that jumps from around share it. */
function islandPlace(
  items: readonly AsmItem[],
  { slots }: Layout,
  at: number,
  target: number,
  reach: number,
): number {
  const from = slots[at] ?? 0;
  const grid = Math.max(1, Math.floor(reach * gridShare));
  const hop = Math.floor(reach * hopShare);
  const wanted =
    target > from ? Math.floor((from + hop) / grid) * grid : Math.ceil((from - hop) / grid) * grid;
  let place = firstAtOrAfter(slots, wanted);
  // A little further on control may not fall in.
  for (let next = place; (slots[next] ?? Infinity) <= wanted + grid / 2; next += 1) {
    if (!endsFlow(items[next - 1])) continue;
    place = next;
    break;
  }
  return Math.min(place, items.length - 1);
}

function firstAtOrAfter(slots: readonly number[], wanted: number): number {
  let low = 0;
  let high = slots.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((slots[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

function endsFlow(item: AsmItem | undefined): boolean {
  if (item?.kind !== "instruction") return false;
  return item.insn.kind === "jump" || item.insn.kind === "exit";
}
