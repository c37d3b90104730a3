/**
 * Every example is compiled at -O2 and -O0, verified, and run on its inputs: the VM must give what
 * expected.json says at both levels, and the kernel the same return values, packets and maps.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mapContents } from "../cli/run/map-contents.ts";
import { actionName } from "../cli/run/show.ts";
import type { LoadedObject } from "../linker/program.ts";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runProgram } from "../vm/programs/run.ts";
import { strictAlignmentFlag, verifierInput } from "../vm/verifier/program-input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { expectGolden } from "./support/golden.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";
import {
  bytes,
  compileFile,
  hex,
  kernelJob,
  kernelMaps,
  load,
  vmMaps,
} from "./support/toolchain.ts";

interface Run {
  readonly name: string;
  readonly program: string;
  readonly packet?: string;
  readonly ctx?: string;
  /** Why BPF_PROG_TEST_RUN cannot run it. */
  readonly kernel?: string;
}
interface Cases {
  readonly entries?: Readonly<Record<string, readonly (readonly [string, string])[]>>;
  readonly runs: readonly Run[];
}

const root = join(import.meta.dirname, "..");
const names = readdirSync(join(root, "examples")).sort();
const levels = ["-O2", "-O0"] as const;

function sourceOf(name: string): string {
  const folder = join(root, "examples", name);
  const file = readdirSync(folder).find((entry) => entry.endsWith(".bpf.c"));
  return join(folder, file ?? "");
}

const casesOf = (name: string): Cases =>
  JSON.parse(readFileSync(join(root, "examples", name, "cases.json"), "utf8"));

const loadExample = (name: string, words: readonly string[]): LoadedObject =>
  load(compileFile(sourceOf(name), words), name);

function newKernel(loaded: LoadedObject, cases: Cases) {
  const kernel = new Kernel();
  const set = kernel.load(loaded);
  if ("message" in set) throw new Error(set.message);
  for (const [map, entries] of Object.entries(cases.entries ?? {})) {
    for (const [key, value] of entries) {
      expect(kernel.mapUpdate(set.maps.get(map)!, bytes(key), bytes(value))).toBe(0);
    }
  }
  return { kernel, set };
}

/** All runs in one kernel, one after the other, and the maps at the end. */
function runInVm(loaded: LoadedObject, cases: Cases, only: (run: Run) => boolean = () => true) {
  const { kernel, set } = newKernel(loaded, cases);
  const runs = cases.runs.filter(only).map((run) => {
    const program = set.programs.get(run.program)!;
    const result = runProgram(kernel, program, {
      ...(run.packet && { packet: bytes(run.packet) }),
      ...(run.ctx && { context: bytes(run.ctx) }),
    });
    expect(result.error).toBeUndefined();
    return {
      name: run.name,
      retval: result.retval,
      action: actionName(program.spec.type, result.retval),
      packet: result.packet && hex(result.packet),
      trace: result.trace,
    };
  });
  return { runs, maps: vmMaps(loaded, set), shown: mapContents(loaded, set) };
}

function runInKernel(loaded: LoadedObject, cases: Cases, program: string) {
  const runs = cases.runs.filter((run) => run.program === program && run.kernel === undefined);
  const job = kernelJob(loaded, loaded.programs.find((p) => p.name === program)!);
  const maps =
    job.maps?.map((map) => ({ ...map, entries: cases.entries?.[map.name ?? ""] ?? [] })) ?? [];
  const [result] = askKernel([
    {
      ...job,
      maps,
      dump: true,
      runs: runs.map((run) => ({
        ...(run.packet ? { data: run.packet } : { plain: true }),
        ...(run.ctx && { ctx: run.ctx }),
      })),
    },
  ]);
  expect(result?.verdict, result?.log).toBe("accept");
  return { result: result!, runs };
}

describe.each(names)("example %s", (name) => {
  const cases = casesOf(name);

  test("runs as expected, at -O2 and -O0 alike", () => {
    const [optimized, plain] = levels.map((level) => runInVm(loadExample(name, [level]), cases));
    expect(plain).toEqual(optimized);
    expectGolden(
      JSON.stringify({ runs: optimized!.runs, maps: optimized!.shown }, null, 2),
      `examples/${name}/expected.json`,
    );
  });

  test.each(["-O2", "-O0", "-mstrict-align"])("is accepted by our verifier with %s", (word) => {
    const loaded = loadExample(name, [word]);
    const flags = word === "-mstrict-align" ? strictAlignmentFlag : 0;
    for (const program of loaded.programs) {
      const { verdict, reason } = verify(verifierInput(loaded, program, flags));
      expect({ program: program.name, verdict, reason }).toEqual({
        program: program.name,
        verdict: "accept",
        reason: "",
      });
    }
  });

  kernelTest(`${name}: the kernel accepts every program, also under strict alignment`, () => {
    for (const word of ["-O2", "-O0", "-mstrict-align"]) {
      const loaded = loadExample(name, [word]);
      const flags = word === "-mstrict-align" ? 1 : 0;
      const jobs = loaded.programs.map((program) => {
        const job = kernelJob(loaded, program);
        return { ...job, prog_flags: (job.prog_flags ?? 0) | flags };
      });
      for (const result of askKernel(jobs))
        expect(result.verdict, `${word}\n${result.log}`).toBe("accept");
    }
  });

  kernelTest(`${name}: the kernel computes what the VM computes`, () => {
    const programs = [
      ...new Set(cases.runs.filter((r) => r.kernel === undefined).map((r) => r.program)),
    ];
    expect(programs.length).toBeGreaterThan(0);
    for (const level of levels) {
      const loaded = loadExample(name, [level]);
      for (const program of programs) {
        const { result, runs } = runInKernel(loaded, cases, program);
        const ours = runInVm(loaded, cases, (run) => runs.includes(run));
        result.runs?.forEach((run, i) => {
          expect({ errno: run.errno, retval: run.retval! | 0 }, runs[i]?.name).toEqual({
            errno: 0,
            retval: ours.runs[i]!.retval,
          });
          if (runs[i]?.packet !== undefined) expect(run.data).toBe(ours.runs[i]!.packet);
        });
        expect(ignoreTime(kernelMaps(loaded, result.maps ?? []))).toEqual(ignoreTime(ours.maps));
      }
    }
  });
});

/** The kernel's process is not the simulated one: keys made of its uid are left out. */
function ignoreTime(maps: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(maps).map(([name, entries]) => [
      name,
      name === "calls_by_uid" ? entries.map((e) => e.replace(/^.*=/, "")) : entries,
    ]),
  );
}
