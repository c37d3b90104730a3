/** What programs need of a kernel, what their verification costs, and for whom they load. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import {
  answerFor,
  findKernelFacts,
  minimumKernel,
  profiledKernels,
} from "../vm/kernel-profiles/kernel-answer.ts";
import { withPrivileges } from "../vm/kernel-profiles/privileges.ts";
import { profileOf } from "../vm/verifier/profile.ts";
import { verifierInput } from "../vm/verifier/program-input.ts";
import { verify } from "../vm/verifier/verify.ts";
import { compileText } from "./support/compile.ts";

const head = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char LICENSE[] SEC("license") = "GPL";
`;
const hash = `struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);
  __type(key, int); __type(value, long[2]); } m SEC(".maps");
`;

function loadText(text: string): LoadedObject {
  const loaded = loadObject(compileText(head + text), "test.c", new Diagnostics());
  if (loaded === undefined) throw new Error("not loaded");
  return loaded;
}

const findingsOf = (text: string): ReturnType<typeof findKernelFacts> => {
  const loaded = loadText(text);
  return findKernelFacts(loaded, loaded.programs[0]!);
};

/** The newest thing the program needs, and since when there is such. */
const needs: Readonly<Record<string, readonly [source: string, since: string, what: RegExp]>> = {
  "nothing new": ['SEC("socket") int p(struct __sk_buff *s) { return 0; }', "3.19", /program type/],
  "a helper": [
    'SEC("kprobe/f") int p(void *c) { return bpf_ktime_get_boot_ns() & 1; }',
    "5.8",
    /^helper bpf_ktime_get_boot_ns$/,
  ],
  "a map type": [
    `struct { __uint(type, BPF_MAP_TYPE_BLOOM_FILTER); __uint(max_entries, 4);
       __type(value, int); } b SEC(".maps");
     SEC("xdp") int p(void *c) { int k = 1; return bpf_map_peek_elem(&b, &k) & 1; }`,
    "5.16",
    /^map type BPF_MAP_TYPE_BLOOM_FILTER \(map 'b'\)$/,
  ],
  "a loop": [
    `SEC("socket") int p(struct __sk_buff *s) { unsigned a = 0;
     _Pragma("clang loop unroll(disable)")
     for (int i = 0; i < 64; i++) a += bpf_get_prandom_u32();
     return a; }`,
    "5.3",
    /^bounded loops$/,
  ],
  "a function": [
    `static __noinline int f(unsigned x) { return x * bpf_get_prandom_u32(); }
     SEC("socket") int p(struct __sk_buff *s) { return f(s->len); }`,
    "4.16",
    /^BPF-to-BPF calls$/,
  ],
  "global data": ['int g; SEC("xdp") int p(void *c) { g = 1; return 1; }', "5.2", /^global data/],
  "a fetching atomic": [
    'long g; SEC("xdp") int p(void *c) { return __sync_fetch_and_add(&g, 1) & 1; }',
    "5.12",
    /^instruction atomic_fetch_add64/,
  ],
  "a field of the context": [
    'SEC("tc") int p(struct __sk_buff *s) { return s->hwtstamp & 1; }',
    "5.16",
    /^field __sk_buff.hwtstamp$/,
  ],
  "a constant stored into the context": [
    'SEC("tc") int p(struct __sk_buff *s) { asm volatile("*(u32 *)(%0 + 8) = 7" :: "r"(s)); return 0; }',
    "6.4",
    /^constants stored into the context$/,
  ],
  "a loop entered at its test": [
    `SEC("socket") int p(struct __sk_buff *s) {
       asm volatile("r1 = 9; goto 1f; 2: r1 += -1; 1: if r1 != 0 goto 2b; r0 = 0;"
                    ::: "r0", "r1");
       return 0; }`,
    "6.7",
    /^loops that are entered behind/,
  ],
  "stack bytes that nothing wrote": [
    `${hash}SEC("xdp") int p(void *c) { int k = 0; long a[2]; a[0] = 3;
       asm volatile("" : : "r"(a) : "memory");
       return bpf_map_update_elem(&m, &k, a, 0) & 1; }`,
    "6.3",
    /^stack bytes that nothing wrote/,
  ],
};

describe("the newest requirement decides the oldest kernel", () => {
  test.each(Object.entries(needs))("%s", (_, [source, since, what]) => {
    const findings = findingsOf(source);
    expect(findings.verdict.reason).toBe("");
    expect(minimumKernel(findings)).toBe(since);
    const newest = findings.requirements.find((requirement) => requirement.since === since);
    expect(newest?.what).toMatch(what);
  });

  test("what later patches of a release have is neither blocked there nor free of blockers", () => {
    const findings = findingsOf(needs["stack bytes that nothing wrote"]![0]);
    expect(answerFor(findings, "5.10").kind).toBe("blocked");
    expect(answerFor(findings, "5.15").kind).toBe("unknown");
    expect(answerFor(findings, "6.1").kind).toBe("unknown");
    expect(answerFor(findings, "6.6").kind).toBe("no-known-blocker");
  });

  test("a helper that verification never comes to blocks nothing", () => {
    const text = `const volatile int is_new = 0;
      SEC("kprobe/f") int p(void *c) { return is_new ? bpf_ktime_get_tai_ns() & 1 : 0; }`;
    expect(answerFor(findingsOf(text), "5.10").kind).toBe("no-known-blocker");
  });

  test("branches on the kernel's release are taken as that kernel takes them", () => {
    const text = `extern int LINUX_KERNEL_VERSION __kconfig;
      SEC("kprobe/f") int p(void *c) {
        return LINUX_KERNEL_VERSION >= (6 << 16) ? bpf_ktime_get_tai_ns() & 1 : 0; }`;
    const loaded = loadText(text);
    const program = loaded.programs[0]!;
    expect(answerFor(findKernelFacts(loaded, program), "5.10").kind).toBe("blocked");
    const own = answerFor(findKernelFacts(loaded, program, "5.10"), "5.10");
    expect(own.kind).toBe("no-known-blocker");
  });

  test("flags of the program, whatever 6.18 says of it", () => {
    const findings = findingsOf('SEC("xdp.frags") int p(void *c) { return 1; }');
    expect(answerFor(findings, "5.15").kind).toBe("blocked");
    expect(answerFor(findings, "6.1").kind).not.toBe("blocked");
  });

  test("blocked before, no known blocker from then on, a verdict on 6.18 only", () => {
    const findings = findingsOf(needs["a loop"]![0]);
    const kinds = profiledKernels().map((kernel) => answerFor(findings, kernel).kind);
    const after = ["no-known-blocker", "no-known-blocker"];
    expect(profiledKernels()[0]).toBe("4.19");
    expect(kinds).toEqual(["blocked", ...after, ...after, ...after, "modelled"]);
  });

  test("what 6.18 rejects is unknown elsewhere, never free of blockers", () => {
    const findings = findingsOf(
      `${hash}SEC("xdp") int p(void *c) { int k = 0; long *v = bpf_map_lookup_elem(&m, &k);
       return *v & 1; }`,
    );
    expect(answerFor(findings, "5.15").kind).toBe("unknown");
    expect(minimumKernel(findings)).toBeUndefined();
  });

  test("pointer arguments of global functions: libbpf makes the function static before 5.6", () => {
    const findings = findingsOf(
      `struct pair { long a, b; };
       __attribute__((noinline)) long sum(unsigned long n, struct pair *p) {
         return p ? p->a * n + p->b : 0; }
       SEC("socket") int p(struct __sk_buff *s) {
         struct pair x = { s->len, s->hash }; return sum(s->mark, &x); }`,
    );
    expect(answerFor(findings, "5.10").kind).toBe("blocked");
    expect(answerFor(findings, "5.4").kind).toBe("no-known-blocker");
    expect(answerFor(findings, "5.15").kind).toBe("no-known-blocker");
  });
});

test("a profile names the line and the function that cost the most", () => {
  const loaded = loadText(`static __noinline unsigned f(unsigned x) { return x * 3; }
SEC("xdp") int p(void *c) {
  unsigned a = 0;
  for (int i = 0; i < 3000; i++)
    a += f(bpf_get_prandom_u32() ^ i);
  return a & 1;
}`);
  const program = loaded.programs[0]!;
  const verdict = verify(verifierInput(loaded, program), { profile: true });
  const { functions, lines } = profileOf(program, verdict);
  const sum = (entries: readonly { readonly processed: number }[]): number =>
    entries.reduce((total, entry) => total + entry.processed, 0);
  expect(sum(functions)).toBe(verdict.processed);
  expect(sum(lines)).toBe(verdict.processed);
  expect(functions.map((fn) => fn.name)).toEqual(["p", "f"]);
  expect(lines[0]?.text).toMatch(/^a \+= f|^for \(int i/);
  expect(functions.reduce((total, fn) => total + fn.states, 0)).toBe(verdict.states);
});

describe("callers without full privileges (by program type as measured on Linux 6.18)", () => {
  const verdictFor = (source: string, privileges: "cap-bpf" | "none"): string => {
    const loaded = loadText(source);
    const input = verifierInput(loaded, loaded.programs[0]!);
    return withPrivileges(input, verify(input), privileges).verdict;
  };
  const socket = 'SEC("socket") int p(struct __sk_buff *s) { return 0; }';

  test("types that need CAP_NET_ADMIN or CAP_PERFMON are refused", () => {
    expect(verdictFor('SEC("xdp") int p(void *c) { return 1; }', "cap-bpf")).toBe("reject");
    expect(verdictFor('SEC("kprobe/f") int p(void *c) { return 1; }', "cap-bpf")).toBe("reject");
    expect(verdictFor('SEC("sk_lookup") int p(void *c) { return 1; }', "none")).toBe("reject");
  });

  test("what may be tried is not modelled, and never accepted", () => {
    expect(verdictFor(socket, "none")).toBe("unsupported");
    expect(verdictFor(socket, "cap-bpf")).toBe("unsupported");
    expect(verdictFor('SEC("sk_lookup") int p(void *c) { return 1; }', "cap-bpf")).toBe(
      "unsupported",
    );
  });
});
