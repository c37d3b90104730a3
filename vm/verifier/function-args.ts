/** Arguments of functions by their BTF types: checked at calls, assumed when verified alone. */
import type { Btf } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import type { Env, Subprogram } from "./env.ts";
import { checkArgOffset } from "./helper-args.ts";
import { checkHelperMemory } from "./helper-memory.ts";
import { programType } from "./program-variants.ts";
import { editReg, isNull, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind, mayBeNull, typeFlag } from "./reg-types.ts";
import { setReg } from "./registers.ts";

export type FunctionArg =
  | { readonly kind: "number" }
  | { readonly kind: "context" }
  | { readonly kind: "memory"; readonly size: number; readonly nullable: boolean };

/** Struct names that mean "the context" per program type. */
const contextNames: Record<number, readonly string[]> = {
  [programType.socketFilter]: ["__sk_buff"],
  [programType.schedCls]: ["__sk_buff"],
  [programType.schedAct]: ["__sk_buff"],
  [programType.cgroupSkb]: ["__sk_buff"],
  [programType.lwtIn]: ["__sk_buff"],
  [programType.lwtOut]: ["__sk_buff"],
  [programType.lwtXmit]: ["__sk_buff"],
  [programType.lwtSeg6local]: ["__sk_buff"],
  [programType.skSkb]: ["__sk_buff"],
  [programType.flowDissector]: ["__sk_buff"],
  [programType.xdp]: ["xdp_md"],
  [programType.kprobe]: ["pt_regs", "user_pt_regs", "bpf_user_pt_regs_t"],
  [programType.tracepoint]: ["__u64", "u64"],
  [programType.perfEvent]: ["bpf_perf_event_data", "pt_regs"],
  [programType.rawTracepoint]: ["bpf_raw_tracepoint_args", "__u64", "u64"],
  [programType.rawTracepointWritable]: ["bpf_raw_tracepoint_args", "__u64", "u64"],
  [programType.cgroupSock]: ["bpf_sock"],
  [programType.cgroupSockAddr]: ["bpf_sock_addr"],
  [programType.sockOps]: ["bpf_sock_ops"],
  [programType.skMsg]: ["sk_msg_md"],
  [programType.cgroupDevice]: ["bpf_cgroup_dev_ctx"],
  [programType.cgroupSysctl]: ["bpf_sysctl"],
  [programType.cgroupSockopt]: ["bpf_sockopt"],
  [programType.skReuseport]: ["sk_reuseport_md"],
  [programType.skLookup]: ["bpf_sk_lookup"],
  [programType.netfilter]: ["bpf_nf_ctx"],
};

/** The first named type under a pointer, typedef names included. */
function targetNames(btf: Btf, id: number): string[] {
  const names: string[] = [];
  let at = id;
  for (let steps = 0; steps < 32; steps += 1) {
    const type = btfTypeById(btf, at);
    if (type === undefined) break;
    if ("name" in type && type.kind !== "type_tag") names.push(type.name);
    const isModifier =
      type.kind === "typedef" ||
      type.kind === "const" ||
      type.kind === "volatile" ||
      type.kind === "restrict" ||
      type.kind === "type_tag";
    if (!isModifier) break;
    at = type.type;
  }
  return names;
}

/** Whether a pointer's target is the context, by its name. */
export function isContextTarget(env: Env, btf: Btf, target: number): boolean {
  const wanted = contextNames[env.input.programType] ?? [];
  return targetNames(btf, target).some((name) => wanted.includes(name));
}

/** Tags of a parameter, `arg:nonnull` as `nonnull`. */
function tagsOf(btf: Btf, func: number, index: number): string[] {
  const tags: string[] = [];
  for (const type of btf.types) {
    if (type.kind !== "decl_tag" || type.type !== func || type.componentIndex !== index) continue;
    if (type.name.startsWith("arg:")) tags.push(type.name.slice(4));
  }
  return tags;
}

function pointerArg(
  env: Env,
  btf: Btf,
  sub: Subprogram,
  index: number,
  target: number,
): FunctionArg | undefined {
  const tags = tagsOf(btf, sub.type, index);
  if (tags.includes("ctx")) return { kind: "context" };
  const other = tags.find((tag) => tag !== "nonnull" && tag !== "nullable");
  if (other !== undefined) env.unsupported(`argument tag ${other}`);
  if (isContextTarget(env, btf, target)) return { kind: "context" };
  if (sub.linkage !== "global") return undefined;
  const named = skipModifiers(btf, target);
  if (named !== undefined && "name" in named && named.name === "bpf_dynptr") {
    env.unsupported("dynptr argument of a global function");
  }
  const size = btfSizeOf(btf, target);
  if (size === undefined) {
    const word = named === undefined ? "UNKNOWN" : named.kind === "fwd" ? "FWD" : named.kind;
    const name = named !== undefined && "name" in named ? named.name : "";
    env.say(`arg#${index} reference type('${word} ${name}') size cannot be determined: -22`);
    return undefined;
  }
  return { kind: "memory", size, nullable: !tags.includes("nonnull") };
}

/** Argument kinds of a function, or undefined if its BTF does not tell (a static function's may not). */
export function functionArgs(env: Env, sub: Subprogram): FunctionArg[] | undefined {
  const { btf } = env.input;
  if (btf === undefined) return undefined;
  const func = btfTypeById(btf, sub.type);
  const proto = func?.kind === "func" ? btfTypeById(btf, func.type) : undefined;
  if (proto?.kind !== "func_proto") return undefined;
  const isGlobal = sub.linkage === "global";
  if (proto.params.length > 5) {
    if (isGlobal) {
      env.say(
        `Global function ${sub.name}() with ${proto.params.length} > 5 args. Buggy compiler.`,
      );
    }
    return undefined;
  }
  const result = skipModifiers(btf, proto.returns);
  const isNumber = result?.kind === "int" || result?.kind === "enum" || result?.kind === "enum64";
  if (!isNumber) {
    if (isGlobal) {
      env.say(`Global function ${sub.name}() doesn't return scalar. Only those are supported.`);
    }
    return undefined;
  }
  const args: FunctionArg[] = [];
  for (const [index, param] of proto.params.entries()) {
    const type = skipModifiers(btf, param.type);
    if (type?.kind === "int" || type?.kind === "enum" || type?.kind === "enum64") {
      args.push({ kind: "number" });
      continue;
    }
    const arg = type?.kind === "ptr" ? pointerArg(env, btf, sub, index, type.type) : undefined;
    if (arg === undefined) {
      if (isGlobal && type?.kind !== "ptr") {
        env.say(`Arg#${index} type ${type?.kind ?? "void"} in ${sub.name}() is not supported yet.`);
      }
      return undefined;
    }
    args.push(arg);
  }
  return args;
}

/** Memory that may be read and written; NULL is let through. */
export function checkMemoryArg(env: Env, register: number, size: number): void {
  const reg = env.regs[register]!;
  if (isNull(reg)) return;
  if (!mayBeNull(reg.type)) {
    checkHelperMemory(env, register, size, "read", true, undefined);
    checkHelperMemory(env, register, size, "write", true, undefined);
    return;
  }
  const edited = editReg(reg);
  edited.type &= ~typeFlag.maybeNull;
  env.regs[register] = edited;
  checkHelperMemory(env, register, size, "read", true, undefined);
  checkHelperMemory(env, register, size, "write", true, undefined);
  env.regs[register] = reg;
}

/** Whether the registers fit the callee's arguments; messages say what does not. */
export function matchArgs(env: Env, args: readonly FunctionArg[]): boolean {
  for (const [index, arg] of args.entries()) {
    const register = index + 1;
    const reg = env.regs[register]!;
    if (arg.kind === "number") {
      if (reg.type === kind.scalar) continue;
      env.say(`R${register} is not a scalar`);
      return false;
    }
    checkArgOffset(env, reg, register, 0, false);
    if (arg.kind === "context") {
      if (reg.type === kind.ctx) continue;
      env.say(`arg#${index} expects pointer to ctx`);
      return false;
    }
    checkMemoryArg(env, register, arg.size);
    if (!arg.nullable && mayBeNull(reg.type)) {
      env.say(`arg#${index} is expected to be non-NULL`);
      return false;
    }
  }
  return true;
}

function initialReg(env: Env, arg: FunctionArg): Reg {
  switch (arg.kind) {
    case "number":
      return unknownReg;
    case "context":
      return pointerReg(kind.ctx);
    case "memory": {
      const reg = pointerReg(kind.mem | (arg.nullable ? typeFlag.maybeNull : 0));
      reg.range = arg.size;
      if (arg.nullable) reg.id = env.newId();
      return reg;
    }
  }
}

/** Registers at the entry of a function that is verified on its own. */
export function setInitialArgs(env: Env, args: readonly FunctionArg[]): void {
  args.forEach((arg, index) => {
    setReg(env, index + 1, initialReg(env, arg));
  });
}
