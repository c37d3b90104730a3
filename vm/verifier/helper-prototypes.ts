/** Helper prototypes as the argument checks need them, per program type. */
import type { Env } from "./env.ts";
import { programVariant } from "./program-variants.ts";
import { typeFlag } from "./reg-types.ts";
import { type HelperRow, helperAvailability, helperRows } from "./standin-tables.ts";

/** What an argument must be, without its flags. */
export type ArgKind =
  | "ANYTHING"
  | "CONST_MAP_PTR"
  | "CONST_SIZE"
  | "CONST_SIZE_OR_ZERO"
  | "CONST_ALLOC_SIZE_OR_ZERO"
  | "PTR_TO_CTX"
  | "PTR_TO_MEM"
  | "PTR_TO_MAP_KEY"
  | "PTR_TO_MAP_VALUE"
  | "PTR_TO_STACK"
  | "PTR_TO_FUNC"
  | "PTR_TO_BTF_ID"
  | "PTR_TO_BTF_ID_SOCK_COMMON"
  | "PTR_TO_SOCK_COMMON"
  | "PTR_TO_SOCKET"
  | "PTR_TO_SPIN_LOCK"
  | "PTR_TO_TIMER"
  | "PTR_TO_DYNPTR"
  | "PTR_TO_RINGBUF_MEM"
  | "PTR_TO_PERCPU_BTF_ID"
  | "PTR_TO_CONST_STR"
  | "KPTR_XCHG_DEST";

export type ReturnKind =
  | "INTEGER"
  | "VOID"
  | "PTR_TO_MAP_VALUE"
  | "PTR_TO_SOCKET"
  | "PTR_TO_SOCK_COMMON"
  | "PTR_TO_TCP_SOCK"
  | "PTR_TO_MEM"
  | "PTR_TO_MEM_OR_BTF_ID"
  | "PTR_TO_BTF_ID";

export interface HelperArg {
  readonly kind: ArgKind;
  /** Bits of {@link typeFlag}. */
  readonly flags: number;
  /** Bytes, for arguments of fixed size. */
  readonly size: number;
  readonly btf: string | undefined;
}

export interface HelperPrototype {
  readonly id: number;
  readonly name: string;
  readonly args: readonly HelperArg[];
  readonly ret: ReturnKind;
  readonly retFlags: number;
  readonly gplOnly: boolean;
  readonly pktAccess: boolean;
  readonly mightSleep: boolean;
  /** Only some functions may be traced with it. */
  readonly extraCheck: string | undefined;
}

const flagNames: Record<string, number> = {
  PTR_MAYBE_NULL: typeFlag.maybeNull,
  MEM_RDONLY: typeFlag.readOnly,
  MEM_RINGBUF: typeFlag.ringbuf,
  MEM_UNINIT: typeFlag.uninit,
  MEM_WRITE: typeFlag.write,
  MEM_FIXED_SIZE: typeFlag.fixedSize,
  MEM_ALIGNED: typeFlag.aligned,
  OBJ_RELEASE: typeFlag.release,
  PTR_TRUSTED: typeFlag.trusted,
  DYNPTR_TYPE_LOCAL: typeFlag.dynptrLocal,
  DYNPTR_TYPE_RINGBUF: typeFlag.dynptrRingbuf,
};

function splitFlags(text: string, prefix: string): { kind: string; flags: number } {
  const [kind = "", ...names] = text.split("|");
  let flags = 0;
  for (const name of names) flags |= flagNames[name] ?? 0;
  return { kind: kind.slice(prefix.length), flags };
}

const rowsById = new Map(helperRows.map((row) => [row.id, row]));

export function helperName(id: number): string {
  return rowsById.get(id)?.name ?? "unknown";
}

function argOf(row: HelperRow, text: string, at: number): HelperArg {
  const { kind, flags } = splitFlags(text, "ARG_");
  return {
    kind: kind as ArgKind,
    flags,
    size: row.argSize?.[String(at)] ?? 0,
    btf: row.argBtf?.[String(at)],
  };
}

const programTypeNames: Record<number, string> = {
  1: "SOCKET_FILTER",
  2: "KPROBE",
  3: "SCHED_CLS",
  4: "SCHED_ACT",
  5: "TRACEPOINT",
  6: "XDP",
  7: "PERF_EVENT",
  8: "CGROUP_SKB",
  9: "CGROUP_SOCK",
  10: "LWT_IN",
  11: "LWT_OUT",
  12: "LWT_XMIT",
  13: "SOCK_OPS",
  14: "SK_SKB",
  15: "CGROUP_DEVICE",
  16: "SK_MSG",
  17: "RAW_TRACEPOINT",
  18: "CGROUP_SOCK_ADDR",
  19: "LWT_SEG6LOCAL",
  20: "LIRC_MODE2",
  21: "SK_REUSEPORT",
  22: "FLOW_DISSECTOR",
  23: "CGROUP_SYSCTL",
  24: "RAW_TRACEPOINT_WRITABLE",
  25: "CGROUP_SOCKOPT",
  26: "TRACING",
  27: "STRUCT_OPS",
  28: "EXT",
  29: "LSM",
  30: "SK_LOOKUP",
  31: "SYSCALL",
  32: "NETFILTER",
};

function build(row: HelperRow, programType: number, gplOnly: boolean): HelperPrototype {
  const name = programTypeNames[programType] ?? "";
  const variant = row.variants?.find((v) => v.programTypes.includes(name));
  const { kind, flags } = splitFlags(row.ret, "RET_");
  return {
    id: row.id,
    name: row.name,
    args: (variant?.args ?? row.args).map((text, i) => argOf(row, text, i + 1)),
    ret: kind as ReturnKind,
    retFlags: flags,
    gplOnly: gplOnly || (variant?.gplOnly ?? row.gplOnly),
    pktAccess: variant?.pktAccess ?? row.pktAccess,
    mightSleep: row.mightSleep,
    extraCheck: row.extraCheck,
  };
}

/** Highest helper id of Linux 6.18. */
export const lastHelper = 211;

/** The prototype for this program's type, or undefined if it has no such helper. */
export function helperPrototypeOf(env: Env, id: number): HelperPrototype | undefined {
  if (env.prototypes.has(id)) return env.prototypes.get(id);
  const row = rowsById.get(id);
  const variant = programVariant(env.input);
  const letter = variant === undefined ? "-" : (helperAvailability[id]?.[variant.index] ?? "-");
  const prototype =
    row === undefined || letter === "-"
      ? undefined
      : build(row, env.input.programType, letter === "g");
  env.prototypes.set(id, prototype);
  return prototype;
}

/** Helpers after which packet pointers are no longer valid. */
export const changesPacketHelpers: ReadonlySet<number> = new Set([
  9, 18, 19, 31, 32, 38, 39, 40, 43, 44, 50, 54, 62, 63, 65, 66, 73, 74, 75, 76, 90, 91, 92, 142,
  155, 167, 189, 192,
]);
