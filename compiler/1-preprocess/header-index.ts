/**
 * What the text splitter would find in a header that ships with us, found when it was embedded:
 * reading those headers anew took a fifth of a small compilation.
 *
 * A run is a row of declarations, maybe none, up to a directive, or up to a declaration with a word
 * that any shipped header, the target or the language defines as a macro. It holds wherever no other
 * macro has the name of a word in it.
 */

import type { HeaderNames } from "./header-names.ts";

/** Definitions of macros that follow each other, in their usual form. */
export interface MacroBlock {
  /** Where the first directive starts, and where the last one's line ends. */
  readonly start: number;
  readonly end: number;
  readonly names: readonly string[];
  /** Of each where its name starts and its line ends. */
  readonly places: readonly number[];
}

/** Plain data, as it is kept in JSON. All numbers but counts are UTF-16 offsets in the header. */
export interface HeaderIndexData {
  /** The header's number in {@link HeaderNames}. */
  readonly header: number;
  /** {@link RUN_SIZE} numbers a run, in order of place. */
  readonly runs: readonly number[];
  /** Start and end of each declaration. */
  readonly declarations: readonly number[];
  /** Declarations that have an effect though no name reaches them. */
  readonly unconditional: readonly number[];
  /** In order of place. */
  readonly macros: readonly MacroBlock[];
}

export interface HeaderIndex extends HeaderIndexData {
  /** One for all headers. */
  readonly names: HeaderNames;
}

// A run's numbers: where reading may start to be in it, where the next thing starts, whether that is
// a directive, and which declarations it has.
export const RUN_ENTRY = 0;
export const RUN_NEXT = 1;
export const RUN_DIRECTIVE = 2;
export const RUN_FIRST = 3;
export const RUN_COUNT = 4;
export const RUN_SIZE = 5;

/** Follows one header while it is read, from its start to its end. */
export class IndexReader {
  readonly index: HeaderIndex;
  readonly #text: string;
  /** Names of macros that the index does not know of, in order of definition. */
  readonly #foreign: readonly string[];
  /** No run before this one is left. */
  #at = 0;
  #nextMacros = 0;
  #seen = 0;
  readonly #suspects: string[] = [];

  constructor(index: HeaderIndex, text: string, foreign: readonly string[]) {
    this.index = index;
    this.#text = text;
    this.#foreign = foreign;
  }

  /** The run in which reading goes on at a position, as its offset in `runs`; -1 where none holds. */
  run(position: number): number {
    const { runs } = this.index;
    let at = this.#at;
    while (at < runs.length && runs[at + RUN_NEXT]! < position) at += RUN_SIZE;
    this.#at = at;
    const isKnown = at < runs.length && runs[at + RUN_ENTRY]! <= position;
    return isKnown && (runs[at + RUN_COUNT] === 0 || !this.#isTouched(at)) ? at : -1;
  }

  /** The directive at which reading from a position arrives, where no declaration stands before it. */
  nextDirective(position: number): number | undefined {
    const { runs } = this.index;
    const run = this.run(position);
    const isDirective = run >= 0 && runs[run + RUN_COUNT] === 0 && runs[run + RUN_DIRECTIVE] === 1;
    return isDirective ? runs[run + RUN_NEXT] : undefined;
  }

  /** The definitions of macros that start at a position; positions do not go back. */
  macros(position: number): MacroBlock | undefined {
    const { macros } = this.index;
    while (this.#nextMacros < macros.length && macros[this.#nextMacros]!.start < position)
      this.#nextMacros += 1;
    const block = macros[this.#nextMacros];
    return block?.start === position ? block : undefined;
  }

  /** The first declaration of a run behind a position; undefined where that is within one. */
  first(run: number, position: number): number | undefined {
    const { runs, declarations } = this.index;
    let declaration = runs[run + RUN_FIRST]!;
    const end = declaration + runs[run + RUN_COUNT]!;
    while (declaration < end && declarations[declaration * 2]! < position) {
      if (declarations[declaration * 2 + 1]! > position) return undefined;
      declaration += 1;
    }
    return declaration;
  }

  #isTouched(run: number): boolean {
    for (; this.#seen < this.#foreign.length; this.#seen += 1) {
      const name = this.#foreign[this.#seen]!;
      if (this.#text.includes(name)) this.#suspects.push(name);
    }
    const { runs } = this.index;
    return this.#suspects.some((name) => {
      const found = this.#text.indexOf(name, runs[run + RUN_ENTRY]!);
      return found >= 0 && found < runs[run + RUN_NEXT]!;
    });
  }
}
