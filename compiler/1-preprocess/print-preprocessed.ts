/** `-E` and `-dM`. */
import { presumedPlace } from "../../common/diagnostics/source.ts";
import { macroOf } from "./macro.ts";
import type { LayoutEvent, PreprocessedUnit } from "./stream.ts";
import { LEADING_SPACE, LINE_START, type Token } from "./token.ts";
import { endOfFile } from "./token-types.ts";

/** `#define` lines for every macro that is defined at the end, as `-dM -E` prints them. */
export function printMacros(unit: PreprocessedUnit): string {
  const lines: string[] = [];
  for (const identifier of unit.identifiers) {
    const macro = macroOf(identifier);
    if (macro !== undefined && macro.dynamic === undefined) lines.push(`#define ${macro}\n`);
  }
  return lines.sort().join("");
}

/** The unit as text again; with line markers unless `-P`. */
export function printPreprocessed(unit: PreprocessedUnit, lineMarkers: boolean): string {
  return new Printer(unit, lineMarkers).run();
}

/** A gap of fewer lines than this is written as empty lines, not as a marker. */
const MAX_BLANK_LINES = 8;

class Printer {
  readonly #unit: PreprocessedUnit;
  readonly #lineMarkers: boolean;
  readonly #parts: string[] = [];
  #file = "";
  #line = 1;
  #atLineStart = true;

  constructor(unit: PreprocessedUnit, lineMarkers: boolean) {
    this.#unit = unit;
    this.#lineMarkers = lineMarkers;
  }

  run(): string {
    const { run, layout } = this.#unit;
    let next = 0;
    run.tokens.forEach((token, index) => {
      for (; layout[next] !== undefined && layout[next]!.index <= index; next += 1)
        this.#event(layout[next]!);
      if (token.tokenType !== endOfFile) this.#token(token, run.tokens[index - 1]);
    });
    this.#newline();
    return this.#parts.join("");
  }

  #newline(): void {
    if (this.#atLineStart) return;
    this.#parts.push("\n");
    this.#line += 1;
    this.#atLineStart = true;
  }

  #marker(path: string, line: number, flag: string): void {
    this.#newline();
    this.#file = path;
    this.#line = line;
    if (this.#lineMarkers) this.#parts.push(`# ${line} "${path}"${flag}\n`);
  }

  #event(event: LayoutEvent): void {
    if (event.kind === "pragma") {
      this.#newline();
      this.#parts.push(`#pragma ${event.text}\n`);
      this.#line += 1;
      return;
    }
    if (event.kind === "line") {
      const { path, line, change, isSystem } = event.marker;
      const flag = change === undefined ? "" : change === "enter" ? " 1" : " 2";
      this.#marker(path, line, flag + (isSystem ? " 3" : ""));
      return;
    }
    const system = event.file.isSystem ? " 3" : "";
    if (event.kind === "enter") {
      this.#marker(event.file.path, 1, this.#file === "" ? "" : ` 1${system}`);
      return;
    }
    const { path, line } = presumedPlace(event.file, event.line);
    this.#marker(path, line + 1, ` 2${system}`);
  }

  #token(token: Token, previous: Token | undefined): void {
    let span = { file: token.file, start: token.startOffset };
    for (let place = token.expandedFrom; place !== undefined; place = place.expandedFrom)
      span = { file: place.file, start: place.start };
    const { line, column } = presumedPlace(span.file, span.start);
    if ((token.flags & LINE_START) !== 0) this.#moveTo(line, column);
    else if ((token.flags & LEADING_SPACE) !== 0) this.#parts.push(" ");
    else if (previous !== undefined && !this.#atLineStart && wouldJoin(previous.image, token.image))
      this.#parts.push(" ");
    this.#parts.push(token.image);
    this.#atLineStart = false;
  }

  #moveTo(line: number, column: number): void {
    this.#newline();
    const gap = line - this.#line;
    if (gap !== 0 && this.#lineMarkers) {
      if (gap > 0 && gap <= MAX_BLANK_LINES) this.#parts.push("\n".repeat(gap));
      else this.#parts.push(`# ${line} "${this.#file}"\n`);
    }
    this.#line = line;
    this.#parts.push(" ".repeat(Math.min(column - 1, 100)));
  }
}

/** True where two tokens written side by side would be read as something else. */
function wouldJoin(left: string, right: string): boolean {
  const last = left.at(-1) ?? "";
  const first = right[0] ?? "";
  const isWord = /[\w$.]|\P{ASCII}/u;
  if (isWord.test(last) && isWord.test(first)) return true;
  if (last === first && "+-<>&|=#.:".includes(first)) return true;
  if (/[eEpP]$/.test(left) && /^[0-9.]/.test(left) && (first === "+" || first === "-")) return true;
  if (first === "=" && "+-*/%<>=!&|^".includes(last)) return true;
  if (/^(?:L|u8?|U)$/.test(left) && (first === '"' || first === "'")) return true;
  return (last === "-" && first === ">") || (last === "/" && (first === "/" || first === "*"));
}
