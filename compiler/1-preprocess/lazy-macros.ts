/**
 * Macros of the target, defined when their names are met: a program uses a handful of 350, and
 * defining them all took a noticeable part of a small compilation.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { Identifier } from "./identifiers.ts";
import type { Session } from "./session.ts";

const UNDERSCORE = 95;
const directive = "#define ";

/** Where each name of a text of `#define NAME BODY` lines starts. */
function namePlaces(text: string): ReadonlyMap<string, number> {
  const places = new Map<string, number>();
  for (let line = 0; line < text.length; ) {
    const start = line + directive.length;
    const lineEnd = text.indexOf("\n", start);
    // Where the body is empty the line ends with the name.
    const space = text.indexOf(" ", start);
    const end = space < 0 || space > lineEnd ? lineEnd : space;
    places.set(text.slice(start, end), start);
    line = lineEnd + 1;
  }
  return places;
}

export class LazyMacros {
  readonly #file: SourceFile;
  readonly #session: Session;
  readonly #places: ReadonlyMap<string, number>;

  /** `file` has lines `#define NAME BODY` alone, of names that start with an underscore. */
  constructor(file: SourceFile, session: Session) {
    this.#file = file;
    this.#session = session;
    this.#places = namePlaces(file.text);
    session.identifiers.onNew = (identifier) => {
      if (identifier.text.charCodeAt(0) !== UNDERSCORE) return;
      const start = this.#places.get(identifier.text);
      if (start !== undefined) this.#define(identifier, start);
    };
  }

  #define(identifier: Identifier, start: number): void {
    const end = start + identifier.text.length;
    const span = { file: this.#file, start, end };
    this.#session.define(identifier, false, span, end, this.#file.text.indexOf("\n", end));
  }

  /** Defines what is left, for the text splitter has to know every macro. */
  defineAll(): void {
    const { identifiers } = this.#session;
    if (identifiers.onNew === undefined) return;
    for (const name of this.#places.keys()) identifiers.get(name);
    identifiers.onNew = undefined;
  }
}
