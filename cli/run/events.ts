/** `bpfc run --event`: all programs of an object attached, and one event that runs some of them. */
import type { LoadedObject } from "../../linker/program.ts";
import type { Argument, EventFields } from "../../vm/system/arguments.ts";
import type { FunctionCall, ProgramRun } from "../../vm/system/events.ts";
import {
  type OpenObject,
  SimulatedKernel,
  type SystemOptions,
} from "../../vm/system/simulated-kernel.ts";
import { print } from "../report.ts";
import { UserError } from "./inputs.ts";
import { mapContents, mapTable } from "./map-contents.ts";
import { jsonOf, showFault, showNotices, showText } from "./show.ts";

const functionPrefix = "function/";
const counterPrefix = "perf_event/";
const iteratorPrefix = "iter/";

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

/** What the iterators of that section write, each of them over every map where it wants one. */
function showIterators(
  kernel: SimulatedKernel,
  loaded: LoadedObject,
  opened: OpenObject,
  event: string,
): number {
  const wanted = loaded.programs.filter(({ section }) => section.replace(/\.s\//, "/") === event);
  if (wanted.length === 0) print(`no program is attached to '${event}'`);
  for (const { name } of wanted) {
    const program = opened.programs.get(name) ?? -1;
    const plain = kernel.attach(program);
    const links = plain >= 0 ? [plain] : attachToMaps(kernel, program, opened);
    for (const link of links) {
      const text = kernel.read(kernel.bpf("ITER_CREATE", { link_fd: link }));
      if (text instanceof Uint8Array) print(new TextDecoder().decode(text).replace(/\n$/, ""));
    }
  }
  showNotices(kernel);
  return 0;
}

const attachToMaps = (kernel: SimulatedKernel, program: number, { maps }: OpenObject): number[] =>
  [...maps.values()].map((map) => kernel.attach(program, { map })).filter((link) => link >= 0);

/** Attaches what can be, fires the event and shows the runs; exit code 1 after a fault. */
export function runEvent(
  loaded: LoadedObject,
  event: string,
  fields: string | undefined,
  machine: SystemOptions,
  json: boolean,
): number {
  const btf = loaded.targetBtf;
  const kernel = new SimulatedKernel({ ...machine, endian: loaded.endian, ...(btf && { btf }) });
  const opened = kernel.loadObject(loaded, { verify: false });
  if ("message" in opened) throw new UserError(opened.message);
  const place = event.startsWith(counterPrefix) ? { event: event.slice(counterPrefix.length) } : {};
  if (event.startsWith(iteratorPrefix)) return showIterators(kernel, loaded, opened, event);
  for (const descriptor of opened.programs.values()) kernel.attach(descriptor, place);
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
  showNotices(kernel);
  return runs.some(({ result }) => result.error !== undefined) ? 1 : 0;
}
