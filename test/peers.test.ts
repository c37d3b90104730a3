/** Real clients read our objects without complaint: LLVM's and binutils' readers, bpftool, libbpf. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { writeElf } from "../common/object/write-elf.ts";
import { kernelTest, mountPinFolder, pinFolder } from "./support/kernel.ts";
import { compileFile } from "./support/toolchain.ts";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "bpfc-peers-"));
afterAll(() => rmSync(work, { recursive: true }));

const sources = readdirSync(join(root, "examples")).flatMap((name) =>
  readdirSync(join(root, "examples", name))
    .filter((file) => file.endsWith(".bpf.c"))
    .map((file) => join(root, "examples", name, file)),
);

/** Commands that must succeed and print nothing on standard error. */
const readers: readonly (readonly string[])[] = [
  ["llvm-readelf-19", "-a"],
  ["llvm-objdump-19", "-d", "-S", "-r"],
  ["readelf", "-a", "-W"],
  ["bpftool", "btf", "dump", "file"],
  ["bpftool", "btf", "dump", "format", "c", "file"],
  ["bpftool", "gen", "skeleton"],
];

const isInstalled = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;
const missing = [...new Set(readers.map(([tool]) => tool ?? ""))].filter(
  (tool) => !isInstalled(tool),
);
const mustRun = process.env["CI"] === "true";
const toolTest = missing.length === 0 || mustRun ? test : test.skip;
const note = missing.length === 0 ? "" : ` (not installed: ${missing.join(", ")})`;

function compileTo(source: string): string {
  const path = join(work, `${source.replace(/^.*\//, "").replace(/\..*$/, "")}.o`);
  if (!existsSync(path)) writeFileSync(path, writeElf(compileFile(source)));
  return path;
}

/** bpftool wants the file after `file` and `skeleton`, the others at the end: the same place. */
function run(command: readonly string[], path: string) {
  const words = command.includes("format")
    ? ["bpftool", "btf", "dump", "file", path, "format", "c"]
    : [...command, path];
  const [tool = "", ...args] = words;
  return spawnSync(tool, args, { encoding: "utf8" });
}

describe.each(sources)("%s", (source) => {
  toolTest.each(readers)(`is read by %s %s %s${note}`, (...command) => {
    const result = run(
      command.filter((word) => typeof word === "string"),
      compileTo(source),
    );
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    expect(result.stdout.length).toBeGreaterThan(100);
  });

  kernelTest(`${source.replace(/^.*\//, "")}: libbpf loads it (bpftool prog loadall)`, () => {
    const pin = `${pinFolder}/bpfc-test-${process.pid}-${source.replace(/\W/g, "").slice(-20)}`;
    mountPinFolder();
    const result = spawnSync("bpftool", ["prog", "loadall", compileTo(source), pin], {
      encoding: "utf8",
    });
    rmSync(pin, { recursive: true, force: true });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
  });
});
