/**
 * Mutants of judged cases, judged by the running kernel and by our verifier:
 * `npx tsx bench/verifier-mutants.ts CASES.jsonl[.gz] [--seed N] [--per-base N] [--bases FILE]
 * [--save FILE.jsonl] [--show KIND] [--limit N]`. Only bases that the kernel accepts are used. With
 * --save the mutants on which we differ are written as cases; with --save-all, all of them. Bases
 * with open-coded iterators or work items are left out, and no mutant calls another kernel function
 * than its base: such mutants have crashed kernels that judged them.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import { parseArgs } from "node:util";
import { askKernel, type KernelJob } from "../test/support/kernel.ts";
import { randomNumbers } from "../test/support/verifier-random.ts";
import { bytesOfHex, type PortableCase, readCase } from "../vm/verifier/cases.ts";
import { decodeSlots, isKfuncCall } from "../vm/verifier/opcodes.ts";
import { judgementOf } from "./kernel-verdict.ts";
import { mutate } from "./mutate-program.ts";
import { report, showUnsupported } from "./verifier-report.ts";
import { readBases, readLines, runningKernelTypes, Score } from "./verifier-score.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    "per-base": { type: "string", default: "100" },
    bases: { type: "string" },
    save: { type: "string" },
    "save-all": { type: "boolean", default: false },
    show: { type: "string" },
    limit: { type: "string", default: "20" },
  },
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** Logs larger than this are not worth waiting for. */
const chunk = 400;

/** Ids of the kernel functions that a program calls. */
function kfuncsOf(insns: Uint8Array): ReadonlySet<number> {
  return new Set(
    decodeSlots(insns)
      .filter(isKfuncCall)
      .map(({ imm }) => imm),
  );
}

const dangerous = /^bpf_(iter|wq|task_work)_/;

function isDangerous(ids: ReadonlySet<number>): boolean {
  return [...ids].some((id) => {
    const type = kernel?.btf.types[id - 1];
    return type?.kind !== "func" || dangerous.test(type.name);
  });
}

function mutantsOf(base: PortableCase, seed: number, count: number): string[] {
  const random = randomNumbers(seed);
  const found = new Set<string>();
  const kfuncs = kfuncsOf(base.input.insns);
  if (isDangerous(kfuncs)) return [];
  for (let i = 0; i < count * 3 && found.size < count; i += 1) {
    const bytes = mutate(random, base.input.insns);
    if (bytes === undefined) continue;
    if ([...kfuncsOf(bytes)].every((id) => kfuncs.has(id))) found.add(hex(bytes));
  }
  return [...found];
}

const defaults = readBases(cli.bases);
const kernel = runningKernelTypes();
const output = cli.save === undefined ? undefined : openSync(cli.save, "w");
const score = new Score();
let made = 0;

function judgeBase(json: Record<string, unknown>, line: string): void {
  const base = readCase(line, { defaults, kernel });
  if (base === undefined) return;
  const merged = { ...defaults?.(base.base), ...json } as unknown as KernelJob;
  const mutants = mutantsOf(base, Number(cli.seed) * 1000 + made, Number(cli["per-base"]));
  for (let from = 0; from < mutants.length; from += chunk) {
    const variants = mutants.slice(from, from + chunk);
    const [answer] = askKernel([{ ...merged, variants }]);
    answer?.variants?.forEach((result, i) => {
      const judgement = judgementOf(result);
      if (judgement === undefined) return;
      made += 1;
      const { verdict, reason, processed } = judgement;
      const id = `${base.id}#${cli.seed}.${from + i}`;
      const input = { ...base.input, insns: bytesOfHex(variants[i]!) };
      const before = score.differences.length;
      score.judge({ ...base, id, input, expected: { verdict, reason, processed, r6: undefined } });
      const isDifferent = score.differences.length > before;
      if (output === undefined || !(isDifferent || cli["save-all"])) return;
      const item = { ...json, id, insns: variants[i], ...judgement };
      writeSync(output, `${JSON.stringify(item)}\n`);
    });
  }
}

for (const file of positionals) {
  for (const line of readLines(file)) {
    const json = JSON.parse(line) as Record<string, unknown>;
    if (json["verdict"] !== "reject") judgeBase(json, line);
  }
}
if (output !== undefined) closeSync(output);
console.log(`${made} mutants`);
report(score, cli.show, Number(cli.limit));
showUnsupported(score);
