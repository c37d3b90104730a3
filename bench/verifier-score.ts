/** Compares our verdicts with the kernel's over judged cases; the bench and the gate tests use it. */
import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";
import { type CaseDefaults, type PortableCase, watchOfCase } from "../vm/verifier/cases.ts";
import type { Verdict } from "../vm/verifier/input.ts";
import { KernelTypes } from "../vm/verifier/kernel-types.ts";
import { verify } from "../vm/verifier/verify.ts";

/** Lines of a text file, compressed or not. */
export function readLines(path: string | URL): string[] {
  const bytes = readFileSync(path);
  const text = (String(path).endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  return text.split("\n").filter((line) => line !== "");
}

let kernelTypes: KernelTypes | undefined;

/** Types of the running kernel; undefined where it does not show them. */
export function runningKernelTypes(path = "/sys/kernel/btf/vmlinux"): KernelTypes | undefined {
  if (kernelTypes === undefined && existsSync(path)) {
    const btf = readBtf(readFileSync(path), new Diagnostics());
    if (btf !== undefined) kernelTypes = new KernelTypes(btf);
  }
  return kernelTypes;
}

/** Base programs by name: what their mutants leave out. */
export function readBases(path: string | URL | undefined): CaseDefaults | undefined {
  if (path === undefined) return undefined;
  const bases = new Map<string, Record<string, unknown>>();
  for (const line of readLines(path)) {
    const base = JSON.parse(line) as Record<string, unknown>;
    const object = String(base["object"]).replace(/\.o$/, "");
    bases.set(String(base["base"] ?? `${object}:${String(base["func"])}`), base);
  }
  return (name) => bases.get(name);
}

/** Numbers and registers masked, so that reasons of one class are equal. */
export function maskReason(reason: string): string {
  return reason.replace(/\b([Rr])\d+\b/g, "$1N").replace(/-?\b(0x[0-9a-f]+|\d+)\b/g, "N");
}

export interface Difference {
  readonly kind: string;
  readonly item: PortableCase;
  readonly verdict: Verdict;
}

export class Score {
  readonly counts = new Map<string, number>();
  readonly differences: Difference[] = [];
  processed = 0;
  microseconds = 0;

  get(kind: string): number {
    return this.counts.get(kind) ?? 0;
  }

  /** Share of `kind` among the two, 1 if there are none. */
  share(kind: string, other: string): number {
    const whole = this.get(kind) + this.get(other);
    return whole === 0 ? 1 : this.get(kind) / whole;
  }

  #count(kind: string): void {
    this.counts.set(kind, this.get(kind) + 1);
  }

  #compare(kind: string, isSame: boolean, item: PortableCase, verdict: Verdict): void {
    this.#count(isSame ? `${kind}-same` : kind);
    if (!isSame) this.differences.push({ kind, item, verdict });
  }

  #mark(kind: string, item: PortableCase, verdict: Verdict): void {
    this.#count(kind);
    this.differences.push({ kind, item, verdict });
  }

  #compareStates(item: PortableCase, verdict: Verdict): void {
    const wanted = item.expected?.r6;
    if (wanted === undefined || wanted.length === 0) return;
    const ours = (verdict.watched ?? []).map((text) => text.replace(/\(id=\d+,?/, "("));
    const isSame =
      wanted.length === ours.length && wanted.every((text, i) => text === null || text === ours[i]);
    this.#compare("r6", isSame, item, verdict);
  }

  #compareDetails(item: PortableCase, verdict: Verdict): void {
    const { expected } = item;
    if (expected === undefined || verdict.verdict === "unsupported") return;
    this.#compareStates(item, verdict);
    if (expected.verdict === "reject") {
      const isSame = maskReason(expected.reason) === maskReason(verdict.reason);
      this.#compare("reason", isSame, item, verdict);
      this.#compare("text", expected.reason === verdict.reason, item, verdict);
    }
    const { processed } = expected;
    if (processed === undefined) return;
    this.#compare("processed", processed === verdict.processed, item, verdict);
    const isClose = Math.abs(processed - verdict.processed) <= processed * 0.1;
    this.#compare("processed within 10 %", isClose, item, verdict);
  }

  /** Judges one case. */
  judge(item: PortableCase): void {
    const options = item.expected?.r6 === undefined ? {} : { watch: watchOfCase(item.input) };
    const start = process.cpuUsage();
    const verdict = verify(item.input, options);
    const used = process.cpuUsage(start);
    this.microseconds += used.user + used.system;
    this.processed += verdict.processed;
    const wanted = item.expected?.verdict;
    this.#count(`${wanted}→${verdict.verdict}`);
    if (verdict.verdict === "unsupported") this.#mark("unsupported", item, verdict);
    else if (wanted === "reject" && verdict.verdict === "accept") {
      this.#mark("false-accept", item, verdict);
    } else if (wanted === "accept" && verdict.verdict === "reject") {
      this.#mark("false-reject", item, verdict);
    } else this.#compareDetails(item, verdict);
  }
}
