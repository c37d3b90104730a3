/** One run of a program, as BPF_PROG_TEST_RUN does it: input, engine, result as plain data. */
import { Fault, type FaultReport } from "../fault.ts";
import { Interpreter, type InterpreterState } from "../interpreter/interpreter.ts";
import { JitEngine } from "../jit/jit-engine.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { lineAt, type Program } from "../program.ts";
import type { RunState } from "../run-state.ts";
import { type RunInput, setUpRun } from "./contexts.ts";

export interface RunOptions extends RunInput {
  /** How often; packet and context start anew only for the first. */
  readonly repeat?: number;
  /** Instructions that may be executed; by default 50 million. */
  readonly fuel?: number;
  /** By default compiled code, except for single steps and big-endian programs. */
  readonly engine?: "jit" | "interpreter";
  /** The verifier accepted the program: compiled code leaves its checks out and counts nothing. */
  readonly verified?: boolean;
  /** Called before each instruction; asks for the interpreter. */
  readonly onStep?: (state: InterpreterState) => void;
}

export interface RunResult {
  /** r0's low 32 bits, signed as the program types want it; 0 after an error. */
  readonly retval: number;
  /** All of r0. */
  readonly r0: bigint;
  readonly packet?: Uint8Array;
  /** Bytes of metadata with which `packet` begins. */
  readonly metadataSize?: number;
  readonly context: Uint8Array;
  /** Lines of bpf_trace_printk of this run. */
  readonly trace: readonly string[];
  /** Executed instructions. */
  readonly insns: number;
  readonly redirect?: {
    /** Device index, or the key in the map. */
    readonly target: number;
    readonly flags: bigint;
    readonly map?: string;
    readonly mapId?: number;
  };
  readonly error?: FaultReport;
}

const defaultFuel = 50_000_000;
const xdpProgram = 6;

/** Never throws for what programs or callers do: problems are in the result. */
export function runProgram(kernel: Kernel, program: Program, options: RunOptions = {}): RunResult {
  const setup = setUpRun(kernel, program, options);
  if ("problem" in setup) return failedRun(program, setup.problem);
  const traceStart = kernel.trace.length;
  let insns = 0;
  let r0 = 0n;
  let error: FaultReport | undefined;
  const fuel = options.fuel ?? defaultFuel;
  const engine = makeEngine(kernel, setup.run, fuel, options);
  for (let i = 0; i < (options.repeat ?? 1) && error === undefined; i += 1) {
    try {
      r0 = engine.execute();
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      error = faultReport(kernel, engine.position, thrown);
      r0 = 0n;
    }
    insns += engine.steps;
  }
  const packet = setup.outputPacket();
  const { redirect } = setup.run;
  const result: RunResult = {
    retval: Number(BigInt.asIntN(32, r0)),
    r0,
    ...(packet && { packet, metadataSize: metadataOf(setup.run) }),
    context: setup.outputContext(),
    trace: kernel.trace.slice(traceStart),
    insns,
    ...(redirect && {
      redirect: {
        target: redirect.target,
        flags: redirect.flags,
        ...(redirect.map && { map: redirect.map.description.name, mapId: redirect.map.id }),
      },
    }),
    ...(error && { error }),
  };
  setup.release();
  return result;
}

/**
 * Moves the clock and runs the timers that become due, in their order. Reports of callbacks that
 * failed; such a timer stays off.
 */
export function advanceTime(kernel: Kernel, nanoseconds: bigint): readonly FaultReport[] {
  const end = kernel.time + nanoseconds;
  const reports: FaultReport[] = [];
  for (let timer = kernel.timers.nextDue(end); timer; timer = kernel.timers.nextDue(end)) {
    const { program, callback, due } = timer;
    timer.due = undefined;
    const map = kernel.mapById(timer.mapId);
    const element = map?.elementAround(timer.address);
    if (program === undefined || callback === undefined || due === undefined) continue;
    if (map === undefined || element === undefined) continue;
    if (due > kernel.time) kernel.time = due;
    const setup = setUpRun(kernel, program, {});
    if ("problem" in setup) continue;
    const engine = makeEngine(kernel, setup.run, defaultFuel, {});
    try {
      engine.enterCallback(callback, [map.handle, BigInt(element.key), BigInt(element.value)]);
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown;
      reports.push(faultReport(kernel, engine.position, thrown));
    }
    setup.release();
  }
  kernel.time = end;
  return reports;
}

function makeEngine(
  kernel: Kernel,
  run: RunState,
  fuel: number,
  options: RunOptions,
): Interpreter | JitEngine {
  const wantsSteps = options.onStep !== undefined || options.engine === "interpreter";
  if (kernel.little && !wantsSteps) return new JitEngine(kernel, run, fuel, !options.verified);
  const interpreter = new Interpreter(kernel, run, fuel);
  interpreter.onStep = options.onStep;
  return interpreter;
}

/** Only XDP gives metadata back. */
function metadataOf({ packet, program }: RunState): number {
  const isXdp = program.spec.type === xdpProgram;
  return isXdp && packet !== undefined ? packet.data - packet.meta : 0;
}

function failedRun(program: Program, message: string): RunResult {
  const error: FaultReport = { kind: "bad-argument", message, program: program.spec.name, slot: 0 };
  return { retval: 0, r0: 0n, context: new Uint8Array(0), trace: [], insns: 0, error };
}

/** The fault with everything that can be said about its place. */
export function faultReport(
  kernel: Kernel,
  { program, slot }: { readonly program: Program; readonly slot: number },
  fault: Fault,
): FaultReport {
  const line = lineAt(program, slot);
  const { address } = fault;
  const isNear = address !== undefined && address < 0x1_0000_0000n;
  const region = isNear ? kernel.memory.regionAt(Number(address)) : undefined;
  return {
    kind: fault.kind,
    message: fault.message,
    program: program.spec.name,
    slot,
    ...(line && { line: { file: line.file, line: line.line, text: line.text } }),
    ...(address !== undefined && { address }),
    ...(region && { region }),
  };
}
