/** Source lines in the log: `; text @ file.c:12`. */
import type { Env } from "./env.ts";
import type { VerifierLine } from "./input.ts";

/** The line that an instruction belongs to: the last one that starts at or before it. */
export function lineAt(
  lines: readonly VerifierLine[] | undefined,
  insn: number,
): VerifierLine | undefined {
  if (lines === undefined || lines.length === 0) return undefined;
  let low = 0;
  let high = lines.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (lines[middle]!.insn <= insn) low = middle;
    else high = middle - 1;
  }
  return lines[low];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Says an instruction's line, unless it was the last one said. */
export function verboseLine(env: Env, insn: number, prefix: string): void {
  const line = lineAt(env.input.lines, insn);
  if (line === undefined || line === env.previousLine) return;
  env.previousLine = line;
  const place = ` @ ${baseName(line.file)}:${line.line}`;
  env.say(`${prefix}${line.text.trimStart()}${place}`);
}
