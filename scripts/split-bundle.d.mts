export interface SplitBundle {
  readonly main: string;
  /** Text of a module by part: its export makes the definitions of the part from what they need. */
  readonly parts: Readonly<Record<string, string>>;
}

export interface Splitter {
  /** The bundle, telling `globalThis.noteUse(name)` whenever a definition is touched that may move. */
  readonly instrumented: string;
  /** Leaves what was touched in the main part. */
  split(touched: ReadonlySet<string>): SplitBundle;
}

/** For the text of a bundle that esbuild did not minify; `partOf` gives the part for a module's path. */
export function splitter(text: string, partOf: (module: string) => string): Splitter;
