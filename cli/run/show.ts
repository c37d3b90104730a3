/** What a run is shown as: text for people, JSON for machines. */
import { uapiEnum } from "../../common/platform/uapi.ts";
import type { ProgramSpec } from "../../linker/program.ts";
import type { RunResult } from "../../vm/programs/run.ts";
import { plainReport, print, printError } from "../report.ts";
import { toHex } from "./hex.ts";
import type { RunInputBytes } from "./inputs.ts";
import type { MapContents } from "./map-contents.ts";

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

/** What a run is shown as with `--json`. */
export function jsonOf(
  program: ProgramSpec,
  result: RunResult,
  maps: readonly MapContents[],
): object {
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

export function showText(program: ProgramSpec, input: RunInputBytes, result: RunResult): void {
  const action = actionName(program.type, result.retval);
  print(
    `${program.name} (${program.section}): ${result.retval}${action ? ` ${action}` : ""}, ${result.insns} instructions`,
  );
  const changed = result.packet && input.packet && toHex(result.packet) !== toHex(input.packet);
  if (result.packet && changed) print(`packet: ${toHex(result.packet)}`);
  for (const line of result.trace) print(`trace: ${line}`);
}

export function showFault(result: RunResult): void {
  const { error } = result;
  if (error === undefined) return;
  const place = error.line ? `${error.line.file}:${error.line.line}: ` : "";
  printError(
    `${place}error: ${error.message} (program '${error.program}', instruction ${error.slot})`,
  );
  if (error.line) printError(`    ${error.line.text.trim()}`);
}

const barWidth = 30;
const quietMilliseconds = 1000;
/** What programs asked for in vain, each once: what they saw instead may explain a result. */
export function showNotices({ notices }: { readonly notices: ReadonlySet<string> }): void {
  for (const notice of notices) printError(`${plainReport.tool}: note: ${notice}`);
}

const refreshMilliseconds = 100;

/** A progress bar on a terminal, once a run takes longer than a second. */
export class Progress {
  readonly #total: number;
  readonly #start = performance.now();
  #shown = 0;

  constructor(total: number) {
    this.#total = total;
  }

  update(done: number): void {
    const now = performance.now();
    const isQuiet =
      now - this.#start < quietMilliseconds || now - this.#shown < refreshMilliseconds;
    if (isQuiet || process.stderr.isTTY !== true) return;
    this.#shown = now;
    const filled = Math.round((done / this.#total) * barWidth);
    const bar = "#".repeat(filled).padEnd(barWidth, ".");
    process.stderr.write(`\r[${bar}] ${done}/${this.#total}`);
  }

  end(): void {
    if (this.#shown > 0) process.stderr.write("\r\u001b[K");
  }
}
