/**
 * Macros of the target, defined when their names are met: a program uses a handful of 350, and
 * defining them all took a noticeable part of a small compilation.
 */
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { Identifier } from "./identifiers.ts";
import type { Session } from "./session.ts";

const UNDERSCORE = 95;
const directive = "#define ";

export class LazyMacros {
  readonly #file: SourceFile;
  readonly #session: Session;

  /** `file` has lines `#define NAME BODY` alone, of names that start with an underscore. */
  constructor(file: SourceFile, session: Session) {
    this.#file = file;
    this.#session = session;
    session.identifiers.onNew = (identifier) => {
      if (identifier.text.charCodeAt(0) === UNDERSCORE) this.#define(identifier);
    };
  }

  #define(identifier: Identifier): void {
    const { text } = this.#file;
    const line = directive + identifier.text;
    for (let at = text.indexOf(line); at >= 0; at = text.indexOf(line, at + 1)) {
      const end = at + line.length;
      // Where the body is empty the line ends with the name.
      if (text[end] !== " " && text[end] !== "\n") continue;
      const span = { file: this.#file, start: at + directive.length, end };
      this.#session.define(identifier, false, span, end, text.indexOf("\n", end));
      return;
    }
  }

  /** Defines what is left, for the text splitter has to know every macro. */
  defineAll(): void {
    const { identifiers } = this.#session;
    if (identifiers.onNew === undefined) return;
    const { text } = this.#file;
    for (const [, name = ""] of text.matchAll(/^#define (\w+)/gm)) identifiers.get(name);
    identifiers.onNew = undefined;
  }
}
