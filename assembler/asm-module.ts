/**
 * Symbolic assembly: the compiler's output and the assembler's input. Labels and symbols stay
 * names until {@link AsmModule} becomes an ObjectFile. Printing it as text and parsing that text
 * gives an equal module.
 */
import type { Instruction } from "../common/isa/instruction.ts";
import type { Btf, CoreRelocationKind, TypeId } from "../common/object/btf.ts";
import type {
  Endian,
  RelocationType,
  SymbolBinding,
  SymbolType,
  SymbolVisibility,
} from "../common/object/object-file.ts";

/** A source line for BTF.ext line_info. */
export interface AsmLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The line's text, as BTF.ext stores it. */
  readonly text: string;
}

export interface AsmCoreRelocation {
  readonly type: TypeId;
  readonly access: string;
  readonly kind: CoreRelocationKind;
}

/** A symbol plus a byte offset. */
export interface SymbolReference {
  readonly symbol: string;
  readonly addend: number;
}

export type AsmItem =
  | { readonly kind: "label"; readonly name: string }
  | {
      readonly kind: "instruction";
      /** With `target`, the field that it fills (offset, imm or 64-bit value) holds 0. */
      readonly insn: Instruction;
      /**
       * jump, branch, may_goto: a label of this section. call local: a function symbol (or a label).
       * call kfunc: an extern symbol (R_BPF_64_32). load_imm64: a map, variable or function
       * symbol (R_BPF_64_64).
       */
      readonly target?: SymbolReference;
      readonly location?: AsmLocation;
      readonly core?: AsmCoreRelocation;
    }
  | { readonly kind: "data"; readonly bytes: Uint8Array }
  /** A data word that a relocation fills: 8 bytes for ABS64, 4 otherwise. */
  | {
      readonly kind: "reference";
      readonly type: RelocationType;
      readonly target: SymbolReference;
    }
  | { readonly kind: "zero"; readonly size: number }
  | { readonly kind: "align"; readonly align: number };

export interface AsmSection {
  readonly name: string;
  readonly kind: "progbits" | "nobits";
  /** ELF sh_flags. */
  readonly flags: number;
  readonly entrySize: number;
  readonly align: number;
  readonly items: readonly AsmItem[];
}

/** A symbol that the object's symbol table will have. Labels without one stay internal. */
export interface AsmSymbol {
  readonly name: string;
  readonly binding: SymbolBinding;
  readonly visibility: SymbolVisibility;
  readonly type: SymbolType;
  /** Bytes. For functions: undefined = up to the next function or the section's end. */
  readonly size?: number;
  /** False for externs. */
  readonly defined: boolean;
}

export interface AsmFunctionInfo {
  /** Function symbol. */
  readonly symbol: string;
  /** BTF FUNC id. */
  readonly type: TypeId;
}

export interface AsmModule {
  readonly endian: Endian;
  readonly sections: readonly AsmSection[];
  readonly symbols: readonly AsmSymbol[];
  /** Absent with -g0. Datasec offsets and sizes are filled in by the assembler from the symbols. */
  readonly btf?: Btf;
  readonly functions: readonly AsmFunctionInfo[];
}
