/**
 * The public ISA conformance suite through our plugin, on both engines and for every CPU version.
 *
 *     npx tsx bench/conformance.ts --runner build/bin/bpf_conformance_runner --tests tests
 *
 * The runner and its tests are not part of this repository. All tests must pass but those of
 * `callx`, which no kernel accepts.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: { runner: { type: "string" }, tests: { type: "string" } },
});
if (values.runner === undefined || values.tests === undefined) {
  throw new Error("--runner and --tests are needed");
}
const work = mkdtempSync(join(tmpdir(), "bpfc-conformance-"));
const plugin = join(work, "bpfc-conformance");
symlinkSync(join(import.meta.dirname, "../dist/bpfc.cjs"), plugin);
const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
let unexpected = 0;
for (const engine of ["jit", "interpreter"]) {
  for (const version of ["v1", "v2", "v3", "v4"]) {
    const child = spawnSync(
      values.runner,
      [
        ...["--test_file_directory", values.tests, "--plugin_path", plugin],
        ...["--cpu_version", version, "--include_groups", "callx", "packet"],
        `--plugin_options=--${engine}`,
      ],
      { encoding: "utf8", env, maxBuffer: 1 << 28 },
    );
    const lines = child.stdout.split("\n");
    const summary = lines.findLast((line) => line.startsWith("Passed")) ?? "no result";
    const failed = lines.flatMap((line) => /^(?:FAIL|ERROR): "(.*?)"/.exec(line)?.[1] ?? []);
    const surprises = failed.filter((name) => !name.endsWith("callx.data"));
    const ran = /^Passed [1-9]/.test(summary);
    unexpected += surprises.length + (ran ? 0 : 1);
    console.log(`${engine} ${version}: ${summary} Failed: ${failed.join(" ") || "none"}`);
  }
}
rmSync(work, { recursive: true });
process.exitCode = unexpected === 0 ? 0 : 1;
