/** Verification of a program of a loaded object, with the explanation if it is not accepted. */
import type { LoadedObject, ProgramSpec } from "../../linker/program.ts";
import { type Explanation, explain } from "./explain.ts";
import type { Verdict, VerifyOptions } from "./input.ts";
import { verifierInput } from "./program-input.ts";
import { verify } from "./verify.ts";

export interface ProgramVerdict {
  readonly program: ProgramSpec;
  readonly verdict: Verdict;
  /** Present unless the verdict is accept. */
  readonly explanation?: Explanation;
}

/** `flags` are added to the program's own, e.g. strict alignment. */
export function verifyObjectProgram(
  loaded: LoadedObject,
  program: ProgramSpec,
  options: VerifyOptions = {},
  flags = 0,
): ProgramVerdict {
  const input = verifierInput(loaded, program, flags);
  const verdict = verify(input, options);
  if (verdict.verdict === "accept") return { program, verdict };
  return { program, verdict, explanation: explain(input, verdict) };
}
