/** `bpfc run --trace`: every instruction with what it changed, under its C line. */
import { printInstruction } from "../../common/isa/print.ts";
import type { InterpreterState } from "../../vm/interpreter/interpreter.ts";
import { lineAt } from "../../vm/program.ts";

const registerCount = 11;

function registerText(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  const isSmall = signed > -4096n && signed < 4096n;
  return isSmall ? String(signed) : `0x${value.toString(16)}`;
}

/** Gives a line per instruction; changes are shown with the instruction that made them. */
export class InstructionTrace {
  readonly #write: (line: string) => void;
  #registers: readonly bigint[] = [];
  #pending: string | undefined;
  #lastLine = "";

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Called before each instruction: its effects show in the next state. */
  step(state: InterpreterState): void {
    this.#flush(state.registers);
    const { program, slot } = state;
    const line = lineAt(program, slot);
    const place = line === undefined ? "" : `${line.file}:${line.line}: ${line.text.trim()}`;
    if (place !== "" && place !== this.#lastLine) this.#write(`; ${place}`);
    this.#lastLine = place;
    const insn = program.insns[slot];
    const text = insn === undefined ? "?" : printInstruction(insn);
    this.#pending = `${String(slot).padStart(5)}: ${text}`;
    this.#registers = [...state.registers];
  }

  #flush(registers: readonly bigint[]): void {
    if (this.#pending === undefined) return;
    const changes: string[] = [];
    for (let r = 0; r < registerCount; r += 1) {
      const value = registers[r] ?? 0n;
      if (value !== this.#registers[r]) changes.push(`r${r}=${registerText(value)}`);
    }
    const suffix = changes.length === 0 ? "" : `  ; ${changes.join(" ")}`;
    this.#write(this.#pending.padEnd(suffix === "" ? 0 : 44) + suffix);
    this.#pending = undefined;
  }

  /** The last instruction, an exit or the one that failed. */
  end(): void {
    this.#flush(this.#registers);
  }
}
