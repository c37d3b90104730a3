/** Data sections: flags and alignment as clang gives them, objects in order, addresses as relocations. */

import type { AsmItem, AsmSection } from "../../assembler/asm-module.ts";
import { pushTo } from "../../common/append.ts";
import type { IrGlobal, IrModule } from "../4-lower/ir.ts";

const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_MERGE = 0x10;
const SHF_STRINGS = 0x20;

interface SectionShape {
  readonly kind: AsmSection["kind"];
  readonly flags: number;
  readonly entrySize: number;
}

/** clang decides by name, then by whether the first object is constant. */
function sectionShape(name: string, globals: readonly IrGlobal[]): SectionShape {
  const strings = name.startsWith(".rodata.str") ? /^\.rodata\.str(\d+)\.\d+$/.exec(name) : null;
  if (strings !== null) {
    const entrySize = Number(strings[1]);
    return { kind: "progbits", flags: SHF_ALLOC | SHF_MERGE | SHF_STRINGS, entrySize };
  }
  if (name === ".bss" || name.startsWith(".bss.")) {
    return { kind: "nobits", flags: SHF_WRITE | SHF_ALLOC, entrySize: 0 };
  }
  const isReadOnly =
    name === ".rodata" ||
    name.startsWith(".rodata.") ||
    (name !== ".data" && !name.startsWith(".data.") && globals.every(({ constant }) => constant));
  const flags = isReadOnly ? SHF_ALLOC : SHF_WRITE | SHF_ALLOC;
  return { kind: "progbits", flags, entrySize: 0 };
}

export function emitDataSections(ir: IrModule): AsmSection[] {
  const groups = new Map<string, IrGlobal[]>();
  for (const global of ir.globals) {
    if (global.isExtern) continue;
    pushTo(groups, global.section, global);
  }
  return [...groups].map(([name, globals]) => {
    const shape = sectionShape(name, globals);
    const items = globals.flatMap((global) => emitGlobal(global, shape.kind));
    const align = globals.reduce((most, { align: each }) => Math.max(most, each), 1);
    return { name, ...shape, align, items };
  });
}

function emitGlobal(global: IrGlobal, kind: AsmSection["kind"]): AsmItem[] {
  const items: AsmItem[] = [
    { kind: "align", align: global.align },
    { kind: "label", name: global.name },
  ];
  const { data, size } = global;
  if (kind === "nobits" || (data === undefined && global.relocations.length === 0)) {
    items.push({ kind: "zero", size });
    return items;
  }
  const bytes = data ?? new Uint8Array(size);
  const push = (from: number, to: number): void => {
    if (to > from) items.push({ kind: "data", bytes: bytes.slice(from, to) });
  };
  let at = 0;
  for (const { offset, symbol, addend } of [...global.relocations].sort(
    (a, b) => a.offset - b.offset,
  )) {
    push(at, offset);
    items.push({ kind: "reference", type: "R_BPF_64_ABS64", target: { symbol, addend } });
    at = offset + 8;
  }
  push(at, Math.min(size, bytes.length));
  if (bytes.length < size) items.push({ kind: "zero", size: size - bytes.length });
  return items;
}
