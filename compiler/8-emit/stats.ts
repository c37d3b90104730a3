/** What each function costs: instructions, stack and spills, in all and per source line. */
import type { AsmItem } from "../../assembler/asm-module.ts";
import { slotCount } from "../../common/isa/instruction.ts";
import type { DebugLocation } from "../4-lower/ir.ts";
import type { MachineFunction } from "../6-select/machine.ts";

export interface LineStats {
  readonly file: string;
  readonly line: number;
  /** Slots of 8 bytes: ld_imm64 counts twice, as in the kernel's limits. */
  readonly instructions: number;
  readonly spillStores: number;
  readonly spillLoads: number;
}

export interface StackObjectStats {
  readonly name: string;
  readonly bytes: number;
  /** Where it is declared, then the calls that were inlined, innermost first: `file:line`. */
  readonly place: readonly string[];
}

export interface FunctionStats {
  readonly name: string;
  readonly section: string;
  readonly instructions: number;
  /** Bytes below r10. Objects that are never alive together share some. */
  readonly stack: number;
  readonly objects: readonly StackObjectStats[];
  /** Registers that have a place on the stack. */
  readonly spilledRegisters: number;
  readonly spillStores: number;
  readonly spillLoads: number;
  /** In source order; what has no line of its own counts to the line before it. */
  readonly lines: readonly LineStats[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export function functionStats(
  machine: MachineFunction,
  section: string,
  items: readonly AsmItem[],
): FunctionStats {
  const table = new LineTable();
  countInstructions(items, machine.location, table);
  countSpills(machine, table);
  const sum = (key: "instructions" | "spillStores" | "spillLoads"): number =>
    table.lines().reduce((total, line) => total + line[key], 0);
  const placed = machine.slots.filter(({ offset }) => offset !== undefined);
  return {
    name: machine.name,
    section,
    instructions: sum("instructions"),
    stack: machine.frameSize,
    objects: placed
      .filter(({ isSpill }) => !isSpill)
      .map(({ name, size, location }) => ({ name, bytes: size, place: placeOf(location) })),
    spilledRegisters: placed.filter(({ isSpill }) => isSpill).length,
    spillStores: sum("spillStores"),
    spillLoads: sum("spillLoads"),
    lines: table.lines(),
  };
}

class LineTable {
  readonly #lines = new Map<string, Mutable<LineStats>>();

  at(place: { readonly file: string; readonly line: number } | undefined): Mutable<LineStats> {
    const { file = "", line = 0 } = place ?? {};
    const key = `${file}:${line}`;
    let found = this.#lines.get(key);
    if (found === undefined) {
      found = { file, line, instructions: 0, spillStores: 0, spillLoads: 0 };
      this.#lines.set(key, found);
    }
    return found;
  }

  lines(): LineStats[] {
    return [...this.#lines.values()].sort(
      (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line,
    );
  }
}

function countInstructions(
  items: readonly AsmItem[],
  start: DebugLocation | undefined,
  table: LineTable,
): void {
  let place: { readonly file: string; readonly line: number } | undefined = start;
  for (const item of items) {
    if (item.kind !== "instruction") continue;
    place = item.location ?? place;
    table.at(place).instructions += slotCount(item.insn);
  }
}

function countSpills(machine: MachineFunction, table: LineTable): void {
  let place: DebugLocation | undefined = machine.location;
  for (const { instructions } of machine.blocks) {
    for (const op of instructions) {
      place = op.location ?? place;
      if (op.kind === "store" && op.isSpill) table.at(place).spillStores += 1;
      if (op.kind === "load" && op.isSpill) table.at(place).spillLoads += 1;
    }
  }
}

function placeOf(location: DebugLocation | undefined): string[] {
  const places: string[] = [];
  for (let at = location; at !== undefined; at = at.inlinedAt) places.push(`${at.file}:${at.line}`);
  return places;
}
