/** `bpfc verify --kernel` and `--matrix`: programs against kernels other than the modelled one. */
import type { KernelVersion } from "../../common/platform/rows.ts";
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import {
  answerFor,
  findKernelFacts,
  type KernelAnswer,
  type KernelFindings,
  minimumKernel,
  modelledKernel,
  profiledKernels,
} from "../../vm/kernel-profiles/kernel-answer.ts";
import { forRelease } from "../../vm/kernel-profiles/release-values.ts";
import type { Requirement } from "../../vm/kernel-profiles/requirements.ts";
import { print, printError } from "../report.ts";

const verdictWords = {
  accept: "accepted",
  reject: "rejected",
  unsupported: "unsupported",
} as const;

function place(program: ProgramSpec, { insn }: Requirement): string {
  const line = insn === undefined ? undefined : program.lines.findLast((l) => l.slot <= insn);
  if (line !== undefined) return ` at ${line.file}:${line.line}`;
  return insn === undefined ? "" : ` at instruction ${insn}`;
}

function answerText(program: ProgramSpec, answer: KernelAnswer): string {
  switch (answer.kind) {
    case "modelled": {
      const { verdict, reason } = answer.verdict;
      return `${verdictWords[verdict]}${reason === "" ? "" : `: ${reason}`}`;
    }
    case "blocked": {
      const [first, ...more] = answer.by;
      if (first === undefined) return "blocked";
      const others = more.length === 0 ? "" : `, and ${more.length} more`;
      return `blocked by ${first.what} (since ${first.since})${place(program, first)}${others}`;
    }
    case "no-known-blocker":
      return "no known blocker";
    case "unknown":
      return `unknown: ${answer.reason}`;
  }
}

const cells: Readonly<Record<KernelAnswer["kind"], string>> = {
  modelled: "",
  blocked: "blocked",
  "no-known-blocker": "-",
  unknown: "unknown",
};

function cell(answer: KernelAnswer): string {
  return answer.kind === "modelled" ? verdictWords[answer.verdict.verdict] : cells[answer.kind];
}

function isBad(answer: KernelAnswer): boolean {
  return answer.kind === "modelled"
    ? answer.verdict.verdict !== "accept"
    : answer.kind === "blocked";
}

interface Row {
  readonly program: ProgramSpec;
  readonly findings: KernelFindings;
  readonly answers: readonly (readonly [KernelVersion, KernelAnswer])[];
}

/** Objects that ask for the kernel's release are another program to each. */
function rowOf(loaded: LoadedObject, program: ProgramSpec): Row {
  const findings = findKernelFacts(loaded, program);
  const answers = profiledKernels().map((kernel) => {
    const isSame = forRelease(loaded, kernel) === loaded;
    const own = isSame ? findings : findKernelFacts(loaded, program, kernel);
    return [kernel, answerFor(own, kernel)] as const;
  });
  return { program, findings, answers };
}

/** What decides first: the newest requirement, or the modelled kernel's reason. */
function decidingText({ program, findings }: Row): string {
  const { verdict, requirements } = findings;
  if (verdict.verdict !== "accept") return `${modelledKernel}: ${verdict.reason}`;
  const minimum = minimumKernel(findings);
  const newest = requirements.find((requirement) => requirement.since === minimum);
  return newest === undefined ? "" : `${newest.what}${place(program, newest)}`;
}

function matrixText(rows: readonly Row[]): string {
  const kernels = profiledKernels();
  const width = Math.max(7, ...rows.map(({ program }) => program.name.length));
  const head = ["program".padEnd(width), ...kernels.map((k) => k.padEnd(8)), "minimum  because of"];
  const lines = rows.map((row) => {
    const answers = row.answers.map(([, answer]) => cell(answer).padEnd(8));
    const minimum = (minimumKernel(row.findings) ?? "none").padEnd(7);
    return [row.program.name.padEnd(width), ...answers, minimum, decidingText(row)].join(" ");
  });
  return [head.join(" "), ...lines, "-: no known blocker"].join("\n");
}

function matrixJson({ program, findings, answers: own }: Row): object {
  const answers = own.map(([kernel, answer]) => [
    kernel,
    { answer: cell(answer), text: answerText(program, answer) },
  ]);
  return {
    program: program.name,
    section: program.section,
    minimum: minimumKernel(findings) ?? null,
    kernels: Object.fromEntries(answers),
    requirements: findings.requirements,
  };
}

/** Program × kernel; exit code 0: a table answers, it does not judge. */
export function showMatrix(
  loaded: LoadedObject,
  programs: readonly ProgramSpec[],
  json: boolean,
): number {
  const rows = programs.map((program) => rowOf(loaded, program));
  if (json) for (const row of rows) print(JSON.stringify(matrixJson(row)));
  else print(matrixText(rows));
  return 0;
}

/** The answers for one kernel; exit code 1 where a program is blocked. */
export function judgeForKernel(
  loaded: LoadedObject,
  programs: readonly ProgramSpec[],
  kernel: KernelVersion,
  json: boolean,
): number {
  if (!profiledKernels().includes(kernel)) {
    printError(
      `bpfc: error: no profile of kernel '${kernel}' (known: ${profiledKernels().join(", ")})`,
    );
    return 1;
  }
  let code = 0;
  for (const program of programs) {
    const answer = answerFor(findKernelFacts(loaded, program, kernel), kernel);
    const text = answerText(program, answer);
    if (json) {
      const by = answer.kind === "blocked" ? answer.by : [];
      print(JSON.stringify({ program: program.name, kernel, answer: cell(answer), text, by }));
    } else print(`${program.name} (${program.section}) on ${kernel}: ${text}`);
    if (isBad(answer)) code = 1;
  }
  return code;
}
