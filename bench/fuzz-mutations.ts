/** Damaged copies of C sources: bytes, tokens, whole declarations; the same for the same seed. */
import { randomNumbers } from "../test/support/fuzz.ts";

type Random = (limit: number) => number;

/** Words that a mutant may gain at any place: what changes the meaning of what surrounds it. */
const words =
  "static inline const volatile struct union enum typedef sizeof _Alignof typeof goto switch case " +
  "default do while for if else return break continue void char short int long unsigned signed " +
  "_Bool __int128 double _Static_assert _Generic __attribute__ asm __builtin_memcpy " +
  "__builtin_offsetof __builtin_constant_p __builtin_preserve_access_index __auto_type " +
  "( ) [ ] { } ; , : ? * & && || | ^ ~ ! = == != < > << >> <<= + - ++ -- += / % . -> ... # ## " +
  '0 1 -1 255 0x7fffffff 0xffffffffffffffff 18446744073709551616 0.5 \'a\' "s" "" ' +
  "__attribute__((packed)) __attribute__((aligned(64))) __attribute__((always_inline)) " +
  "(void*)0 ({0;}) [0] [-1] [1<<30] :3 (char) (long) (struct_s){0} *& &* 1/0";
const insertions = words.split(" ");

const tokenPattern =
  /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[A-Za-z_]\w*|\.?\d[\w.]*|<<=|>>=|\.\.\.|->|[-+&|=<>]{2}|[-+*/%&|^=!<>]=|\s+|[\s\S]/g;
const tokensOf = (text: string): string[] => text.match(tokenPattern) ?? [];
const isBlank = (token: string): boolean => /^\s/.test(token);

/** Pieces that end with a line that closes something in the first column: declarations, roughly. */
const declarationsOf = (text: string): string[] => text.split(/(?<=^(?:\S.*)?[;}].*\n)/m);

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[random(list.length)];

function mutateBytes(text: string, _other: string, random: Random): string {
  const bytes = [...Buffer.from(text)];
  for (let i = 1 + random(4); i > 0; i -= 1) {
    const at = random(bytes.length + 1);
    const kind = random(5);
    if (kind === 0) bytes.splice(at, 1 + random(8));
    else if (kind === 1) bytes.splice(at, 0, random(256));
    else if (kind === 2) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
    else if (kind === 3) bytes.splice(at, 0, ...bytes.slice(at, at + random(64)));
    else bytes[at] = 32 + random(95);
  }
  const length = random(12) === 0 ? random(bytes.length) : bytes.length;
  return Buffer.from(bytes.slice(0, length)).toString();
}

/** The end of the group that opens at `at`, or `at` itself. */
function groupEnd(tokens: readonly string[], at: number): number {
  let depth = 0;
  for (let i = at; i < tokens.length; i += 1) {
    if ("([{".includes(tokens[i] ?? " ")) depth += 1;
    else if (")]}".includes(tokens[i] ?? " ")) depth -= 1;
    if (depth <= 0) return i;
  }
  return at;
}

function mutateTokens(text: string, other: string, random: Random): string {
  const tokens = tokensOf(text);
  const others = tokensOf(other).filter((token) => !isBlank(token));
  const places = tokens.flatMap((token, i) => (isBlank(token) ? [] : [i]));
  const place = (): number => pick(places, random) ?? 0;
  for (let i = 1 + random(3); i > 0; i -= 1) {
    const at = place();
    const kind = random(8);
    const [a, b] = [tokens[at] ?? "", place()];
    if (kind === 0) tokens[at] = "";
    else if (kind === 1) tokens[at] = `${a} ${a}`;
    else if (kind === 2) [tokens[at], tokens[b]] = [tokens[b] ?? "", a];
    else if (kind === 3) tokens[at] = pick(insertions, random) ?? "";
    else if (kind === 4) tokens[at] = `${a} ${pick(insertions, random)} `;
    else if (kind === 5) tokens[at] = tokens[b] ?? "";
    else if (kind === 6) tokens[at] = pick(others, random) ?? "";
    else {
      // A whole group in the place of another token, e.g. an argument list or a block.
      const end = groupEnd(tokens, b);
      tokens[at] = tokens.slice(b, end + 1).join("");
    }
  }
  return tokens.join("");
}

function mutateDeclarations(text: string, other: string, random: Random): string {
  const parts = declarationsOf(text);
  for (let i = 1 + random(2); i > 0; i -= 1) {
    const [at, to] = [random(parts.length), random(parts.length + 1)];
    const kind = random(4);
    if (kind === 0) parts.splice(at, 1);
    else if (kind === 1) parts.splice(to, 0, parts[at] ?? "");
    else if (kind === 2) parts.splice(to, 0, ...parts.splice(at, 1));
    else parts.splice(to, 0, pick(declarationsOf(other), random) ?? "");
  }
  return parts.join("");
}

const classes = [
  /^\d/,
  /^(?:[-+*&|^=!<>/%]|<<|>>|==|!=|<=|>=|&&|\|\|)$/,
  /^(?:[-+*&|^%/]|<<|>>)?=$/,
  /^(?:char|short|int|long|signed|unsigned|__?[us]\d+|u?int\d+_t|_Bool|bool|void)$/,
  /^\w+$/,
];
const numbers = ["0", "1", "7", "31", "63", "64", "0x80", "-1", "0x80000000", "0x7fffffffffffffff"];
const classOf = (token: string): number => classes.findIndex((pattern) => pattern.test(token));

/** Tokens in the places of others of their kind: often still a program, with another meaning. */
function mutateAlike(text: string, _other: string, random: Random): string {
  const tokens = tokensOf(text);
  const places = tokens.flatMap((token, i) => (classOf(token) < 0 ? [] : [i]));
  for (let i = 1 + random(4); i > 0; i -= 1) {
    const at = pick(places, random) ?? 0;
    const wanted = classOf(tokens[at] ?? "");
    const alike = tokens.filter((token) => classOf(token) === wanted);
    const source = wanted === 0 && random(2) === 0 ? numbers : alike;
    tokens[at] = pick(source, random) ?? "";
  }
  return tokens.join("");
}

/** Ends of simple statements: what stands between two of them can be moved, doubled or left out. */
function statementsOf(lines: readonly string[]): number[] {
  return lines.flatMap((line, i) =>
    /^\s+(?!return|break|goto|case|default|struct|\})[\w*(][^{}#]*;\s*$/.test(line) ? [i] : [],
  );
}

/** Statements in one line: left out, doubled, swapped with the next, or made conditional. */
function mutateStatements(text: string, _other: string, random: Random): string {
  const lines = text.split("\n");
  for (let i = 1 + random(2); i > 0; i -= 1) {
    const at = pick(statementsOf(lines), random);
    if (at === undefined) break;
    const line = lines[at] ?? "";
    const isDeclaration = /^\s+[\w ]+[ *]\w+( =|;|\[)/.test(line);
    const kind = isDeclaration ? 5 + random(2) : random(7);
    if (kind === 0) lines.splice(at, 1);
    else if (kind === 1) lines.splice(at, 0, line);
    else if (kind === 2) lines.splice(at, 2, lines[at + 1] ?? "", line);
    else if (kind === 3) lines[at] = `for (int fuzz = 0; fuzz < ${random(9)}; fuzz++) {${line}}`;
    else if (kind === 4) lines[at] = `do {${line}} while (${random(2)} && ${random(3)});`;
    else if (kind === 5) lines.splice(at + 1, 0, `asm volatile("" ::: "memory");`);
    else lines.splice(at + 1, 0, "if (__builtin_constant_p(1)) { ; } else { __builtin_trap(); }");
  }
  return lines.join("\n");
}

const wrappers: readonly ((e: string, n: string) => string)[] = [
  (e) => `(${e})`,
  (e) => `(0, ${e})`,
  (e) => `(${e} ?: ${e})`,
  (e, n) => `(${e} ^ ${n})`,
  (e, n) => `(${e} + ${n})`,
  (e, n) => `(${e} % (${n} | 1))`,
  (e, n) => `(${e} >> (${n} & 7))`,
  (e) => `(unsigned char)(${e})`,
  (e) => `(short)(${e})`,
  (e) => `(long)(${e})`,
  (e) => `({ typeof(${e}) fuzz = (${e}); fuzz; })`,
  (e, n) => `(${n} ? (${e}) : (${e}))`,
  (e, n) => `(1 ? (${e}) : ${n})`,
  (e, n) => `__builtin_choose_expr(${n} == 1, 2, (${e}))`,
  (e) => `_Generic((${e}), default: (${e}))`,
  (e, n) => `(*(typeof((${e}) + 0)[]){ (${e}) } + ${n})`,
];

/** Operands wrapped in expressions that mostly keep a valid type. */
function mutateExpressions(text: string, _other: string, random: Random): string {
  const tokens = tokensOf(text);
  const operands = tokens.flatMap((token, i) => {
    // A number or name between an operator and what ends an operand.
    const before = tokens
      .slice(Math.max(0, i - 2), i)
      .join("")
      .trimEnd();
    const after = tokens
      .slice(i + 1, i + 3)
      .join("")
      .trimStart();
    const isOperand = /^(?:\d\w*|[a-z_]\w*)$/.test(token) && !/^(?:return|sizeof|int)$/.test(token);
    const isFree = /(?:[=+^|<>(,]|return)$/.test(before) && /^[;),+^|<>]/.test(after);
    return isOperand && isFree ? [i] : [];
  });
  for (let i = 1 + random(3); i > 0; i -= 1) {
    const at = pick(operands, random);
    if (at === undefined) break;
    const wrap = pick(wrappers, random) ?? ((e: string) => e);
    tokens[at] = wrap(tokens[at] ?? "", pick(numbers, random) ?? "0");
  }
  return tokens.join("");
}

const swaps: readonly (readonly [RegExp, readonly string[]])[] = [
  [
    /\b(?:__always_inline|__noinline|inline|noinline|always_inline)\b/g,
    [
      "__attribute__((noinline))",
      "inline __attribute__((always_inline))",
      "__attribute__((unused))",
    ],
  ],
  [/\b(?:volatile|const|static)\b/g, ["volatile", "const volatile", "static", ""]],
  [
    /\b(?:__u8|__u16|__u32|__u64|u8|u16|u32|u64|unsigned|int|long|char|short)\b/g,
    [
      "int",
      "long",
      "unsigned",
      "char",
      "short",
      "unsigned long",
      "_Bool",
      "unsigned char",
      "__int128",
    ],
  ],
  [/ (?:==|!=|<=|>=|<|>) /g, [" == ", " != ", " < ", " <= ", " > ", " >= "]],
  [
    / (?:\+|-|\*|\/|%|&|\||\^|<<|>>) /g,
    [" + ", " - ", " * ", " / ", " % ", " & ", " | ", " ^ ", " << ", " >> "],
  ],
  [/ [-+*&|^]= /g, [" += ", " -= ", " *= ", " &= ", " |= ", " ^= ", " = ", " <<= ", " /= "]],
  [/\[\d+\]/g, ["[1]", "[2]", "[7]", "[64]", "[300]"]],
  [
    /__attribute__\(\(packed\)\)|__packed/g,
    ["", "__attribute__((aligned(16)))", "__attribute__((packed, aligned(4)))"],
  ],
];

/** Words of one meaning swapped for others that fit in the same place. */
function mutateWords(text: string, _other: string, random: Random): string {
  let result = text;
  for (let i = 1 + random(3); i > 0; i -= 1) {
    const [pattern, replacements] = pick(swaps, random) ?? [/$^/g, []];
    const places = [...result.matchAll(pattern)];
    const place = pick(places, random);
    if (place === undefined) continue;
    const end = place.index + place[0].length;
    result = result.slice(0, place.index) + (pick(replacements, random) ?? "") + result.slice(end);
  }
  return result;
}

const mutations = [
  ...[mutateBytes, mutateTokens, mutateTokens, mutateDeclarations, mutateDeclarations],
  ...[mutateAlike, mutateAlike, mutateStatements, mutateStatements],
  ...[mutateExpressions, mutateExpressions, mutateWords, mutateWords, mutateWords],
];

/** The mutant of a seed: which source it comes from, and its text. */
export function mutant(
  sources: readonly { readonly path: string; readonly text: string }[],
  seed: number,
): { readonly path: string; readonly text: string } {
  const random = randomNumbers(Math.imul(seed, 0x9e3779b1));
  for (let i = 0; i < 4; i += 1) random(2);
  const source = pick(sources, random) ?? { path: "", text: "" };
  let { text } = source;
  for (let rounds = 1 + (random(4) === 0 ? 1 : 0); rounds > 0; rounds -= 1) {
    const other = pick(sources, random)?.text ?? "";
    const mutate = pick(mutations, random) ?? mutateBytes;
    text = mutate(text, other, random);
  }
  return { path: source.path, text };
}
