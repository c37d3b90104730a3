/**
 * Lists and trees of the program's own objects: roots that their lock must protect, nodes that a
 * program owns or borrows while the lock is held.
 */
import { rejectBug } from "./backtrack.ts";
import { btfName, structureContains } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import { kfuncOf } from "./kfuncs.ts";
import {
  fieldOffset,
  type GraphTarget,
  hasField,
  recordBehind,
  type SpecialField,
} from "./map-record.ts";
import { isKfuncCall } from "./opcodes.ts";
import { findLock, lockKinds, releaseReference } from "./references.ts";
import { editReg, type MutableReg, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind, typeFlag } from "./reg-types.ts";
import { currentFrame, mapRegs } from "./state.ts";
import { errno } from "./stop.ts";

export type RootName = "bpf_list_head" | "bpf_rb_root";
export type NodeName = "bpf_list_node" | "bpf_rb_node";

/** Kernel functions on trees; they may be called in a tree's comparison only by name. */
const treeFunctions = /^bpf_rbtree_(add_impl|remove|first|root|left|right)$/;

/** Whether the current frame compares nodes for the kernel, under the tree's lock. */
export function inTreeCallback(env: Env): boolean {
  const frame = currentFrame(env.state);
  if (frame.callback === undefined || frame.callback.isAsync) return false;
  const insn = env.insnAt(frame.callsite);
  const kfunc = isKfuncCall(insn) ? kfuncOf(env, insn) : undefined;
  return kfunc !== undefined && treeFunctions.test(kfunc.name);
}

/** A pointer to a node of the graph; the program gets the object that it is in. */
export function graphNode(target: GraphTarget): MutableReg {
  const reg = pointerReg(kind.btfId | typeFlag.alloc);
  reg.btf = target.btf;
  reg.btfId = target.id;
  reg.btfName = target.name;
  reg.off = target.nodeOffset;
  return reg;
}

export function isNonOwning(reg: Reg): boolean {
  return (reg.type & typeFlag.nonOwningRef) !== 0;
}

/** The node stays in its graph: the pointer is good as long as the lock is held. */
export function setNonOwning(env: Env, reg: MutableReg): void {
  if (env.state.activeLocks === 0) rejectBug(env, "ref_set_non_owning w/o active lock");
  if (isNonOwning(reg)) rejectBug(env, "NON_OWN_REF already set");
  reg.type |= typeFlag.nonOwningRef;
  // What is counted is freed only after a grace period.
  if (hasField(recordBehind(env, reg), "bpf_refcount")) reg.type |= typeFlag.rcu;
}

/** The graph takes an object over: pointers to it stay as borrowed ones. */
export function giveToGraph(env: Env, id: number, what: string): void {
  if (id === 0) rejectBug(env, "ref_obj_id is zero for owning -> non-owning conversion");
  mapRegs(env.state, (reg) => {
    if (reg.refObjId !== id) return reg;
    const edited = editReg(reg);
    edited.refObjId = 0;
    setNonOwning(env, edited);
    return edited;
  });
  if (releaseReference(env.state, id)) return;
  env.reject(`kfunc ${what} reference has not been acquired before`, errno.invalid);
}

/** At the end of the lock's section borrowed pointers are no longer good. */
export function dropBorrowed(env: Env): void {
  mapRegs(env.state, (reg) => (isNonOwning(reg) ? unknownReg : reg));
}

/** The lock that protects what the register points to is the one in the same object. */
function holdsLockOf(env: Env, reg: Reg): boolean {
  const { state } = env;
  if (state.activeLocks === 0) return false;
  const lockOf = reg.type === kind.mapValue ? reg.map : reg.btf;
  if (findLock(state, lockKinds, reg.id, lockOf) !== undefined) return true;
  env.say("held lock and object are not in the same allocation");
  return false;
}

function offsetOf(env: Env, reg: Reg, register: number, name: string): number {
  if (reg.scalar.mask !== 0n) {
    env.reject(
      `R${register} doesn't have constant offset. ${name} has to be at the constant offset`,
      errno.invalid,
    );
  }
  return reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
}

/** The root argument of a graph function. */
export function processRoot(env: Env, register: number, name: RootName): GraphTarget {
  const reg = env.regs[register]!;
  const arg = register - 1;
  const isObject = reg.type === (kind.btfId | typeFlag.alloc);
  if (reg.type !== kind.mapValue && !isObject) {
    env.reject(`arg#${arg} expected pointer to map value or allocated object`, errno.invalid);
  }
  if (isObject && reg.refObjId === 0) {
    env.reject("allocated object must be referenced", errno.invalid);
  }
  const offset = offsetOf(env, reg, register, name);
  const fields = recordBehind(env, reg);
  const field = fields.find((f) => f.name === name && f.offset === offset);
  if (field?.graph === undefined) {
    env.reject(`${name} not found at offset=${offset >>> 0}`, errno.invalid);
  }
  if (!holdsLockOf(env, reg)) {
    const lock = fieldOffset(fields, "bpf_spin_lock") ?? -errno.invalid;
    env.reject(`bpf_spin_lock at off=${lock} must be held for ${name}`, errno.invalid);
  }
  return field.graph;
}

function checkOwned(env: Env, reg: Reg, arg: number): void {
  if (reg.type !== (kind.btfId | typeFlag.alloc)) {
    env.reject(`arg#${arg} expected pointer to allocated object`, errno.invalid);
  }
  if (reg.refObjId === 0) env.reject("allocated object must be referenced", errno.invalid);
}

/** Nodes that are in the tree already are borrowed, or counted references to them. */
function checkInTree(env: Env, reg: Reg, name: string): void {
  if (!isNonOwning(reg) && reg.refObjId === 0) {
    env.reject(`${name} can only take non-owning or refcounted bpf_rb_node pointer`, errno.invalid);
  }
  if (inTreeCallback(env)) env.reject(`${name} not allowed in rbtree cb`, errno.invalid);
}

/** The node argument; `root` is what the root argument of the same call links. */
export function processNode(
  env: Env,
  register: number,
  name: NodeName,
  call: { readonly name: string; readonly root: GraphTarget | undefined },
): void {
  const reg = env.regs[register]!;
  const isAdded = name === "bpf_list_node" || call.name === "bpf_rbtree_add_impl";
  if (isAdded) checkOwned(env, reg, register - 1);
  else checkInTree(env, reg, call.name);
  const offset = offsetOf(env, reg, register, name);
  const found = recordBehind(env, reg).some((f) => f.name === name && f.offset === offset);
  if (!found) env.reject(`${name} not found at offset=${offset >>> 0}`, errno.invalid);
  const { root } = call;
  if (root === undefined || reg.btf === undefined) env.unsupported("node of no graph");
  const own = { btf: reg.btf, id: reg.btfId, offset: 0 };
  if (!structureContains(own, root, true, (text) => env.say(text))) {
    const rootName: RootName = name === "bpf_list_node" ? "bpf_list_head" : "bpf_rb_root";
    env.reject(
      `operation on ${rootName} expects arg#1 ${name} at offset=${root.nodeOffset} in struct ${root.name}, but arg is at offset=${offset} in struct ${btfName(reg.btf, reg.btfId)}`,
      errno.invalid,
    );
  }
  if (offset === root.nodeOffset) return;
  env.reject(
    `arg#1 offset=${offset}, but expected ${name} at offset=${root.nodeOffset} in struct ${root.name}`,
    errno.invalid,
  );
}

/** The root that the register points to, for the comparison of its nodes. */
export function rootBehind(env: Env, reg: Reg): SpecialField | undefined {
  const offset = reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
  return recordBehind(env, reg).find((f) => f.name === "bpf_rb_root" && f.offset === offset);
}
