/**
 * Data sections as maps: libbpf makes one array map of one element from each of `.data*`, `.rodata*`,
 * `.bss*` and `.kconfig`.
 */
import type { Btf, BtfType } from "../common/object/btf.ts";
import type { ObjectSection, SectionIndex } from "../common/object/object-file.ts";
import type { PlacedMap } from "./map-definitions.ts";
import type { ObjectView } from "./object-view.ts";

const arrayMap = 2;
const BPF_F_RDONLY_PROG = 1 << 7;
const BPF_F_MMAPABLE = 1 << 10;

const dataName = /^\.(data|rodata|bss)(\.|$)/;

/** Sections that become maps; read-only string sections are merged into .rodata by name only. */
export function isDataSection(section: ObjectSection): boolean {
  return dataName.test(section.name) && section.size > 0;
}

const isReadOnly = (name: string): boolean => name.startsWith(".rodata") || name === ".kconfig";

function datasecId(btf: Btf | undefined, name: string): number {
  return (btf?.types.findIndex((t: BtfType) => t.kind === "datasec" && t.name === name) ?? -1) + 1;
}

/** The map of one data section. */
export function dataMap(view: ObjectView, index: SectionIndex, section: ObjectSection): PlacedMap {
  const initial = new Uint8Array(section.size);
  initial.set(section.data);
  return {
    section: index,
    offset: 0,
    size: section.size,
    spec: {
      name: section.name,
      type: arrayMap,
      keySize: 4,
      valueSize: section.size,
      maxEntries: 1,
      flags: (isReadOnly(section.name) ? BPF_F_RDONLY_PROG : 0) | BPF_F_MMAPABLE,
      extra: 0n,
      keyType: 0,
      valueType: datasecId(view.btf, section.name),
      pinning: 0,
      slots: [],
      initial,
      frozen: isReadOnly(section.name),
      dataSection: section.name,
    },
  };
}
