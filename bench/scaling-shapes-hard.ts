/**
 * More programs of chosen sizes, of the shapes that are hard on a compiler: deep, wide, tangled, or long
 * in one place. As the others they depend on shape and size alone; sizes are instructions, roughly.
 */
import { barrier, count, head, lookup, numbers, program, repeat } from "./scaling-tools.ts";

/** Programs of about so many instructions. */
export const hardShapes: Readonly<Record<string, (instructions: number) => string>> = {
  /** One chain of `else if`, as deep as it is long. */
  elseIf(instructions) {
    const next = numbers(21);
    const links = repeat(
      instructions / 4,
      (at) => `	if (x == ${at * 7 + next(7)}) s = e->a[${next(64)}] + ${next(100)}; else`,
    );
    return program(`	__u64 s = 0; __u32 x = ctx->ingress_ifindex;\n${links} s = 1;`);
  },
  /** Conditions in conditions, sixty deep, one tower after the other. */
  towers(instructions) {
    const next = numbers(22);
    const towers = repeat(instructions / 400, () => {
      const open = repeat(60, () => `	if (e->b[${next(64)}] > s) { s += e->a[${next(64)}];`);
      const close = repeat(60, () => `	} else s ^= ${next(1000)};`);
      return `${open}\n${close}`;
    });
    return program(`	__u64 s = 0;\n${towers}`);
  },
  /** Labels and jumps to any of the near ones, forwards and backwards, by no structure. */
  gotos(instructions) {
    const next = numbers(23);
    const labels = count(instructions / 7);
    const body = repeat(labels, (at) => {
      const to = Math.min(labels - 1, Math.max(0, at + next(40) - 12));
      return `l${at}: s += e->a[${next(64)}]; if (e->b[${next(64)}] > s) goto l${to};`;
    });
    return program(`	__u64 s = 0;\n${body}`);
  },
  /** Many variables that change in many branches: joins of all of them. */
  joins(instructions) {
    const next = numbers(24);
    const variables = 24;
    const declarations = repeat(variables, (at) => `	__u64 x${at} = e->a[${at}];`);
    const body = repeat(instructions / 12, () => {
      const [a, b, c] = [next(variables), next(variables), next(variables)];
      return `	if (x${a} > e->b[${next(64)}]) x${b} += x${c}; else x${c} ^= x${a}; ${barrier}`;
    });
    const stores = repeat(variables, (at) => `	e->a[${at}] = x${at};`);
    return program(`	__u64 s = 1;\n${declarations}\n${body}\n${stores}`);
  },
  /** A loop over everything, so that all variables go round it. */
  round(instructions) {
    const next = numbers(25);
    const variables = 12;
    const declarations = repeat(variables, (at) => `	__u64 x${at} = e->a[${at}];`);
    const body = repeat(instructions / 9, () => {
      const [a, b] = [next(variables), next(variables)];
      return `	if (e->b[${next(64)}] > x${a}) x${b} += e->a[${next(64)}]; ${barrier}`;
    });
    const stores = repeat(variables, (at) => `	e->a[${at}] = x${at};`);
    return program(
      `	__u64 s = 1;\n${declarations}\n	for (__u32 i = 0; i < e->b[0]; i++) {\n${body}\n	}\n${stores}`,
    );
  },
  /** One function that is inlined at every call. */
  copies(instructions) {
    const next = numbers(26);
    const calls = repeat(instructions / 14, () => `	s = f(e, s, ${next(64)}, ${next(1000)});`);
    const f = `static __always_inline __u64 f(struct entry *e, __u64 s, __u32 at, __u32 least) {
	if (e->b[at] < least) return s + 1;
	e->c[at & 31] = s;
	return s ^ e->a[at];
}`;
    return program(`	__u64 s = 1;\n${calls}`, f);
  },
  /** Loops that are unrolled by pragma. */
  unrolled(instructions) {
    const next = numbers(27);
    const loops = repeat(
      instructions / 256,
      () =>
        `#pragma unroll\n	for (int i = 0; i < 32; i++) { if (e->b[i] > ${next(1000)}) s += e->a[i + ${next(32)}]; }`,
    );
    return program(`	__u64 s = 0;\n${loops}`);
  },
  /** One sum of very many terms. */
  sum(instructions) {
    const next = numbers(28);
    const terms = repeat(instructions / 3, (at) => `x${next(6)} * ${at * 3 + 1} ^`);
    const variables = repeat(6, (at) => `	__u64 x${at} = e->a[${at}];`);
    return program(`${variables}\n	__u64 s = ${terms} 1;`);
  },
  /** Conditions of a hundred parts. */
  conditions(instructions) {
    const next = numbers(29);
    const body = repeat(instructions / 600, (at) => {
      const parts = repeat(
        100,
        () =>
          `(bpf_get_prandom_u32() > ${next(1000)} ${next(2) ? "&&" : "||"} (n & ${1 + next(1000)})) ${next(2) ? "&&" : "||"}`,
      );
      return `	s += ${parts} s > ${at};`;
    });
    return program(`	__u32 n = ctx->ingress_ifindex;\n	__u64 s = 0;\n${body}`);
  },
  /** Buffers on the stack, each in a scope of its own and handed to a helper. */
  buffers(instructions) {
    const next = numbers(30);
    const scopes = repeat(
      instructions / 20,
      () =>
        `	{ struct { __u64 a; __u32 b, c; } t = { s, ${next(1000)}, e->b[${next(64)}] }; bpf_get_current_comm(&t, sizeof t); s += t.a + t.c; }`,
    );
    return program(`	__u64 s = 0;\n${scopes}`);
  },
  /** Whole structs that are copied about. */
  assignments(instructions) {
    const next = numbers(31);
    const type = "struct part { __u64 x[12]; };\nstruct all { struct part p[16]; };";
    const body = repeat(
      instructions / 28,
      () =>
        `	w->p[${next(16)}] = w->p[${next(16)}]; t = w->p[${next(16)}]; t.x[${next(12)}] = s; w->p[${next(16)}] = t; s += t.x[${next(12)}];`,
    );
    return program(
      `	__u64 s = 0; struct part t; struct all *w = bpf_map_lookup_elem(&wide, &zero);\n	if (!w) return 0;\n${body}`,
      `${type}\nstruct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, struct all); } wide SEC(".maps");`,
    );
  },
  /** Types, enumerators, typedefs and macros by the thousand, each used once. */
  declarations(instructions) {
    const each = count(instructions / 12);
    const types = repeat(
      each,
      (at) =>
        `#define M${at}(x) ((x) + K${at})\nenum e${at} { K${at} = ${at * 5}, L${at} };\ntypedef struct s${at} { __u32 a; enum e${at} b; ${at > 0 ? `struct s${at - 1} *up;` : ""} } t${at};`,
    );
    const body = repeat(
      each,
      (at) => `	{ t${at} *t = (void *)e; s += t->a + M${at}(t->b) + L${at}; }`,
    );
    return program(`	__u64 s = 0;\n${body}`, types);
  },
  /** Text of which most is left out by conditions, and one header read again and again. */
  conditionals(instructions) {
    const next = numbers(33);
    const body = repeat(
      instructions / 8,
      (at) =>
        `#if defined(A${at}) || ${at} % 3 == 1 && !defined(B)\n	s += e->a[${next(64)}];\n#elif VALUE > ${next(1000)}\n	if (e->b[${next(64)}] > ${next(100)}) s ^= e->a[${next(64)}];\n#else\n	s -= e->a[${next(64)}];\n#endif\n#undef VALUE\n#define VALUE ${next(1000)}\n	${barrier}\n#include <stddef.h>`,
    );
    return program(`	__u64 s = 0;\n${body}`, "#define VALUE 5");
  },
  /** Each part is a state that a switch in a loop picks. */
  states(instructions) {
    const next = numbers(34);
    const each = count(instructions / 12);
    const cases = repeat(
      each,
      (at) =>
        `	case ${at}: s += e->a[${next(64)}]; state = e->b[${next(64)}] > s ? ${next(each)} : ${next(each)}; break;`,
    );
    return program(
      `	__u64 s = 0; __u32 state = 0;\n	for (int i = 0; i < 100; i++) switch (state) {\n${cases}\n	default: return 1;\n	}`,
    );
  },
  /** Functions that are many and small, called from everywhere, some of them global. */
  graph(instructions) {
    const next = numbers(35);
    const each = count(instructions / 20);
    const functions = repeat(each, (at) => {
      const calls = repeat(2, () => (at > 0 ? `n += f${Math.max(0, at - 1 - next(30))}(n);` : ""));
      const kind = at % 3 === 0 ? "__attribute__((noinline))" : "static __attribute__((noinline))";
      return `${kind} __u64 f${at}(__u64 n) { if (n & ${1 + next(1000)}) { ${calls} } return n * ${at}; }`;
    });
    return `${head}${functions}\nSEC("xdp") int p(struct xdp_md *ctx) {\n${lookup}	return f${each - 1}(e->a[1]) & 1;\n}\n`;
  },
};
