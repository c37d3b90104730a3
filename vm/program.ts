/** A program that was loaded into a kernel: decoded instructions, its maps, its functions. */
import {
  type DecodedInstruction,
  decodeProgram,
  describeDecodeProblem,
} from "../common/isa/decode.ts";
import type { Instruction } from "../common/isa/instruction.ts";
import type { Btf } from "../common/object/btf.ts";
import type { ProgramLine, ProgramSpec } from "../linker/program.ts";
import type { BpfMap } from "./maps/map.ts";

export interface Program {
  readonly id: number;
  readonly spec: ProgramSpec;
  /** By slot; undefined for second slots of wide loads. */
  readonly insns: readonly (Instruction | undefined)[];
  /** By the index that the program's instructions carry. */
  readonly maps: readonly BpfMap[];
  /** The object's types, where it has any. */
  readonly btf?: Btf;
}

/** The program, or what is wrong with its instructions. */
export function decodeLoadedProgram(
  id: number,
  spec: ProgramSpec,
  maps: readonly BpfMap[],
  little: boolean,
  btf?: Btf,
): Program | { readonly problem: string; readonly slot: number } {
  const decoded = decodeProgram(spec.insns, little ? "little" : "big");
  if (!decoded.ok) {
    const { problem, raw, fields, slot } = decoded;
    return { problem: describeDecodeProblem(problem, raw, fields), slot };
  }
  const insns = bySlot(decoded.insns, spec.insns.length / 8);
  return { id, spec, insns, maps, ...(btf && { btf }) };
}

function bySlot(
  decoded: readonly DecodedInstruction[],
  count: number,
): readonly (Instruction | undefined)[] {
  const insns: (Instruction | undefined)[] = new Array(count).fill(undefined);
  for (const { slot, insn } of decoded) insns[slot] = insn;
  return insns;
}

const takenBy = new WeakMap<Program, ReadonlySet<number>>();

/** Slots of functions whose address the program takes: only these can be callbacks. */
export function takenFunctions(program: Program): ReadonlySet<number> {
  const known = takenBy.get(program);
  if (known !== undefined) return known;
  const taken = new Set<number>();
  for (const [slot, insn] of program.insns.entries()) {
    if (insn?.kind !== "load_imm64" || insn.source !== 4) continue;
    const start = slot + 1 + Number(BigInt.asIntN(32, insn.value));
    if (program.insns[start] !== undefined) taken.add(start);
  }
  takenBy.set(program, taken);
  return taken;
}

/** The line record that covers a slot. */
export function lineAt(program: Program, slot: number): ProgramLine | undefined {
  let found: ProgramLine | undefined;
  for (const line of program.spec.lines) {
    if (line.slot > slot) break;
    found = line;
  }
  return found;
}
