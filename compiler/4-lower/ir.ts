/**
 * The SSA intermediate representation, a mutable graph: module → functions → blocks →
 * instructions. Phase 4 builds it (locals as `alloca`), phase 5 transforms it, phase 6 reads it.
 *
 * Rules that the IR verifier checks:
 *  - every block ends in exactly one terminator, phis come first, one incoming value per predecessor;
 *  - a definition dominates its uses; operand types are as each instruction documents;
 *  - the entry block has no predecessors; all blocks are reachable or have been removed.
 * Pointers are opaque; their arithmetic is `ptradd` only. Integer widths are on every value.
 * Signed overflow wraps; shift amounts ≥ width are undefined values as BPF masks them.
 */
import type { CoreRelocationKind } from "../../common/object/btf.ts";
import type { Endian, SymbolBinding, SymbolVisibility } from "../../common/object/object-file.ts";
import type { CType } from "../3-check/types.ts";

export type IrType = "void" | "i1" | "i8" | "i16" | "i32" | "i64" | "ptr";
export type IntegerIrType = "i1" | "i8" | "i16" | "i32" | "i64";

/** Width in bits of an integer type; pointers are 64. */
export const bitWidth: Readonly<Record<Exclude<IrType, "void">, number>> = {
  i1: 1,
  i8: 8,
  i16: 16,
  i32: 32,
  i64: 64,
  ptr: 64,
};

/** One place in the source, for line info and messages. */
export interface DebugLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The text of that line, for BTF.ext. */
  readonly text: string;
  /** Call site that was inlined to bring the code here. */
  readonly inlinedAt?: DebugLocation;
  /** Function whose source this is. */
  readonly scope: string;
}

/** Everything that can be an operand. */
export type Value = Constant | UndefinedValue | GlobalAddress | Parameter | IrInstruction;

/** `value` is the unsigned representation: 0 ≤ value < 2^width. A null pointer is ptr 0. */
export interface Constant {
  readonly kind: "constant";
  readonly type: Exclude<IrType, "void">;
  readonly value: bigint;
}

export interface UndefinedValue {
  readonly kind: "undef";
  readonly type: Exclude<IrType, "void">;
}

/** Address of a global variable, map, function or extern symbol. */
export interface GlobalAddress {
  readonly kind: "global";
  readonly type: "ptr";
  readonly symbol: string;
}

export interface Parameter {
  readonly kind: "parameter";
  readonly type: Exclude<IrType, "void">;
  readonly index: number;
  readonly name: string;
  /** Of a pointer: it points to an object that the function reaches through nothing else. */
  readonly noalias?: true;
  /** Of an i32: its C type is narrower, and callers extend from that to 32 bits (the ABI says so). */
  readonly extendedFrom?: NarrowCType;
  /** The function relies on `extendedFrom`; the kernel's verifier then knows nothing of the range. */
  readonly trusted?: true;
  /** Of an integer: the greatest number, unsigned, that any call passes; the verifier follows all of them. */
  readonly most?: number;
}

/** C integer types below `int`, by signedness and width. */
export type NarrowCType = "s8" | "u8" | "s16" | "u16";

export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "udiv"
  | "sdiv"
  | "urem"
  | "srem"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "lshr"
  | "ashr";

export type IntPredicate =
  | "eq"
  | "ne"
  | "ult"
  | "ule"
  | "ugt"
  | "uge"
  | "slt"
  | "sle"
  | "sgt"
  | "sge";

export type AtomicRmwOp = "add" | "sub" | "and" | "or" | "xor" | "nand" | "xchg";

/**
 * The scalar C type that an access is made with: what is of one of these is of no other (strict aliasing).
 * Absent where it may be of any: characters, unions, bit-fields, may_alias.
 */
export type AccessedType = (typeof accessedTypes)[number];
export const accessedTypes = [
  "bool",
  "short",
  "int",
  "long",
  "long long",
  "float",
  "double",
  "long double",
  "pointer",
] as const;

/** Who is called. */
export type Callee =
  /** A function of this module or an extern (kfunc, other object): by symbol. */
  | { readonly kind: "function"; readonly symbol: string }
  /** BPF helper by number. */
  | { readonly kind: "helper"; readonly id: number }
  /** A computed address, operand 0. Must be resolved by inlining, otherwise it is an error. */
  | { readonly kind: "indirect" };

/** CO-RE: which relocation an instruction carries. */
export interface CoreAccess {
  readonly relocation: CoreRelocationKind;
  /** Root type of the access string, with typedef sugar as the user wrote it. Undefined in parsed textual IR. */
  readonly rootType: CType | undefined;
  /** Printable name of the root type, for textual IR. */
  readonly rootName: string;
  /** e.g. "0:1:2". */
  readonly access: string;
}

export interface AsmConstraint {
  /** "=r", "+r", "r", "i", "m", "0" … as written. */
  readonly text: string;
  readonly name?: string;
}

/**
 * What an instruction does beyond its operands, by `op`. `operands` hold only {@link Value}s, so
 * that passes can walk and replace them without knowing the operation.
 */
export type Operation =
  /** [a, b]: same integer type as the result. */
  | { op: "binary"; binary: BinaryOp }
  /** [a, b]: same type (integer or ptr) → i1. */
  | { op: "icmp"; predicate: IntPredicate }
  /** [v]: to a wider (zext, sext) or narrower (trunc) integer type. */
  | { op: "zext" | "sext" | "trunc" }
  /** [v]: ptr ↔ i64. */
  | { op: "ptrtoint" | "inttoptr" }
  /** [v]: byte swap of i16, i32, i64. */
  | { op: "bswap" }
  /** [base ptr, offset i64] → ptr. */
  | { op: "ptradd" }
  /** [condition i1, a, b]. */
  | { op: "select" }
  /** operands are the incoming values, in the order of `incoming`. */
  | { op: "phi"; incoming: Block[] }
  /** → ptr to a stack object; only in the entry block once lowering is done. `name`: for stack reports. */
  | { op: "alloca"; size: number; align: number; name: string }
  /**
   * [size i64] → ptr to a new stack object. BPF has none of these: optimisation makes an `alloca` of
   * it where the size becomes constant and, unless `scoped` (it dies with its block), it runs once.
   */
  | { op: "dynamic_alloca"; align: number; scoped: boolean }
  /** [ptr]. `align` is what is proven of the address. */
  | { op: "load"; align: number; volatile: boolean; accessed?: AccessedType }
  /** [value, ptr] → void. */
  | { op: "store"; align: number; volatile: boolean; accessed?: AccessedType }
  /** [ptr, value] → old value (void result if unused and the op allows). i32 or i64. */
  | { op: "atomicrmw"; atomic: AtomicRmwOp }
  /** [ptr, expected, desired] → old value. */
  | { op: "cmpxchg" }
  /** [ptr] / [value, ptr]: ordered access (v4 load-acquire, store-release). */
  | { op: "load_acquire" | "store_release" }
  /** [dst, src, length i64] → void. Length may be variable until after optimisation; `inline_only`: must become loads and stores. */
  | { op: "memcpy" | "memmove"; dstAlign: number; srcAlign: number; volatile: boolean }
  /** [dst, byte i8, length i64]. */
  | { op: "memset"; dstAlign: number; volatile: boolean }
  /** [a, b, length i64] → i32. */
  | { op: "memcmp" }
  /** [args…] (indirect: [callee, args…]). Arguments are i64, i32 or ptr… as the callee declares. `noreturn`: ends in unreachable after it. */
  | { op: "call"; callee: Callee; noreturn: boolean; signature?: CallSignature }
  /** [] → i64 (offset, size, id, value) or i32 flag widened to i64; `value` is the local answer. */
  | { op: "core"; core: CoreAccess; value: bigint }
  /** LD_ABS/LD_IND: [ctx ptr, offset i64] → i64. */
  | { op: "load_packet"; size: 1 | 2 | 4 }
  /** [value] → ptr. Arena address spaces. */
  | { op: "addr_space_cast"; from: number; to: number }
  /** [v] → i1; true if v is a constant once optimisation has done what it can. */
  | { op: "constant_p" }
  /** [ptr] → i64: __builtin_object_size; `value` if still unknown at the end. */
  | { op: "object_size"; type: number }
  /**
   * Inline assembly: operands are inputs (for "+r" the old value too, for "m" outputs the address), in
   * the order of the constraints; values for registers are i64 or ptr (i32 for "w"). Result: void, the value of the
   * only register output, or — with several — an i64 from which `asm_output` picks.
   */
  | {
      op: "asm";
      template: string;
      volatile: boolean;
      /** In the template's operand order: outputs first. */
      constraints: AsmConstraint[];
      outputCount: number;
      /** For each constraint: index into `operands`, or -1 (pure register outputs). */
      operandOf: number[];
      clobbers: string[];
    }
  /** [asm instruction] → the value of register output `index` (memory outputs do not count). */
  | { op: "asm_output"; index: number }
  /** Compiler barrier; memory may change. */
  | { op: "fence" }
  /** [ptr]: the stack object's contents are dead before / after. */
  | { op: "lifetime_start" | "lifetime_end" }
  | Terminator;

export type Terminator =
  | { op: "br"; target: Block }
  /** [condition i1]. `likely`: __builtin_expect. */
  | { op: "condbr"; then: Block; otherwise: Block; likely?: boolean }
  /** [value]. Case values are unsigned representations of the value's type. */
  | { op: "switch"; cases: { value: bigint; target: Block }[]; fallback: Block }
  /** [] or [value]. */
  | { op: "ret" }
  | { op: "unreachable" }
  /** asm goto: falls through to `next` or jumps to one of `labels`. Operands and fields as in `asm`. */
  | {
      op: "asm_goto";
      template: string;
      constraints: AsmConstraint[];
      outputCount: number;
      operandOf: number[];
      clobbers: string[];
      next: Block;
      labels: Block[];
    };

export type OperationName = Operation["op"];

/** How arguments and result of a call or function are passed; all in 64-bit registers r1–r5, r0. */
export interface CallSignature {
  readonly returns: IrType;
  /** For narrow results: how the callee extends. Callers re-extend. */
  readonly params: readonly Exclude<IrType, "void">[];
}

export interface IrInstruction {
  readonly kind: "instruction";
  /** Unique in the function; printed as %id. */
  readonly id: number;
  type: IrType;
  operation: Operation;
  operands: Value[];
  block: Block;
  location: DebugLocation | undefined;
  /** A name for readers of dumps and of stack reports. */
  name?: string;
}

export interface Block {
  readonly kind: "block";
  readonly id: number;
  /** Phis first, terminator last. */
  instructions: IrInstruction[];
  /** Of a loop header: what the user asked for. */
  unroll?:
    | { readonly kind: "full" | "enable" | "disable" }
    | { readonly kind: "count"; readonly count: number };
  name?: string;
}

export interface IrFunction {
  readonly name: string;
  readonly binding: SymbolBinding;
  readonly visibility: SymbolVisibility;
  /** ELF section; `.text` for subprograms. */
  readonly section: string;
  readonly inline: "always" | "never" | "hint" | "default";
  readonly naked: boolean;
  noreturn: boolean;
  /** It may hold operations `dynamic_alloca`. */
  hasDynamicStack?: boolean;
  params: Parameter[];
  returns: IrType;
  /** blocks[0] is the entry. */
  blocks: Block[];
  /** Next free instruction and block numbers. */
  nextInstructionId: number;
  nextBlockId: number;
  readonly location: DebugLocation | undefined;
  /** Text of attribute error of callees, by symbol, is in {@link IrModule.errorFunctions}. */
}

export interface IrGlobal {
  readonly name: string;
  readonly section: string;
  readonly binding: SymbolBinding;
  readonly visibility: SymbolVisibility;
  readonly align: number;
  readonly size: number;
  /** Absent: all zero (.bss) — unless extern. */
  readonly data?: Uint8Array;
  readonly relocations: readonly {
    readonly offset: number;
    readonly symbol: string;
    readonly addend: number;
  }[];
  /** Never written by the program, and not volatile: loads may be folded (not for `const volatile`). */
  readonly constant: boolean;
  readonly isExtern: boolean;
  /** Extern functions are in {@link IrModule.externFunctions}. */
}

export interface IrModule {
  readonly path: string;
  readonly endian: Endian;
  globals: IrGlobal[];
  functions: IrFunction[];
  /** Functions called or referred to but not defined here: kfuncs, other objects' functions. */
  externFunctions: {
    readonly name: string;
    readonly weak: boolean;
    readonly visibility: SymbolVisibility;
    readonly section: string | undefined;
  }[];
  /** Functions with attribute error: a surviving call is an error with this text. */
  errorFunctions: Map<string, string>;
  fileAsm: string[];
}
