/**
 * `bpfc-conformance`, a plugin for the runner of bpf_conformance: instructions as hexadecimal bytes
 * on standard input, memory (r1 points to it, r2 is its length) as an argument; r0 goes to standard
 * output. Each of the runner's plugin options comes as an argument of its own.
 */
import { readFileSync } from "node:fs";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runRaw } from "../vm/programs/raw-run.ts";
import { print, printError } from "./report.ts";
import { parseHex } from "./run/hex.ts";

const standardInput = 0;
const engines = { "--jit": "jit", "--interpreter": "interpreter" } as const;

/** Exit code 1, with the reason on standard error, where the program cannot run to its end. */
export function runConformancePlugin(args: readonly string[]): number {
  let engine: "jit" | "interpreter" = "jit";
  let memory = "";
  for (const arg of args) {
    if (arg === "--jit" || arg === "--interpreter") engine = engines[arg];
    else memory += arg;
  }
  const insns = parseHex(readFileSync(standardInput, "utf8"));
  const bytes = parseHex(memory);
  if (insns === undefined || bytes === undefined) {
    printError("bpfc-conformance: expected hexadecimal bytes");
    return 1;
  }
  const result = runRaw(new Kernel(), insns, { memory: bytes, engine });
  if (result.error === undefined && "r0" in result) {
    print(result.r0.toString(16));
    return 0;
  }
  printError(`bpfc-conformance: ${result.error?.message ?? "no result"}`);
  return 1;
}
