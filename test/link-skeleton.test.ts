/** Skeletons: the generated text, and that the C one works with the machine's libbpf. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { loadObject } from "../linker/load.ts";
import { cSkeleton } from "../linker/skeleton/c.ts";
import { cSubskeleton } from "../linker/skeleton/c-sub.ts";
import { objectManifest } from "../linker/skeleton/manifest.ts";
import { typescriptSkeleton } from "../linker/skeleton/typescript.ts";
import { SimulatedKernel } from "../vm/system/simulated-kernel.ts";
import { type OpenSkeleton, openSkeleton } from "../vm/system/skeleton.ts";
import {
  skeleton as generated,
  type Stats,
  type Types,
} from "./cases/link/skeleton/sample.skel.ts";
import { compileText } from "./support/compile.ts";
import { expectGolden } from "./support/golden.ts";
import { kernelTest } from "./support/kernel.ts";

const text = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct stats {
  __u64 bytes; __u32 packets; _Bool seen; char name[8];
  union { __u32 word; __u8 part[4]; }; int low : 3, high : 5;
};
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64);
  __type(key, __u32); __type(value, struct stats); } totals SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2);
  __type(key, __u32); __type(value, __u32); } hits SEC(".maps");
const volatile __u32 limit = 4;
const volatile __u64 mask;
const volatile __u16 ports[2];
const volatile char label[4] = "x";
char first = 1;
static int hidden;
__u64 big[2];
SEC("xdp") int count(struct xdp_md *ctx) {
  __u32 key = ctx->ingress_ifindex;
  struct stats *s = bpf_map_lookup_elem(&totals, &key);
  if (s && key < limit) {
    s->packets += first; s->bytes += mask; hidden++; big[1]++;
    s->low = -2; s->name[1] = s->part[0] + ports[0] + label[1];
  }
  key = 1;
  __u32 *hit = bpf_map_lookup_elem(&hits, &key);
  if (hit) *hit += 1;
  return XDP_PASS + (hidden & 0);
}
char license[] SEC("license") = "GPL";
`;
const object = compileText(text);
const elf = writeElf(object);
const loaded = loadObject(object, "sample.o", new Diagnostics())!;

/** The object's bytes say nothing to a reader. */
const withoutBytes = (code: string): string =>
  code.replace(/(\t\t"(\\x..)+";?\n)+/g, "\t\t…\n").replace(/"[A-Za-z0-9+/=]{200,}"/, '"…"');

test("C", () => {
  expectGolden(
    withoutBytes(cSkeleton(loaded, "sample", elf)),
    "test/cases/link/skeleton/sample.skel.h",
  );
});

test("TypeScript", () => {
  const code = typescriptSkeleton(loaded, "sample", elf);
  expectGolden(withoutBytes(code), "test/cases/link/skeleton/sample.skel.ts");
});

/** The golden file's types with this compiler's object. */
const own = { ...generated, object: Buffer.from(elf).toString("base64") };

describe("a TypeScript skeleton in the simulated kernel", () => {
  const packet = new Uint8Array(64);
  const open = (): OpenSkeleton<Types> => {
    const opened = openSkeleton(new SimulatedKernel({ cpuCount: 2 }), own, { rodata: { mask: 7 } });
    if ("message" in opened) throw new Error(opened.message);
    return opened;
  };

  test("maps have values of the types of the program", () => {
    const { maps, programs } = open();
    const start = { bytes: 1, seen: true, name: "abc", part: [65], high: 9 };
    expect(maps.totals.update(1, start)).toBe(0);
    expect(maps.totals.update(1, start, 1n)).toBe(-17);
    expect(programs.count.run({ packet }).retval).toBe(2);
    const value: Stats | undefined = maps.totals.lookup(1);
    expect(value).toEqual({
      bytes: 8n,
      packets: 1,
      seen: true,
      name: [97, 65, 99, 0, 0, 0, 0, 0],
      word: 65,
      part: [65, 0, 0, 0],
      low: -2,
      high: 9,
    });
    expect(maps.totals.entries()).toEqual([[1, value]]);
    expect(maps.totals.delete(1)).toBe(0);
    expect(maps.totals.lookup(1)).toBeUndefined();
  });

  test("per-CPU maps have a value for each CPU", () => {
    const { maps, programs } = open();
    expect(maps.hits.update(1, [4, 5])).toBe(0);
    programs.count.run({ packet });
    expect(maps.hits.lookup(1)).toEqual([5, 5]);
  });

  test("globals are the program's memory, constants are set before it loads", () => {
    const { globals, maps, programs } = open();
    expect(globals.rodata).toMatchObject({ limit: 4, mask: 7n, ports: [0, 0] });
    globals.data.first = 3;
    maps.totals.update(1, {});
    programs.count.run({ packet });
    expect(maps.totals.lookup(1)?.packets).toBe(3);
    expect(globals.bss.big).toEqual([0n, 1n]);
    globals.bss.big = [5n, 6n];
    programs.count.run({ packet });
    expect(globals.bss.big).toEqual([5n, 7n]);
  });

  test("a program that the verifier refuses does not open", () => {
    const bad = compileText(`#include <bpf/bpf_helpers.h>
SEC("xdp") int bad(void *ctx) { return *(int *)0; }`);
    const object = Buffer.from(writeElf(bad)).toString("base64");
    const opened = openSkeleton(new SimulatedKernel(), { name: "bad", object });
    expect(opened).toEqual({ message: expect.stringContaining("program 'bad' reject") });
    const broken = openSkeleton(new SimulatedKernel(), { name: "bad", object: "AAAA" });
    expect(broken).toEqual({ message: "bad: not an ELF file" });
  });
});

test("the manifest is plain data", () => {
  const manifest = objectManifest(loaded, "sample");
  expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  expect(manifest.maps[0]).toMatchObject({ name: "totals", key: "__u32", value: "struct stats" });
  const names = manifest.globals.flatMap((section) => section.variables.map((each) => each.name));
  expect(names).not.toContain("hidden");
  expect(names).toContain("limit");
});

const user = `
#include <linux/types.h>
#include <stdio.h>
#include "sample.skel.h"
int main(void) {
  struct sample *s = sample__open();
  if (!s || s->rodata->limit != 4 || s->data->first != 1) return 1;
  s->rodata->limit = 7;
  s->rodata->ports[1] = 80;
  if (sample__load(s)) return 2;
  s->bss->big[1] = 5;
  int fd = bpf_map__fd(s->maps.totals);
  printf("%d %d %d\\n", fd > 0, bpf_program__fd(s->progs.count) > 0, s->rodata->limit);
  sample__destroy(s);
  return 0;
}
`;

test("C subskeleton", () => {
  expectGolden(cSubskeleton(loaded, "part"), "test/cases/link/skeleton/part.subskel.h");
});

const libraryUser = `
#include <linux/types.h>
#include <stdio.h>
struct stats;
#include "sample.skel.h"
#include "part.subskel.h"
int main(void) {
  struct sample *s = sample__open();
  struct part *p = s ? part__open(s->obj) : NULL;
  if (!p || *p->rodata.limit != 4 || *p->data.first != 1) return 1;
  *p->rodata.limit = 9;
  (*p->bss.big)[1] = 3;
  printf("%d %d\\n", s->rodata->limit, (int)s->bss->big[1]);
  printf("%s %s\\n", bpf_map__name(p->maps.totals), bpf_program__name(p->progs.count));
  part__destroy(p);
  sample__destroy(s);
  return 0;
}
`;

const cppUser = `
#include <linux/types.h>
#include "sample.skel.h"
int main() {
  sample *s = sample::open();
  if (!s || s->rodata->limit != 4 || sample::load(s)) return 1;
  sample::detach(s);
  sample::destroy(s);
  return 0;
}
`;

const hasLibbpf = existsSync("/usr/include/bpf/libbpf.h");
test.runIf(hasLibbpf)("the C skeleton compiles without warnings", () => {
  const { status, stderr } = build(() => ({ status: 0, output: "" }));
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test.runIf(hasLibbpf && existsSync("/usr/bin/c++"))("the C skeleton serves C++", () => {
  const { status, stderr } = build(() => ({ status: 0, output: "" }), cppUser, "c++");
  expect(stderr).toBe("");
  expect(status).toBe(0);
});

test.runIf(hasLibbpf)("a library finds its parts through the C subskeleton", () => {
  const { output, stderr } = build((program) => {
    const run = spawnSync(program, { encoding: "utf8" });
    return { status: run.status, output: run.stdout + run.stderr };
  }, libraryUser);
  expect(stderr).toBe("");
  expect(output).toBe("9 3\ntotals count\n");
});

if (hasLibbpf) {
  kernelTest("a program built with the C skeleton loads", () => {
    const { output } = build((program) => {
      const run = spawnSync(program, { encoding: "utf8" });
      return { status: run.status, output: run.stdout + run.stderr };
    });
    expect(output).toBe("1 1 7\n");
  });
}

interface Run {
  readonly status: number | null;
  readonly output: string;
}

function build(
  use: (program: string) => Run,
  program = user,
  compiler: "cc" | "c++" = "cc",
): Run & { readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), "bpfc-"));
  writeFileSync(join(folder, "sample.skel.h"), cSkeleton(loaded, "sample", elf));
  writeFileSync(join(folder, "part.subskel.h"), cSubskeleton(loaded, "part"));
  const source = compiler === "cc" ? "main.c" : "main.cc";
  writeFileSync(join(folder, source), program);
  const args = ["-Wall", "-Wextra", "-o", "main", source, "-lbpf", "-lelf"];
  const { status, stderr } = spawnSync(compiler, args, { cwd: folder, encoding: "utf8" });
  const run = status === 0 ? use(join(folder, "main")) : { status, output: stderr };
  rmSync(folder, { recursive: true });
  return { ...run, stderr };
}
