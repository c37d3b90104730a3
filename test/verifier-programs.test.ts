/**
 * Programs of ours that use what the kernel's types describe, each with the verdict, reason and
 * processed instructions of Linux 6.18. The kernel itself is asked again where there is one;
 * `BLESS=1` writes what it says.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judgementOf } from "../bench/kernel-verdict.ts";
import { readLines, runningKernelTypes, Score } from "../bench/verifier-score.ts";
import { shippedKernelBtf } from "../cli/kernel-types/shipped-btf.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { loadObject } from "../linker/load.ts";
import { portableCase } from "../linker/portable-case.ts";
import type { LoadedObject } from "../linker/program.ts";
import { readCase } from "../vm/verifier/cases.ts";
import { kernelTypesOf } from "../vm/verifier/program-input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { compileWith } from "./support/compile.ts";
import { expectGolden } from "./support/golden.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";

const folder = "test/cases/verifier-programs";
const path = join(import.meta.dirname, "..", folder);
const header = readFileSync(join(path, "programs.h"), "utf8");
const names = readdirSync(path).filter((name) => name.endsWith(".bpf.c"));

function load(name: string, kernel: Btf): LoadedObject {
  const text = readFileSync(join(path, name), "utf8");
  const object = compileWith({ [name]: text, "programs.h": header }, name);
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, name, diagnostics, { targetBtf: kernel });
  if (loaded === undefined) throw new Error(diagnostics.list[0]?.message);
  return loaded;
}

interface Answer {
  readonly verdict: string;
  readonly reason: string;
  readonly processed: number;
}

/** Ids of kernel types differ from kernel to kernel. */
function line(program: string, { verdict, reason, processed }: Answer): string {
  const masked = reason.replace(/#\d{3,}/g, "#N").replace(/btf_id \d+/g, "btf_id N");
  return `${program}: ${verdict}, ${processed} processed${masked === "" ? "" : `: ${masked}`}`;
}

function ours(loaded: LoadedObject, kernel: Btf): string[] {
  return loaded.programs.map((program) => {
    const text = JSON.stringify(portableCase(loaded, program));
    const item = readCase(text, { kernel: kernelTypesOf(kernel) });
    if (item === undefined) throw new Error("not a case");
    return line(program.name, verify(item.input));
  });
}

function theKernels(loaded: LoadedObject): string[] {
  const cases = loaded.programs.map((program) => portableCase(loaded, program));
  return askKernel(cases).map((result, i) => {
    const { name } = loaded.programs[i]!;
    const verdict = result.verdict === "error" ? undefined : result.verdict;
    const judgement = verdict && judgementOf({ ...result, verdict });
    return judgement === undefined ? `${name}: ${result.log}` : line(name, judgement);
  });
}

describe("programs with objects of the kernel and of their own", () => {
  const bytes = shippedKernelBtf();
  const shipped = bytes && readBtf(bytes, new Diagnostics());
  if (shipped === undefined) throw new Error("no kernel types");
  const bless = process.env["BLESS"] === "1";
  /** Machines that let no program watch security hooks and functions are no judges of them. */
  const unjudged: readonly string[] = ["lsm.bpf.c", "traced-functions.bpf.c"];

  for (const name of names) {
    const file = join(folder, name.replace(/\.bpf\.c$/, ".verdicts"));
    const judge = unjudged.includes(name) ? undefined : kernelTest;
    judge?.(`the kernel on ${name}`, () => {
      const running = runningKernelTypes()?.btf;
      if (running === undefined) throw new Error("the kernel does not show its types");
      expectGolden(theKernels(load(name, running)).join("\n"), file);
    });
    test(`the verifier on ${name}`, () => {
      const loaded = load(name, shipped);
      const text = ours(loaded, shipped).join("\n");
      if (bless && judge)
        expect(`${text}\n`).toBe(readFileSync(join(path, "..", "..", "..", file), "utf8"));
      else expectGolden(text, file);
    });
  }
});

describe("mutants of these programs", () => {
  const bytes = shippedKernelBtf();
  const shipped = bytes && readBtf(bytes, new Diagnostics());
  if (shipped === undefined) throw new Error("no kernel types");
  const step = process.env["FULL"] === undefined ? 2 : 1;
  const score = new Score();
  readLines(join(import.meta.dirname, "cases/verifier/objects.jsonl.gz")).forEach((text, index) => {
    if (index % step !== 0) return;
    const item = readCase(text, { kernel: kernelTypesOf(shipped) });
    if (item === undefined) throw new Error(`line ${index + 1} is not a case`);
    score.judge(item);
  });

  test.each(["false-accept", "false-reject", "unsupported", "text", "processed"])(
    "no %s",
    (kind) => {
      expect(score.get("accept→accept")).toBeGreaterThan(40);
      expect(score.get("reject→reject")).toBeGreaterThan(150);
      const found = score.differences.filter((difference) => difference.kind === kind);
      expect(found.map((difference) => difference.item.id)).toEqual([]);
    },
  );
});
