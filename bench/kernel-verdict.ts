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

/** Instructions that the verifier went through, by its log. */
export function processedOf({ log }: Pick<KernelVerdict, "log">): number {
  return Number(/processed (\d+) insns/.exec(log)?.[1] ?? 0);
}

/** The last lines that say something of the program. */
export function lastReason(log: string): string {
  const lines = log
    .split("\n")
    .filter((line) => line !== "" && !/^(verification time|stack depth|processed)/.test(line));
  return lines.slice(-3).join(" / ").slice(-300);
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
    processed: processedOf(result),
    verif_us: Number(time ?? 0),
  };
}
