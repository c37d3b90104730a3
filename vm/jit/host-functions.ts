/**
 * JavaScript functions as WebAssembly functions. A module that imports JavaScript itself gets its
 * own compiled wrapper for each import, which costs more than all else of a small program; these
 * modules are compiled once and hand their function to all programs.
 */
import { tailCallHelper } from "../engine-memory.ts";
import { packetLoadCall } from "./translate.ts";
import { WasmCode } from "./wasm-code.ts";
import { op, valueType, writeModule } from "./wasm-writer.ts";

const { i32, f64 } = valueType;

/** What compiled code calls in JavaScript; all get the instruction's slot but `packetLoad`. */
export const hostFunctionTypes = [
  { name: "tailCall", params: [i32], results: [i32] },
  /** Index and size. */
  { name: "packetLoad", params: [i32, i32], results: [i32] },
  { name: "helper", params: [i32], results: [f64] },
] as const;
export type HostFunctionKind = (typeof hostFunctionTypes)[number]["name"];

export function hostFunctionKind(id: number): HostFunctionKind {
  if (id === tailCallHelper) return "tailCall";
  return id === packetLoadCall ? "packetLoad" : "helper";
}

const modules = new Map<HostFunctionKind, WebAssembly.Module>();

function moduleOf(kind: HostFunctionKind): WebAssembly.Module {
  const known = modules.get(kind);
  if (known !== undefined) return known;
  const type = hostFunctionTypes.find(({ name }) => name === kind) ?? hostFunctionTypes[0];
  const code = new WasmCode();
  code.unsigned(0);
  for (const [index] of type.params.entries()) code.get(index);
  code.call(0);
  code.op(op.end);
  const made = new WebAssembly.Module(
    writeModule({
      types: [type],
      imports: [{ name: "host", what: { kind: "function", type: 0 } }],
      functions: [{ type: 0, body: code.finish() }],
      table: [],
      exports: [{ name: "call", index: 1 }],
    }),
  );
  modules.set(kind, made);
  return made;
}

/** The function as one that modules can import without a wrapper. */
export function hostFunction(
  kind: HostFunctionKind,
  host: (...args: number[]) => number,
): WebAssembly.ExportValue {
  const { exports } = new WebAssembly.Instance(moduleOf(kind), { env: { host } });
  return exports["call"] as WebAssembly.ExportValue;
}
