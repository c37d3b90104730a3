/** Helper prototypes as the argument checks need them, per program type. */
import {
  type HelperAvailability,
  helperAvailable,
} from "../../common/platform/helper-availability.ts";
import {
  type Helper,
  type HelperSignature,
  helperById,
  helperByName,
  helperSignature,
} from "../../common/platform/helpers.ts";
import { programTypeById } from "../../common/platform/program-types.ts";
import type { Env } from "./env.ts";
import { helperId } from "./helper-ids.ts";
import {
  attachType as attachTypes,
  isSleepableProgram,
  programType,
  programVariant,
  tracingVariant,
} from "./program-variants.ts";
import { typeFlag } from "./reg-types.ts";

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
  /** Structure that the result points to. */
  readonly retBtf: string | undefined;
  readonly retFlags: number;
  readonly gplOnly: boolean;
  readonly pktAccess: boolean;
  readonly mightSleep: boolean;
  /** Only programs at some kernel functions may call it. */
  readonly needsTarget: boolean;
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

export function helperName(id: number): string {
  return id === 0 ? "bpf_unspec" : (helperById(id)?.name ?? "unknown");
}

function argOf(signature: HelperSignature, text: string, at: number): HelperArg {
  const { kind, flags } = splitFlags(text, "ARG_");
  return {
    kind: kind as ArgKind,
    flags,
    size: signature.argSizes?.[String(at)] ?? 0,
    btf: signature.argBtf?.[String(at)],
  };
}

/** A program type without its prefix, as the tables have it: `XDP`. */
function programTypeName(id: number): string {
  return programTypeById(id)?.name.replace("BPF_PROG_TYPE_", "") ?? "";
}

/** Helpers that only some kernel functions may be traced with. */
const checkedHelpers: ReadonlySet<number> = new Set([helperId.dPath, 161, 193]);

function build(helper: Helper, type: number, gplOnly: boolean): HelperPrototype {
  // Sockets of iterators are passed as those of struct_ops are.
  const isOption = optionHelpers.has(helper.id) && type === programType.tracing;
  const signature = helperSignature(helper, isOption ? "STRUCT_OPS" : programTypeName(type));
  const { kind, flags } = splitFlags(signature.returnType, "RET_");
  return {
    id: helper.id,
    name: helper.name,
    args: signature.argTypes.map((text, i) => argOf(signature, text, i + 1)),
    ret: kind as ReturnKind,
    retFlags: flags,
    retBtf: signature.returnBtf,
    gplOnly: gplOnly || signature.gplOnly,
    pktAccess: signature.packetAccess,
    mightSleep: signature.mightSleep,
    needsTarget: checkedHelpers.has(helper.id),
  };
}

/** Highest helper id of Linux 6.18. */
export const lastHelper = 211;

/** `TRACING@TRACE_ITER,TRACE_ITER+sleepable` or plain `TRACING`. */
function namesHook(entries: readonly string[], wanted: string, hook: string): boolean {
  return entries.some((entry) => {
    const [type, hooks] = entry.split("@");
    return type === wanted && (hooks === undefined || hooks.split(",").includes(hook));
  });
}

/** Hooks that programs could be loaded for; the others come from the kernel's own tables. */
const loadableHooks: ReadonlySet<string> = new Set([
  "TRACE_RAW_TP",
  "TRACE_ITER",
  "TRACE_ITER+sleepable",
]);

/** Hooks of which the tables have no column of their own: sleeping makes no difference there. */
const sameHelpers: Readonly<Record<string, string>> = {
  "TRACE_FEXIT+sleepable": "TRACE_FEXIT",
  "MODIFY_RETURN+sleepable": "MODIFY_RETURN",
  "LSM_CGROUP+sleepable": "LSM_CGROUP",
};

/** User probes that may sleep have a few helpers more than other probes. */
function isSleepableProbe(env: Env, helper: Helper): boolean {
  if (env.input.programType !== programType.kprobe || !isSleepableProgram(env.input)) return false;
  return helper.programTypes.some((entry) => /^KPROBE@.*sleepable/.test(entry));
}

const resultHelpers: ReadonlySet<number> = new Set([helperId.getRetval, helperId.setRetval]);

const cgroupTypes: ReadonlySet<number> = new Set([
  programType.cgroupSkb,
  programType.cgroupSock,
  programType.sockOps,
  programType.cgroupDevice,
  programType.cgroupSockAddr,
  programType.cgroupSysctl,
  programType.cgroupSockopt,
]);

/** Attach types of cgroups whose programs do not decide: packets, socket events, observers. */
const undecidedHooks: ReadonlySet<number> = new Set([0, 1, 3, 19, 20, 29, 30, 31, 32, 51, 52, 53]);

/** Programs of cgroups have the helpers for their result by attach type, whatever their type. */
function isResultHidden(env: Env, helper: Helper): boolean {
  const { programType: type, attachType } = env.input;
  return resultHelpers.has(helper.id) && cgroupTypes.has(type) && undecidedHooks.has(attachType);
}

const optionHelpers: ReadonlySet<number> = new Set([helperId.setsockopt, helperId.getsockopt]);

/** Iterators over sockets may set their options. */
function isSocketIteratorHelper(env: Env, helper: Helper): boolean {
  const { programType: type, attachType: attach } = env.input;
  if (type !== programType.tracing || attach !== attachTypes.iterator) return false;
  const name = env.attach?.name;
  const isSocket = name === "bpf_iter_tcp" || name === "bpf_iter_unix";
  return isSocket && optionHelpers.has(helper.id);
}

function structOpsHelper(env: Env, helper: Helper): HelperAvailability {
  // The other table that is modelled, the kernel's test of itself, has no helpers at all.
  if (env.attach?.structOps !== "tcp_congestion_ops") return "no";
  if (optionHelpers.has(helper.id) && env.attach?.name === "release") return "no";
  return helper.programTypes.includes("STRUCT_OPS") ? "yes" : "no";
}

function availability(env: Env, helper: Helper): HelperAvailability {
  const hook = tracingVariant(env.input);
  if (hook !== undefined) {
    const entries = loadableHooks.has(hook) ? helper.programTypes : helper.staticProgramTypes;
    if (isSocketIteratorHelper(env, helper)) return "yes";
    const column = sameHelpers[hook] ?? hook;
    return namesHook(entries, programTypeName(env.input.programType), column) ? "yes" : "no";
  }
  if (env.input.programType === programType.structOps) return structOpsHelper(env, helper);
  const variant = programVariant(env.input);
  if (isResultHidden(env, helper)) return "no";
  const answer = variant === undefined ? "no" : (helperAvailable(variant, helper.id) ?? "no");
  return answer === "no" && isSleepableProbe(env, helper) ? "yes" : answer;
}

/** The prototype for this program's type, or undefined if it has no such helper. */
export function helperPrototypeOf(env: Env, id: number): HelperPrototype | undefined {
  if (env.prototypes.has(id)) return env.prototypes.get(id);
  const helper = helperById(id);
  const answer = helper === undefined ? "no" : availability(env, helper);
  const prototype =
    helper === undefined || answer === "no"
      ? undefined
      : build(helper, env.input.programType, answer === "gpl");
  env.prototypes.set(id, prototype);
  return prototype;
}

/** Helpers after which packet pointers are no longer valid; a tail-called program may do the same. */
export const changesPacketHelpers: ReadonlySet<number> = new Set(
  [
    "skb_store_bytes",
    "l3_csum_replace",
    "l4_csum_replace",
    "tail_call",
    "clone_redirect",
    "skb_vlan_push",
    "skb_vlan_pop",
    "skb_change_proto",
    "skb_change_tail",
    "skb_pull_data",
    "skb_change_head",
    "xdp_adjust_head",
    "skb_adjust_room",
    "xdp_adjust_meta",
    "msg_pull_data",
    "xdp_adjust_tail",
    "lwt_push_encap",
    "lwt_seg6_store_bytes",
    "lwt_seg6_adjust_srh",
    "lwt_seg6_action",
    "msg_push_data",
    "msg_pop_data",
    "store_hdr_opt",
  ].map((name) => helperByName(`bpf_${name}`)?.id ?? 0),
);
