/** What `#pragma GCC diagnostic` did to warnings at a place. */
import type { WarningState } from "../../common/diagnostics/source.ts";

export type { WarningState } from "../../common/diagnostics/source.ts";

/** The state with one warning or group set anew; later ones count more. */
export function withWarning(
  state: WarningState | undefined,
  name: string,
  level: "ignored" | "warning" | "error",
): WarningState {
  const others = [...(state ?? [])].filter(([other]) => other !== name);
  return new Map([...others, [name, level]]);
}
