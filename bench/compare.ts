/**
 * bpfc beside clang-19 over a set of programs: what compiles, what the running kernel accepts,
 * instructions emitted and processed by the kernel's verifier.
 * Run: npx tsx bench/compare.ts [--manifest FILE] [--level 2] [--cpu v3] [--match TEXT] [--failures]
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { loadObject } from "../linker/load.ts";
import { portableCase } from "../linker/portable-case.ts";
import { askKernel } from "../test/support/kernel.ts";
import { type Compiled, instructionCount, withBpfc, withClang } from "./compile-object.ts";
import { lastReason, processedOf } from "./kernel-verdict.ts";
import { geometricMean, type ProgramGroup, programGroups } from "./programs.ts";

interface Measured {
  readonly compiled: boolean;
  readonly error: string;
  readonly instructions: number;
  /** Per program of the object, by name. */
  readonly programs: ReadonlyMap<string, { accepted: boolean; processed: number; log: string }>;
}

interface Row {
  readonly file: string;
  readonly clang: Measured;
  readonly bpfc: Measured;
}

const { values: cli } = parseArgs({
  options: {
    manifest: { type: "string" },
    level: { type: "string", default: "2" },
    cpu: { type: "string", default: "v3" },
    match: { type: "string", default: "" },
    failures: { type: "boolean", default: false },
    json: { type: "string" },
  },
});
const target = { cpu: cli.cpu, level: cli.level };

// Objects are relocated for the running kernel, so that its functions and types are found.
const kernelTypes = "/sys/kernel/btf/vmlinux";
const kernelBtf = existsSync(kernelTypes)
  ? readBtf(readFileSync(kernelTypes), new Diagnostics())
  : undefined;

function measure(compiled: Compiled, file: string): Measured {
  const { object } = compiled;
  const nothing = {
    compiled: false,
    error: compiled.error ?? "",
    instructions: 0,
    programs: new Map(),
  };
  if (object === undefined) return nothing;
  const diagnostics = new Diagnostics();
  const loaded = loadObject(object, file, diagnostics, {
    ...(kernelBtf && { targetBtf: kernelBtf }),
    unknownKconfigIsZero: true,
  });
  const instructions = instructionCount(object);
  if (loaded === undefined) {
    return {
      ...nothing,
      compiled: true,
      instructions,
      error: `load: ${diagnostics.list[0]?.message}`,
    };
  }
  const results = askKernel(loaded.programs.map((program) => portableCase(loaded, program)));
  const programs = new Map(
    loaded.programs.map((program, i) => {
      const result = results[i];
      const accepted = result?.verdict === "accept";
      return [
        program.name,
        { accepted, processed: result ? processedOf(result) : 0, log: result?.log ?? "" },
      ] as const;
    }),
  );
  return { compiled: true, error: "", instructions, programs };
}

function rejectedOnlyByUs(row: Row): string[] {
  return [...row.clang.programs].flatMap(([name, clang]) => {
    const ours = row.bpfc.programs.get(name);
    return clang.accepted && ours?.accepted !== true ? [name] : [];
  });
}

function showFailures(rows: readonly Row[]): void {
  for (const row of rows) {
    if (row.clang.compiled && !row.bpfc.compiled)
      console.log(`  not compiled: ${row.file}: ${row.bpfc.error}`);
    else if (row.clang.error === "" && row.bpfc.error !== "")
      console.log(`  not loaded: ${row.file}: ${row.bpfc.error}`);
    else {
      for (const name of rejectedOnlyByUs(row)) {
        console.log(
          `  rejected: ${row.file} ${name}: ${lastReason(row.bpfc.programs.get(name)?.log ?? "")}`,
        );
      }
    }
  }
}

function showGroup(group: ProgramGroup, rows: readonly Row[]): { size: number; work: number } {
  const byClang = rows.filter((row) => row.clang.compiled);
  // Objects of data alone have no instructions to compare.
  const both = byClang.filter((row) => row.bpfc.compiled);
  const withCode = both.filter((row) => row.clang.instructions > 0);
  const accepted = byClang.flatMap((row) =>
    [...row.clang.programs.values()].filter((p) => p.accepted),
  );
  const lost = byClang.flatMap(rejectedOnlyByUs);
  const size = geometricMean(withCode.map((row) => row.bpfc.instructions / row.clang.instructions));
  const effort = geometricMean(
    both.flatMap((row) =>
      [...row.clang.programs].flatMap(([name, clang]) => {
        const ours = row.bpfc.programs.get(name);
        return clang.accepted && ours?.accepted ? [ours.processed / clang.processed] : [];
      }),
    ),
  );
  const cells = [
    group.repo.padEnd(26),
    `${both.length}/${byClang.length}`.padStart(9),
    `${accepted.length - lost.length}/${accepted.length}`.padStart(9),
    size.toFixed(3).padStart(8),
    effort.toFixed(3).padStart(8),
  ];
  console.log(cells.join(" "));
  if (cli.failures) showFailures(rows);
  return { size, work: effort };
}

console.log(`bpfc / clang-19 at -O${cli.level} -mcpu=${cli.cpu}`);
console.log(`${"".padEnd(26)}  compiles  accepted    insns processed`);
const totals: { size: number; work: number }[] = [];
const worst: { file: string; ratio: number }[] = [];
for (const group of programGroups(cli.manifest && resolve(cli.manifest))) {
  const rows = group.files
    .filter((file) => `${group.repo}/${file}`.includes(cli.match))
    .map((file): Row => {
      const clang = measure(withClang(group, file, target), file);
      const bpfc = clang.compiled ? measure(withBpfc(group, file, target), file) : clang;
      return { file, clang, bpfc };
    });
  if (rows.length === 0) continue;
  totals.push(showGroup(group, rows));
  worst.push(
    ...rows
      .filter((r) => r.bpfc.compiled && r.clang.instructions > 0)
      .map((r) => ({
        file: `${group.repo}/${r.file} ${r.bpfc.instructions}/${r.clang.instructions}`,
        ratio: r.bpfc.instructions / r.clang.instructions,
      })),
  );
}
console.log(
  `${"geometric mean".padEnd(46)} ${geometricMean(totals.map((t) => t.size))
    .toFixed(3)
    .padStart(8)} ${geometricMean(totals.map((t) => t.work))
    .toFixed(3)
    .padStart(8)}`,
);
worst.sort((a, b) => b.ratio - a.ratio);
for (const { file, ratio } of worst.slice(0, 8)) console.log(`  ${ratio.toFixed(2)}  ${file}`);
