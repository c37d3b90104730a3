/** By which types a function's parameter is recognised as the program's context. */
import type { Btf, BtfType } from "../../common/object/btf.ts";
import { btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import { attachType, programType } from "./program-variants.ts";

/** The structure that stands for the context, by program type. */
const contextNames: Readonly<Record<number, string>> = {
  [programType.socketFilter]: "__sk_buff",
  [programType.schedCls]: "__sk_buff",
  [programType.schedAct]: "__sk_buff",
  [programType.cgroupSkb]: "__sk_buff",
  [programType.lwtIn]: "__sk_buff",
  [programType.lwtOut]: "__sk_buff",
  [programType.lwtXmit]: "__sk_buff",
  [programType.lwtSeg6local]: "__sk_buff",
  [programType.skSkb]: "__sk_buff",
  [programType.flowDissector]: "__sk_buff",
  [programType.xdp]: "xdp_md",
  [programType.kprobe]: "pt_regs",
  [programType.perfEvent]: "bpf_perf_event_data",
  [programType.rawTracepoint]: "bpf_raw_tracepoint_args",
  [programType.rawTracepointWritable]: "bpf_raw_tracepoint_args",
  [programType.cgroupSock]: "bpf_sock",
  [programType.cgroupSockAddr]: "bpf_sock_addr",
  [programType.sockOps]: "bpf_sock_ops",
  [programType.skMsg]: "sk_msg_md",
  [programType.cgroupDevice]: "bpf_cgroup_dev_ctx",
  [programType.cgroupSysctl]: "bpf_sysctl",
  [programType.cgroupSockopt]: "bpf_sockopt",
  [programType.skReuseport]: "sk_reuseport_md",
  [programType.skLookup]: "bpf_sk_lookup",
  [programType.netfilter]: "bpf_nf_ctx",
};

/** The kernel's own structures behind those that programs see. */
const projections: Readonly<Record<string, string>> = { __sk_buff: "sk_buff", xdp_md: "xdp_buff" };

const probeRegisters = "bpf_user_pt_regs_t";

/** The name of a typedef that a probe's registers may have. */
function namesRegisters(btf: Btf, target: number): boolean {
  let type = btfTypeById(btf, target);
  for (let steps = 0; steps < 32; steps += 1) {
    if (type?.kind === "typedef") return type.name === probeRegisters;
    switch (type?.kind) {
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        type = btfTypeById(btf, type.type);
        break;
      default:
        return false;
    }
  }
  return false;
}

function structureName(type: BtfType | undefined): string {
  return type?.kind === "struct" || type?.kind === "union" ? type.name : "";
}

/** Whether a pointer's target is the context, by its name. */
export function isContextTarget(env: Env, btf: Btf, target: number): boolean {
  const { programType: type } = env.input;
  if (type === programType.kprobe && namesRegisters(btf, target)) return true;
  const wanted = contextNames[type];
  const name = structureName(skipModifiers(btf, target));
  if (wanted === undefined || name === "") return false;
  return name === wanted || name === projections[wanted];
}

const argumentArrays: ReadonlySet<number> = new Set([
  programType.rawTracepoint,
  programType.rawTracepointWritable,
  programType.lsm,
  programType.structOps,
]);

const trampolines: ReadonlySet<number> = new Set([
  attachType.rawTracepoint,
  attachType.fentry,
  attachType.fexit,
  attachType.modifyReturn,
]);

/** Contexts that are an array of 64-bit arguments. */
function isArgumentArray(env: Env, type: BtfType | undefined): boolean {
  const { programType: program, attachType: attach } = env.input;
  const isTrampoline = program === programType.tracing && trampolines.has(attach);
  return type?.kind === "int" && type.size === 8 && (isTrampoline || argumentArrays.has(program));
}

function isTracingContext(env: Env, name: string): boolean {
  const { programType: type, attachType: attach } = env.input;
  if (type !== programType.tracing) return false;
  if (attach === attachType.rawTracepoint) return name === "bpf_raw_tracepoint_args";
  return attach === attachType.iterator && name.startsWith("bpf_iter__");
}

/** Whether a parameter with the tag `arg:ctx` has a type that the context may have; says if not. */
export function isContextTagValid(env: Env, btf: Btf, target: number, index: number): boolean {
  const { programType: type } = env.input;
  const isProbe = type === programType.kprobe || type === programType.perfEvent;
  if (isProbe && namesRegisters(btf, target)) return true;
  const found = skipModifiers(btf, target);
  if (found === undefined) return true;
  const name = "name" in found ? found.name : "";
  if (name === "") {
    env.say(`arg#${index} type doesn't have a name`);
    return false;
  }
  if (isProbe && structureName(found) === "pt_regs") return true;
  if (isArgumentArray(env, found) || isTracingContext(env, structureName(found))) return true;
  if (type === programType.tracepoint || type === programType.syscall) return true;
  const wanted = contextNames[type];
  if (wanted === undefined) {
    env.say(`arg#${index} should be void pointer`);
    return false;
  }
  if (structureName(found) === wanted) return true;
  env.say(`arg#${index} should be \`struct ${wanted} *\``);
  return false;
}
