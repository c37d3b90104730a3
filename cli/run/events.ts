/** `bpfc run --event`: all programs of an object attached, and one event that runs some of them. */
import type { LoadedObject } from "../../linker/program.ts";
import type { Argument, EventFields } from "../../vm/system/arguments.ts";
import type { FunctionCall, ProgramRun } from "../../vm/system/events.ts";
import { SimulatedKernel, type SystemOptions } from "../../vm/system/simulated-kernel.ts";
import { print } from "../report.ts";
import { UserError } from "./inputs.ts";
import { mapContents, mapTable } from "./map-contents.ts";
import { jsonOf, showFault, showText } from "./show.ts";

const functionPrefix = "function/";

/** The JSON of `--fields`: an object of fields, a list of arguments, or hexadecimal bytes. */
function parseFields(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`--fields '${text.slice(0, 40)}' is not JSON`);
  }
}

function isArgument(value: unknown): value is Argument {
  return typeof value === "number" || typeof value === "string";
}

function isArguments(value: unknown): value is readonly Argument[] {
  return Array.isArray(value) && value.every(isArgument);
}

function functionCall(fields: unknown): FunctionCall {
  const call = (isArguments(fields) ? { args: fields } : fields) as Partial<FunctionCall> | null;
  const { args = [], returns = 0 } = call ?? {};
  if (!isArguments(args) || !isArgument(returns)) {
    throw new UserError("--fields of a function: a list of arguments, or { args, returns }");
  }
  return { args, returns };
}

function eventFields(fields: unknown): EventFields | readonly Argument[] {
  if (isArguments(fields)) return fields;
  const isRecord = typeof fields === "object" && fields !== null && !Array.isArray(fields);
  const isKnown = isRecord && Object.values(fields).every((v) => isArgument(v) || isArguments(v));
  if (!isKnown) throw new UserError("--fields of an event: an object of its fields, or a list");
  return fields as EventFields;
}

function runsOf(kernel: SimulatedKernel, event: string, fields: unknown): readonly ProgramRun[] {
  if (event.startsWith(functionPrefix)) {
    return kernel.call(event.slice(functionPrefix.length), functionCall(fields)).runs;
  }
  const runs = kernel.fire(event, eventFields(fields));
  if ("problem" in runs) throw new UserError(`--event: ${runs.problem}`);
  return runs;
}

/** Attaches what can be, fires the event and shows the runs; exit code 1 after a fault. */
export function runEvent(
  loaded: LoadedObject,
  event: string,
  fields: string | undefined,
  machine: SystemOptions,
  json: boolean,
): number {
  const kernel = new SimulatedKernel({ ...machine, endian: loaded.endian });
  const opened = kernel.loadObject(loaded, { verify: false });
  if ("message" in opened) throw new UserError(opened.message);
  for (const descriptor of opened.programs.values()) kernel.attach(descriptor);
  const runs = runsOf(kernel, event, parseFields(fields));
  const maps = new Map(kernel.maps.map((map) => [map.description.name, map]));
  const contents = mapContents(loaded, { maps, programs: new Map() });
  for (const { program, result } of runs) {
    const spec = loaded.programs.find((each) => each.name === program);
    if (spec === undefined) continue;
    if (json) print(JSON.stringify(jsonOf(spec, result, contents)));
    else showText(spec, {}, result);
    showFault(result);
  }
  if (runs.length === 0 && !json) print(`no program is attached to '${event}'`);
  const tables = contents.filter((map) => map.entries.length > 0).map(mapTable);
  if (!json && tables.length > 0) print(`\n${tables.join("\n\n")}`);
  return runs.some(({ result }) => result.error !== undefined) ? 1 : 0;
}
