/**
 * The pipeline: C text → object, one call per phase and nothing else. It stops between phases where
 * there are errors.
 */
import type { AsmModule } from "../assembler/asm-module.ts";
import { assemble } from "../assembler/assemble.ts";
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { FileSystem } from "../common/file-system.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import type { PreprocessOptions } from "./1-preprocess/options.ts";
import { preprocess } from "./1-preprocess/preprocess.ts";
import type { PreprocessedUnit } from "./1-preprocess/stream.ts";
import type { TranslationUnit } from "./2-parse/ast.ts";
import { parseTranslationUnit } from "./2-parse/parse.ts";
import { checkTranslationUnit } from "./3-check/check.ts";
import type { CheckedUnit } from "./3-check/checked.ts";
import type { IrModule } from "./4-lower/ir.ts";
import { lowerUnit } from "./4-lower/lower.ts";
import { optimizeModule } from "./5-optimize/passes.ts";
import { ModuleTypes } from "./8-emit/btf.ts";
import { emitModule } from "./8-emit/emit.ts";
import type { FunctionStats } from "./8-emit/stats.ts";
import { shippedHeaderDirectory } from "./shipped-header-directory.ts";
import { withShippedHeaders } from "./shipped-header-files.ts";
import { type WarningOption, warningPolicy } from "./warning-options.ts";

export interface CompileOptions extends PreprocessOptions {
  /** Rewrites the paths that line info records, e.g. `-fdebug-prefix-map`. */
  readonly mapPath?: (path: string) => string;
  /** Counts what the functions cost. */
  readonly stats?: boolean;
  /** `-W…` in the order given, and `-w`. */
  readonly warnings?: readonly WarningOption[];
  readonly suppressWarnings?: boolean;
  /** -fms-extensions: `struct tag;` inside a record embeds its members. */
  readonly msExtensions?: boolean;
  /** -fno-strict-aliasing is false: accesses of different types may be to the same memory. */
  readonly strictAliasing?: boolean;
  /** -funsigned-char, -fshort-enums. */
  readonly unsignedChar?: boolean;
  readonly shortEnums?: boolean;
  /** -ftrivial-auto-var-init: the byte that local variables hold which are not initialised. */
  readonly autoInit?: number;
}

/** The forms of the program that were reached; the later ones are missing after errors. */
export interface Compilation {
  readonly preprocessed?: PreprocessedUnit;
  readonly syntax?: TranslationUnit;
  readonly checked?: CheckedUnit;
  /** After optimisation. */
  readonly ir?: IrModule;
  readonly assembly?: AsmModule;
  /** What the functions cost, where asked for. */
  readonly stats?: readonly FunctionStats[];
  readonly object?: ObjectFile;
}

/** How far to compile. */
export type CompileGoal = "preprocessed" | "syntax" | "checked" | "ir" | "assembly" | "object";

const goals: readonly CompileGoal[] = [
  "preprocessed",
  "syntax",
  "checked",
  "ir",
  "assembly",
  "object",
];

/** Compiles one file as far as `goal`. Headers that ship with bpfc are found before `standardDirectories`. */
export function compile(
  path: string,
  options: CompileOptions,
  fileSystem: FileSystem,
  diagnostics: Diagnostics,
  goal: CompileGoal = "object",
): Compilation {
  try {
    return compilePhases(path, options, fileSystem, diagnostics, goal);
  } catch (error) {
    // Types and expressions are walked by recursion; some nest deeper than any stack.
    if (!(error instanceof RangeError) || !error.message.includes("call stack")) throw error;
    diagnostics.error("nesting", `types or expressions of '${path}' are nested too deeply`);
    return {};
  }
}

function compilePhases(
  path: string,
  options: CompileOptions,
  fileSystem: FileSystem,
  diagnostics: Diagnostics,
  goal: CompileGoal,
): Compilation {
  const wants = (form: CompileGoal): boolean =>
    goals.indexOf(form) <= goals.indexOf(goal) && !diagnostics.hasErrors;
  diagnostics.policy ??= warningPolicy(options.warnings ?? [], options.suppressWarnings ?? false);
  const standardDirectories = [shippedHeaderDirectory, ...options.standardDirectories];
  const files = withShippedHeaders(fileSystem);
  const preprocessed = preprocess(path, { ...options, standardDirectories }, files, diagnostics);
  if (preprocessed === undefined || goal === "preprocessed")
    return { ...(preprocessed && { preprocessed }) };
  // Syntax errors do not stop the checker's messages about the rest of the file.
  const syntax = parseTranslationUnit(preprocessed, diagnostics);
  if (goal === "syntax") return { preprocessed, syntax };
  const { msExtensions = false, unsignedChar = false, shortEnums = false } = options;
  const language = { ...options.target, msExtensions, unsignedChar, shortEnums };
  const checked = checkTranslationUnit(syntax, language, diagnostics);
  if (checked === undefined || !wants("ir"))
    return { preprocessed, syntax, ...(checked && { checked }) };
  const { debugInfo, mapPath, autoInit } = options;
  const ir = lowerUnit(checked, options.target, diagnostics, {
    debugInfo,
    strictAliasing: (options.strictAliasing ?? true) && options.optimization !== "0",
    ...(mapPath && { mapPath }),
    ...(autoInit !== undefined && { autoInit }),
  });
  if (!diagnostics.hasErrors) {
    optimizeModule(ir, { level: options.optimization, target: options.target }, diagnostics);
  }
  if (!wants("assembly")) return { preprocessed, syntax, checked, ir };
  const types = options.debugInfo ? new ModuleTypes(checked, ir) : undefined;
  const stats: FunctionStats[] | undefined = options.stats ? [] : undefined;
  const assembly = emitModule(ir, types, options.target, diagnostics, stats);
  const result = { preprocessed, syntax, checked, ir, assembly, ...(stats && { stats }) };
  if (!wants("object")) return result;
  const object = assemble(assembly, diagnostics);
  return { ...result, ...(object && { object }) };
}
