/** `bpfc strip -g FILE…`, also as `bpfc-strip`: removes DWARF, keeps BTF, as `llvm-strip -g` does. */
import type { ObjectFile, ObjectSection } from "../common/object/object-file.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { readObjectFile } from "./objects.ts";
import { writeOutput } from "./output.ts";
import { plainReport, print, printError, report } from "./report.ts";

const isDebugSection = (section: ObjectSection): boolean =>
  /^\.(debug|zdebug|line|stab)/.test(section.name) || section.name === ".llvm_addrsig";

/** The new index of each kept item: how many kept ones stand before it. */
function renumber(kept: readonly boolean[]): readonly number[] {
  let next = 0;
  return kept.map((keep) => (keep ? next++ : next));
}

/** The object without its debug sections and the symbols that stand in them. */
export function stripDebug(object: ObjectFile): ObjectFile {
  const kept = object.sections.map((section) => !isDebugSection(section));
  if (kept.every(Boolean)) return object;
  const newIndex = renumber(kept);
  const symbolKept = object.symbols.map(
    ({ section, type }) =>
      type !== "file" && (typeof section !== "number" || kept[section] === true),
  );
  const newSymbol = renumber(symbolKept);
  return {
    endian: object.endian,
    sections: object.sections
      .filter((_, index) => kept[index])
      .map((section) => ({
        ...section,
        relocations: section.relocations
          .filter((r) => symbolKept[r.symbol])
          .map((r) => ({ ...r, symbol: newSymbol[r.symbol] ?? 0 })),
      })),
    symbols: object.symbols
      .filter((_, index) => symbolKept[index])
      .map((symbol) =>
        typeof symbol.section === "number"
          ? { ...symbol, section: newIndex[symbol.section] ?? 0 }
          : symbol,
      ),
  };
}

interface StripOptions {
  readonly files: readonly string[];
  readonly output?: string;
}

const accepted = new Set([
  "-g",
  "-d",
  "-S",
  "--strip-debug",
  "--strip-all",
  "-p",
  "--preserve-dates",
]);

function parse(args: readonly string[]): StripOptions | string {
  const files: string[] = [];
  let output: string | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "-o") output = args[++i];
    else if (!word.startsWith("-")) files.push(word);
    else if (!accepted.has(word)) return `unknown argument '${word}'`;
  }
  if (files.length === 0) return "no input file specified";
  if (output !== undefined && files.length > 1)
    return "multiple input files cannot be used with -o";
  return { files, ...(output !== undefined && { output }) };
}

/** Runs the tool; returns the exit code. */
export function runStrip(args: readonly string[]): number {
  if (args.includes("--version")) {
    print("llvm-strip, compatible with GNU strip (bpfc)");
    return 0;
  }
  const options = parse(args);
  if (typeof options === "string") {
    printError(`bpfc-strip: error: ${options}`);
    return 1;
  }
  for (const file of options.files) {
    const { object, diagnostics } = readObjectFile(file);
    if (object === undefined) {
      report(diagnostics.list, plainReport);
      return 1;
    }
    const stripped = stripDebug(object);
    if (stripped === object && options.output === undefined) continue;
    const problem = writeOutput(options.output ?? file, writeElf(stripped));
    if (problem !== undefined) {
      printError(`bpfc-strip: error: ${problem}`);
      return 1;
    }
  }
  return 0;
}
