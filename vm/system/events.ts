/** Events that run attached programs: tracepoints, calls of traced functions, cgroup hooks. */
import type { Btf } from "../../common/object/btf.ts";
import { attachTypeByName } from "../../common/platform/program-types.ts";
import { type RunResult, runProgram } from "../programs/run.ts";
import {
  type Argument,
  ArgumentMemory,
  type EventFields,
  eventRecord,
  registersOf,
} from "./arguments.ts";
import type { Hook, ProgramObject } from "./objects.ts";
import { programsAt, type SystemState } from "./system-state.ts";

export interface ProgramRun {
  readonly program: string;
  readonly result: RunResult;
}

function runAll(
  system: SystemState,
  programs: readonly ProgramObject[],
  contextOf: (program: ProgramObject) => Uint8Array,
): ProgramRun[] {
  return programs.map((object) => {
    const { kernel } = system;
    const result = runProgram(kernel, object.program, { context: contextOf(object) });
    object.runs += 1;
    return { program: object.program.spec.name, result };
  });
}

/** What `fire` was given that it cannot use. */
export interface EventProblem {
  readonly problem: string;
}

/** `tracepoint/CATEGORY/NAME`, `raw_tp/NAME` (a `tp/` prefix does as well), `perf_event/NAME`. */
export function parseEvent(event: string): Hook | undefined {
  const match = /^(tracepoint|tp|raw_tp|raw_tracepoint|tp_btf|perf_event)\/(.+)$/.exec(event);
  const name = match?.[2];
  if (match === null || name === undefined) return undefined;
  if (match[1] === "perf_event") return { kind: "perf-event", name };
  return match[1] === "tracepoint" || match[1] === "tp"
    ? { kind: "tracepoint", name }
    : { kind: "raw-tracepoint", name };
}

/** A tracepoint fires; the programs attached to it run in the order of their attachment. */
export function fireEvent(
  system: SystemState,
  btf: Btf | undefined,
  event: string,
  fields: EventFields | readonly Argument[] | Uint8Array,
): readonly ProgramRun[] | EventProblem {
  const hook = parseEvent(event);
  if (hook === undefined) return { problem: `not an event: '${event}'` };
  const memory = new ArgumentMemory(system.kernel);
  const { little } = system.kernel;
  try {
    const context =
      fields instanceof Uint8Array
        ? fields
        : Array.isArray(fields)
          ? memory.words(fields as readonly Argument[])
          : hook.kind === "perf-event"
            ? sampleOf(memory, fields as EventFields)
            : eventRecord(memory, btf, nameOf(hook), fields as EventFields, little);
    if (context === undefined) return { problem: `the fields of '${event}' are not known` };
    return runAll(system, programsAt(system, hook), () => context);
  } finally {
    memory.release();
  }
}

/** struct bpf_perf_event_data: registers, then the fields `sample_period` and `addr`. */
function sampleOf(memory: ArgumentMemory, fields: EventFields): Uint8Array | undefined {
  const { sample_period: period = 1, addr = 0, ip = 0, ...others } = fields;
  const values = [period, addr, ip];
  if (Object.keys(others).length > 0 || values.some(Array.isArray)) return undefined;
  const registers = registersOf(memory, [], undefined, ip as Argument);
  const bytes = new Uint8Array(registers.length + 16);
  bytes.set(registers);
  bytes.set(memory.words([period as Argument, addr as Argument]), registers.length);
  return bytes;
}

function nameOf(hook: Hook): string {
  return hook.kind === "tracepoint" || hook.kind === "raw-tracepoint" ? hook.name : "";
}

const lsmProgram = 29;
const kprobeProgram = 2;

export interface FunctionCall {
  readonly args?: readonly Argument[];
  /** What the function returns, for programs at its return. */
  readonly returns?: Argument;
}

export interface CallOutcome {
  readonly runs: readonly ProgramRun[];
  /** The first refusal (a negative errno) of an LSM program; 0 if there is none. */
  readonly refusal: number;
}

/** A kernel function is called and returns: programs at its entry run, then those at its return. */
export function callFunction(system: SystemState, name: string, call: FunctionCall): CallOutcome {
  const { args = [], returns = 0 } = call;
  const memory = new ArgumentMemory(system.kernel);
  const contextAt =
    (isReturn: boolean) =>
    ({ program }: ProgramObject): Uint8Array =>
      program.spec.type === kprobeProgram
        ? registersOf(memory, args, isReturn ? returns : undefined)
        : memory.words(isReturn ? [...args, returns] : args);
  try {
    const entry = programsAt(system, { kind: "function", name, when: "entry" });
    const runs = runAll(system, entry, contextAt(false));
    const refused = entry.findIndex(
      ({ program }, i) => program.spec.type === lsmProgram && (runs[i]?.result.retval ?? 0) < 0,
    );
    if (refused >= 0) return { runs, refusal: runs[refused]?.result.retval ?? 0 };
    const exit = programsAt(system, { kind: "function", name, when: "return" });
    return { runs: [...runs, ...runAll(system, exit, contextAt(true))], refusal: 0 };
  } finally {
    memory.release();
  }
}

const netfilterAccept = 1;

export interface FilterOutcome {
  readonly runs: readonly ProgramRun[];
  /** What the last program said: NF_DROP (0) or NF_ACCEPT (1), which it is without programs, too. */
  readonly verdict: number;
}

/** A packet, from its IP header on, passes a netfilter hook. */
export function runNetfilter(
  system: SystemState,
  family: number,
  hook: number,
  packet: Uint8Array,
): FilterOutcome {
  const runs: ProgramRun[] = [];
  for (const object of programsAt(system, { kind: "netfilter", family, hook })) {
    const context = Uint8Array.of(hook, family);
    const result = runProgram(system.kernel, object.program, { packet, context });
    object.runs += 1;
    runs.push({ program: object.program.spec.name, result });
    if (result.retval !== netfilterAccept) return { runs, verdict: result.retval };
  }
  return { runs, verdict: netfilterAccept };
}

/** A member of a registered struct_ops map is called; undefined where no program stands for it. */
export function callOperation(
  system: SystemState,
  program: ProgramObject,
  args: readonly Argument[],
): ProgramRun | undefined {
  const memory = new ArgumentMemory(system.kernel);
  try {
    return runAll(system, [program], () => memory.words(args))[0];
  } finally {
    memory.release();
  }
}

export interface CgroupOutcome {
  readonly runs: readonly ProgramRun[];
  /** Every program said yes. */
  readonly allowed: boolean;
  /** The context after the last program. */
  readonly context: Uint8Array;
}

/**
 * Something happens in a cgroup, e.g. `CGROUP_INET4_CONNECT` with a struct bpf_sock_addr: its
 * programs run until one refuses. Undefined for an attach type that does not exist.
 */
export function runCgroupHook(
  system: SystemState,
  path: string,
  attachTypeName: string,
  context: Uint8Array,
): CgroupOutcome | undefined {
  const type = attachTypeByName(attachTypeName);
  if (type === undefined) return undefined;
  const runs: ProgramRun[] = [];
  let current = context;
  for (const object of programsAt(system, { kind: "cgroup", path, attachType: type.id })) {
    const [run] = runAll(system, [object], () => current);
    if (run === undefined) continue;
    runs.push(run);
    current = run.result.context;
    if ((run.result.retval & 1) === 0) return { runs, allowed: false, context: current };
  }
  return { runs, allowed: true, context: current };
}
