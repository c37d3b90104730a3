/**
 * The compiler's own functions, one row each: name and prototype in a small notation. Those whose
 * types depend on their arguments have a kind instead and a function of their own.
 */
import { lazy } from "../../common/lazy.ts";
import { atomicRow } from "./atomics-table.ts";
import {
  boolType,
  charType,
  intType,
  longLongType,
  longType,
  pointerTo,
  shortType,
  unsignedCharType,
  unsignedIntType,
  unsignedLongLongType,
  unsignedLongType,
  unsignedShortType,
  voidType,
  withConst,
} from "./type-tools.ts";
import type { QualType } from "./types.ts";

/** Letters of the notation: `*` stands for `void *`, `?` for `const void *`, `$` for `const char *`. */
const letters: Readonly<Record<string, QualType>> = {
  v: voidType,
  b: boolType,
  c: unsignedCharType,
  h: unsignedShortType,
  H: shortType,
  i: intType,
  u: unsignedIntType,
  l: longType,
  k: unsignedLongType,
  L: longLongType,
  K: unsignedLongLongType,
  "*": pointerTo(voidType),
  "?": pointerTo(withConst(voidType)),
  s: pointerTo(charType),
  $: pointerTo(withConst(charType)),
};

/** Builtins whose checking follows rules of their own; see check-builtin.ts. */
export type BuiltinKind =
  | "constant_p"
  | "choose_expr"
  | "object_size"
  | "overflow"
  | "preserve_access_index"
  | "preserve_field_info"
  | "preserve_type_info"
  | "preserve_enum_value"
  | "atomic"
  | "va_start"
  | "va_end"
  | "va_copy"
  | "source_line"
  | "source_file"
  | "source_function"
  | "assume_aligned"
  | "alloca"
  | "prefetch"
  | "classify"
  | "floating"
  | "unsupported"
  | "same_type";

export interface BuiltinPrototype {
  readonly returns: QualType;
  readonly params: readonly QualType[];
}

export type BuiltinRow =
  | { readonly kind: "prototype"; readonly prototype: BuiltinPrototype; readonly noreturn: boolean }
  | { readonly kind: BuiltinKind };

/** Reads `returns(params)` in letters, e.g. `*(*?k)` for memcpy. */
function prototype(text: string): BuiltinPrototype {
  const type = (letter: string): QualType => letters[letter] ?? voidType;
  const inside = text.slice(text.indexOf("(") + 1, -1);
  return { returns: type(text[0] ?? "v"), params: [...inside].map(type) };
}

/** Families with the suffixes ``, `l`, `ll`. `U` is the unsigned, `S` the signed type of the width. */
const families: Readonly<Record<string, string>> = {
  ctz: "i(U)",
  clz: "i(U)",
  ffs: "i(S)",
  popcount: "i(U)",
  parity: "i(U)",
  clrsb: "i(S)",
};
const widths: Readonly<Record<string, readonly [unsigned: string, signed: string]>> = {
  "": ["u", "i"],
  l: ["k", "l"],
  ll: ["K", "L"],
};
const familyName = /^__builtin_([a-z]+?)(l{0,2})$/;
const floatName = /^__builtin_(?:huge_val|inf|nan|fabs)[fl]?$/;
const overflowName = /^__builtin_(?:(?:add|sub|mul)|[su](?:add|sub|mul)l{0,2})_overflow$/;

const prototypes = lazy(
  (): Readonly<Record<string, string>> => ({
    __builtin_memcpy: "*(*?k)",
    __builtin_memcpy_inline: "v(*?k)",
    __builtin_memmove: "*(*?k)",
    __builtin_memset: "*(*ik)",
    __builtin_memset_inline: "v(*ik)",
    __builtin_memcmp: "i(??k)",
    __builtin_bcmp: "i(??k)",
    __builtin_bzero: "v(*k)",
    __builtin_strcmp: "i($$)",
    __builtin_strncmp: "i($$k)",
    __builtin_strlen: "k($)",
    __builtin_strcpy: "s(s$)",
    __builtin_strncpy: "s(s$k)",
    __builtin_stpcpy: "s(s$)",
    __builtin_strcat: "s(s$)",
    __builtin_strchr: "s($i)",
    __builtin_strrchr: "s($i)",
    __builtin_strstr: "s($$)",
    __builtin_strpbrk: "s($$)",
    __builtin_strspn: "k($$)",
    __builtin_strcspn: "k($$)",
    __builtin_mempcpy: "*(*?k)",
    __builtin_memchr: "*(?ik)",
    __builtin_bswap16: "h(h)",
    __builtin_bswap32: "u(u)",
    __builtin_bswap64: "k(k)",
    __builtin_bitreverse8: "c(c)",
    __builtin_bitreverse16: "h(h)",
    __builtin_bitreverse32: "u(u)",
    __builtin_bitreverse64: "k(k)",
    __builtin_rotateleft8: "c(cc)",
    __builtin_rotateleft16: "h(hh)",
    __builtin_rotateleft32: "u(uu)",
    __builtin_rotateleft64: "k(kk)",
    __builtin_rotateright8: "c(cc)",
    __builtin_rotateright16: "h(hh)",
    __builtin_rotateright32: "u(uu)",
    __builtin_rotateright64: "k(kk)",
    __builtin_abs: "i(i)",
    __builtin_labs: "l(l)",
    __builtin_llabs: "L(L)",
    __builtin_expect: "l(ll)",
    __builtin_expect_with_probability: "l(ll)",
    __builtin_unpredictable: "l(l)",
    __builtin_assume: "v(b)",
    __builtin_frame_address: "*(u)",
    __builtin_return_address: "*(u)",
    __builtin_extract_return_addr: "*(*)",
    __builtin_readcyclecounter: "K()",
    __sync_synchronize: "v()",
    __atomic_thread_fence: "v(i)",
    __atomic_signal_fence: "v(i)",
    __c11_atomic_thread_fence: "v(i)",
    __c11_atomic_signal_fence: "v(i)",
  }),
);

const noreturns: Readonly<Record<string, string>> = {
  __builtin_unreachable: "v()",
  __builtin_trap: "v()",
  __builtin_abort: "v()",
};

const special = lazy(
  (): Readonly<Record<string, BuiltinKind>> => ({
    __builtin_constant_p: "constant_p",
    __builtin_choose_expr: "choose_expr",
    __builtin_object_size: "object_size",
    __builtin_dynamic_object_size: "object_size",
    __builtin_preserve_access_index: "preserve_access_index",
    __builtin_preserve_field_info: "preserve_field_info",
    __builtin_preserve_type_info: "preserve_type_info",
    __builtin_btf_type_id: "preserve_type_info",
    __builtin_preserve_enum_value: "preserve_enum_value",
    __builtin_va_start: "va_start",
    __builtin_va_end: "va_end",
    __builtin_va_copy: "va_copy",
    __builtin_LINE: "source_line",
    __builtin_FILE: "source_file",
    __builtin_FILE_NAME: "source_file",
    __builtin_FUNCTION: "source_function",
    __builtin_assume_aligned: "assume_aligned",
    __builtin_prefetch: "prefetch",
    __builtin_classify_type: "classify",
    __builtin_launder: "same_type",
    __builtin_debugtrap: "unsupported",
    __builtin_alloca: "alloca",
    __builtin_alloca_uninitialized: "alloca",
    __builtin_alloca_with_align: "alloca",
    __builtin_setjmp: "unsupported",
    __builtin_longjmp: "unsupported",
  }),
);

function familyPrototype(name: string): string | undefined {
  if (!name.startsWith("__builtin_")) return undefined;
  const [, family = "", suffix = ""] = familyName.exec(name) ?? [];
  const shape = Object.hasOwn(families, family) ? families[family] : undefined;
  const [unsigned, signed] = widths[suffix]!;
  return shape?.replace("U", unsigned).replace("S", signed);
}

function of<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** Rows are made for the names that a program asks about: a table of all took 1 ms of every start. */
function makeRow(name: string): BuiltinRow | undefined {
  const kind = of(special(), name);
  if (kind !== undefined) return { kind };
  const noreturn = of(noreturns, name);
  const text = noreturn ?? of(prototypes(), name) ?? familyPrototype(name);
  if (text !== undefined) {
    return { kind: "prototype", prototype: prototype(text), noreturn: noreturn !== undefined };
  }
  if (name.endsWith("_overflow") && overflowName.test(name)) return { kind: "overflow" };
  if (name.startsWith("__builtin_") && floatName.test(name)) return { kind: "floating" };
  return atomicRow(name) !== undefined ? { kind: "atomic" } : undefined;
}

const rows = new Map<string, BuiltinRow | undefined>();

/** The row of a builtin; undefined where the name is none. */
export function builtinRow(name: string): BuiltinRow | undefined {
  if (!name.startsWith("__")) return undefined;
  if (!rows.has(name)) rows.set(name, makeRow(name));
  return rows.get(name);
}

/** Names that belong to the compiler: unknown ones are errors, not undeclared functions. */
export function isBuiltinName(name: string): boolean {
  return name.startsWith("__builtin_") || builtinRow(name) !== undefined;
}

/** Library functions that are compiled as builtins when a program declares but does not define them. */
export const libraryBuiltins = lazy(
  (): ReadonlyMap<string, string> =>
    new Map([
      ["memcpy", "void *(void *, const void *, unsigned long)"],
      ["memmove", "void *(void *, const void *, unsigned long)"],
      ["memset", "void *(void *, int, unsigned long)"],
      ["memcmp", "int (const void *, const void *, unsigned long)"],
      ["bcmp", "int (const void *, const void *, unsigned long)"],
      ["strcmp", "int (const char *, const char *)"],
      ["strncmp", "int (const char *, const char *, unsigned long)"],
      ["strlen", "unsigned long (const char *)"],
      ["alloca", "void *(unsigned long)"],
    ]),
);

/** Library functions whose type clang knows, for the message about calling one undeclared. */
export const libraryTypes = lazy(
  (): ReadonlyMap<string, readonly [string, string]> =>
    new Map([
      ...[...libraryBuiltins()].map(([name, type]): [string, [string, string]] => [
        name,
        [type, name === "alloca" ? "alloca.h" : name === "bcmp" ? "strings.h" : "string.h"],
      ]),
      ["printf", ["int (const char *, ...)", "stdio.h"]],
      ["sprintf", ["int (char *, const char *, ...)", "stdio.h"]],
      ["snprintf", ["int (char *, unsigned long, const char *, ...)", "stdio.h"]],
      ["malloc", ["void *(unsigned long)", "stdlib.h"]],
      ["calloc", ["void *(unsigned long, unsigned long)", "stdlib.h"]],
      ["free", ["void (void *)", "stdlib.h"]],
      ["abort", ["void (void)", "stdlib.h"]],
      ["exit", ["void (int)", "stdlib.h"]],
      ["abs", ["int (int)", "stdlib.h"]],
      ["strcpy", ["char *(char *, const char *)", "string.h"]],
      ["strncpy", ["char *(char *, const char *, unsigned long)", "string.h"]],
      ["strcat", ["char *(char *, const char *)", "string.h"]],
      ["strchr", ["char *(const char *, int)", "string.h"]],
      ["strstr", ["char *(const char *, const char *)", "string.h"]],
    ]),
);
