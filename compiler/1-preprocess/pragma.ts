/** `#pragma` and `_Pragma`: what they change in the preprocessor and in what follows. */
import type { Span } from "../../common/diagnostics/source.ts";
import { evaluateCondition } from "./condition.ts";
import type { MacroExpander } from "./expander.ts";
import { decodeQuoted, narrowBytes } from "./literals.ts";
import { type Macro, macroOf } from "./macro.ts";
import type { Session } from "./session.ts";
import type { UnrollPragma } from "./stream.ts";
import { LEADING_SPACE, type Token } from "./token.ts";
import { tokenTypes } from "./token-types.ts";
import { type WarningState, withWarning } from "./warning-state.ts";

interface PackEntry {
  readonly label: string | undefined;
  readonly pack: number | undefined;
}

/** Pragmas that clang knows and that mean nothing here. */
const knownPragmas: ReadonlySet<string> = new Set(
  "STDC mark ident region endregion weak redefine_extname align ms_struct omp comment".split(" "),
);
const knownVendorPragmas: ReadonlySet<string> = new Set(
  (
    "dependency visibility optimize module fp arc_cf_code_audited assume_nonnull __debug section " +
    "final deprecated restrict_expansion include_instead ivdep push_options pop_options"
  ).split(" "),
);

/** Carries out pragmas; owns the stacks that they push to. */
export class Pragmas {
  readonly #session: Session;
  readonly #expander: MacroExpander;
  readonly #pack: PackEntry[] = [];
  readonly #warnings: (WarningState | undefined)[] = [];
  readonly #macros = new Map<string, (Macro | undefined)[]>();

  constructor(session: Session, expander: MacroExpander) {
    this.#session = session;
    this.#expander = expander;
  }

  /** Carries out one pragma; `tokens` are those behind `#pragma`, unexpanded. */
  run(tokens: readonly Token[], span: Span): void {
    const [first, second] = tokens;
    if (first === undefined) return;
    this.#record(tokens, span);
    const name = first.image;
    const handler = this.#handlers[name];
    if (handler !== undefined) handler(tokens.slice(1), span);
    else if (name === "GCC" || name === "clang") this.#vendor(name, second, tokens.slice(2), span);
    else if (!knownPragmas.has(name)) this.#unknown(span);
  }

  #unknown(span: Span): void {
    if (!this.#session.frame.isSystem)
      this.#session.warn("unknown-pragmas", "unknown pragma ignored", span);
  }

  /** For `-E`: pragmas stay in the output, but those that only the preprocessor needs. */
  #record(tokens: readonly Token[], span: Span): void {
    const name = tokens[0]!.image;
    if (name === "once" || name === "push_macro" || name === "pop_macro") return;
    const text = tokens
      .map((token, index) => (index > 0 && token.flags & LEADING_SPACE ? " " : "") + token.image)
      .join("");
    this.#session.addLayout({ kind: "pragma", text, span });
  }

  readonly #handlers: Readonly<
    Record<string, ((tokens: readonly Token[], span: Span) => void) | undefined>
  > = {
    once: () => {
      const { once, search, frame } = this.#session;
      once.add(search.identityOf(frame.found.file));
    },
    pack: (tokens, span) => this.#packPragma(this.#expander.expandAlone(tokens), span),
    push_macro: (tokens) => this.#pushMacro(tokens),
    pop_macro: (tokens) => this.#popMacro(tokens),
    unroll: (tokens, span) => this.#unroll(tokens, span),
    nounroll: (_, span) => this.#emitUnroll({ kind: "disable" }, span),
    message: (tokens, span) => this.#message(tokens, span),
  };

  #vendor(vendor: string, kind: Token | undefined, rest: readonly Token[], span: Span): void {
    switch (kind?.image) {
      case "diagnostic":
        this.#diagnostic(rest, span);
        return;
      case "poison":
        this.#poison(rest);
        return;
      case "system_header":
        this.#session.frame.isSystem = true;
        return;
      case "attribute":
        if (vendor === "clang") this.#attribute(rest, span);
        return;
      case "loop":
        if (vendor === "clang") this.#loop(this.#expander.expandAlone(rest), span);
        return;
      case "unroll":
        this.#unroll(rest, span);
        return;
      case "warning":
        this.#session.warn("#pragma-messages", this.#text(rest), span);
        return;
      case "error":
        this.#session.error("pragma-error", this.#text(rest), span);
        return;
      default:
        if (!knownVendorPragmas.has(kind?.image ?? "")) this.#unknown(span);
        return;
    }
  }

  #text(tokens: readonly Token[]): string {
    return this.#expander
      .expandAlone(tokens)
      .filter((token) => token.tokenType === tokenTypes.StringLiteral)
      .map((token) => stringValue(token))
      .join("");
  }

  #message(tokens: readonly Token[], span: Span): void {
    this.#session.warn("#pragma-messages", this.#text(tokens), span);
  }

  #packPragma(tokens: readonly Token[], span: Span): void {
    const words = tokens.map((token) => token.image).filter((image) => !/^[(),]$/.test(image));
    const bad = (message: string): void => this.#session.warn("ignored-pragmas", message, span);
    if (tokens[0]?.tokenType !== tokenTypes.LParen) {
      bad("missing '(' after '#pragma pack' - ignoring");
      return;
    }
    const { pack } = this.#session.pragmaState;
    const number = words.find((word) => /^[0-9]/.test(word));
    const value = number === undefined ? undefined : Number.parseInt(number, 10);
    if (value !== undefined && ![0, 1, 2, 4, 8, 16].includes(value)) {
      bad("expected #pragma pack parameter to be '1', '2', '4', '8', or '16'");
      return;
    }
    const wanted = value === 0 ? undefined : value;
    const label = words.slice(1).find((word) => /^[A-Za-z_]/.test(word));
    if (words[0] === "show") return;
    if (words[0] === "push") {
      this.#pack.push({ label, pack });
      if (value !== undefined) this.#setPack(wanted);
      return;
    }
    if (words[0] === "pop") {
      this.#popPack(label, value, wanted, span);
      return;
    }
    if (words[0] !== undefined && value === undefined) {
      bad("expected integer or identifier in '#pragma pack' - ignored");
      return;
    }
    this.#setPack(wanted);
  }

  #popPack(
    label: string | undefined,
    value: number | undefined,
    wanted: number | undefined,
    span: Span,
  ): void {
    const { pack } = this.#session.pragmaState;
    let entry = this.#pack.at(-1);
    if (label !== undefined) {
      const index = this.#pack.findLastIndex((candidate) => candidate.label === label);
      entry = this.#pack[index];
      if (entry !== undefined) this.#pack.length = index;
    } else {
      this.#pack.pop();
    }
    if (entry === undefined)
      this.#session.warn("ignored-pragmas", "#pragma pack(pop, ...) failed: stack empty", span);
    this.#setPack(value === undefined ? (entry ? entry.pack : pack) : wanted);
  }

  #setPack(pack: number | undefined): void {
    this.#session.setPragmaState({ ...this.#session.pragmaState, pack });
  }

  #macroName(tokens: readonly Token[]): string | undefined {
    const literal = tokens[1];
    return literal?.tokenType === tokenTypes.StringLiteral ? stringValue(literal) : undefined;
  }

  #pushMacro(tokens: readonly Token[]): void {
    const name = this.#macroName(tokens);
    if (name === undefined) return;
    const stack = this.#macros.get(name) ?? [];
    stack.push(macroOf(this.#session.identifiers.get(name)));
    this.#macros.set(name, stack);
  }

  #popMacro(tokens: readonly Token[]): void {
    const name = this.#macroName(tokens);
    const stack = name === undefined ? undefined : this.#macros.get(name);
    if (name === undefined || stack === undefined || stack.length === 0) return;
    const identifier = this.#session.identifiers.get(name);
    identifier.macro = stack.pop();
    this.#session.noteDefinition(identifier);
  }

  #diagnostic(tokens: readonly Token[], span: Span): void {
    const [action, literal] = tokens;
    const session = this.#session;
    switch (action?.image) {
      case "push":
        this.#warnings.push(session.warnings);
        return;
      case "pop":
        if (this.#warnings.length === 0)
          session.warn(
            "unknown-pragmas",
            "pragma diagnostic pop could not pop, no matching push",
            span,
          );
        else session.warnings = this.#warnings.pop();
        return;
      case "ignored":
      case "warning":
      case "fatal":
      case "error": {
        const option = literal?.tokenType === tokenTypes.StringLiteral ? stringValue(literal) : "";
        if (!option.startsWith("-W")) {
          session.warn("unknown-pragmas", "pragma diagnostic expected option name", span);
          return;
        }
        session.warnings = withWarning(
          session.warnings,
          option.slice(2),
          action.image === "fatal" ? "error" : action.image,
        );
        return;
      }
      default:
        session.warn(
          "unknown-pragmas",
          "pragma diagnostic expected 'error', 'warning', 'ignored', 'fatal', 'push', or 'pop'",
          span,
        );
        return;
    }
  }

  #poison(tokens: readonly Token[]): void {
    for (const { identifier } of tokens) {
      if (identifier === undefined) continue;
      identifier.poisoned = true;
      this.#session.foreignMacros.push(identifier.text);
      identifier.macro = undefined;
      this.#session.watch(identifier);
    }
  }

  /** `push(attribute, apply_to = subjects)`, `(attribute…)` and `pop`, with or without a namespace. */
  #attribute(raw: readonly Token[], span: Span): void {
    const tokens = this.#expander.expandAlone(raw);
    const start = tokens[1]?.image === "." ? 2 : 0;
    const { pragmaState } = this.#session;
    if (tokens[start]?.image === "pop") {
      if (pragmaState.attributes.length === 0)
        this.#session.error(
          "pragma-attribute",
          "'#pragma clang attribute pop' with no matching '#pragma clang attribute push'",
          span,
        );
      const attributes = pragmaState.attributes.slice(0, -1);
      this.#session.setPragmaState({ ...pragmaState, attributes });
      return;
    }
    const open = tokens[start]?.image === "push" ? start + 1 : start;
    const parts = splitAtApplyTo(tokens.slice(open + 1, -1));
    const entry = { tokens: parts.attribute, subjects: parts.subjects };
    const attributes = [...pragmaState.attributes, entry];
    this.#session.setPragmaState({ ...pragmaState, attributes });
  }

  #unroll(tokens: readonly Token[], span: Span): void {
    const count = this.#expander.expandAlone(tokens);
    this.#emitUnroll(count.length === 0 ? { kind: "enable" } : this.#count(count, span), span);
  }

  /** `clang loop unroll(full) vectorize(…) …`: only unrolling means something here. */
  #loop(tokens: readonly Token[], span: Span): void {
    for (let index = 0; index + 1 < tokens.length; index += 1) {
      const name = tokens[index]!.image;
      if (tokens[index + 1]!.image !== "(") continue;
      const close = closingParenthesis(tokens, index + 1);
      const content = tokens.slice(index + 2, close);
      if (name === "unroll_count") this.#emitUnroll(this.#count(content, span), span);
      if (name === "unroll") {
        const word = content[0]?.image ?? "";
        if (word === "full" || word === "enable" || word === "disable")
          this.#emitUnroll({ kind: word }, span);
      }
      index = close;
    }
  }

  #count(tokens: readonly Token[], span: Span): UnrollPragma {
    const value = evaluateCondition(tokens, span, (message, place) =>
      this.#session.error("pragma-unroll", message, place),
    );
    if (value === undefined) return { kind: "enable" };
    if (value <= 0n) {
      this.#session.error("pragma-unroll", `invalid value '${value}'; must be positive`, span);
      return { kind: "enable" };
    }
    return value === 1n ? { kind: "disable" } : { kind: "count", count: Number(value) };
  }

  #emitUnroll(hint: UnrollPragma, span: Span): void {
    this.#session.emit({ kind: "unroll", hint, span });
  }
}

function stringValue(token: Token): string {
  return new TextDecoder().decode(Uint8Array.from(narrowBytes(decodeQuoted(token.image))));
}

function closingParenthesis(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let index = open; index < tokens.length; index += 1) {
    if (tokens[index]!.image === "(") depth += 1;
    if (tokens[index]!.image === ")") depth -= 1;
    if (depth === 0) return index;
  }
  return tokens.length;
}

/** Splits `attribute, apply_to = any(a, b(c))` into the attribute and its subjects. */
function splitAtApplyTo(tokens: readonly Token[]): {
  readonly attribute: readonly Token[];
  readonly subjects: readonly string[];
} {
  const at = tokens.findIndex((token) => token.image === "apply_to");
  if (at < 0) return { attribute: tokens, subjects: [] };
  const attribute = tokens.slice(0, tokens[at - 1]?.image === "," ? at - 1 : at);
  const rule = tokens.slice(at + 2);
  const list = rule[0]?.image === "any" ? rule.slice(2, -1) : rule;
  const subjects: string[] = [];
  let depth = 0;
  let current: Token[] = [];
  for (const token of list) {
    if (token.image === "(") depth += 1;
    if (token.image === ")") depth -= 1;
    if (token.image === "," && depth === 0) {
      subjects.push(current.map((t) => t.image).join(""));
      current = [];
    } else {
      current.push(token);
    }
  }
  if (current.length > 0) subjects.push(current.map((t) => t.image).join(""));
  return { attribute, subjects };
}

/** The text that `_Pragma("…")` stands for. */
export function destringize(image: string): string {
  const open = image.indexOf('"');
  const text = image.slice(open + 1, -1);
  return text.includes("\\") ? text.replace(/\\(["\\])/g, "$1") : text;
}
