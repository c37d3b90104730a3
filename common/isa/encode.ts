/** Instruction → bytes, through the rows of instructions.ts. */
import { InternalError } from "../diagnostics/diagnostic.ts";
import type { Endian } from "../object/object-file.ts";
import { type Instruction, type Source, slotCount } from "./instruction.ts";
import { formOf, type InstructionFields } from "./instructions.ts";

const none: InstructionFields = { dst: 0, src: 0, offset: 0, imm: 0, nextImm: 0 };

const sourceFields = (source: Source): Partial<InstructionFields> =>
  source.kind === "register" ? { src: source.register } : { imm: source.value };

/** The operands of an instruction, by the field that carries them. */
function operandFields(insn: Instruction): Partial<InstructionFields> {
  switch (insn.kind) {
    case "alu":
      return { dst: insn.dst, ...sourceFields(insn.src) };
    case "movsx":
      return { dst: insn.dst, src: insn.src };
    case "neg":
    case "endian":
      return { dst: insn.dst };
    case "load_imm64":
      return {
        dst: insn.dst,
        imm: Number(BigInt.asIntN(32, insn.value)),
        nextImm: Number(BigInt.asIntN(32, insn.value >> 32n)),
      };
    case "load":
    case "load_acquire":
      return { dst: insn.dst, src: insn.base, offset: insn.offset };
    case "store":
      return { dst: insn.base, offset: insn.offset, ...sourceFields(insn.src) };
    case "atomic":
    case "store_release":
      return { dst: insn.base, src: insn.src, offset: insn.offset };
    case "load_packet":
      return { src: insn.src, imm: insn.imm };
    case "addr_space_cast":
      return { dst: insn.dst, src: insn.src, imm: insn.imm };
    case "jump":
      return insn.long ? { imm: insn.offset } : { offset: insn.offset };
    case "branch":
      return { dst: insn.dst, offset: insn.offset, ...sourceFields(insn.src) };
    case "may_goto":
      return { offset: insn.offset };
    case "call":
      return { imm: insn.imm, offset: insn.offset };
    case "callx":
    case "gotox":
      return { dst: insn.target };
    case "exit":
      return {};
  }
}

/** Opcode and all fields of an instruction. */
export function instructionFields(insn: Instruction): InstructionFields & { opcode: number } {
  const form = formOf(insn);
  if (form === undefined) throw new InternalError(`no encoding for ${describe(insn)}`);
  return { opcode: form.opcode, ...none, ...form.match, ...operandFields(insn) };
}

function describe(insn: Instruction): string {
  return JSON.stringify(insn, (_key, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}

/** Field values that do not fit are a bug of the caller: they must never be truncated silently. */
function checkRange(value: number, bits: 16 | 32, insn: Instruction): void {
  const limit = 2 ** (bits - 1);
  if (!Number.isInteger(value) || value < -limit || value >= limit) {
    throw new InternalError(`${value} does not fit ${bits} bits in ${describe(insn)}`);
  }
}

function writeInstruction(view: DataView, at: number, insn: Instruction, endian: Endian): void {
  const little = endian === "little";
  const { opcode, dst, src, offset, imm, nextImm } = instructionFields(insn);
  checkRange(offset, 16, insn);
  checkRange(imm, 32, insn);
  view.setUint8(at, opcode);
  view.setUint8(at + 1, little ? (src << 4) | dst : (dst << 4) | src);
  view.setInt16(at + 2, offset, little);
  view.setInt32(at + 4, imm, little);
  if (slotCount(insn) === 2) view.setInt32(at + 12, nextImm, little);
}

/** 8 bytes, 16 for a 64-bit immediate load. */
export function encodeInstruction(insn: Instruction, endian: Endian): Uint8Array {
  return encodeProgram([insn], endian);
}

/** The instructions one after another. */
export function encodeProgram(insns: readonly Instruction[], endian: Endian): Uint8Array {
  let slots = 0;
  for (const insn of insns) slots += slotCount(insn);
  const bytes = new Uint8Array(slots * 8);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const insn of insns) {
    writeInstruction(view, at, insn, endian);
    at += slotCount(insn) * 8;
  }
  return bytes;
}
