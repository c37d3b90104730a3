/** A program → a WebAssembly module: one function per subprogram, and one that enters them. */
import { cells, frameStride, maximumCallDepth } from "../engine-memory.ts";
import type { Program } from "../program.ts";
import { firstFunction, Translator } from "./translate.ts";
import { op, valueType, WasmBytes, writeModule } from "./wasm-writer.ts";

export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Index in the module's table of the function that starts at a slot. */
  readonly tableIndex: ReadonlyMap<number, number>;
}

export interface CompileOptions {
  readonly checked: boolean;
  readonly control: number;
}

const { i32, i64 } = valueType;
const types = [
  { params: [i32, i64, i64, i64, i64, i64], results: [i64] },
  { params: [i32, i32], results: [] },
  { params: [i32], results: [i32] },
  { params: [i32, i32], results: [i32] },
] as const;

/** Slots at which functions start: the program, called ones, callbacks. */
function functionStarts(program: Program): number[] {
  const starts = new Set([0]);
  for (const [slot, insn] of program.insns.entries()) {
    if (insn?.kind === "call" && insn.target === "local") starts.add(slot + 1 + insn.imm);
    if (insn?.kind === "load_imm64" && insn.source === 4) {
      starts.add(slot + 1 + Number(BigInt.asIntN(32, insn.value)));
    }
  }
  return [...starts].filter((slot) => program.insns[slot] !== undefined).sort((a, b) => a - b);
}

/**
 * `enter(table index, frame)`: calls a function with r1–r5 from the control block and puts r0
 * there; calls below it may go as deep as those of a program.
 */
function enterBody(control: number): Uint8Array {
  const code = new WasmBytes();
  const limit = 2;
  code.unsigned(1);
  code.unsigned(1);
  code.byte(i32);
  const const32 = (value: number): void => {
    code.byte(op.i32Const);
    code.signed(value);
  };
  const local = (opcode: number, index: number): void => {
    code.byte(opcode);
    code.unsigned(index);
  };
  const memory = (opcode: number, offset: number): void => {
    code.byte(opcode);
    code.unsigned(0);
    code.unsigned(offset);
  };
  const32(control);
  memory(op.i32Load, cells.frameLimit);
  local(op.localSet, limit);
  const32(control);
  local(op.localGet, 1);
  const32((maximumCallDepth - 1) * frameStride);
  code.byte(op.i32Add);
  memory(op.i32Store, cells.frameLimit);
  const32(control);
  local(op.localGet, 1);
  for (let register = 0; register < 5; register += 1) {
    const32(control);
    memory(op.i64Load, cells.arguments + register * 8);
  }
  local(op.localGet, 0);
  code.byte(op.callIndirect);
  code.unsigned(0);
  code.byte(0);
  memory(op.i64Store, cells.result);
  const32(control);
  local(op.localGet, limit);
  memory(op.i32Store, cells.frameLimit);
  code.byte(op.end);
  return code.finish();
}

export function compileProgram(program: Program, options: CompileOptions): CompiledProgram {
  const starts = functionStarts(program);
  const functionAt = new Map(starts.map((slot, i) => [slot, firstFunction + i]));
  const bodies = starts.map((slot) => {
    const translator = new Translator(program, { ...options, functionAt });
    return { type: 0, body: translator.translate(slot) };
  });
  const bytes = writeModule({
    types,
    imports: [
      { name: "helper", what: { kind: "function", type: 1 } },
      { name: "tailCall", what: { kind: "function", type: 2 } },
      { name: "packetLoad", what: { kind: "function", type: 3 } },
      { name: "memory", what: { kind: "memory" } },
      { name: "fuel", what: { kind: "global" } },
    ],
    functions: [...bodies, { type: 1, body: enterBody(options.control) }],
    table: starts.map((_, i) => firstFunction + i),
    exports: [{ name: "enter", index: firstFunction + starts.length }],
  });
  return { bytes, tableIndex: new Map(starts.map((slot, i) => [slot, i])) };
}
