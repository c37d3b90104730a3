/** What instructions write, for the analyses of the JIT. */
import type { Instruction } from "../../common/isa/instruction.ts";

/** Registers that an instruction defines. */
export function definedRegisters(insn: Instruction): readonly number[] {
  switch (insn.kind) {
    case "alu":
    case "movsx":
    case "neg":
    case "endian":
    case "load":
    case "load_acquire":
    case "load_imm64":
    case "addr_space_cast":
      return [insn.dst];
    case "atomic":
      if (insn.op === "cmpxchg") return [0];
      return insn.fetch ? [insn.src] : [];
    case "load_packet":
      return [0];
    case "call":
      return [0, 1, 2, 3, 4, 5];
    case "store":
    case "store_release":
    case "jump":
    case "branch":
    case "may_goto":
    case "exit":
    case "callx":
    case "gotox":
      return [];
  }
}
