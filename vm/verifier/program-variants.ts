/** Which row of the measured tables a program belongs to: by program type and attach type. */
import { contextVariants } from "../../common/platform/context-access.ts";
import type { VerifierInput } from "./input.ts";

/** enum bpf_prog_type, for rules that name types. */
export const programType = {
  socketFilter: 1,
  kprobe: 2,
  schedCls: 3,
  schedAct: 4,
  tracepoint: 5,
  xdp: 6,
  perfEvent: 7,
  cgroupSkb: 8,
  cgroupSock: 9,
  lwtIn: 10,
  lwtOut: 11,
  lwtXmit: 12,
  sockOps: 13,
  skSkb: 14,
  cgroupDevice: 15,
  skMsg: 16,
  rawTracepoint: 17,
  cgroupSockAddr: 18,
  lwtSeg6local: 19,
  skReuseport: 21,
  flowDissector: 22,
  cgroupSysctl: 23,
  rawTracepointWritable: 24,
  cgroupSockopt: 25,
  tracing: 26,
  structOps: 27,
  extension: 28,
  lsm: 29,
  skLookup: 30,
  syscall: 31,
  netfilter: 32,
} as const;

/** enum bpf_attach_type, for rules that name hooks. */
export const attachType = {
  cgroupEgress: 1,
  rawTracepoint: 23,
  fentry: 24,
  fexit: 25,
  modifyReturn: 26,
  lsmMac: 27,
  iterator: 28,
  lsmCgroup: 43,
  kprobeSession: 56,
  uprobeSession: 57,
} as const;

/** BPF_F_*: what BPF_PROG_LOAD is asked for. */
export const programFlag = {
  strictAlignment: 1,
  anyAlignment: 2,
  testStateFrequency: 8,
  sleepable: 16,
  testInvariants: 128,
  token: 1 << 16,
} as const;

export function isSleepableProgram(input: VerifierInput): boolean {
  return (input.flags & programFlag.sleepable) !== 0;
}

/** Tracing hooks, by attach type, as the tables of helpers name them. */
const tracingVariants: Readonly<Record<number, string>> = {
  [attachType.rawTracepoint]: "TRACE_RAW_TP",
  [attachType.fentry]: "TRACE_FENTRY",
  [attachType.fexit]: "TRACE_FEXIT",
  [attachType.modifyReturn]: "MODIFY_RETURN",
  [attachType.iterator]: "TRACE_ITER",
  [attachType.lsmMac]: "LSM_MAC",
  [attachType.lsmCgroup]: "LSM_CGROUP",
};

/** Program types and their attach types go together. */
function isTraced({ programType: type, attachType: attach }: VerifierInput): boolean {
  const isLsm = attach === attachType.lsmMac || attach === attachType.lsmCgroup;
  return type === (isLsm ? programType.lsm : programType.tracing);
}

/** The name of a tracing program's hook in the tables of helpers; undefined for other programs. */
export function tracingVariant(input: VerifierInput): string | undefined {
  if (!isTraced(input)) return undefined;
  const name = tracingVariants[input.attachType];
  return name !== undefined && isSleepableProgram(input) ? `${name}+sleepable` : name;
}

/** BPF_XDP_DEVMAP and BPF_XDP_CPUMAP; all others are plain XDP programs. */
const xdpMaps: ReadonlySet<number> = new Set([33, 35]);

/** What attach type 0 stands for, by program type: as programs were loaded before there were more. */
const defaultHooks: Readonly<Record<number, number>> = {
  [programType.cgroupSock]: 2,
  [programType.skReuseport]: 39,
};

/** Hooks of unix sockets: like the others, but without addresses. By attach type, what they are like. */
const unixHooks: Readonly<Record<number, string>> = {
  49: "sock_addr/sendmsg4",
  50: "sock_addr/sendmsg4",
  51: "sock_addr/recvmsg4",
  52: "sock_addr/getpeername4",
  53: "sock_addr/getsockname4",
};

export function isUnixHook({ programType: type, attachType: attach }: VerifierInput): boolean {
  return type === programType.cgroupSockAddr && unixHooks[attach] !== undefined;
}

/** The measured variant's name; undefined for a program or attach type that was not measured. */
export function programVariant(input: VerifierInput): string | undefined {
  if (isUnixHook(input)) return unixHooks[input.attachType];
  const isPlainXdp = input.programType === programType.xdp && !xdpMaps.has(input.attachType);
  const given = isPlainXdp ? 0 : input.attachType;
  const attachType = given === 0 ? (defaultHooks[input.programType] ?? 0) : given;
  const ofType = contextVariants().filter((variant) => variant.programType === input.programType);
  // Types that exist once are the same for every attach type that the kernel lets them have.
  if (ofType.length === 1 || input.programType === programType.skSkb) return ofType[0]?.name;
  return ofType.find((variant) => variant.attachType === attachType)?.name;
}
