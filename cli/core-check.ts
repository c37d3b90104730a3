/** `bpfc core-check OBJ --btf A --btf B`: what each kernel gives an object's CO-RE relocations. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, CoreRelocation } from "../common/object/btf.ts";
import { describeAccess, describeResolution } from "../linker/core/describe.ts";
import { type CoreResolution, resolveCoreRelocation } from "../linker/core/resolve.ts";
import { isCode, type ObjectView, viewObject } from "../linker/object-view.ts";
import { readBtfFile } from "./btf-file.ts";
import { readObjectFile } from "./objects.ts";
import { plainReport, print, printError, report } from "./report.ts";

export interface CoreCheckOptions {
  readonly btf: readonly string[];
  readonly json?: boolean;
}

interface Kernel {
  readonly path: string;
  readonly btf: Btf;
}

/** One thing that the object asks of kernels, and where it does. */
interface Question {
  readonly relocation: CoreRelocation;
  readonly what: string;
  readonly places: readonly string[];
}

interface Answer {
  readonly kernel: string;
  readonly outcome: CoreResolution["decision"]["kind"];
  readonly text: string;
}

/** `function+3 (file.c:12)`: instructions count from the function's start. */
function placeOf(view: ObjectView, section: string, offset: number): string {
  const index = view.object.sections.findIndex((s) => s.name === section && isCode(s));
  const fn = view.symbolsOf(index).findLast((s) => s.type === "func" && s.value <= offset);
  const start = fn === undefined ? section : fn.name;
  const records = view.btfExt?.lineInfo.find((s) => s.section === section)?.records ?? [];
  const line = records.findLast((record) => record.insnOffset <= offset);
  const source = line === undefined ? "" : ` (${line.file}:${line.line})`;
  return `${start}+${(offset - (fn?.value ?? 0)) >> 3}${source}`;
}

/** Relocations that ask the same, together, in the order of the first. */
function questionsOf(view: ObjectView, btf: Btf): Question[] {
  const found = new Map<string, { relocation: CoreRelocation; places: string[] }>();
  for (const { section, records } of view.btfExt?.coreRelocations ?? []) {
    for (const relocation of records) {
      const key = `${relocation.kind} ${relocation.type} ${relocation.access}`;
      const known = found.get(key) ?? { relocation, places: [] };
      known.places.push(placeOf(view, section, relocation.insnOffset));
      found.set(key, known);
    }
  }
  return [...found.values()].map(({ relocation, places }) => ({
    relocation,
    what: describeAccess(btf, relocation),
    places,
  }));
}

function answer(local: Btf, { relocation }: Question, kernel: Kernel): Answer {
  const resolution = resolveCoreRelocation(local, relocation, kernel.btf);
  const { kind: outcome } = resolution.decision;
  return { kernel: kernel.path, outcome, text: describeResolution(resolution) };
}

const mostPlaces = 4;

function questionLines({ what, places }: Question, answers: readonly Answer[]): string[] {
  const more = places.length > mostPlaces ? `, … (${places.length} in all)` : "";
  return [
    what,
    `    in ${places.slice(0, mostPlaces).join(", ")}${more}`,
    ...answers.map(({ kernel, outcome, text }) => {
      const mark = outcome === "error" ? "error: " : "";
      return `    ${kernel}: ${mark}${text}`;
    }),
  ];
}

function summaryLines(kernels: readonly Kernel[], all: readonly (readonly Answer[])[]): string[] {
  return kernels.map(({ path }, index) => {
    const count = (outcome: Answer["outcome"]): number =>
      all.filter((answers) => answers[index]?.outcome === outcome).length;
    return `${path}: ${count("value")} resolved, ${count("poison")} missing, ${count("error")} in error`;
  });
}

function check(view: ObjectView, local: Btf, kernels: readonly Kernel[], json: boolean): number {
  const questions = questionsOf(view, local);
  const all = questions.map((question) => kernels.map((kernel) => answer(local, question, kernel)));
  if (json) {
    const rows = questions.map(({ relocation, what, places }, index) => ({
      relocation: what,
      kind: relocation.kind,
      access: relocation.access,
      places,
      kernels: all[index],
    }));
    print(JSON.stringify(rows));
  } else {
    const blocks = questions.flatMap((question, index) =>
      questionLines(question, all[index] ?? []),
    );
    print([...blocks, ...summaryLines(kernels, all)].join("\n"));
  }
  return all.flat().some(({ outcome }) => outcome === "error") ? 1 : 0;
}

/** Exit code 1 where some kernel would refuse the object, 2 for trouble with the files. */
export function runCoreCheck(path: string, options: CoreCheckOptions): number {
  if (options.btf.length === 0) {
    printError("bpfc: error: no kernel to check against: --btf FILE, as often as you like");
    return 2;
  }
  const { object, diagnostics } = readObjectFile(path);
  const view = object && viewObject(object, path, diagnostics);
  const reading = new Diagnostics();
  const kernels = options.btf.flatMap((file): Kernel[] => {
    const btf = readBtfFile(file, reading);
    return btf === undefined ? [] : [{ path: file, btf }];
  });
  report([...diagnostics.list, ...reading.list], plainReport);
  if (view === undefined || reading.hasErrors) return 2;
  if (view.btf === undefined) {
    printError(`bpfc: error: ${path}: it has no BTF`);
    return 2;
  }
  return check(view, view.btf, kernels, options.json === true);
}
