/**
 * The base programs of the verdict corpus: compiled with our headers at -O2 and -O0, accepted by the
 * kernel, and — where BPF_PROG_TEST_RUN can run them — behaving as clang's objects do.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readElf } from "../common/object/read-elf.ts";
import type { LoadedObject } from "../linker/program.ts";
import { verifierInput } from "../vm/verifier/program-input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { askKernel, type KernelResult, type KernelRun, kernelTest } from "./support/kernel.ts";
import { compileFile, kernelJob, kernelMaps, load } from "./support/toolchain.ts";

const folder = join(import.meta.dirname, "cases/bases");
const files = readdirSync(folder).filter((name) => name.endsWith(".c"));
const hasClang = spawnSync("clang-19", ["--version"]).status === 0;
const work = mkdtempSync(join(tmpdir(), "bpfc-bases-"));
afterAll(() => rmSync(work, { recursive: true }));

/** Programs that the kernel refuses at -O0, with the reason. */
const refusedUnoptimized: Readonly<Record<string, string>> = {};

/** Programs whose maps hold times: only return values and packets are compared. */
const timeInMaps = new Set(["b09_spinlock.c", "b20_timer.c"]);
/** What it returns tells how often its timer, of 1 µs, has fired. */
const timeInReturns = new Set(["b20_timer.c"]);

const packets = [
  "02000000000102000000000208004500002c00010000400600000a0102030a01020400500051000000000000000050020000000000001122334455667788",
  "0200000000010200000000020800460000340001000040110000c0000201c633640711220033001c0000aabbccddeeff00112233445566778899aabbccddeeff00112233",
  `02000000000102000000000286dd6000000000140640${"20010db8".padEnd(32, "0")}${"20010db8".padEnd(32, "1")}${"00500051".padEnd(40, "0")}`,
];
/** Program types that BPF_PROG_TEST_RUN takes packets for, and those it takes a bare context for. */
const packetTypes = new Set([1, 3, 4, 6, 8]);
const plainTypes = new Set([17]);

function runsOf(type: number): KernelRun[] {
  if (packetTypes.has(type)) return packets.flatMap((data) => [{ data }, { data }]);
  return plainTypes.has(type) ? [{ ctx: "0700000000000000".repeat(4), plain: true }] : [];
}

function withClang(file: string): LoadedObject {
  const output = join(work, `${file}.o`);
  const headers = join(import.meta.dirname, "../compiler/include");
  const args = [
    "-target",
    "bpf",
    "-mcpu=v3",
    "-O2",
    "-g",
    "-Wno-everything",
    "-nostdinc",
    "-I",
    headers,
    "-c",
    join(folder, file),
    "-o",
    output,
  ];
  const result = spawnSync("clang-19", args, { encoding: "utf8" });
  expect(result.status, result.stderr).toBe(0);
  const object = readElf(readFileSync(output), file, new Diagnostics());
  return load(object!, file);
}

function runAll(loaded: LoadedObject): KernelResult[] {
  const jobs = loaded.programs.map((p) => ({
    ...kernelJob(loaded, p),
    runs: runsOf(p.type),
    dump: true,
  }));
  return [...askKernel(jobs)];
}

const behaviour = (loaded: LoadedObject, results: readonly KernelResult[]) =>
  results.map((result) => ({
    runs: result.runs?.map(({ errno, retval, data }) => ({
      errno,
      data,
      ...(!timeInReturns.has(loaded.path) && { retval }),
    })),
    ...(!timeInMaps.has(loaded.path) && { maps: ownMaps(loaded, result) }),
  }));

/** Maps that the C file declares: data sections differ in layout between compilers. */
function ownMaps(loaded: LoadedObject, result: KernelResult): Record<string, string[]> {
  const all = kernelMaps(loaded, result.maps ?? []);
  const own = loaded.maps.filter((map) => map.dataSection === undefined);
  return Object.fromEntries(own.map(({ name }) => [name, all[name] ?? []]));
}

describe.each(files)("base program %s", (file) => {
  const compiled = (level: string): LoadedObject =>
    load(compileFile(join(folder, file), [level]), file);

  test("compiles at -O2 and -O0, and our verifier accepts it", () => {
    for (const level of ["-O2", "-O0"]) {
      const loaded = compiled(level);
      expect(loaded.programs).toHaveLength(1);
      for (const program of loaded.programs) {
        const { verdict, reason } = verify(verifierInput(loaded, program));
        if (refusedUnoptimized[file] === undefined) expect(`${verdict} ${reason}`).toBe("accept ");
      }
    }
  });

  kernelTest(`${file}: the kernel accepts it at -O2 and -O0`, () => {
    for (const level of ["-O2", "-O0"]) {
      const [result] = runAll(compiled(level));
      const expected =
        level === "-O0" && refusedUnoptimized[file] !== undefined ? "reject" : "accept";
      expect(result?.verdict, `${level}: ${result?.log}`).toBe(expected);
    }
  });

  kernelTest(`${file}: it behaves as clang's object does`, () => {
    if (!hasClang && process.env["CI"] !== "true") return;
    const [ours, theirs] = [compiled("-O2"), withClang(file)];
    expect(behaviour(ours, runAll(ours))).toEqual(behaviour(theirs, runAll(theirs)));
  });
});
