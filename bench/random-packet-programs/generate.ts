/**
 * A random packet program in C, the same for the same seed: headers parsed with bounds checks, maps
 * looked up, buffers and options walked, in the idioms that BPF programs have. It has no undefined
 * behaviour under -fwrapv -fno-strict-aliasing, and what it does depends on the packet alone. Not
 * every program passes the kernel's verifier.
 */
import { randomGlobals, randomMap, randomStruct, structText } from "./declarations.ts";
import { expression } from "./expressions.ts";
import { type Place, type Scope, Source, withPlaces } from "./scope.ts";
import { type Callee, type Surroundings, Writer } from "./statements.ts";

const includes = [
  "linux/bpf.h",
  "linux/if_ether.h",
  "linux/ip.h",
  "linux/ipv6.h",
  "linux/tcp.h",
  "linux/udp.h",
  "linux/in.h",
  "bpf/bpf_helpers.h",
  "bpf/bpf_endian.h",
];

const parameterText = {
  scalar: (name: string): string => `__u64 ${name}`,
  buffer: (name: string): string => `__u8 *${name}`,
  packet: (): string => "void *data, void *data_end",
};

type MapsAndStructs = Omit<Surroundings, "functions">;

/** A function that others call. One that the compiler may not inline gets no packet. */
function randomFunction(
  source: Source,
  program: MapsAndStructs,
  globals: Scope,
): { callee: Callee; text: string[] } {
  const isNoinline = source.chance(30);
  const kinds = isNoinline
    ? (["scalar", "buffer"] as const)
    : (["scalar", "buffer", "packet"] as const);
  const parameters = Array.from({ length: 1 + source.below(2) }, () => source.pick(kinds));
  const unique = parameters.filter(
    (kind, at) => kind !== "packet" || parameters.indexOf(kind) === at,
  );
  const names = unique.map(() => source.name("a"));
  const places = unique.flatMap((kind, at): Place[] =>
    kind === "scalar" ? [{ text: names[at] as string, type: "__u64", writable: true }] : [],
  );
  const buffers = unique.flatMap((kind, at) =>
    kind === "buffer" ? [{ text: names[at] as string, type: "__u8" as const, length: 16 }] : [],
  );
  const scope: Scope = {
    ...withPlaces(globals, [{ text: "h", type: "__u64", writable: true }, ...places]),
    arrays: [...globals.arrays, ...buffers],
    leave: source.pick(["return 0;", "return h;", "return 1;"]),
  };
  const writer = new Writer(source, { ...program, functions: [] });
  const name = source.name("fn");
  const words = unique.map((kind, at) => parameterText[kind](names[at] as string));
  const kept = source.budget;
  source.budget = Math.min(kept, 10);
  const body = writer.block(scope, 6);
  source.budget = kept;
  const attribute = isNoinline ? "__noinline" : source.pick(["__always_inline", "inline", ""]);
  const text = [
    `static ${attribute} __u64 ${name}(${words.join(", ")})`,
    "{",
    `__u64 h = ${source.below(100)};`,
    ...body,
    `return h ^ ${expression(source, scope, 1)};`,
    "}",
  ];
  return { callee: { name, parameters: unique }, text };
}

/** A header at a cursor of a function with its own packet parameters has no context. */
function withoutContext(lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll("(void *)(long)ctx->data_end", "data_end"));
}

/** The text of program `seed`, of about `statements` statements. */
export function randomPacketProgram(seed: number, statements = 40): string {
  const source = new Source(seed, statements);
  const context = source.pick(["xdp", "xdp", "tc"] as const);
  const keys = Array.from({ length: source.below(3) }, () => randomStruct(source, "key", false));
  const values = Array.from({ length: 1 + source.below(2) }, () =>
    randomStruct(source, "val", true),
  );
  const maps = Array.from({ length: 1 + source.below(3) }, () => randomMap(source, keys, values));
  const globals = randomGlobals(source);
  const program: MapsAndStructs = {
    maps: maps.map(({ map }) => map),
    structs: new Map([...keys, ...values].map((each) => [each.name, each])),
    context,
  };
  const outer: Scope = {
    places: globals.places,
    arrays: globals.arrays,
    leave: "return 0;",
    inLoop: false,
    rounds: 1,
    cursor: undefined,
  };
  const functions = Array.from({ length: source.below(3) }, () =>
    randomFunction(source, program, outer),
  );
  const isGoto = source.chance(50);
  const scope: Scope = {
    ...withPlaces(outer, [{ text: "h", type: "__u64", writable: true }]),
    leave: isGoto ? "goto out;" : source.pick(["return 2;", "return 1;", "return (__u32)h;"]),
    cursor: "data",
  };
  const writer = new Writer(source, {
    ...program,
    functions: functions.map(({ callee }) => callee),
  });
  const body = writer.block(scope, statements);
  while (source.budget > 0 && body.length < statements)
    body.push("{", ...writer.block(scope, 8), "}");
  return [
    ...includes.map((name) => `#include <${name}>`),
    ...[...keys, ...values].flatMap(structText),
    ...maps.flatMap(({ text }) => text),
    ...globals.text,
    ...functions.flatMap(({ text }) => withoutContext(text)),
    `SEC("${context}")`,
    `int prog(struct ${context === "xdp" ? "xdp_md" : "__sk_buff"} *ctx)`,
    "{",
    "void *data = (void *)(long)ctx->data, *data_end = (void *)(long)ctx->data_end;",
    "__u64 h = 0;",
    ...body,
    ...(isGoto ? ["out:"] : []),
    "return (__u32)(h ^ (h >> 32));",
    "}",
    'char LICENSE[] SEC("license") = "GPL";',
    "",
  ].join("\n");
}
