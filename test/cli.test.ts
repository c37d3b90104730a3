/** The command line as a user meets it: exit codes, output files, probes, reproducibility, packing. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { bundle, runTool } from "./support/tool.ts";

const root = join(import.meta.dirname, "..");
const work = mkdtempSync(join(tmpdir(), "bpfc-cli-"));
afterAll(() => rmSync(work, { recursive: true }));

function bpfc(args: readonly string[], options: { cwd?: string; input?: string } = {}) {
  return runTool(args, { cwd: work, ...options });
}

/** A copy of the tool, with a cache folder of its own, after `change` was done to its files. */
function changedTool(name: string, change: (folder: string) => void) {
  const folder = join(work, name);
  const caches = join(work, `${name}-caches`);
  cpSync(join(root, "dist"), folder, { recursive: true });
  change(folder);
  const output = join(folder, "out.o");
  const example = join(root, "examples/xdp-firewall/firewall.bpf.c");
  const env = { ...process.env, XDG_CACHE_HOME: caches };
  const compile = (source: string, options: string[] = []): Buffer => {
    const args = [join(folder, "bpfc.cjs"), "cc", ...options, "-c", source, "-o", output];
    const result = spawnSync(process.execPath, args, { encoding: "utf8", env });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    return readFileSync(output);
  };
  return {
    caches: join(caches, "bpfc"),
    compile,
    run: (...options: string[]) => compile(example, options),
  };
}

const listCases = (folder: string, ending: string): string[] =>
  readdirSync(join(root, "test/cases", folder))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(root, "test/cases", folder, name));

/** No trace, one message with a position, exit code 1, and no output file, not even an older one. */
function expectRefusal(args: readonly string[], output: string, position: RegExp): void {
  writeFileSync(output, "older");
  const { status, stderr } = bpfc([...args, "-o", output]);
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(position);
  expect(stderr).not.toMatch(/\n\s+at |internal error|unexpected error/);
  expect(existsSync(output)).toBe(false);
}

describe("wrong input ends in a diagnostic, exit code 1 and no output file", () => {
  test.each(listCases("errors", ".c"))("%s", (path) => {
    expectRefusal(["cc", "-c", path], join(work, "out.o"), /:\d+:\d+: (fatal )?error: /);
  });

  test.each(listCases("errors-asm", ".s"))("%s", (path) => {
    const line =
      readFileSync(path, "utf8")
        .split("\n")
        .findIndex((text) => text.includes("# error")) + 1;
    expectRefusal(
      ["as", path],
      join(work, "out.o"),
      new RegExp(`${basename(path)}:${line}:\\d+: error: `),
    );
  });

  const object = join(work, "good.o");
  const damages: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
    empty: () => Buffer.alloc(0),
    "not ELF": (b) => Buffer.concat([Buffer.from("#!/bin/sh\n"), b]),
    "cut in the header": (b) => b.subarray(0, 40),
    "cut in the sections": (b) => b.subarray(0, b.length >> 1),
    "32-bit class": (b) => Buffer.from(b.map((byte, i) => (i === 4 ? 1 : byte))),
    "another machine": (b) => Buffer.from(b.map((byte, i) => (i === 18 ? 62 : byte))),
    "section table out of the file": (b) =>
      Buffer.from(b.map((byte, i) => (i === 43 ? 0x7f : byte))),
  };
  test.each(Object.keys(damages))("an object that is damaged: %s", (name) => {
    const source = join(root, "examples/xdp-firewall/firewall.bpf.c");
    if (!existsSync(object)) expect(bpfc(["cc", "-c", source, "-o", object]).status).toBe(0);
    const path = join(work, "damaged.o");
    writeFileSync(path, damages[name]!(readFileSync(object)));
    for (const command of [
      ["objdump", "-d", path],
      ["verify", path],
      ["run", path],
    ]) {
      const { status, stderr } = bpfc(command);
      expect(status, stderr).toBe(1);
      expect(stderr).toMatch(/error: .*damaged\.o/);
      expect(stderr).not.toMatch(/\n\s+at |internal error|unexpected error/);
    }
  });

  test("unknown options and missing files", () => {
    expect(bpfc(["cc", "--bogus", "x.c"])).toMatchObject({
      status: 1,
      stderr: "bpfc: error: unknown argument: '--bogus'\n",
    });
    expect(bpfc(["cc"])).toMatchObject({ status: 1, stderr: "bpfc: error: no input files\n" });
    expect(bpfc(["cc", "-c", "missing.c"]).status).toBe(1);
    expect(bpfc(["nonsense"]).status).toBe(1);
  });
});

describe("what build systems ask", () => {
  test("what build systems ask for has clang's answers", () => {
    const ask = (...words: string[]) => bpfc(["cc", "-target", "bpfel", ...words]).stdout.trim();
    expect(ask("-dumpmachine")).toBe("bpfel");
    expect(ask("--print-target-triple")).toBe("bpfel");
    expect(ask("-print-file-name=crt1.o")).toBe("crt1.o");
    expect(ask("--print-prog-name=ld")).toBe("ld");
    expect(ask("-print-multi-lib")).toBe("");
    expect(ask("--print-search-dirs")).toMatch(/^programs: =.*\nlibraries: =/);
  });
  test("-isystem of the folder that is named for headers changes nothing", () => {
    const folder = bpfc(["cc", "-print-file-name=include"]).stdout.trim();
    const path = join(work, "named.bpf.c");
    writeFileSync(path, "#include <stddef.h>\n#include <bpf/bpf_helpers.h>\nsize_t size;\n");
    const { status, stderr } = bpfc(["cc", "-isystem", folder, "-c", path, "-o", "-"]);
    expect(stderr).toBe("");
    expect(status).toBe(0);
  });
  test("--version has clang's shape", () => {
    expect(bpfc(["cc", "--version"]).stdout).toMatch(/^clang version (\d+)\.\d+\.\d+/);
  });
  test("-v -E - prints the search path", () => {
    const { status, stderr } = bpfc(["cc", "-v", "-E", "-"], { input: "" });
    expect(status).toBe(0);
    expect(stderr).toMatch(/#include <\.\.\.> search starts here:\n( \S+\n)+End of search list\./);
  });
  test("-dM -E - prints the predefined macros", () => {
    const { stdout } = bpfc(["cc", "-dM", "-E", "-"], { input: "" });
    expect(stdout).toContain("#define __BYTE_ORDER__ __ORDER_LITTLE_ENDIAN__");
  });
  test("-S shows BTF with the comments that probes look for", () => {
    const input = "struct s { int i; } __attribute__((preserve_access_index)); struct s foo = {};";
    const { stdout } = bpfc(["cc", "-g", "-target", "bpf", "-S", "-o", "-", "-x", "c", "-"], {
      input,
    });
    expect(stdout).toMatch(/BTF_KIND_VAR\(id = \d+\)/);
  });
  test("-mcpu=help lists v4", () => {
    expect(bpfc(["cc", "--target=bpf", "-mcpu=help"]).stdout).toContain("v4");
  });
  test("-MD -MP -MF writes rules", () => {
    writeFileSync(join(work, "d.c"), '#include "h.h"\nint x;\n');
    writeFileSync(join(work, "h.h"), "int y;\n");
    expect(bpfc(["cc", "-MD", "-MP", "-MFd.d", "-c", "d.c", "-o", "d.o"]).status).toBe(0);
    expect(readFileSync(join(work, "d.d"), "utf8")).toBe("d.o: d.c h.h\nh.h:\n");
  });
  test("a long text gives the code of a short one", () => {
    const text = readFileSync(join(root, "examples/xdp-firewall/firewall.bpf.c"), "utf8");
    const objectOf = (content: string): Buffer => {
      writeFileSync(join(work, "length.c"), content);
      expect(bpfc(["cc", "-c", "length.c", "-o", "length.o"]).status).toBe(0);
      return readFileSync(join(work, "length.o"));
    };
    expect(objectOf(`${text}/* ${"words ".repeat(2000)}*/\n`)).toEqual(objectOf(text));
  });
  test("called as bpfc-clang it is clang", () => {
    const link = join(work, "bpfc-clang");
    symlinkSync(bundle, link);
    const result = spawnSync(process.execPath, [link, "--version"], { encoding: "utf8" });
    expect(result.stdout).toMatch(/^clang version/);
  });
});

describe("clang's options", () => {
  writeFileSync(join(work, "plain.c"), '#include "plain.h"\nint f(int a) { return a + NUMBER; }\n');
  writeFileSync(join(work, "plain.h"), "#define NUMBER 3\n");

  test("come from response files, with quotes", () => {
    writeFileSync(join(work, "words"), '-O2 -DX=1\n-DTEXT="a b" @more');
    writeFileSync(join(work, "more"), "-c 'plain.c' -o pl\\ain.o");
    expect(bpfc(["cc", "@words"])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(existsSync(join(work, "plain.o"))).toBe(true);
    expect(bpfc(["cc", "@nowhere"]).stderr).toContain("no such file or directory: '@nowhere'");
  });

  test.each([
    "-Wp,-MMD,plain.d",
    "-Xpreprocessor -DX -Xclang -target-feature -Xclang +alu32",
    "-pthread -static -shared -lfoo -L. -Wl,-z -Wa,--noexecstack -mtune=x",
    "-O9 -fno-builtin-memcpy -fvisibility=protected -fmacro-backtrace-limit=0",
    "-imacros plain.h -isysroot /x --sysroot=/x -iwithprefix x -resource-dir /x",
    "-std=iso9899:2017 -ffreestanding -pedantic-errors -trigraphs -save-temps",
  ])("%s are taken", (words) => {
    const all = ["cc", "-target", "bpf", ...words.split(" "), "-c", "plain.c", "-o", "plain.o"];
    expect(bpfc(all)).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("-Wp,-MMD names its file", () => {
    bpfc(["cc", "-Wp,-MMD,plain.d", "-c", "plain.c", "-o", "plain.o"]);
    expect(readFileSync(join(work, "plain.d"), "utf8")).toBe("plain.o: plain.c plain.h\n");
  });

  test.each([
    ["-march=native", "unsupported option '-march=' for target 'bpf'"],
    ["-fsanitize=kernel-address", "unsupported option '-fsanitize=kernel-address'"],
    ["-std=gnu3", "invalid value 'gnu3' in '-std=gnu3'"],
    ["-fshort-wchar", "unknown argument: '-fshort-wchar'"],
  ])("%s is refused", (word, message) => {
    const { status, stderr } = bpfc(["cc", word, "-c", "plain.c", "-o", "refused.o"]);
    expect([status, stderr.includes(message)]).toEqual([1, true]);
    expect(existsSync(join(work, "refused.o"))).toBe(false);
  });
});

describe("vmlinux.h without such a file", () => {
  const program = [
    '#include "vmlinux.h"',
    "#include <bpf/bpf_helpers.h>",
    'SEC("tp_btf/task_newtask") int created(u64 *ctx) {',
    "  struct task_struct *task = bpf_task_from_pid(((struct task_struct *)ctx[0])->pid);",
    "  if (task) bpf_task_release(task);",
    "  return 0;",
    "}",
    'char license[] SEC("license") = "GPL";',
  ].join("\n");

  test("comes from the BTF that ships, with the kernel's functions", () => {
    writeFileSync(join(work, "vm.bpf.c"), program);
    const { status, stderr } = bpfc(["cc", "-O2", "-Werror", "-c", "vm.bpf.c", "-o", "vm.o"]);
    expect([status, stderr]).toEqual([0, ""]);
    expect(bpfc(["objdump", "-d", "-r", "vm.o"]).stdout).toContain("bpf_task_from_pid");
  });

  test("agrees with programs that declare the arena's functions themselves", () => {
    const arena = "void __attribute__((address_space(1))) *";
    const source = [
      '#include "vmlinux.h"',
      "#include <bpf/bpf_helpers.h>",
      `${arena}bpf_arena_alloc_pages(void *, ${arena}, __u32, int, __u64) __ksym __weak;`,
      `void bpf_arena_free_pages(void *, ${arena}, __u32) __ksym __weak;`,
    ].join("\n");
    writeFileSync(join(work, "arena.c"), source);
    const { status, stderr } = bpfc(["cc", "-c", "arena.c", "-o", "arena.o"]);
    expect([status, stderr]).toEqual([0, ""]);
  });

  test("comes from the BTF that --btf names", () => {
    writeFileSync(join(work, "own.c"), "struct only_here { int field; } object = { 7 };");
    expect(bpfc(["cc", "-c", "own.c", "-o", "own.o"]).status).toBe(0);
    const source = '#include "vmlinux.h"\nint size(void) { return sizeof(struct only_here); }\n';
    writeFileSync(join(work, "other.c"), source);
    expect(bpfc(["cc", "-c", "other.c", "--btf", "own.o", "-o", "other.o"]).status).toBe(0);
    expect(bpfc(["cc", "-c", "other.c", "-o", "other.o"]).status).toBe(1);
  });
});

test("the same source in two folders gives the same bytes", () => {
  const objects = ["one", "two/deeper"].map((folder) => {
    const cwd = join(work, folder);
    mkdirSync(cwd, { recursive: true });
    cpSync(join(root, "examples/tc-classifier/classifier.bpf.c"), join(cwd, "classifier.bpf.c"));
    expect(bpfc(["cc", "-c", "classifier.bpf.c"], { cwd }).status).toBe(0);
    return readFileSync(join(cwd, "classifier.bpf.o"));
  });
  expect(objects[0]?.equals(objects[1] ?? Buffer.alloc(0))).toBe(true);
});

test("compiling to assembly and assembling gives the same bytes as compiling to an object", () => {
  for (const name of ["xdp-firewall/firewall", "tc-classifier/classifier", "tail-call/tail_call"]) {
    const source = join(root, "examples", `${name}.bpf.c`);
    expect(bpfc(["cc", "-c", source, "-o", "direct.o"]).status).toBe(0);
    expect(bpfc(["cc", "-S", source, "-o", "text.s"]).status).toBe(0);
    expect(bpfc(["as", "text.s", "-o", "text.o"])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(readFileSync(join(work, "text.o")).equals(readFileSync(join(work, "direct.o")))).toBe(
      true,
    );
  }
});

test("run prints one JSON object per run", () => {
  const source = join(root, "examples/xdp-firewall/firewall.bpf.c");
  const packet =
    "02000000000102000000000208004500001c00010000401100000a010203c633640700010002000800000000";
  const args = [
    "run",
    source,
    "--json",
    "--packet",
    packet,
    "--entry",
    "blocklist:080000000a000000=0000000000000000",
  ];
  const { status, stdout } = bpfc(args);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    program: "firewall",
    retval: 1,
    action: "XDP_DROP",
    packet,
    trace: [],
    maps: { blocklist: [{ key: "080000000a000000", value: "0100000000000000" }] },
  });
});

test("the package installs into an empty project and its library compiles", () => {
  const pack = spawnSync(
    "npm",
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", work],
    { cwd: root, encoding: "utf8" },
  );
  expect(pack.status, pack.stderr).toBe(0);
  const project = join(work, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), '{ "type": "module" }');
  const archive = join(work, pack.stdout.trim().split("\n").at(-1) ?? "");
  const install = spawnSync("npm", ["install", "--offline", "--no-audit", "--no-fund", archive], {
    cwd: project,
    encoding: "utf8",
  });
  expect(install.status, install.stderr).toBe(0);
  const script = `
    import { compileToObject, memoryFileSystem } from "bpfc";
    const text = '#include <linux/bpf.h>\\n#include <bpf/bpf_helpers.h>\\nSEC("xdp") int drop(struct xdp_md *ctx) { return XDP_DROP; }';
    const { object, diagnostics } = compileToObject("drop.c", memoryFileSystem({ "drop.c": text }));
    console.log(object?.length > 500, diagnostics.length);`;
  writeFileSync(join(project, "use.js"), script);
  expect(spawnSync(process.execPath, ["use.js"], { cwd: project, encoding: "utf8" }).stdout).toBe(
    "true 0\n",
  );
  const version = spawnSync(join(project, "node_modules/.bin/bpfc-clang"), ["--version"], {
    encoding: "utf8",
  });
  expect(version.stdout).toMatch(/^clang version/);
});

describe("verify: what it cost, for which kernels, and the fix", () => {
  const source = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 4);
	__type(key, int); __type(value, long); } counts SEC(".maps");
SEC("xdp") int count(struct xdp_md *ctx)
{
	int key = 1;
	long *value = bpf_map_lookup_elem(&counts, &key);
	*value += 1;
	return XDP_PASS;
}
SEC("xdp") int spin(struct xdp_md *ctx)
{
	long sum = 0;
	for (int i = 0; i < 3000; i++)
		sum += bpf_get_prandom_u32();
	return sum & 1;
}
`;
  const path = join(work, "cost.c");

  test("--profile and --max-processed", () => {
    writeFileSync(path, source);
    const { status, stdout, stderr } = bpfc(["verify", "cost.c", "-p", "spin", "--profile"]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/\d\d\.\d %\s+\d+ {2}cost\.c:1[56]: /);
    const limited = bpfc(["verify", "cost.c", "-p", "spin", "--max-processed", "100"]);
    expect(limited.status).toBe(1);
    expect(limited.stderr).toMatch(/cost\.c:\d+:\d+: error: .* more than 100/);
    const built = ["cc", "-c", "cost.c", "-o", "cost.o", "--verify", "--max-processed=100"];
    expect(bpfc(built).status).toBe(1);
    expect(existsSync(join(work, "cost.o"))).toBe(false);
    expect(bpfc(["verify", "cost.c", "--max-processed", "many"]).status).toBe(1);
  });

  test("--matrix and --kernel", () => {
    writeFileSync(path, source);
    const { stdout } = bpfc(["verify", "cost.c", "--matrix"]);
    expect(stdout).toMatch(/^spin +blocked +- .*accepted +5\.3 +bounded loops at cost\.c:1[56]$/m);
    const old = bpfc(["verify", "cost.c", "-p", "spin", "--kernel", "4.19"]);
    expect(old.status).toBe(1);
    expect(old.stdout).toMatch(/blocked by bounded loops \(since 5\.3\)/);
    expect(bpfc(["verify", "cost.c", "-p", "spin", "--kernel", "5.10"]).status).toBe(0);
    expect(bpfc(["verify", "cost.c", "--kernel", "9.9"]).status).toBe(1);
  });

  test("a fix that is mechanical cures the rejection; SARIF carries it", () => {
    writeFileSync(path, source);
    const { stderr } = bpfc(["verify", "cost.c", "-p", "count", "--diagnostics", "sarif"]);
    const [result] = JSON.parse(stderr).runs[0].results;
    expect(result.ruleId).toBe("verifier-maybe-null");
    const [change] = result.fixes[0].artifactChanges[0].replacements;
    const lines = source.split("\n");
    const { startLine, startColumn } = change.deletedRegion;
    const text = lines[startLine - 1]!;
    lines[startLine - 1] = text.slice(0, startColumn - 1) + change.insertedContent.text;
    writeFileSync(path, lines.join("\n"));
    expect(bpfc(["verify", "cost.c", "-p", "count"]).status).toBe(0);
  });

  test("the licence, where a helper wants GPL", () => {
    const wants = source.replace(
      "bpf_get_prandom_u32",
      "bpf_probe_read_kernel(&sum, 8, ctx) + bpf_ktime_get_ns",
    );
    writeFileSync(path, wants.replace('SEC("xdp") int spin', 'SEC("kprobe/f") int spin'));
    const { stderr } = bpfc(["verify", "cost.c", "-p", "spin"]);
    expect(stderr).toContain('insert `char LICENSE[] SEC("license") = "GPL";`');
  });
});

describe("V8's code cache is only ever a matter of time", () => {
  const expected = () => changedTool("unchanged", () => undefined);

  test("the one that is shipped is taken, and no other written", () => {
    const tool = expected();
    tool.run();
    // Bundles that come after the first have caches made under the flags that V8 has by then.
    tool.run("--verify");
    expect(existsSync(tool.caches)).toBe(false);
  });

  test("parts that small programs do not need have theirs, in short runs and in long ones", () => {
    const tool = expected();
    const parts = readdirSync(join(root, "dist")).filter((file) => /^compile-\w+\.js$/.test(file));
    expect(parts.length).toBeGreaterThan(1);
    const small = join(root, "bench/kernel-workloads/text-search.c");
    const long = join(work, "long.c");
    writeFileSync(long, `${"/* so that V8's flags change */\n".repeat(300)}#include "${small}"\n`);
    expect(tool.compile(long).length).toBeGreaterThan(0);
    expect(tool.compile(small).length).toBeGreaterThan(0);
    expect(existsSync(tool.caches)).toBe(false);
  });

  test.each<[string, (bytes: Buffer) => Uint8Array | undefined]>([
    ["absent", () => undefined],
    ["empty", () => new Uint8Array(0)],
    ["cut short", (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ["of another version of V8", (bytes) => Uint8Array.from(bytes, (b, at) => (at === 4 ? ~b : b))],
  ])("one that is %s is replaced by one in the user's folder", (name, damage) => {
    const object = expected().run();
    const tool = changedTool(name.replaceAll(" ", "-"), (folder) => {
      for (const cache of ["main.cache", "compile.cache"]) {
        const path = join(folder, cache);
        const damaged = damage(readFileSync(path));
        if (damaged === undefined) rmSync(path);
        else writeFileSync(path, damaged);
      }
    });
    expect(tool.run()).toEqual(object);
    const written = readdirSync(tool.caches);
    expect(written.map((file) => file.replace(/-.*/, "")).sort()).toEqual(["compile", "main"]);
    expect(tool.run()).toEqual(object);
    expect(readdirSync(tool.caches)).toEqual(written);
    // One that others can write to is not read: this one would crash V8.
    for (const file of written) {
      const path = join(tool.caches, file);
      writeFileSync(path, readFileSync(path).fill(0, 5000));
      chmodSync(path, 0o666);
    }
    expect(tool.run()).toEqual(object);
  });

  test("a user's folder that cannot be written to is no problem", () => {
    const tool = changedTool("no-folder", (folder) => rmSync(join(folder, "compile.cache")));
    writeFileSync(join(tool.caches, ".."), "a file where the folder would be");
    tool.run();
  });
});

describe("verify takes the kernel's types where a program wants them", () => {
  const source = `#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
SEC("tp_btf/sched_switch") int BPF_PROG(on_switch, bool preempt, struct task_struct *prev)
{
	return prev->pid & 0;
}
SEC("raw_tp/sys_enter") int enter(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	return task->no_such_member;
}
char LICENSE[] SEC("license") = "GPL";
`;

  test("tracing programs are judged with those that ship; compiler options follow the file", () => {
    writeFileSync(join(work, "typed.c"), source.replace("no_such_member", "pid & 1"));
    const words = ["verify", "typed.c", "-D__TARGET_ARCH_x86"];
    const { status, stdout, stderr } = bpfc(words);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^on_switch \(tp_btf\/sched_switch\): accept/m);
    expect(stdout).toMatch(/^enter \(raw_tp\/sys_enter\): accept/m);
    expect(bpfc([...words, "-DNEVER"]).status).toBe(0);
  });

  test("a hook that is not in them is a rejection", () => {
    const other = source.replace("no_such_member", "pid").replace("sched_switch", "no_such_event");
    writeFileSync(join(work, "typed.c"), other);
    const { status, stdout } = bpfc(["verify", "typed.c", "-D__TARGET_ARCH_x86"]);
    expect(status).toBe(1);
    expect(stdout).toMatch(/^on_switch .*: (reject|unsupported)/m);
  });
});
