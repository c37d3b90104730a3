/** Built-in macros whose expansion depends on where they stand: `__LINE__`, `__has_include` … */
import { presumedPlace } from "../../common/diagnostics/source.ts";
import type { MacroExpander } from "./expander.ts";
import { numberToken } from "./expander.ts";
import {
  attributes,
  builtins,
  extensions,
  features,
  standardAttributes,
} from "./feature-tables.ts";
import type { DynamicMacro, Macro } from "./macro.ts";
import type { FileFrame, Session } from "./session.ts";
import { LEADING_SPACE, outermost, Token, tokenSpan } from "./token.ts";
import { endOfFile, tokenTypes } from "./token-types.ts";

export const dynamicMacros: readonly DynamicMacro[] = [
  "__FILE__",
  "__FILE_NAME__",
  "__LINE__",
  "__COUNTER__",
  "__BASE_FILE__",
  "__INCLUDE_LEVEL__",
  "__DATE__",
  "__TIME__",
  "__TIMESTAMP__",
  "__has_include",
  "__has_include_next",
  "__has_embed",
  "__has_attribute",
  "__has_c_attribute",
  "__has_declspec_attribute",
  "__has_builtin",
  "__has_constexpr_builtin",
  "__has_feature",
  "__has_extension",
  "__has_warning",
  "__is_identifier",
  "__is_target_arch",
  "__is_target_vendor",
  "__is_target_os",
  "__is_target_environment",
  "__building_module",
];

/** A date that never changes, so that objects do not either. */
const FIXED_DATE = "Jan  1 1970";
const FIXED_TIME = "00:00:00";

/** The tokens that replace a dynamic macro; reads its arguments where it takes any. */
const presumedPath = ({ found, lexer }: FileFrame): string =>
  presumedPlace(found.file, lexer.position).path;

export function expandDynamicMacro(
  session: Session,
  macro: Macro,
  name: Token,
  expander: MacroExpander,
): readonly Token[] {
  const kind = macro.dynamic as DynamicMacro;
  const text = (value: string): Token[] => [stringToken(value, name)];
  const number = (value: number): Token[] => {
    const token = numberToken(String(value), name);
    token.expandedFrom = name.expandedFrom;
    return [token];
  };
  const { frame, frames, options } = session;
  switch (kind) {
    case "__FILE__":
      return text(presumedPath(frame));
    case "__FILE_NAME__":
      return text(presumedPath(frame).replace(/^.*\//, ""));
    case "__BASE_FILE__":
      return text(frames[0]!.found.file.path);
    case "__LINE__": {
      // In a macro's text: the line of the closing parenthesis of its call, which may be an argument of another
      // call; in an argument itself, the line where it stands: as in clang.
      const { file, end } = outermost(tokenSpan(name));
      return number(presumedPlace(file, end - 1).line);
    }
    case "__COUNTER__":
      session.counter += 1;
      return number(session.counter - 1);
    case "__INCLUDE_LEVEL__":
      return number(frames.length - 1);
    case "__DATE__":
      return text(options.date ?? FIXED_DATE);
    case "__TIME__":
      return text(options.time ?? FIXED_TIME);
    case "__TIMESTAMP__":
      return text(
        `Thu ${(options.date ?? FIXED_DATE).slice(0, 6)} ${options.time ?? FIXED_TIME} 1970`,
      );
    case "__has_include":
    case "__has_include_next":
      return number(hasInclude(session, kind, name, expander) ? 1 : 0);
    default:
      return number(answer(session, kind, argumentText(session, kind, name, expander)));
  }
}

function stringToken(value: string, at: Token): Token {
  const image = `"${value.replace(/["\\]/g, "\\$&")}"`;
  const { file, startOffset, endOffset, flags } = at;
  const type = tokenTypes.StringLiteral;
  const token = new Token(type, image, file, startOffset, endOffset, flags, undefined);
  token.expandedFrom = at.expandedFrom;
  return token;
}

/** The answer to `__has_attribute(x)` and its kin. */
function answer(session: Session, kind: DynamicMacro, argument: string): number {
  const plain = argument.replace(/^__(.*)__$/, "$1");
  const yes = (value: boolean): number => (value ? 1 : 0);
  switch (kind) {
    case "__has_attribute":
      return yes(attributes.has(plain));
    case "__has_c_attribute": {
      const inNamespace = /^(?:clang|gnu)::(.*)$/.exec(argument.replace(/\s/g, ""));
      if (inNamespace !== null)
        return yes(attributes.has(inNamespace[1]!.replace(/^__(.*)__$/, "$1")));
      return standardAttributes.get(plain) ?? 0;
    }
    case "__has_builtin":
      return yes(builtins.has(argument));
    case "__has_feature":
      return yes(features.has(plain));
    case "__has_extension":
      return yes(features.has(plain) || extensions.has(plain));
    case "__is_identifier":
      return yes(session.identifiers.get(argument).tokenType === tokenTypes.Identifier);
    case "__is_target_arch":
      return yes(argument === "bpf" || argument === "bpfel");
    case "__is_target_vendor":
    case "__is_target_os":
    case "__is_target_environment":
      return yes(argument === "unknown");
    case "__has_warning":
      return yes(argument.startsWith('"-W'));
    default:
      return 0;
  }
}

/** Reads `( … )` and gives the spelling inside. */
function argumentText(
  session: Session,
  kind: DynamicMacro,
  name: Token,
  expander: MacroExpander,
): string {
  const open = expander.raw();
  if (open.tokenType !== tokenTypes.LParen) {
    session.error("feature-check", `missing '(' after '${kind}'`, tokenSpan(name));
    expander.pushBack(open);
    return "";
  }
  const parts: string[] = [];
  let depth = 1;
  for (;;) {
    const token = expander.raw();
    if (token.tokenType === endOfFile) {
      session.error("feature-check", `missing ')' after '${kind}'`, tokenSpan(name));
      expander.pushBack(token);
      break;
    }
    if (token.tokenType === tokenTypes.LParen) depth += 1;
    if (token.tokenType === tokenTypes.RParen) depth -= 1;
    if (depth === 0) break;
    parts.push(token.image);
  }
  return parts.join("");
}

function hasInclude(
  session: Session,
  kind: "__has_include" | "__has_include_next",
  name: Token,
  expander: MacroExpander,
): boolean {
  const open = expander.raw();
  if (open.tokenType !== tokenTypes.LParen) {
    session.error("feature-check", `missing '(' after '${kind}'`, tokenSpan(name));
    expander.pushBack(open);
    return false;
  }
  const tokens: Token[] = [];
  // A header name in brackets is not macro-expanded; anything else is.
  let token = expander.raw();
  const angled = token.image === "<";
  if (!angled) {
    expander.pushBack(token);
    token = expander.next();
  }
  while (
    token.tokenType !== endOfFile &&
    (token.tokenType !== tokenTypes.RParen || isInside(tokens))
  ) {
    tokens.push(token);
    token = angled ? expander.raw() : expander.next();
  }
  if (token.tokenType === endOfFile) {
    session.error("feature-check", `missing ')' after '${kind}'`, tokenSpan(name));
    expander.pushBack(token);
  }
  const header = headerOf(tokens);
  if (header === undefined) {
    session.error("feature-check", 'expected "FILENAME" or <FILENAME>', tokenSpan(name));
    return false;
  }
  const { found } = session.frame;
  const result =
    kind === "__has_include_next"
      ? session.search.findNext(header.name, header.angled, found)
      : session.search.find(header.name, header.angled, found);
  return result !== undefined;
}

/** A `)` inside `<…>` belongs to the name. */
function isInside(tokens: readonly Token[]): boolean {
  return tokens[0]?.image === "<" && !tokens.some((token) => token.image === ">");
}

function headerOf(
  tokens: readonly Token[],
): { readonly name: string; readonly angled: boolean } | undefined {
  const [first] = tokens;
  if (first?.tokenType === tokenTypes.StringLiteral)
    return { name: first.image.slice(1, -1), angled: false };
  const close = tokens.findIndex((token) => token.image === ">");
  if (first?.image !== "<" || close < 0) return undefined;
  const parts = tokens.slice(1, close).map((token, index) => {
    const spaced = index > 0 && (token.flags & LEADING_SPACE) !== 0;
    return (spaced ? " " : "") + token.image;
  });
  return { name: parts.join(""), angled: true };
}
