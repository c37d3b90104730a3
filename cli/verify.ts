/** `bpfc verify`: the kernel's verdict without a kernel, at the C line. */
import { readFileSync } from "node:fs";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { LoadedObject, ProgramSpec } from "../linker/program.ts";
import { readCase, watchOfCase } from "../vm/verifier/cases.ts";
import type { Verdict } from "../vm/verifier/input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { verifyObjectProgram } from "../vm/verifier/verify-program.ts";
import { loadFile } from "./load.ts";
import { plainReport, print, printError, report } from "./report.ts";
import { addRejection } from "./verify-object.ts";

export interface VerifyCommandOptions {
  readonly program?: string;
  readonly btf?: string;
  readonly logLevel: string;
  readonly cases?: string;
  readonly json?: boolean;
}

/** One JSON line per portable case; measurements read them. */
function judgeCases(path: string): number {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    printError(`bpfc: error: no such file or directory: '${path}'`);
    return 1;
  }
  let code = 0;
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const portable = readCase(line);
    if (portable === undefined) {
      printError(`bpfc: error: ${path}:${index + 1}: not a portable case`);
      code = 1;
      return;
    }
    const watch = watchOfCase(portable.input);
    const verdict = verify(portable.input, { watch });
    const { verdict: kind, reason, messages, insn, processed, watched } = verdict;
    print(
      JSON.stringify({
        id: portable.id,
        verdict: kind,
        reason,
        messages,
        insn,
        processed,
        r6: watched ?? [],
      }),
    );
  });
  return code;
}

function showVerdict(program: ProgramSpec, verdict: Verdict, options: VerifyCommandOptions): void {
  const { verdict: kind, reason, insn, processed, states } = verdict;
  if (options.json) {
    print(
      JSON.stringify({
        program: program.name,
        section: program.section,
        verdict: kind,
        reason,
        insn,
        processed,
        states,
        messages: verdict.messages,
      }),
    );
    return;
  }
  if (options.logLevel !== "0") print(verdict.log);
  const why = reason === "" ? "" : `: ${reason}`;
  print(`${program.name} (${program.section}): ${kind}${why}, ${processed} instructions processed`);
}

function judge(loaded: LoadedObject, options: VerifyCommandOptions): number {
  const programs = loaded.programs.filter(
    (p) => options.program === undefined || p.name === options.program,
  );
  if (programs.length === 0) {
    printError(
      `bpfc: error: no program ${options.program === undefined ? "" : `'${options.program}' `}in '${loaded.path}'`,
    );
    return 1;
  }
  const diagnostics = new Diagnostics();
  for (const program of programs) {
    const judged = verifyObjectProgram(loaded, program, {
      logLevel: Number(options.logLevel) || 0,
    });
    showVerdict(program, judged.verdict, options);
    addRejection(diagnostics, judged);
  }
  if (!options.json) report(diagnostics.list, plainReport);
  return diagnostics.hasErrors ? 1 : 0;
}

/** Runs the subcommand; exit code 0 where every program is accepted. */
export async function runVerify(
  file: string | undefined,
  options: VerifyCommandOptions,
  words: readonly string[],
): Promise<number> {
  if (options.cases !== undefined) return judgeCases(options.cases);
  if (file === undefined) {
    printError("bpfc: error: no input file");
    return 1;
  }
  const loaded = await loadFile(file, words, options.btf);
  return loaded === undefined ? 1 : judge(loaded, options);
}
