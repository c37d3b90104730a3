/**
 * What loading an object gives: maps to create and programs to verify and run, as plain data. The
 * programs' instructions are flat and relocated in the portable form: a 64-bit immediate load with
 * src_reg 1 or 2 carries the index of its map in its first immediate and, for 2, the byte offset in
 * the map's value in its second.
 */
import type { Btf, LineInfo, TypeId } from "../common/object/btf.ts";
import type { Endian } from "../common/object/object-file.ts";

/** A pre-filled slot of a map of maps or a prog array. */
export interface MapSlot {
  readonly index: number;
  readonly target:
    | { readonly kind: "map"; readonly map: number }
    | { readonly kind: "program"; readonly program: string };
}

/** A function pointer of a struct_ops table and the program that stands there. */
export interface StructOpsMember {
  readonly name: string;
  /** Position among the struct's members, in the target's BTF where there is a target. */
  readonly index: number;
  /** Bytes from the start of the map's value. */
  readonly offset: number;
  readonly program: string;
}

/** What a struct_ops map holds. */
export interface StructOpsTable {
  /** The map's value, as the target kernel lays it out; functions are 0. */
  readonly value: Uint8Array;
  readonly members: readonly StructOpsMember[];
  /** False for `SEC("?.struct_ops")`: made on request. */
  readonly created: boolean;
  /** Ids of the struct and of the map's value in the target's BTF. */
  readonly kernelType?: TypeId;
  readonly kernelValueType?: TypeId;
}

/** The description of a map, before it is created. */
export interface MapSpec {
  readonly name: string;
  /** enum bpf_map_type. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly extra: bigint;
  /** BTF types of key and value; 0 where there are none. */
  readonly keyType: TypeId;
  readonly valueType: TypeId;
  /** enum libbpf_pin_type. */
  readonly pinning: number;
  /** Of a map of maps: the template of its elements. */
  readonly inner?: MapSpec;
  readonly slots: readonly MapSlot[];
  /** Contents of element 0: data sections. */
  readonly initial?: Uint8Array;
  /** Of an arena: contents of its first pages, global variables of the arena's address space. */
  readonly arenaData?: Uint8Array;
  readonly structOps?: StructOpsTable;
  /** The program must not write it: .rodata and .kconfig; frozen after it is filled. */
  readonly frozen: boolean;
  /** The section it was made from, where it is a data section: `.rodata`, `.bss.x` … */
  readonly dataSection?: string;
}

export interface ProgramFunction {
  readonly name: string;
  /** Slot of its first instruction. */
  readonly start: number;
  /** BTF FUNC id; 0 without BTF. */
  readonly type: TypeId;
  readonly linkage: "static" | "global";
}

/** One line_info record, at a slot of the flat program. */
export interface ProgramLine extends Omit<LineInfo, "insnOffset"> {
  readonly slot: number;
}

/** A reference that only a kernel can resolve. */
export interface KernelReference {
  readonly slot: number;
  readonly kind: "kfunc" | "ksym";
  readonly name: string;
  readonly weak: boolean;
  /** BTF FUNC or VAR id in the object's BTF; 0 without. */
  readonly type: TypeId;
  /** `extern const void x __ksym`: wanted is an address, not a typed variable. */
  readonly untyped: boolean;
}

export interface ProgramSpec {
  /** The function's name. */
  readonly name: string;
  readonly section: string;
  /** enum bpf_prog_type; 0 where the section name says nothing. */
  readonly type: number;
  /** enum bpf_attach_type. */
  readonly attachType: number;
  /** BPF_F_SLEEPABLE, BPF_F_XDP_HAS_FRAGS … */
  readonly flags: number;
  /** What follows the `/` of the section name: function, tracepoint, device … */
  readonly target: string;
  /**
   * Type id of the attach target in the target BTF (of struct_ops, the struct, and `attachType` is
   * the member); 0 where there is none or no target BTF.
   */
  readonly attachBtfId: TypeId;
  /** False for `SEC("?…")`. */
  readonly autoload: boolean;
  readonly license: string;
  /** 8 bytes per slot, in the object's byte order. */
  readonly insns: Uint8Array;
  /** In order of their place; the first is the program itself. */
  readonly functions: readonly ProgramFunction[];
  readonly lines: readonly ProgramLine[];
  readonly kernelReferences: readonly KernelReference[];
}

export interface LoadedObject {
  readonly path: string;
  readonly endian: Endian;
  readonly license: string;
  readonly maps: readonly MapSpec[];
  readonly programs: readonly ProgramSpec[];
  /** With the offsets of its data sections filled in. */
  readonly btf?: Btf;
  /** Types of the kernel that it was loaded for. */
  readonly targetBtf?: Btf;
}
