/**
 * C types after checking. Sizes and alignments are in bytes, as the BPF ABI (LP64, like x86-64)
 * lays them out. Records and enums have identity and are completed in place; all else is
 * structural.
 */

export interface QualType {
  readonly type: CType;
  readonly const: boolean;
  readonly volatile: boolean;
  readonly restrict: boolean;
  /** btf_type_tag attributes, outermost last; kept for BTF. */
  readonly typeTags?: readonly string[];
  readonly addressSpace?: number;
  /** attribute may_alias: what is accessed as this type may be of any. */
  readonly mayAlias?: true;
}

export type IntegerRank = "char" | "short" | "int" | "long" | "long long" | "int128";

export type CType =
  | { readonly kind: "void" }
  | { readonly kind: "bool" }
  | IntegerType
  | {
      readonly kind: "float";
      readonly name: "float" | "double" | "long double";
      readonly size: number;
    }
  | { readonly kind: "pointer"; readonly pointee: QualType }
  | ArrayType
  | FunctionType
  | RecordType
  | EnumType
  | TypedefType
  | { readonly kind: "va_list" };

export interface IntegerType {
  readonly kind: "int";
  readonly rank: IntegerRank;
  readonly signed: boolean;
  /** Plain `char`: a type of its own, signed on BPF. */
  readonly plainChar: boolean;
}

export interface ArrayType {
  readonly kind: "array";
  readonly element: QualType;
  /** Undefined: `[]`, incomplete or a flexible member. */
  readonly length: number | undefined;
  /** Of a length that only the running program knows; `length` is 1 then. */
  readonly isVariable?: true;
}

export interface FunctionType {
  readonly kind: "function";
  readonly returns: QualType;
  readonly params: readonly FunctionParameter[];
  readonly variadic: boolean;
  readonly prototyped: boolean;
  /** Defined with a list of names: its calls may pass any number of arguments. */
  readonly old?: true;
  /** A call declared it. */
  readonly implicit?: true;
}

export interface FunctionParameter {
  readonly name: string | undefined;
  /** After adjustment of arrays and functions to pointers. */
  readonly type: QualType;
  readonly declTags?: readonly string[];
}

/** Sugar, kept so that BTF names what the user named. */
export interface TypedefType {
  readonly kind: "typedef";
  readonly name: string;
  readonly type: QualType;
  /** Alignment raised by an attribute on the typedef. */
  readonly align?: number;
  readonly declTags?: readonly string[];
  /** attribute preserve_access_index on the typedef of an untagged record. */
  readonly preserveAccessIndex?: boolean;
}

export interface RecordType {
  readonly kind: "struct" | "union";
  /** Undefined for untagged ones. */
  readonly tag: string | undefined;
  /** Unique per unit, in order of first mention. */
  readonly id: number;
  /** Undefined while incomplete. */
  definition: RecordDefinition | undefined;
  /** attribute preserve_access_index: accesses are CO-RE relocated. */
  preserveAccessIndex: boolean;
  /** attribute may_alias: what is accessed through it may be of any type. */
  mayAlias: boolean;
  declTags?: readonly string[];
}

export interface RecordDefinition {
  readonly fields: readonly RecordField[];
  readonly size: number;
  readonly align: number;
  readonly packed: boolean;
}

export interface RecordField {
  /** Undefined for anonymous members and unnamed bit-fields. */
  readonly name: string | undefined;
  readonly type: QualType;
  /** From the record's start. */
  readonly bitOffset: number;
  /** Undefined where it is not a bit-field. */
  readonly bitWidth: number | undefined;
  /** Position in {@link RecordDefinition.fields}, as CO-RE access strings count. */
  readonly index: number;
  readonly declTags?: readonly string[];
}

export interface EnumType {
  readonly kind: "enum";
  readonly tag: string | undefined;
  readonly id: number;
  definition: EnumDefinition | undefined;
  declTags?: readonly string[];
}

export interface EnumDefinition {
  readonly enumerators: readonly { readonly name: string; readonly value: bigint }[];
  /** unsigned int unless values need more, as clang chooses. */
  readonly underlying: IntegerType;
}
