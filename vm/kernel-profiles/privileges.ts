/**
 * Verdicts for callers without full privileges. What such callers may not load at all is known (by
 * program type, measured on Linux 6.18); the stricter rules of verification (pointer leaks,
 * speculation) are not modelled, so that an accepted program becomes unsupported.
 */
import type { Verdict, VerifierInput } from "../verifier/input.ts";

/** `full`: root. `cap-bpf`: CAP_BPF alone. `none`: no capability, where the sysctl allows it at all. */
export type Privileges = "full" | "cap-bpf" | "none";

const socketFilter = 1;
const cgroupSkb = 8;
const skReuseport = 21;
const skLookup = 30;
const syscall = 31;

/** Program types that may be loaded; all others give EPERM. */
const loadable: Readonly<Record<Exclude<Privileges, "full">, readonly number[]>> = {
  none: [socketFilter, cgroupSkb],
  "cap-bpf": [socketFilter, cgroupSkb, skReuseport, skLookup, syscall],
};

const unprivilegedSizeLimit = 4096;
const errnoPermission = 1;
const errnoTooBig = 7;

function refused(verdict: Verdict, reason: string, errno: number): Verdict {
  const { insn: _insn, facts: _facts, ...rest } = verdict;
  return { ...rest, verdict: "reject", reason, messages: [], errno, processed: 0, log: "" };
}

/** The verdict for a caller with these privileges, given that for root. */
export function withPrivileges(
  input: Pick<VerifierInput, "programType" | "insns">,
  verdict: Verdict,
  privileges: Privileges,
): Verdict {
  if (privileges === "full") return verdict;
  if (!loadable[privileges].includes(input.programType)) {
    return refused(verdict, "this program type needs more privileges (EPERM)", errnoPermission);
  }
  if (privileges === "none" && input.insns.length / 8 > unprivilegedSizeLimit) {
    const reason = `more than ${unprivilegedSizeLimit} instructions without CAP_BPF (E2BIG)`;
    return refused(verdict, reason, errnoTooBig);
  }
  if (verdict.verdict !== "accept") return verdict;
  return { ...verdict, verdict: "unsupported", reason: "verification without full privileges" };
}
