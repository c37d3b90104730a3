/** Variables of static storage → IR globals, in the sections that clang puts them. */
import type { StaticData, VariableSymbol } from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { asArray, canonical } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { isInArena } from "./arena.ts";
import type { IrGlobal } from "./ir.ts";

function isConstant(type: QualType): boolean {
  const array = asArray(type);
  return canonical(type).const || (array !== undefined && isConstant(array.element));
}

function isVolatile(type: QualType): boolean {
  const array = asArray(type);
  return canonical(type).volatile || (array !== undefined && isVolatile(array.element));
}

const isZero = (data: StaticData | undefined): boolean =>
  data === undefined || (data.relocations.length === 0 && data.bytes.every((byte) => byte === 0));

/** Its type is not const, but writing to it is undefined. */
function isStringLiteral(symbol: VariableSymbol): boolean {
  return symbol.anonymous === true && symbol.name.startsWith(".L.str");
}

function sectionOf(symbol: VariableSymbol): string {
  const { section } = symbol.attributes;
  if (section !== undefined) return section;
  if (isInArena(symbol.type)) return ".addr_space.1";
  if (isStringLiteral(symbol)) {
    return hasInnerNul(symbol.data) ? ".rodata" : ".rodata.str1.1";
  }
  if (isConstant(symbol.type)) return ".rodata";
  return isZero(symbol.data) ? ".bss" : ".data";
}

/** Strings with a NUL inside cannot be merged by their tails. */
function hasInnerNul(data: StaticData | undefined): boolean {
  return data === undefined || data.bytes.indexOf(0) !== data.bytes.length - 1;
}

/** The global of one variable; externs have no data. */
export function lowerGlobal(symbol: VariableSymbol): IrGlobal {
  const { attributes, data } = symbol;
  const isExtern = !symbol.defined;
  const local = symbol.storage === "static";
  const section = isExtern ? (attributes.section ?? "") : sectionOf(symbol);
  const isString = section === ".rodata.str1.1";
  const keepsData = data !== undefined && !(section.startsWith(".bss") && isZero(data));
  // Flexible arrays with an initialiser make the object larger than its type.
  const size = Math.max(isExtern ? 0 : sizeOf(symbol.type), data?.bytes.length ?? 0);
  return {
    name: symbol.linkName,
    section,
    binding: local ? "local" : attributes.weak ? "weak" : "global",
    visibility: attributes.hidden ? "hidden" : "default",
    align: isString ? 1 : Math.max(1, alignOf(symbol.type), attributes.align ?? 1),
    size,
    ...(keepsData && !isExtern && { data: data.bytes }),
    relocations: (data?.relocations ?? []).map(({ offset, symbol: target, addend }) => ({
      offset,
      symbol: target.linkName,
      addend,
    })),
    constant: isStringLiteral(symbol) || (isConstant(symbol.type) && !isVolatile(symbol.type)),
    isExtern,
  };
}
