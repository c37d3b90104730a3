/**
 * Builds dist/: the command line tool as CommonJS bundles (start-up time), the library as one ES
 * module with types. `main` holds what every call needs, and answers build systems' questions by
 * itself; `compile` is the compiler, `machine` the verifier and the VM, `tools` all the rest.
 */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { indexLoops } from "./index-loops.mjs";
import { countedLiterals, objectShapes, shapedLiterals } from "./shape-literals.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const dist = join(root, "dist");

const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
const common = {
  absWorkingDir: root,
  bundle: true,
  minify: true,
  keepNames: false,
  legalComments: "none",
  define: { BPFC_VERSION: JSON.stringify(version) },
  logLevel: "warning",
};

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

/**
 * What few compilations need, but in their midst: module → functions that the compiler takes from its
 * bundle at the first call. Bundles share nothing, so these may hold no values that others compare.
 */
const rare = {
  "assembler/parse.ts": ["parseAssembly"],
  "assembler/parse-instruction.ts": ["parseInlineAssembly"],
  "compiler/3-check/messages.ts": ["formatMessage", "messages"],
};

/** Stands for those modules in the compiler's bundle. */
const rareOnDemand = {
  name: "rare-on-demand",
  setup({ onLoad }) {
    for (const [module, functions] of Object.entries(rare)) {
      const stubs = functions.map(
        (name) => `export const ${name} = (...args) => require("./rare.js").${name}(...args);\n`,
      );
      const filter = new RegExp(`/${module.replaceAll(".", "\\.")}$`);
      onLoad({ filter }, () => ({ contents: stubs.join("") }));
    }
  },
};

const rewritten = indexLoops(
  ["cli/main.ts", "cli/shipped-header-texts.ts", "index.ts", ...Object.values(bundles).flat()].map(
    (entry) => join(root, entry),
  ),
);

/** Has our own modules written for V8's interpreter, with their literals written by a function. */
const forInterpreter = (literals) => ({
  name: "for-interpreter",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const contents = rewritten(path);
      return contents === undefined ? undefined : { contents: literals(contents), loader: "ts" };
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

/** Writes that file; cli/shipped-header-texts.ts says how it is read. */
async function writeHeaderTexts() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ["compiler/generated/shipped-headers.ts"],
    format: "esm",
    write: false,
  });
  const module = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  const { shippedHeaders, shippedHeaderIndexes, shippedHeaderNames } = module;
  const headers = Object.entries(shippedHeaders).map(([name, text]) => ({
    row: [name, text.length, shippedHeaderIndexes[name].length],
    text: text + shippedHeaderIndexes[name],
  }));
  const directory = JSON.stringify(headers.map(({ row }) => row));
  const all = `${directory}\n${headers.map(({ text }) => text).join("")}${shippedHeaderNames}`;
  if (/[^\0-\x7f]/.test(all)) throw new Error("a shipped header is not ASCII");
  writeFileSync(join(dist, "headers.txt"), all);
}

const tool = {
  ...common,
  format: "cjs",
  platform: "node",
  target: "node20.19",
  // The function that Node would wrap a module in; the loader calls it.
  banner: { js: "(function (exports, require, module, __filename, __dirname) {" },
  footer: { js: "})" },
  define: { ...common.define, "import.meta.dirname": "__dirname" },
};

const pluginsOf = {
  compile: [rareOnDemand, fromBundles],
  tools: [fromBundles],
  machine: [],
  rare: [],
};

async function buildTool(literals) {
  const shared = [headersFromFile, forInterpreter(literals), objectShapes];
  await build({
    ...tool,
    entryPoints: ["cli/main.ts"],
    outfile: "dist/main.js",
    plugins: [fromBundles, ...shared],
  });
  for (const [name, modules] of Object.entries({ ...bundles, rare: Object.keys(rare) })) {
    const contents = modules.map((module) => `export * from "./${module}";\n`).join("");
    await build({
      ...tool,
      stdin: { contents, resolveDir: root, loader: "ts" },
      outfile: `dist/${name}.js`,
      external: ["./rare.js"],
      plugins: [...pluginsOf[name], ...shared],
    });
  }
}

/** A shape that one small compilation makes so often is worth a constructor. */
const WORTH = 4;

/** The shapes of literals that some example's compilation makes often; needs a build that counts them. */
function frequentShapes() {
  const folder = mkdtempSync(join(tmpdir(), "bpfc-shapes-"));
  const file = join(folder, "counts.json");
  const frequent = new Set();
  for (const example of examples) {
    const words = ["-r", join(root, "scripts/count-literals.cjs"), join(dist, "bpfc.cjs"), "cc"];
    execFileSync(process.execPath, [...words, "-c", "-D__TARGET_ARCH_x86", example], {
      cwd: folder,
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, BPFC_NO_CODE_CACHE: "1", BPFC_LITERAL_COUNTS: file },
    });
    const counts = JSON.parse(readFileSync(file, "utf8"));
    for (const shape of Object.keys(counts)) if (counts[shape] >= WORTH) frequent.add(shape);
  }
  rmSync(folder, { recursive: true });
  return frequent;
}

const examples = readdirSync(join(root, "examples"), { recursive: true })
  .filter((name) => name.endsWith(".bpf.c"))
  .sort()
  .map((name) => join(root, "examples", name));

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await writeHeaderTexts();
copyFileSync(join(root, "scripts/data/vmlinux-6.18.btf.br"), join(dist, "vmlinux-6.18.btf.br"));
// Without its comments and rare parts the loader is read in half the time; no cache helps with that.
await build({
  ...common,
  bundle: false,
  entryPoints: { bpfc: "scripts/loader.cjs", "user-cache": "scripts/user-cache.cjs" },
  outdir: "dist",
  outExtension: { ".js": ".cjs" },
  format: "cjs",
  platform: "node",
  target: "node20.19",
});
await buildTool(countedLiterals);
const shapes = frequentShapes();
await buildTool((text) => shapedLiterals(text, shapes));
await build({
  ...common,
  entryPoints: ["index.ts"],
  outfile: "dist/index.js",
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  plugins: [forInterpreter((text) => text)],
});
chmodSync(join(dist, "bpfc.cjs"), 0o755);
if (process.argv.includes("--types")) {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}
writeFileSync(join(dist, "package.json"), '{ "type": "module" }\n');

/** Runs the tool so that it leaves V8's code caches behind, as scripts/loader.cjs says. */
function warmUp(folder, order, ...words) {
  execFileSync(process.execPath, [join(dist, "bpfc.cjs"), ...words], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, BPFC_WRITE_CODE_CACHE: order },
  });
}
/** The shipped vmlinux.h as text: making it from BTF takes longer than most compilations. */
function writeVmlinuxHeader(folder) {
  const btf = join(folder, "vmlinux.btf");
  writeFileSync(btf, brotliDecompressSync(readFileSync(join(dist, "vmlinux-6.18.btf.br"))));
  const words = [join(dist, "bpfc.cjs"), "btf", "dump", btf, "--format", "c"];
  const text = execFileSync(process.execPath, words, { maxBuffer: 1 << 26 });
  const params = { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(join(dist, "vmlinux.h.br"), brotliCompressSync(text, { params }));
  rmSync(btf);
}

const work = mkdtempSync(join(tmpdir(), "bpfc-build-"));
writeVmlinuxHeader(work);
// Headers of the user's own are read by other code than those that ship, and relocations are made.
const own = mkdtempSync(join(work, "own-"));
writeFileSync(
  join(own, "vmlinux.h"),
  brotliDecompressSync(readFileSync(join(dist, "vmlinux.h.br"))),
);
const tracing = join(own, "tracing.bpf.c");
writeFileSync(
  tracing,
  `#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
SEC("raw_tp/sched_switch") int tracing(u64 *args)
{
	struct task_struct *task = (void *)args[1];

	return BPF_CORE_READ(task, real_parent, tgid);
}
`,
);
warmUp(work, "first", "cc", "-c", "-D__TARGET_ARCH_x86", ...examples, tracing);
for (const object of readdirSync(work)
  .filter((name) => name.endsWith(".o"))
  .slice(0, 1)) {
  warmUp(work, "first", "link", object, "-o", "linked.o");
  warmUp(work, "later", "verify", object);
}
warmUp(work, "later", "cc", "-S", "--source-map", "listing.map", "-o", "listing.s", examples[0]);
rmSync(work, { recursive: true });
