/** Machine operations that are one instruction each, whatever stands around them. */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { Instruction, Register, Source } from "../../common/isa/instruction.ts";
import type { MachineInstruction, MachineSource } from "../6-select/machine.ts";

export function physical(register: number): Register {
  if (register < 0 || register > 10) throw new InternalError(`register ${register} is virtual`);
  return register as Register;
}

export function physicalSource(source: MachineSource): Source {
  return source.kind === "immediate"
    ? source
    : { kind: "register", register: physical(source.register) };
}

type PlainOperation = Exclude<
  MachineInstruction,
  { kind: "load_imm64" | "call" | "asm" | "lifetime" | "frame_address" }
>;

export function plainInstruction(op: PlainOperation): Instruction {
  switch (op.kind) {
    case "alu":
      return {
        kind: "alu",
        op: op.op,
        width: op.width,
        dst: physical(op.dst),
        src: physicalSource(op.src),
      };
    case "movsx":
      return {
        kind: "movsx",
        from: op.from,
        width: op.width,
        dst: physical(op.dst),
        src: physical(op.src),
      };
    case "neg":
      return { kind: "neg", width: op.width, dst: physical(op.dst) };
    case "endian":
      return { kind: "endian", op: op.op, bits: op.bits, dst: physical(op.dst) };
    case "addr_space_cast":
      return {
        kind: "addr_space_cast",
        dst: physical(op.dst),
        src: physical(op.src),
        imm: op.imm,
      };
    case "load_packet":
      return {
        kind: "load_packet",
        mode: op.mode,
        size: op.size,
        src: physical(op.src),
        imm: op.imm,
      };
    case "load":
    case "store":
    case "atomic":
    case "load_acquire":
    case "store_release":
      return memoryInstruction(op);
  }
}

function memoryInstruction(
  op: Extract<MachineInstruction, { address: { base: number; offset: number } }>,
): Instruction {
  const base = physical(op.address.base);
  const { offset } = op.address;
  switch (op.kind) {
    case "load":
      return {
        kind: "load",
        size: op.size,
        signed: op.signed,
        dst: physical(op.dst),
        base,
        offset,
      };
    case "store":
      return { kind: "store", size: op.size, base, offset, src: physicalSource(op.src) };
    case "atomic":
      return {
        kind: "atomic",
        op: op.op,
        fetch: op.fetch,
        size: op.size,
        base,
        offset,
        src: physical(op.src),
      };
    case "load_acquire":
      return { kind: "load_acquire", size: op.size, dst: physical(op.dst), base, offset };
    case "store_release":
      return { kind: "store_release", size: op.size, base, offset, src: physical(op.src) };
  }
}
