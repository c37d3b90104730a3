/**
 * Builds dist/: the command line tool as one CommonJS bundle (start-up time), the library as one ES
 * module with types.
 */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

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

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
await build({
  ...common,
  entryPoints: ["cli/main.ts"],
  outfile: "dist/main.js",
  format: "cjs",
  platform: "node",
  target: "node20.19",
});
copyFileSync("scripts/loader.cjs", join(dist, "bpfc.cjs"));
await build({
  ...common,
  entryPoints: ["index.ts"],
  outfile: "dist/index.js",
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
});
chmodSync(join(dist, "bpfc.cjs"), 0o755);
if (process.argv.includes("--types")) {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}
writeFileSync(join(dist, "package.json"), '{ "type": "module" }\n');
const warmUp = ["cc", "-c", "-o", join(dist, "warm.o"), "-D__TARGET_ARCH_x86"];
execFileSync(
  process.execPath,
  [join(dist, "bpfc.cjs"), ...warmUp, "examples/syscall-counter/syscall_counter.bpf.c"],
  { cwd: root, stdio: "inherit", env: { ...process.env, BPFC_WRITE_CODE_CACHE: "1" } },
);
rmSync(join(dist, "warm.o"));
