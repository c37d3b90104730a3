/**
 * Builds dist/: the command line tool as CommonJS bundles (start-up time) with V8's code caches for them, the
 * library as one ES module, with types where asked for.
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
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { build } from "esbuild";
import { common, dist, root } from "./build-options.mjs";
import { buildTool, examples, forInterpreter, larger } from "./build-tool.mjs";

/** Writes the texts of shipped headers; cli/shipped-header-texts.ts says how they are read. */
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
await buildTool();
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
const small = ["cc", "-c", "-g", "-D__TARGET_ARCH_x86", ...examples, tracing];
warmUp(work, "first", ...small);
for (const order of ["short", "long"]) warmUp(work, order, ...small, ...larger);
for (const object of readdirSync(work)
  .filter((name) => name.endsWith(".o"))
  .slice(0, 1)) {
  warmUp(work, "first", "link", object, "-o", "linked.o");
  warmUp(work, "later", "verify", object);
}
warmUp(work, "later", "cc", "-S", "--source-map", "listing.map", "-o", "listing.s", examples[0]);
rmSync(work, { recursive: true });
