/** Looking at programs: runs that are walked in both directions, and what they send to user space. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import { RecordedRun } from "../vm/debug/recorded-run.ts";
import { SimulatedKernel } from "../vm/system/simulated-kernel.ts";
import { compileText } from "./support/compile.ts";

const text = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } ring SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY); __uint(key_size, 4); __uint(value_size, 4); } perf SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 2); __type(key, __u32); __type(value, __u64); } counts SEC(".maps");
__u64 total;
SEC("xdp") int main_program(struct xdp_md *ctx) {
  for (__u32 i = 1; i < 6; i++) {
    total += i;
    bpf_printk("round %d", i);
  }
  __u32 key = 1; __u64 value = total;
  bpf_map_update_elem(&counts, &key, &value, 0);
  bpf_ringbuf_output(&ring, &value, sizeof(value), 0);
  bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &value, sizeof(value));
  return total;
}
char LICENSE[] SEC("license") = "GPL";
`;

function start() {
  const loaded = loadObject(compileText(text, "observe.c"), "observe.c", new Diagnostics());
  const kernel = new SimulatedKernel();
  const opened = loaded && kernel.loadObject(loaded);
  if (opened === undefined || "message" in opened) return expect.unreachable();
  const program = opened.programs.get("main_program") ?? -1;
  const map = (name: string): number => opened.maps.get(name) ?? -1;
  return { kernel, program, map };
}

const packet = new Uint8Array(14);
const number = (bytes: Uint8Array | undefined): bigint =>
  new DataView((bytes ?? new Uint8Array(8)).slice().buffer).getBigUint64(0, true);

function record() {
  const { kernel, program } = start();
  const run = kernel.record(program, { packet });
  if (!(run instanceof RecordedRun)) return expect.unreachable();
  const address = kernel.maps.find(({ description }) => description.name.endsWith("bss"));
  const total = address?.lookup(new Uint8Array(4)) ?? 0;
  return { kernel, run, total };
}

test("a recorded run goes forward and backward, memory with it", () => {
  const { run, total } = record();
  expect(run.result.retval).toBe(15);
  expect(run.length).toBe(run.result.insns);
  expect(number(run.read(total, 8))).toBe(0n);
  const states: string[] = [];
  const state = (): string =>
    JSON.stringify([run.slot, run.registers.map(String), String(number(run.read(total, 8)))]);
  do states.push(state());
  while (run.step());
  expect(states).toHaveLength(run.length + 1);
  expect(number(run.read(total, 8))).toBe(15n);
  expect(run.registers[0]).toBe(15n);
  for (const wanted of states.slice(0, -1).reverse()) {
    expect(run.stepBack()).toBe(true);
    expect(state()).toBe(wanted);
  }
  expect(run.stepBack()).toBe(false);
});

test("watchpoints stop at each change, in both directions", () => {
  const { run, total } = record();
  const id = run.watch(total, 8);
  const seen: bigint[] = [];
  for (let stop = run.resume(); stop.kind !== "end"; stop = run.resume()) {
    expect(stop).toEqual({ kind: "watchpoint", id });
    seen.push(number(run.read(total, 8)));
  }
  expect(seen.at(-1)).toBe(15n);
  const back: bigint[] = [];
  for (let stop = run.resumeBack(); stop.kind !== "start"; stop = run.resumeBack()) {
    back.push(number(run.read(total, 8)));
  }
  expect(back).toEqual([0n, ...seen.slice(0, -1)].reverse());
  expect(run.clear(id)).toBe(true);
  expect(run.resume()).toEqual({ kind: "end" });
});

test("breakpoints stop at instructions and at lines", () => {
  const { run } = record();
  const line = text.split("\n").findIndex((each) => each.includes("bpf_ringbuf_output")) + 1;
  const id = run.breakAtLine(line, "observe.c");
  expect(run.resume()).toEqual({ kind: "breakpoint", id });
  expect(run.line?.line).toBe(line);
  const { slot, position } = run;
  run.stepLine();
  expect(run.line?.line).toBeGreaterThan(line);
  expect(run.resumeBack()).toEqual({ kind: "breakpoint", id });
  expect(run.position).toBe(position);
  run.clear(id);
  expect(run.resumeBack()).toEqual({ kind: "start" });
  const atSlot = run.breakAtSlot(slot ?? -1);
  expect(run.resume()).toEqual({ kind: "breakpoint", id: atSlot });
  expect(run.resume()).toEqual({ kind: "end" });
});

test("ring buffers, perf buffers and the trace pipe are async iterators", async () => {
  const { kernel, program, map } = start();
  kernel.run(program, { packet });
  const [ring, perf, lines] = [
    kernel.ringBuffer(map("ring")) ?? expect.unreachable(),
    kernel.perfBuffer(map("perf")) ?? expect.unreachable(),
    kernel.tracePipe(),
  ];
  const records: bigint[] = [];
  const consumer = (async () => {
    for await (const bytes of ring) {
      records.push(number(bytes));
      if (records.length === 2) break;
    }
  })();
  kernel.run(program, { packet });
  await consumer;
  // One waited in the ring, the other came meanwhile.
  expect(records).toEqual([15n, 30n]);
  expect(number((await perf.next()).value?.data)).toBe(30n);
  expect(lines.take()).toEqual([1, 2, 3, 4, 5].map((i) => expect.stringContaining(`round ${i}`)));
  const pending = lines.next();
  lines.close();
  expect(await pending).toEqual({ done: true, value: undefined });
  kernel.run(program, { packet });
  expect((await ring.next()).done).toBe(true);
  expect(kernel.ringBuffer(map("ring"))?.take()).toHaveLength(1);
  expect(kernel.ringBuffer(map("counts"))).toBeUndefined();
});
