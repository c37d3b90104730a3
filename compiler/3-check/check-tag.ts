/** `struct`, `union` and `enum` as type specifiers: references, definitions, forward declarations. */
import type { Span } from "../../common/diagnostics/source.ts";
import type { EnumSpecifier, RecordSpecifier } from "../2-parse/ast.ts";
import { type Context, previousNote, report } from "./context.ts";
import { tagPlace } from "./expression-place.ts";
import { placeOf } from "./print-type.ts";
import { bindTag, lazyEnum, lazyRecord, lookUpTag, lookUpTagHere } from "./scope.ts";
import { bare, errorType, plain } from "./type-tools.ts";
import type { CType, EnumType, QualType, RecordType } from "./types.ts";

function newTagged(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  definesNow: boolean,
): RecordType | EnumType {
  const lazy = context.lazy && context.scope.kind === "file" && definesNow;
  const type =
    specifier.kind === "record"
      ? lazyRecord(context, specifier, lazy ? specifier : undefined, context.ordinal)
      : lazyEnum(context, specifier, lazy ? specifier : undefined, context.ordinal);
  if (specifier.tag !== undefined) context.scope.tags.set(specifier.tag, type);
  return type;
}

function kindOf(specifier: RecordSpecifier | EnumSpecifier): "struct" | "union" | "enum" {
  if (specifier.kind === "enum") return "enum";
  return specifier.union ? "union" : "struct";
}

function referencedTag(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  tag: string,
  isolated: boolean,
): QualType {
  const found = isolated ? lookUpTagHere(context, tag) : lookUpTag(context, tag);
  if (found !== undefined) {
    if (found.kind === kindOf(specifier)) return plain(found);
    bindTag(context, tag);
    const place = placeOf(found);
    report(
      context,
      "wrongTagKind",
      specifier.span,
      [tag],
      place && previousNote(place, "previous use is here"),
    );
    return errorType;
  }
  if (context.scope.kind === "prototype" && specifier.kind === "record") {
    const place = tagPlace(specifier.span, tag);
    report(context, "visibilityRecord", place, [`${kindOf(specifier)} ${tag}`]);
  }
  return plain(newTagged(context, specifier, false));
}

function isDefinition(specifier: RecordSpecifier | EnumSpecifier): boolean {
  return specifier.kind === "record"
    ? specifier.members !== undefined
    : specifier.enumerators !== undefined;
}

function define(
  context: Context,
  type: RecordType | EnumType,
  specifier: RecordSpecifier | EnumSpecifier,
): void {
  if (type.kind === "enum") {
    if (specifier.kind === "enum") context.recurse.defineEnum(context, type, specifier);
  } else if (specifier.kind === "record") context.recurse.defineRecord(context, type, specifier);
}

/** The type that a tag specifier means; `isolated` as in `struct x;`, which declares anew. */
export function taggedType(
  context: Context,
  specifier: RecordSpecifier | EnumSpecifier,
  isolated: boolean,
): QualType {
  const known = context.specified.get(specifier);
  if (known !== undefined) return plain(known);
  if (!isDefinition(specifier)) {
    return specifier.tag === undefined
      ? errorType
      : referencedTag(context, specifier, specifier.tag, isolated);
  }
  const earlier = specifier.tag === undefined ? undefined : lookUpTagHere(context, specifier.tag);
  if (specifier.tag !== undefined) bindTag(context, specifier.tag);
  const again = context.specified.get(specifier);
  if (again !== undefined) return plain(again);
  if (earlier === undefined) {
    const type = newTagged(context, specifier, true);
    if (!(context.lazy && context.scope.kind === "file")) define(context, type, specifier);
    return plain(type);
  }
  if (earlier.kind !== kindOf(specifier) || earlier.definition !== undefined) {
    const place = placeOf(earlier);
    const name = earlier.kind === kindOf(specifier) ? "redefinition" : "wrongTagKind";
    report(
      context,
      name,
      tagPlace(specifier.span, specifier.tag),
      [specifier.tag ?? ""],
      place && previousNote(place),
    );
    return earlier.kind === kindOf(specifier) ? plain(earlier) : errorType;
  }
  context.specified.set(specifier, earlier);
  define(context, earlier, specifier);
  return plain(earlier);
}

/** The note that shows where an incomplete tag was first named. */
export function forwardNote(type: QualType): { notes?: { message: string; span: Span }[] } {
  let at: CType = bare(type);
  while (at.kind === "array") at = bare(at.element);
  const place = placeOf(at);
  if (place === undefined || (at.kind !== "struct" && at.kind !== "union" && at.kind !== "enum")) {
    return {};
  }
  return {
    notes: [{ message: `forward declaration of '${at.kind} ${at.tag ?? ""}'`, span: place }],
  };
}
