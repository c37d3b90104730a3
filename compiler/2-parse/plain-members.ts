/**
 * Members of structs in their usual forms, read without the grammar: `struct list_head *next;`,
 * `unsigned int flags : 3;`, `const u8 name[16];`. A kernel's structs have thousands of them, and a
 * program that names one struct of a vmlinux.h parses a hundred. The tree is the grammar's, to the
 * place (a test compares); all else, errors too, is left to it.
 */
import { spanBetween, type Token, tokenSpan } from "../1-preprocess/token.ts";
import { type TokenType, tokenTypes as t } from "../1-preprocess/token-types.ts";
import type {
  Attribute,
  Declarator,
  DeclaratorPart,
  Expression,
  MemberDeclaration,
  Qualifiers,
  TypeSpecifier,
} from "./ast.ts";
import { numberLiteral } from "./literal-nodes.ts";
import { noQualifiers, withQualifier } from "./specifier-rules.ts";
import { typeOfWords } from "./type-words.ts";

export interface PlainMember {
  readonly member: MemberDeclaration;
  /** Index of the token behind its semicolon. */
  readonly next: number;
}

/** What is read so far, and the index of what comes next. */
interface Read<Node> {
  readonly node: Node;
  readonly next: number;
}

const noAttributes: readonly Attribute[] = [];

/** `int`, `long unsigned`, … */
function builtinType(tokens: readonly Token[], start: number): Read<TypeSpecifier> | undefined {
  let next = start;
  while (tokens[next]?.tokenType === t.TypeWord) next += 1;
  const words = tokens.slice(start, next).map((token) => token.image);
  const { name, problem } = typeOfWords(words);
  if (problem !== undefined) return undefined;
  return { node: { kind: "builtin", name, span: tokenSpan(tokens[start]!) }, next };
}

function isName(token: Token | undefined): token is Token {
  return token?.tokenType === t.Identifier || token?.tokenType === t.TypedefName;
}

/** `struct tag`, `enum tag`. */
function mentionedTag(tokens: readonly Token[], start: number): Read<TypeSpecifier> | undefined {
  const word = tokens[start]!;
  const tag = tokens[start + 1];
  if (!isName(tag)) return undefined;
  const common = { tag: tag.image, attributes: [], span: spanBetween(word, tag) };
  const node: TypeSpecifier =
    word.tokenType === t.Enum
      ? { kind: "enum", ...common }
      : { kind: "record", union: word.image === "union", ...common };
  return { node, next: start + 2 };
}

function typeAt(
  tokens: readonly Token[],
  start: number,
  isTypeName: (name: string) => boolean,
): Read<TypeSpecifier> | undefined {
  const token = tokens[start]!;
  const { tokenType } = token;
  if (tokenType === t.TypeWord) return builtinType(tokens, start);
  if (tokenType === t.StructUnion || tokenType === t.Enum) return mentionedTag(tokens, start);
  if (!isName(token) || !isTypeName(token.image)) return undefined;
  const span = tokenSpan(token);
  return { node: { kind: "typedef_name", name: token.image, span }, next: start + 1 };
}

/** A number that is all there is up to `end`. */
function numberBefore(
  tokens: readonly Token[],
  at: number,
  end: TokenType,
): Expression | undefined {
  const token = tokens[at]!;
  if (token.tokenType !== t.Number || tokens[at + 1]?.tokenType !== end) return undefined;
  let isWrong = false;
  const literal = numberLiteral(token, () => {
    isWrong = true;
  });
  return isWrong ? undefined : literal;
}

/** `*name`, `name[8]`. */
function declaratorAt(tokens: readonly Token[], start: number): Read<Declarator> | undefined {
  let next = start;
  const pointers: DeclaratorPart[] = [];
  for (; tokens[next]?.tokenType === t.Star; next += 1)
    pointers.push({ kind: "pointer", qualifiers: noQualifiers, attributes: [] });
  const name = tokens[next];
  if (!isName(name)) return undefined;
  next += 1;
  const parts: DeclaratorPart[] = [];
  const open = tokens[next];
  if (open?.tokenType === t.LBracket) {
    const length = numberBefore(tokens, next + 1, t.RBracket);
    if (length === undefined) return undefined;
    const span = spanBetween(open, tokens[next + 2]!);
    parts.push({ kind: "array", length, qualifiers: noQualifiers, static: false, span });
    next += 3;
  }
  const node: Declarator = {
    name: name.image,
    nameSpan: tokenSpan(name),
    parts: pointers.length > 0 ? [...parts, ...pointers] : parts,
    attributes: noAttributes,
    span: spanBetween(tokens[start]!, tokens[next - 1]!),
  };
  return { node, next };
}

/** The member that starts at a token; undefined where it has another form. */
export function plainMember(
  tokens: readonly Token[],
  start: number,
  isTypeName: (name: string) => boolean,
): PlainMember | undefined {
  let at = start;
  let qualifiers: Qualifiers = noQualifiers;
  for (; tokens[at]?.tokenType === t.Qualifier; at += 1)
    qualifiers = withQualifier(qualifiers, tokens[at]!.image);
  const type = typeAt(tokens, at, isTypeName);
  const declared = type && declaratorAt(tokens, type.next);
  if (declared === undefined) return undefined;
  let { next } = declared;
  let bitWidth: Expression | undefined;
  if (tokens[next]?.tokenType === t.Colon) {
    bitWidth = numberBefore(tokens, next + 1, t.Semicolon);
    if (bitWidth === undefined) return undefined;
    next += 2;
  }
  const semicolon = tokens[next];
  if (semicolon?.tokenType !== t.Semicolon) return undefined;
  const first = tokens[start]!;
  const declarator = declared.node;
  const member: MemberDeclaration = {
    kind: "members",
    specifiers: {
      inline: false,
      noreturn: false,
      threadLocal: false,
      qualifiers,
      type: type!.node,
      alignas: [],
      attributes: [],
      span: spanBetween(first, tokens[type!.next - 1]!),
    },
    declarators: [bitWidth === undefined ? { declarator } : { declarator, bitWidth }],
    span: spanBetween(first, semicolon),
  };
  return { member, next: next + 1 };
}
