/**
 * Names for the values in registers: equal names mean the same value, one and the same definition, or
 * pointers to plain memory of one kind. Sharing code needs that: the kernel's verifier refuses one instruction
 * that reaches memory through pointers of different kinds ("same insn cannot be used with different pointers").
 */
import { returnsByMap, returnsMemory } from "../../common/platform/memory-helpers.ts";
import {
  framePointer,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  machinePredecessors,
} from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { machineOrder } from "./flow.ts";

/** By register, and behind these by place of a spilled value. */
type Names = (number | undefined)[];

/** For each instruction the names of the registers that decide what kind of memory or object it works on. */
export function pointerNames(fn: MachineFunction): Map<MachineInstruction, string> {
  return new Namer(fn).run();
}

class Namer {
  readonly #fn: MachineFunction;
  readonly #known = new Map<string, number>();
  /** Where the values of spilled registers lie, by offset in the frame. */
  readonly #spills = new Map<number, number>();
  #next = 0;
  readonly #result = new Map<MachineInstruction, string>();

  constructor(fn: MachineFunction) {
    this.#fn = fn;
  }

  run(): Map<MachineInstruction, string> {
    this.#findSpills();
    const preds = machinePredecessors(this.#fn);
    const ends = new Map<MachineBlock, Names>();
    for (const block of machineOrder(this.#fn)) {
      const names = this.#entry(block, preds.get(block) ?? [], ends);
      for (const op of block.instructions) {
        const decisive = decisiveRegisters(op);
        if (decisive.length > 0) {
          this.#result.set(op, decisive.map((register) => names[register]).join(" "));
        }
        this.#step(op, names);
      }
      ends.set(block, names);
    }
    return this.#result;
  }

  #findSpills(): void {
    for (const { instructions } of this.#fn.blocks) {
      for (const op of instructions) {
        if (op.kind !== "store" || op.isSpill !== true) continue;
        const { offset } = op.address;
        if (!this.#spills.has(offset))
          this.#spills.set(offset, framePointer + 1 + this.#spills.size);
      }
    }
  }

  #fresh(): number {
    this.#next += 1;
    return this.#next;
  }

  #named(key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = this.#fresh();
    this.#known.set(key, made);
    return made;
  }

  #entry(
    block: MachineBlock,
    preds: readonly MachineBlock[],
    ends: ReadonlyMap<MachineBlock, Names>,
  ): Names {
    const states = preds.map((pred) => ends.get(pred));
    const names: Names = [];
    const count = framePointer + 1 + this.#spills.size;
    for (let register = 0; register < count; register += 1) {
      const first = states[0]?.[register];
      const agree = first !== undefined && states.every((state) => state?.[register] === first);
      // A join of different values is a value of its own.
      names[register] = agree ? first : this.#named(`join ${block.id} ${register}`);
    }
    names[framePointer] = this.#named("frame");
    return names;
  }

  #step(op: MachineInstruction, names: Names): void {
    const name = this.#resultName(op, names);
    const lose = (register: number): void => {
      names[register] = this.#fresh();
    };
    if (op.kind === "store" && op.isSpill === true) {
      const place = this.#spills.get(op.address.offset) as number;
      names[place] = op.src.kind === "register" ? names[op.src.register] : this.#fresh();
      return;
    }
    visitRegisters(op, { use: () => {}, def: lose, clobber: lose });
    if (name === undefined) return;
    if (op.kind === "call") names[0] = name;
    else if ("dst" in op) names[op.dst] = name;
  }

  /** What is computed, for code without memory, and what kind of memory a helper gives. */
  #resultName(op: MachineInstruction, names: Names): number | undefined {
    if (op.core !== undefined) return undefined;
    if (op.kind === "call") {
      const { target } = op;
      if (target.kind !== "helper" || !returnsMemory(target.id)) return undefined;
      return this.#named(`call ${target.id} ${returnsByMap(target.id) ? names[1] : ""}`);
    }
    if (op.kind === "load_imm64") return this.#named(`imm ${op.symbol ?? ""} ${op.value}`);
    if (op.kind === "load" && op.isSpill === true && op.size === 8) {
      const place = this.#spills.get(op.address.offset);
      return place === undefined ? undefined : names[place];
    }
    if (op.kind !== "alu") return undefined;
    const { src } = op;
    if (op.op === "mov" && op.width === 64 && src.kind === "register") return names[src.register];
    const right = src.kind === "immediate" ? `#${src.value}` : `${names[src.register]}`;
    const left = op.op === "mov" ? "" : names[op.dst];
    return this.#named(`${op.op}${op.width} ${left} ${right}`);
  }
}

function decisiveRegisters(op: MachineInstruction): number[] {
  if ("address" in op) return [op.address.base];
  if (op.kind === "addr_space_cast") return [op.src];
  if (op.kind !== "call") return [];
  // Of helpers the first argument is the map or object that the call is about.
  const count = op.target.kind === "helper" ? Math.min(1, op.argCount) : op.argCount;
  return Array.from({ length: count }, (_, at) => at + 1);
}
