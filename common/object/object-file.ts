/**
 * An ELF object in memory: what the assembler makes, the linker merges, the VM loads.
 * Source: the ELF gABI and the BPF psABI (relocation types: Documentation/bpf/llvm_reloc.rst).
 */

/** Index into {@link ObjectFile.sections}; the ELF null section is not stored. */
export type SectionIndex = number;

export type SymbolBinding = "local" | "global" | "weak";
export type SymbolType = "notype" | "object" | "func" | "section" | "file";
export type SymbolVisibility = "default" | "internal" | "hidden" | "protected";

export interface ObjectSymbol {
  readonly name: string;
  /** Where it is defined. `common` has its alignment in `value`. */
  readonly section: SectionIndex | "undefined" | "absolute" | "common";
  /** Byte offset in the section. */
  readonly value: number;
  readonly size: number;
  readonly binding: SymbolBinding;
  readonly type: SymbolType;
  readonly visibility: SymbolVisibility;
}

export const relocationTypes = {
  R_BPF_NONE: 0,
  R_BPF_64_64: 1,
  R_BPF_64_ABS64: 2,
  R_BPF_64_ABS32: 3,
  R_BPF_64_NODYLD32: 4,
  R_BPF_64_32: 10,
} as const;
export type RelocationType = keyof typeof relocationTypes;

/** REL form: the addend is in the relocated field, as BPF objects have it. */
export interface ObjectRelocation {
  /** Byte offset in the section. */
  readonly offset: number;
  readonly type: RelocationType;
  /** Index into {@link ObjectFile.symbols}. */
  readonly symbol: number;
  /** Only objects of old compilers (RELA) carry one here. */
  readonly addend?: number;
}

export type SectionKind = "progbits" | "nobits" | "note" | "other";

export interface ObjectSection {
  readonly name: string;
  readonly kind: SectionKind;
  /** sh_type, exact where `kind` is `other`. */
  readonly elfType: number;
  /** sh_flags: SHF_WRITE 1, SHF_ALLOC 2, SHF_EXECINSTR 4, SHF_MERGE 0x10, SHF_STRINGS 0x20 … */
  readonly flags: number;
  readonly align: number;
  readonly entrySize: number;
  /** Empty for nobits. */
  readonly data: Uint8Array;
  /** Byte size; differs from data.length for nobits only. */
  readonly size: number;
  readonly relocations: readonly ObjectRelocation[];
}

export interface ObjectFile {
  readonly endian: Endian;
  readonly sections: readonly ObjectSection[];
  /** Without the ELF null symbol. Local symbols first. */
  readonly symbols: readonly ObjectSymbol[];
}

/** Byte order of the target, bpfel or bpfeb. */
export type Endian = "little" | "big";
