/** Which types are the same, which are compatible, and what two declarations make together (C17 6.2.7). */
import { addressSpaceOf, bare, canonical, integerRepresentation, plain } from "./type-tools.ts";
import type { CType, FunctionType, IntegerType, QualType } from "./types.ts";

function sameQualifiers(left: QualType, right: QualType): boolean {
  return (
    left.const === right.const &&
    left.volatile === right.volatile &&
    addressSpaceOf(left) === addressSpaceOf(right)
  );
}

function sameInteger(left: IntegerType, right: IntegerType): boolean {
  return (
    left.rank === right.rank &&
    left.plainChar === right.plainChar &&
    // Plain char is one type, whatever its sign.
    (left.plainChar || left.signed === right.signed)
  );
}

function compatibleFunctions(left: FunctionType, right: FunctionType): boolean {
  if (!compatible(left.returns, right.returns)) return false;
  if (!left.prototyped || !right.prototyped) return true;
  if (left.params.length !== right.params.length || left.variadic !== right.variadic) return false;
  return left.params.every((param, i) => {
    const other = right.params[i];
    return other !== undefined && compatibleUnqualified(param.type, other.type);
  });
}

function enumMeetsInteger(left: CType, right: CType): boolean {
  if (left.kind !== "enum" || right.kind !== "int") return false;
  const representation = integerRepresentation(plain(left));
  return representation !== undefined && sameInteger(representation, right);
}

/** Compatible, their own qualifiers aside. */
export function compatibleUnqualified(left: QualType, right: QualType): boolean {
  const a = bare(left);
  const b = bare(right);
  if (a === b) return true;
  if (a.kind === "int" && b.kind === "int") return sameInteger(a, b);
  if (a.kind === "float" && b.kind === "float") return a.name === b.name;
  if (a.kind === "pointer" && b.kind === "pointer") return compatible(a.pointee, b.pointee);
  if (a.kind === "array" && b.kind === "array") {
    const lengthsAgree = a.length === undefined || b.length === undefined || a.length === b.length;
    return lengthsAgree && compatible(a.element, b.element);
  }
  if (a.kind === "function" && b.kind === "function") return compatibleFunctions(a, b);
  if (enumMeetsInteger(a, b) || enumMeetsInteger(b, a)) return true;
  const simple = a.kind === "void" || a.kind === "bool" || a.kind === "va_list";
  return simple && a.kind === b.kind;
}

/** Compatible, qualifiers included. */
export function compatible(left: QualType, right: QualType): boolean {
  return sameQualifiers(canonical(left), canonical(right)) && compatibleUnqualified(left, right);
}

/**
 * What two compatible declarations of one thing make together: the known array length, the
 * prototype; else the newer spelling.
 */
export function composite(older: QualType, newer: QualType): QualType {
  const a = bare(older);
  const b = bare(newer);
  if (a.kind === "array" && b.kind === "array" && b.length === undefined) return older;
  if (a.kind === "function" && b.kind === "function" && a.prototyped && !b.prototyped) {
    return older;
  }
  return newer;
}
