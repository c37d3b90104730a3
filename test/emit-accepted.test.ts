/**
 * Programs that a careless code generator gets refused, one rule of the kernel's verifier each: all
 * must load, for every CPU version and optimisation level; those that say "Optimised only", from -O1 on.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { findBackEdge } from "../vm/kernel-profiles/back-edges.ts";
import { decodeSlots, isJumpClass, opCall, type RawInsn } from "../vm/verifier/opcodes.ts";
import { askKernel, kernelTest } from "./support/kernel.ts";
import { compileFile, kernelJob, load } from "./support/toolchain.ts";

const folder = join(import.meta.dirname, "cases/emit-accepted");
const files = readdirSync(folder).filter((name) => name.endsWith(".c"));
const variants = [
  ...["v1", "v2", "v3", "v4"].flatMap((cpu) => [
    [`-mcpu=${cpu}`, "-O2"],
    [`-mcpu=${cpu}`, "-O0"],
  ]),
  ["-O1"],
  ["-O3"],
  ["-Os"],
  ["-O2", "-mstrict-align"],
];
/** What kernels before 6.6 take no way back from. */
const isNoJump = ({ code }: RawInsn): boolean => !isJumpClass(code) || code === opCall;
/** BPF_F_STRICT_ALIGNMENT. */
const strictFlag = 1;

for (const file of files) {
  const isOptimised = readFileSync(join(folder, file), "utf8").startsWith("// Optimised only: ");
  const wanted = variants.filter((words) => !isOptimised || !words.includes("-O0"));
  kernelTest(`${file} is accepted in ${wanted.length} variants`, () => {
    const jobs = wanted.flatMap((words) => {
      const loaded = load(compileFile(join(folder, file), words), file);
      const flags = words.includes("-mstrict-align") ? strictFlag : 0;
      return loaded.programs.map((program) => {
        expect(findBackEdge(decodeSlots(program.insns), isNoJump), program.name).toBe(undefined);
        const job = kernelJob(loaded, program);
        return { words, job: { ...job, prog_flags: (job.prog_flags ?? 0) | flags } };
      });
    });
    const results = askKernel(jobs.map(({ job }) => job));
    const refused = results.flatMap(({ verdict, log }, at) =>
      verdict === "accept" ? [] : [`${jobs[at]?.words.join(" ")}: ${log.slice(-800)}`],
    );
    expect(refused).toEqual([]);
  });
}
