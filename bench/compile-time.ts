/**
 * Whole-process compile time of the built bpfc beside clang-19 -O2 -g: runs are interleaved, medians
 * and minima of user + system CPU time are shown. NODE_EXTRA_CA_CERTS is unset: with it Node reads
 * the certificate store at every start.
 * Run: npm run build && npx tsx bench/compile-time.ts [--rounds 15] [--vmlinux HEADER]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { median } from "./programs.ts";

const { values: cli } = parseArgs({
  options: { rounds: { type: "string", default: "15" }, vmlinux: { type: "string" } },
});
const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "bpfc-time-"));
const environment = { ...process.env };
delete environment["NODE_EXTRA_CA_CERTS"];

interface Case {
  readonly name: string;
  readonly file: string;
  readonly flags: readonly string[];
  /** clang's headers; ours by default, which are shorter than those of a system. */
  readonly headers?: readonly string[];
}

/** Where Debian keeps what clang does not find by itself. */
const systemHeaders = ["-I", "/usr/include/x86_64-linux-gnu"];

/** A tracing program that reaches a few of the header's types. */
const tracing = `#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64); __type(key, u32); __type(value, u64); } hits SEC(".maps");
SEC("raw_tp/sched_switch") int trace(u64 *ctx)
{
	struct task_struct *task = (void *)ctx[1];
	u32 pid = BPF_CORE_READ(task, real_parent, tgid);
	u64 one = 1, *count = bpf_map_lookup_elem(&hits, &pid);
	if (count) __sync_fetch_and_add(count, 1);
	else bpf_map_update_elem(&hits, &pid, &one, BPF_ANY);
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
`;

function cases(): Case[] {
  const xdp = join(root, "examples/xdp-firewall/firewall.bpf.c");
  const list: Case[] = [
    { name: "small XDP program, bpfc's headers for both", file: xdp, flags: [] },
    {
      name: "small XDP program, each its own headers",
      file: xdp,
      flags: [],
      headers: systemHeaders,
    },
  ];
  if (cli.vmlinux !== undefined) {
    const file = join(work, "trace.bpf.c");
    writeFileSync(file, tracing);
    list.push({
      name: "tracing program with vmlinux.h",
      file,
      flags: ["-I", dirname(cli.vmlinux)],
    });
  }
  return list;
}

const ourHeaders = ["-nostdinc", "-I", join(root, "compiler/include")];

/** CPU seconds of children so far, by the shell's own account of one child. */
function cpuMilliseconds(command: readonly string[]): number {
  const quoted = command.map((word) => `'${word}'`).join(" ");
  const script = `TIMEFORMAT='%U %S'; time ${quoted} >/dev/null 2>&1`;
  const result = spawnSync("bash", ["-c", script], { encoding: "utf8", env: environment });
  const [user = 0, system = 0] = result.stderr.trim().split(/\s+/).map(Number);
  return (user + system) * 1000;
}

function measure({ name, file, flags, headers = ourHeaders }: Case): void {
  const output = join(work, "out.o");
  const clang = [
    "clang-19",
    "-target",
    "bpf",
    "-mcpu=v3",
    "-O2",
    "-g",
    ...headers,
    ...flags,
    "-c",
    file,
    "-o",
    output,
  ];
  const bpfc = [
    process.execPath,
    join(root, "dist/bpfc.cjs"),
    "cc",
    "-O2",
    ...flags,
    "-c",
    file,
    "-o",
    output,
  ];
  const times = { clang: [] as number[], bpfc: [] as number[] };
  for (let round = 0; round < Number(cli.rounds); round++) {
    times.clang.push(cpuMilliseconds(clang));
    times.bpfc.push(cpuMilliseconds(bpfc));
  }
  const [c, b] = [median(times.clang), median(times.bpfc)];
  const least = (list: readonly number[]): string => Math.min(...list).toFixed(0);
  console.log(
    `${name}: clang ${c.toFixed(0)} (min ${least(times.clang)}) ms, bpfc ${b.toFixed(0)} (min ${least(times.bpfc)}) ms, ratio ${(b / c).toFixed(2)}`,
  );
}

for (const each of cases()) measure(each);
rmSync(work, { recursive: true });
