/**
 * Jumps out of reach: random functions run the same way before and after, and every jump then
 * reaches. The reach is made small, so that functions may be.
 */
import { expect, test } from "vitest";
import type { AsmItem } from "../assembler/asm-module.ts";
import { slotCount } from "../common/isa/instruction.ts";
import { relaxJumps } from "../compiler/8-emit/relax-jumps.ts";

type Random = () => number;

function randomSource(seed: number): Random {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Blocks of marked instructions with jumps among them, near and far. */
function randomFunction(random: Random, blocks: number): AsmItem[] {
  const items: AsmItem[] = [];
  const label = (): string => `L${Math.floor(random() * blocks)}`;
  for (let block = 0; block < blocks; block += 1) {
    items.push({ kind: "label", name: `L${block}` });
    for (let i = Math.floor(random() * 40); i >= 0; i -= 1) {
      const value = BigInt(items.length);
      items.push({
        kind: "instruction",
        insn:
          random() < 0.2
            ? { kind: "load_imm64", dst: 0, source: 0, value }
            : {
                kind: "alu",
                op: "mov",
                width: 64,
                dst: 0,
                src: { kind: "immediate", value: Number(value) },
              },
      });
    }
    const what = random();
    const target = { symbol: label(), addend: 0 };
    if (what < 0.5) {
      const src = { kind: "immediate", value: items.length } as const;
      const insn = { kind: "branch", op: "eq", width: 64, dst: 1, src, offset: 0 } as const;
      items.push({ kind: "instruction", insn, target });
    } else if (what < 0.6) {
      items.push({ kind: "instruction", insn: { kind: "may_goto", offset: 0 }, target });
    } else if (what < 0.8) {
      items.push({ kind: "instruction", insn: { kind: "jump", long: false, offset: 0 }, target });
    }
  }
  items.push({ kind: "instruction", insn: { kind: "exit" } });
  return items;
}

/** What is executed, when branches go as the random source says; jumps leave no trace. */
function trace(items: readonly AsmItem[], random: Random): string[] {
  const labels = new Map(
    items.flatMap((item, at) => (item.kind === "label" ? [[item.name, at]] : [])),
  );
  const done: string[] = [];
  for (let at = 0, steps = 0; steps < 20_000 && done.length < 500; at += 1, steps += 1) {
    const item = items[at];
    if (item?.kind !== "instruction") continue;
    const { insn, target } = item;
    const goal = labels.get(target?.symbol ?? "") ?? Number.NaN;
    if (insn.kind === "jump") {
      at = goal;
      continue;
    }
    done.push(insn.kind === "alu" ? JSON.stringify(insn.src) : insn.kind);
    if (insn.kind === "exit") break;
    const isBranch = insn.kind === "branch" || insn.kind === "may_goto";
    if (isBranch && random() < 0.5) at = goal;
  }
  return done;
}

/** The longest way that a short jump has to go. */
function longestJump(items: readonly AsmItem[]): number {
  const places = new Map<string, number>();
  let slots = 0;
  for (const item of items) {
    if (item.kind === "label") places.set(item.name, slots);
    if (item.kind === "instruction") slots += slotCount(item.insn);
  }
  let longest = 0;
  let at = 0;
  for (const item of items) {
    if (item.kind !== "instruction") continue;
    at += slotCount(item.insn);
    if (item.target === undefined || (item.insn.kind === "jump" && item.insn.long)) continue;
    longest = Math.max(longest, Math.abs((places.get(item.target.symbol) ?? Number.NaN) - at));
  }
  return longest;
}

test.each([true, false])("random functions with long jumps: %s", (hasV4) => {
  for (let seed = 1; seed <= 150; seed += 1) {
    const items = randomFunction(randomSource(seed), 60);
    const reach = 250 + (seed % 90);
    const relaxed = relaxJumps(items, { index: 0, hasV4, reach }) ?? [];
    expect(longestJump(items)).toBeGreaterThan(reach);
    expect(longestJump(relaxed)).toBeLessThanOrEqual(reach);
    expect(trace(relaxed, randomSource(seed))).toEqual(trace(items, randomSource(seed)));
  }
});
