/**
 * Phase 2: tokens → syntax tree. The user's own file is parsed whole and in order; header
 * declarations when the checker asks for one of their names.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { HeaderDeclarations, PreprocessedUnit } from "../1-preprocess/stream.ts";
import { tokenSpan } from "../1-preprocess/token.ts";
import type { DeclarationIndex, PlainEnumerator, TranslationUnit, UnitDeclaration } from "./ast.ts";
import { CParser } from "./c-parser.ts";
import { plainEnumerator } from "./plain-enumerator.ts";
import type { TypeNameOracle } from "./scopes.ts";

/** Parses a preprocessed unit. Declarations in headers report their errors when they are reached. */
export function parseTranslationUnit(
  unit: PreprocessedUnit,
  diagnostics: Diagnostics,
): TranslationUnit {
  const parser = sharedParser();
  const headers = new HeaderIndex(unit.headers, parser, diagnostics);
  const declarations: UnitDeclaration[] = [];
  let headersBefore = 0;
  parser.parse(
    unit.run,
    diagnostics,
    headers.oracleOfMain(() => headersBefore),
    (declaration, first) => {
      declarations.push({ ordinal: first + headersBefore, declaration });
    },
    (first) => {
      headersBefore = unit.headers.countUpTo(first, headersBefore);
    },
  );
  const end = tokenSpan(unit.run.tokens.at(-1)!);
  return { path: unit.main.path, declarations, index: headers, end };
}

let parserInstance: CParser | undefined;

/** One parser serves all units: building it costs more than parsing a small program. */
function sharedParser(): CParser {
  parserInstance ??= new CParser();
  return parserInstance;
}

/** A name of the user's own file at file scope. */
interface MainName {
  readonly isTypedef: boolean;
  readonly ordinal: number;
}

class HeaderIndex implements DeclarationIndex {
  readonly #headers: HeaderDeclarations;
  readonly #parser: CParser;
  readonly #diagnostics: Diagnostics;
  readonly #parsed = new Map<number, readonly UnitDeclaration[]>();
  readonly #mainNames = new Map<string, MainName>();
  #unconditional: readonly UnitDeclaration[] | undefined;

  constructor(headers: HeaderDeclarations, parser: CParser, diagnostics: Diagnostics) {
    this.#headers = headers;
    this.#parser = parser;
    this.#diagnostics = diagnostics;
  }

  ordinary(name: string): readonly UnitDeclaration[] {
    return this.#all(name, false);
  }

  tag(name: string): readonly UnitDeclaration[] {
    return this.#all(name, true);
  }

  enumerator(name: string): PlainEnumerator | undefined {
    const [entry, ...others] = this.#headers.lookup(name);
    if (entry?.kind !== "enumerator" || others.length > 0) return undefined;
    if (this.#parsed.has(entry.declaration)) return undefined;
    const text = this.#headers.text(entry.declaration);
    const found = text && plainEnumerator(text, name);
    if (found === undefined) return undefined;
    const { value, start } = found;
    const span = { file: text!.file, start, end: start + name.length };
    return { value, span, ordinal: this.#ordinal(entry.declaration) };
  }

  recordTag(name: string): "struct" | "union" | undefined {
    // What only mentions the tag, as a member's type does, tells no more than the declarations do.
    const plain = this.#headers.lookup(name).filter((entry) => entry.record !== undefined);
    const record = plain[0]?.record;
    const agree = plain.every((entry) => {
      return entry.record === record && !this.#parsed.has(entry.declaration);
    });
    return agree ? record : undefined;
  }

  unconditional(): readonly UnitDeclaration[] {
    if (this.#unconditional !== undefined) return this.#unconditional;
    this.#unconditional = this.#headers.unconditional.flatMap((index) => this.#parse(index));
    return this.#unconditional;
  }

  #all(name: string, isTag: boolean): readonly UnitDeclaration[] {
    const entries = this.#headers.lookup(name);
    if (entries.length === 0) return [];
    const matching = entries.filter((entry) => (entry.kind === "tag") === isTag);
    const numbers = new Set(matching.map((entry) => entry.declaration));
    return [...numbers].flatMap((number) => this.#parse(number));
  }

  #ordinal(index: number): number {
    return this.#headers.mainIndex(index) + index;
  }

  #parse(index: number): readonly UnitDeclaration[] {
    const known = this.#parsed.get(index);
    if (known !== undefined) return known;
    const list: UnitDeclaration[] = [];
    this.#parsed.set(index, list);
    const ordinal = this.#ordinal(index);
    const oracle: TypeNameOracle = {
      isTypeName: (name) => this.#isTypeName(name, index, ordinal),
      declare: () => undefined,
    };
    this.#parser.parse(this.#headers.run(index), this.#diagnostics, oracle, (declaration) => {
      list.push({ ordinal, declaration });
    });
    return list;
  }

  /** The view of the main file: `headersBefore` header declarations are behind it. */
  oracleOfMain(headersBefore: () => number): TypeNameOracle {
    return {
      isTypeName: (name) => this.#isTypeName(name, headersBefore(), Number.POSITIVE_INFINITY),
      declare: (name, isTypedef) => {
        if (this.#mainNames.get(name)?.isTypedef === isTypedef) return;
        this.#mainNames.set(name, { isTypedef, ordinal: headersBefore() });
      },
    };
  }

  /** `before`: header declarations from this one on are not visible. */
  #isTypeName(name: string, before: number, ordinal: number): boolean {
    const last = this.#headers
      .lookup(name)
      .findLast((entry) => entry.kind !== "tag" && entry.declaration < before);
    if (last !== undefined) return last.kind === "typedef";
    const own = this.#mainNames.get(name);
    return own?.isTypedef === true && own.ordinal <= ordinal;
  }
}
