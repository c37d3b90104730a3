/** `bpfc verify --profile`: what a verification cost, by function and by C line. */
import type { ProgramSpec } from "../../linker/program.ts";
import type { Verdict } from "../../vm/verifier/input.ts";
import { type ProfileEntry, profileOf } from "../../vm/verifier/profile.ts";

const shownLines = 20;

function row(entry: ProfileEntry, what: string): string {
  const share = `${(entry.share * 100).toFixed(1)} %`;
  const processed = String(entry.processed).padStart(9);
  return `${processed}  ${share.padStart(7)}  ${String(entry.states).padStart(7)}  ${what}`;
}

/** A table of functions and one of the most expensive lines. */
export function profileText(program: ProgramSpec, verdict: Verdict): string {
  const { functions, lines } = profileOf(program, verdict);
  const shown = lines.slice(0, shownLines);
  const rest = lines.length - shown.length;
  return [
    "processed    share   states  function",
    ...functions.map((fn) => row(fn, fn.name)),
    "processed    share   states  line",
    ...shown.map((line) => row(line, `${line.file}:${line.line}: ${line.text}`)),
    ...(rest > 0 ? [`${" ".repeat(29)}and ${rest} more lines`] : []),
  ].join("\n");
}
