/** `bpfc verify --cases`: one JSON line per portable case; measurements read them. */
import { readFileSync } from "node:fs";
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { readBtf } from "../../common/object/btf-reader.ts";
import { readCase, watchOfCase } from "../../vm/verifier/cases.ts";
import type { KernelTypes } from "../../vm/verifier/kernel-types.ts";
import { kernelTypesOf } from "../../vm/verifier/program-input.ts";
import { verify } from "../../vm/verifier/verify.ts";
import { readBtfFile } from "../btf-file.ts";
import { shippedKernelBtf } from "../kernel-types/shipped-btf.ts";
import { plainReport, print, printError, report } from "../report.ts";

/** Types of the kernel that ids in the cases refer to; read when a case needs them. */
type TypeSource = () => KernelTypes | undefined;

function shippedTypes(): TypeSource {
  let read: { readonly types: KernelTypes | undefined } | undefined;
  return () => {
    if (read === undefined) {
      const bytes = shippedKernelBtf();
      const btf = bytes && readBtf(bytes, new Diagnostics());
      read = { types: btf && kernelTypesOf(btf) };
    }
    return read.types;
  };
}

function answerTo(line: string, named: KernelTypes | undefined, shipped: TypeSource) {
  const portable = readCase(line, { kernel: named });
  if (portable === undefined) return undefined;
  const { id, input } = portable;
  const options = { watch: watchOfCase(input) };
  const first = verify(input, options);
  const kernel = first.verdict === "unsupported" && !named ? shipped() : undefined;
  const verdict = kernel === undefined ? first : verify({ ...input, kernel }, options);
  const { verdict: kind, reason, messages, insn, processed, watched } = verdict;
  return { id, verdict: kind, reason, messages, insn, processed, r6: watched ?? [] };
}

/**
 * Exit code 0 unless a file or a line of it cannot be read. `btf` names the types of the kernel that
 * the cases refer to; by default those that ship.
 */
export function judgeCases(path: string, btf: string | undefined): number {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    printError(`bpfc: error: no such file or directory: '${path}'`);
    return 1;
  }
  const diagnostics = new Diagnostics();
  const named = btf === undefined ? undefined : readBtfFile(btf, diagnostics);
  if (report(diagnostics.list, plainReport)) return 1;
  const kernel = named && kernelTypesOf(named);
  const shipped = shippedTypes();
  let code = 0;
  text.split("\n").forEach((line, index) => {
    if (line.trim() === "") return;
    const answer = answerTo(line, kernel, shipped);
    if (answer === undefined) {
      printError(`bpfc: error: ${path}:${index + 1}: not a portable case`);
      code = 1;
    } else print(JSON.stringify(answer));
  });
  return code;
}
