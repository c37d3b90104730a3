/**
 * What is known of a program on a kernel other than the modelled one: facts that block it, or none.
 * Only Linux 6.18 is modelled; for others the answer is never "accepted".
 */
import {
  compareVersions,
  kernelLimits,
  longTermReleases,
} from "../../common/platform/kernel-versions.ts";
import type { KernelVersion } from "../../common/platform/rows.ts";
import { programTypeForSection } from "../../common/platform/sections.ts";
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import type { Verdict, VerifierInput } from "../verifier/input.ts";
import { verifierInput } from "../verifier/program-input.ts";
import { verify } from "../verifier/verify.ts";
import { forRelease } from "./release-values.ts";
import { type Requirement, requirementsOf } from "./requirements.ts";

/** The kernel whose verifier is modelled. */
export const modelledKernel: KernelVersion = "6.18";

export type KernelAnswer =
  | { readonly kind: "modelled"; readonly verdict: Verdict }
  /** The newest requirement first. */
  | { readonly kind: "blocked"; readonly by: readonly Requirement[] }
  | { readonly kind: "no-known-blocker" }
  | { readonly kind: "unknown"; readonly reason: string };

/** What was found out about a program once, for answers about any kernel. */
export interface KernelFindings {
  readonly verdict: Verdict;
  readonly requirements: readonly Requirement[];
}

/** Long-term releases from 4.19 on, oldest first: what `--matrix` shows. */
export function profiledKernels(): readonly KernelVersion[] {
  const releases = longTermReleases().map((row) => row.kernel);
  return releases.filter((kernel) => compareVersions(kernel, "4.19") >= 0);
}

/** Reads of stack bytes that nothing wrote: refused before 6.3, and before 5.15.163 or so. */
function stackRequirements(input: VerifierInput, verdict: Verdict): readonly Requirement[] {
  if (verdict.verdict !== "accept") return [];
  const strict = verify(input, { strictStack: true });
  if (strict.verdict !== "reject") return [];
  const what = `stack bytes that nothing wrote are read (${strict.reason})`;
  const patched = ["5.15", "6.1"];
  return [{ what, since: "6.3", patched, ...(strict.insn !== undefined && { insn: strict.insn }) }];
}

/**
 * Verdict of the modelled kernel and everything dated that the program needs, as it is loaded on
 * the given release.
 */
export function findKernelFacts(
  loaded: LoadedObject,
  program: ProgramSpec,
  kernel: KernelVersion = modelledKernel,
): KernelFindings {
  const input = verifierInput(forRelease(loaded, kernel), program, 0);
  const section = programTypeForSection(program.section);
  const names = new Map(
    program.kernelReferences
      .filter(({ kind }) => kind === "kfunc")
      .map(({ slot, name, weak }) => [slot, weak ? null : name]),
  );
  const attachTypeOptional =
    section?.definition.flags.includes("expected_attach_type_optional") ?? false;
  return inputFacts(input, attachTypeOptional, (insn) => names.get(insn));
}

/** The same of a program that is given as it would be loaded. */
export function inputFacts(
  input: VerifierInput,
  attachTypeOptional = true,
  kfuncAt: (insn: number) => string | undefined | null = () => undefined,
): KernelFindings {
  const { visits, ...verdict } = verify(input, { profile: true });
  const { contextOffsets, contextConstant } = verdict;
  const isVisited = (at: number): boolean =>
    verdict.verdict !== "accept" || (visits?.[at] ?? 0) > 0;
  const subject = {
    input,
    attachTypeOptional,
    kfuncAt,
    contextOffsets,
    contextConstant,
    isVisited,
  };
  const requirements = requirementsOf(subject);
  return { verdict, requirements: [...requirements, ...stackRequirements(input, verdict)] };
}

function isMissing(requirement: Requirement, kernel: KernelVersion): boolean {
  const { since, neededFrom } = requirement;
  if (neededFrom !== undefined && compareVersions(kernel, neededFrom) < 0) return false;
  return compareVersions(kernel, since) < 0;
}

const processedLimit = "instructions processed by the verifier";

function processedLimitOf(kernel: KernelVersion): number {
  const row = kernelLimits().find(
    ([name, , since, until]) =>
      name === processedLimit &&
      compareVersions(kernel, since) >= 0 &&
      (until === undefined || compareVersions(kernel, until) <= 0),
  );
  return row?.[1] ?? Number.POSITIVE_INFINITY;
}

/** The answer for one kernel. */
export function answerFor(findings: KernelFindings, kernel: KernelVersion): KernelAnswer {
  const { verdict, requirements } = findings;
  if (kernel === modelledKernel) return { kind: "modelled", verdict };
  const missing = requirements.filter((requirement) => isMissing(requirement, kernel));
  const by = missing.filter(({ patched }) => !patched?.includes(kernel));
  const [perhaps] = missing;
  if (by.length > 0) {
    return { kind: "blocked", by: by.sort((a, b) => compareVersions(b.since, a.since)) };
  }
  if (perhaps !== undefined) {
    const reason = `only later patches of ${kernel} take it: ${perhaps.what}`;
    return { kind: "unknown", reason };
  }
  if (verdict.verdict !== "accept") {
    const why = verdict.verdict === "reject" ? "rejects it" : "is not modelled that far";
    return { kind: "unknown", reason: `${modelledKernel} ${why}: ${verdict.reason}` };
  }
  const limit = processedLimitOf(kernel);
  if (verdict.processed > limit) {
    const reason = `${modelledKernel} processes ${verdict.processed} instructions, the limit there is ${limit}`;
    return { kind: "unknown", reason };
  }
  return { kind: "no-known-blocker" };
}

/** The oldest release with no requirement missing; undefined where the modelled kernel refuses. */
export function minimumKernel(findings: KernelFindings): KernelVersion | undefined {
  if (findings.verdict.verdict !== "accept") return undefined;
  return findings.requirements.reduce<KernelVersion>(
    (oldest, { since }) => (compareVersions(since, oldest) > 0 ? since : oldest),
    "3.18",
  );
}
