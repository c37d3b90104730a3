/** `bpfc verify`: the kernel's verdict without a kernel, at the C line. */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import { modelledKernel } from "../../vm/kernel-profiles/kernel-answer.ts";
import { type Privileges, withPrivileges } from "../../vm/kernel-profiles/privileges.ts";
import { explain } from "../../vm/verifier/explain.ts";
import { profileOf } from "../../vm/verifier/profile.ts";
import { verifierInput } from "../../vm/verifier/program-input.ts";
import { type ProgramVerdict, verifyObjectProgram } from "../../vm/verifier/verify-program.ts";
import { type LoadedFile, lacksHookType, openFile } from "../load.ts";
import { type DiagnosticsFormat, plainReport, print, printError, report } from "../report.ts";
import { judgeCases } from "./cases.ts";
import { judgeForKernel, showMatrix } from "./kernels.ts";
import { profileText } from "./profile.ts";
import { addCost, addRejection } from "./rejection.ts";

export interface VerifyCommandOptions {
  readonly program?: string;
  readonly btf?: string;
  readonly moduleBtf?: readonly string[];
  readonly kallsyms?: string;
  readonly logLevel: string;
  readonly cases?: string;
  readonly json?: boolean;
  readonly diagnostics: string;
  readonly profile?: boolean;
  readonly maxProcessed?: string;
  readonly kernel: string;
  readonly matrix?: boolean;
  readonly unpriv?: boolean;
  readonly capBpf?: boolean;
}

const formats: readonly string[] = [
  "clang",
  "json",
  "sarif",
] satisfies readonly DiagnosticsFormat[];

/** The options as values, or what is wrong with them. */
interface Settings {
  readonly format: DiagnosticsFormat;
  readonly maxProcessed: number | undefined;
  readonly privileges: Privileges;
  readonly logLevel: number;
}

function settingsOf(options: VerifyCommandOptions): Settings | string {
  const { diagnostics, maxProcessed, unpriv, capBpf, logLevel } = options;
  if (!formats.includes(diagnostics)) return `no format of diagnostics: '${diagnostics}'`;
  const limit = maxProcessed === undefined ? undefined : Number(maxProcessed);
  if (limit !== undefined && !(Number.isInteger(limit) && limit > 0)) {
    return `not a number of instructions: '${maxProcessed}'`;
  }
  const privileges = unpriv ? "none" : capBpf ? "cap-bpf" : "full";
  const format = diagnostics as DiagnosticsFormat;
  return { format, maxProcessed: limit, privileges, logLevel: Number(logLevel) || 0 };
}

function showVerdict(judged: ProgramVerdict, options: VerifyCommandOptions): void {
  const { program, verdict } = judged;
  const { verdict: kind, reason, insn, processed, states, messages } = verdict;
  if (options.json) {
    const { name, section } = program;
    const profile = options.profile ? { profile: profileOf(program, verdict) } : {};
    const answer = { program: name, section, verdict: kind, reason, insn, processed, states };
    print(JSON.stringify({ ...answer, messages, ...profile }));
    return;
  }
  if (options.logLevel !== "0") print(verdict.log);
  const why = reason === "" ? "" : `: ${reason}`;
  print(`${program.name} (${program.section}): ${kind}${why}, ${processed} instructions processed`);
  if (options.profile) print(profileText(program, verdict));
}

function judgeProgram(
  loaded: LoadedObject,
  program: ProgramSpec,
  settings: Settings,
  profile: boolean,
): ProgramVerdict {
  const { logLevel, privileges } = settings;
  const judged = verifyObjectProgram(loaded, program, { logLevel, profile });
  const { type: programType, insns } = program;
  const verdict = withPrivileges({ programType, insns }, judged.verdict, privileges);
  if (verdict === judged.verdict) return judged;
  const explanation = explain(verifierInput(loaded, program, 0), verdict);
  return { program, verdict, explanation };
}

/** Where the kernel's types are wanted and none were named, those that ship serve. */
function judgeWithTypes(
  { loaded, forShippedKernel }: LoadedFile,
  program: ProgramSpec,
  settings: Settings,
  profile: boolean,
): ProgramVerdict {
  const judged = judgeProgram(loaded, program, settings, profile);
  const wantsTypes = judged.verdict.verdict === "unsupported" || lacksHookType(program);
  if (!wantsTypes || loaded.targetBtf) return judged;
  const typed = forShippedKernel();
  const again = typed?.programs.find(({ name }) => name === program.name);
  if (typed === undefined || again === undefined) return judged;
  return judgeProgram(typed, again, settings, profile);
}

function judge(
  file: LoadedFile,
  programs: readonly ProgramSpec[],
  options: VerifyCommandOptions,
  settings: Settings,
): number {
  const diagnostics = new Diagnostics();
  const machineReadable = settings.format !== "clang";
  const profile = options.profile === true;
  for (const program of programs) {
    const judged = judgeWithTypes(file, program, settings, profile);
    if (!machineReadable) showVerdict(judged, options);
    addRejection(diagnostics, judged);
    addCost(diagnostics, judged, settings.maxProcessed);
  }
  const { list, hasErrors } = diagnostics;
  if (machineReadable || !options.json) report(list, { ...plainReport, format: settings.format });
  return hasErrors ? 1 : 0;
}

/** Runs the subcommand; exit code 0 where every program is accepted. */
export async function runVerify(
  file: string | undefined,
  options: VerifyCommandOptions,
  words: readonly string[],
): Promise<number> {
  if (options.cases !== undefined) return judgeCases(options.cases, options.btf);
  const settings = file === undefined ? "no input file" : settingsOf(options);
  if (file === undefined || typeof settings === "string") {
    printError(`bpfc: error: ${settings}`);
    return 1;
  }
  const opened = await openFile(file, words, options);
  if (opened === undefined) return 1;
  const { loaded } = opened;
  const { program: name, json = false } = options;
  const programs = loaded.programs.filter((p) => name === undefined || p.name === name);
  if (programs.length === 0) {
    printError(
      `bpfc: error: no program ${name === undefined ? "" : `'${name}' `}in '${loaded.path}'`,
    );
    return 1;
  }
  if (options.matrix) return showMatrix(loaded, programs, json);
  if (options.kernel !== modelledKernel) {
    return judgeForKernel(loaded, programs, options.kernel, json);
  }
  return judge(opened, programs, options, settings);
}
