/** What the generated programs of scaling-shapes.ts and scaling-shapes-hard.ts are made from. */

/** Small numbers that look random and are the same every time. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

/** A whole number of parts, at least one. */
export const count = (parts: number): number => Math.max(1, Math.round(parts));

export const repeat = (parts: number, line: (index: number) => string): string =>
  Array.from({ length: count(parts) }, (_, index) => line(index)).join("\n");

/** What every program begins with. */
export const head = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct entry { __u64 a[64]; __u32 b[64]; __u16 c[64]; __u8 d[64]; };
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct entry); } table SEC(".maps");
char LICENSE[] SEC("license") = "GPL";
`;

/** How a program's function begins that works on an entry of the table. */
export const lookup = `	__u32 zero = 0;
	struct entry *e = bpf_map_lookup_elem(&table, &zero);
	if (!e) return 0;
`;

/** A program of one function with an entry `e`; its body makes a variable `s`. */
export const program = (body: string, declarations = ""): string =>
  `${head}${declarations}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}${body}\n	return s > 1;\n}\n`;

/** Nothing that was read before is known behind it. */
export const barrier = 'asm volatile("" ::: "memory");';
