/**
 * A run that can be walked in both directions. The program runs once, in the interpreter; each step's
 * registers and what it changed in memory are kept, so that any moment of the run can be looked at,
 * and breakpoints and watchpoints work backwards too. What the run did to maps stays done.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import type { ProgramLine } from "../../linker/program.ts";
import type { InterpreterState } from "../interpreter/interpreter.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { lineAt, type Program } from "../program.ts";
import { type RunOptions, type RunResult, runProgram } from "../programs/run.ts";

/** Bytes that an instruction changed. */
interface Change {
  readonly address: number;
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

interface Step {
  readonly program: Program;
  readonly slot: number;
  readonly registers: readonly bigint[];
  /** By the instruction of this step. */
  changes: readonly Change[];
}

/** Where a walk came to rest. */
export type Stop =
  | { readonly kind: "breakpoint" | "watchpoint"; readonly id: number }
  | { readonly kind: "start" | "end" };

type Point =
  | { readonly kind: "slot"; readonly slot: number; readonly program: string | undefined }
  | { readonly kind: "line"; readonly line: number; readonly file: string | undefined }
  | { readonly kind: "memory"; readonly address: number; readonly size: number };

export interface RecordOptions extends Omit<RunOptions, "engine" | "onStep" | "verified"> {
  /** Steps that are kept, by default 200,000; the run ends after so many. */
  readonly fuel?: number;
}

const defaultFuel = 200_000;
const word = 8;

export class RecordedRun {
  readonly result: RunResult;
  readonly #steps: Step[] = [];
  /** Memory from its first address in use on, as it is at the current position. */
  #memory: Uint8Array;
  readonly #start: number;
  readonly #points = new Map<number, Point>();
  #lastPoint = 0;
  #position = 0;

  constructor(kernel: Kernel, program: Program, options: RecordOptions = {}) {
    const { from } = kernel.memory.used;
    this.#start = from;
    this.#memory = new Uint8Array(0);
    const { repeat: _once, ...input } = options;
    this.result = runProgram(kernel, program, {
      ...input,
      fuel: options.fuel ?? defaultFuel,
      onStep: (state) => this.#record(kernel, state),
    });
    this.#note(kernel);
    for (const { changes } of this.#steps.toReversed()) this.#apply(changes, "before");
  }

  #record(kernel: Kernel, { program, slot, registers }: InterpreterState): void {
    if (this.#steps.length === 0) {
      const { from, to } = kernel.memory.used;
      this.#memory = kernel.memory.bytes.slice(from, to);
    } else this.#note(kernel);
    this.#steps.push({ program, slot, registers, changes: [] });
  }

  /** Notes what the last step changed. */
  #note(kernel: Kernel): void {
    const step = this.#steps.at(-1);
    const insn = step?.program.insns[step.slot];
    if (step === undefined || insn === undefined) return;
    const place = storedPlace(insn, step.registers);
    const { bytes } = kernel.memory;
    if (place !== undefined) step.changes = this.#changeAt(bytes, place.address, place.size);
    else if (insn.kind === "call" || insn.kind === "exit") step.changes = this.#differences(kernel);
    this.#apply(step.changes, "after");
  }

  #changeAt(bytes: Uint8Array, address: number, size: number): Change[] {
    const at = address - this.#start;
    if (at < 0 || at + size > this.#memory.length) return [];
    const before = this.#memory.slice(at, at + size);
    const after = bytes.slice(address, address + size);
    return before.every((byte, i) => byte === after[i]) ? [] : [{ address, before, after }];
  }

  /** Helpers may write anywhere. */
  #differences(kernel: Kernel): Change[] {
    const { bytes, used } = kernel.memory;
    if (used.to - this.#start > this.#memory.length) {
      const larger = new Uint8Array(used.to - this.#start);
      larger.set(this.#memory);
      this.#memory = larger;
    }
    const count = Math.floor(this.#memory.length / word);
    const now = new BigUint64Array(bytes.buffer, this.#start, count);
    const old = new BigUint64Array(this.#memory.buffer, 0, count);
    const changes: Change[] = [];
    for (let i = 0; i < count; i += 1) {
      if (now[i] !== old[i]) changes.push(...this.#changeAt(bytes, this.#start + i * word, word));
    }
    return changes;
  }

  #apply(changes: readonly Change[], side: "before" | "after"): void {
    for (const change of changes) this.#memory.set(change[side], change.address - this.#start);
  }

  /** Number of instructions that ran. */
  get length(): number {
    return this.#steps.length;
  }

  /** How many instructions have run at this moment. */
  get position(): number {
    return this.#position;
  }

  /** The instruction that runs next; undefined at the end. */
  get slot(): number | undefined {
    return this.#steps[this.#position]?.slot;
  }

  /** The program that it is of. */
  get program(): Program | undefined {
    return this.#steps[this.#position]?.program;
  }

  get line(): ProgramLine | undefined {
    const step = this.#steps[this.#position];
    return step && lineAt(step.program, step.slot);
  }

  /** r0–r10; after the last instruction, what it left. */
  get registers(): readonly bigint[] {
    const step = this.#steps[this.#position];
    if (step !== undefined) return step.registers;
    const [, ...others] = this.#steps.at(-1)?.registers ?? [];
    return [this.result.r0, ...others];
  }

  /** Memory as it is at this moment; undefined outside of what the kernel uses. */
  read(address: bigint | number, size: number): Uint8Array | undefined {
    const at = Number(address) - this.#start;
    return at < 0 || at + size > this.#memory.length
      ? undefined
      : this.#memory.slice(at, at + size);
  }

  /** Stops before an instruction, of any program or of the one with that name; the point's number. */
  breakAtSlot(slot: number, program?: string): number {
    return this.#add({ kind: "slot", slot, program });
  }

  /** Stops where a C line begins, in any file or in those whose path ends so. */
  breakAtLine(line: number, file?: string): number {
    return this.#add({ kind: "line", line, file });
  }

  /** Stops after (backwards: before) an instruction that changes any of the bytes. */
  watch(address: bigint | number, size: number): number {
    return this.#add({ kind: "memory", address: Number(address), size });
  }

  /** Takes a breakpoint or watchpoint away. */
  clear(id: number): boolean {
    return this.#points.delete(id);
  }

  #add(point: Point): number {
    this.#lastPoint += 1;
    this.#points.set(this.#lastPoint, point);
    return this.#lastPoint;
  }

  /** One instruction on; false at the end. */
  step(): boolean {
    const step = this.#steps[this.#position];
    if (step === undefined) return false;
    this.#apply(step.changes, "after");
    this.#position += 1;
    return true;
  }

  /** One instruction back; false at the start. */
  stepBack(): boolean {
    const step = this.#steps[this.#position - 1];
    if (step === undefined) return false;
    this.#apply(step.changes, "before");
    this.#position -= 1;
    return true;
  }

  /** On to the next C line. */
  stepLine(): Stop {
    return this.#walk("forward", this.line);
  }

  /** Back to the C line before. */
  stepLineBack(): Stop {
    return this.#walk("backward", this.line);
  }

  /** On to the next point. */
  resume(): Stop {
    return this.#walk("forward", undefined);
  }

  /** Back to the point before. */
  resumeBack(): Stop {
    return this.#walk("backward", undefined);
  }

  /** `leaving`: stops as soon as the line is another one. */
  #walk(direction: "forward" | "backward", leaving: ProgramLine | undefined): Stop {
    const isForward = direction === "forward";
    while (isForward ? this.step() : this.stepBack()) {
      const crossed = this.#steps[isForward ? this.#position - 1 : this.#position];
      for (const [id, point] of this.#points) {
        if (point.kind === "memory" ? isChanged(point, crossed) : this.#isAt(point)) {
          return { kind: point.kind === "memory" ? "watchpoint" : "breakpoint", id };
        }
      }
      const { line } = this;
      if (leaving !== undefined && line !== undefined && line !== leaving) {
        return { kind: "breakpoint", id: 0 };
      }
    }
    return { kind: isForward ? "end" : "start" };
  }

  #isAt(point: Exclude<Point, { readonly kind: "memory" }>): boolean {
    const step = this.#steps[this.#position];
    if (step === undefined) return false;
    if (point.kind === "slot") {
      const isProgram = point.program === undefined || point.program === step.program.spec.name;
      return isProgram && step.slot === point.slot;
    }
    const line = lineAt(step.program, step.slot);
    const isFile = point.file === undefined || line?.file.endsWith(point.file) === true;
    return isFile && line?.line === point.line && line.slot === step.slot;
  }
}

const isChanged = (
  { address, size }: { readonly address: number; readonly size: number },
  step: Step | undefined,
): boolean =>
  step?.changes.some(({ address: at, before, after }) =>
    before.some((byte, i) => byte !== after[i] && at + i >= address && at + i < address + size),
  ) === true;

/** Where a store or an atomic operation writes. */
function storedPlace(
  insn: Instruction,
  registers: readonly bigint[],
): { readonly address: number; readonly size: number } | undefined {
  if (insn.kind !== "store" && insn.kind !== "store_release" && insn.kind !== "atomic") {
    return undefined;
  }
  const address = Number(BigInt.asUintN(64, (registers[insn.base] ?? 0n) + BigInt(insn.offset)));
  return { address, size: insn.size };
}
