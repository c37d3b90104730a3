/**
 * Making and asking C types: the basic types, what lies under typedefs, and the predicates of
 * C17 6.2.5 (integer, arithmetic, scalar …). Nothing here reports errors.
 */
import type {
  ArrayType,
  CType,
  EnumType,
  FunctionType,
  IntegerRank,
  IntegerType,
  QualType,
  RecordType,
} from "./types.ts";

/** A type without qualifiers. */
export function plain(type: CType): QualType {
  return { type, const: false, volatile: false, restrict: false };
}

function integer(rank: IntegerRank, signed: boolean, plainChar = false): QualType {
  return plain({ kind: "int", rank, signed, plainChar });
}

export const voidType = plain({ kind: "void" });
export const boolType = plain({ kind: "bool" });
export const charType = integer("char", true, true);
/** `char` with -funsigned-char. */
export const unsignedPlainCharType = integer("char", false, true);
export const signedCharType = integer("char", true);
export const unsignedCharType = integer("char", false);
export const shortType = integer("short", true);
export const unsignedShortType = integer("short", false);
export const intType = integer("int", true);
export const unsignedIntType = integer("int", false);
export const longType = integer("long", true);
export const unsignedLongType = integer("long", false);
export const longLongType = integer("long long", true);
export const unsignedLongLongType = integer("long long", false);
export const int128Type = integer("int128", true);
export const unsignedInt128Type = integer("int128", false);
export const floatType = plain({ kind: "float", name: "float", size: 4 });
export const doubleType = plain({ kind: "float", name: "double", size: 8 });
/** On BPF a long double is a double. */
export const longDoubleType = plain({ kind: "float", name: "long double", size: 8 });
export const vaListType = plain({ kind: "va_list" });
export const sizeType = unsignedLongType;
export const pointerDifferenceType = longType;

/** The type of what could not be checked: whatever is done with it is silent. */
export const errorType: QualType = integer("int", true);

const integerSizes: Readonly<Record<IntegerRank, number>> = {
  char: 1,
  short: 2,
  int: 4,
  long: 8,
  "long long": 8,
  int128: 16,
};

/** Size in bytes; also the alignment. */
export function integerSize(type: IntegerType): number {
  return integerSizes[type.rank];
}

export function pointerTo(pointee: QualType): QualType {
  return plain({ kind: "pointer", pointee });
}

export function arrayOf(element: QualType, length: number | undefined): QualType {
  return plain({ kind: "array", element, length });
}

/** Adds the qualifiers and tags of `outer` to `inner`. */
export function withQualifiersOf(inner: QualType, outer: QualType): QualType {
  const tags = [...(inner.typeTags ?? []), ...(outer.typeTags ?? [])];
  const space = outer.addressSpace ?? inner.addressSpace;
  if (
    !outer.const &&
    !outer.volatile &&
    !outer.restrict &&
    outer.typeTags === undefined &&
    outer.addressSpace === undefined &&
    outer.mayAlias === undefined
  ) {
    return inner;
  }
  return {
    type: inner.type,
    const: inner.const || outer.const,
    volatile: inner.volatile || outer.volatile,
    restrict: inner.restrict || outer.restrict,
    ...(tags.length > 0 && { typeTags: tags }),
    ...(space !== undefined && { addressSpace: space }),
    ...((inner.mayAlias ?? outer.mayAlias) && { mayAlias: true }),
  };
}

/** The type under its typedefs; the qualifiers of an array are those of its elements. */
export function canonical(type: QualType): QualType {
  let at = type;
  while (at.type.kind === "typedef") at = withQualifiersOf(at.type.type, at);
  if (at.type.kind === "array" && (at.const || at.volatile || at.addressSpace !== undefined)) {
    const element = withQualifiersOf(at.type.element, { ...at, restrict: false });
    return plain({ kind: "array", element, length: at.type.length });
  }
  return at;
}

/** The address space of objects of that type, which a typedef may bring. */
export function addressSpaceOf(type: QualType | undefined): number {
  return type === undefined ? 0 : (canonical(type).addressSpace ?? 0);
}

/** {@link canonical}'s type, for asking its kind. */
export function bare(type: QualType): CType {
  let at = type;
  while (at.type.kind === "typedef") at = at.type.type;
  return at.type.kind === "array" ? canonical(type).type : at.type;
}

/** The same type without its own qualifiers; typedefs are kept where they bring none. */
export function unqualified(type: QualType): QualType {
  if (isUnqualified(type)) {
    if (type.type.kind !== "typedef" || isUnqualified(canonical(type))) return type;
    return plain(canonical(type).type);
  }
  const typedefs = plain(type.type);
  return type.type.kind !== "typedef" || isUnqualified(canonical(typedefs))
    ? typedefs
    : plain(canonical(typedefs).type);
}

function isUnqualified(type: QualType): boolean {
  return (
    !type.const &&
    !type.volatile &&
    !type.restrict &&
    type.typeTags === undefined &&
    type.addressSpace === undefined
  );
}

export function withConst(type: QualType): QualType {
  return type.const ? type : { ...type, const: true };
}

export function isError(type: QualType): boolean {
  return bare(type) === errorType.type;
}

export function isVoid(type: QualType): boolean {
  return bare(type).kind === "void";
}

/** _Bool, the integer types and enums. */
export function isInteger(type: QualType): boolean {
  const { kind } = bare(type);
  return kind === "int" || kind === "bool" || kind === "enum";
}

export function isFloat(type: QualType): boolean {
  return bare(type).kind === "float";
}

export function isArithmetic(type: QualType): boolean {
  return isInteger(type) || isFloat(type);
}

export function isPointer(type: QualType): boolean {
  const { kind } = bare(type);
  return kind === "pointer" || kind === "va_list";
}

export function isScalar(type: QualType): boolean {
  return isArithmetic(type) || isPointer(type);
}

export function isRecord(type: QualType): boolean {
  const { kind } = bare(type);
  return kind === "struct" || kind === "union";
}

export function asRecord(type: QualType): RecordType | undefined {
  const found = bare(type);
  return found.kind === "struct" || found.kind === "union" ? found : undefined;
}

export function asEnum(type: QualType): EnumType | undefined {
  const found = bare(type);
  return found.kind === "enum" ? found : undefined;
}

export function asArray(type: QualType): ArrayType | undefined {
  const found = bare(type);
  return found.kind === "array" ? found : undefined;
}

export function asFunction(type: QualType): FunctionType | undefined {
  const found = bare(type);
  return found.kind === "function" ? found : undefined;
}

/** What a pointer points to; undefined for other types. */
export function pointeeOf(type: QualType): QualType | undefined {
  const found = bare(type);
  if (found.kind === "pointer") return found.pointee;
  return found.kind === "va_list" ? voidType : undefined;
}

/** The integer type that represents a bool, enum or integer; undefined for other types. */
export function integerRepresentation(type: QualType): IntegerType | undefined {
  const found = bare(type);
  if (found.kind === "int") return found;
  if (found.kind === "enum") {
    return found.definition?.underlying ?? (unsignedIntType.type as IntegerType);
  }
  return found.kind === "bool" ? (unsignedCharType.type as IntegerType) : undefined;
}

/** Signedness of an integer or enum; pointers and _Bool count as unsigned. */
export function isSigned(type: QualType): boolean {
  if (bare(type).kind === "bool") return false;
  return integerRepresentation(type)?.signed ?? false;
}

/** Width in bits of a scalar's value: 1 for _Bool, 64 for pointers. */
export function scalarBits(type: QualType): number {
  const found = bare(type);
  if (found.kind === "bool") return 1;
  if (found.kind === "float") return found.size * 8;
  const representation = integerRepresentation(type);
  return representation === undefined ? 64 : integerSize(representation) * 8;
}

/** The value as the type holds it: wrapped to its width and sign; for _Bool 0 or 1. */
export function wrapToType(value: bigint, type: QualType): bigint {
  if (bare(type).kind === "bool") return value === 0n ? 0n : 1n;
  const bits = scalarBits(type);
  return isSigned(type) ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

/** Whether the type is complete enough to have objects: not void, function, `[]` or a mere tag. */
export function isComplete(type: QualType): boolean {
  const found = bare(type);
  switch (found.kind) {
    case "void":
    case "function":
      return false;
    case "array":
      return found.length !== undefined && isComplete(found.element);
    case "struct":
    case "union":
      return found.definition !== undefined;
    case "enum":
      return found.definition !== undefined;
    case "bool":
    case "int":
    case "float":
    case "pointer":
    case "typedef":
    case "va_list":
      return true;
  }
}
