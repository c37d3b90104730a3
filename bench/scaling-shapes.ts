/**
 * Programs of chosen sizes and shapes, for measuring how the compiler grows: each depends on shape and
 * size alone. Sizes are instructions, roughly.
 */

import { hardShapes } from "./scaling-shapes-hard.ts";
import { head, lookup, numbers, repeat } from "./scaling-tools.ts";

/** Programs of about so many instructions. */
export const shapes: Readonly<Record<string, (instructions: number) => string>> = {
  /** One basic block that loads, computes and stores. */
  straight(instructions) {
    const next = numbers(1);
    const body = repeat(instructions / 5.5, () => {
      const [x, y, z] = [next(64), next(64), next(64)];
      return `	e->a[${x}] += e->b[${y}] * ${next(1000)} ^ e->c[${z}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}${body}\n	return 2;\n}\n`;
  },
  /** A chain of conditions with values that live across them. */
  branches(instructions) {
    const next = numbers(2);
    const body = repeat(instructions / 7, () => {
      const [x, y] = [next(64), next(64)];
      return `	if (e->b[${x}] > ${next(1000)}) s += e->a[${y}]; else s ^= e->d[${x}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = ctx->data_end - ctx->data;\n${body}\n	return s & 1;\n}\n`;
  },
  /** Many functions of some forty instructions, called one after the other. */
  functions(instructions) {
    const next = numbers(3);
    const count = instructions / 42;
    const functions = repeat(count, (index) => {
      const lines = repeat(4, () => `	if (e->a[${next(64)}] > n) s += e->b[${next(64)}] * n;`);
      return `__attribute__((noinline)) static __u64 f${index}(struct entry *e, __u64 n) {\n	__u64 s = n;\n${lines}\n	e->a[${next(64)}] = s;\n	return s;\n}`;
    });
    const calls = repeat(count, (index) => `	s += f${index}(e, s);`);
    return `${head}${functions}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 1;\n${calls}\n	return s & 1;\n}\n`;
  },
  /** One switch with a case per value. */
  switch(instructions) {
    const next = numbers(4);
    const cases = repeat(
      instructions / 6,
      (index) =>
        `	case ${index * 3 + next(3)}: s += e->a[${next(64)}] ^ ${next(100000)}; e->b[${next(64)}] = s; break;`,
    );
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 0;\n	switch (ctx->ingress_ifindex) {\n${cases}\n	}\n	return s & 1;\n}\n`;
  },
  /** Loops in sequence, each with a large body. */
  loops(instructions) {
    const next = numbers(5);
    const loops = repeat(instructions / 210, (index) => {
      const lines = repeat(30, () => {
        const [x, y] = [next(64), next(64)];
        return `		s${next(4)} += e->a[${x}] * i; e->b[${y}] = s${next(4)};`;
      });
      return `	for (__u32 i = 0; i < ${index + 100}; i++) {\n${lines}\n	}`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s0 = 0, s1 = 1, s2 = 2, s3 = 3;\n${loops}\n	return (s0 ^ s1 ^ s2 ^ s3) & 1;\n}\n`;
  },
  /** Helper calls with arguments on the stack, and values that live across them. */
  calls(instructions) {
    const next = numbers(6);
    const body = repeat(instructions / 11, () => {
      const key = next(1000);
      return `	key = ${key} + (__u32)s; p = bpf_map_lookup_elem(&table, &key); if (p) s += p->a[${next(64)}];`;
    });
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n	__u64 s = 1; __u32 key; struct entry *p;\n${body}\n	return s & 1;\n}\n`;
  },
  /** Loops in loops, eight deep, one nest after the other in one function. */
  nests(instructions) {
    const next = numbers(7);
    const nests = repeat(instructions / 130, () => {
      const depth = 8;
      const open = repeat(
        depth,
        (at) => `	for (__u32 i${at} = 0; i${at} < n${at % 4}; i${at}++) {`,
      );
      const body = repeat(
        4,
        () => `		s += e->a[${next(64)}] * i${next(depth)} ^ e->b[${next(64)}];`,
      );
      return `${open}\n${body}\n	e->a[${next(64)}] = s; ${"}".repeat(depth)}`;
    });
    const counts = repeat(4, (at) => `	__u32 n${at} = e->b[${at}] & 15;`);
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}${counts}\n	__u64 s = 1;\n${nests}\n	return s & 1;\n}\n`;
  },
  /** Many maps and global variables, each used a few times. */
  objects(instructions) {
    const count = instructions / 22;
    const maps = repeat(
      count,
      (at) =>
        `struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, ${at + 1}); __type(key, __u32); __type(value, __u64); } m${at} SEC(".maps");\n__u64 g${at}; static volatile __u32 v${at} = ${at};`,
    );
    const uses = repeat(
      count,
      (at) => `	k = v${at}; p = bpf_map_lookup_elem(&m${at}, &k); if (p) g${at} += *p;`,
    );
    return `${head}${maps}\nSEC("xdp") int p(struct xdp_md *ctx) {\n	__u32 k; __u64 *p;\n${uses}\n	return 2;\n}\n`;
  },
  /** Statements of one expression each, 64 operators deep. */
  expressions(instructions) {
    const next = numbers(8);
    const tree = (depth: number): string =>
      depth === 0
        ? `(x ${["+", "^", "*", ">>"][next(4)]} ${next(60) + 1})`
        : `(${tree(depth - 1)} ${["+", "^", "*", "-"][next(4)]} ${tree(depth - 1)})`;
    const body = repeat(
      instructions / 140,
      () =>
        `	x = e->a[${next(64)}]; e->a[${next(64)}] = ${tree(6)}; asm volatile("" ::: "memory");`,
    );
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 x;\n${body}\n	return 2;\n}\n`;
  },
  /** Chains of `else if`, and one of early returns through a common label. */
  chains(instructions) {
    const next = numbers(9);
    const first = repeat(instructions / 4000, () => {
      const links = repeat(
        Math.min(400, instructions / 10),
        (at) => `	if (x == ${at * 7 + next(7)}) s = e->a[${next(64)}] + ${next(100)}; else`,
      );
      return `${links} s = 1;`;
    });
    const second = repeat(
      instructions / 10,
      (at) => `	if (e->b[${next(64)}] == s + ${at}) { s = ${next(1000)}; goto out; }`,
    );
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 0; __u32 x = ctx->ingress_ifindex;\n${first}\n${second}\nout:\n	return s & 1;\n}\n`;
  },
  /** Initialisers of large tables, and code that reads them. */
  tables(instructions) {
    const next = numbers(10);
    const rows = repeat(
      instructions,
      (at) => `	{ .key = ${at}, .low = ${next(65536)}, .high = { ${next(256)}, ${next(256)} } },`,
    );
    const strings = repeat(instructions / 20, (at) => `	"name of row ${at}",`);
    return `${head}struct row { __u32 key; __u16 low; __u8 high[2]; };\nconst struct row rows[] = {\n${rows}\n};\nconst char names[][24] = {\n${strings}\n};\nSEC("xdp") int p(struct xdp_md *ctx) {\n	__u32 i = ctx->ingress_ifindex;\n	return i < 256 ? rows[i].low + names[i & 15][3] : 0;\n}\n`;
  },
  /** Macros of macros: one line that becomes all of the program. */
  macros(instructions) {
    const levels = Math.max(1, Math.round(Math.log2(instructions / 8)));
    const doubling = repeat(
      levels,
      (at) => `#define STEP${at + 1}(n) STEP${at}(n) STEP${at}(n ^ ${2 ** at})`,
    );
    return `${head}#define STEP0(n) do { __u64 t = e->a[(n) & 63]; if (t > (n)) e->b[(n) & 63] += t; } while (0);\n${doubling}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	STEP${levels}(0)\n	return 2;\n}\n`;
  },
  /** Many small static functions with variables of their own that are inlined into one. */
  inlined(instructions) {
    const next = numbers(11);
    const count = instructions / 14;
    const functions = repeat(
      count,
      (at) =>
        `static __always_inline __u64 f${at}(struct entry *e, __u64 n, __u32 *out) { __u64 t[2] = { n, e->a[${next(64)}] }; *out = t[n & 1] > ${next(1000)}; return t[0] ^ t[1]; }`,
    );
    const calls = repeat(
      count,
      (at) => `	s += f${at}(e, s, &flag); if (flag) e->b[${next(64)}]++;`,
    );
    return `${head}${functions}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	__u64 s = 1; __u32 flag;\n${calls}\n	return s & 1;\n}\n`;
  },
  /** Chains of calls, each function calling the next, as deep as they are long. */
  depth(instructions) {
    const next = numbers(12);
    const count = Math.max(1, Math.round(instructions / 24));
    const functions = repeat(
      count,
      (at) =>
        `__attribute__((noinline)) static __u64 f${at}(struct entry *e, __u64 n) { if (e->a[${next(64)}] > n) n += e->b[${next(64)}]; e->c[${next(64)}] = n; return ${at === 0 ? "n" : `f${at - 1}(e, n * 3)`} + ${at}; }`,
    );
    return `${head}${functions}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	return f${count - 1}(e, 1) & 1;\n}\n`;
  },
  /** Strings to print, and fields of kernel types that a loader relocates. */
  relocations(instructions) {
    const next = numbers(13);
    const types = repeat(
      instructions / 200,
      (at) =>
        `struct t${at} { int a${at}; long b; struct { int x; struct t${Math.max(0, at - 1)} *next; } c; } __attribute__((preserve_access_index));`,
    );
    const count = Math.max(1, Math.round(instructions / 200));
    const body = repeat(instructions / 24, (at) => {
      const type = next(count);
      return `	{ struct t${type} *t = (void *)bpf_get_current_task(); int v = 0; bpf_probe_read_kernel(&v, 4, &t->c.x); bpf_printk("value ${at} of ${type}: %d", v); }`;
    });
    return `${head}${types}\nSEC("raw_tp/sched_switch") int p(struct bpf_raw_tracepoint_args *ctx) {\n${body}\n	return 0;\n}\n`;
  },
  /** One long block with so many values alive that they spill, as a hash of many rounds has. */
  pressure(instructions) {
    const next = numbers(14);
    const loads = repeat(24, (at) => `	__u64 x${at} = e->a[${at}];`);
    const body = repeat(instructions / 9, () => {
      const [a, b, c] = [next(24), next(24), next(24)];
      return `	x${a} += x${b}; x${c} = (x${c} ^ x${a}) << ${next(30) + 1} | x${b} >> ${next(30) + 1};`;
    });
    const stores = repeat(24, (at) => `	e->a[${at}] = x${at};`);
    return `${head}SEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}${loads}\n${body}\n${stores}\n	return 2;\n}\n`;
  },
  ...hardShapes,
};
