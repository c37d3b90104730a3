/**
 * What the verifier is asked, and what it answers: plain data. A program is given as it would be
 * loaded: raw 8-byte slots, with maps by index in the two-slot immediate loads.
 */
import type { Btf, LineInfo } from "../../common/object/btf.ts";
import type { KernelTypes } from "./kernel-types.ts";

/** The kernel keeps no more of a name; loaders cut it. */
export const maxNameLength = 15;

export interface VerifierMap {
  readonly name: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** Index of the template of a map of maps; -1 if none. */
  readonly inner: number;
  /** Type ids in {@link VerifierInput.btf}; 0 if none. */
  readonly btfKey: number;
  readonly btfValue: number;
  /** First value of a map that was frozen before the program is loaded: constants to the verifier. */
  readonly frozenData?: Uint8Array;
  readonly extra?: bigint;
}

export interface VerifierFunction {
  readonly insn: number;
  /** BTF type id of the FUNC; 0 if the case has no BTF. */
  readonly type: number;
  readonly name: string;
  readonly linkage: "static" | "global" | "extern";
}

/** A line of the source that starts at an instruction. */
export interface VerifierLine extends Omit<LineInfo, "insnOffset"> {
  readonly insn: number;
}

export interface VerifierInput {
  /** enum bpf_prog_type. */
  readonly programType: number;
  /** enum bpf_attach_type. */
  readonly attachType: number;
  readonly license: string;
  /** The kernel's type that the program attaches to; 0 or absent if there is none. */
  readonly attachBtfId?: number;
  /** Types of the kernel; what needs them is unsupported without. */
  readonly kernel?: KernelTypes;
  /** {@link measuredConfig} if absent. */
  readonly config?: KernelConfig;
  /** BPF_F_*: strict alignment 1, sleepable 16 … */
  readonly flags: number;
  /** Slots, little endian; `imm` of a map reference is the index into `maps`. */
  readonly insns: Uint8Array;
  readonly maps: readonly VerifierMap[];
  readonly btf?: Btf;
  /** func_info; empty if the program was built without. */
  readonly functions: readonly VerifierFunction[];
  readonly lines?: readonly VerifierLine[];
}

/** What a kernel's machine and configuration decide. */
export interface KernelConfig {
  /** CPUs that the kernel may have: `bpf_get_smp_processor_id` gives less. */
  readonly cpus: number;
  /** CONFIG_KALLSYMS_ALL: programs can have the addresses of the kernel's variables. */
  readonly variableSymbols: boolean;
  /** CONFIG_FUNCTION_ERROR_INJECTION: programs may change what some of its functions return. */
  readonly errorInjection: boolean;
}

/** The machine on which Linux 6.18 was measured. */
export const measuredConfig: KernelConfig = {
  cpus: 2,
  variableSymbols: false,
  errorInjection: false,
};

/** What is known of one function's frame. */
export interface FrameView {
  /** Name of the function, if the program has BTF. */
  readonly function: string;
  /** Instruction of its call; -1 for the outermost. */
  readonly callsite: number;
  /** Set registers, as the log prints them. */
  readonly registers: readonly { readonly register: number; readonly text: string }[];
  /** Used slots, by offset from the frame pointer. */
  readonly stack: readonly { readonly offset: number; readonly text: string }[];
}

/** What is known before an instruction, on one visit. */
export interface StateView {
  /** The how manieth instruction processed this was. */
  readonly visit: number;
  /** Outermost first. */
  readonly frames: readonly FrameView[];
  /** Ids of what is held: references, locks. */
  readonly references: readonly number[];
}

/** The kernel's bits: 1 states of the failing path, 2 of all paths, 4 statistics. */
export interface VerifyOptions {
  readonly logLevel?: number;
  /** Instruction behind which a register's text is wanted, each time. */
  readonly watch?: { readonly insn: number; readonly register: number };
  /** Collects the states before every instruction (first `limit` visits of each). */
  readonly states?: { readonly limit: number };
  /** Stops with a rejection after this many instructions; the kernel's limit is 1,000,000. */
  readonly maxProcessed?: number;
  /** Counts processed instructions and checkpoints by instruction. */
  readonly profile?: boolean;
  /** Refuses reads of stack bytes that were never written, as kernels before 6.3 do. */
  readonly strictStack?: boolean;
}

/** First and last of some consecutive steps; the first instruction processed is step 1. */
export type StepRange = readonly [first: number, last: number];

export type VerdictKind = "accept" | "reject" | "unsupported";

export interface Verdict {
  readonly verdict: VerdictKind;
  /** First reason line of a rejection, or the construct that is not modelled. */
  readonly reason: string;
  /** All lines that the kernel's log has at level 4 before its statistics. */
  readonly messages: readonly string[];
  /** Instruction at which it was decided; undefined for checks of the program as a whole. */
  readonly insn?: number;
  /** errno that the kernel returns. */
  readonly errno: number;
  readonly processed: number;
  readonly states: number;
  readonly peakStates: number;
  readonly log: string;
  /** Register texts asked for by {@link VerifyOptions.watch}, in visiting order. */
  readonly watched?: readonly string[];
  /** By instruction, asked for by {@link VerifyOptions.states}. */
  readonly views?: ReadonlyMap<number, readonly StateView[]>;
  /** Visits by instruction, with {@link VerifyOptions.profile}. */
  readonly visits?: readonly number[];
  /** Checkpoints by instruction, with {@link VerifyOptions.profile}. */
  readonly checkpoints?: readonly number[];
  /** Offsets of the context that were accessed → the first instruction that did. */
  readonly contextOffsets: ReadonlyMap<number, number>;
  /** The first instruction found that stores a constant into the context. */
  readonly contextConstant?: number;
  /** Facts for an explanation of a rejection. */
  readonly facts?: RejectionFacts;
  /** The chain of calls that needs too much stack, outermost first. */
  readonly calls?: readonly StackUse[];
}

/** A function in a chain of calls, and what it needs of the stack. */
export interface StackUse {
  readonly function: string;
  /** Its first instruction. */
  readonly insn: number;
  readonly bytes: number;
}

/** What was known where the proof failed. */
export interface RejectionFacts {
  readonly insn: number;
  /** Instructions of the failing path, oldest first, the failing one last. */
  readonly path: readonly number[];
  /** The path's last steps, by number. */
  readonly steps: readonly StepRange[];
  /** Registers before the failing instruction, as the log prints them. */
  readonly registers: readonly { readonly register: number; readonly text: string }[];
  /** Type of the pointers with which the instruction was reached on other paths. */
  readonly otherKind?: number;
}
