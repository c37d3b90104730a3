/** What the preprocessor hands on: tokens, and what happened between them. */
import type { LineMarker, SourceFile, Span } from "../../common/diagnostics/source.ts";
import type { Identifier } from "./identifiers.ts";
import type { Token } from "./token.ts";

/** `#pragma clang attribute push(...)`: an attribute given to every declaration it applies to. */
export interface PushedAttribute {
  /** The attribute specifier, `__attribute__((…))` or `[[…]]`, expanded. */
  readonly tokens: readonly Token[];
  /** Names after `apply_to`: `record`, `function`, `variable(is_global)` … */
  readonly subjects: readonly string[];
}

/** Pragmas that act on all that follows; immutable, replaced when a pragma changes it. */
export interface PragmaState {
  /** `#pragma pack`, in bytes. */
  readonly pack: number | undefined;
  readonly attributes: readonly PushedAttribute[];
}

export const initialPragmaState: PragmaState = { pack: undefined, attributes: [] };

/** `#pragma unroll`, `#pragma clang loop unroll(…)`. */
export type UnrollPragma =
  | { readonly kind: "full" | "enable" | "disable" }
  | { readonly kind: "count"; readonly count: number };

/** Something that takes effect before the token at `index`. */
export type StreamEvent =
  | { readonly kind: "state"; readonly index: number; readonly state: PragmaState }
  | {
      readonly kind: "unroll";
      readonly index: number;
      readonly hint: UnrollPragma;
      readonly span: Span;
    };

/** Tokens in a row. The last is of type end-of-file. */
export interface TokenRun {
  readonly tokens: readonly Token[];
  readonly events: readonly StreamEvent[];
  /** Pragmas in force before the first token. */
  readonly state: PragmaState;
}

export type DeclaredKind = "typedef" | "enumerator" | "object" | "tag";

/** One declaration of a name in a header. */
export interface HeaderName {
  /** Number of the declaration. */
  readonly declaration: number;
  readonly kind: DeclaredKind;
  /** The word before a tag, where that and the tag are plainly a declaration's or definition's own. */
  readonly record?: "struct" | "union";
}

/** A piece of a file; places are UTF-16 offsets. */
export interface HeaderText {
  readonly file: SourceFile;
  readonly start: number;
  readonly end: number;
}

/**
 * Declarations found in headers, numbered in source order. Each is parsed only when one of its
 * names is asked for.
 */
export interface HeaderDeclarations {
  readonly count: number;
  /** Number of main tokens before the declaration: its place in the unit. */
  mainIndex(declaration: number): number;
  /** How many declarations have at most so many main tokens before them; `atLeast` are known to. */
  countUpTo(mainIndex: number, atLeast: number): number;
  /**
   * Those that have an effect though no name reaches them: non-static definitions, file asm,
   * assertions.
   */
  readonly unconditional: readonly number[];
  /** Every declaration of a name, in source order. */
  lookup(name: string): readonly HeaderName[];
  /** The tokens of a declaration. */
  run(declaration: number): TokenRun;
  /** The text of a declaration that has no macros in it; undefined for others. */
  text(declaration: number): HeaderText | undefined;
}

/** For `-E`: where the text comes from, in order. */
export type LayoutEvent =
  | { readonly kind: "enter"; readonly index: number; readonly file: SourceFile }
  | {
      readonly kind: "return";
      readonly index: number;
      readonly file: SourceFile;
      readonly line: number;
    }
  | {
      readonly kind: "line";
      readonly index: number;
      readonly file: SourceFile;
      readonly marker: LineMarker;
    }
  | {
      readonly kind: "pragma";
      readonly index: number;
      readonly text: string;
      readonly span: Span;
    };

export interface PreprocessedUnit {
  readonly main: SourceFile;
  /** Tokens of the user's own file (of all files, where headers are not indexed). */
  readonly run: TokenRun;
  readonly headers: HeaderDeclarations;
  readonly layout: readonly LayoutEvent[];
  /** Every file that was read, in order of first use; headers that ship with us are `isBuiltin`. */
  readonly dependencies: readonly { readonly path: string; readonly isSystem: boolean }[];
  /** For `-dM`: identifiers, those with a definition at the end have `macro`. */
  readonly identifiers: Iterable<Identifier>;
}
