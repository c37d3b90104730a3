/** Loads and stores, with the splitting that alignment demands. */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { fitsSigned, type SelectContext, type SelectedAddress } from "./context.ts";
import type { MachineAddress, MachineRegister, MachineSource } from "./machine.ts";
import { framePointer, immediateSource, registerSource } from "./machine.ts";

type Size = 1 | 2 | 4 | 8;

export function accessSize(type: IrInstruction["type"]): Size {
  return type === "void" || type === "i1" ? 1 : ((bitWidth[type] / 8) as Size);
}

/** The address moved on by some bytes; a new base where 16 bits do not hold the offset. */
export function addressAt({ address, core }: SelectedAddress, offset: number): MachineAddress {
  if (core !== undefined && offset !== 0) return { base: address.base, offset };
  return { ...address, offset: address.offset + offset };
}

/**
 * Widest single access that the kernel takes: anything off the stack unless -mstrict-align, else the proven alignment.
 * In this frame the alignment is known: it counts, not what the type of a pointer to packed members promises.
 */
export function widestAccess(
  context: SelectContext,
  pointer: Value,
  size: Size,
  align: number,
): Size {
  if (context.options.strictAlign) {
    const packet = packetAlignment(pointer);
    if (packet !== undefined) return Math.min(size, packet) as Size;
  }
  if (size === 1) return size;
  const own = ownAlignment(context, pointer, size);
  if (own > 0) return own as Size;
  if (align >= size) return size;
  if (!context.options.strictAlign && !mayBeStack(context, pointer)) return size;
  return Math.max(1, Math.min(size, align)) as Size;
}

/** Alignment of a place in this frame, which is raised if the object is large enough to be worth it; 0 elsewhere. */
function ownAlignment(context: SelectContext, pointer: Value, size: Size): number {
  const frame = context.frameAddressOf(pointer);
  const slot = frame === undefined ? undefined : context.fn.slots[frame.slot];
  if (frame === undefined || slot === undefined) return 0;
  if (slot.align < size && slot.size >= size) slot.align = size;
  let align: number = Math.min(slot.align, size);
  while (frame.offset % align !== 0) align /= 2;
  return align;
}

/**
 * What BPF_F_STRICT_ALIGNMENT knows of a packet pointer: the packet starts 2 bytes after a multiple
 * of 4 (NET_IP_ALIGN), whatever the C type says. Undefined for other pointers.
 */
function packetAlignment(pointer: Value): number | undefined {
  let offset = 2n;
  let base = pointer;
  let align = 4n;
  while (base.kind === "instruction" && base.operation.op === "ptradd") {
    const [inner, step] = base.operands as [Value, Value];
    if (step.kind === "constant") offset += BigInt.asIntN(64, step.value);
    else {
      const known = multipleOf(step);
      if (known < align) align = known;
    }
    base = inner;
  }
  const isPacket =
    base.kind === "instruction" &&
    base.operation.op === "inttoptr" &&
    isNarrowLoad(base.operands[0]);
  if (!isPacket) return undefined;
  while (offset % align !== 0n) align /= 2n;
  return Number(align);
}

/** A power of two that the value is a multiple of. */
function multipleOf(value: Value): bigint {
  if (value.kind !== "instruction") return 1n;
  const [a, b] = value.operands;
  if (value.operation.op === "zext" && a !== undefined) return multipleOf(a);
  if (value.operation.op !== "binary" || b?.kind !== "constant") return 1n;
  if (value.operation.binary === "shl") return 1n << (b.value & 63n);
  if (value.operation.binary === "mul" || value.operation.binary === "and") {
    return b.value === 0n ? 4n : b.value & -b.value;
  }
  return 1n;
}

/** Could the pointer lead into a stack frame, where the kernel insists on natural alignment? */
export function mayBeStack(context: SelectContext, pointer: Value): boolean {
  let base = pointer;
  for (let steps = 0; steps < 64; steps += 1) {
    if (base.kind === "global" || base.kind === "constant" || base.kind === "undef") return false;
    if (base.kind === "parameter") return context.ir.section === ".text" || base.index > 0;
    switch (base.operation.op) {
      case "ptradd":
        base = base.operands[0] as Value;
        continue;
      case "inttoptr":
        // Packet pointers are 32-bit context fields.
        return !isNarrowLoad(base.operands[0]);
      case "call":
        return base.operation.callee.kind !== "helper";
      default:
        return true;
    }
  }
  return true;
}

function isNarrowLoad(value: Value | undefined): boolean {
  if (value?.kind !== "instruction" || value.operation.op !== "zext") return false;
  const from = value.operands[0];
  return from?.kind === "instruction" && from.operation.op === "load";
}

export function selectLoad(
  context: SelectContext,
  at: IrInstruction,
  { align, volatile: isVolatile }: { align: number; volatile: boolean },
): void {
  const pointer = at.operands[0] as Value;
  const size = accessSize(at.type);
  const selected = context.address(pointer);
  const unit = widestAccess(context, pointer, size, align);
  if (unit < size) {
    context.define(at, loadPieces(context, selected, size, unit));
    return;
  }
  const dst = context.newRegister();
  const signed = context.hasV4 && size < 8 && isOnlySignExtended(context, at);
  const { address, core } = selected;
  context.emit(
    { kind: "load", size, signed, dst, address, ...(isVolatile && { isVolatile }) },
    core,
  );
  if (signed) context.signedLoads.add(at);
  context.define(at, dst);
}

function isOnlySignExtended(context: SelectContext, at: IrInstruction): boolean {
  const uses = context.uses.get(at) ?? [];
  return (
    at.type !== "i1" &&
    uses.length > 0 &&
    uses.every(
      ({ user }) =>
        user.operation.op === "sext" && (user.type === "i64" || !context.facts.demanded(user)),
    )
  );
}

/** Loads aligned pieces and puts them together, lowest address first. */
export function loadPieces(
  context: SelectContext,
  selected: SelectedAddress,
  size: Size,
  unit: Size,
): MachineRegister {
  let result: MachineRegister | undefined;
  for (let offset = 0; offset < size; offset += unit) {
    const piece = context.newRegister();
    const address = addressAt(selected, offset);
    context.emit(
      { kind: "load", size: unit, signed: false, dst: piece, address },
      offset === 0 ? selected.core : undefined,
    );
    const at = context.options.endian === "little" ? offset : size - unit - offset;
    if (at > 0) context.alu("lsh", 64, piece, at * 8);
    if (result === undefined) result = piece;
    else {
      const sum = context.copy(result);
      context.alu("or", 64, sum, registerSource(piece));
      result = sum;
    }
  }
  return result as MachineRegister;
}

export function selectStore(context: SelectContext, at: IrInstruction, align: number): void {
  const [value, pointer] = at.operands as [Value, Value];
  const size = accessSize(value.type);
  const unit = widestAccess(context, pointer, size, align);
  const src = storeSource(context, value, size, pointer);
  const selected = context.address(pointer);
  if (unit === size) {
    context.emit({ kind: "store", size, address: selected.address, src }, selected.core);
    return;
  }
  const whole = src.kind === "register" ? src.register : context.materialize(BigInt(src.value));
  for (let offset = 0; offset < size; offset += unit) {
    const at = context.options.endian === "little" ? offset : size - unit - offset;
    const piece = at === 0 ? whole : context.copy(whole);
    if (at > 0) context.alu("rsh", 64, piece, at * 8);
    const address = addressAt(selected, offset);
    context.emit({ kind: "store", size: unit, address, src: registerSource(piece) });
  }
}

/**
 * Whether constants may be part of a store (BPF_ST). Every kernel takes that, but to the context only
 * from Linux 6.4 on, where v4 starts.
 */
export function takesConstants(context: SelectContext, pointer: Value): boolean {
  if (context.hasV4) return true;
  let base = pointer;
  while (base.kind === "instruction" && base.operation.op === "ptradd")
    base = base.operands[0] as Value;
  return base.kind !== "parameter" || (context.ir.section !== ".text" && base.index > 0);
}

function storeSource(
  context: SelectContext,
  value: Value,
  size: Size,
  pointer: Value,
): MachineSource {
  if (value.kind === "undef" && takesConstants(context, pointer)) return immediateSource(0);
  if (value.kind === "constant" && takesConstants(context, pointer)) {
    const seen = BigInt.asIntN(Math.min(size * 8, 64), value.value);
    if (fitsSigned(seen, 32)) return immediateSource(Number(seen));
  }
  return registerSource(context.register(value));
}

/** Address plain enough to be used by several accesses. */
export function blockAddress(context: SelectContext, pointer: Value): SelectedAddress {
  const frame = context.frameAddressOf(pointer);
  if (frame !== undefined) {
    return { address: { base: framePointer, slot: frame.slot, offset: frame.offset } };
  }
  const selected = context.address(pointer);
  if (selected.core === undefined) return selected;
  return { address: { base: context.register(pointer), offset: 0 } };
}
