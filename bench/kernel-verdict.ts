/** The kernel's answer in the words of portable cases. */
import type { KernelVerdict } from "../test/support/kernel.ts";
import { firstReason } from "../vm/verifier/verdict.ts";

export interface Judgement {
  readonly verdict: "accept" | "reject";
  readonly errno: number;
  readonly reason: string;
  readonly messages: readonly string[];
  readonly processed: number;
  readonly verif_us: number;
}

/** Undefined if the verifier was not reached. */
export function judgementOf(result: KernelVerdict): Judgement | undefined {
  // A few of the kernel's messages do not end their line.
  const log = result.log.replace(/(?<!\n)verification time /, "\nverification time ");
  const messages = log.split("\n").filter((line) => line.trim() !== "");
  const end = messages.findIndex((line) => line.startsWith("verification time"));
  if (end < 0) return undefined;
  const own = messages.slice(0, end);
  const time = /verification time (\d+) usec/.exec(result.log)?.[1];
  return {
    verdict: result.verdict,
    errno: result.errno,
    reason: result.verdict === "accept" ? "" : firstReason(own),
    messages: own.slice(0, 12),
    processed: Number(/processed (\d+) insns/.exec(result.log)?.[1] ?? 0),
    verif_us: Number(time ?? 0),
  };
}
