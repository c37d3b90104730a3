/**
 * A bare program: instructions and one block of memory, no object around them. This is what ISA
 * conformance suites run: r1 points to the memory, r2 is its length.
 */
import type { Kernel } from "../kernel/kernel.ts";
import { type RunOptions, type RunResult, runProgram } from "./run.ts";

export interface RawRunOptions extends Pick<RunOptions, "engine" | "fuel" | "verified"> {
  /** Without it r1 and r2 are 0. */
  readonly memory?: Uint8Array;
}

/** Runs the encoded instructions; what cannot be decoded is an error of the result. */
export function runRaw(
  kernel: Kernel,
  insns: Uint8Array,
  { memory, ...options }: RawRunOptions,
): RunResult | { readonly error: { readonly message: string } } {
  const program = kernel.loadProgram(rawSpec(insns), []);
  if ("message" in program) return { error: program };
  const result = runProgram(kernel, program, { ...options, memory: memory ?? new Uint8Array(0) });
  kernel.unload(program);
  return result;
}

const rawSpec = (insns: Uint8Array) => ({
  name: "program",
  section: "",
  type: 0,
  attachType: 0,
  flags: 0,
  target: "",
  attachBtfId: 0,
  autoload: true,
  license: "GPL",
  insns,
  functions: [],
  lines: [],
  kernelReferences: [],
});
