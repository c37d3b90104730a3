/** Writes a CO-RE decision into the instruction that carries the relocation. */
import type { Endian } from "../../common/object/object-file.ts";
import type { CoreDecision } from "./resolve.ts";

/** Instruction classes: the low three bits of the opcode. */
const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const ALU64 = 7;
const LD_IMM64 = 0x18;
const CALL = 0x85;
/** No helper has this number, so the verifier names it if the instruction is reached. */
const poisonedHelper = 195_896_080;

const sizeBits: Readonly<Record<number, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };
const bytesOfSize: Readonly<Record<number, number>> = { 0: 4, 8: 2, 16: 1, 24: 8 };

/** Changes the code in place; a message says why it cannot be done. */
export function patchInstruction(
  code: Uint8Array,
  offset: number,
  endian: Endian,
  decision: Exclude<CoreDecision, { kind: "error" }>,
): string | undefined {
  const opcode = code[offset];
  const slots = opcode === LD_IMM64 ? 2 : 1;
  if (opcode === undefined || offset + slots * 8 > code.length) return "it lies outside the code";
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  const little = endian === "little";
  if (decision.kind === "poison") {
    poison(view, offset, slots, little);
    return undefined;
  }
  switch (opcode & 7) {
    case ALU:
    case ALU64:
      return patchImmediate(view, offset, little, decision);
    case LDX:
    case ST:
    case STX:
      return patchMemory(view, offset, little, decision);
    case LD:
      return patchWide(view, offset, little, decision);
    default:
      return "the instruction has nothing to relocate";
  }
}

function poison(view: DataView, offset: number, slots: number, little: boolean): void {
  for (let slot = 0; slot < slots; slot++) {
    const at = offset + slot * 8;
    view.setUint32(at, 0);
    view.setUint8(at, CALL);
    view.setInt32(at + 4, poisonedHelper, little);
  }
}

type ValueDecision = Extract<CoreDecision, { kind: "value" }>;

function mismatch(got: bigint, { original, value }: ValueDecision): string {
  return `the instruction holds ${got}, expected ${original} (to become ${value})`;
}

function patchImmediate(
  view: DataView,
  offset: number,
  little: boolean,
  decision: ValueDecision,
): string | undefined {
  if ((view.getUint8(offset) & 8) !== 0) return "the instruction has no immediate";
  const got = view.getInt32(offset + 4, little);
  if (decision.exact && BigInt(got) !== BigInt.asIntN(32, decision.original)) {
    return mismatch(BigInt(got), decision);
  }
  view.setInt32(offset + 4, Number(BigInt.asIntN(32, decision.value)), little);
  return undefined;
}

function patchMemory(
  view: DataView,
  offset: number,
  little: boolean,
  decision: ValueDecision,
): string | undefined {
  const got = view.getInt16(offset + 2, little);
  if (decision.exact && BigInt(got) !== decision.original) return mismatch(BigInt(got), decision);
  if (decision.value > 0x7fffn) return `offset ${decision.value} does not fit the instruction`;
  const { resize } = decision;
  if (resize !== undefined && !resize.safe) {
    poison(view, offset, 1, little);
    return undefined;
  }
  view.setInt16(offset + 2, Number(decision.value), little);
  if (resize === undefined) return undefined;
  const opcode = view.getUint8(offset);
  const size = bytesOfSize[opcode & 0x18];
  const bits = sizeBits[resize.to];
  if (size !== resize.from) return `it accesses ${size} bytes, expected ${resize.from}`;
  if (bits === undefined) return `no instruction accesses ${resize.to} bytes`;
  view.setUint8(offset, (opcode & ~0x18) | bits);
  return undefined;
}

function patchWide(
  view: DataView,
  offset: number,
  little: boolean,
  decision: ValueDecision,
): string | undefined {
  if (view.getUint8(offset) !== LD_IMM64) return "the instruction has nothing to relocate";
  const low = BigInt(view.getUint32(offset + 4, little));
  const got = (BigInt(view.getUint32(offset + 12, little)) << 32n) | low;
  if (decision.exact && got !== BigInt.asUintN(64, decision.original)) {
    return mismatch(got, decision);
  }
  const value = BigInt.asUintN(64, decision.value);
  view.setUint32(offset + 4, Number(value & 0xffff_ffffn), little);
  view.setUint32(offset + 12, Number(value >> 32n), little);
  return undefined;
}
