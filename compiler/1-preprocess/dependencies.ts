/** Makefile rules for `-MD`, `-MM`, `-MP` in clang's layout. */
import type { PreprocessedUnit } from "./stream.ts";

export interface DependencyOptions {
  /** `-MT` as given, `-MQ` quoted by the driver, or the object's path. */
  readonly targets: readonly string[];
  /** `-MM`, `-MMD`: leave system headers out. */
  readonly userOnly: boolean;
  /** `-MP`: a rule without prerequisites for each header. */
  readonly phony: boolean;
  /** Files under this prefix ship with the compiler and are not listed: they have no path. */
  readonly builtinPrefix?: string;
}

const MAX_COLUMNS = 75;

/** The rule(s) as text. */
export function printDependencies(unit: PreprocessedUnit, options: DependencyOptions): string {
  const files = unit.dependencies
    .filter((file) => !(options.userOnly && file.isSystem))
    .map((file) => file.path.replace(/^\.\//, ""))
    .filter(
      (path) => options.builtinPrefix === undefined || !path.startsWith(options.builtinPrefix),
    );
  let text = `${options.targets.join(" ")}:`;
  let column = text.length;
  for (const path of files) {
    const quoted = quotePath(path);
    if (column + quoted.length + 1 > MAX_COLUMNS) {
      text += " \\\n ";
      column = 2;
    }
    text += ` ${quoted}`;
    column += quoted.length + 1;
  }
  text += "\n";
  if (options.phony) for (const path of files.slice(1)) text += `${quotePath(path)}:\n`;
  return text;
}

/** As make reads it: blanks and `#` escaped by a backslash, `$` doubled. */
export function quotePath(path: string): string {
  return path.replace(/[ #]/g, "\\$&").replace(/\$/g, "$$$$");
}
