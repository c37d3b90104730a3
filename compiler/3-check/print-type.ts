/** C types as clang writes them in messages: `'__u32 *' (aka 'unsigned int *')`. */
import { presumedPlace, type Span } from "../../common/diagnostics/source.ts";
import { canonical } from "./type-tools.ts";
import type { CType, FunctionType, IntegerType, QualType } from "./types.ts";

const places = new WeakMap<object, Span>();

/** Remembers where a record, an enum or a parameter was written, for messages. */
export function rememberPlace(type: object, span: Span): void {
  places.set(type, span);
}

export function placeOf(type: object): Span | undefined {
  return places.get(type);
}

function outermost(span: Span): Span {
  return span.expandedFrom === undefined ? span : outermost(span.expandedFrom);
}

function tagName(word: string, type: CType & { readonly tag: string | undefined }): string {
  if (type.tag !== undefined) return `${word} ${type.tag}`;
  const span = places.get(type);
  if (span === undefined) return `${word} (unnamed)`;
  const place = outermost(span);
  const { path, line, column } = presumedPlace(place.file, place.start);
  return `${word} (unnamed ${word} at ${path}:${line}:${column})`;
}

function integerName(type: IntegerType): string {
  if (type.rank === "char") {
    if (type.plainChar) return "char";
    return type.signed ? "signed char" : "unsigned char";
  }
  const base = type.rank === "int128" ? "__int128" : type.rank;
  return type.signed ? base : `unsigned ${base}`;
}

function baseName(type: CType): string {
  switch (type.kind) {
    case "void":
      return "void";
    case "bool":
      return "_Bool";
    case "int":
      return integerName(type);
    case "float":
      return type.name;
    case "va_list":
      return "__builtin_va_list";
    case "struct":
    case "union":
    case "enum":
      return tagName(type.kind, type);
    case "typedef":
      return type.name;
    case "pointer":
    case "array":
    case "function":
      return "";
  }
}

function qualifierWords(type: QualType): string {
  const words: string[] = [];
  if (type.const) words.push("const");
  if (type.volatile) words.push("volatile");
  if (type.restrict) words.push("restrict");
  if (type.addressSpace !== undefined) {
    words.push(`__attribute__((address_space(${type.addressSpace})))`);
  }
  return words.join(" ");
}

function parameterList(type: FunctionType): string {
  const params = type.params.map((p) => printType(p.type));
  if (type.variadic) params.push("...");
  if (params.length === 0 && type.prototyped) return "void";
  return params.join(", ");
}

/** The type written around `inner`, the declarator so far. */
function around(type: QualType, inner: string): string {
  const found = type.type;
  if (found.kind === "pointer") {
    const { addressSpace: _, ...own } = type;
    const words = qualifierWords(own);
    const star = `*${words}${words !== "" && inner !== "" && !inner.startsWith("[") ? " " : ""}`;
    const target = found.pointee.type.kind;
    const wrapped =
      target === "array" || target === "function" ? `(${star}${inner})` : star + inner;
    return around(found.pointee, wrapped);
  }
  if (found.kind === "array") {
    return around(found.element, `${inner}[${found.length ?? ""}]`);
  }
  if (found.kind === "function") {
    return around(found.returns, `${inner}(${parameterList(found)})`);
  }
  const words = qualifierWords(type);
  const base = `${words}${words === "" ? "" : " "}${baseName(found)}`;
  if (inner === "") return base;
  return inner.startsWith("[") ? base + inner : `${base} ${inner}`;
}

/** The type without quotes, with its typedef names. */
export function printType(type: QualType): string {
  return around(type, "");
}

function desugar(type: QualType): QualType {
  const outer = canonical(type);
  const found = outer.type;
  if (found.kind === "pointer") {
    return { ...outer, type: { kind: "pointer", pointee: desugar(found.pointee) } };
  }
  if (found.kind === "array") {
    return { ...outer, type: { ...found, element: desugar(found.element) } };
  }
  if (found.kind === "function") {
    const params = found.params.map((p) => ({ ...p, type: desugar(p.type) }));
    return { ...outer, type: { ...found, returns: desugar(found.returns), params } };
  }
  return outer;
}

/** The type in quotes, with what it stands for: `'u32' (aka 'unsigned int')`. */
export function quoteType(type: QualType): string {
  const written = printType(type);
  const plainText = printType(desugar(type));
  return written === plainText ? `'${written}'` : `'${written}' (aka '${plainText}')`;
}
