/**
 * The bundles of the command line tool: `main` holds what every call needs, and answers build systems' questions
 * by itself; `compile` is the compiler, with parts of its own for what small compilations do not need;
 * `machine` is the verifier and the VM, `tools` all the rest.
 *
 * V8's interpreter is what a small compilation spends its life in, so the source is written for it first. What is
 * worth that is found by compiling the examples with a build that notes what it uses.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { build, transform } from "esbuild";
import { common, dist, root } from "./build-options.mjs";
import { indexLoops } from "./index-loops.mjs";
import { plainPrivates } from "./plain-privates.mjs";
import { countedLiterals, objectShapes, shapedLiterals } from "./shape-literals.mjs";
import { splitter } from "./split-bundle.mjs";

/** What is loaded on demand: bundle → the modules that other bundles import from it. */
const bundles = {
  compile: ["cli/cc/compile-inputs.ts"],
  tools: [
    "assembler/print.ts",
    "assembler/source-map.ts",
    "cli/cc/print-form.ts",
    "cli/cc/print-stats.ts",
    "cli/kernel-types/vmlinux-header.ts",
    "cli/strip.ts",
    "cli/subcommands.ts",
  ],
  machine: [
    "cli/conformance-plugin.ts",
    "cli/run/run-command.ts",
    "cli/state.ts",
    "cli/verify/rejection.ts",
    "cli/verify/run-verify.ts",
  ],
};

const rewritten = indexLoops(
  ["cli/main.ts", "cli/shipped-header-texts.ts", "index.ts", ...Object.values(bundles).flat()].map(
    (entry) => join(root, entry),
  ),
);

/** Has our own modules written for V8's interpreter, and then by a function of text and path. */
export const forInterpreter = (written) => ({
  name: "for-interpreter",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = rewritten(path);
      if (contents === undefined) return undefined;
      return { contents: written(contents, relative(root, path)), loader: "ts" };
    });
  },
});

const bundleOf = new Map(
  Object.entries(bundles).flatMap(([bundle, modules]) =>
    modules.map((module) => [basename(module), bundle]),
  ),
);

/** Makes dynamic imports of those modules load their bundle. */
const fromBundles = {
  name: "from-bundles",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\.ts$/ }, ({ kind, path }) => {
      const bundle = kind === "dynamic-import" ? bundleOf.get(basename(path)) : undefined;
      return bundle && { path: bundle, namespace: "bundle" };
    });
    onLoad({ filter: /.*/, namespace: "bundle" }, ({ path }) => ({
      contents: `module.exports = require("./${path}.js");`,
    }));
    onResolve({ filter: /^\.\/\w+\.js$/ }, ({ path, namespace }) =>
      namespace === "bundle" ? { path, external: true } : undefined,
    );
  },
};

/** The tool has the texts of headers in a file beside its bundles. */
const headersFromFile = {
  name: "headers-from-file",
  setup({ onResolve }) {
    onResolve({ filter: /\/shipped-header-texts\.ts$/ }, () => ({
      path: join(root, "cli/shipped-header-texts.ts"),
    }));
  },
};

/** Programs in a folder of the project, with those in folders within it. */
const programsIn = (folder) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => join(root, folder, name));

export const examples = programsIn("examples");

/** Programs of many kinds. */
const programs = [...programsIn("bench/workloads"), ...programsIn("test/cases/bases")];

/** Programs with loops and much arithmetic, to which the compiler gives more than to others. */
export const larger = programsIn("bench/kernel-workloads");

/** Examples that are over before a kernel's types would have been read. */
const small = examples.filter((example) => !readFileSync(example, "utf8").includes("vmlinux.h"));

const tool = {
  ...common,
  format: "cjs",
  platform: "node",
  target: "node20.19",
  // The function that Node would wrap a module in; the loader calls it.
  banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
  footer: { js: "})" },
  define: { ...common.define, "import.meta.dirname": "__dirname" },
  // Fields that the constructor sets, and no definitions of properties, which V8 makes in its runtime.
  tsconfigRaw: { compilerOptions: { useDefineForClassFields: false } },
};

/** What builds one bundle of the tool. */
function bundleOptions(name, literals) {
  const modules = bundles[name];
  const entry =
    modules === undefined
      ? { entryPoints: ["cli/main.ts"] }
      : { stdin: { contents: modules.map(reexport).join(""), resolveDir: root, loader: "ts" } };
  const demanded = name === "machine" ? [] : [fromBundles];
  const written = (text, path) => plainPrivates(literals(text), path);
  const plugins = [...demanded, headersFromFile, forInterpreter(written), objectShapes];
  return { ...tool, ...entry, outfile: `dist/${name}.js`, plugins };
}

const reexport = (module) => `export * from "./${module}";\n`;

/** A shape that one small compilation makes so often is worth a constructor. */
const WORTH = 4;

/** What each compilation uses of a build that notes it: name → count. */
function usesBy(programs) {
  const folder = mkdtempSync(join(tmpdir(), "bpfc-uses-"));
  const file = join(folder, "uses.json");
  const uses = programs.map((program) => {
    const words = ["-r", join(root, "scripts/note-uses.cjs"), join(dist, "bpfc.cjs"), "cc"];
    execFileSync(process.execPath, [...words, "-c", "-g", "-D__TARGET_ARCH_x86", program], {
      cwd: folder,
      stdio: "ignore",
      env: { ...process.env, XDG_CACHE_HOME: folder, BPFC_NOTED_USES: file },
    });
    return JSON.parse(readFileSync(file, "utf8"));
  });
  rmSync(folder, { recursive: true });
  return uses;
}

/** Builds what compiles so that it notes the literals that it makes, and gives the frequent ones. */
async function frequentShapes() {
  for (const name of ["main", "compile", "tools"])
    await build(bundleOptions(name, countedLiterals));
  const counts = usesBy(examples).flatMap((uses) => Object.entries(uses));
  return new Set(counts.filter(([, count]) => count >= WORTH).map(([shape]) => shape));
}

/** The part of the compiler for what small compilations do not need, by phase: few of them, for each has its price. */
const partOfPhase = {
  lower: "optimize",
  optimize: "optimize",
  select: "generate",
  allocate: "generate",
  emit: "generate",
};

function partOf(module) {
  const [, phase] = /^compiler\/\d-(\w+)\//.exec(module) ?? [];
  return `compile-${partOfPhase[phase] ?? "check"}`;
}

/** What so many programs use is not left to a part. */
const COMMON = 3;

/** The definitions that the compiler's main part is to have, by a build that notes what it uses. */
function commonDefinitions() {
  const counts = new Map();
  const note = (name, count) => counts.set(name, (counts.get(name) ?? 0) + count);
  const used = usesBy(small).flatMap((uses) => Object.keys(uses));
  for (const name of used) note(name, COMMON);
  for (const uses of usesBy(programs)) for (const name of Object.keys(uses)) note(name, 1);
  return new Set([...counts].filter(([, count]) => count >= COMMON).map(([name]) => name));
}

/** Builds the compiler's bundle, and parts of it that small compilations do not need. */
async function buildCompiler(literals) {
  const { outputFiles } = await build({
    ...bundleOptions("compile", literals),
    minify: false,
    banner: {},
    footer: {},
    write: false,
  });
  const { instrumented, split } = splitter(outputFiles[0].text, partOf);
  await writeScript("compile", instrumented);
  const { main, parts } = split(commonDefinitions());
  await writeScript("compile", main);
  for (const [name, text] of Object.entries(parts)) await writeScript(name, text);
}

/** Minifies a module's text and wraps it as the loader wants it. */
async function writeScript(name, text) {
  const { minify, target, platform, banner, footer } = tool;
  const options = { minify, target, platform, format: "cjs", treeShaking: false };
  const { code } = await transform(text, options);
  writeFileSync(join(dist, `${name}.js`), `${banner.js}\n${code}${footer.js}\n`);
}

/** Writes all bundles to dist/, where the loader and the texts of headers have to be. */
export async function buildTool() {
  const shapes = await frequentShapes();
  const literals = (text) => shapedLiterals(text, shapes);
  for (const name of ["main", "tools", "machine"]) await build(bundleOptions(name, literals));
  await buildCompiler(literals);
}
