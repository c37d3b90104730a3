/** The simulated kernel from outside: objects and their lives, links, devices, events. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { bpfCommands } from "../common/platform/uapi.ts";
import { loadObject } from "../linker/load.ts";
import { errno } from "../vm/errno.ts";
import { SimulatedKernel, servesCommand } from "../vm/system/simulated-kernel.ts";
import { compileText } from "./support/compile.ts";

const head = `#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#define __TARGET_ARCH_x86
#include <bpf/bpf_tracing.h>
char LICENSE[] SEC("license") = "GPL";
`;

function start(text: string, kernel = new SimulatedKernel()) {
  const loaded = loadObject(compileText(head + text), "test.c", new Diagnostics());
  if (loaded === undefined) throw new Error("not loaded");
  const opened = kernel.loadObject(loaded);
  if ("message" in opened) throw new Error(opened.message);
  const program = (name: string): number => opened.programs.get(name) ?? -1;
  const map = (name: string): number => opened.maps.get(name) ?? -1;
  const counter = (name: string): bigint => {
    const value = new Uint8Array(8);
    const key = new Uint8Array(4);
    expect(kernel.bpf("MAP_LOOKUP_ELEM", { map_fd: map(name), key, value })).toBe(0);
    return new DataView(value.buffer).getBigUint64(0, true);
  };
  return { kernel, program, map, counter };
}

const counterMap = `struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1);
  __type(key, int); __type(value, __u64); } seen SEC(".maps");
static void add(__u64 n) { int k = 0; __u64 *v = bpf_map_lookup_elem(&seen, &k); if (v) *v += n; }
`;
const packet = new Uint8Array(64).fill(7);

describe("packets through devices", () => {
  test("XDP drops, passes and sends back; what it changed goes on", () => {
    const { kernel, program } = start(`SEC("xdp") int p(struct xdp_md *c) {
      __u8 *d = (void *)(long)c->data, *e = (void *)(long)c->data_end;
      if (d + 14 > e) return XDP_DROP;
      if (c->ingress_ifindex == 3) return XDP_TX;
      d[0] = 9; return d[1] == 7 ? XDP_PASS : XDP_DROP; }`);
    const [left, right] = kernel.devices.addPair("left", "right");
    expect(kernel.attach(program("p"), { ifindex: left.ifindex })).toBeGreaterThan(0);
    expect(kernel.attach(program("p"), { ifindex: left.ifindex })).toBe(-errno.EBUSY);
    expect(kernel.receive(left, packet).map((step) => step.kind)).toEqual(["run", "delivered"]);
    expect(left.delivered[0]?.subarray(0, 3)).toEqual(new Uint8Array([9, 7, 7]));
    expect(kernel.receive(left, new Uint8Array(64)).at(-1)?.kind).toBe("dropped");
    expect(kernel.attach(program("p"), { ifindex: right.ifindex })).toBeGreaterThan(0);
    kernel.receive(right, packet);
    expect(right.sent).toHaveLength(1);
    expect(left.delivered).toHaveLength(2);
  });

  test("redirects are followed: by index, by map, to all others", () => {
    const { kernel, program, map } = start(`struct { __uint(type, BPF_MAP_TYPE_DEVMAP);
        __uint(max_entries, 8); __type(key, int); __type(value, int); } ports SEC(".maps");
      SEC("xdp") int one(struct xdp_md *c) { return bpf_redirect_map(&ports, 2, XDP_DROP); }
      SEC("xdp") int all(struct xdp_md *c) {
        return bpf_redirect_map(&ports, 0, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS); }
      SEC("tc") int side(struct __sk_buff *s) { return bpf_redirect(s->ifindex + 1, 0); }`);
    const devices = ["a", "b", "c"].map((name) => kernel.devices.add(name));
    const [a, b, c] = devices;
    if (a === undefined || b === undefined || c === undefined) throw new Error("no devices");
    for (const [i, device] of devices.entries()) {
      const key = new Uint8Array(new Uint32Array([i]).buffer);
      const value = new Uint8Array(new Uint32Array([device.ifindex]).buffer);
      expect(kernel.bpf("MAP_UPDATE_ELEM", { map_fd: map("ports"), key, value })).toBe(0);
    }
    const link = kernel.attach(program("one"), { ifindex: a.ifindex });
    kernel.receive(a, packet);
    expect([a, b, c].map((device) => device.sent.length)).toEqual([0, 0, 1]);
    kernel.bpf("LINK_UPDATE", { link_fd: link, new_prog_fd: program("all") });
    kernel.receive(a, packet);
    expect([a, b, c].map((device) => device.sent.length)).toEqual([0, 1, 2]);
    kernel.close(link);
    kernel.attach(program("side"), { ifindex: a.ifindex });
    kernel.receive(a, packet);
    expect([a, b, c].map((device) => device.sent.length)).toEqual([0, 2, 2]);
  });
});

describe("events run what is attached", () => {
  test("tracepoints, raw tracepoints and their fields", () => {
    const { kernel, program, counter } = start(`${counterMap}
      struct enter { long pad, nr, args[6]; };
      SEC("tp/syscalls/sys_enter_openat") int t(struct enter *c) { add(c->args[2]); return 0; }
      SEC("raw_tp/sched_switch") int r(struct bpf_raw_tracepoint_args *c) {
        add(c->args[1] * 1000); return 0; }`);
    kernel.attach(program("t"));
    kernel.attach(program("r"));
    kernel.fire("tracepoint/syscalls/sys_enter_openat", { nr: 257, args: [1, "name", 5, 0] });
    expect(counter("seen")).toBe(5n);
    kernel.fire("raw_tp/sched_switch", [0, 3, 0]);
    kernel.fire("raw_tp/sched_wakeup", [0, 3, 0]);
    expect(counter("seen")).toBe(3005n);
    expect(kernel.fire("nonsense", {})).toHaveProperty("problem");
  });

  test("functions: arguments at the entry, the result at the return, strings in memory", () => {
    const { kernel, program, counter } = start(`${counterMap}
      SEC("kprobe/do_open") int BPF_KPROBE(e, long flags, const char *name) {
        char text[4] = {}; bpf_probe_read_kernel_str(text, 4, name);
        add(flags + text[0]); return 0; }
      SEC("kretprobe/do_open") int BPF_KRETPROBE(x, long ret) { add(ret * 1000); return 0; }`);
    kernel.attach(program("e"));
    kernel.attach(program("x"));
    const { runs, refusal } = kernel.call("do_open", { args: [2, "abc"], returns: 7 });
    expect(runs.map((run) => run.program)).toEqual(["e", "x"]);
    expect(refusal).toBe(0);
    expect(counter("seen")).toBe(BigInt(2 + 97 + 7000));
  });

  test("a cgroup's programs decide until one refuses", () => {
    const { kernel, program } = start(`
      SEC("cgroup/connect4") int yes(struct bpf_sock_addr *c) { c->user_port = 5; return 1; }
      SEC("cgroup/connect4") int no(struct bpf_sock_addr *c) { return c->user_port != 5; }`);
    for (const name of ["yes", "no"]) kernel.attach(program(name), { cgroup: "/a" });
    const outcome = kernel.inCgroup("/a", "CGROUP_INET4_CONNECT", new Uint8Array(72));
    expect(outcome?.allowed).toBe(false);
    expect(outcome?.runs.map((run) => run.program)).toEqual(["yes", "no"]);
    expect(kernel.inCgroup("/b", "CGROUP_INET4_CONNECT", new Uint8Array(72))?.runs).toEqual([]);
  });

  test("functions of user space have probes by path and name", () => {
    const { kernel, program, counter } = start(`${counterMap}
      SEC("uprobe//bin/tool:parse") int BPF_KPROBE(e, long size) { add(size); return 0; }
      SEC("uretprobe//bin/tool:parse+8") int BPF_KRETPROBE(x, long ret) { add(ret); return 0; }`);
    for (const name of ["e", "x"]) expect(kernel.attach(program(name))).toBeGreaterThan(0);
    const { runs } = kernel.call("/bin/tool:parse", { args: [30], returns: 4 });
    expect(runs.map((run) => run.program)).toEqual(["e", "x"]);
    expect(counter("seen")).toBe(34n);
    expect(kernel.call("/bin/other:parse", { args: [1] }).runs).toEqual([]);
  });
});

describe("objects live as long as something holds them", () => {
  test("descriptors, pins, programs and links", () => {
    const { kernel, program, map } = start(`${counterMap}
      SEC("xdp") int p(void *c) { add(1); return XDP_PASS; }`);
    const info = { bpf_fd: map("seen"), info: {} as Record<string, unknown> };
    kernel.bpf("OBJ_GET_INFO_BY_FD", info as never);
    const id = info.info["id"] as number;
    const isAlive = (): boolean => {
      const descriptor = kernel.bpf("MAP_GET_FD_BY_ID", { map_id: id });
      return descriptor > 0 && kernel.close(descriptor) === 0;
    };
    const device = kernel.devices.add("d");
    const link = kernel.attach(program("p"), { ifindex: device.ifindex });
    kernel.bpf("OBJ_PIN", { pathname: "/sys/fs/bpf/link", bpf_fd: link });
    for (const descriptor of [map("seen"), program("p"), link]) kernel.close(descriptor);
    expect(isAlive()).toBe(true);
    expect(kernel.receive(device, packet)[0]?.kind).toBe("run");
    expect(kernel.unlink("/sys/fs/bpf/link")).toBe(0);
    expect(isAlive()).toBe(false);
    expect(kernel.receive(device, packet)[0]?.kind).toBe("delivered");
    expect(kernel.maps).toHaveLength(0);
  });

  test("ids, queries and information", () => {
    const { kernel, program } = start(
      `SEC("tcx/ingress") int p(struct __sk_buff *s) { return -1; }`,
    );
    const attr = { start_id: 0 } as { start_id: number; next_id?: number };
    expect(kernel.bpf("PROG_GET_NEXT_ID", attr)).toBe(0);
    const device = kernel.devices.add("d");
    kernel.attach(program("p"), { ifindex: device.ifindex });
    const query = { target_ifindex: device.ifindex, attach_type: 46, prog_ids: [] as number[] };
    expect(kernel.bpf("PROG_QUERY", query)).toBe(0);
    expect(query.prog_ids).toEqual([attr.next_id]);
  });
});

test("a program that the verifier refuses is not loaded", () => {
  const kernel = new SimulatedKernel();
  const loaded = loadObject(
    compileText(`${head}SEC("xdp") int p(struct xdp_md *c) { return *(int *)(long)c->data; }`),
    "test.c",
    new Diagnostics(),
  );
  if (loaded === undefined) throw new Error("not loaded");
  expect(kernel.loadObject(loaded)).toHaveProperty("message");
  expect(kernel.maps).toHaveLength(0);
});

test("the commands of bpf(2) that are served", () => {
  const names = bpfCommands().map(([, name]) => name.replace(/^BPF_/, ""));
  const missing = names.filter((name) => !servesCommand(name));
  expect(missing).toEqual(["PROG_ASSOC_STRUCT_OPS", "COMMON_ATTRS"]);
});

describe("iterators, queries and streams", () => {
  const iteration = `#define KEPT __attribute__((preserve_access_index))
struct seq_file { int unused; } KEPT;
struct bpf_iter_meta { struct seq_file *seq; __u64 session_id; __u64 seq_num; } KEPT;
struct bpf_map { __u32 id; char name[16]; __u32 max_entries; } KEPT;
struct task_struct { int pid; int tgid; char comm[16]; } KEPT;
struct bpf_iter__bpf_map { struct bpf_iter_meta *meta; struct bpf_map *map; } KEPT;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } KEPT;
struct bpf_iter__bpf_map_elem {
  struct bpf_iter_meta *meta; struct bpf_map *map; __u32 *key; __u64 *value; } KEPT;
#define PRINT(ctx, fmt, ...) ({ static const char f[] = fmt; __u64 a[] = { __VA_ARGS__ }; \\
  bpf_seq_printf((ctx)->meta->seq, f, sizeof f, a, sizeof a); })
`;

  function open(text: string) {
    const kernel = new SimulatedKernel();
    const object = compileText(head + iteration + counterMap + text);
    const loaded = loadObject(object, "test.c", new Diagnostics());
    if (loaded === undefined) throw new Error("not loaded");
    const opened = kernel.loadObject(loaded, { verify: false });
    if ("message" in opened) throw new Error(opened.message);
    const program = opened.programs.get("p") ?? -1;
    const seen = opened.maps.get("seen") ?? -1;
    return { kernel, program, seen };
  }

  function read(kernel: SimulatedKernel, link: number, size?: number): string {
    const iterator = kernel.bpf("ITER_CREATE", { link_fd: link });
    const bytes = kernel.read(iterator, size);
    if (typeof bytes === "number") throw new Error(`${bytes}`);
    const rest = kernel.read(iterator);
    expect(rest).toHaveLength(
      size === undefined ? 0 : rest instanceof Uint8Array ? rest.length : -1,
    );
    return new TextDecoder().decode(bytes) + new TextDecoder().decode(rest as Uint8Array);
  }

  test("maps, then a run without one", () => {
    const { kernel, program } = open(`SEC("iter/bpf_map") int p(struct bpf_iter__bpf_map *c) {
      if (c->map) PRINT(c, "%d:%s:%d ", c->meta->seq_num, (long)c->map->name, c->map->max_entries);
      else PRINT(c, "end %d", c->meta->seq_num);
      return 0; } int use(void) { add(1); return 0; }`);
    const link = kernel.attach(program);
    expect(read(kernel, link)).toMatch(/^0:seen:1 (\d+:\S+:1 )*end \d$/);
    expect(read(kernel, link, 5)).toMatch(/^0:seen:1 /);
    expect(kernel.read(link)).toBe(-errno.EINVAL);
    expect(kernel.read(99)).toBe(-errno.EBADF);
  });

  test("the task, and the elements of a map that is given", () => {
    const task = open(`SEC("iter/task") int p(struct bpf_iter__task *c) {
      if (c->task) PRINT(c, "%d %s", c->task->pid, (long)c->task->comm); return 0; }`);
    expect(read(task.kernel, task.kernel.attach(task.program))).toBe("1234 bpfc");
    const { kernel, program, seen } = open(`SEC("iter/bpf_map_elem")
      int p(struct bpf_iter__bpf_map_elem *c) {
        if (c->key) { PRINT(c, "%d=%llu", *c->key, *c->value); *c->value += 1; } return 0; }
      SEC("xdp") int q(struct xdp_md *c) { add(1); return 0; }`);
    expect(kernel.attach(program)).toBe(-errno.EINVAL);
    const link = kernel.attach(program, { map: seen });
    expect([read(kernel, link), read(kernel, link)]).toEqual(["0=0", "0=1"]);
  });

  test("errno values of queries are Linux's", () => {
    const { kernel, program, map } = start(
      `${counterMap}SEC("raw_tp/sched_switch") int p(void *c) { add(1); return 0; }`,
    );
    const fd = program("p");
    const pid = kernel.process.pid;
    expect(kernel.bpf("ITER_CREATE", { link_fd: 999 })).toBe(-errno.EBADF);
    expect(kernel.bpf("ITER_CREATE", { link_fd: fd, flags: 1n })).toBe(-errno.EINVAL);
    expect(kernel.bpf("ITER_CREATE", { link_fd: fd })).toBe(-errno.EINVAL);
    expect(kernel.bpf("TASK_FD_QUERY", { pid, fd, flags: 1n })).toBe(-errno.EINVAL);
    expect(kernel.bpf("TASK_FD_QUERY", { pid: 999_999, fd })).toBe(-errno.ENOENT);
    expect(kernel.bpf("TASK_FD_QUERY", { pid, fd: 999 })).toBe(-errno.EBADF);
    expect(kernel.bpf("TASK_FD_QUERY", { pid, fd })).toBe(-errno.ENOTSUPP);
    const attr = { pid, fd: kernel.attach(fd), buf: new Uint8Array(5) };
    expect(kernel.bpf("TASK_FD_QUERY", attr)).toBe(-errno.ENOSPC);
    expect(attr).toMatchObject({
      fd_type: 0,
      buf_len: 12,
      buf: new TextEncoder().encode("sche\0"),
    });
    expect(kernel.bpf("TOKEN_CREATE", { bpffs_fd: 999 })).toBe(-errno.EBADF);
    expect(kernel.bpf("TOKEN_CREATE", { bpffs_fd: fd })).toBe(-errno.EINVAL);
    expect(kernel.bpf("TOKEN_CREATE", { bpffs_fd: kernel.openBpffs() })).toBe(-errno.EOPNOTSUPP);
    const read = (more: object): number => kernel.bpf("PROG_STREAM_READ_BY_FD", more);
    expect(read({ stream_id: 1, prog_fd: 999 })).toBe(-errno.EBADF);
    expect(read({ stream_id: 0, prog_fd: fd })).toBe(-errno.ENOENT);
    expect(read({ stream_id: 3, prog_fd: fd })).toBe(-errno.ENOENT);
    expect(read({ stream_id: 1, prog_fd: map("seen") })).toBe(-errno.EINVAL);
    expect(read({ stream_id: 2, prog_fd: fd, stream_buf: new Uint8Array(9) })).toBe(0);
  });
});

test("traced functions' arguments and results by number", () => {
  const kernel = new SimulatedKernel();
  const text = `${counterMap}SEC("fexit/f") int p(__u64 *c) {
      __u64 a = 0, b = 0, r = 0;
      if (bpf_get_func_arg_cnt(c) != 2 || bpf_get_func_arg(c, 2, &a) != -22) return 0;
      bpf_get_func_arg(c, 0, &a); bpf_get_func_arg(c, 1, &b);
      if (bpf_get_func_ret(c, &r) == 0) add(a * 100 + b * 10 + r);
      return 0; }`;
  const loaded = loadObject(compileText(head + text), "test.c", new Diagnostics());
  const opened = loaded && kernel.loadObject(loaded, { verify: false });
  if (opened === undefined || "message" in opened) throw new Error("not loaded");
  kernel.attach(opened.programs.get("p") ?? -1);
  kernel.call("f", { args: [4, 5], returns: 6 });
  const value = new Uint8Array(8);
  const key = new Uint8Array(4);
  kernel.bpf("MAP_LOOKUP_ELEM", { map_fd: opened.maps.get("seen") ?? -1, key, value });
  expect(new DataView(value.buffer).getUint16(0, true)).toBe(456);
});

describe("counters, filters, operations", () => {
  test("a perf event's program gets its sample", () => {
    const { kernel, program, counter } = start(
      `${counterMap}#include <linux/bpf_perf_event.h>
      SEC("perf_event") int p(struct bpf_perf_event_data *c) { add(c->sample_period); return 0; }`,
    );
    expect(kernel.attach(program("p"))).toBe(-errno.EINVAL);
    kernel.attach(program("p"), { event: "cpu-clock" });
    kernel.fire("perf_event/cpu-clock", { sample_period: 40 });
    kernel.fire("perf_event/other", { sample_period: 1 });
    expect(counter("seen")).toBe(40n);
    expect(kernel.fire("perf_event/cpu-clock", { what: 1 })).toHaveProperty("problem");
  });

  test("netfilter programs drop and accept", () => {
    const kernel = new SimulatedKernel();
    const text = `struct nf { void *state, *skb; };
      SEC("netfilter") int p(struct nf *c) { unsigned char *s = c->state; return s[0] == 1; }`;
    const loaded = loadObject(compileText(head + text), "test.c", new Diagnostics());
    const opened = loaded && kernel.loadObject(loaded, { verify: false });
    if (opened === undefined || "message" in opened) throw new Error("not loaded");
    const program = opened.programs.get("p") ?? -1;
    const ip = new Uint8Array(20).fill(0x45, 0, 1);
    for (const hook of [1, 2]) kernel.attach(program, { netfilter: { family: 2, hook } });
    expect([1, 2, 3].map((hook) => kernel.filter(2, hook, ip).verdict)).toEqual([1, 0, 1]);
    const create = (more: object): number =>
      kernel.bpf("LINK_CREATE", { prog_fd: program, attach_type: 45, ...more });
    expect(create({ netfilter_pf: 1 })).toBe(-errno.EAFNOSUPPORT);
    expect(create({ netfilter_pf: 2, netfilter_hooknum: 5 })).toBe(-errno.EPROTO);
    expect(create({ netfilter_pf: 2, netfilter_priority: 0x7fffffff })).toBe(-errno.ERANGE);
    expect(create({ netfilter_pf: 10, netfilter_hooknum: 4 })).toBeGreaterThan(0);
  });

  test("members of a registered struct are called", () => {
    const kernel = new SimulatedKernel();
    const text = `struct my_ops { int (*twice)(int x); int other; };
      SEC("struct_ops/twice") int p(__u64 *c) { return c[0] * 2; }
      SEC(".struct_ops") struct my_ops ops = { .twice = (void *)p, .other = 3 };`;
    const loaded = loadObject(compileText(head + text), "test.c", new Diagnostics());
    const opened = loaded && kernel.loadObject(loaded, { verify: false });
    if (opened === undefined || "message" in opened) throw new Error("not loaded");
    const map = opened.maps.get("ops") ?? -1;
    expect(kernel.callOperation(map, "twice", [21])).toBe(-errno.ENOENT);
    expect(kernel.registerOperations(map)).toBe(0);
    expect(kernel.registerOperations(map)).toBe(-errno.EBUSY);
    expect(kernel.callOperation(map, "twice", [21])).toMatchObject({ result: { retval: 42 } });
    expect(kernel.callOperation(map, "other")).toBe(-errno.ENOENT);
  });
});
