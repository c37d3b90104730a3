/** `bpfc verify --cases`: one JSON line per portable case; measurements read them. */
import { readFileSync } from "node:fs";
import { readCase, watchOfCase } from "../../vm/verifier/cases.ts";
import { verify } from "../../vm/verifier/verify.ts";
import { print, printError } from "../report.ts";

function judge(line: string): object | undefined {
  const portable = readCase(line);
  if (portable === undefined) return undefined;
  const verdict = verify(portable.input, { watch: watchOfCase(portable.input) });
  const { verdict: kind, reason, messages, insn, processed, watched } = verdict;
  return { id: portable.id, verdict: kind, reason, messages, insn, processed, r6: watched ?? [] };
}

/** Exit code 0 unless the file or a line of it cannot be read. */
export function judgeCases(path: string): number {
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
    const answer = judge(line);
    if (answer === undefined) {
      printError(`bpfc: error: ${path}:${index + 1}: not a portable case`);
      code = 1;
    } else print(JSON.stringify(answer));
  });
  return code;
}
