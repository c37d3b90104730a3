/**
 * Which warnings are kept: clang's `-W` names, groups, `-Werror`, and the pragmas that change them
 * for a part of a file. This is the only place that decides it.
 */
import type { Diagnostic, DiagnosticPolicy } from "../common/diagnostics/diagnostic.ts";
import { isSystemPlace, type Span, type WarningState } from "../common/diagnostics/source.ts";
import { clangWarningNames } from "./generated/warning-names.ts";
import { offByDefault, warningGroups } from "./warning-groups.ts";

export interface WarningOption {
  /** The name after `-W` or `-Wno-`. */
  readonly name: string;
  readonly state: "on" | "off" | "error" | "no-error";
}

/** Every warning or group that `name` stands for, itself included. */
function membersOf(name: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const member of warningGroups[name] ?? []) membersOf(member, seen);
  return seen;
}

const closures = new Map<string, ReadonlySet<string>>();

function covers(name: string, code: string): boolean {
  if (name === code || name === "everything") return true;
  if (warningGroups[name] === undefined) return false;
  const members = closures.get(name) ?? membersOf(name);
  closures.set(name, members);
  return members.has(code);
}

/** Whether `-W<name>` is one that clang has; others give -Wunknown-warning-option. */
export function isKnownWarning(name: string): boolean {
  if (["error", "everything", ""].includes(name)) return true;
  if (warningGroups[name] !== undefined || offByDefault.has(name)) return true;
  return clangWarningNames.split(/\s/).includes(name);
}

type Level = "ignored" | "warning" | "error";

/** What the command line makes of one warning; `mayFail`: a -Werror without a name counts for it. */
interface Setting {
  readonly level: Level;
  readonly mayFail: boolean;
}

function settingOf(code: string, isDefaultError: boolean, options: readonly WarningOption[]) {
  let level: Level = isDefaultError ? "error" : offByDefault.has(code) ? "ignored" : "warning";
  let mayFail = true;
  for (const { name, state } of options) {
    if (!covers(name, code)) continue;
    if (state === "off") level = "ignored";
    // -Wname brings back what was off, and leaves errors as they are.
    else if (state === "on" && level === "ignored") level = isDefaultError ? "error" : "warning";
    else if (state === "error") [level, mayFail] = ["error", true];
    else if (state === "no-error") {
      mayFail = false;
      if (level === "error") level = "warning";
    }
  }
  return { level, mayFail };
}

function withPragmas(code: string, level: Level, state: WarningState | undefined): Level {
  let result = level;
  for (const [name, wanted] of state ?? []) {
    if (!covers(name, code)) continue;
    result = wanted;
  }
  return result;
}

/** Written in a system header, or by a macro of one. */
function inSystemHeader(span: Span): boolean {
  if (isSystemPlace(span.file, span.start)) return true;
  return span.expandedFrom !== undefined && inSystemHeader(span.expandedFrom);
}

/** Warnings about what a program says in messages of its own are shown in system headers too. */
const shownInSystemHeaders = new Set(["#warnings", "#pragma-messages"]);

/** What becomes of diagnostics under a command line's options. */
export function warningPolicy(
  options: readonly WarningOption[],
  suppressWarnings: boolean,
): DiagnosticPolicy {
  const settings = new Map<string, Setting>();
  const general = options.findLast((option) => option.name === "error")?.state === "on";
  const named = options.filter((option) => option.name !== "error");
  const levelOf = (code: string, isDefaultError: boolean, span: Span | undefined): Level => {
    const key = isDefaultError ? `${code}!` : code;
    const setting = settings.get(key) ?? settingOf(code, isDefaultError, named);
    settings.set(key, setting);
    const level = withPragmas(code, setting.level, span?.warnings);
    if (suppressWarnings && (!isDefaultError || level === "warning")) return "ignored";
    if (level !== "warning") return level;
    return general && setting.mayFail ? "error" : level;
  };
  return {
    isOn: (code, span) => levelOf(code, false, span) !== "ignored",
    apply(diagnostic) {
      const { code, severity, span, defaultError = false } = diagnostic;
      if (severity === "note" || (severity === "error" && !defaultError)) return diagnostic;
      const isQuiet = !defaultError && span !== undefined && inSystemHeader(span);
      if (isQuiet && !shownInSystemHeaders.has(code)) return undefined;
      const level = levelOf(code, defaultError, span);
      if (level === "ignored") return undefined;
      return withLevel(diagnostic, level);
    },
  };
}

function withLevel(diagnostic: Diagnostic, level: "warning" | "error"): Diagnostic {
  const { defaultError, ...rest } = diagnostic;
  if (level === "warning") return { ...rest, severity: level };
  if (defaultError === true) return diagnostic;
  return { ...rest, severity: level, promoted: true };
}
