/**
 * Phase 2: tokens → syntax tree. The user's own file is parsed whole and in order; header
 * declarations when the checker asks for one of their names.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { DeclaredName, HeaderDeclaration, PreprocessedUnit } from "../1-preprocess/stream.ts";
import { tokenSpan } from "../1-preprocess/token.ts";
import type { DeclarationIndex, TranslationUnit, UnitDeclaration } from "./ast.ts";
import { CParser } from "./c-parser.ts";
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
      while ((unit.headers[headersBefore]?.mainIndex ?? Number.POSITIVE_INFINITY) <= first)
        headersBefore += 1;
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

interface Entry {
  readonly declaration: number;
  readonly kind: DeclaredName["kind"];
}

class HeaderIndex implements DeclarationIndex {
  readonly #headers: readonly HeaderDeclaration[];
  readonly #parser: CParser;
  readonly #diagnostics: Diagnostics;
  readonly #ordinary = new Map<string, Entry[]>();
  readonly #tags = new Map<string, Entry[]>();
  readonly #parsed: (readonly UnitDeclaration[] | undefined)[] = [];
  readonly #mainNames = new Map<string, MainName>();
  #unconditional: readonly UnitDeclaration[] | undefined;

  constructor(headers: readonly HeaderDeclaration[], parser: CParser, diagnostics: Diagnostics) {
    this.#headers = headers;
    this.#parser = parser;
    this.#diagnostics = diagnostics;
    headers.forEach((header, declaration) => {
      for (const { name, kind } of header.names) {
        const table = kind === "tag" ? this.#tags : this.#ordinary;
        const list = table.get(name);
        if (list === undefined) table.set(name, [{ declaration, kind }]);
        else list.push({ declaration, kind });
      }
    });
  }

  ordinary(name: string): readonly UnitDeclaration[] {
    return this.#all(this.#ordinary.get(name));
  }

  tag(name: string): readonly UnitDeclaration[] {
    return this.#all(this.#tags.get(name));
  }

  unconditional(): readonly UnitDeclaration[] {
    this.#unconditional ??= this.#headers.flatMap((header, index) =>
      header.unconditional ? this.#parse(index) : [],
    );
    return this.#unconditional;
  }

  #all(entries: readonly Entry[] | undefined): readonly UnitDeclaration[] {
    if (entries === undefined) return [];
    const numbers = new Set(entries.map((entry) => entry.declaration));
    return [...numbers].flatMap((number) => this.#parse(number));
  }

  #ordinal(index: number): number {
    return this.#headers[index]!.mainIndex + index;
  }

  #parse(index: number): readonly UnitDeclaration[] {
    const known = this.#parsed[index];
    if (known !== undefined) return known;
    const list: UnitDeclaration[] = [];
    this.#parsed[index] = list;
    const header = this.#headers[index]!;
    const ordinal = this.#ordinal(index);
    const oracle: TypeNameOracle = {
      isTypeName: (name) => this.#isTypeName(name, index, ordinal),
      declare: () => undefined,
    };
    this.#parser.parse(header.run(), this.#diagnostics, oracle, (declaration) => {
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
    const entries = this.#ordinary.get(name);
    if (entries !== undefined) {
      const last = entries.findLast((entry) => entry.declaration < before);
      if (last !== undefined) return last.kind === "typedef";
    }
    const own = this.#mainNames.get(name);
    return own?.isTypedef === true && own.ordinal <= ordinal;
  }
}
