/**
 * One BPF instruction in memory: a discriminated union, one variant per shape of RFC 9669.
 * The table in instructions.ts says which opcodes each variant encodes to.
 */

/** r0–r10. r10 is the read-only frame pointer. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10;

/** Access size in bytes. */
export type AccessSize = 1 | 2 | 4 | 8;

/** The second operand of ALU and branch instructions: a register or a sign-extended 32-bit immediate. */
export type Source =
  | { readonly kind: "register"; readonly register: Register }
  | { readonly kind: "immediate"; readonly value: number };

export type AluOp =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "sdiv"
  | "mod"
  | "smod"
  | "or"
  | "and"
  | "xor"
  | "lsh"
  | "rsh"
  | "arsh"
  | "mov";

export type JumpOp =
  | "eq"
  | "ne"
  | "gt"
  | "ge"
  | "lt"
  | "le"
  | "set"
  | "sgt"
  | "sge"
  | "slt"
  | "sle";

export type AtomicOp = "add" | "or" | "and" | "xor" | "xchg" | "cmpxchg";

/**
 * src_reg of a 64-bit immediate load (RFC 9669 section 5.4): what the value means to the loader.
 * 0 plain value, 1 map by fd, 2 map value by fd, 3 variable address (BTF id), 4 code address
 * (callback), 5 map by index, 6 map value by index.
 */
export type Imm64Source = 0 | 1 | 2 | 3 | 4 | 5 | 6;

export type Instruction =
  | {
      readonly kind: "alu";
      readonly op: AluOp;
      readonly width: 32 | 64;
      readonly dst: Register;
      readonly src: Source;
    }
  /** `dst = (sN)src`, v4. */
  | {
      readonly kind: "movsx";
      readonly from: 8 | 16 | 32;
      readonly width: 32 | 64;
      readonly dst: Register;
      readonly src: Register;
    }
  | { readonly kind: "neg"; readonly width: 32 | 64; readonly dst: Register }
  /** `le`/`be` convert from host order and zero-extend; `bswap` (v4) swaps always. */
  | {
      readonly kind: "endian";
      readonly op: "le" | "be" | "bswap";
      readonly bits: 16 | 32 | 64;
      readonly dst: Register;
    }
  /** Two slots. `value` is imm | next_imm << 32, as an unsigned 64-bit number. */
  | {
      readonly kind: "load_imm64";
      readonly dst: Register;
      readonly source: Imm64Source;
      readonly value: bigint;
    }
  /** `signed` is v4's LDSX (sizes 1, 2, 4). */
  | {
      readonly kind: "load";
      readonly size: AccessSize;
      readonly signed: boolean;
      readonly dst: Register;
      readonly base: Register;
      readonly offset: number;
    }
  | {
      readonly kind: "store";
      readonly size: AccessSize;
      readonly base: Register;
      readonly offset: number;
      readonly src: Source;
    }
  /** `fetch` is always true for xchg and cmpxchg. cmpxchg compares with and returns in r0. */
  | {
      readonly kind: "atomic";
      readonly op: AtomicOp;
      readonly fetch: boolean;
      readonly size: 4 | 8;
      readonly base: Register;
      readonly offset: number;
      readonly src: Register;
    }
  | {
      readonly kind: "load_acquire";
      readonly size: AccessSize;
      readonly dst: Register;
      readonly base: Register;
      readonly offset: number;
    }
  | {
      readonly kind: "store_release";
      readonly size: AccessSize;
      readonly base: Register;
      readonly offset: number;
      readonly src: Register;
    }
  /** Legacy LD_ABS / LD_IND: r0 = packet bytes at imm (+ src); context in r6, clobbers r1–r5. */
  | {
      readonly kind: "load_packet";
      readonly mode: "abs" | "ind";
      readonly size: 1 | 2 | 4;
      readonly src: Register;
      readonly imm: number;
    }
  /** Arena pointers: imm is (destination space << 16) | source space. */
  | {
      readonly kind: "addr_space_cast";
      readonly dst: Register;
      readonly src: Register;
      readonly imm: number;
    }
  /** `offset` counts 8-byte slots from the next instruction. `long` is gotol (v4, 32-bit offset). */
  | { readonly kind: "jump"; readonly long: boolean; readonly offset: number }
  | {
      readonly kind: "branch";
      readonly op: JumpOp;
      readonly width: 32 | 64;
      readonly dst: Register;
      readonly src: Source;
      readonly offset: number;
    }
  | { readonly kind: "may_goto"; readonly offset: number }
  /** helper: imm = helper id. local: imm = slots from the next insn. kfunc: imm = BTF id, offset = module BTF index. */
  | {
      readonly kind: "call";
      readonly target: "helper" | "local" | "kfunc";
      readonly imm: number;
      readonly offset: number;
    }
  /** Indirect call (0x8d), which Linux refuses. */
  | { readonly kind: "callx"; readonly target: Register }
  /** Indirect jump (0x0d) to an address from an instruction array map: Linux 6.19, LLVM 22. */
  | { readonly kind: "gotox"; readonly target: Register }
  | { readonly kind: "exit" };

/** How many 8-byte slots an instruction takes. */
export function slotCount(insn: Instruction): 1 | 2 {
  return insn.kind === "load_imm64" ? 2 : 1;
}
