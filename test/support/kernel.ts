/**
 * The running kernel as a judge: kernel.py loads portable cases through bpf(2) and runs them by
 * BPF_PROG_TEST_RUN. Where the machine does not permit that, kernel tests report themselves as
 * skipped with the reason; in CI a skip is a failure.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "vitest";

export interface KernelMap {
  readonly name?: string;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags?: number;
  /** Index of the inner map's specification, or -1. */
  readonly inner?: number;
  readonly map_extra?: number;
  readonly btf_key_type_id?: number;
  readonly btf_value_type_id?: number;
  readonly btf_vmlinux_value_type_id?: number;
  /** Initial contents of element 0, hex. */
  readonly data?: string;
  /** Initial entries, hex. */
  readonly entries?: readonly (readonly [key: string, value: string])[];
  /** Inner maps placed into an outer one: key (hex) and map index. */
  readonly map_slots?: readonly (readonly [key: string, map: number])[];
}

export interface KernelRun {
  /** Packet, hex. */
  readonly data?: string;
  /** Context, hex. */
  readonly ctx?: string;
  readonly repeat?: number;
  /** No packet and no output buffers: raw tracepoints, syscall programs. */
  readonly plain?: boolean;
}

export interface KernelJob {
  readonly prog_type: number;
  readonly expected_attach_type?: number;
  readonly prog_flags?: number;
  readonly license?: string;
  /** 8 bytes per slot, hex, little endian; map references carry map indexes. */
  readonly insns: string;
  readonly maps?: readonly KernelMap[];
  readonly btf?: string;
  readonly func_info?: readonly (readonly [insnOffset: number, typeId: number])[];
  readonly attach_btf_id?: number;
  readonly log_level?: number;
  /** Programs for prog arrays: their own insns (and func_info), the map and the slot. */
  readonly tails?: readonly (Partial<KernelJob> & {
    readonly map: number;
    readonly index: number;
  })[];
  readonly runs?: readonly KernelRun[];
  readonly dump?: boolean;
  /** Other programs for the same maps and types: judged instead of `insns`. */
  readonly variants?: readonly string[];
}

export interface KernelRunResult {
  readonly errno: number;
  readonly retval?: number;
  readonly data?: string;
  readonly ctx?: string;
  /** Nanoseconds per repetition. */
  readonly duration?: number;
}

export interface KernelVerdict {
  readonly verdict: "accept" | "reject";
  readonly errno: number;
  readonly log: string;
}

export interface KernelResult {
  readonly verdict: "accept" | "reject" | "error";
  readonly errno: number;
  readonly log: string;
  readonly runs?: readonly KernelRunResult[];
  readonly variants?: readonly KernelVerdict[];
  /** Per map its entries as hex pairs, in the kernel's order; null where the type has no lookup. */
  readonly maps?: readonly (readonly (readonly [key: string, value: string])[] | null)[];
}

interface KernelAnswer {
  readonly available: boolean;
  readonly reason: string;
  readonly results: readonly KernelResult[];
  readonly process?: KernelProcess;
}

/** The process that ran the programs, as they saw it. */
export interface KernelProcess {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
}

function ask(jobs: readonly KernelJob[], rounds?: number): KernelAnswer {
  const script = join(import.meta.dirname, "kernel.py");
  const child = spawnSync("python3", [script], {
    input: JSON.stringify({ jobs, ...(rounds !== undefined && { rounds }) }),
    encoding: "utf8",
    maxBuffer: 1 << 30,
  });
  if (child.error !== undefined || child.status !== 0) {
    const reason = child.error?.message ?? child.stderr.trim().split("\n").pop() ?? "";
    return { available: false, reason: `python3 failed: ${reason}`, results: [] };
  }
  return JSON.parse(child.stdout);
}

let known: { readonly available: boolean; readonly reason: string } | undefined;

/** Whether this machine's kernel can be asked, and why not. */
export function kernelAvailability(): { readonly available: boolean; readonly reason: string } {
  known ??= process.platform === "linux" ? ask([]) : { available: false, reason: "not Linux" };
  return known;
}

/** Loads and runs all jobs in one process; throws where the kernel cannot be asked. */
export function askKernel(jobs: readonly KernelJob[]): readonly KernelResult[] {
  return askKernelAs(jobs).results;
}

/** The same, with the process in which the programs ran. */
export function askKernelAs(jobs: readonly KernelJob[]): {
  readonly results: readonly KernelResult[];
  readonly process: KernelProcess | undefined;
} {
  const { available, reason, results, process: runner } = ask(jobs);
  if (!available) throw new Error(`kernel not available: ${reason}`);
  return { results, process: runner };
}

/**
 * Loads all jobs together and runs them in turns; each result has its runs of all rounds. For
 * timings, so that what the machine does besides falls on all alike.
 */
export function askKernelInTurns(
  jobs: readonly KernelJob[],
  rounds: number,
): readonly KernelResult[] {
  const answer = ask(jobs, rounds);
  if (!answer.available) throw new Error(`kernel not available: ${answer.reason}`);
  return answer.results;
}

/** A test that needs the kernel: skipped with the reason where there is none, except in CI. */
export function kernelTest(name: string, run: () => void | Promise<void>): void {
  const { available, reason } = kernelAvailability();
  if (available || process.env["CI"] === "true") test(name, run);
  else test.skip(`${name} (skipped: ${reason})`, run);
}

/** Where the kernel's pins are; a machine that has just started may not have mounted it. */
export const pinFolder = "/sys/fs/bpf";

export function mountPinFolder(): void {
  spawnSync("sh", ["-c", `mountpoint -q ${pinFolder} || mount -t bpf bpf ${pinFolder}`]);
}
