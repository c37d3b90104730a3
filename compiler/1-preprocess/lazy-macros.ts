/**
 * Macros of the target and of the headers that ship with us, defined when their names are met: a
 * program uses a handful of them, and defining them all took a noticeable part of a small compilation.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { MacroBlock } from "./header-index.ts";
import type { Identifier } from "./identifiers.ts";
import type { Session } from "./session.ts";

const UNDERSCORE = 95;
const PARENTHESIS = 40;
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

/** A row of macro definitions that was read. */
interface Definitions {
  readonly file: SourceFile;
  readonly block: MacroBlock;
}

export class LazyMacros {
  readonly #file: SourceFile;
  readonly #session: Session;
  readonly #places: ReadonlyMap<string, number>;
  /** By the names that they define and that nothing has met yet. */
  readonly #waiting = new Map<string, Definitions>();

  /** `file` has lines `#define NAME BODY` alone, of names that start with an underscore. */
  constructor(file: SourceFile, session: Session) {
    this.#file = file;
    this.#session = session;
    this.#places = namePlaces(file.text);
    session.identifiers.onNew = (identifier) => {
      const waiting = this.#waiting.get(identifier.text);
      if (waiting !== undefined) {
        this.#defineIn(waiting, identifier);
        return;
      }
      if (identifier.text.charCodeAt(0) !== UNDERSCORE) return;
      const start = this.#places.get(identifier.text);
      const end = start && this.#file.text.indexOf("\n", start);
      if (start !== undefined) this.#define(identifier, this.#file, start, end!);
    };
  }

  /** Carries out a header's row of definitions. */
  add(file: SourceFile, block: MacroBlock): void {
    const { identifiers } = this.#session;
    const definitions = { file, block };
    for (const name of block.names) {
      if (identifiers.onNew !== undefined && !identifiers.has(name))
        this.#waiting.set(name, definitions);
      else this.#defineIn(definitions, identifiers.get(name));
    }
  }

  #defineIn({ file, block }: Definitions, identifier: Identifier): void {
    const { names, places } = block;
    const at = names.lastIndexOf(identifier.text) * 2;
    this.#define(identifier, file, places[at]!, places[at + 1]!);
  }

  /** `start` is the name's, `end` the line's. */
  #define(identifier: Identifier, file: SourceFile, start: number, end: number): void {
    const session = this.#session;
    const nameEnd = start + identifier.text.length;
    const span = { file, start, end: nameEnd };
    const isFunctionLike = file.text.charCodeAt(nameEnd) === PARENTHESIS;
    if (identifier.poisoned)
      session.error("poisoned-identifier", "attempt to use a poisoned identifier", span);
    session.define(identifier, isFunctionLike, span, nameEnd, end);
  }

  /** Defines what is left, for the text splitter has to know every macro. */
  defineAll(): void {
    const { identifiers } = this.#session;
    if (identifiers.onNew === undefined) return;
    for (const name of this.#places.keys()) identifiers.get(name);
    for (const name of this.#waiting.keys()) identifiers.get(name);
    identifiers.onNew = undefined;
  }
}
