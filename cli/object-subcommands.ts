/** Subcommands about objects and their types, as people see them in `bpfc --help`. */
import type { Command } from "commander";

interface Outcome {
  code: number;
}

const collect = (value: string, previous: readonly string[]): readonly string[] => [
  ...previous,
  value,
];

/** `bpfc link`. */
export function addLink(program: Command, outcome: Outcome): void {
  program
    .command("link")
    .description("link objects into one")
    .argument("<files...>", "ELF objects, in the order of their sections' contents")
    .requiredOption("-o, --output <file>", "object file")
    .option("--allow-unresolved", "leave externs open that no object defines")
    .option("--diagnostics <format>", "clang, json or sarif", "clang")
    .action(async (files: readonly string[], options) => {
      outcome.code = (await import("./link.ts")).runLink(files, options);
    });
}

/** `bpfc btf dump|diff`. */
export function addBtf(program: Command, outcome: Outcome): void {
  const btf = program.command("btf").description("show and compare types");
  btf
    .command("dump")
    .description("all types of a file")
    .argument(
      "<words...>",
      "ELF file with .BTF, or raw BTF such as /sys/kernel/btf/vmlinux; bpftool's words work too",
    )
    .option("--format <format>", "raw, c or json", "raw")
    .option("-j, --json", "the same as --format json")
    .option("-B, --base-btf <file>", "the BTF that a module's BTF continues")
    .option("--root-id <id>", "only this type, in C with what it needs; repeatable", collect, [])
    .option("--unsorted", "C in the order of ids, not of names")
    .action(async (words: readonly string[], options) => {
      outcome.code = (await import("./btf.ts")).runBtfDump(words, options);
    });
  btf
    .command("diff")
    .description("types added, removed and changed; exit code 1 where there are any")
    .argument("<before>", "ELF file with .BTF, or raw BTF")
    .argument("<after>", "the same")
    .option("--json", "one JSON array")
    .option("-B, --base-btf <file>", "the BTF that both continue, where they are a module's")
    .action(async (before: string, after: string, options) => {
      outcome.code = (await import("./btf.ts")).runBtfDiff(before, after, options);
    });
}

/** `bpfc gen skeleton|subskeleton|min-core-btf|object`. */
export function addGen(program: Command, outcome: Outcome): void {
  const gen = program.command("gen").description("make files from objects");
  gen
    .command("skeleton")
    .description("code that embeds an object and gives its maps, programs and globals types")
    .argument("<file>", "ELF object")
    .argument("[words...]", "bpftool's words work too: name NAME")
    .option("--format <format>", "c (for libbpf), ts or json", "c")
    .option("--name <name>", "name of the object in the code (default: from the file's name)")
    .option("-o, --output <file>", "file to write", "-")
    .action(async (file: string, words: readonly string[], options) => {
      outcome.code = (await import("./gen.ts")).runSkeleton(file, words, options);
    });
  gen
    .command("subskeleton")
    .description(
      "C for a library of BPF code, which finds its parts in the object it is linked into",
    )
    .argument("<file>", "ELF object of the library")
    .argument("[words...]", "bpftool's words work too: name NAME")
    .option("--name <name>", "name of the library in the code (default: from the file's name)")
    .option("-o, --output <file>", "file to write", "-")
    .action(async (file: string, words: readonly string[], options) => {
      const { runSkeleton } = await import("./gen.ts");
      outcome.code = runSkeleton(file, words, { ...options, format: "c-sub" });
    });
  gen
    .command("min-core-btf")
    .alias("min_core_btf")
    .description("the part of a kernel's BTF that the objects' CO-RE relocations look at")
    .argument("<target>", "the kernel's BTF")
    .argument("<output>", "raw BTF file to write")
    .argument("<objects...>", "ELF objects")
    .action(async (target: string, output: string, objects: readonly string[]) => {
      outcome.code = (await import("./gen.ts")).runMinCoreBtf(target, output, objects);
    });
  gen
    .command("object")
    .description("link objects into one, in bpftool's words: the same as bpfc link")
    .argument("<output>", "object file to write")
    .argument("<files...>", "ELF objects")
    .action(async (output: string, files: readonly string[]) => {
      outcome.code = (await import("./link.ts")).runLink(files, { output, diagnostics: "clang" });
    });
}

/** `bpfc core-check`. */
export function addCoreCheck(program: Command, outcome: Outcome): void {
  program
    .command("core-check")
    .description("what each kernel gives the CO-RE relocations of an object")
    .argument("<file>", "ELF object")
    .option("--btf <file>", "a kernel's BTF; repeatable", collect, [])
    .option("--json", "one JSON array")
    .action(async (file: string, options) => {
      outcome.code = (await import("./core-check.ts")).runCoreCheck(file, options);
    });
}
