/** One allocated function as assembly items: labels, instructions, fall-through, long jumps. */
import type { AsmCoreRelocation, AsmItem, AsmLocation } from "../../assembler/asm-module.ts";
import { type Diagnostics, InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { Instruction, JumpOp } from "../../common/isa/instruction.ts";
import type { Endian } from "../../common/object/object-file.ts";
import type { CoreAccess, DebugLocation } from "../4-lower/ir.ts";
import { spanOf } from "../5-optimize/report.ts";
import type { MachineBlock, MachineFunction, MachineInstruction } from "../6-select/machine.ts";
import { expandAsm } from "./expand-asm.ts";
import { physical, physicalSource, plainInstruction } from "./plain-instruction.ts";
import { relaxJumps } from "./relax-jumps.ts";

export interface FunctionEnvironment {
  /** Makes labels unique in the module. */
  readonly index: number;
  readonly hasV4: boolean;
  readonly endian: Endian;
  readonly diagnostics: Diagnostics;
  /** Type ids for CO-RE; undefined without BTF. */
  readonly core: ((access: CoreAccess) => AsmCoreRelocation) | undefined;
}

export const inverseJump: Readonly<Record<JumpOp, JumpOp | undefined>> = {
  eq: "ne",
  ne: "eq",
  gt: "le",
  le: "gt",
  ge: "lt",
  lt: "ge",
  sgt: "sle",
  sle: "sgt",
  sge: "slt",
  slt: "sge",
  set: undefined,
};

export function emitFunction(fn: MachineFunction, environment: FunctionEnvironment): AsmItem[] {
  const items = new FunctionEmitter(fn, environment).run();
  const relaxed = relaxJumps(items, environment);
  if (relaxed !== undefined) return relaxed;
  environment.diagnostics.error(
    "jump-too-far",
    `function '${fn.name}' is too large: its jumps do not reach their targets`,
    fn.location && spanOf(fn.location),
    { help: "-mcpu=v4 has long jumps; or split the function" },
  );
  return items;
}

/** Relocations to the id of a type start from the object's own, which is known only now. */
function withTypeId(insn: Instruction, { kind, type }: AsmCoreRelocation): Instruction {
  const isTypeId = kind === "type_id_local" || kind === "type_id_target";
  return isTypeId && insn.kind === "load_imm64" ? { ...insn, value: BigInt(type) } : insn;
}

class FunctionEmitter {
  readonly #fn: MachineFunction;
  readonly #environment: FunctionEnvironment;
  readonly #items: AsmItem[] = [];
  #last: DebugLocation | undefined;
  #isFirst = true;

  constructor(fn: MachineFunction, environment: FunctionEnvironment) {
    this.#fn = fn;
    this.#environment = environment;
  }

  run(): AsmItem[] {
    const { blocks } = this.#fn;
    const targets = jumpTargets(blocks);
    blocks.forEach((block, at) => {
      if (targets.has(block)) this.#items.push({ kind: "label", name: this.#label(block) });
      for (const op of block.instructions) this.#instruction(op);
      this.#terminator(block, blocks[at + 1]);
    });
    return this.#items;
  }

  #label(block: MachineBlock): string {
    return `LBB${this.#environment.index}_${block.id}`;
  }

  /** Line info is given where it changes, and at the function's start, where the kernel wants it. */
  #place(location: DebugLocation | undefined): { location?: AsmLocation } {
    const isFirst = this.#isFirst;
    const here = location ?? (isFirst ? this.#fn.location : undefined);
    this.#isFirst = false;
    if (here === undefined || here === this.#last) return {};
    if (sameLine(here, this.#last) && !isFirst) return {};
    this.#last = here;
    const { file, line, column, text } = here;
    return { location: { file, line, column, text } };
  }

  #push(insn: Instruction, op: { location: DebugLocation | undefined; core?: CoreAccess }): void {
    const core = op.core === undefined ? undefined : this.#environment.core?.(op.core);
    this.#items.push({
      kind: "instruction",
      insn: core === undefined ? insn : withTypeId(insn, core),
      ...this.#place(op.location),
      ...(core !== undefined && { core }),
    });
  }

  #pushTo(
    insn: Instruction,
    symbol: string,
    addend: number,
    location: DebugLocation | undefined,
  ): void {
    const target = { symbol, addend };
    this.#items.push({ kind: "instruction", insn, target, ...this.#place(location) });
  }

  #instruction(op: MachineInstruction): void {
    switch (op.kind) {
      case "load_imm64":
        this.#loadImmediate(op);
        return;
      case "call":
        this.#call(op);
        return;
      case "asm": {
        const place = this.#place(op.location);
        const { diagnostics, endian, index } = this.#environment;
        const label = `${index}_${this.#items.length}`;
        const { location } = op;
        const about = { label, diagnostics, endian, location, place, targets: [] };
        this.#items.push(...expandAsm(op.body, about));
        return;
      }
      case "lifetime":
        return;
      case "frame_address":
        throw new InternalError("frame address after frame layout");
      default:
        this.#push(plainInstruction(op), op);
    }
  }

  #loadImmediate(op: Extract<MachineInstruction, { kind: "load_imm64" }>): void {
    const dst = physical(op.dst);
    if (op.symbol === undefined) {
      this.#push({ kind: "load_imm64", dst, source: 0, value: op.value }, op);
      return;
    }
    const insn: Instruction = { kind: "load_imm64", dst, source: 0, value: 0n };
    this.#pushTo(insn, op.symbol, Number(BigInt.asIntN(32, op.value)), op.location);
  }

  #call(op: Extract<MachineInstruction, { kind: "call" }>): void {
    const { target } = op;
    if (target.kind === "helper") {
      this.#push({ kind: "call", target: "helper", imm: target.id, offset: 0 }, op);
      return;
    }
    const kind = target.kind === "local" ? "local" : "kfunc";
    const insn: Instruction = { kind: "call", target: kind, imm: 0, offset: 0 };
    this.#pushTo(insn, target.symbol, 0, op.location);
  }

  #terminator(block: MachineBlock, next: MachineBlock | undefined): void {
    const end = block.terminator;
    switch (end.kind) {
      case "jump":
        if (end.target !== next) this.#jump(end.target, end.location);
        return;
      case "exit":
        this.#push({ kind: "exit" }, end);
        return;
      case "end":
        return;
      case "branch":
        this.#branch(end, next);
        return;
      case "asm_goto": {
        const place = this.#place(end.location);
        const { diagnostics, endian, index } = this.#environment;
        const label = `${index}_${this.#items.length}`;
        const targets = end.labels.map((each) => this.#label(each));
        const { location } = end;
        const about = { label, diagnostics, endian, location, place, targets };
        this.#items.push(...expandAsm(end.body, about));
        if (end.next !== next) this.#jump(end.next, end.location);
      }
    }
  }

  #jump(target: MachineBlock, location: DebugLocation | undefined): void {
    this.#pushTo({ kind: "jump", long: false, offset: 0 }, this.#label(target), 0, location);
  }

  #branch(
    end: Extract<MachineBlock["terminator"], { kind: "branch" }>,
    next: MachineBlock | undefined,
  ): void {
    const inverse = inverseJump[end.op];
    const invert = end.then === next && inverse !== undefined;
    const insn: Instruction = {
      kind: "branch",
      op: invert ? inverse : end.op,
      width: end.width,
      dst: physical(end.dst),
      src: physicalSource(end.src),
      offset: 0,
    };
    this.#pushTo(insn, this.#label(invert ? end.otherwise : end.then), 0, end.location);
    if (!invert && end.otherwise !== next) this.#jump(end.otherwise, end.location);
  }
}

function sameLine(a: DebugLocation, b: DebugLocation | undefined): boolean {
  return b !== undefined && a.line === b.line && a.column === b.column && a.file === b.file;
}

/** Blocks that some jump names; the others are only fallen into. */
function jumpTargets(blocks: readonly MachineBlock[]): Set<MachineBlock> {
  const targets = new Set<MachineBlock>();
  blocks.forEach((block, at) => {
    const end = block.terminator;
    const next = blocks[at + 1];
    if (end.kind === "jump" && end.target !== next) targets.add(end.target);
    if (end.kind === "branch") {
      const invert = end.then === next && inverseJump[end.op] !== undefined;
      if (!invert) targets.add(end.then);
      if (end.otherwise !== next) targets.add(end.otherwise);
    }
    if (end.kind === "asm_goto") {
      for (const label of end.labels) targets.add(label);
      if (end.next !== next) targets.add(end.next);
    }
  });
  return targets;
}
