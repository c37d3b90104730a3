/**
 * Answers to what build systems ask a compiler before they use it: version, targets, CPUs. The
 * version line has clang's shape, since scripts take its number; the number is that of the clang
 * whose builtins and attributes bpfc supports.
 */
import { shippedHeaderDirectory } from "../../compiler/shipped-header-directory.ts";
import type { Probe } from "./options.ts";

/** The clang version whose language and builtins bpfc claims. */
export const claimedClangVersion = "19.1.7";

const versionText = (bpfcVersion: string): string =>
  [
    `clang version ${claimedClangVersion} (bpfc ${bpfcVersion}, compatible)`,
    "Target: bpf",
    "Thread model: posix",
  ].join("\n");

const cpuHelp = `Available CPUs for this target:

  generic - Select the generic processor.
  probe   - Select the probe processor.
  v1      - Select the v1 processor.
  v2      - Select the v2 processor.
  v3      - Select the v3 processor.
  v4      - Select the v4 processor.
`;

const targets = `  Registered Targets:
    bpf    - BPF (host endian)
    bpfeb  - BPF (big endian)
    bpfel  - BPF (little endian)
`;

const help = `OVERVIEW: bpfc C compiler for BPF, with clang's command line

USAGE: bpfc cc [options] file...

OPTIONS:
  -c, -S, -E, -fsyntax-only   object (default), assembly, preprocessed text, checks only
  --print=FORM                tokens, ast, checked, ir, machine or asm
  -o FILE                     output file, - for standard output
  -O0 … -O3, -Os              optimisation level (default -O2)
  -g0                         no BTF (default is BTF and line information)
  -target bpf|bpfel|bpfeb     byte order; -mcpu=v1…v4 instruction set (default v3)
  -mstrict-align              no access wider than its proven alignment
  -I, -iquote, -isystem, -idirafter DIR, -include FILE, -nostdinc
  -D NAME[=VALUE], -U NAME
  -W…, -Wno-…, -Werror[=…], -w
  -MD, -MMD, -M, -MM, -MP, -MF FILE, -MT TARGET
  -fdebug-prefix-map=OLD=NEW, -ffile-prefix-map=, -fdebug-compilation-dir DIR
  -fdiagnostics-format=clang|json|sarif, -fcolor-diagnostics, -ferror-limit=N
  --verify                    verify what was compiled; a rejection is an error
  --max-processed=N           with --verify: so is a program that costs the verifier more instructions
  --source-map FILE           with -S: Source Map from the assembly text to C
  --source-map-content        the map holds the text of its sources
  --stats[=text|json]         instructions, stack and spills per function and source line
  --version, -mcpu=help, -print-targets, -v
`;

/** Headers that ship with bpfc are in no folder; `-isystem` of these is understood. */
const resourceDirectory = "<bpfc>";

type Answer = (bpfcVersion: string, target: string) => string;

const answers: Readonly<Record<Extract<Probe, string>, Answer>> = {
  version: versionText,
  "print-targets": () => targets,
  "cpu-help": () => cpuHelp,
  help: () => help,
  dumpversion: () => claimedClangVersion,
  "target-triple": (_version, target) => target,
  "resource-dir": () => resourceDirectory,
  "search-dirs": () => `programs: =\nlibraries: =${resourceDirectory}`,
  "libgcc-file-name": () => "libgcc.a",
  "multi-lib": () => "",
};

/** The text that answers a probe, for standard output. */
export function answerProbe(probe: Probe, bpfcVersion: string, target: string): string {
  if (typeof probe === "string") return answers[probe](bpfcVersion, target);
  return probe.file === "include" ? shippedHeaderDirectory : probe.file;
}

/** What `-v` prints of the search path; scripts cut out the lines between the two markers. */
export function searchPathText(quoted: readonly string[], angled: readonly string[]): string {
  const lines = (directories: readonly string[]): string[] => directories.map((d) => ` ${d}`);
  return [
    '#include "..." search starts here:',
    ...lines(quoted),
    "#include <...> search starts here:",
    ...lines(angled),
    "End of search list.",
  ].join("\n");
}
