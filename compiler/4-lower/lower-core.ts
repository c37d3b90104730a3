/** CO-RE builtins: accesses and facts about types that the loader settles. */
import type { CoreRelocationKind } from "../../common/object/btf.ts";
import type { CheckedBuiltin, CheckedExpression } from "../3-check/checked.ts";
import { sizeOf } from "../3-check/layout.ts";
import { isSigned } from "../3-check/type-tools.ts";
import type { CType, QualType } from "../3-check/types.ts";
import { convertInteger } from "./access.ts";
import { bitFieldUnit } from "./bit-field.ts";
import type { FunctionState } from "./function-state.ts";
import type { Value } from "./ir.ts";
import { constant } from "./ir-builder.ts";
import { scalarType } from "./lower-types.ts";
import { type Place, placeOf } from "./place.ts";

function relocated(
  state: FunctionState,
  kind: CoreRelocationKind,
  rootType: CType,
  access: string,
  value: bigint,
  type: QualType,
): Value {
  const core = state.module.coreAccess(kind, rootType, access);
  const result = state.emit("i64", { op: "core", core, value }, []);
  return convertInteger(state, result, scalarType(type), false);
}

/** `__builtin_preserve_access_index(e)`: every access in `e` is relocated. */
export function preserveAccess(state: FunctionState, expr: CheckedBuiltin): Value {
  const [access] = expr.args;
  if (access === undefined) return constant("i64", 0);
  state.preserving += 1;
  const value = state.visit.rvalue(access);
  state.preserving -= 1;
  return value;
}

const fieldKinds: readonly CoreRelocationKind[] = [
  "field_byte_offset",
  "field_byte_size",
  "field_exists",
  "field_signed",
  "field_lshift_u64",
  "field_rshift_u64",
];

/** What the relocation gives on the local layout. */
function localFieldValue(state: FunctionState, kind: CoreRelocationKind, place: Place): bigint {
  const { bits, core, type } = place;
  const unit = bits === undefined ? { offset: 0, size: sizeOf(type) } : bitFieldUnit(bits, type);
  const width = bits?.field.bitWidth ?? unit.size * 8;
  const start = bits === undefined ? 0 : bits.bitOffset - unit.offset * 8;
  switch (kind) {
    case "field_byte_offset":
      return BigInt((core?.offset ?? 0) + unit.offset);
    case "field_byte_size":
      return BigInt(unit.size);
    case "field_exists":
      return 1n;
    case "field_signed":
      return isSigned(type) ? 1n : 0n;
    case "field_lshift_u64":
      return BigInt(
        state.module.endian === "little" ? 64 - (start + width) : (8 - unit.size) * 8 + start,
      );
    default:
      return BigInt(64 - width);
  }
}

/** Evaluates nothing: only the path of the access counts. */
export function fieldInfo(state: FunctionState, expr: CheckedBuiltin): Value {
  const [field, flag] = expr.args;
  const kind = flag?.kind === "constant" ? fieldKinds[Number(flag.value)] : undefined;
  if (field === undefined || kind === undefined) return constant(scalarType(expr.type), 0);
  const place = unevaluatedPlace(state, field);
  state.at(expr.span);
  const { core } = place;
  if (core === undefined)
    return constant(scalarType(expr.type), localFieldValue(state, kind, place));
  const value = localFieldValue(state, kind, place);
  return relocated(state, kind, core.rootType, core.access.join(":"), value, expr.type);
}

/** The place of an operand that is not evaluated: code made for it is dropped. */
function unevaluatedPlace(state: FunctionState, field: CheckedExpression): Place {
  const { block } = state;
  const scratch = state.newBlock("unevaluated");
  state.block = scratch;
  state.preserving += 1;
  const place = placeOf(state, field);
  state.preserving -= 1;
  state.block = block;
  return place;
}

const typeKinds: Readonly<Record<string, readonly CoreRelocationKind[]>> = {
  __builtin_preserve_type_info: ["type_exists", "type_size", "type_matches"],
  __builtin_btf_type_id: ["type_id_local", "type_id_target"],
};

/** Facts about a whole type. Type ids are filled in when code is emitted. */
export function typeInfo(state: FunctionState, expr: CheckedBuiltin): Value {
  const flag = expr.args[1];
  const kind = flag?.kind === "constant" ? typeKinds[expr.name]?.[Number(flag.value)] : undefined;
  const type = expr.typeArg;
  if (kind === undefined || type === undefined) return constant(scalarType(expr.type), 0);
  const value = kind === "type_size" ? BigInt(sizeOf(type)) : 1n;
  return relocated(state, kind, type.type, "0", value, expr.type);
}

/** Existence or value of an enumerator; its position in the enum is the access string. */
export function enumValue(state: FunctionState, expr: CheckedBuiltin): Value {
  const flag = expr.args[1];
  const { enumerator, typeArg } = expr;
  if (enumerator === undefined || typeArg === undefined || flag?.kind !== "constant") {
    return constant(scalarType(expr.type), 0);
  }
  const { enumType, name, value } = enumerator;
  const index = enumType.definition?.enumerators.findIndex((e) => e.name === name) ?? 0;
  const exists = flag.value === 0n;
  const kind = exists ? "enumval_exists" : "enumval_value";
  const local = exists ? 1n : BigInt.asUintN(64, value);
  return relocated(state, kind, typeArg.type, String(Math.max(0, index)), local, expr.type);
}
