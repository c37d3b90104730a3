/** The subcommands as people see them in `bpfc --help`; each is a file, loaded when it runs. */
import { Command, CommanderError } from "commander";
import { addBtf, addCoreCheck, addGen, addLink } from "./object-subcommands.ts";
import { print, printError } from "./report.ts";

interface Outcome {
  code: number;
}

function addAs(program: Command, outcome: Outcome): void {
  program
    .command("as")
    .description("assemble BPF assembly text to an object")
    .argument("<file>", "assembly text, - for standard input")
    .option("-o, --output <file>", "object file (default: the input's name with .o)")
    .option("--big-endian", "big-endian object (bpfeb)")
    .option("--source-map <file>", "Source Map from the object's bytes to the text")
    .option("--source-map-content", "with --source-map: the text itself stands in the map")
    .option("--diagnostics <format>", "clang, json or sarif", "clang")
    .action(async (file: string, options) => {
      outcome.code = await (await import("./as.ts")).runAs(file, options);
    });
}

function addObjdump(program: Command, outcome: Outcome): void {
  program
    .command("objdump")
    .description("show what is in an object")
    .argument("<file>", "ELF object")
    .argument("[other]", "with --diff: the object to compare with")
    .option("-d, --disassemble", "instructions of the code sections")
    .option("-r, --reloc", "relocations, between the instructions with -d")
    .option("-S, --source", "source lines between the instructions (implies -d)")
    .option("-t, --syms", "symbol table")
    .option("-h, --headers", "section headers")
    .option("--asm", "assembly text that assembles back to the object")
    .option("--json", "all of it as one JSON object")
    .option("--diff", "how two objects differ: functions, maps, types; exit code 1 if they do")
    .option("--no-show-raw-insn", "without the instructions' bytes")
    .helpOption("--help", "display help for command")
    .action(async (file: string, other: string | undefined, options) => {
      outcome.code = (await import("./objdump.ts")).runObjdump(file, other, options);
    });
}

function addVerify(program: Command, outcome: Outcome): void {
  program
    .command("verify")
    .description("judge the programs of an object (or of a C file) as Linux 6.18 would")
    .argument("[file]", "ELF object or C source")
    .option("-p, --program <name>", "only this program")
    .option("--btf <file>", "BTF of the kernel to judge for: CO-RE, kfuncs and ksyms")
    .option("--module-btf <file>", "BTF of a module of that kernel; repeatable", collect, [])
    .option("--kallsyms <file>", "addresses of that kernel's symbols, as /proc/kallsyms has them")
    .option("--log-level <level>", "the kernel's verifier log: 1, 2 or 4", "0")
    .option("--profile", "show what the verification cost, by function and by C line")
    .option("--max-processed <n>", "an error where more instructions are processed")
    .option("--kernel <version>", "what is known for another release: 4.19 … 6.12", "6.18")
    .option("--matrix", "programs × kernel releases, with the oldest that has all they need")
    .option("--unpriv", "the verdict for a caller without any capability")
    .option("--cap-bpf", "the verdict for a caller that has CAP_BPF alone")
    .option("--cases <file>", "judge portable cases, one JSON object a line")
    .option("--diagnostics <format>", "rejections as clang, json or sarif", "clang")
    .option("--json", "one JSON object per program")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (file: string | undefined, options, command: Command) => {
      const rest = command.args.slice(file === undefined ? 0 : 1);
      outcome.code = await (await import("./verify/run-verify.ts")).runVerify(file, options, rest);
    });
}

const collect = (value: string, previous: readonly string[]): readonly string[] => [
  ...previous,
  value,
];

function addRun(program: Command, outcome: Outcome): void {
  program
    .command("run")
    .description("run a program of an object (or of a C file) and show what it did")
    .argument("<file>", "ELF object or C source")
    .option("-p, --program <name>", "the program (default: the first)")
    .option("--packet <hex|file>", "packet, as hexadecimal digits or a file of bytes")
    .option("--pcap <file>", "every packet of a pcap or pcapng file")
    .option("--ctx <hex|file>", "context, for programs without packets")
    .option(
      "--entry <map:key=value>",
      "map entry to begin with, in hexadecimal; repeatable",
      collect,
      [],
    )
    .option("--btf <file>", "BTF of the kernel to run for: CO-RE, kfuncs and ksyms")
    .option("--module-btf <file>", "BTF of a module of that kernel; repeatable", collect, [])
    .option("--kallsyms <file>", "addresses of that kernel's symbols, as /proc/kallsyms has them")
    .option("--repeat <n>", "run each input n times", "1")
    .option("--time", "show how long a run takes")
    .option("--trace", "show every instruction, what it changed, and its C line")
    .option(
      "--pcap-out <file>",
      "write the packets as the program left them; pcapng where the name ends so",
    )
    .option(
      "--event <event>",
      "attach all programs and fire: tracepoint/…, raw_tp/…, function/NAME",
    )
    .option("--fields <json>", "the event's fields, or a function's arguments: { args, returns }")
    .option("--cpus <n>", "CPUs of the simulated machine (default 4)")
    .option("--seed <n>", "seed of its random numbers")
    .option("--pid <n>", "process that runs the program")
    .option("--comm <name>", "its name")
    .option("--record <file>", "write inputs and results for a later --replay")
    .option("--replay <file>", "run a recording again; exit code 1 where a result differs")
    .option("--save <file>", "write the state afterwards, for bpfc prog and bpfc map")
    .option("--no-verify", "run in the checked variant without verifying first")
    .option("--json", "one JSON object per run")
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (file: string, options, command: Command) => {
      outcome.code = await (await import("./run/run-command.ts")).runProgram(
        file,
        options,
        command.args.slice(1),
      );
    });
}

function addState(program: Command, outcome: Outcome): void {
  for (const what of ["prog", "map"] as const) {
    program
      .command(what)
      .description(`list or dump the ${what === "prog" ? "programs" : "maps"} of a saved state`)
      .argument("<action>", "list or dump")
      .argument("[name]", "name or id, for dump")
      .requiredOption("--state <file>", "what bpfc run --save wrote")
      .option("--json", "as JSON")
      .action(async (action: string, name: string | undefined, options) => {
        outcome.code = (await import("./state.ts")).runState(what, action, name, options);
      });
  }
}

function addStrip(program: Command, outcome: Outcome): void {
  program
    .command("strip")
    .description("remove DWARF, keep BTF")
    .argument("<words...>", "-g, -o FILE, files")
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: readonly string[]) => {
      outcome.code = (await import("./strip.ts")).runStrip(words);
    });
}

function addCcHelp(program: Command, outcome: Outcome): void {
  program
    .command("cc")
    .description("compile C to a BPF object, with clang's options (bpfc cc --help)")
    .allowUnknownOption()
    .action(() => {
      outcome.code = 1;
    });
}

/** Runs the subcommand that the words name; returns the exit code. */
export async function runSubcommand(words: readonly string[], version: string): Promise<number> {
  const outcome: Outcome = { code: 0 };
  const program = new Command("bpfc")
    .description("The eBPF toolchain: compile, assemble, link, verify and run BPF programs")
    .version(version)
    .exitOverride()
    .configureOutput({ writeOut: print, writeErr: printError });
  const subcommands = [
    addCcHelp,
    addAs,
    addLink,
    addObjdump,
    addVerify,
    addRun,
    addState,
    addStrip,
  ];
  for (const add of [...subcommands, addBtf, addGen, addCoreCheck]) add(program, outcome);
  if (words.length === 0) {
    print(program.helpInformation());
    return 1;
  }
  try {
    await program.parseAsync([...words], { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    throw error;
  }
  return outcome.code;
}
