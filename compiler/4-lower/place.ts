/**
 * Lvalues: where an object is, what is known of its alignment, and — for CO-RE — how the access came
 * about, so that the loader can relocate it.
 */

import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { CheckedExpression } from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { asRecord, pointeeOf } from "../3-check/type-tools.ts";
import type { CType, QualType, RecordField, RecordType } from "../3-check/types.ts";
import { accessAddress, heldPointer } from "./arena.ts";
import { type BitField, bitFieldRun, bitFieldUnit } from "./bit-field.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { globalAddress } from "./ir-builder.ts";
import { aliasesAny } from "./lower-types.ts";
import { alignAt, pointerAlignment, variableAlign } from "./pointer-alignment.ts";
import { beginLife } from "./scopes.ts";

/** A chain of accesses that starts at one pointer. */
export interface CorePath {
  readonly base: Value;
  readonly rootType: CType;
  /** Access string: index from the base pointer, then members and array elements. */
  readonly access: readonly number[];
  /** Bytes from the base, by the local layout. */
  readonly offset: number;
}

export interface Place {
  /** Undefined while it is still a CO-RE chain: {@link addressOf} makes it. */
  readonly address: Value | undefined;
  readonly type: QualType;
  /** Proven alignment of the address, bytes. */
  readonly align: number;
  readonly volatile: boolean;
  /** It lies in a union, or is reached through a type with may_alias: it may be accessed as any type. */
  readonly isPunned?: true;
  /** Of a bit-field: the address is that of its record's start. */
  readonly bits?: BitField;
  readonly core?: CorePath;
}

type Finder<K extends CheckedExpression["kind"]> = (
  state: FunctionState,
  expr: Extract<CheckedExpression, { kind: K }>,
) => Place;

function placeAt(address: Value, type: QualType, align = Math.max(1, alignOf(type))): Place {
  return { address, type, align, volatile: type.volatile, ...(aliasesAny(type) && punned) };
}

const punned = { isPunned: true } as const;

/** An element of an array that is a member of a union. */
function isElementOfPunned(pointer: CheckedExpression): boolean {
  if (pointer.kind === "pointer_offset") return isElementOfPunned(pointer.pointer);
  if (pointer.kind !== "cast" || pointer.cast !== "array_to_pointer") return false;
  const { operand } = pointer;
  if (operand.kind === "dereference") return isElementOfPunned(operand.pointer);
  return operand.kind === "member" && isPunnedMember(operand);
}

function isPunnedMember(expr: Extract<CheckedExpression, { kind: "member" }>): boolean {
  const records = [expr.record, ...expr.path.slice(0, -1).map((field) => asRecord(field.type))];
  if (records.some((record) => record?.kind === "union" || record?.mayAlias === true)) return true;
  const { object } = expr;
  if (aliasesAny(object.type)) return true;
  if (object.kind === "dereference") return isElementOfPunned(object.pointer);
  return object.kind === "member" && isPunnedMember(object);
}

const variablePlace: Finder<"variable"> = (state, { symbol, type }) => {
  const isLocal = symbol.storage === "local" || symbol.storage === "param";
  const align = variableAlign(symbol);
  if (!isLocal) {
    const address = accessAddress(state, globalAddress(symbol.linkName), type);
    return placeAt(address, type, align);
  }
  const slot = state.slots.get(symbol);
  if (slot !== undefined) return placeAt(slot, type, align);
  // A goto may jump over the declaration: the object exists all the same.
  const made = state.alloca(sizeOf(symbol.type), align, symbol.name);
  state.slots.set(symbol, made);
  return placeAt(made, type, align);
};

/** Whether accesses to the record are relocated. */
function preserves(state: FunctionState, type: QualType): boolean {
  if (state.preserving > 0) return true;
  if (!state.module.hasDebugInfo) return false;
  return asRecord(type)?.preserveAccessIndex === true || typedefPreserves(type.type);
}

function typedefPreserves(type: CType): boolean {
  if (type.kind !== "typedef") return false;
  return type.preserveAccessIndex === true || typedefPreserves(type.type.type);
}

const constantIndex = (expr: CheckedExpression): number | undefined => {
  if (expr.kind === "constant") return Number(BigInt.asIntN(64, expr.value));
  return expr.kind === "cast" && expr.cast === "integral" ? constantIndex(expr.operand) : undefined;
};

/** The same place with its address as a value: later accesses are not part of a chain. */
function endChain(state: FunctionState, place: Place): Place {
  if (place.core === undefined) return place;
  const { type, align, volatile, isPunned } = place;
  const address = addressOf(state, place);
  return { address, type, align, volatile, ...(isPunned && punned) };
}

/** `array[constant]`: where the array is reached by a CO-RE chain, the chain goes on. */
function elementPlace(
  state: FunctionState,
  expr: Extract<CheckedExpression, { kind: "dereference" }>,
): Place | undefined {
  const { pointer } = expr;
  if (pointer.kind !== "pointer_offset" || pointer.subtract) return undefined;
  const index = constantIndex(pointer.index);
  const array = pointer.pointer;
  if (index === undefined || array.kind !== "cast" || array.cast !== "array_to_pointer")
    return undefined;
  // By the attribute alone only elements of members are relocated, not elements of elements.
  const continues = state.preserving > 0 || array.operand.kind === "member";
  const found = placeOf(state, array.operand);
  const place = continues ? found : endChain(state, found);
  const offset = index * pointer.elementSize;
  const common = {
    type: expr.type,
    align: alignAt(place.align, offset),
    volatile: expr.type.volatile || place.volatile,
    ...(place.isPunned && punned),
  };
  const { core } = place;
  if (core === undefined) {
    return { ...common, address: state.offset(addressOf(state, place), offset) };
  }
  const access = [...core.access, index];
  return { ...common, address: undefined, core: { ...core, access, offset: core.offset + offset } };
}

/** Whether `pointer[constant]` starts a chain: of a variable or member, as clang has it. */
function indexStartsChain(
  state: FunctionState,
  pointer: CheckedExpression,
  type: QualType,
): boolean {
  if (asRecord(type) === undefined) return false;
  if (state.preserving > 0) return true;
  if (pointer.kind !== "cast" || pointer.cast !== "lvalue_to_rvalue") return false;
  const { operand } = pointer;
  if (operand.kind === "member") return preserves(state, operand.object.type);
  return operand.kind === "variable" && preserves(state, type);
}

/** `pointer[constant]` at the start of a chain: the index is part of it. */
function indexedPlace(
  state: FunctionState,
  expr: Extract<CheckedExpression, { kind: "dereference" }>,
): Place | undefined {
  const { pointer, type } = expr;
  if (pointer.kind !== "pointer_offset" || pointer.subtract) return undefined;
  const index = constantIndex(pointer.index);
  if (index === undefined || !indexStartsChain(state, pointer.pointer, type)) return undefined;
  const core = {
    base: accessAddress(state, state.visit.rvalue(pointer.pointer), type),
    rootType: type.type,
    access: [index],
    offset: index * pointer.elementSize,
  };
  const align = Math.max(1, alignOf(type));
  return { address: undefined, type, align, volatile: type.volatile, core };
}

/** `&pointer[constant]` where CO-RE relocates accesses to the element; otherwise undefined. */
export function relocatedElement(
  state: FunctionState,
  expr: Extract<CheckedExpression, { kind: "pointer_offset" }>,
): Value | undefined {
  const type = pointeeOf(expr.type);
  if (type === undefined) return undefined;
  const array = expr.pointer.kind === "cast" ? expr.pointer.operand : undefined;
  const isRelocated =
    state.preserving > 0 || (array?.kind === "member" && preserves(state, array.object.type));
  const element = { kind: "dereference", pointer: expr, type, span: expr.span } as const;
  const place =
    (isRelocated ? elementPlace(state, element) : undefined) ?? indexedPlace(state, element);
  return place && heldPointer(state, addressOf(state, place), type);
}

const dereferencePlace: Finder<"dereference"> = (state, expr) => {
  const inner = elementPlace(state, expr) ?? indexedPlace(state, expr);
  if (inner !== undefined) return inner;
  const { pointer, type } = expr;
  const known = pointerAlignment(pointer);
  const natural = Math.max(1, alignOf(type));
  // Only a variable's own alignment says less than the type: other pointers are trusted.
  const align = known.isDeclared ? Math.min(known.align, natural) : natural;
  const place = placeAt(accessAddress(state, state.visit.rvalue(pointer), type), type, align);
  return isElementOfPunned(pointer) ? { ...place, ...punned } : place;
};

/** The object of a member access, as the start of a chain where its record is relocated. */
function memberBase(state: FunctionState, object: CheckedExpression): Place {
  const place = placeOf(state, object);
  if (!preserves(state, object.type)) return endChain(state, place);
  if (place.core !== undefined || place.address === undefined) return place;
  const core = { base: place.address, rootType: object.type.type, access: [0], offset: 0 };
  return { ...place, address: undefined, core };
}

const memberPlace: Finder<"member"> = (state, expr) => {
  const base = memberBase(state, expr.object);
  const last = expr.path.at(-1);
  if (last === undefined) throw new InternalError("a member access without a field");
  const bitOffset = expr.path.reduce((sum, field) => sum + field.bitOffset, 0);
  const isBitField = last.bitWidth !== undefined;
  const volatile = base.volatile || expr.type.volatile;
  // The record that holds a bit-field is addressed, not the bit-field.
  const offset = isBitField ? (bitOffset - last.bitOffset) >> 3 : bitOffset >> 3;
  const align = alignAt(base.align, offset);
  const bits = isBitField
    ? { field: last, bitOffset: last.bitOffset, ...bitFieldRun(holderOf(expr), last) }
    : undefined;
  const isPunned = base.isPunned === true || isPunnedMember(expr);
  const common = {
    type: expr.type,
    align,
    volatile,
    ...(bits && { bits }),
    ...(isPunned && punned),
  };
  if (base.core === undefined) {
    return { ...common, address: state.offset(addressOf(state, base), offset) };
  }
  const core: CorePath = {
    ...base.core,
    access: [...base.core.access, ...memberIndices(expr)],
    offset: base.core.offset + offset,
  };
  return { ...common, address: undefined, core };
};

/**
 * Positions of the members on the way to the field, as BTF numbers them: unnamed bit-fields are not
 * members there.
 */
function memberIndices(expr: Extract<CheckedExpression, { kind: "member" }>): number[] {
  let record: RecordType | undefined = expr.record;
  return expr.path.map((field) => {
    const before: readonly RecordField[] = record?.definition?.fields.slice(0, field.index) ?? [];
    record = asRecord(field.type);
    return field.index - before.filter(isPadding).length;
  });
}

function isPadding(field: RecordField): boolean {
  return field.name === undefined && field.bitWidth !== undefined;
}

/** The record that declares the field itself. */
function holderOf(expr: Extract<CheckedExpression, { kind: "member" }>): RecordType | undefined {
  const outer = expr.path.at(-2);
  return outer === undefined ? expr.record : asRecord(outer.type);
}

const literalPlace: Finder<"compound_literal"> = (state, { symbol, initializer, type }) => {
  const slot =
    state.slots.get(symbol) ??
    state.alloca(sizeOf(symbol.type), variableAlign(symbol), symbol.name);
  state.slots.set(symbol, slot);
  // It lives as long as the block that it is written in.
  state.emit("void", { op: "lifetime_start" }, [slot]);
  beginLife(state, symbol);
  const place = placeAt(slot, type);
  state.visit.initialize(slot, symbol.type, initializer);
  return place;
};

/** The place that an expression denotes; rvalues of memory type denote the memory that holds them. */
export function placeOf(state: FunctionState, expr: CheckedExpression): Place {
  switch (expr.kind) {
    case "variable":
      return variablePlace(state, expr);
    case "dereference":
      return dereferencePlace(state, expr);
    case "member":
      return memberPlace(state, expr);
    case "compound_literal":
      return literalPlace(state, expr);
    case "string_literal":
      return placeAt(globalAddress(expr.symbol.linkName), expr.type, 1);
    case "function":
      return placeAt(globalAddress(expr.symbol.linkName), expr.type, 1);
    case "cast":
      if (expr.cast === "noop" || expr.cast === "lvalue_to_rvalue") {
        return { ...placeOf(state, expr.operand), type: expr.type };
      }
      return placeAt(state.visit.rvalue(expr), expr.type);
    default:
      return placeAt(state.visit.rvalue(expr), expr.type);
  }
}

/** Bytes that the offset relocation of a chain gives: for a bit-field, of its access unit. */
export function coreOffset(place: Place): number {
  const { core, bits } = place;
  if (core === undefined) return 0;
  return bits === undefined ? core.offset : core.offset + bitFieldUnit(bits, place.type).offset;
}

/** The address as a value; a CO-RE chain becomes one relocated offset. */
export function addressOf(state: FunctionState, place: Place): Value {
  const { address, core } = place;
  if (address !== undefined) return address;
  if (core === undefined) throw new InternalError("a place without an address");
  const offset = coreOffset(place);
  const access = state.module.coreAccess("field_byte_offset", core.rootType, core.access.join(":"));
  const relocated = state.emit("i64", { op: "core", core: access, value: BigInt(offset) }, []);
  return state.emit("ptr", { op: "ptradd" }, [core.base, relocated]);
}

/** The address of an lvalue as a pointer that the program may hold. */
export function pointerTo(state: FunctionState, expr: CheckedExpression): Value {
  return heldPointer(state, addressOf(state, placeOf(state, expr)), expr.type);
}
