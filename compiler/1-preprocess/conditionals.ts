/** `#if` … `#endif`: which groups are read and which are skipped. */
import type { Span } from "../../common/diagnostics/source.ts";
import { evaluateCondition } from "./condition.ts";
import type { DirectiveLine } from "./directive-line.ts";
import type { MacroExpander } from "./expander.ts";
import type { Identifier } from "./identifiers.ts";
import type { Conditional, Session } from "./session.ts";
import { type Token, tokenSpan } from "./token.ts";

const conditionalNames = new Set([
  "if",
  "ifdef",
  "ifndef",
  "elif",
  "elifdef",
  "elifndef",
  "else",
  "endif",
]);

export class Conditionals {
  readonly #session: Session;
  readonly #expander: MacroExpander;
  readonly #line: DirectiveLine;

  constructor(session: Session, expander: MacroExpander, line: DirectiveLine) {
    this.#session = session;
    this.#expander = expander;
    this.#line = line;
  }

  if(hash: Token): void {
    const tokens = this.#line.rest();
    const guard = guardOfCondition(tokens);
    this.#open(hash, this.#evaluate(tokens), guard);
  }

  #evaluate(tokens: readonly Token[]): boolean {
    this.#expander.inCondition = true;
    const expanded = this.#expander.expandAlone(tokens);
    this.#expander.inCondition = false;
    const value = evaluateCondition(expanded, this.#line.here(), (message, span) =>
      this.#session.error("pp-expression", message, span),
    );
    return value !== undefined && value !== 0n;
  }

  ifdef(hash: Token, directive: Token, wanted: boolean): void {
    const name = this.#line.macroName("test");
    if (name !== undefined) this.#line.extraTokens(`#${directive.image}`);
    const defined = name?.identifier?.macro !== undefined;
    this.#open(
      hash,
      name !== undefined && defined === wanted,
      wanted ? undefined : name?.identifier,
    );
  }

  #open(hash: Token, taken: boolean, guard: Identifier | undefined): void {
    const { frame } = this.#session;
    const outermost = frame.conditionals.length === 0 && !frame.strayContent;
    frame.conditionals.push({
      span: directiveName(hash),
      taken,
      elseSeen: false,
      guard: outermost ? guard : undefined,
    });
    if (!taken) this.#skip();
  }

  /** `#else` or `#elif` reached from a branch that was taken: the rest is skipped. */
  otherBranch(name: Token): void {
    const conditional = this.#session.frame.conditionals.at(-1);
    if (conditional === undefined) {
      this.#line.error("pp-conditional", `#${name.image} without #if`, name);
      return;
    }
    this.#checkElse(conditional, name);
    conditional.guard = undefined;
    this.#skip();
  }

  #checkElse(conditional: Conditional, name: Token): void {
    if (conditional.elseSeen)
      this.#line.error("pp-conditional", `#${name.image} after #else`, name);
    if (name.image === "else") conditional.elseSeen = true;
  }

  endif(name: Token): void {
    const { frame } = this.#session;
    const conditional = frame.conditionals.pop();
    if (conditional === undefined) {
      this.#line.error("pp-conditional", "#endif without #if", name);
      return;
    }
    this.#line.extraTokens("#endif");
    if (frame.conditionals.length === 0) frame.guard = conditional.guard;
  }

  /** Skips groups until a branch of the innermost conditional is taken, or it ends. */
  #skip(): void {
    const { frame } = this.#session;
    const { lexer } = frame;
    let depth = 0;
    for (;;) {
      lexer.skipDirectiveLine();
      lexer.inDirective = false;
      if (!lexer.skipToDirective()) return;
      lexer.inDirective = true;
      const name = lexer.next();
      if (name.identifier === undefined || !conditionalNames.has(name.image)) continue;
      if (name.image.startsWith("if")) depth += 1;
      else if (name.image === "endif" && depth > 0) depth -= 1;
      else if (depth === 0 && this.#leavesSkipping(name)) return;
    }
  }

  #leavesSkipping(name: Token): boolean {
    const conditional = this.#session.frame.conditionals.at(-1)!;
    if (name.image === "endif") {
      this.endif(name);
      return true;
    }
    this.#checkElse(conditional, name);
    conditional.guard = undefined;
    if (conditional.taken) return false;
    conditional.taken = this.#branchHolds(name);
    return conditional.taken;
  }

  #branchHolds(name: Token): boolean {
    if (name.image === "else") return true;
    if (name.image === "elif") return this.#evaluate(this.#line.rest());
    const macro = this.#line.macroName("test");
    const defined = macro?.identifier?.macro !== undefined;
    return macro !== undefined && defined === (name.image === "elifdef");
  }
}

/** `!defined X` or `!defined(X)` as a whole condition: the test of an include guard. */
function guardOfCondition(tokens: readonly Token[]): Identifier | undefined {
  const images = tokens.map((token) => token.image);
  if (images[0] !== "!" || images[1] !== "defined") return undefined;
  if (tokens.length === 3) return tokens[2]!.identifier;
  const bracketed = tokens.length === 5 && images[2] === "(" && images[4] === ")";
  return bracketed ? tokens[3]!.identifier : undefined;
}

/** The word behind `#`. */
function directiveName(hash: Token): Span {
  const span = tokenSpan(hash);
  const { text } = span.file;
  let start = span.end;
  while (text[start] === " " || text[start] === "\t") start += 1;
  return { ...span, start, end: start + 1 };
}
