/** Attributes that change a type: machine modes, address spaces, aliasing, BTF type tags. */
import type { Attribute } from "../2-parse/ast.ts";
import { parseAttributes } from "./attributes.ts";
import { type Context, report } from "./context.ts";
import * as types from "./type-tools.ts";
import { asEnum, isError, withQualifiersOf } from "./type-tools.ts";
import type { QualType } from "./types.ts";

const modeSigned: ReadonlyMap<string, QualType> = new Map([
  ["QI", types.signedCharType],
  ["byte", types.signedCharType],
  ["HI", types.shortType],
  ["SI", types.intType],
  ["DI", types.longType],
  ["word", types.longType],
  ["pointer", types.longType],
  ["unwind_word", types.longType],
  ["TI", types.int128Type],
]);

const modeUnsigned: ReadonlyMap<string, QualType> = new Map([
  ["QI", types.unsignedCharType],
  ["byte", types.unsignedCharType],
  ["HI", types.unsignedShortType],
  ["SI", types.unsignedIntType],
  ["DI", types.unsignedLongType],
  ["word", types.unsignedLongType],
  ["pointer", types.unsignedLongType],
  ["unwind_word", types.unsignedLongType],
  ["TI", types.unsignedInt128Type],
]);

/** The type with the machine mode of `attribute mode(…)`; undefined for an unknown mode. */
export function applyMode(type: QualType, mode: string): QualType | undefined {
  const name = mode.replace(/^__(.*)__$/, "$1");
  if (name === "SF" || name === "DF") return name === "SF" ? types.floatType : types.doubleType;
  const table = types.isSigned(type) ? modeSigned : modeUnsigned;
  const found = table.get(name);
  return found && withQualifiersOf(found, { ...type, type: found.type });
}

const typeAttributeNames: ReadonlySet<string> = new Set([
  "btf_type_tag",
  "address_space",
  "mode",
  "may_alias",
]);

/** Applies those attributes that change a type. */
export function applyTypeAttributes(
  context: Context,
  type: QualType,
  attributes: readonly Attribute[],
): QualType {
  const relevant = attributes.filter((a) => typeAttributeNames.has(a.name));
  if (relevant.length === 0) return type;
  const parsed = parseAttributes(context, relevant);
  let result = type;
  if (parsed.mode !== undefined && asEnum(type) === undefined && !isError(type)) {
    const changed = applyMode(type, parsed.mode.name);
    if (changed === undefined) report(context, "unknownMode", parsed.mode.span, [parsed.mode.name]);
    result = changed ?? result;
  }
  if (parsed.addressSpace !== undefined) result = { ...result, addressSpace: parsed.addressSpace };
  if (parsed.mayAlias) result = { ...result, mayAlias: true };
  if (parsed.typeTags.length > 0) {
    result = { ...result, typeTags: [...(result.typeTags ?? []), ...parsed.typeTags] };
  }
  return result;
}
