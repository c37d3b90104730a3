/** Kernel objects in map values: loads, stores and exchanges of the pointers. */
import { inRcuSection } from "./btf-pointers.ts";
import { btfName, structureContains } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { CallFacts } from "./helper-args.ts";
import { type KptrTarget, objectRecord, recordOf, type SpecialField } from "./map-record.ts";
import { insnClass, memMode } from "./opcodes.ts";
import { checkPointerOffset } from "./pointer-offset.ts";
import { releaseReference } from "./references.ts";
import { editReg, isNull, type MutableReg, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind, kindOf, typeFlag, typeName } from "./reg-types.ts";
import { setReg } from "./registers.ts";
import { mapRegs } from "./state.ts";
import { errno, Rejection } from "./stop.ts";

const { maybeNull, trusted, rcu, untrusted, alloc, percpu } = typeFlag;

/** Objects that stay readable until a grace period has passed. */
const rcuProtected: ReadonlySet<string> = new Set([
  "cgroup",
  "bpf_cpumask",
  "task_struct",
  "bpf_crypto_ctx",
]);

function isRcuSafe(target: KptrTarget): boolean {
  if (target.kind === "percpu") return true;
  return target.kind === "referenced" && (!target.isKernel || rcuProtected.has(target.name));
}

function targetReg(target: KptrTarget, flags: number): MutableReg {
  const reg = pointerReg(kind.btfId | flags);
  reg.btf = target.btf;
  reg.btfId = target.id;
  reg.btfName = target.name;
  return reg;
}

function loadFlags(env: Env, target: KptrTarget): number {
  if (!isRcuSafe(target) || !inRcuSection(env)) return maybeNull | untrusted;
  if (target.kind === "percpu") return maybeNull | rcu | percpu;
  if (target.isKernel) return maybeNull | rcu;
  const fields = objectRecord(env, target.btf, target.id);
  const isNode = fields.some(({ name }) => name === "bpf_list_node" || name === "bpf_rb_node");
  return maybeNull | rcu | alloc | (isNode ? typeFlag.nonOwningRef : 0);
}

function rejectKptr(env: Env, register: number, reg: Reg, target: KptrTarget): never {
  const own = kindOf(reg.type) === kind.btfId ? reg.btfName : "";
  const expected = `${typeName(kind.btfId)}${target.name}`;
  const other =
    target.kind === "unreferenced" ? ` or ${typeName(kind.btfId | untrusted)}${target.name}` : "";
  env.reject(
    `invalid kptr access, R${register} type=${typeName(reg.type)}${own} expected=${expected}${other}`,
  );
}

/** Whether a pointer may be stored in the field. */
export function checkKptrType(env: Env, register: number, target: KptrTarget): void {
  const reg = env.regs[register]!;
  if (kindOf(reg.type) !== kind.btfId || reg.btf === undefined) {
    rejectKptr(env, register, reg, target);
  }
  let allowed = maybeNull | alloc;
  if (reg.btf === env.input.kernel?.btf) {
    allowed = maybeNull | trusted | rcu;
    if (target.kind === "unreferenced") allowed |= untrusted;
  } else if (target.kind === "percpu") allowed |= percpu;
  if ((reg.type & ~0xff & ~allowed) !== 0) rejectKptr(env, register, reg, target);
  checkPointerOffset(env, reg, register, true);
  const own = { btf: reg.btf, id: reg.btfId, offset: reg.off };
  const isStrict = target.kind !== "unreferenced";
  if (structureContains(own, target, isStrict, (text) => env.say(text))) return;
  rejectKptr(env, register, { ...reg, btfName: btfName(reg.btf, reg.btfId) }, target);
}

/** A load or store of a whole kptr field. */
export function accessKptr(env: Env, field: SpecialField, isRead: boolean, value: number): void {
  const target = field.kptr!;
  const insn = env.insnAt(env.insn);
  if ((insn.code & 0xe0) !== memMode.mem) {
    env.reject("kptr in map can only be accessed using BPF_MEM instruction mode");
  }
  if (!isRead && (target.kind === "referenced" || target.kind === "percpu")) {
    env.reject("store to referenced kptr disallowed");
  }
  if (target.kind === "user") {
    if (!isRead) env.reject("store to uptr disallowed");
    env.unsupported("load of a uptr");
  }
  if (isRead) {
    const reg = targetReg(target, loadFlags(env, target));
    reg.id = env.newId();
    setReg(env, value, reg);
    return;
  }
  if ((insn.code & 7) === insnClass.st) {
    if (insn.imm === 0) return;
    env.reject(`BPF_ST imm must be 0 when storing to kptr at off=${field.offset}`);
  }
  if (!isNull(env.regs[value]!)) checkKptrType(env, value, target);
}

/** The field that `bpf_kptr_xchg` puts a pointer into. */
export function processKptrDestination(env: Env, register: number, f: CallFacts): void {
  const reg = env.regs[register]!;
  let fields: readonly SpecialField[];
  if (kindOf(reg.type) === kind.btfId) {
    fields = reg.btf === undefined ? [] : objectRecord(env, reg.btf, reg.btfId);
  } else {
    const { map } = reg;
    if (map === undefined) env.unsupported("kptr outside of a map value");
    if (!recordOf(env, map).hasTypes) {
      env.reject(`map '${map.name}' has to have BTF in order to use bpf_kptr_xchg`, errno.invalid);
    }
    const record = recordOf(env, map);
    if (record.isUnknown) env.unsupported("map value type without its BTF");
    ({ fields } = record);
    f.map = map;
  }
  if (reg.scalar.mask !== 0n) {
    env.reject(
      `R${register} doesn't have constant offset. kptr has to be at the constant offset`,
      errno.invalid,
    );
  }
  const kptrs = fields.filter((field) => field.kptr !== undefined && field.kptr.kind !== "user");
  if (kptrs.length === 0) env.reject(`R${register} has no valid kptr`, errno.invalid);
  const at = reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
  const field = kptrs.find(({ offset }) => offset === at);
  if (field === undefined) env.reject(`off=${at} doesn't point to kptr`);
  if (field.kptr!.kind === "unreferenced") {
    env.reject(`off=${at} kptr isn't referenced kptr`);
  }
  f.kptr = field.kptr;
}

/** The object changes hands: copies of its pointer are gone, but per-CPU ones in a read section. */
export function releaseToMap(env: Env, id: number): void {
  if (!releaseReference(env.state, id)) throw new Rejection(errno.invalid);
  const isProtected = inRcuSection(env);
  mapRegs(env.state, (reg) => {
    if (reg.refObjId !== id) return reg;
    const isShared = (reg.type & alloc) !== 0 && (reg.type & percpu) !== 0;
    if (!isProtected || !isShared) return unknownReg;
    const edited = editReg(reg);
    edited.refObjId = 0;
    edited.type = (reg.type & ~alloc) | rcu;
    return edited;
  });
}

/** What was in the field before. */
export function kptrResult(env: Env, f: CallFacts): MutableReg {
  const { kptr, prototype } = f;
  if (kptr === undefined) env.unsupported("exchange without a kptr");
  let flags = prototype.retFlags;
  if (!kptr.isKernel) flags |= kptr.kind === "percpu" ? alloc | percpu : alloc;
  const reg = targetReg(kptr, flags);
  reg.id = env.newId();
  return reg;
}
