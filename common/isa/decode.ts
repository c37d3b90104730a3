/** Bytes → Instruction, strictly: fields that a form does not use must be zero. */
import type { Endian } from "../object/object-file.ts";
import type { Instruction } from "./instruction.ts";
import {
  type FieldName,
  type InstructionFields,
  type InstructionForm,
  instructionForms,
} from "./instructions.ts";

/** What the bytes say, valid or not. */
export interface RawInstruction extends InstructionFields {
  readonly opcode: number;
}

export type DecodeProblem =
  /** No row has this opcode. */
  | "unknown-opcode"
  /** Rows have this opcode, but a field that they do not use (listed in `fields`) is not zero. */
  | "reserved-fields"
  /** A register field above 10. */
  | "bad-register"
  /** The bytes end within the instruction, or the second slot of a 64-bit load is malformed. */
  | "truncated";

export type Decoded =
  | { readonly ok: true; readonly insn: Instruction; readonly slots: 1 | 2 }
  | {
      readonly ok: false;
      readonly problem: DecodeProblem;
      readonly fields: readonly FieldName[];
      readonly raw: RawInstruction;
    };

const fieldNames: readonly FieldName[] = ["dst", "src", "offset", "imm", "nextImm"];

const formsByOpcode: (readonly InstructionForm[] | undefined)[] = [];

/** The rows of an opcode, looked for once. */
function formsOf(opcode: number): readonly InstructionForm[] {
  formsByOpcode[opcode] ??= instructionForms().filter((form) => form.opcode === opcode);
  return formsByOpcode[opcode];
}

const loadImm64Opcode = 0x18;

/** The fields of the slot at a byte offset; missing bytes read as 0. */
function readFields(view: DataView, at: number, endian: Endian): RawInstruction {
  const little = endian === "little";
  const opcode = view.getUint8(at);
  const registers = view.getUint8(at + 1);
  const low = registers & 15;
  const high = registers >> 4;
  const wide = opcode === loadImm64Opcode && at + 16 <= view.byteLength;
  return {
    opcode,
    dst: little ? low : high,
    src: little ? high : low,
    offset: view.getInt16(at + 2, little),
    imm: view.getInt32(at + 4, little),
    nextImm: wide ? view.getInt32(at + 12, little) : 0,
  };
}

/** The fields that stop the row from being this instruction. */
function violations(form: InstructionForm, raw: RawInstruction): FieldName[] {
  return fieldNames.filter((name) => {
    const wanted = form.match[name];
    if (wanted !== undefined) return raw[name] !== wanted;
    return !form.fields.includes(name) && raw[name] !== 0;
  });
}

function isSecondSlotEmpty(view: DataView, at: number): boolean {
  return view.getUint32(at + 8) === 0;
}

function decodeAt(view: DataView, at: number, endian: Endian): Decoded {
  if (at + 8 > view.byteLength) {
    const raw = { opcode: 0, dst: 0, src: 0, offset: 0, imm: 0, nextImm: 0 };
    return { ok: false, problem: "truncated", fields: [], raw };
  }
  const raw = readFields(view, at, endian);
  const forms = formsOf(raw.opcode);
  if (forms.length === 0) return { ok: false, problem: "unknown-opcode", fields: [], raw };
  const wide = raw.opcode === loadImm64Opcode;
  if (wide && (at + 16 > view.byteLength || !isSecondSlotEmpty(view, at))) {
    return { ok: false, problem: "truncated", fields: ["nextImm"], raw };
  }
  let closest: FieldName[] | undefined;
  for (const form of forms) {
    const wrong = violations(form, raw);
    if (wrong.length > 0) {
      if (closest === undefined || wrong.length < closest.length) closest = wrong;
      continue;
    }
    const badRegister =
      (raw.dst > 10 && form.fields.includes("dst")) ||
      (raw.src > 10 && form.fields.includes("src"));
    if (badRegister) return { ok: false, problem: "bad-register", fields: ["dst", "src"], raw };
    return { ok: true, insn: form.build(raw), slots: wide ? 2 : 1 };
  }
  return { ok: false, problem: "reserved-fields", fields: closest ?? [], raw };
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The raw fields of the slot at a byte offset (a multiple of 8 within the bytes). */
export function decodeRaw(bytes: Uint8Array, byteOffset: number, endian: Endian): RawInstruction {
  return readFields(viewOf(bytes), byteOffset, endian);
}

/** One instruction at a byte offset. */
export function decodeInstruction(bytes: Uint8Array, byteOffset: number, endian: Endian): Decoded {
  return decodeAt(viewOf(bytes), byteOffset, endian);
}

export interface DecodedInstruction {
  /** Index of its first 8-byte slot. */
  readonly slot: number;
  readonly insn: Instruction;
}

export type DecodedProgram =
  | { readonly ok: true; readonly insns: readonly DecodedInstruction[] }
  | {
      readonly ok: false;
      readonly slot: number;
      readonly problem: DecodeProblem;
      readonly fields: readonly FieldName[];
      readonly raw: RawInstruction;
    };

/** All instructions, or the first slot that is not one. */
export function decodeProgram(bytes: Uint8Array, endian: Endian): DecodedProgram {
  const view = viewOf(bytes);
  const insns: DecodedInstruction[] = [];
  for (let at = 0; at < bytes.length; ) {
    const decoded = decodeAt(view, at, endian);
    if (!decoded.ok) return { ...decoded, slot: at / 8 };
    insns.push({ slot: at / 8, insn: decoded.insn });
    at += decoded.slots * 8;
  }
  return { ok: true, insns };
}

/** One English line for a problem, as the kernel's verifier words it where it has words for it. */
export function describeDecodeProblem(
  problem: DecodeProblem,
  raw: RawInstruction,
  fields: readonly FieldName[],
): string {
  switch (problem) {
    case "unknown-opcode":
      return `unknown opcode ${raw.opcode.toString(16).padStart(2, "0")}`;
    case "reserved-fields": {
      const opcode = raw.opcode.toString(16).padStart(2, "0");
      return `opcode ${opcode} uses reserved fields (${fields.join(", ")})`;
    }
    case "bad-register":
      return `register number above 10 (dst ${raw.dst}, src ${raw.src})`;
    case "truncated":
      return raw.opcode === loadImm64Opcode
        ? "invalid second half of a 64-bit immediate load"
        : "the code ends within an instruction";
  }
}
