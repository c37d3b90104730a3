/**
 * clang's command line for `-target bpf`, as a table: one row per option. Unknown `-W…` are a
 * warning as in clang, unknown `-f…`, `-m…` and others an error. Which options occur in real builds
 * was counted over 25 build systems.
 */
import type { CpuVersion, OptimizationLevel } from "../../compiler/options.ts";
import { isKnownWarning, type WarningOption } from "../../compiler/warning-options.ts";
import { acceptedWords, refusal } from "./accepted-options.ts";
import { standardOf } from "./language-standard.ts";
import type {
  CcOptions,
  CcOutput,
  DependencyOptions,
  MacroOption,
  ParsedCommandLine,
  Probe,
} from "./options.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** State while the arguments are read. */
interface Draft {
  options: Mutable<CcOptions>;
  inputs: string[];
  macros: MacroOption[];
  warnings: WarningOption[];
  dependencies: Partial<Mutable<DependencyOptions>> & { wanted: boolean; targets: string[] };
  target: string;
  unknownWarnings: string[];
  probe?: Probe;
  error?: string;
}

type Setter = (draft: Draft, value: string) => void;

interface OptionRow {
  readonly flag: string;
  /**
   * none: exactly the flag. joined: flag and value in one word. separate: value is the next word.
   * either: both forms.
   */
  readonly value: "none" | "joined" | "separate" | "either";
  readonly set: Setter;
}

const push =
  (key: "quoteDirs" | "includeDirs" | "systemDirs" | "afterDirs" | "forcedIncludes"): Setter =>
  (draft, value) => {
    draft.options[key] = [...draft.options[key], value];
  };

const setOutput =
  (output: CcOutput): Setter =>
  (draft) => {
    draft.options.output = output;
  };

const ignore: Setter = () => {};

const probe =
  (name: Probe): Setter =>
  (draft) => {
    draft.probe ??= name;
  };

const probeFile: Setter = (draft, file) => {
  draft.probe ??= { file };
};

const cpuNames: Readonly<Record<string, CpuVersion>> = {
  v1: "v1",
  generic: "v3",
  v2: "v2",
  v3: "v3",
  v4: "v4",
  probe: "v3",
};

function setCpu(draft: Draft, value: string): void {
  if (value === "help" || value === "?") {
    draft.probe ??= "cpu-help";
    return;
  }
  const cpu = cpuNames[value];
  if (cpu === undefined) draft.error ??= `unknown target CPU '${value}'`;
  else draft.options.cpu = cpu;
}

const levels: Readonly<Record<string, OptimizationLevel>> = {
  "": "1",
  "0": "0",
  g: "1",
  "1": "1",
  "2": "2",
  "3": "3",
  "4": "3",
  fast: "3",
  s: "s",
  z: "s",
};

function setLevel(draft: Draft, value: string): void {
  const level = levels[value];
  // clang takes any higher level as its highest, with a warning.
  if (level !== undefined) draft.options.optimize = level;
  else if (/^\d+$/.test(value)) draft.options.optimize = "3";
  else draft.error ??= `invalid value '${value}' in '-O${value}'`;
}

function dependency(change: (draft: Draft["dependencies"]) => void): Setter {
  return (draft) => change(draft.dependencies);
}

function addPrefixMap(draft: Draft, value: string): void {
  const at = value.indexOf("=");
  if (at < 0) {
    draft.error ??= `invalid argument '${value}' to -fdebug-prefix-map=`;
    return;
  }
  const map = { from: value.slice(0, at), to: value.slice(at + 1) };
  draft.options.prefixMaps = [...draft.options.prefixMaps, map];
}

function setWarning(draft: Draft, text: string): void {
  if (text.startsWith("error=")) draft.warnings.push({ name: text.slice(6), state: "error" });
  else if (text.startsWith("no-error="))
    draft.warnings.push({ name: text.slice(9), state: "no-error" });
  else if (text === "no-error") draft.warnings.push({ name: "error", state: "off" });
  else if (text.startsWith("no-")) draft.warnings.push({ name: text.slice(3), state: "off" });
  else draft.warnings.push({ name: text, state: "on" });
  const name = text.replace(/^(no-error=|error=|no-)/, "").replace(/=.*$/, "");
  if (!isKnownWarning(name)) {
    draft.unknownWarnings.push(text);
  }
}

const printForms = ["tokens", "ast", "checked", "ir", "machine"] as const;

function setStats(draft: Draft, value: string): void {
  if (value === "text" || value === "json") draft.options.stats = value;
  else draft.error ??= `invalid value '${value}' in '--stats=${value}'`;
}

function setPrint(draft: Draft, value: string): void {
  if (value === "asm") {
    draft.options.output = "assembly";
    return;
  }
  const form = printForms.find((name) => name === value);
  if (form === undefined) draft.error ??= `invalid value '${value}' in '--print=${value}'`;
  else draft.options.output = { print: form };
}

const debugOptions =
  /^(?:[123]|gdb[0-3]?|lldb|sce|dbx|dwarf(?:-[2-5]|32|64|-aranges)?|modules|full|used|z(?:=.+)?|codeview|split-dwarf(?:=.+)?|(?:no-)?(?:column-info|inline-line-tables|record-command-line|record-gcc-switches|strict-dwarf|embed-source|pubnames|gnu-pubnames|codeview-\w+(?:-\w+)?|modules|omit-unreferenced-methods|simple-template-names)|line-tables-only|line-directives-only|mlt)?$/;

function setDebug(draft: Draft, value: string): void {
  if (value !== "" && !debugOptions.test(value)) draft.error ??= `unknown argument: '-g${value}'`;
  draft.options.debug = true;
}

const fillings: Readonly<Record<string, number | undefined>> = { zero: 0, pattern: 0xaa };

function setAutoInit(draft: Draft, value: string): void {
  const filling = fillings[value];
  if (filling !== undefined) draft.options.autoInit = filling;
  else if (value === "uninitialized") delete draft.options.autoInit;
  else draft.error ??= `invalid value '${value}' in '-ftrivial-auto-var-init=${value}'`;
}

function setDiagnosticsFormat(draft: Draft, value: string): void {
  if (value === "json" || value === "sarif" || value === "clang") {
    draft.options.diagnosticsFormat = value;
  } else draft.error ??= `invalid value '${value}' in '-fdiagnostics-format=${value}'`;
}

const setSourceMap: Setter = (draft, value) => {
  draft.options.sourceMap = value;
};

const setStandard: Setter = (draft, value) => {
  if (standardOf(value) === undefined)
    draft.error ??= `invalid value '${value}' in '-std=${value}'`;
  draft.options.gnuLanguage = value;
};

const macro =
  (kind: MacroOption["kind"]): Setter =>
  (draft, text) => {
    draft.macros.push({ kind, text });
  };

const setFlag =
  (
    key:
      | "strictAlign"
      | "verify"
      | "sourceMapContent"
      | "verbose"
      | "suppressWarnings"
      | "msExtensions"
      | "strictAliasing"
      | "freestanding"
      | "unsignedChar"
      | "shortEnums"
      | "noStandardIncludes"
      | "debug",
    value = true,
  ): Setter =>
  (draft) => {
    draft.options[key] = value;
  };

/** Longer flags first where one is a prefix of another. */
const rows: readonly OptionRow[] = [
  { flag: "-c", value: "none", set: setOutput("object") },
  { flag: "-S", value: "none", set: setOutput("assembly") },
  {
    flag: "-E",
    value: "none",
    set: (d) => {
      d.options.output = d.options.output === "macros" ? "macros" : "preprocess";
    },
  },
  { flag: "-dM", value: "none", set: setOutput("macros") },
  { flag: "-fsyntax-only", value: "none", set: setOutput("syntax") },
  { flag: "--print=", value: "joined", set: setPrint },
  {
    flag: "-o",
    value: "either",
    set: (d, v) => {
      d.options.outputFile = v;
    },
  },
  { flag: "-idirafter", value: "either", set: push("afterDirs") },
  { flag: "-isystem", value: "either", set: push("systemDirs") },
  { flag: "-iquote", value: "either", set: push("quoteDirs") },
  { flag: "--include", value: "separate", set: push("forcedIncludes") },
  { flag: "--imacros", value: "separate", set: push("forcedIncludes") },
  { flag: "-include", value: "either", set: push("forcedIncludes") },
  { flag: "-isysroot", value: "either", set: ignore },
  { flag: "-I", value: "either", set: push("includeDirs") },
  { flag: "-D", value: "either", set: macro("define") },
  { flag: "-U", value: "either", set: macro("undefine") },
  { flag: "-nostdinc", value: "none", set: setFlag("noStandardIncludes") },
  { flag: "-nostdlib", value: "none", set: ignore },
  { flag: "-nostdlibinc", value: "none", set: setFlag("noStandardIncludes") },
  { flag: "-undef", value: "none", set: ignore },
  {
    flag: "-target",
    value: "separate",
    set: (d, v) => {
      d.target = v;
    },
  },
  {
    flag: "--target=",
    value: "joined",
    set: (d, v) => {
      d.target = v;
    },
  },
  { flag: "-mcpu=", value: "joined", set: setCpu },
  {
    flag: "-mlittle-endian",
    value: "none",
    set: (d) => {
      d.options.endian = "little";
    },
  },
  {
    flag: "-mbig-endian",
    value: "none",
    set: (d) => {
      d.options.endian = "big";
    },
  },
  { flag: "-mstrict-align", value: "none", set: setFlag("strictAlign") },
  { flag: "-mno-strict-align", value: "none", set: setFlag("strictAlign", false) },
  { flag: "-O", value: "joined", set: setLevel },
  { flag: "-g0", value: "none", set: setFlag("debug", false) },
  { flag: "-g", value: "joined", set: setDebug },
  {
    flag: "-std=",
    value: "joined",
    set: setStandard,
  },
  { flag: "--std=", value: "joined", set: setStandard },
  { flag: "-ansi", value: "none", set: ignore },
  {
    flag: "-MMD",
    value: "none",
    set: dependency((x) => {
      x.wanted = true;
      x.userHeadersOnly = true;
    }),
  },
  {
    flag: "-MD",
    value: "none",
    set: dependency((x) => {
      x.wanted = true;
    }),
  },
  {
    flag: "-MM",
    value: "none",
    set: (d) => {
      d.options.output = "dependencies";
      d.dependencies.wanted = true;
      d.dependencies.userHeadersOnly = true;
    },
  },
  {
    flag: "-MP",
    value: "none",
    set: dependency((x) => {
      x.phonyTargets = true;
    }),
  },
  { flag: "-MG", value: "none", set: ignore },
  {
    flag: "-MF",
    value: "either",
    set: (d, v) => {
      d.dependencies.file = v;
    },
  },
  {
    flag: "-MT",
    value: "either",
    set: (d, v) => {
      d.dependencies.targets.push(v);
    },
  },
  {
    flag: "-MQ",
    value: "either",
    set: (d, v) => {
      d.dependencies.targets.push(v.replace(/\$/g, "$$$$"));
    },
  },
  {
    flag: "-M",
    value: "none",
    set: (d) => {
      d.options.output = "dependencies";
      d.dependencies.wanted = true;
    },
  },
  { flag: "-fdebug-prefix-map=", value: "joined", set: addPrefixMap },
  { flag: "-ffile-prefix-map=", value: "joined", set: addPrefixMap },
  { flag: "-fmacro-prefix-map=", value: "joined", set: addPrefixMap },
  {
    flag: "-fdebug-compilation-dir=",
    value: "joined",
    set: (d, v) => {
      d.options.compilationDir = v;
    },
  },
  {
    flag: "-fdebug-compilation-dir",
    value: "separate",
    set: (d, v) => {
      d.options.compilationDir = v;
    },
  },
  { flag: "-fdebug-default-version=", value: "joined", set: ignore },
  { flag: "-fdiagnostics-format=", value: "joined", set: setDiagnosticsFormat },
  { flag: "--diagnostics=", value: "joined", set: setDiagnosticsFormat },
  {
    flag: "-fcolor-diagnostics",
    value: "none",
    set: (d) => {
      d.options.color = true;
    },
  },
  {
    flag: "-fno-color-diagnostics",
    value: "none",
    set: (d) => {
      d.options.color = false;
    },
  },
  {
    flag: "-fdiagnostics-color=",
    value: "joined",
    set: (d, v) => {
      d.options.color = v === "always" ? true : v === "never" ? false : "auto";
    },
  },
  {
    flag: "-ferror-limit=",
    value: "joined",
    set: (d, v) => {
      d.options.errorLimit = Number(v) || 0;
    },
  },
  { flag: "--verify", value: "none", set: setFlag("verify") },
  {
    flag: "--max-processed=",
    value: "joined",
    set: (d, v) => {
      d.options.maxProcessed = Number(v) || 0;
    },
  },
  { flag: "--stats=", value: "joined", set: setStats },
  { flag: "--stats", value: "none", set: (d) => setStats(d, "text") },
  {
    flag: "--btf=",
    value: "joined",
    set: (d, v) => {
      d.options.btf = v;
    },
  },
  {
    flag: "--btf",
    value: "separate",
    set: (d, v) => {
      d.options.btf = v;
    },
  },
  { flag: "--source-map=", value: "joined", set: setSourceMap },
  { flag: "--source-map-content", value: "none", set: setFlag("sourceMapContent") },
  { flag: "--source-map", value: "separate", set: setSourceMap },
  { flag: "-v", value: "none", set: setFlag("verbose") },
  { flag: "--verbose", value: "none", set: setFlag("verbose") },
  { flag: "-w", value: "none", set: setFlag("suppressWarnings") },
  { flag: "-fms-extensions", value: "none", set: setFlag("msExtensions") },
  { flag: "-fstrict-aliasing", value: "none", set: setFlag("strictAliasing") },
  { flag: "-fno-strict-aliasing", value: "none", set: setFlag("strictAliasing", false) },
  { flag: "-ffreestanding", value: "none", set: setFlag("freestanding") },
  { flag: "-funsigned-char", value: "none", set: setFlag("unsignedChar") },
  { flag: "-fno-signed-char", value: "none", set: setFlag("unsignedChar") },
  { flag: "-fsigned-char", value: "none", set: setFlag("unsignedChar", false) },
  { flag: "-fno-unsigned-char", value: "none", set: setFlag("unsignedChar", false) },
  { flag: "-fshort-enums", value: "none", set: setFlag("shortEnums") },
  { flag: "-fno-short-enums", value: "none", set: setFlag("shortEnums", false) },
  { flag: "-fhosted", value: "none", set: setFlag("freestanding", false) },
  { flag: "-fno-freestanding", value: "none", set: setFlag("freestanding", false) },
  { flag: "-fno-hosted", value: "none", set: setFlag("freestanding") },
  { flag: "-fno-ms-extensions", value: "none", set: setFlag("msExtensions", false) },
  { flag: "-ftrivial-auto-var-init=", value: "joined", set: setAutoInit },
  {
    flag: "-P",
    value: "none",
    set: (d) => {
      d.options.lineMarkers = false;
    },
  },
  { flag: "-pipe", value: "none", set: ignore },
  { flag: "-pedantic", value: "none", set: ignore },
  { flag: "-###", value: "none", set: ignore },
  {
    flag: "-x",
    value: "either",
    set: (d, v) => {
      if (v !== "c" && v !== "none") d.error ??= `language not recognized: '${v}'`;
    },
  },
  { flag: "-Xclang", value: "separate", set: setCompilerWord },
  { flag: "-mllvm", value: "separate", set: ignore },
  {
    flag: "-emit-llvm",
    value: "none",
    set: (d) => {
      d.error ??=
        "'-emit-llvm' is not supported: bpfc has no LLVM IR; compile to an object with -c";
    },
  },
  { flag: "--version", value: "none", set: probe("version") },
  { flag: "-help", value: "none", set: probe("help") },
  { flag: "--help", value: "none", set: probe("help") },
  { flag: "-dumpversion", value: "none", set: probe("dumpversion") },
  { flag: "-dumpmachine", value: "none", set: probe("target-triple") },
  ...["-", "--"].flatMap((dash): OptionRow[] => [
    { flag: `${dash}print-targets`, value: "none", set: probe("print-targets") },
    { flag: `${dash}print-resource-dir`, value: "none", set: probe("resource-dir") },
    { flag: `${dash}print-search-dirs`, value: "none", set: probe("search-dirs") },
    { flag: `${dash}print-libgcc-file-name`, value: "none", set: probe("libgcc-file-name") },
    { flag: `${dash}print-multi-lib`, value: "none", set: probe("multi-lib") },
    { flag: `${dash}print-target-triple`, value: "none", set: probe("target-triple") },
    { flag: `${dash}print-effective-triple`, value: "none", set: probe("target-triple") },
    { flag: `${dash}print-supported-cpus`, value: "none", set: probe("cpu-help") },
    { flag: `${dash}print-file-name=`, value: "joined", set: probeFile },
    { flag: `${dash}print-prog-name=`, value: "joined", set: probeFile },
  ]),
  { flag: "-imacros", value: "either", set: push("forcedIncludes") },
  { flag: "-Xpreprocessor", value: "separate", set: (d, v) => applyWord(d, [v], 0) },
  { flag: "-target-feature", value: "none", set: ignore },
  { flag: "-Wp,", value: "joined", set: setPreprocessorWords },
  { flag: "-Wl,", value: "joined", set: ignore },
  { flag: "-Wa,", value: "joined", set: ignore },
  { flag: "-W", value: "joined", set: setWarning },
];

/** `-Xclang -target-feature -Xclang +alu32`: each word by itself. */
function setCompilerWord(draft: Draft, word: string): void {
  if (!/^[+-](?:alu32|dwarfris|solana|allows-misaligned-mem-access)$/.test(word))
    applyWord(draft, [word], 0);
}

/** `-Wp,-MD,file`: words for the preprocessor, whose `-MD` names its file. */
function setPreprocessorWords(draft: Draft, text: string): void {
  const words = text.split(",").flatMap((word, index, all) => {
    const namesFile = index > 0 && /^-MM?D$/.test(all[index - 1] ?? "");
    return namesFile ? ["-MF", word] : [word];
  });
  for (let index = 0; index < words.length; ) index += applyWord(draft, words, index);
}

function matchRow(word: string): OptionRow | undefined {
  return rows.find((row) =>
    row.value === "none" || row.value === "separate"
      ? word === row.flag
      : word.startsWith(row.flag),
  );
}

/** Applies the word at `index`; returns how many words were used. */
function applyWord(draft: Draft, words: readonly string[], index: number): number {
  const word = words[index] ?? "";
  if (word === "-" || !word.startsWith("-")) {
    draft.inputs.push(word);
    return 1;
  }
  const row = matchRow(word);
  if (row === undefined) {
    const count = acceptedWords(word);
    if (count === 0) draft.error ??= refusal(word);
    return Math.max(1, count);
  }
  const joined = word.slice(row.flag.length);
  const takesNext = row.value === "separate" || (row.value === "either" && joined === "");
  if (!takesNext) {
    row.set(draft, joined);
    return 1;
  }
  const next = words[index + 1];
  if (next === undefined) draft.error ??= `argument to '${row.flag}' is missing (expected 1 value)`;
  else row.set(draft, next);
  return 2;
}

const targets: Readonly<Record<string, CcOptions["endian"] | undefined>> = {
  bpf: "little",
  bpfel: "little",
  bpfeb: "big",
};

function applyTarget(draft: Draft): void {
  if (draft.target === "") return;
  const architecture = draft.target.split("-")[0] ?? "";
  const endian = targets[architecture];
  if (endian !== undefined) {
    draft.options.endian = endian;
    return;
  }
  const asksHost = draft.options.output === "preprocess" || draft.options.output === "macros";
  if (!asksHost) {
    draft.error ??= `unsupported target '${draft.target}': bpfc compiles for bpf, bpfel and bpfeb`;
  }
}

function newDraft(): Draft {
  return {
    options: {
      inputs: [],
      output: "object",
      cpu: "v3",
      endian: "little",
      optimize: "2",
      debug: true,
      strictAlign: false,
      quoteDirs: [],
      includeDirs: [],
      systemDirs: [],
      afterDirs: [],
      noStandardIncludes: false,
      macros: [],
      forcedIncludes: [],
      warnings: [],
      suppressWarnings: false,
      msExtensions: false,
      strictAliasing: true,
      freestanding: false,
      unsignedChar: false,
      shortEnums: false,
      errorLimit: 20,
      prefixMaps: [],
      diagnosticsFormat: "clang",
      color: "auto",
      verify: false,
      verbose: false,
      sourceMapContent: false,
      lineMarkers: true,
      gnuLanguage: "gnu17",
    },
    inputs: [],
    macros: [],
    warnings: [],
    dependencies: { wanted: false, targets: [] },
    target: "",
    unknownWarnings: [],
  };
}

function finishDependencies(draft: Draft): DependencyOptions | undefined {
  const { wanted, userHeadersOnly, phonyTargets, file, targets: names } = draft.dependencies;
  if (!wanted) return undefined;
  return {
    userHeadersOnly: userHeadersOnly ?? false,
    phonyTargets: phonyTargets ?? false,
    targets: names,
    ...(file !== undefined && { file }),
  };
}

/** Reads a clang command line (without the program's name). */
export function parseCcArguments(words: readonly string[]): ParsedCommandLine {
  const draft = newDraft();
  for (let index = 0; index < words.length; ) index += applyWord(draft, words, index);
  if (draft.error === undefined) applyTarget(draft);
  if (draft.options.sourceMap !== undefined && draft.options.output !== "assembly")
    draft.error ??= "'--source-map' needs '-S': only assembly text has lines to map";
  if (draft.error !== undefined) return { kind: "error", message: draft.error };
  if (draft.probe !== undefined)
    return { kind: "probe", probe: draft.probe, target: draft.target || "bpf" };
  const isVerboseProbe = draft.options.verbose && draft.inputs.length === 0;
  if (draft.inputs.length === 0 && !isVerboseProbe)
    return { kind: "error", message: "no input files" };
  if (draft.options.outputFile !== undefined && draft.inputs.length > 1) {
    return { kind: "error", message: "cannot specify -o when generating multiple output files" };
  }
  const dependencies = finishDependencies(draft);
  return {
    kind: "compile",
    warnings: draft.unknownWarnings,
    options: {
      ...draft.options,
      inputs: draft.inputs,
      macros: draft.macros,
      warnings: draft.warnings,
      ...(dependencies && { dependencies }),
    },
  };
}
