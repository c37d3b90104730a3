/** Pointers to kernel objects as arguments and results of helpers. */
import { btfSizeOf, btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import { objectPointer } from "./btf-pointers.ts";
import { btfName, isStructure, structureContains } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { CallFacts } from "./helper-args.ts";
import { helperId } from "./helper-ids.ts";
import type { ArgKind, HelperArg, HelperPrototype } from "./helper-prototypes.ts";
import { checkKptrType } from "./kptrs.ts";
import { type MutableReg, pointerReg, type Reg } from "./reg.ts";
import { flagsOf, kind, mayBeNull, typeFlag, typeName } from "./reg-types.ts";

const { maybeNull, release, alloc, percpu, readOnly } = typeFlag;

/** Arguments that are memory of any kind. */
const memoryKinds: ReadonlySet<ArgKind> = new Set([
  "PTR_TO_MEM",
  "PTR_TO_MAP_KEY",
  "PTR_TO_MAP_VALUE",
]);

/** Structures that arguments stand for where the prototype names none. */
const defaultStructures: Partial<Record<ArgKind, string>> = {
  PTR_TO_BTF_ID_SOCK_COMMON: "sock_common",
};

function checkStructure(
  env: Env,
  register: number,
  reg: Reg,
  wanted: ArgKind,
  arg: HelperArg,
  f: CallFacts,
): void {
  const isReleased = (arg.flags & release) !== 0;
  if (mayBeNull(reg.type) && ((arg.flags & maybeNull) === 0 || isReleased)) {
    env.reject(`Possibly NULL pointer passed to helper arg${register}`);
  }
  if (f.prototype.id === helperId.kptrXchg) {
    if (f.kptr !== undefined) checkKptrType(env, register, f.kptr);
    return;
  }
  const { kernel } = env.input;
  const name = arg.btf ?? defaultStructures[wanted];
  if (kernel === undefined || name === undefined || reg.btf === undefined) {
    env.unsupported(`helper argument ${wanted}`);
  }
  const id = kernel.find("struct", name);
  const isStrict = isReleased && f.prototype.id !== helperId.skRelease;
  const own = { btf: reg.btf, id: reg.btfId, offset: reg.off };
  if (structureContains(own, { btf: kernel.btf, id }, isStrict, (text) => env.say(text))) return;
  env.reject(`R${register} is of type ${btfName(reg.btf, reg.btfId)} but ${name} is expected`);
}

/** A pointer to an object whose kind the argument accepts: now its structure must fit. */
export function checkObjectArg(
  env: Env,
  register: number,
  reg: Reg,
  wanted: ArgKind,
  arg: HelperArg,
  f: CallFacts,
): void {
  if (memoryKinds.has(wanted)) {
    if ((arg.flags & readOnly) !== 0) return;
    const { name } = f.prototype;
    env.reject(
      `${name}() may write into memory pointed by R${register} type=${typeName(reg.type)}`,
    );
  }
  const isExchange = f.prototype.id === helperId.kptrXchg;
  if ((flagsOf(reg.type) & alloc) !== 0) {
    const isLock = f.prototype.id === helperId.spinLock || f.prototype.id === helperId.spinUnlock;
    if (!isExchange && !isLock) env.unsupported("allocated object as helper argument");
    if (isExchange && register === 2 && f.kptr !== undefined) checkKptrType(env, register, f.kptr);
    return;
  }
  if ((flagsOf(reg.type) & percpu) !== 0) return;
  checkStructure(env, register, reg, wanted, arg, f);
}

/** The result of a helper that gives a kernel object. */
export function objectResult(env: Env, prototype: HelperPrototype): MutableReg {
  const { kernel } = env.input;
  if (kernel === undefined) env.unsupported(`helper ${prototype.name} without the kernel's types`);
  const reg = objectPointer(kernel, prototype.retBtf ?? "", prototype.retFlags);
  if (reg.btfId === 0) env.unsupported(`helper ${prototype.name} (returns an unknown object)`);
  if (mayBeNull(reg.type)) reg.id = env.newId();
  return reg;
}

/** The instance of a per-CPU variable on one CPU. */
export function perCpuResult(env: Env, f: CallFacts): MutableReg {
  const { objectBtf: btf, objectId: id, prototype } = f;
  if (btf === undefined) env.unsupported(`helper ${prototype.name}`);
  const type = skipModifiers(btf, id);
  let reg: MutableReg;
  if (isStructure(type)) {
    reg = pointerReg(kind.btfId | (prototype.retFlags & ~readOnly));
    reg.btf = btf;
    reg.btfId = id;
    reg.btfName = btfName(btf, id);
  } else {
    reg = pointerReg(kind.mem | prototype.retFlags);
    const size = btfSizeOf(btf, id);
    if (size === undefined) {
      env.reject(`unable to resolve the size of type '${btfTypeById(btf, id)?.kind ?? ""}': -22`);
    }
    reg.range = size;
  }
  if (mayBeNull(reg.type)) reg.id = env.newId();
  return reg;
}
