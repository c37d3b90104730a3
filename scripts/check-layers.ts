/**
 * Checks the import rules of the project: which folder may import which, no cycles between files,
 * `node:` modules only where a machine is meant. Fails when it sees suspiciously few modules, so
 * that a wrong path can not turn it into a check of nothing.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

/** What each layer may import besides itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  common: [],
  assembler: ["common"],
  compiler: ["common", "assembler"],
  linker: ["common", "assembler"],
  vm: ["common", "assembler", "linker"],
  cli: ["common", "assembler", "compiler", "linker", "vm"],
  "index.ts": ["common", "assembler", "compiler", "linker", "vm"],
};

const phases = [
  "1-preprocess",
  "2-parse",
  "3-check",
  "4-lower",
  "5-optimize",
  "6-select",
  "7-allocate",
  "8-emit",
];

const minimumModules = 40;
const importPattern = /(?:^|\n)\s*(?:import|export)\s[^;]*?from\s*"([^"]+)"|import\("([^"]+)"\)/g;

export interface ModuleImports {
  readonly file: string;
  readonly imports: readonly string[];
  /** Those that exist at run time: `import type` can make no cycle of modules. */
  readonly valueImports: readonly string[];
}

function sourceFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

export function importsOf(file: string, text: string): ModuleImports {
  const matches = [...text.matchAll(importPattern)].map((match) => {
    const path = match[1] ?? match[2] ?? "";
    const isType = /^\s*(?:import|export)\s+type\s/.test(match[0]);
    const to = path.startsWith(".") ? relative(root, resolve(root, dirname(file), path)) : path;
    return { to, isType };
  });
  return {
    file,
    imports: matches.map(({ to }) => to),
    valueImports: matches.filter(({ isType }) => !isType).map(({ to }) => to),
  };
}

function layerOf(file: string): string {
  return file.split("/")[0] ?? "";
}

function phaseOf(file: string): number {
  const [layer, phase] = file.split("/");
  return layer === "compiler" ? phases.indexOf(phase ?? "") : -1;
}

/** The rule that an import breaks, or undefined. */
export function brokenRule(from: string, to: string): string | undefined {
  const layer = layerOf(from);
  if (to.startsWith("node:")) {
    return layer === "cli" ? undefined : "only cli/ may import node: modules";
  }
  if (!to.endsWith(".ts")) return undefined;
  const target = layerOf(to);
  if (target !== layer && !(mayImport[layer] ?? []).includes(target)) {
    return `${layer} may not import ${target}`;
  }
  const fromPhase = phaseOf(from);
  const toPhase = phaseOf(to);
  if (fromPhase >= 0 && toPhase > fromPhase) {
    return `${phases[fromPhase]} may not import a later phase`;
  }
  return undefined;
}

/** One cycle of files, as a path that ends where it starts, or undefined. */
export function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const state = new Map<string, "open" | "done">();
  const path: string[] = [];
  const visit = (file: string): string[] | undefined => {
    if (state.get(file) === "done") return undefined;
    if (state.get(file) === "open") return [...path.slice(path.indexOf(file)), file];
    state.set(file, "open");
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    state.set(file, "done");
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = visit(file);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Checks the whole tree; the problems found, empty where all is well. */
export function checkLayers(): string[] {
  const folders = Object.keys(mayImport).filter((name) => !name.endsWith(".ts"));
  const files = [...folders.flatMap(sourceFiles), "index.ts"];
  const modules = files.map((file) => importsOf(file, readFileSync(join(root, file), "utf8")));
  const problems = modules.flatMap(({ file, imports }) =>
    imports.flatMap((to) => {
      const rule = brokenRule(file, to);
      return rule === undefined ? [] : [`${file} imports ${to}: ${rule}`];
    }),
  );
  const cycle = findCycle(new Map(modules.map((m) => [m.file, m.valueImports])));
  if (cycle !== undefined) problems.push(`import cycle: ${cycle.join(" → ")}`);
  if (modules.length < minimumModules) {
    problems.push(`only ${modules.length} modules seen: the check looks in the wrong place`);
  }
  return problems;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = checkLayers();
  for (const problem of problems) console.error(problem);
  if (problems.length === 0) console.log("import layers hold");
  process.exitCode = problems.length === 0 ? 0 : 1;
}
