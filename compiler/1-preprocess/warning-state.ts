/** What `#pragma GCC diagnostic` did to warnings at a place. */
import type { Diagnostic } from "../../common/diagnostics/diagnostic.ts";
import type { WarningState } from "../../common/diagnostics/source.ts";

export type { WarningState } from "../../common/diagnostics/source.ts";

/** The state with one warning group set anew. */
export function withWarning(
  state: WarningState | undefined,
  name: string,
  level: "ignored" | "warning" | "error",
): WarningState {
  return new Map([...(state ?? []), [name, level]]);
}

/**
 * Applies the pragmas in force where each diagnostic stands: drops ignored warnings and raises those
 * that were made errors. Errors and notes are not touched.
 */
export function applyWarningPragmas(list: readonly Diagnostic[]): Diagnostic[] {
  return list.flatMap((diagnostic) => {
    const level = diagnostic.span?.warnings?.get(diagnostic.code);
    if (diagnostic.severity !== "warning" || level === undefined) return [diagnostic];
    if (level === "ignored") return [];
    return [level === "error" ? { ...diagnostic, severity: "error" as const } : diagnostic];
  });
}
