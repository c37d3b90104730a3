/**
 * Real programs judged by the running kernel, as portable cases to compare our verifier with:
 * `npx tsx bench/verifier-programs.ts --save FILE.jsonl [--manifest FILE] [--levels 0,1,2]
 * [--compilers clang,bpfc] [--cpu v3] [--match TEXT]`, then `npx tsx bench/verifier-corpus.ts FILE.jsonl
 * --by-base`. Objects are relocated for the running kernel. What the kernel cannot judge here (hooks
 * that its configuration lacks) has no verdict in the file.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { loadObject } from "../linker/load.ts";
import { portableCase } from "../linker/portable-case.ts";
import { askKernel, type KernelResult } from "../test/support/kernel.ts";
import { withBpfc, withClang } from "./compile-object.ts";
import { judgementOf } from "./kernel-verdict.ts";
import { programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: {
    save: { type: "string", default: "programs.jsonl" },
    manifest: { type: "string" },
    levels: { type: "string", default: "2" },
    compilers: { type: "string", default: "clang,bpfc" },
    cpu: { type: "string", default: "v3" },
    match: { type: "string", default: "" },
  },
});

const kernelBtf = readBtf(readFileSync("/sys/kernel/btf/vmlinux"), new Diagnostics());
const compilers = { clang: withClang, bpfc: withBpfc };

/** The kernel's answer as fields of a case; none if its verifier was not reached. */
function judged(result: KernelResult | undefined): object {
  if (result === undefined || result.verdict === "error") return {};
  return judgementOf({ ...result, verdict: result.verdict }) ?? {};
}

function casesOf(object: ObjectFile, path: string, base: string): object[] {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, path, diagnostics, {
    ...(kernelBtf && { targetBtf: kernelBtf }),
    unknownKconfigIsZero: true,
  });
  if (loaded === undefined) {
    console.log(`  not loaded: ${path}: ${diagnostics.list[0]?.message}`);
    return [];
  }
  const cases = loaded.programs.map((program) => portableCase(loaded, program));
  const results = askKernel(cases);
  return cases.map((item, i) => ({ ...item, base, ...judged(results[i]) }));
}

const output = openSync(cli.save, "w");
for (const group of programGroups(cli.manifest && resolve(cli.manifest))) {
  const files = group.files.filter((file) => `${group.repo}/${file}`.includes(cli.match));
  let count = 0;
  for (const file of files) {
    for (const level of cli.levels.split(",")) {
      for (const name of cli.compilers.split(",")) {
        const compiler = name === "clang" ? compilers.clang : compilers.bpfc;
        const { object } = compiler(group, file, { cpu: cli.cpu, level });
        if (object === undefined) continue;
        const cases = casesOf(object, `${file}@${name}-O${level}`, group.repo);
        for (const item of cases) writeSync(output, `${JSON.stringify(item)}\n`);
        count += cases.length;
      }
    }
  }
  if (files.length > 0) console.log(`${group.repo}: ${count} programs`);
}
closeSync(output);
