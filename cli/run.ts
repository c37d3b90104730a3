/** `bpfc run`: one program on packets or a context, and everything it did. */
import { uapiEnum } from "../common/platform/uapi.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { Kernel, type LoadedSet } from "../vm/kernel/kernel.ts";
import type { Program } from "../vm/program.ts";
import { type RunResult, runProgram as runOnce } from "../vm/programs/run.ts";
import { verifierInput } from "../vm/verifier/program-input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { chooseProgram, loadFile } from "./load.ts";
import { nodeFileSystem } from "./node-file-system.ts";
import { plainReport, print, printError } from "./report.ts";
import { parseHex, toHex } from "./run/hex.ts";
import { type MapContents, mapContents, mapTable } from "./run/map-contents.ts";
import { readCapture } from "./run/pcap.ts";

export interface RunCommandOptions {
  readonly program?: string;
  readonly btf?: string;
  readonly packet?: string;
  readonly pcap?: string;
  readonly ctx?: string;
  readonly entry: readonly string[];
  readonly repeat: string;
  readonly verify: boolean;
  readonly json?: boolean;
}

/** Return values by name, per program type. */
const actionEnums: Readonly<Record<number, string>> = {
  6: "xdp_action",
  16: "sk_action",
  14: "sk_action",
};
const trafficActions = [
  "TC_ACT_OK",
  "TC_ACT_RECLASSIFY",
  "TC_ACT_SHOT",
  "TC_ACT_PIPE",
  "TC_ACT_STOLEN",
  "TC_ACT_QUEUED",
  "TC_ACT_REPEAT",
  "TC_ACT_REDIRECT",
  "TC_ACT_TRAP",
];

/** The name of a return value, where the program type gives it one. */
export function actionName(programType: number, retval: number): string | undefined {
  if (programType === 3 || programType === 4)
    return retval === -1 ? "TC_ACT_UNSPEC" : trafficActions[retval];
  const name = actionEnums[programType];
  if (name === undefined) return undefined;
  return [...uapiEnum(name)].find(([, value]) => Number(value) === retval)?.[0];
}

type Input = { readonly packet?: Uint8Array; readonly context?: Uint8Array };
class UserError extends Error {}

/** Hexadecimal digits, or the name of a file with bytes. */
function bytesOf(text: string, what: string): Uint8Array {
  const file = nodeFileSystem.readFile(text.replace(/^@/, ""));
  if (file !== undefined) return file;
  const bytes = parseHex(text);
  if (bytes === undefined)
    throw new UserError(`${what} '${text.slice(0, 40)}' is neither a file nor hexadecimal digits`);
  return bytes;
}

function inputsOf(options: RunCommandOptions): Input[] {
  const context = options.ctx === undefined ? {} : { context: bytesOf(options.ctx, "context") };
  if (options.pcap !== undefined) {
    const bytes = nodeFileSystem.readFile(options.pcap);
    if (bytes === undefined) throw new UserError(`no such file or directory: '${options.pcap}'`);
    const capture = readCapture(bytes);
    if (!capture.ok) throw new UserError(`${options.pcap}: ${capture.message}`);
    return capture.packets.map((p) => ({ packet: p.bytes, ...context }));
  }
  if (options.packet === undefined) return [context];
  return [{ packet: bytesOf(options.packet, "packet"), ...context }];
}

function addEntries(kernel: Kernel, set: LoadedSet, entries: readonly string[]): void {
  for (const entry of entries) {
    const match = /^([^:]+):([0-9a-fA-F]+)=([0-9a-fA-F]*)$/.exec(entry);
    const map = match?.[1] === undefined ? undefined : set.maps.get(match[1]);
    const key = parseHex(match?.[2] ?? "");
    const value = parseHex(match?.[3] ?? "");
    if (map === undefined || key === undefined || value === undefined) {
      const names = [...set.maps.keys()].join(", ");
      throw new UserError(`entry '${entry}' is not MAP:KEY=VALUE in hexadecimal (maps: ${names})`);
    }
    const { keySize } = map.description;
    const valueSize = map.userValueSize;
    if (key.length !== keySize || value.length !== valueSize) {
      throw new UserError(
        `entry '${entry}': map '${match?.[1]}' has keys of ${keySize} and values of ${valueSize} bytes`,
      );
    }
    const result = kernel.mapUpdate(map, key, value);
    if (result < 0) throw new UserError(`entry '${entry}' was refused (error ${-result})`);
  }
}

/** Verifies unless told not to; says why it refuses. */
function passes(loaded: LoadedObject, program: ProgramSpec, options: RunCommandOptions): boolean {
  if (!options.verify) return true;
  const verdict = verify(verifierInput(loaded, program));
  if (verdict.verdict === "accept") return true;
  const what =
    verdict.verdict === "reject" ? "the verifier rejects" : "the verifier does not model";
  printError(`${plainReport.tool}: error: ${what} program '${program.name}': ${verdict.reason}`);
  for (const line of verdict.messages.slice(1)) printError(`  ${line}`);
  printError("  help: bpfc verify shows where; --no-verify runs it in the checked variant");
  return false;
}

/** What a run is shown as with `--json`. */
function jsonOf(program: ProgramSpec, result: RunResult, maps: readonly MapContents[]): object {
  const { error } = result;
  return {
    program: program.name,
    retval: result.retval,
    action: actionName(program.type, result.retval) ?? null,
    packet: result.packet ? toHex(result.packet) : null,
    maps: Object.fromEntries(maps.map((m) => [m.name, m.entries])),
    trace: result.trace,
    insns: result.insns,
    ...(error && {
      error: {
        kind: error.kind,
        message: error.message,
        insn: error.slot,
        line: error.line ?? null,
      },
    }),
  };
}

function showText(program: ProgramSpec, input: Input, result: RunResult): void {
  const action = actionName(program.type, result.retval);
  print(
    `${program.name} (${program.section}): ${result.retval}${action ? ` ${action}` : ""}, ${result.insns} instructions`,
  );
  const changed = result.packet && input.packet && toHex(result.packet) !== toHex(input.packet);
  if (result.packet && changed) print(`packet: ${toHex(result.packet)}`);
  for (const line of result.trace) print(`trace: ${line}`);
}

function showFault(result: RunResult): void {
  const { error } = result;
  if (error === undefined) return;
  const place = error.line ? `${error.line.file}:${error.line.line}: ` : "";
  printError(
    `${place}error: ${error.message} (program '${error.program}', instruction ${error.slot})`,
  );
  if (error.line) printError(`    ${error.line.text.trim()}`);
}

function runInputs(loaded: LoadedObject, spec: ProgramSpec, options: RunCommandOptions): number {
  const inputs = inputsOf(options);
  const repeat = Number(options.repeat);
  if (!Number.isInteger(repeat) || repeat < 1)
    throw new UserError(`--repeat '${options.repeat}' is not a positive number`);
  const kernel = new Kernel({ endian: loaded.endian });
  const set = kernel.load(loaded);
  if ("message" in set) throw new UserError(set.message);
  const program: Program | undefined = set.programs.get(spec.name);
  if (program === undefined) throw new UserError(`program '${spec.name}' was not loaded`);
  addEntries(kernel, set, options.entry);
  let failed = false;
  for (const input of inputs) {
    const result = runOnce(kernel, program, { ...input, repeat });
    failed ||= result.error !== undefined;
    if (options.json) print(JSON.stringify(jsonOf(spec, result, mapContents(loaded, set))));
    else showText(spec, input, result);
    showFault(result);
  }
  if (!options.json) {
    const tables = mapContents(loaded, set)
      .filter((m) => m.entries.length > 0)
      .map(mapTable);
    if (tables.length > 0) print(`\n${tables.join("\n\n")}`);
  }
  return failed ? 1 : 0;
}

/** Runs the subcommand; `words` are compiler options for a C source. */
export async function runProgram(
  file: string,
  options: RunCommandOptions,
  words: readonly string[],
): Promise<number> {
  const loaded = await loadFile(file, words, options.btf);
  const spec = loaded && chooseProgram(loaded, options.program);
  if (loaded === undefined || spec === undefined || !passes(loaded, spec, options)) return 1;
  try {
    return runInputs(loaded, spec, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(`bpfc: error: ${error.message}`);
    return 1;
  }
}
