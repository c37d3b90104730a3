/** Atomic operations, and loads and stores that order others. */
import type { AtomicOp } from "../../common/isa/instruction.ts";
import type { AtomicRmwOp, IrInstruction, Value } from "../4-lower/ir.ts";
import type { SelectContext } from "./context.ts";
import { accessSize } from "./select-memory.ts";

const fetchOps: Readonly<Partial<Record<AtomicRmwOp, AtomicOp>>> = {
  add: "add",
  sub: "add",
  and: "and",
  or: "or",
  xor: "xor",
  xchg: "xchg",
};

export function selectAtomic(context: SelectContext, at: IrInstruction, atomic: AtomicRmwOp): void {
  const [pointer, value] = at.operands as [Value, Value];
  const size = accessSize(value.type);
  const op = fetchOps[atomic];
  if (op === undefined || (size !== 4 && size !== 8)) {
    context.error(
      "unsupported-atomic",
      `atomic ${atomic} on ${size * 8}-bit objects does not exist in BPF`,
    );
    context.define(at, context.materialize(0n));
    return;
  }
  const wantsOld = at.type !== "void" && context.useCount(at) > 0;
  const fetch = op === "xchg" || wantsOld;
  if (size === 4 && !context.has32 && (fetch || op !== "add")) {
    const what = fetch ? `32-bit atomic ${atomic} with a result` : `32-bit atomic ${atomic}`;
    context.error("unsupported-atomic", `${what} needs -mcpu=v3 or later`);
  }
  const { address } = context.address(pointer);
  const src = context.newRegister();
  context.moveValue(src, value);
  if (atomic === "sub")
    context.emit({ kind: "neg", width: size === 4 && context.has32 ? 32 : 64, dst: src });
  context.emit({ kind: "atomic", op, fetch, size, address, src });
  if (fetch) context.define(at, src);
}

/** The expected value goes in, and the old one comes out, in r0. */
export function selectCompareExchange(context: SelectContext, at: IrInstruction): void {
  const [pointer, expected, desired] = at.operands as [Value, Value, Value];
  const size = accessSize(expected.type);
  if (size !== 4 && size !== 8) {
    context.error(
      "unsupported-atomic",
      `compare-exchange of ${size * 8}-bit objects does not exist in BPF`,
    );
  } else if (size === 4 && !context.has32) {
    context.error("unsupported-atomic", "32-bit compare-exchange needs -mcpu=v3 or later");
  }
  const { address } = context.address(pointer);
  const src = context.register(desired);
  context.moveValue(0, expected);
  context.emit({
    kind: "atomic",
    op: "cmpxchg",
    fetch: true,
    size: size === 4 ? 4 : 8,
    address,
    src,
  });
  context.define(at, context.copy(0));
}

export function selectOrdered(context: SelectContext, at: IrInstruction): void {
  const isLoad = at.operation.op === "load_acquire";
  const pointer = at.operands[isLoad ? 0 : 1] as Value;
  const { address } = context.address(pointer);
  if (!context.hasV4) {
    context.error(
      "unsupported-atomic",
      `${isLoad ? "load-acquire" : "store-release"} needs -mcpu=v4`,
    );
  }
  if (isLoad) {
    const dst = context.newRegister();
    context.emit({ kind: "load_acquire", size: accessSize(at.type), dst, address });
    context.define(at, dst);
    return;
  }
  const value = at.operands[0] as Value;
  const src = context.register(value);
  context.emit({ kind: "store_release", size: accessSize(value.type), address, src });
}
