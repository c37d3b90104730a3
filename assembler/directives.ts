/** What each assembler directive does. The cursor stands behind its name. */
import type { Span } from "../common/diagnostics/source.ts";
import type { SymbolBinding, SymbolType, SymbolVisibility } from "../common/object/object-file.ts";
import { type ExpressionValue, parseExpression } from "./expression.ts";
import type { ParseState } from "./parse-state.ts";
import { wordBytes } from "./section-builder.ts";
import type { Token } from "./tokens.ts";

export type Directive = (state: ParseState, name: Token) => void;

const sectionFlags: Readonly<Record<string, number>> = {
  w: 1,
  a: 2,
  x: 4,
  M: 0x10,
  S: 0x20,
  G: 0x200,
  T: 0x400,
  R: 0x200000,
  e: 0x80000000,
};

const symbolTypes: Readonly<Record<string, SymbolType>> = {
  function: "func",
  STT_FUNC: "func",
  object: "object",
  STT_OBJECT: "object",
  notype: "notype",
  STT_NOTYPE: "notype",
};

function fail(state: ParseState, message: string, span?: Span): undefined {
  const { cursor, diagnostics } = state;
  diagnostics.error("bad-directive", message, span ?? cursor.spanOf(cursor.token));
  return undefined;
}

function expression(state: ParseState): ExpressionValue | undefined {
  return parseExpression(state.cursor, state.scope, state.diagnostics);
}

/** A number between the bounds; undefined after a report. */
function number(state: ParseState, low: number, high: number): number | undefined {
  const value = expression(state);
  if (value === undefined) return undefined;
  if (value.plus !== undefined || value.minus !== undefined) {
    return fail(state, "expected a number", value.span);
  }
  const result = Number(value.value);
  if (result >= low && result <= high) return result;
  return fail(state, `${value.value} is not between ${low} and ${high}`, value.span);
}

/** A symbol's name, quoted or not; undefined after a report. */
function symbolName(state: ParseState): string | undefined {
  const { token } = state.cursor;
  if (token.kind !== "name" && token.kind !== "string") return fail(state, "expected a symbol");
  state.cursor.next();
  return token.text;
}

function expectEnd(state: ParseState): void {
  if (!state.cursor.isAtEnd) fail(state, `unexpected '${state.cursor.token.text}'`);
}

/** Runs once per element of a comma-separated list, until one fails. */
function list(state: ParseState, element: () => boolean): void {
  if (state.cursor.isAtEnd) return;
  do {
    if (!element()) return;
  } while (state.cursor.accept(","));
  expectEnd(state);
}

const words =
  (size: 1 | 2 | 4 | 8): Directive =>
  (state) =>
    list(state, () => {
      const value = expression(state);
      if (value === undefined) return false;
      const limit = 1n << BigInt(size * 8);
      const isNumber = value.plus === undefined && value.minus === undefined;
      if (isNumber && value.value >= -limit / 2n && value.value < limit) {
        state.addData(wordBytes(value.value, size, state.endian), value.span);
        return true;
      }
      if (value.plus !== undefined) state.mention(value.plus);
      state.add({ kind: "word", size, value });
      return true;
    });

const leb =
  (signed: boolean): Directive =>
  (state) =>
    list(state, () => {
      const value = expression(state);
      if (value === undefined) return false;
      state.add({ kind: "leb", signed, value });
      return true;
    });

const strings =
  (terminated: boolean): Directive =>
  (state) =>
    list(state, () => {
      const { token } = state.cursor;
      if (token.kind !== "string") {
        fail(state, "expected a string");
        return false;
      }
      state.cursor.next();
      const bytes = new Uint8Array(token.bytes.length + (terminated ? 1 : 0));
      bytes.set(token.bytes);
      state.addData(bytes, state.cursor.spanOf(token));
      return true;
    });

const maximumFill = 1 << 28;

/** `.zero size[, fill]`. */
const zero: Directive = (state, name) => {
  const size = number(state, 0, state.isZeroFilled ? Number.MAX_SAFE_INTEGER : maximumFill);
  if (size === undefined) return;
  const fill = state.cursor.accept(",") ? number(state, -128, 255) : 0;
  if (fill === undefined) return;
  expectEnd(state);
  if (fill !== 0) state.addData(new Uint8Array(size).fill(fill), state.cursor.spanFrom(name));
  else {
    const item = { kind: "zero", size } as const;
    state.add({ kind: "item", item, span: state.cursor.spanFrom(name) });
  }
};

/** `.fill count[, size[, value]]`. */
const fill: Directive = (state, name) => {
  const count = number(state, 0, maximumFill);
  if (count === undefined) return;
  const size = state.cursor.accept(",") ? number(state, 1, 8) : 1;
  if (size === undefined) return;
  const value = state.cursor.accept(",") ? number(state, -(2 ** 31), 2 ** 32) : 0;
  if (value === undefined) return;
  expectEnd(state);
  const word = wordBytes(BigInt(value), size, state.endian);
  const bytes = new Uint8Array(count * size);
  for (let i = 0; i < count; i += 1) bytes.set(word, i * size);
  state.addData(bytes, state.cursor.spanFrom(name));
};

const align =
  (isPower: boolean): Directive =>
  (state, name) => {
    const value = number(state, 0, isPower ? 31 : 2 ** 31);
    if (value === undefined) return;
    const bytes = isPower ? 2 ** value : Math.max(1, value);
    if (!Number.isInteger(Math.log2(bytes))) {
      fail(state, "alignment must be a power of 2", state.cursor.spanFrom(name));
      return;
    }
    if (state.cursor.accept(",") && !state.cursor.is(",")) {
      const filler = number(state, 0, 255);
      if (filler === undefined) return;
      if (filler !== 0) {
        fail(state, "only zero is supported as fill value", state.cursor.spanFrom(name));
        return;
      }
    }
    ignore(state);
    const item = { kind: "align", align: bytes } as const;
    state.add({ kind: "item", item, span: state.cursor.spanOf(name) });
  };

/** `.section name[,"flags"[,@type[,entry size]]]`. */
const section: Directive = (state) => {
  const { cursor } = state;
  const name = sectionName(state);
  if (name === undefined) return;
  if (!cursor.accept(",")) {
    expectEnd(state);
    state.switchSection(name);
    return;
  }
  const flagsToken = cursor.next();
  if (flagsToken.kind !== "string") {
    fail(state, "expected the section's flags in quotes", cursor.spanOf(flagsToken));
    return;
  }
  let flags = 0;
  for (const letter of flagsToken.text) {
    const flag = sectionFlags[letter];
    if (flag === undefined) {
      fail(state, `unknown section flag '${letter}'`, cursor.spanOf(flagsToken));
      return;
    }
    flags += flag;
  }
  const type = cursor.accept(",") ? sectionType(state) : "progbits";
  if (type === undefined) return;
  const entrySize = cursor.accept(",") ? number(state, 0, 65536) : 0;
  if (entrySize === undefined) return;
  expectEnd(state);
  state.switchSection(name, { kind: type, flags, entrySize });
};

/** Unquoted names may hold `/` and `-`, as `kprobe/do_unlinkat` does. */
function sectionName(state: ParseState): string | undefined {
  const { cursor } = state;
  const first = cursor.token;
  if (first.kind === "string") {
    cursor.next();
    return first.text;
  }
  if (first.kind !== "name") return fail(state, "expected a section name");
  cursor.next();
  while (!cursor.isAtEnd && !cursor.is(",") && !cursor.token.spaced) cursor.next();
  const { file, start, end } = cursor.spanFrom(first);
  return file.text.slice(start, end);
}

function sectionType(state: ParseState): "progbits" | "nobits" | undefined {
  const { cursor } = state;
  cursor.accept("%");
  const token = cursor.next();
  const name = token.text.replace(/^@/, "");
  if (name === "progbits" || name === "nobits") return name;
  if (name === "note" || name === "unwind") return "progbits";
  return fail(state, `unknown section type '${token.text}'`, cursor.spanOf(token));
}

const binding =
  (value: SymbolBinding): Directive =>
  (state) =>
    list(state, () => {
      const name = symbolName(state);
      if (name === undefined) return false;
      const facts = state.mention(name);
      // `.weak` wins over `.globl`, whichever comes first.
      if (facts.binding !== "weak") facts.binding = value;
      return true;
    });

const visibility =
  (value: SymbolVisibility): Directive =>
  (state) =>
    list(state, () => {
      const name = symbolName(state);
      if (name === undefined) return false;
      state.mention(name).visibility = value;
      return true;
    });

/** `.type name,@function`. */
const type: Directive = (state) => {
  const { cursor } = state;
  const name = symbolName(state);
  if (name === undefined) return;
  cursor.accept(",");
  cursor.accept("%");
  const token = cursor.next();
  const found = symbolTypes[token.text.replace(/^@/, "")];
  if (found === undefined) {
    fail(state, `unknown symbol type '${token.text}'`, cursor.spanOf(token));
    return;
  }
  expectEnd(state);
  state.mention(name).type = found;
};

/** `.size name, expression`. */
const size: Directive = (state) => {
  const name = symbolName(state);
  if (name === undefined) return;
  state.cursor.accept(",");
  const value = expression(state);
  if (value === undefined) return;
  expectEnd(state);
  state.mention(name).size = value;
};

/** `.comm name, size[, alignment]`: room in .bss, which is where a linker would put it. */
const common =
  (isLocal: boolean): Directive =>
  (state, directive) => {
    const name = symbolName(state);
    if (name === undefined) return;
    state.cursor.accept(",");
    const start = state.cursor.token;
    const bytes = number(state, 0, maximumFill);
    if (bytes === undefined) return;
    const span = state.cursor.spanFrom(start);
    const alignment = state.cursor.accept(",") ? number(state, 0, 65536) : 1;
    if (alignment === undefined) return;
    expectEnd(state);
    const facts = state.mention(name);
    facts.binding ??= isLocal ? "local" : "global";
    facts.type ??= "object";
    facts.size = { value: BigInt(bytes), span };
    state.pushSection();
    state.switchSection(".bss");
    const place = state.cursor.spanOf(directive);
    const put = (item: Parameters<ParseState["add"]>[0] & { kind: "item" }): void =>
      state.add(item);
    put({ kind: "item", item: { kind: "align", align: Math.max(1, alignment) }, span: place });
    put({ kind: "item", item: { kind: "label", name }, span: place });
    put({ kind: "item", item: { kind: "zero", size: bytes }, span: place });
    state.popSection();
  };

/** `.file "name"` gives a symbol; the numbered form belongs to DWARF's line table. */
const file: Directive = (state) => {
  const { token } = state.cursor;
  if (token.kind === "string" && state.cursor.peek(1).kind === "end") {
    state.mention(token.text).type = "file";
    state.cursor.next();
  } else ignore(state);
};

/** `.set name, expression`. */
const set: Directive = (state) => {
  const name = symbolName(state);
  if (name === undefined) return;
  state.cursor.accept(",");
  state.set(name);
  expectEnd(state);
};

function ignore(state: ParseState): void {
  while (!state.cursor.isAtEnd) state.cursor.next();
}

const ignored: readonly string[] = [
  ".loc",
  ".ident",
  ".addrsig",
  ".addrsig_sym",
  ".cfi_sections",
  ".cfi_startproc",
  ".cfi_endproc",
  ".cfi_def_cfa",
  ".cfi_def_cfa_offset",
  ".cfi_def_cfa_register",
  ".cfi_offset",
  ".cfi_remember_state",
  ".cfi_restore_state",
  ".cfi_restore",
  ".cfi_undefined",
  ".cfi_personality",
  ".cfi_lsda",
];

/** By name, with the dot. */
export const directives: Readonly<Record<string, Directive>> = {
  ...Object.fromEntries(ignored.map((name) => [name, ignore])),
  ".text": (state) => state.switchSection(".text"),
  ".data": (state) => state.switchSection(".data"),
  ".bss": (state) => state.switchSection(".bss"),
  ".section": section,
  ".pushsection": (state, name) => {
    state.pushSection();
    section(state, name);
  },
  ".popsection": (state, name) => {
    if (!state.popSection()) fail(state, "no section was pushed", state.cursor.spanOf(name));
  },
  ".previous": (state) => state.swapSections(),
  ".globl": binding("global"),
  ".global": binding("global"),
  ".weak": binding("weak"),
  ".local": binding("local"),
  ".hidden": visibility("hidden"),
  ".protected": visibility("protected"),
  ".internal": visibility("internal"),
  ".type": type,
  ".size": size,
  ".p2align": align(true),
  ".balign": align(false),
  ".align": align(false),
  ".byte": words(1),
  ".short": words(2),
  ".2byte": words(2),
  ".long": words(4),
  ".int": words(4),
  ".4byte": words(4),
  ".quad": words(8),
  ".8byte": words(8),
  ".uleb128": leb(false),
  ".sleb128": leb(true),
  ".ascii": strings(false),
  ".asciz": strings(true),
  ".string": strings(true),
  ".zero": zero,
  ".skip": zero,
  ".space": zero,
  ".fill": fill,
  ".comm": common(false),
  ".lcomm": common(true),
  ".file": file,
  ".set": set,
  ".equ": set,
};
