/** Assembly text: its source maps, and that LLVM's assembler and ours agree on each other's text. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SourceMapConsumer } from "source-map";
import { afterAll, describe, expect, test } from "vitest";
import { decodeInstruction } from "../common/isa/decode.ts";
import { printInstruction } from "../common/isa/print.ts";

const root = join(import.meta.dirname, "..");
const bundle = join(root, "dist/bpfc.cjs");
const work = mkdtempSync(join(tmpdir(), "bpfc-asm-"));
afterAll(() => rmSync(work, { recursive: true }));

function run(tool: string, ...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: work, encoding: "utf8" });
  return { status, stdout, stderr };
}

function bpfc(...args: readonly string[]): string {
  const { status, stdout, stderr } = run(process.execPath, bundle, ...args);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

const sources = readdirSync(join(root, "examples")).flatMap((name) =>
  readdirSync(join(root, "examples", name))
    .filter((file) => file.endsWith(".bpf.c"))
    .map((file) => join(root, "examples", name, file)),
);
const arch = "-D__TARGET_ARCH_x86";
const example = join(root, "examples/xdp-firewall/firewall.bpf.c");

interface MappedPlace {
  readonly generatedLine: number;
  readonly generatedColumn: number;
  readonly source: string | null;
  readonly originalLine: number | null;
  readonly originalColumn: number | null;
}

async function mappingsOf(name: string): Promise<MappedPlace[]> {
  const places: MappedPlace[] = [];
  const text = readFileSync(join(work, name), "utf8");
  await SourceMapConsumer.with(text, null, (consumer) => {
    consumer.eachMapping((mapping) => places.push(mapping));
  });
  return places;
}

describe("source maps", () => {
  test("from -S to C: each instruction's line is the one that the comment above it names", async () => {
    bpfc("cc", "-S", example, "-o", "map.s", "--source-map", "map.s.map");
    const lines = readFileSync(join(work, "map.s"), "utf8").split("\n");
    const places = await mappingsOf("map.s.map");
    expect(places.length).toBeGreaterThan(10);
    for (const place of places) {
      const comments = lines.slice(0, place.generatedLine).filter((line) => /^\t# /.test(line));
      const [, line, column] = /^\t# .*?:(\d+):(\d+)/.exec(comments.at(-1) ?? "") ?? [];
      expect(place.originalLine).toBe(Number(line));
      expect(place.originalColumn).toBe(Math.max(0, Number(column) - 1));
      expect(place.source).toMatch(/firewall\.bpf\.c$/);
      expect(lines[place.generatedLine - 1]).toMatch(/^\t[^#.]/);
    }
  });

  test("from an object to its text: each byte offset holds the instruction of that line", async () => {
    bpfc("cc", "-S", example, "-o", "text.s");
    bpfc("as", "text.s", "-o", "text.o", "--source-map", "text.o.map");
    const lines = readFileSync(join(work, "text.s"), "utf8").split("\n");
    const elf = new Uint8Array(readFileSync(join(work, "text.o")));
    const places = await mappingsOf("text.o.map");
    const isInstruction = (line: string): boolean => /^\t(?![.#])/.test(line);
    expect(places.length).toBe(lines.filter(isInstruction).length);
    for (const place of places) {
      expect(place).toMatchObject({ generatedLine: 1, source: "text.s" });
      const line = lines[(place.originalLine ?? 0) - 1]?.slice(place.originalColumn ?? 0) ?? "";
      const decoded = decodeInstruction(elf, place.generatedColumn, "little");
      const text = decoded.ok ? printInstruction(decoded.insn) : "";
      // Symbols and labels are numbers in the object.
      const plain = (words: string): string => words.replace(/(goto|call) .*$| \S+ ll$/, "");
      expect(plain(text)).toBe(plain(line));
    }
  });

  test("a map may hold its sources: C, shipped headers and assembly text", () => {
    bpfc("cc", "-S", example, "-o", "full.s", "--source-map", "full.map", "--source-map-content");
    const full = JSON.parse(readFileSync(join(work, "full.map"), "utf8"));
    expect(full.sources[0]).toMatch(/firewall\.bpf\.c$/);
    expect(full.sourcesContent).toHaveLength(full.sources.length);
    expect(full.sourcesContent[0]).toBe(readFileSync(example, "utf8"));
    bpfc("as", "full.s", "-o", "full.o", "--source-map", "object.map", "--source-map-content");
    const { sourcesContent } = JSON.parse(readFileSync(join(work, "object.map"), "utf8"));
    expect(sourcesContent).toEqual([readFileSync(join(work, "full.s"), "utf8")]);
    bpfc("as", "full.s", "-o", "full.o", "--source-map", "plain.map");
    expect(readFileSync(join(work, "plain.map"), "utf8")).not.toContain("sourcesContent");
  });

  test("paths are relative to the map, and only -S has one", () => {
    bpfc("cc", "-S", example, "-o", "deep.s");
    spawnSync("mkdir", [join(work, "maps")]);
    bpfc("as", "deep.s", "-o", "deep.o", "--source-map", "maps/deep.map");
    const map = JSON.parse(readFileSync(join(work, "maps/deep.map"), "utf8"));
    expect(map).toMatchObject({ version: 3, file: "deep.o", sources: ["../deep.s"] });
    const refused = run(process.execPath, bundle, "cc", "-c", example, "--source-map", "no.map");
    expect(refused).toMatchObject({ status: 1, stderr: expect.stringContaining("needs '-S'") });
    expect(existsSync(join(work, "no.map"))).toBe(false);
  });
});

/** Instructions and relocations as llvm-objdump shows them, without the names of places. */
function code(object: string): string[] {
  const { status, stdout } = run("llvm-objdump-19", "-d", "-r", object);
  expect(status).toBe(0);
  return stdout
    .split("\n")
    .filter((line) => /^\s+\d+:\t|R_BPF|^Disassembly/.test(line))
    .map((line) => line.replace(/ <[^>]*>$/, ""));
}

const tools = ["clang-19", "llvm-mc-19", "llvm-objdump-19"];
const missing = tools.filter((tool) => spawnSync(tool, ["--version"]).error !== undefined);
const peerTest = missing.length === 0 || process.env["CI"] === "true" ? test : test.skip;
const note = missing.length === 0 ? "" : ` (not installed: ${missing.join(", ")})`;

describe.each(sources)("%s", (source) => {
  peerTest(`our -S assembles with llvm-mc to the same code${note}`, () => {
    bpfc("cc", arch, "-S", source, "-o", "ours.s");
    bpfc("cc", arch, "-c", source, "-o", "ours.o");
    const assembled = run(
      "llvm-mc-19",
      "-triple",
      "bpfel",
      "-filetype=obj",
      "ours.s",
      "-o",
      "mc.o",
    );
    expect(assembled).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(code("mc.o")).toEqual(code("ours.o"));
    // Names of maps, types and variables too.
    expect(bpfc("objdump", "--diff", "ours.o", "mc.o")).toBe("");
  });

  peerTest(`bpfc as makes of clang's -S what clang makes itself${note}`, () => {
    const clang = (...words: string[]) => {
      const include = ["-I/usr/include/x86_64-linux-gnu", "-I/usr/include/aarch64-linux-gnu"];
      const args = ["-target", "bpf", "-O2", "-g", "-w", arch, ...include, source, ...words];
      expect(run("clang-19", ...args)).toEqual({ status: 0, stdout: "", stderr: "" });
    };
    clang("-S", "-o", "clang.s");
    clang("-c", "-o", "clang.o");
    bpfc("as", "clang.s", "-o", "again.o");
    expect(code("again.o")).toEqual(code("clang.o"));
    expect(bpfc("objdump", "--diff", "clang.o", "again.o")).toBe("");
  });
});
