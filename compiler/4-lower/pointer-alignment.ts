/**
 * What is known of the alignment of an address from the expression that makes it, without evaluating
 * it. Pointers that come from elsewhere are trusted to be aligned for their type, as in clang;
 * members of packed records and parts of variables are only as aligned as their place.
 */
import type { CheckedExpression, VariableSymbol } from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { isVoid, pointeeOf } from "../3-check/type-tools.ts";
import { isMemory } from "./lower-types.ts";

export interface Alignment {
  /** Bytes. */
  readonly align: number;
  /** It follows from the declaration of a variable: a cast cannot raise it. */
  readonly isDeclared: boolean;
}

/** Alignment of `offset` bytes behind an address of that alignment. */
export function alignAt(align: number, offset: number): number {
  // Beyond 2^32 the low bits that count are zero.
  const lowest = offset & -offset;
  return lowest === 0 ? align : Math.min(align, Math.abs(lowest));
}

/** Objects on the stack are aligned for the widest access that fits them, so that they can be filled wide. */
export function variableAlign(symbol: VariableSymbol): number {
  const natural = Math.max(1, alignOf(symbol.type), symbol.attributes.align ?? 1);
  const isOnStack = symbol.storage === "local" || symbol.storage === "param";
  if (!isOnStack || !isMemory(symbol.type)) return natural;
  const widest = [8, 4, 2].find((width) => sizeOf(symbol.type) >= width) ?? 1;
  return Math.max(natural, widest);
}

/** The alignment of the object that an lvalue denotes. */
export function objectAlignment(expr: CheckedExpression): Alignment {
  switch (expr.kind) {
    case "variable":
      return { align: variableAlign(expr.symbol), isDeclared: true };
    case "member": {
      const bits = expr.path.reduce((sum, field) => sum + field.bitOffset, 0);
      const { align, isDeclared } = objectAlignment(expr.object);
      return { align: alignAt(align, bits >> 3), isDeclared };
    }
    case "dereference": {
      const pointer = pointerAlignment(expr.pointer);
      const natural = Math.max(1, alignOf(expr.type));
      return pointer.isDeclared
        ? { ...pointer, align: pointer.align }
        : { align: natural, isDeclared: false };
    }
    case "cast":
      if (expr.cast === "noop" || expr.cast === "lvalue_to_rvalue")
        return objectAlignment(expr.operand);
      break;
    case "string_literal":
      return { align: 1, isDeclared: true };
    default:
  }
  return { align: Math.max(1, alignOf(expr.type)), isDeclared: false };
}

/** The alignment of what a pointer expression points to. */
export function pointerAlignment(expr: CheckedExpression): Alignment {
  switch (expr.kind) {
    case "address_of":
      return objectAlignment(expr.operand);
    case "pointer_offset": {
      const base = pointerAlignment(expr.pointer);
      const isConstant = expr.index.kind === "constant";
      const step = isConstant ? Number(expr.index.value) * expr.elementSize : expr.elementSize;
      return { ...base, align: alignAt(base.align, step) };
    }
    case "cast":
      if (expr.cast === "array_to_pointer") return objectAlignment(expr.operand);
      if (expr.cast === "bitcast" || expr.cast === "noop") return castAlignment(expr);
      break;
    default:
  }
  return { align: naturalAlign(expr), isDeclared: false };
}

function naturalAlign(expr: CheckedExpression): number {
  const pointee = pointeeOf(expr.type);
  return pointee === undefined ? 1 : Math.max(1, alignOf(pointee));
}

/** A cast that the user wrote promises the new type's alignment, where the address is not a variable's. */
function castAlignment(expr: Extract<CheckedExpression, { kind: "cast" }>): Alignment {
  const inner = pointerAlignment(expr.operand);
  const pointee = pointeeOf(expr.type);
  if (inner.isDeclared || pointee === undefined || isVoid(pointee) || !expr.explicit) return inner;
  return { align: naturalAlign(expr), isDeclared: false };
}
