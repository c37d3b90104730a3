/** Functions that the kernel calls through a table of its own: the member gives the signature. */
import { btfTypeById, skipModifierIds, skipModifiers } from "../../common/object/btf-types.ts";
import type { AttachTarget, FunctionProto } from "./attach-target.ts";
import { isStructure } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { isGplCompatible } from "./license.ts";
import { isSleepableProgram } from "./program-variants.ts";
import { errno, Rejection } from "./stop.ts";

interface Table {
  /** Members without a place for a program, of those that are functions. */
  readonly unsupported: readonly string[];
  /** Members whose programs may sleep; undefined: all. */
  readonly sleepable: readonly string[] | undefined;
}

/** The tables that are modelled, by the name of their structure. */
const tables: Readonly<Record<string, Table>> = {
  tcp_congestion_ops: { unsupported: ["get_info"], sleepable: undefined },
  bpf_dummy_ops: { unsupported: [], sleepable: ["test_sleepable"] },
};

/** Tables that other kernels have. */
const otherTables: ReadonlySet<string> = new Set(["sched_ext_ops", "hid_bpf_ops", "Qdisc_ops"]);

/** Parameters of the kernel's own stub say what may be NULL. */
function stubOf(kernel: KernelTypes, table: string, member: string): FunctionProto | undefined {
  const func = btfTypeById(kernel.btf, kernel.find("func", `${table}__${member}`));
  const proto = func?.kind === "func" ? btfTypeById(kernel.btf, func.type) : undefined;
  return proto?.kind === "func_proto" ? proto : undefined;
}

function protoOfMember(kernel: KernelTypes, type: number): FunctionProto | undefined {
  const pointer = skipModifiers(kernel.btf, type);
  const id = pointer?.kind === "ptr" ? skipModifierIds(kernel.btf, pointer.type) : 0;
  const proto = btfTypeById(kernel.btf, id);
  return proto?.kind === "func_proto" ? proto : undefined;
}

/** The member that the program implements. */
export function findStructOpsTarget(env: Env): AttachTarget {
  const { attachBtfId: id = 0, attachType: index, kernel } = env.input;
  if (!isGplCompatible(env.input.license)) {
    env.reject("struct ops programs must have a GPL compatible license", errno.invalid);
  }
  if (id === 0) throw new Rejection(errno.notSupported);
  if (kernel === undefined) env.unsupported("struct_ops program without the kernel's types");
  const structure = btfTypeById(kernel.btf, id);
  const name = isStructure(structure) ? structure.name : "";
  const isTable = kernel.find("struct", `bpf_struct_ops_${name}`) !== 0;
  if (!isStructure(structure) || !isTable) {
    env.reject(`attach_btf_id ${id} is not a supported struct`, errno.notSupported);
  }
  const table = tables[name];
  if (table === undefined) {
    const known = otherTables.has(name) ? name : "of another subsystem";
    env.unsupported(`struct_ops ${known}`);
  }
  const member = structure.members[index];
  if (member === undefined) {
    env.reject(`attach to invalid member idx ${index} of struct ${name}`, errno.invalid);
  }
  const proto = protoOfMember(kernel, member.type);
  if (proto === undefined) {
    env.reject(
      `attach to invalid member ${member.name}(@idx ${index}) of struct ${name}`,
      errno.invalid,
    );
  }
  const mayNotSleep = table.sleepable !== undefined && !table.sleepable.includes(member.name);
  if (table.unsupported.includes(member.name) || (mayNotSleep && isSleepableProgram(env.input))) {
    env.reject(
      `attach to unsupported member ${member.name} of struct ${name}`,
      mayNotSleep ? errno.invalid : errno.notSupported,
    );
  }
  const stub = stubOf(kernel, name, member.name);
  if (stub?.params.some((param) => param.name.endsWith("__ref"))) {
    env.unsupported("struct_ops member with counted arguments");
  }
  return {
    name: member.name,
    proto,
    skipsFirst: false,
    structOps: name,
    ...(stub !== undefined && { stub }),
  };
}
