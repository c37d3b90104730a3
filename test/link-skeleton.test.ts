/** Skeletons: the generated text, and that the C one works with the machine's libbpf. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { loadObject } from "../linker/load.ts";
import { cSkeleton } from "../linker/skeleton/c.ts";
import { cSubskeleton } from "../linker/skeleton/c-sub.ts";
import { objectManifest } from "../linker/skeleton/manifest.ts";
import { typescriptSkeleton } from "../linker/skeleton/typescript.ts";
import { compileText } from "./support/compile.ts";
import { expectGolden } from "./support/golden.ts";
import { kernelTest } from "./support/kernel.ts";

const text = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct stats { __u64 bytes; __u32 packets; _Bool seen; char name[8]; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 64);
  __type(key, __u32); __type(value, struct stats); } totals SEC(".maps");
const volatile __u32 limit = 4;
const volatile __u64 mask;
char first = 1;
static int hidden;
__u64 big[2];
SEC("xdp") int count(struct xdp_md *ctx) {
  __u32 key = ctx->ingress_ifindex;
  struct stats *s = bpf_map_lookup_elem(&totals, &key);
  if (s && key < limit) { s->packets += first; s->bytes += mask; hidden++; big[1]++; }
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
  expectGolden(withoutBytes(code), "test/cases/link/skeleton/sample.skel.ts.txt");
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

const hasLibbpf = existsSync("/usr/include/bpf/libbpf.h");
test.runIf(hasLibbpf)("the C skeleton compiles without warnings", () => {
  const { status, stderr } = build(() => ({ status: 0, output: "" }));
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

function build(use: (program: string) => Run, program = user): Run & { readonly stderr: string } {
  const folder = mkdtempSync(join(tmpdir(), "bpfc-"));
  writeFileSync(join(folder, "sample.skel.h"), cSkeleton(loaded, "sample", elf));
  writeFileSync(join(folder, "part.subskel.h"), cSubskeleton(loaded, "part"));
  writeFileSync(join(folder, "main.c"), program);
  const args = ["-Wall", "-Wextra", "-o", "main", "main.c", "-lbpf", "-lelf"];
  const { status, stderr } = spawnSync("cc", args, { cwd: folder, encoding: "utf8" });
  const run = status === 0 ? use(join(folder, "main")) : { status, output: stderr };
  rmSync(folder, { recursive: true });
  return { ...run, stderr };
}
