/** Objects and types on the command line: link, btf, gen, core-check, --btf. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LzmaError } from "../cli/archive/lzma.ts";
import { readXz } from "../cli/archive/xz.ts";
import { foreignSection } from "../linker/foreign-elf.ts";
import { damage, randomNumbers } from "./support/fuzz.ts";
import { expectGolden } from "./support/golden.ts";
import { kernelTest, mountPinFolder, pinFolder } from "./support/kernel.ts";
import { bundle, runTool } from "./support/tool.ts";

const root = join(import.meta.dirname, "..");
const cases = join(root, "test/cases/object-tools");
const work = mkdtempSync(join(tmpdir(), "bpfc-tools-"));
afterAll(() => rmSync(work, { recursive: true }));

const bpfc = (...args: readonly string[]) => runTool(args, { cwd: work });

function succeed(...args: readonly string[]): string {
  const { status, stdout, stderr } = bpfc(...args);
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

const read = (name: string): Buffer => readFileSync(join(work, name));
const write = (name: string, content: string | Uint8Array): void =>
  writeFileSync(join(work, name), content);

/** Sources are copied beside the objects, so that recorded paths are the same everywhere. */
function compile(name: string, change: (text: string) => string = (text) => text): void {
  write(`${name}.c`, change(readFileSync(join(cases, `${name}.c`), "utf8")));
  succeed("cc", "-c", `${name}.c`, "-o", `${name}.o`);
}

beforeAll(() => {
  for (const name of ["main", "library", "core", "kernel-a", "kernel-b"]) compile(name);
});

const isInstalled = (tool: string): boolean => spawnSync(tool, ["--version"]).error === undefined;
const peerTest = (tool: string) =>
  isInstalled(tool) || process.env["CI"] === "true" ? test : test.skip;

describe("link", () => {
  test("joins objects into one that runs", () => {
    succeed("link", "main.o", "library.o", "-o", "linked.o");
    const result = JSON.parse(succeed("run", "linked.o", "--json"));
    expect(result).toMatchObject({
      program: "start",
      retval: 41,
      maps: {
        counts: [
          { key: "01000000", value: "0100000000000000" },
          { key: "02000000", value: "0500000000000000" },
        ],
      },
    });
  });

  test("linking the result again gives the same bytes", () => {
    succeed("link", "main.o", "library.o", "-o", "once.o");
    succeed("link", "once.o", "-o", "twice.o");
    expect(read("twice.o").equals(read("once.o"))).toBe(true);
  });

  peerTest("bpftool")("gives the types that bpftool gives, in no more bytes", () => {
    succeed("link", "main.o", "library.o", "-o", "ours.o");
    const gen = spawnSync("bpftool", ["gen", "object", "theirs.o", "main.o", "library.o"], {
      cwd: work,
    });
    expect(gen.status).toBe(0);
    expect(bpfc("btf", "diff", "theirs.o", "ours.o")).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    expect(read("ours.o").length).toBeLessThanOrEqual(read("theirs.o").length);
  });

  kernelTest("libbpf loads the result", () => {
    succeed("link", "main.o", "library.o", "-o", "linked.o");
    const pin = `${pinFolder}/bpfc-link-${process.pid}`;
    mountPinFolder();
    const load = spawnSync("bpftool", ["prog", "loadall", join(work, "linked.o"), pin], {
      encoding: "utf8",
    });
    rmSync(pin, { recursive: true, force: true });
    expect(load.stderr).toBe("");
    expect(load.status).toBe(0);
  });

  const cut = (): void => write("cut.o", read("main.o").subarray(0, 500));
  const corrupt = (): void => {
    const bytes = read("main.o");
    bytes[bytes.indexOf(Buffer.from([0x9f, 0xeb, 1, 0])) + 9] = 0x7f;
    write("corrupt.o", bytes);
  };
  const variant = (name: string, from: string, to: string, ...flags: string[]): void => {
    const text = readFileSync(join(cases, "library.c"), "utf8");
    expect(text).toContain(from);
    write(`${name}.c`, text.replaceAll(from, to));
    succeed("cc", ...flags, "-c", `${name}.c`, "-o", `${name}.o`);
  };
  const refusals: readonly (readonly [string, string[], RegExp, () => void])[] = [
    [
      "a symbol defined twice",
      ["main.o", "main2.o"],
      /'start'.*main\.o.*main2\.o/,
      () => {
        write("main2.o", read("main.o"));
      },
    ],
    ["an unresolved extern", ["main.o"], /main\.o: 'step' is used/, () => {}],
    [
      "maps that differ",
      ["main.o", "wide.o"],
      /map 'counts'.*main\.o.*wide\.o/,
      () => variant("wide", "max_entries, 4", "max_entries, 8"),
    ],
    [
      "variables that differ",
      ["main.o", "long.o"],
      /'calls'.*main\.o.*long\.o/,
      () => variant("long", "extern int calls", "extern long calls"),
    ],
    [
      "another byte order",
      ["main.o", "big.o"],
      /main\.o is little-endian, big\.o is big-endian/,
      () => variant("big", "return x", "return 1 + x", "-target", "bpfeb"),
    ],
    ["an object that is cut short", ["main.o", "cut.o"], /error: cut\.o: /, cut],
    ["corrupt BTF", ["library.o", "corrupt.o"], /error: corrupt\.o: \.BTF: /, corrupt],
    ["a missing file", ["main.o", "nowhere.o"], /no such file.*nowhere\.o/, () => {}],
  ];
  test.each(refusals)(
    "refuses %s, naming the objects, and leaves no file",
    (_, files, words, prepare) => {
      prepare();
      write("out.o", "older");
      const { status, stderr } = bpfc("link", ...files, "-o", "out.o");
      expect(stderr).toMatch(words);
      expect(stderr).not.toMatch(/\n\s+at |internal error|unexpected error/);
      expect(status).toBe(1);
      expect(existsSync(join(work, "out.o"))).toBe(false);
    },
  );
});

describe("btf dump", () => {
  test("raw", () => {
    expectGolden(succeed("btf", "dump", "kernel-a.o"), "test/cases/object-tools/kernel-a.btf");
  });

  test("C compiles to the same types again", () => {
    write(
      "again.c",
      `${succeed("btf", "dump", "kernel-a.o", "--format", "c")}
      struct task first_task; struct old_only old; struct owner first_owner;`,
    );
    succeed("cc", "-c", "again.c", "-o", "again.o");
    expect(bpfc("btf", "diff", "kernel-a.o", "again.o")).toMatchObject({ status: 0, stdout: "" });
  });

  test("big-endian objects", () => {
    succeed("cc", "-target", "bpfeb", "-c", "kernel-a.c", "-o", "big-kernel.o");
    for (const format of ["raw", "c", "json"]) {
      const big = succeed("btf", "dump", "big-kernel.o", "--format", format);
      expect(big).toBe(succeed("btf", "dump", "kernel-a.o", "--format", format));
    }
  });

  test("JSON keeps all digits of large enumerators", () => {
    write(
      "wide-enum.c",
      "enum wide { MOST = 0xffffffffffffffffUL, MIDDLE = 1UL << 53 | 1 }; enum wide w;",
    );
    succeed("cc", "-c", "wide-enum.c", "-o", "wide-enum.o");
    const text = succeed("btf", "dump", "wide-enum.o", "--format", "json");
    expect(text).toContain('{"name":"MOST","val":18446744073709551615}');
    expect(text).toContain('{"name":"MIDDLE","val":9007199254740993}');
    expect(JSON.parse(text).types.map((type: { id: number }) => type.id)).toContain(1);
  });

  peerTest("bpftool")("prints what bpftool prints", () => {
    for (const name of ["main.o", "library.o", "core.o", "kernel-a.o"]) {
      const path = join(work, name);
      const theirs = (...words: string[]): unknown =>
        spawnSync("bpftool", [...words, "btf", "dump", "file", path], { encoding: "utf8" }).stdout;
      expect(succeed("btf", "dump", name)).toBe(theirs());
      const json = succeed("btf", "dump", name, "--format", "json");
      expect(JSON.parse(json)).toEqual(JSON.parse(String(theirs("-j"))));
    }
  });

  test("refuses what is no BTF", () => {
    write("noise", "no types here");
    expect(bpfc("btf", "dump", "noise")).toMatchObject({
      status: 1,
      stdout: "",
      stderr: expect.stringMatching(/^bpfc: error: noise: /),
    });
    succeed("cc", "-g0", "-c", "core.c", "-o", "bare.o").trim();
    expect(bpfc("btf", "dump", "bare.o").stderr).toBe(
      "bpfc: error: bare.o: it has no .BTF section\n",
    );
    expect(bpfc("btf", "dump", "core.o", "--format", "toString").status).toBe(1);
  });
});

describe("btf diff", () => {
  test("says in words what changed", () => {
    const { status, stdout } = bpfc("btf", "diff", "kernel-a.o", "kernel-b.o");
    expect(status).toBe(1);
    expectGolden(stdout, "test/cases/object-tools/kernels.diff");
  });
  test("finds nothing between a file and itself, also as JSON", () => {
    expect(bpfc("btf", "diff", "kernel-a.o", "kernel-a.o", "--json")).toEqual({
      status: 0,
      stdout: "[]\n",
      stderr: "",
    });
  });
  test("trouble is exit code 2", () => {
    expect(bpfc("btf", "diff", "kernel-a.o", "nowhere.o").status).toBe(2);
  });
});

describe("gen", () => {
  test("skeletons in three forms", () => {
    const c = succeed("gen", "skeleton", "main.o", "--name", "counter");
    expect(c).toContain("struct bpf_program *start;");
    expect(c).toContain("static inline struct counter *counter__open");
    expect(succeed("gen", "skeleton", "main.o", "--format", "ts")).toContain("counts");
    succeed("gen", "skeleton", "main.o", "--format", "json", "-o", "main.json");
    expect(JSON.parse(read("main.json").toString())).toMatchObject({
      name: "main",
      maps: [{ name: "counts", key: "__u32", value: "__u64", maxEntries: 4 }, { name: ".bss" }],
      programs: [{ name: "start", section: "xdp" }],
    });
  });

  test("a skeleton does not need values of the kernel's configuration", () => {
    write(
      "kconfig.c",
      `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
extern int CONFIG_NOBODY_KNOWS __kconfig;
SEC("xdp") int f(struct xdp_md *ctx) { return CONFIG_NOBODY_KNOWS; }`,
    );
    succeed("cc", "-c", "kconfig.c", "-o", "kconfig.o");
    expect(succeed("gen", "skeleton", "kconfig.o")).toContain("int CONFIG_NOBODY_KNOWS;");
    expect(bpfc("run", "kconfig.o").stderr).toContain("no value for extern");
  });

  test("bpftool's words are understood", () => {
    const named = succeed("gen", "skeleton", "main.o", "--name", "counter");
    expect(succeed("gen", "skeleton", "main.o", "name", "counter")).toBe(named);
    expect(bpfc("gen", "skeleton", "main.o", "counter").stderr).toContain("not understood");
    succeed("link", "main.o", "library.o", "-o", "linked.o");
    succeed("gen", "object", "joined.o", "main.o", "library.o");
    expect(read("joined.o").equals(read("linked.o"))).toBe(true);
    succeed("gen", "min_core_btf", "kernel-a.o", "min.btf", "core.o");
  });

  test("a skeleton needs a name that C takes", () => {
    expect(bpfc("gen", "skeleton", "main.o", "--name", "not-c").stderr).toMatch(
      /not an identifier/,
    );
  });

  test("min-core-btf keeps what the relocations need and little else", () => {
    succeed("gen", "min-core-btf", "kernel-a.o", "min.btf", "core.o");
    const kept = succeed("btf", "dump", "min.btf");
    expect(kept).toContain("'pid'");
    expect(kept).not.toContain("'flags'");
    expect(kept).not.toContain("old_only");
    const answer = (btf: string): unknown =>
      JSON.parse(succeed("run", "core.o", "--btf", btf, "--json")).retval;
    expect(answer("min.btf")).toBe(answer("kernel-a.o"));
  });
});

describe("CO-RE", () => {
  test("core-check says what each kernel gives", () => {
    const text = succeed("core-check", "core.o", "--btf", "kernel-a.o", "--btf", "kernel-b.o");
    expectGolden(text, "test/cases/object-tools/core.check");
  });

  test("a kernel's BTF may be in an archive, as BTFHub has it", () => {
    const packed = readFileSync(join(cases, "kernel-a.btf.tar.xz"));
    write("kernel-a.btf", foreignSection(read("kernel-a.o"), ".BTF")!);
    const plain = succeed("core-check", "core.o", "--btf", "kernel-a.btf", "--json");
    const check = (name: string, bytes: Uint8Array, member = ""): string => {
      write(name, bytes);
      const text = succeed("core-check", "core.o", "--btf", name + member, "--json");
      return text.replaceAll(`"${name}${member}"`, '"kernel-a.btf"');
    };
    const archive = readXz(packed, 1 << 20);
    expect(check("a.tar.xz", packed)).toBe(plain);
    expect(check("a.tar.xz", packed, ":kernel-a.btf")).toBe(plain);
    expect(check("a.tar", archive)).toBe(plain);
    expect(check("a.tar.gz", gzipSync(archive))).toBe(plain);
    const message = (file: string): string => bpfc("core-check", "core.o", "--btf", file).stderr;
    expect(message("a.tar:b")).toContain("it has no member 'b' (it has kernel-a.btf)");
    write("cut.xz", packed.subarray(0, 200));
    expect(message("cut.xz")).toBe("bpfc: error: cut.xz: it is cut short\n");
  });

  test("damaged archives end in bytes or an error", () => {
    const packed = new Uint8Array(readFileSync(join(cases, "kernel-a.btf.tar.xz")));
    const random = randomNumbers(5);
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      try {
        readXz(damage(packed, random), 1 << 24);
      } catch (error) {
        expect(error).toBeInstanceOf(LzmaError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  peerTest("xz")("what xz packs is unpacked", () => {
    const text = readFileSync(bundle.replace("bpfc.cjs", "main.js"));
    for (const options of [["-0"], ["-9e"], ["--lzma2=lc=1,lp=3,pb=0"], ["--block-size=9000"]]) {
      const { stdout } = spawnSync("xz", [...options, "-c"], { input: text, maxBuffer: 1 << 28 });
      expect(Buffer.compare(readXz(new Uint8Array(stdout), 1 << 24), text)).toBe(0);
    }
  });

  test("core-check as JSON", () => {
    const rows = JSON.parse(succeed("core-check", "core.o", "--btf", "kernel-b.o", "--json"));
    expect(rows[0]).toMatchObject({
      kind: "field_byte_offset",
      kernels: [{ kernel: "kernel-b.o", outcome: "value", text: "at byte 16 (was 8)" }],
    });
  });

  test("run and verify relocate for the kernel that is given, and only then", () => {
    const answer = (...words: string[]): unknown =>
      JSON.parse(succeed("run", "core.o", "--json", ...words)).retval;
    expect(answer()).toBe(11108);
    expect(answer("--btf", "kernel-a.o")).toBe(11108);
    expect(answer("--btf", "kernel-b.o")).toBe(2016);
    expect(succeed("verify", "core.o", "--btf", "kernel-b.o")).toMatch(/^answers \(xdp\): accept/);
    expect(bpfc("verify", "core.o", "--btf", "nowhere").status).toBe(1);
  });
});
