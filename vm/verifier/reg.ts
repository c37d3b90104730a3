/**
 * One register. Registers are never changed once stored in a state, so states share them; a change
 * makes a copy ({@link editReg}).
 */
import {
  constantScalar,
  type Scalar,
  unknownScalar,
  zeroScalar,
} from "../../common/domain/scalar.ts";
import type { Btf, TypeId } from "../../common/object/btf.ts";
import type { VerifierMap } from "./input.ts";
import { kind, kindOf, mayBeNull, typeFlag } from "./reg-types.ts";

export class MutableReg {
  type = 0;
  /** Constant part of a pointer; the added constant of a scalar with a {@link link}. */
  off = 0;
  /** The scalar is `off` more than those with its id, by an addition of that width; 0 is equal. */
  link: 0 | 32 | 64 = 0;
  /** Equal ids: derived from one value (same null-ness, same packet base, same number). */
  id = 0;
  /** The acquired reference that it holds. */
  refObjId = 0;
  /** A scalar's value; a pointer's variable offset. */
  scalar: Scalar = zeroScalar;
  map: VerifierMap | undefined = undefined;
  /** Tells values of different inner maps apart. */
  mapUid = 0;
  /** Proven bytes of a packet pointer, size of memory, subprogram of a function pointer. */
  range = 0;
  frame = 0;
  /** Of a pointer to an object: its type in the program's or the kernel's BTF. */
  btf: Btf | undefined = undefined;
  btfId: TypeId = 0;
  /** Name of the BTF type, for messages. */
  btfName = "";
  dynptr: DynptrInfo | undefined = undefined;
  iterator: IteratorInfo | undefined = undefined;
  /** Memory of a dynptr: the dynptr's id. */
  dynptrId = 0;
  /** Of saved interrupt flags on the stack: what saved them. */
  irqOwner: "native" | "lock" | undefined = undefined;
}

/** Of an iterator on the stack, in all of its slots; the first one tells its state. */
export interface IteratorInfo {
  readonly state: "active" | "drained";
  /** Elements taken on this path. */
  readonly depth: number;
}

export type DynptrType = "local" | "ringbuf" | "skb" | "xdp" | "skb_meta";

export interface DynptrInfo {
  readonly type: DynptrType;
  /** The slot at the lower address holds the first half. */
  readonly isFirst: boolean;
}

export type Reg = Readonly<MutableReg>;

/** A copy to be changed before it is stored. */
export function editReg(from: Reg): MutableReg {
  const reg = new MutableReg();
  reg.type = from.type;
  reg.off = from.off;
  reg.link = from.link;
  reg.id = from.id;
  reg.refObjId = from.refObjId;
  reg.scalar = from.scalar;
  reg.map = from.map;
  reg.mapUid = from.mapUid;
  reg.range = from.range;
  reg.frame = from.frame;
  reg.btf = from.btf;
  reg.btfId = from.btfId;
  reg.btfName = from.btfName;
  reg.dynptr = from.dynptr;
  reg.iterator = from.iterator;
  reg.dynptrId = from.dynptrId;
  reg.irqOwner = from.irqOwner;
  return reg;
}

/** The same register with another value or variable offset. */
export function withScalar(from: Reg, scalar: Scalar): Reg {
  const reg = editReg(from);
  reg.scalar = scalar;
  return reg;
}

export const notInitReg: Reg = (() => {
  const reg = new MutableReg();
  reg.scalar = unknownScalar;
  return reg;
})();

/** A number about which the given is known. */
export function scalarReg(scalar: Scalar): Reg {
  const reg = new MutableReg();
  reg.type = kind.scalar;
  reg.scalar = scalar;
  return reg;
}

export const unknownReg: Reg = scalarReg(unknownScalar);
export const zeroReg: Reg = scalarReg(zeroScalar);

export function constantReg(value: bigint): Reg {
  return value === 0n ? zeroReg : scalarReg(constantScalar(value));
}

/** A pointer with no offset. */
export function pointerReg(type: number): MutableReg {
  const reg = new MutableReg();
  reg.type = type;
  return reg;
}

export function isScalar(reg: Reg): boolean {
  return reg.type === kind.scalar;
}

/** Known number, or undefined for pointers and unknown numbers. */
export function knownValue(reg: Reg): bigint | undefined {
  return reg.type === kind.scalar && reg.scalar.mask === 0n ? reg.scalar.value : undefined;
}

export function isNull(reg: Reg): boolean {
  return reg.type === kind.scalar && reg.scalar.mask === 0n && reg.scalar.value === 0n;
}

const trustModifiers = typeFlag.alloc | typeFlag.trusted | typeFlag.nonOwningRef;

/** Flags other than those that say how a pointer is trusted. */
export function hasUnsafeFlags(type: number): boolean {
  return (type & ~0xff & ~trustModifiers) !== 0;
}

/** Kinds that stand for kernel objects which cannot go away. */
const alwaysTrusted: ReadonlySet<number> = new Set([
  kind.socket,
  kind.sockCommon,
  kind.tcpSock,
  kind.mapPtr,
]);

/** Whether what the pointer points to is sure to stay: acquired, or given as trusted. */
export function isTrustedReg(reg: Reg): boolean {
  if (reg.refObjId !== 0) return true;
  if (hasUnsafeFlags(reg.type)) return false;
  return alwaysTrusted.has(kindOf(reg.type)) || (reg.type & trustModifiers) !== 0;
}

const neverNull: ReadonlySet<number> = new Set([
  kind.socket,
  kind.tcpSock,
  kind.mapValue,
  kind.mapKey,
  kind.sockCommon,
  kind.mapPtr,
]);

/** Pointers that compare unequal to 0 for certain. */
export function isNeverNull(reg: Reg): boolean {
  if (mayBeNull(reg.type)) return false;
  const base = kindOf(reg.type);
  if (neverNull.has(base)) return true;
  if (base === kind.mem) return (reg.type & typeFlag.untrusted) === 0;
  return base === kind.btfId && isTrustedReg(reg);
}
