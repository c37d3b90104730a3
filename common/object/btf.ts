/**
 * BTF in memory: all 19 kinds (Documentation/bpf/btf.rst), and BTF.ext.
 * Type ids are 1-based positions in {@link Btf.types}; 0 is void.
 */
import type { Endian } from "./object-file.ts";

export type TypeId = number;

export interface BtfMember {
  readonly name: string;
  readonly type: TypeId;
  readonly bitOffset: number;
  /** 0 where the member is not a bit-field. */
  readonly bitSize: number;
}

export interface BtfEnumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface BtfParam {
  /** Empty for `...` (type 0) and for parameters without a name. */
  readonly name: string;
  readonly type: TypeId;
}

export interface BtfSectionEntry {
  /** Of a VAR or FUNC. */
  readonly type: TypeId;
  /** Bytes. Compilers may leave 0 for the loader to fix up from the symbol table. */
  readonly offset: number;
  readonly size: number;
}

export type BtfLinkage = "static" | "global" | "extern";

export type BtfType =
  | {
      readonly kind: "int";
      readonly name: string;
      readonly size: number;
      readonly bits: number;
      readonly bitOffset: number;
      readonly signed: boolean;
      readonly char: boolean;
      readonly bool: boolean;
    }
  | { readonly kind: "ptr"; readonly type: TypeId }
  | {
      readonly kind: "array";
      readonly element: TypeId;
      readonly index: TypeId;
      readonly count: number;
    }
  | {
      readonly kind: "struct" | "union";
      readonly name: string;
      readonly size: number;
      readonly members: readonly BtfMember[];
      /** kind_flag: member offsets hold bit-field sizes. The writer sets it when any member is a bit-field. */
      readonly kindFlag: boolean;
    }
  | {
      readonly kind: "enum" | "enum64";
      readonly name: string;
      readonly size: number;
      readonly signed: boolean;
      readonly values: readonly BtfEnumerator[];
    }
  | { readonly kind: "fwd"; readonly name: string; readonly union: boolean }
  | { readonly kind: "typedef"; readonly name: string; readonly type: TypeId }
  | { readonly kind: "volatile" | "const" | "restrict"; readonly type: TypeId }
  | {
      readonly kind: "func";
      readonly name: string;
      readonly type: TypeId;
      readonly linkage: BtfLinkage;
    }
  | { readonly kind: "func_proto"; readonly returns: TypeId; readonly params: readonly BtfParam[] }
  | {
      readonly kind: "var";
      readonly name: string;
      readonly type: TypeId;
      readonly linkage: BtfLinkage;
    }
  | {
      readonly kind: "datasec";
      readonly name: string;
      readonly size: number;
      readonly entries: readonly BtfSectionEntry[];
    }
  | { readonly kind: "float"; readonly name: string; readonly size: number }
  | {
      readonly kind: "decl_tag";
      readonly name: string;
      readonly type: TypeId;
      /** -1: the declaration itself; otherwise the member or parameter. */
      readonly componentIndex: number;
      /** kind_flag: an attribute rather than a btf_decl_tag. */
      readonly kindFlag?: boolean;
    }
  | {
      readonly kind: "type_tag";
      readonly name: string;
      readonly type: TypeId;
      readonly kindFlag?: boolean;
    };

export interface Btf {
  readonly endian: Endian;
  readonly types: readonly BtfType[];
  /**
   * Of split BTF, such as a kernel module's: how many of the types are those of the base that it
   * continues. They come first.
   */
  readonly baseCount?: number;
}

/** insn offsets are in bytes from the section's start. */
export interface FuncInfo {
  readonly insnOffset: number;
  readonly type: TypeId;
}

export interface LineInfo {
  readonly insnOffset: number;
  readonly file: string;
  /** The source line's text; may be empty. */
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** enum bpf_core_relo_kind, in order. */
export const coreRelocationKinds = [
  "field_byte_offset",
  "field_byte_size",
  "field_exists",
  "field_signed",
  "field_lshift_u64",
  "field_rshift_u64",
  "type_id_local",
  "type_id_target",
  "type_exists",
  "type_size",
  "enumval_exists",
  "enumval_value",
  "type_matches",
] as const;
export type CoreRelocationKind = (typeof coreRelocationKinds)[number];

export interface CoreRelocation {
  readonly insnOffset: number;
  readonly type: TypeId;
  /** e.g. `0:1:2`. */
  readonly access: string;
  readonly kind: CoreRelocationKind;
}

export interface BtfExtSection<T> {
  readonly section: string;
  readonly records: readonly T[];
}

export interface BtfExt {
  readonly endian: Endian;
  readonly funcInfo: readonly BtfExtSection<FuncInfo>[];
  readonly lineInfo: readonly BtfExtSection<LineInfo>[];
  readonly coreRelocations: readonly BtfExtSection<CoreRelocation>[];
}
