/** The numbers of the ELF gABI that BPF objects use, shared by reader and writer. */
import type { SymbolBinding, SymbolType, SymbolVisibility } from "./object-file.ts";

export const EM_NONE = 0;
export const EM_BPF = 247;
export const ET_REL = 1;

export const ELF_HEADER_SIZE = 64;
export const SECTION_HEADER_SIZE = 64;
export const SYMBOL_SIZE = 24;
export const REL_SIZE = 16;
export const RELA_SIZE = 24;

export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
/** Its sh_link names the symbol table. */
export const SHT_LLVM_ADDRSIG = 0x6fff4c03;

export const SHF_INFO_LINK = 0x40;
export const SHF_GROUP = 0x200;

export const SHN_UNDEF = 0;
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;

export const symbolBindings = {
  local: 0,
  global: 1,
  weak: 2,
} as const satisfies Record<SymbolBinding, number>;

export const symbolTypes = {
  notype: 0,
  object: 1,
  func: 2,
  section: 3,
  file: 4,
} as const satisfies Record<SymbolType, number>;

export const symbolVisibilities = {
  default: 0,
  internal: 1,
  hidden: 2,
  protected: 3,
} as const satisfies Record<SymbolVisibility, number>;

/** Turns a name → number table around. */
export function namesByNumber<K extends string>(
  table: Readonly<Record<K, number>>,
): Map<number, K> {
  return new Map((Object.keys(table) as K[]).map((name) => [table[name], name]));
}
