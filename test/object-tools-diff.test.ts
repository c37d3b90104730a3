/** Showing and comparing objects: objdump as text, as JSON, and of two objects. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { alignSequences } from "../linker/dump/sequence-diff.ts";
import { runTool } from "./support/tool.ts";

const work = mkdtempSync(join(tmpdir(), "bpfc-diff-"));
afterAll(() => rmSync(work, { recursive: true }));

const bpfc = (...args: readonly string[]) => runTool(args, { cwd: work });

function make(name: string, text: string): void {
  writeFileSync(join(work, name), text);
  const words = name.endsWith(".s") ? ["as", name] : ["cc", "-c", name];
  const output = name.replace(/\.[cs]$/, ".o");
  expect(bpfc(...words, "-o", output)).toEqual({ status: 0, stdout: "", stderr: "" });
}

const assembly = `
\t.section xdp,"ax",@progbits
\t.globl f
\t.type f,@function
f:
\tr1 = counts ll
\tif r1 == 0 goto out
\tr0 = 1
\tcall 1
out:
\texit
\t.section .maps,"aw",@progbits
\t.globl counts
\t.type counts,@object
counts:
\t.zero 16
`;

describe("objdump", () => {
  test("names maps, helpers and jump targets", () => {
    make("plain.s", assembly);
    const { stdout } = bpfc("objdump", "-d", "-r", "--no-show-raw-insn", "plain.o");
    expect(stdout).toContain("r1 = 0x0 ll\t# map counts\n");
    expect(stdout).toContain("R_BPF_64_64\tcounts");
    expect(stdout).toContain("goto +0x2 <f+0x28>");
    expect(stdout).toContain("call 0x1\t# bpf_map_lookup_elem\n");
  });

  test("shows CO-RE relocations in words and source lines once", () => {
    make(
      "core.c",
      `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct task { int pid; } __attribute__((preserve_access_index));
SEC("xdp") int f(struct xdp_md *ctx) {
  struct task *task = (void *)0;
  return __builtin_preserve_field_info(task->pid, 0) + ctx->ingress_ifindex + ctx->rx_queue_index;
}`,
    );
    const { stdout } = bpfc("objdump", "-S", "core.o");
    expect(stdout).toContain("# CO-RE field_byte_offset of struct task.pid");
    expect(stdout.split("return __builtin_preserve").length).toBe(2);
  });

  test("--json says the same to tools", () => {
    make("plain.s", assembly);
    const { status, stdout } = bpfc("objdump", "--json", "plain.o");
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      file: "plain.o",
      endian: "little",
      sections: [{ name: "xdp" }, { name: ".maps", size: 16 }],
      functions: [
        {
          name: "f",
          section: "xdp",
          size: 48,
          instructions: [
            { offset: 0, symbol: "map counts", relocations: [{ type: "R_BPF_64_64" }] },
            { offset: 16, text: "if r1 == 0x0 goto +0x2", target: 40 },
            { offset: 24, bytes: "b700000001000000", text: "r0 = 0x1" },
            { offset: 32, symbol: "bpf_map_lookup_elem" },
            { offset: 40, text: "exit" },
          ],
        },
      ],
    });
  });
});

/** What `--diff` says of the assembly above and a changed one. */
function diff(...changes: readonly (readonly [string, string])[]) {
  make("before.s", assembly);
  const changed = changes.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, assembly);
  make("after.s", changed);
  const { status, stdout, stderr } = bpfc("objdump", "--diff", "before.o", "after.o");
  expect(stderr).toBe("");
  expect(status).toBe(stdout === "" ? 0 : 1);
  return stdout;
}

describe("objdump --diff", () => {
  test("equal objects", () => {
    expect(diff()).toBe("");
  });

  test("a new instruction is one line, though jumps over it got longer", () => {
    expect(diff(["\tr0 = 1\n", "\tr0 = 1\n\tr0 += 2\n"])).toBe(
      "~ function f (xdp)\n    @@ instruction 3, now 3\n    + r0 += 0x2\n",
    );
  });

  test("a jump that goes elsewhere", () => {
    expect(diff(["out:\n\texit", "\texit"], ["\tcall 1", "out:\n\tcall 1"])).toBe(
      "~ function f (xdp)\n    @@ instruction 1, now 1\n    - if r1 == 0x0 goto +0x2\n    + if r1 == 0x0 goto +0x1\n",
    );
  });

  test("another map, another helper", () => {
    const text = diff(["counts", "totals"], ["call 1", "call 2"]);
    expect(text).toContain("- r1 = map counts\n    + r1 = map totals\n");
    expect(text).toContain("- call bpf_map_lookup_elem\n    + call bpf_map_update_elem\n");
  });

  test("functions that come and go", () => {
    expect(diff([".globl f", ".globl g"], [".type f", ".type g"], ["f:", "g:"])).toBe(
      "- function f (xdp)\n+ function g (xdp)\n",
    );
  });

  const program = (entries: number, key: string, answer: number, license: string): string => `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, ${entries});
  __type(key, ${key}); __type(value, __u64); } counts SEC(".maps");
const volatile int answer = ${answer};
SEC("xdp") int f(struct xdp_md *ctx) { return answer; }
char license[] SEC("license") = "${license}";`;

  test("maps, data and the licence", () => {
    make("one.c", program(4, "__u32", 1, "GPL"));
    make("two.c", program(8, "__u64", 2, "BSD"));
    const { status, stdout } = bpfc("objdump", "--diff", "one.o", "two.o");
    expect(status).toBe(1);
    expect(stdout).toContain(
      "~ map counts\n    key size changed from 4 to 8\n    max entries changed from 4 to 8\n    key changed from __u32 to __u64\n",
    );
    expect(stdout).toContain("~ map .rodata\n    content differs from byte 0 on");
    expect(stdout).toContain("~ section license\n    content differs from byte 0 on");
    expect(stdout).toContain("~ var counts\n");
    expect(stdout).not.toContain("function f");
    const json = JSON.parse(bpfc("objdump", "--diff", "--json", "one.o", "two.o").stdout);
    expect(json[0]).toMatchObject({ change: "changed", type: "map counts" });
  });

  test("functions of one name, and code that lost its name", () => {
    const part = (name: string, factor: number, weak: number): string =>
      `__attribute__((noinline)) static int twin(int a) { return a * ${factor} + 1; }
       int ${name}(int a) { return twin(a) + 1; }
       __attribute__((weak, noinline)) int weak(int a) { return a + ${weak}; }`;
    make("left.c", part("left", 2, 5));
    make("right.c", part("right", 3, 6));
    make("third.c", part("right", 4, 6));
    for (const other of ["right", "third"])
      expect(bpfc("link", "left.o", `${other}.o`, "-o", `with-${other}.o`).status).toBe(0);
    const { stdout } = bpfc("objdump", "--diff", "with-right.o", "with-third.o");
    expect(stdout.match(/^[~+-] \S.*$/gm)).toEqual(["~ function twin (.text) #2"]);
  });

  test("one object is not enough", () => {
    expect(bpfc("objdump", "--diff", "one.o").status).toBe(2);
    expect(bpfc("objdump", "-d", "one.o", "two.o").status).toBe(1);
  });
});

describe("alignSequences", () => {
  /** Length of the longest common subsequence, the slow and plain way. */
  function commonLength(a: readonly string[], b: readonly string[]): number {
    let row = new Array<number>(b.length + 1).fill(0);
    for (const x of a) {
      const next = [0];
      b.forEach((y, j) => {
        next.push(x === y ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
      });
      row = next;
    }
    return row[b.length]!;
  }

  test("500 random pairs: every item once, in order, as many pairs as there can be", () => {
    let state = 7;
    const random = (n: number): number => {
      state = (state * 1103515245 + 12345) & 0x7fffffff;
      return (state >> 8) % n;
    };
    for (let round = 0; round < 500; round++) {
      const letters = 1 + random(4);
      const sequence = (): string[] =>
        Array.from({ length: random(14) }, () => `${random(letters)}`);
      const [a, b] = [sequence(), sequence()];
      const pairs = alignSequences(a, b)!;
      expect(pairs.flatMap((p) => p.before ?? [])).toEqual([...a.keys()]);
      expect(pairs.flatMap((p) => p.after ?? [])).toEqual([...b.keys()]);
      const both = pairs.filter((p) => p.before !== undefined && p.after !== undefined);
      for (const { before, after } of both) expect(a[before!]).toBe(b[after!]);
      expect(both.length).toBe(commonLength(a, b));
    }
  });

  test("sequences with nothing in common are given up early", () => {
    const many = (prefix: string): string[] =>
      Array.from({ length: 3000 }, (_, index) => `${prefix}${index}`);
    expect(alignSequences(many("a"), many("b"))).toBeUndefined();
  });
});
