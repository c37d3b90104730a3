/** The few members of kernel objects that programs may write, by what the program is. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { isStructure } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { programType } from "./program-variants.ts";
import type { Reg } from "./reg.ts";

interface Writable {
  /** Structure and path of a member; those of inner structures that lie first count as the outer's own. */
  readonly path: readonly [structure: string, ...members: string[]];
  /** Accesses may begin anywhere inside, not only at its start. */
  readonly anyOffset?: true;
}

interface WriteRules {
  /** Structures that may be written into; the first names the rules in messages. */
  readonly structures: readonly string[];
  readonly members: readonly Writable[];
}

const tcpRules: WriteRules = {
  structures: ["tcp_sock"],
  members: [
    { path: ["sock", "sk_pacing_rate"] },
    { path: ["sock", "sk_pacing_status"] },
    { path: ["inet_connection_sock", "icsk_ca_priv"], anyOffset: true },
    { path: ["inet_connection_sock", "icsk_ack", "pending"] },
    { path: ["tcp_sock", "snd_cwnd"] },
    { path: ["tcp_sock", "snd_cwnd_cnt"] },
    { path: ["tcp_sock", "snd_cwnd_stamp"] },
    { path: ["tcp_sock", "snd_ssthresh"] },
    { path: ["tcp_sock", "ecn_flags"] },
    { path: ["tcp_sock", "app_limited"] },
  ],
};

const connectionRules: WriteRules = {
  structures: ["nf_conn", "nf_conn___init"],
  members: [{ path: ["nf_conn", "mark"] }],
};

const packetWriters: ReadonlySet<number> = new Set([
  programType.schedCls,
  programType.schedAct,
  programType.xdp,
]);

/** Start and end in bytes of a member; undefined if the kernel has none of that name. */
function memberRange(
  btf: Btf,
  structure: TypeId,
  path: readonly string[],
): { readonly start: number; readonly end: number } | undefined {
  let start = 0;
  let type: BtfType | undefined = btfTypeById(btf, structure);
  let id = structure;
  for (const name of path) {
    if (!isStructure(type)) return undefined;
    const member = type.members.find((candidate) => candidate.name === name);
    if (member === undefined) return undefined;
    start += member.bitOffset >> 3;
    id = skipModifierIds(btf, member.type);
    type = btfTypeById(btf, id);
  }
  const size = btfSizeOf(btf, id);
  return size === undefined ? undefined : { start, end: start + size };
}

function checkMembers(
  env: Env,
  kernel: KernelTypes,
  rules: WriteRules,
  offset: number,
  size: number,
): void {
  const [name = ""] = rules.structures;
  for (const { path, anyOffset } of rules.members) {
    const [structure, ...members] = path;
    const range = memberRange(kernel.btf, kernel.find("struct", structure), members);
    if (range === undefined) continue;
    const { start, end } = range;
    const isHere = anyOffset ? offset >= start && offset < end : offset === start;
    if (!isHere) continue;
    if (offset + size <= end) return;
    env.reject(
      `write access at off ${offset} with size ${size} beyond the member of ${name} ended at ${end}`,
    );
  }
  env.reject(`no write support to ${name} at off ${offset}`);
}

/** The state that the kernel's own test of such programs passes. */
function checkDummyWrite(env: Env, reg: Reg, offset: number, size: number): void {
  if (reg.btfName !== "bpf_dummy_ops_state") {
    env.reject("only access to bpf_dummy_ops_state is supported");
  }
  const whole = reg.btf === undefined ? 0 : (btfSizeOf(reg.btf, reg.btfId) ?? 0);
  if (offset + size > whole) env.reject(`write access at off ${offset} with size ${size}`);
}

function rulesOf(env: Env): WriteRules | undefined {
  if (packetWriters.has(env.input.programType)) return connectionRules;
  return env.attach?.structOps === "tcp_congestion_ops" ? tcpRules : undefined;
}

/** A store into an object that is not the program's own; returns if it is allowed. */
export function checkObjectWrite(env: Env, reg: Reg, offset: number, size: number): void {
  const { kernel } = env.input;
  if (env.attach?.structOps === "bpf_dummy_ops") {
    checkDummyWrite(env, reg, offset, size);
    return;
  }
  const rules = rulesOf(env);
  if (rules === undefined || kernel === undefined) env.reject("only read is supported");
  if (!rules.structures.includes(reg.btfName)) env.reject("only read is supported");
  checkMembers(env, kernel, rules, offset, size);
}
