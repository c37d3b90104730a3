/** What the driver asks of the preprocessor. */
import type { IncludeOptions } from "./include-search.ts";
import type { PredefinedOptions } from "./predefined.ts";

/** `-D name[=value]` or `-U name`, in command-line order. */
export type MacroOption =
  | { readonly kind: "define"; readonly text: string }
  | { readonly kind: "undefine"; readonly name: string };

export interface PreprocessOptions extends PredefinedOptions, IncludeOptions {
  readonly macros: readonly MacroOption[];
  /** `-include`: files read before the main one, found like `#include "…"`. */
  readonly includes: readonly string[];
  /**
   * True for compiling: header declarations are split off and indexed. False for `-E`: all tokens
   * come in one run, with the layout.
   */
  readonly indexHeaders: boolean;
  /** `__DATE__` and `__TIME__` as `Mmm dd yyyy` and `hh:mm:ss`; fixed unless given. */
  readonly date?: string;
  readonly time?: string;
}

/** Everything at its default, for `-mcpu=v3 -O2 -g -std=gnu17` with no directories. */
export const defaultPreprocessOptions: PreprocessOptions = {
  target: { endian: "little", cpu: "v3", strictAlign: false },
  optimization: "2",
  debugInfo: true,
  standard: "gnu17",
  quoteDirectories: [],
  directories: [],
  systemDirectories: [],
  standardDirectories: [],
  afterDirectories: [],
  macros: [],
  includes: [],
  indexHeaders: true,
};
