/**
 * Recordings: everything that a run depended on, and what came of it, as JSON. A replay runs the
 * same inputs again and compares; the machine is simulated, so that differences are the program's.
 */
import type { ProgramSpec } from "../../linker/program.ts";
import type { RunResult } from "../../vm/programs/run.ts";
import { parseHex, toHex } from "./hex.ts";
import type { MachineOptions, RunInputBytes } from "./inputs.ts";
import { readOwnJson } from "./json-file.ts";
import type { MapContents } from "./map-contents.ts";
import { jsonOf } from "./show.ts";

const version = 1;

export interface RecordedRun {
  readonly packet?: string;
  readonly context?: string;
  /** As `--json` shows it, without the number of instructions: compilers may change that. */
  readonly result: object;
}

export interface Recording {
  readonly version: number;
  readonly program: string;
  readonly machine: MachineOptions;
  readonly entries: readonly string[];
  readonly repeat: number;
  readonly runs: readonly RecordedRun[];
}

export function recordedRun(
  program: ProgramSpec,
  { packet, context }: RunInputBytes,
  result: RunResult,
  maps: readonly MapContents[],
): RecordedRun {
  const shown: Record<string, unknown> = { ...jsonOf(program, result, maps) };
  delete shown["insns"];
  return {
    ...(packet && { packet: toHex(packet) }),
    ...(context && { context: toHex(context) }),
    result: shown,
  };
}

export function recordingText(recording: Omit<Recording, "version">): string {
  return `${JSON.stringify({ version, ...recording }, null, 2)}\n`;
}

export function readRecording(path: string): Recording {
  return readOwnJson<Recording>(path, "a recording of bpfc run", (recording) => {
    const isKnown = recording.version === version && Array.isArray(recording.runs);
    return isKnown && typeof recording.program === "string";
  });
}

export function inputOfRun({ packet, context }: RecordedRun): RunInputBytes {
  const bytes = (text: string): Uint8Array => parseHex(text) ?? new Uint8Array(0);
  return {
    ...(packet !== undefined && { packet: bytes(packet) }),
    ...(context !== undefined && { context: bytes(context) }),
  };
}

/** Differences of two results, one line for each field. */
export function differences(recorded: object, now: object): readonly string[] {
  const before = recorded as Readonly<Record<string, unknown>>;
  const after = now as Readonly<Record<string, unknown>>;
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return fields.flatMap((field) => {
    const [was, is] = [JSON.stringify(before[field]), JSON.stringify(after[field])];
    return was === is ? [] : [`${field}: recorded ${was ?? "nothing"}, now ${is ?? "nothing"}`];
  });
}
