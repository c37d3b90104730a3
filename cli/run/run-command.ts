/** `bpfc run`: one program on packets or a context, or all of them on an event. */
import { writeFileSync } from "node:fs";
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import { Kernel, type LoadedSet } from "../../vm/kernel/kernel.ts";
import type { Program } from "../../vm/program.ts";
import { type RunOptions, type RunResult, runProgram as runOnce } from "../../vm/programs/run.ts";
import { verifierInput } from "../../vm/verifier/program-input.ts";
import { verify } from "../../vm/verifier/verify.ts";
import { chooseProgram, lacksHookType, openFile } from "../load.ts";
import { plainReport, print, printError } from "../report.ts";
import { runEvent } from "./events.ts";
import {
  addEntries,
  type InputOptions,
  inputsOf,
  type MachineOptions,
  machineOf,
  numberOf,
  type RunInputBytes,
  UserError,
} from "./inputs.ts";
import { mapContents, mapTable } from "./map-contents.ts";
import { writePcap, writePcapng } from "./pcap.ts";
import {
  differences,
  inputOfRun,
  type RecordedRun,
  type Recording,
  readRecording,
  recordedRun,
  recordingText,
} from "./recording.ts";
import { savedState } from "./saved-state.ts";
import { jsonOf, Progress, showFault, showNotices, showText } from "./show.ts";
import { InstructionTrace } from "./trace.ts";

export interface RunCommandOptions extends InputOptions, MachineOptions {
  readonly program?: string;
  readonly btf?: string;
  readonly moduleBtf?: readonly string[];
  readonly kallsyms?: string;
  readonly entry: readonly string[];
  readonly repeat: string;
  readonly verify: boolean;
  readonly json?: boolean;
  readonly trace?: boolean;
  readonly time?: boolean;
  readonly pcapOut?: string;
  readonly record?: string;
  readonly replay?: string;
  readonly save?: string;
  readonly event?: string;
  readonly fields?: string;
}

/** Verifies unless told not to; says why it refuses. */
function passes(loaded: LoadedObject, program: ProgramSpec): boolean {
  const verdict = verify(verifierInput(loaded, program));
  if (verdict.verdict === "accept") return true;
  const what =
    verdict.verdict === "reject" ? "the verifier rejects" : "the verifier does not model";
  printError(`${plainReport.tool}: error: ${what} program '${program.name}': ${verdict.reason}`);
  for (const line of verdict.messages.slice(1)) printError(`  ${line}`);
  printError("  help: bpfc verify shows where; --no-verify runs it in the checked variant");
  return false;
}

/** A program in its kernel, and how it is to be run. */
interface Session {
  readonly loaded: LoadedObject;
  readonly spec: ProgramSpec;
  readonly options: RunCommandOptions;
  readonly kernel: Kernel;
  readonly set: LoadedSet;
  readonly program: Program;
  readonly repeat: number;
}

function startSession(
  loaded: LoadedObject,
  spec: ProgramSpec,
  options: RunCommandOptions,
): Session {
  const repeat = numberOf(options.repeat, "--repeat");
  const kernel = new Kernel({ ...machineOf(options), endian: loaded.endian });
  const set = kernel.load(loaded);
  if ("message" in set) throw new UserError(set.message);
  const program = set.programs.get(spec.name);
  if (program === undefined) throw new UserError(`program '${spec.name}' was not loaded`);
  addEntries(kernel, set, options.entry);
  return { loaded, spec, options, kernel, set, program, repeat };
}

function runInput(session: Session, input: RunInputBytes): RunResult {
  const { kernel, program, repeat, options } = session;
  const common: RunOptions = {
    ...input,
    repeat,
    verified: options.time === true && options.verify,
  };
  if (options.trace !== true) return runOnce(kernel, program, common);
  const trace = new InstructionTrace(print);
  const result = runOnce(kernel, program, { ...common, onStep: (state) => trace.step(state) });
  trace.end();
  return result;
}

/** Nanoseconds of one run, without what JavaScript needs to start it where `repeat` is large. */
function timed(session: Session, input: RunInputBytes): { result: RunResult; text: string } {
  const start = performance.now();
  const result = runInput(session, input);
  const nanoseconds = ((performance.now() - start) * 1e6) / session.repeat;
  return { result, text: `time: ${nanoseconds.toFixed(1)} ns per run, ${session.repeat} runs` };
}

function writeOutput(path: string, content: string | Uint8Array): void {
  try {
    writeFileSync(path, content);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    throw new UserError(`cannot write '${path}': ${code}`);
  }
}

function runInputs(session: Session): number {
  const { loaded, spec, options, set, repeat } = session;
  const inputs = inputsOf(options);
  const progress = new Progress(inputs.length);
  const packets: Uint8Array[] = [];
  const recorded: RecordedRun[] = [];
  let failed = false;
  for (const [i, input] of inputs.entries()) {
    const { result, text } = timed(session, input);
    progress.update(i + 1);
    failed ||= result.error !== undefined;
    if (result.packet !== undefined) packets.push(result.packet.subarray(result.metadataSize ?? 0));
    const needsMaps = options.json === true || options.record !== undefined;
    const maps = needsMaps ? mapContents(loaded, set) : [];
    if (options.record !== undefined) recorded.push(recordedRun(spec, input, result, maps));
    if (options.json) print(JSON.stringify(jsonOf(spec, result, maps)));
    else showText(spec, input, result);
    if (options.time) print(text);
    showFault(result);
  }
  progress.end();
  if (options.pcapOut !== undefined) {
    const write = options.pcapOut.endsWith(".pcapng") ? writePcapng : writePcap;
    writeOutput(options.pcapOut, write(packets));
  }
  if (options.record !== undefined) {
    const { cpus, seed, pid, comm, entry: entries } = options;
    const machine = JSON.parse(JSON.stringify({ cpus, seed, pid, comm })) as MachineOptions;
    const { name: program } = spec;
    const text = recordingText({ program, machine, entries, repeat, runs: recorded });
    writeOutput(options.record, text);
  }
  if (options.save !== undefined)
    writeOutput(options.save, savedState(loaded, session.kernel, set));
  if (!options.json) showMaps(session);
  showNotices(session.kernel);
  return failed ? 1 : 0;
}

function showMaps({ loaded, set }: Session): void {
  const tables = mapContents(loaded, set)
    .filter((m) => m.entries.length > 0)
    .map(mapTable);
  if (tables.length > 0) print(`\n${tables.join("\n\n")}`);
}

/** Runs a recording's inputs again; exit code 1 where something differs. */
function replay(session: Session, recording: Recording): number {
  const { spec, loaded, set } = session;
  let different = 0;
  for (const [i, run] of recording.runs.entries()) {
    const input = inputOfRun(run);
    const now = recordedRun(spec, input, runInput(session, input), mapContents(loaded, set));
    const lines = differences(run.result, now.result);
    if (lines.length > 0) different += 1;
    for (const line of lines) print(`run ${i + 1}: ${line}`);
  }
  print(`${recording.runs.length} runs replayed, ${different} different`);
  return different === 0 ? 0 : 1;
}

function run(loaded: LoadedObject, options: RunCommandOptions): number {
  if (options.event !== undefined) {
    const refused = options.verify && loaded.programs.some((program) => !passes(loaded, program));
    if (refused) return 1;
    return runEvent(
      loaded,
      options.event,
      options.fields,
      machineOf(options),
      options.json === true,
    );
  }
  const recording = options.replay === undefined ? undefined : readRecording(options.replay);
  const spec = chooseProgram(loaded, recording?.program ?? options.program);
  if (spec === undefined || (options.verify && !passes(loaded, spec))) return 1;
  if (recording === undefined) return runInputs(startSession(loaded, spec, options));
  const { machine, entries: entry, repeat } = recording;
  const asRecorded = { ...options, ...machine, entry, repeat: String(repeat) };
  return replay(startSession(loaded, spec, asRecorded), recording);
}

/** Programs that refer to a kernel's types, functions or variables are loaded for the one that ships. */
async function loadForRun(
  file: string,
  options: RunCommandOptions,
  words: readonly string[],
): Promise<LoadedObject | undefined> {
  const opened = await openFile(file, words, options);
  if (opened === undefined) return undefined;
  const { loaded, forShippedKernel } = opened;
  const refersToKernel = loaded.programs.some(
    (program) => program.kernelReferences.length > 0 || lacksHookType(program),
  );
  if (options.btf !== undefined || !refersToKernel) return loaded;
  return forShippedKernel() ?? loaded;
}

/** Runs the subcommand; `words` are compiler options for a C source. */
export async function runProgram(
  file: string,
  options: RunCommandOptions,
  words: readonly string[],
): Promise<number> {
  const loaded = await loadForRun(file, options, words);
  if (loaded === undefined) return 1;
  try {
    return run(loaded, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(`bpfc: error: ${error.message}`);
    return 1;
  }
}
