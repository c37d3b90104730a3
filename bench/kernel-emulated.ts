/**
 * What is said of a program on another kernel beside that kernel's own verdict. The kernel runs
 * under emulation with one process, which loads the programs and powers off; nothing is attached.
 *
 * `npx tsx bench/kernel-emulated.ts CASES.jsonl[.gz] --kernel 6.1 --image VMLINUZ --init BINARY
 * [--bases FILE] [--every N] [--show]`. BINARY: `cc -O2 -static -o BINARY bench/peers/load-init.c`; kernels are those of
 * distributions (`apt-get download linux-image-…-cloud-amd64-unsigned`, `dpkg -x`). Wants
 * qemu-system-x86_64; the machine is emulated: it boots in seconds and needs no /dev/kvm.
 *
 * *blocked* must never be said of a program that the kernel loads; *no known blocker* says only that
 * nothing is known against it.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { answerFor, inputFacts } from "../vm/kernel-profiles/kernel-answer.ts";
import { bytesOfHex, type PortableCase, readCase } from "../vm/verifier/cases.ts";
import { readBases, readLines, runningKernelTypes } from "./verifier-score.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    kernel: { type: "string", default: "6.1" },
    image: { type: "string", default: "vmlinuz" },
    init: { type: "string", default: "load-init" },
    bases: { type: "string" },
    every: { type: "string", default: "1" },
    minutes: { type: "string", default: "10" },
    show: { type: "boolean", default: false },
  },
});

type Json = Record<string, unknown>;

/** A case with what only its text has: types as bytes, the first values of maps. */
interface Job {
  readonly item: PortableCase;
  readonly btf: Uint8Array;
  readonly functions: readonly (readonly [slot: number, type: number])[];
  readonly values: readonly Uint8Array[];
}

function jobOf(line: string, defaults: ((name: string) => Json | undefined) | undefined) {
  const item = readCase(line, { ...(defaults && { defaults }), kernel: runningKernelTypes() });
  if (item === undefined) return undefined;
  const own = JSON.parse(line) as Json;
  const json: Json = { ...defaults?.(item.base), ...own };
  const hexOf = (value: unknown): Uint8Array => bytesOfHex(typeof value === "string" ? value : "");
  const maps = Array.isArray(json["maps"]) ? (json["maps"] as Json[]) : [];
  const functions = (json["func_info"] ?? []) as Job["functions"];
  return { item, btf: hexOf(json["btf"]), functions, values: maps.map((m) => hexOf(m["data"])) };
}

function words(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  numbers.forEach((number, i) => {
    bytes.writeUInt32LE(number >>> 0, i * 4);
  });
  return bytes;
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}

/** One case as bench/peers/load-init.c reads it. */
function encode({ item: { input }, btf, functions, values }: Job): Buffer {
  const licence = Buffer.from(`${input.license}\0`);
  const body = Buffer.concat([
    words(input.programType, input.attachType, input.flags, input.insns.length / 8),
    words(input.maps.length, btf.length, functions.length, licence.length),
    padded(licence),
    padded(btf),
    ...functions.map(([slot, type]) => words(slot, type)),
    input.insns,
    ...input.maps.map((m, i) =>
      Buffer.concat([
        words(m.type, m.keySize, m.valueSize, m.maxEntries, m.flags),
        words(m.inner, m.btfKey, m.btfValue, values[i]?.length ?? 0),
      ]),
    ),
    ...values.map(padded),
  ]);
  return Buffer.concat([words(body.length + 4), body]);
}

/** An archive in the form that kernels unpack at boot (cpio, "newc"). */
function archive(files: readonly (readonly [name: string, data: Buffer, mode: number])[]): Buffer {
  const align = (bytes: Buffer): Buffer => padded(bytes);
  const entry = (name: string, data: Buffer, mode: number): Buffer => {
    const fields = [1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
    const head = `070701${fields.map((f) => f.toString(16).padStart(8, "0")).join("")}${name}\0`;
    return Buffer.concat([align(Buffer.from(head)), align(data)]);
  };
  const entries = files.map(([name, data, mode]) => entry(name, data, mode));
  return Buffer.concat([...entries, entry("TRAILER!!!", Buffer.alloc(0), 0)]);
}

interface Verdict {
  readonly result: string;
  readonly text: string;
}

/** The kernel's verdicts by index; those that it did not come to are missing. */
function askEmulated(jobs: readonly Job[]): Map<number, Verdict> {
  const work = mkdtempSync(join(tmpdir(), "bpfc-kernel-"));
  try {
    const cases = Buffer.concat([words(jobs.length), ...jobs.map(encode)]);
    const files = archive([
      ["init", readFileSync(cli.init), 0o100755],
      ["cases.bin", cases, 0o100644],
    ]);
    writeFileSync(join(work, "initrd"), files);
    const machine = ["-accel", "tcg", "-cpu", "qemu64"];
    const settings = "console=ttyS0 loglevel=0 panic=-1";
    const hardware = ["-m", "1024", "-smp", "1", "-nographic", "-no-reboot"];
    const boot = ["-kernel", cli.image, "-initrd", join(work, "initrd"), "-append", settings];
    const { stdout } = spawnSync("qemu-system-x86_64", [...machine, ...hardware, ...boot], {
      encoding: "latin1",
      maxBuffer: 1 << 28,
      timeout: Number(cli.minutes) * 60_000,
    });
    const verdicts = new Map<number, Verdict>();
    for (const line of (stdout ?? "").split("\n")) {
      const match = /@ (\d+) (\w+) (\d+) ?(.*)/.exec(line.trim());
      if (match === null) continue;
      const [, index = "", result = "", error = "", log = ""] = match;
      verdicts.set(Number(index), { result, text: `${error} ${log}` });
    }
    return verdicts;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function run(): void {
  const [file] = positionals;
  if (file === undefined) throw new Error("no file of cases");
  const defaults = cli.bases === undefined ? undefined : readBases(cli.bases);
  const lines = [...readLines(file)].filter((_, i) => i % Number(cli.every) === 0);
  const jobs = lines.flatMap((line) => jobOf(line, defaults) ?? []);
  const verdicts = askEmulated(jobs);
  const table = new Map<string, number>();
  jobs.forEach(({ item }, index) => {
    const verdict = verdicts.get(index);
    const answer = answerFor(inputFacts(item.input), cli.kernel);
    const key = `${answer.kind} → ${verdict?.result ?? "no answer"}`;
    table.set(key, (table.get(key) ?? 0) + 1);
    const isOdd =
      (answer.kind === "blocked" && verdict?.result === "accept") ||
      (answer.kind === "no-known-blocker" && verdict?.result === "reject");
    if (!cli.show || !isOdd) return;
    const why = answer.kind === "blocked" ? answer.by.map(({ what }) => what).join(", ") : "";
    console.log(`${item.id}: ${key} ${why} ${verdict?.text ?? ""}`);
  });
  for (const [key, count] of [...table].sort()) console.log(`${key.padEnd(40)}${count}`);
}

run();
