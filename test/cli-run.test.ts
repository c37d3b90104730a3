/** `bpfc run` beyond one packet: events, traces, captures, recordings, saved states. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCapture, writePcap } from "../cli/run/pcap.ts";
import { runTool } from "./support/tool.ts";

const work = mkdtempSync(join(tmpdir(), "bpfc-run-"));
afterAll(() => rmSync(work, { recursive: true }));

const bpfc = (...args: readonly string[]) => runTool(args, { cwd: work });

writeFileSync(
  join(work, "count.c"),
  `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4);
	__type(key, int); __type(value, __u64); } sizes SEC(".maps");
SEC("xdp") int count(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	int key = bpf_get_smp_processor_id();
	__u64 *size = bpf_map_lookup_elem(&sizes, &key);
	if (size)
		*size += end - data;
	if (data + 14 > end)
		return XDP_DROP;
	data[0] += 1 + (bpf_get_prandom_u32() & 1);
	return data[5] ? XDP_DROP : XDP_PASS;
}
struct enter { long pad, nr, args[6]; };
SEC("tp/syscalls/sys_enter_openat") int opened(struct enter *ctx)
{
	int key = ctx->args[0];
	__u64 *size = bpf_map_lookup_elem(&sizes, &key);
	if (size)
		*size += ctx->nr;
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
`,
);
writeFileSync(join(work, "in.pcap"), writePcap([new Uint8Array(20), new Uint8Array(30)]));

test("a capture goes through a program and comes out changed", () => {
  const { status, stderr } = bpfc("run", "count.c", "--pcap", "in.pcap", "--pcap-out", "out.pcap");
  expect(status, stderr).toBe(0);
  const capture = readCapture(readFileSync(join(work, "out.pcap")));
  const packets = capture.ok ? capture.packets.map(({ bytes }) => [bytes.length, bytes[0]]) : [];
  expect(packets.map(([length]) => length)).toEqual([20, 30]);
  for (const [, first] of packets) expect([1, 2]).toContain(first);
  expect(bpfc("run", "count.c", "--pcap-out", "no/such/folder").status).toBe(1);
});

test("--trace shows instructions, their effects and their lines", () => {
  const { status, stdout } = bpfc("run", "count.c", "--packet", "00".repeat(20), "--trace");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^; count\.c:\d+: .*bpf_map_lookup_elem/m);
  expect(stdout).toMatch(/^ +\d+: call 1 +; r0=0x[0-9a-f]+/m);
  expect(stdout).toMatch(/^ +\d+: exit$/m);
});

test("--time tells what a run takes, --cpus and --seed what it runs on", () => {
  const { stdout } = bpfc("run", "count.c", "--packet", "00".repeat(20), "--time", "--repeat", "9");
  expect(stdout).toMatch(/^time: \d+\.\d ns per run, 9 runs$/m);
  for (const wrong of ["0", "x", "99999999"]) {
    const { status, stderr } = bpfc("run", "count.c", "--cpus", wrong);
    expect([wrong, status]).toEqual([wrong, 1]);
    expect(stderr).toContain("--cpus");
  }
});

test("iterators are verified for the kernel that ships, and run", () => {
  const text = `#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 7);
	__type(key, int); __type(value, int); } listed SEC(".maps");
SEC("iter/bpf_map") int maps(struct bpf_iter__bpf_map *ctx)
{
	struct bpf_map *map = ctx->map;
	if (map)
		BPF_SEQ_PRINTF(ctx->meta->seq, "%s %d\\n", map->name, map->max_entries);
	return 0;
}
char LICENSE[] SEC("license") = "GPL";
`;
  writeFileSync(join(work, "maps.c"), text);
  const { status, stdout, stderr } = bpfc("run", "maps.c", "--event", "iter/bpf_map");
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^listed 7$/m);
  expect(bpfc("run", "maps.c").stderr).toBe("");
});

test("what programs ask for in vain is told once", () => {
  const head = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n";
  const text = `${head}SEC("tc") int p(struct __sk_buff *s) {
    return bpf_skb_change_proto(s, 0x86dd, 0) < 0; }
    char LICENSE[] SEC("license") = "GPL";`;
  writeFileSync(join(work, "vain.c"), text);
  const { status, stdout, stderr } = bpfc("run", "vain.c", "--json");
  expect([status, JSON.parse(stdout).retval]).toEqual([0, 1]);
  expect(stderr.match(/note: bpf_skb_change_proto is not served/g)).toHaveLength(1);
});

test("events run the attached programs with their fields", () => {
  const event = "tracepoint/syscalls/sys_enter_openat";
  const fields = '{"nr": 257, "args": [2, "/etc/passwd"]}';
  const { status, stdout, stderr } = bpfc("run", "count.c", "--event", event, "--fields", fields);
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^opened .*: 0/m);
  expect(stdout).toMatch(/^ +2 +257$/m);
  expect(bpfc("run", "count.c", "--event", "tp/a/b").stdout).toContain("no program is attached");
  expect(bpfc("run", "count.c", "--event", "nonsense").status).toBe(1);
  expect(bpfc("run", "count.c", "--event", event, "--fields", "{").status).toBe(1);
  expect(bpfc("run", "count.c", "--event", event, "--fields", '{"a": 1}').status).toBe(1);
});

test("a recording replays to the same results, and shows what a change of the program changes", () => {
  const made = bpfc("run", "count.c", "--pcap", "in.pcap", "--seed", "7", "--record", "run.json");
  expect(made.status, made.stderr).toBe(0);
  expect(bpfc("run", "count.c", "--replay", "run.json")).toMatchObject({
    status: 0,
    stdout: "2 runs replayed, 0 different\n",
  });
  const changed = readFileSync(join(work, "count.c"), "utf8").replace("XDP_DROP : ", "XDP_TX : ");
  writeFileSync(join(work, "other.c"), changed.replace("data[5] ?", "!data[5] ?"));
  const { status, stdout } = bpfc("run", "other.c", "--replay", "run.json");
  expect(status).toBe(1);
  expect(stdout).toMatch(/^run 1: retval: recorded 2, now 3$/m);
  expect(bpfc("run", "count.c", "--replay", "in.pcap").status).toBe(1);
});

test("a saved state is listed and dumped", () => {
  bpfc("run", "count.c", "--pcap", "in.pcap", "--save", "state.json");
  const state = ["--state", "state.json"];
  expect(bpfc("prog", "list", ...state).stdout).toMatch(/^\d+: xdp {2}name count$/m);
  expect(bpfc("prog", "dump", "count", ...state).stdout).toMatch(/^ +\d+: exit$/m);
  expect(bpfc("map", "list", ...state).stdout).toMatch(/^1: array {2}name sizes/m);
  expect(bpfc("map", "dump", "sizes", ...state).stdout).toMatch(/^ +0 +50$/m);
  expect(bpfc("map", "dump", "none", ...state).status).toBe(1);
  expect(bpfc("map", "dump", "sizes", "--state", "count.c").status).toBe(1);
});

test("a program that calls kernel functions runs with the types that ship", () => {
  writeFileSync(
    join(work, "kernel.c"),
    `#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
SEC("xdp") int guarded(struct xdp_md *ctx)
{
	bpf_rcu_read_lock();
	bpf_rcu_read_unlock();
	return XDP_PASS;
}
char LICENSE[] SEC("license") = "GPL";
`,
  );
  const { status, stdout, stderr } = bpfc("run", "kernel.c", "--packet", "00".repeat(20));
  expect(status, stderr).toBe(0);
  expect(stdout).toMatch(/^guarded \(xdp\): 2 XDP_PASS/);
});
