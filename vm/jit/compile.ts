/** A program → a WebAssembly module: one function per subprogram, and one that enters them. */
import { cells, type EngineMemory, maximumCallDepth } from "../engine-memory.ts";
import { HashMap } from "../maps/hash.ts";
import type { Program } from "../program.ts";
import { analyseFunctions, calledSlots } from "./functions.ts";
import { hostFunctionKind, hostFunctionTypes } from "./host-functions.ts";
import {
  type MapFunctionName,
  type MapShape,
  mapFunctionNames,
  mapFunctionTypes,
  mapShape,
} from "./map-functions.ts";
import {
  type FunctionFacts,
  kfuncCall,
  mapHelpers,
  packetLoadCall,
  Translator,
} from "./translate.ts";
import { type ImportKind, op, valueType, WasmBytes, writeModule } from "./wasm-writer.ts";

export interface CompiledProgram {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Index in the module's table of the function that starts at a slot. */
  readonly tableIndex: ReadonlyMap<number, number>;
  /** Helpers that the module imports as `helper N`. */
  readonly helpers: readonly number[];
  /** Map functions that it imports as `map N`. */
  readonly mapFunctions: readonly MapFunctionUse[];
}

export interface MapFunctionUse {
  readonly shape: MapShape;
  readonly name: MapFunctionName;
}

export interface CompileOptions {
  readonly checked: boolean;
  readonly memory: EngineMemory;
}

const { i32, i64 } = valueType;
const types = [
  { name: "subprogram", params: [i32, i64, i64, i64, i64, i64], results: [i64] },
  { name: "enter", params: [i32, i32], results: [] },
  { name: "enterAlone", params: [i32], results: [] },
  ...hostFunctionTypes,
  ...mapFunctionNames.map((name) => ({ name, ...mapFunctionTypes[name] })),
] as const;
type TypeName = (typeof types)[number]["name"];
const typeOf = Object.fromEntries(types.map(({ name }, i) => [name, i])) as Record<
  TypeName,
  number
>;

/**
 * `enter(frame, table index)`: calls a function with r1–r5 from the control block and puts r0
 * there; calls below it may go as deep as those of a program.
 */
function enterBody({ control, frameStride }: EngineMemory): Uint8Array {
  const code = new WasmBytes();
  const [frame, tableIndex, limit] = [0, 1, 2];
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
  local(op.localGet, frame);
  const32((maximumCallDepth - 1) * frameStride);
  code.byte(op.i32Add);
  memory(op.i32Store, cells.frameLimit);
  const32(control);
  local(op.localGet, frame);
  for (let register = 0; register < 5; register += 1) {
    const32(control);
    memory(op.i64Load, cells.arguments + register * 8);
  }
  local(op.localGet, tableIndex);
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

/** What the bodies call; numbers are only known when all bodies are there. */
class ImportList {
  readonly helpers: number[] = [];
  readonly mapFunctions: MapFunctionUse[] = [];
  readonly imports: { readonly name: string; readonly what: ImportKind }[] = [];
  readonly #indexes = new Map<string, number>();

  #index(key: string, type: number, name: () => string): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.imports.length;
    this.imports.push({ name: name(), what: { kind: "function", type } });
    this.#indexes.set(key, index);
    return index;
  }

  helper(id: number): number {
    return this.#index(`helper ${id}`, typeOf[hostFunctionKind(id)], () => {
      this.helpers.push(id);
      return `helper ${id}`;
    });
  }

  mapFunction(map: HashMap, name: MapFunctionName): number {
    const shape = mapShape(map) as MapShape;
    return this.#index(`${name} ${JSON.stringify(shape)}`, typeOf[name], () => {
      this.mapFunctions.push({ shape, name });
      return `map ${this.mapFunctions.length - 1}`;
    });
  }
}

/** Imports come before functions in their numbering, so all that may be needed are noted first. */
function noteImports(program: Program, list: ImportList): void {
  const maps = new Set<HashMap>();
  const names = new Set<MapFunctionName>();
  for (const insn of program.insns) {
    if (insn?.kind === "load_imm64" && (insn.source === 1 || insn.source === 5)) {
      const map = program.maps[Number(insn.value & 0xffffffffn)];
      if (map instanceof HashMap && mapShape(map) !== undefined) maps.add(map);
    }
    if (insn?.kind === "load_packet") list.helper(packetLoadCall);
    if (insn?.kind !== "call" || insn.target === "local") continue;
    list.helper(insn.target === "helper" ? insn.imm : kfuncCall);
    const name = insn.target === "helper" ? mapHelpers[insn.imm] : undefined;
    if (name !== undefined) names.add(name);
  }
  for (const map of maps) for (const name of names) list.mapFunction(map, name);
}

export function compileProgram(program: Program, options: CompileOptions): CompiledProgram {
  const called = calledSlots(program);
  const starts = [...new Set([0, ...called])]
    .filter((slot) => program.insns[slot] !== undefined)
    .sort((a, b) => a - b);
  const list = new ImportList();
  noteImports(program, list);
  const first = list.imports.length;
  const order = new Map(starts.map((slot, i) => [slot, first + i]));
  // The program itself may be called, too.
  const isAlone = called.size === 0;
  const facts = analyseFunctions(program, starts, options.checked);
  const bodies = starts.map((slot) =>
    new Translator(program, {
      ...options,
      isAlone,
      isShallow: facts.depth <= maximumCallDepth,
      functionAt: (at) => order.get(at),
      helperImport: (id) => list.helper(id),
      mapImport: (map, name) => list.mapFunction(map, name),
    }).translate(facts.functions.get(slot) as FunctionFacts),
  );
  const enter = { type: typeOf.enter, body: enterBody(options.memory) };
  const bytes = writeModule({
    types,
    imports: [...list.imports, { name: "memory", what: { kind: "memory" } }],
    functions: [
      ...bodies.map((body) => ({ type: isAlone ? typeOf.enterAlone : typeOf.subprogram, body })),
      ...(isAlone ? [] : [enter]),
    ],
    table: isAlone ? [] : starts.map((_, i) => first + i),
    exports: [{ name: "enter", index: isAlone ? first : first + starts.length }],
  });
  const tableIndex = new Map(starts.map((slot, i) => [slot, i]));
  return { bytes, tableIndex, helpers: list.helpers, mapFunctions: list.mapFunctions };
}
