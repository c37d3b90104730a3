/** One CO-RE relocation against one target: candidates, agreement between them, the decision. */
import type { Btf, BtfType, CoreRelocation, TypeId } from "../../common/object/btf.ts";
import { type Access, localAccess, targetAccess } from "./access.ts";
import { candidatesFor, typeName } from "./names.ts";
import { type CoreValue, coreValue } from "./value.ts";

/** How a load or store changes when the target's field has another size. */
export interface LoadSizeChange {
  readonly from: number;
  readonly to: number;
  /** Only pointers and unsigned integers may change their size. */
  readonly safe: boolean;
}

/** What becomes of the instruction. */
export type CoreDecision =
  | {
      readonly kind: "value";
      readonly original: bigint;
      readonly value: bigint;
      readonly exact: boolean;
      readonly resize: LoadSizeChange | undefined;
    }
  /** The target lacks the field or enumerator: the instruction must not be reached. */
  | { readonly kind: "poison"; readonly original: bigint }
  | { readonly kind: "error"; readonly message: string };

export interface CoreResolution {
  readonly relocation: CoreRelocation;
  readonly decision: CoreDecision;
  readonly local: Access | undefined;
  /** The place in the target that was chosen; undefined where there is none. */
  readonly target: Access | undefined;
  /** Types of the target that had the name and kind. */
  readonly candidates: readonly TypeId[];
}

/** Decides one relocation. */
export function resolveCoreRelocation(
  local: Btf,
  relocation: CoreRelocation,
  target: Btf,
): CoreResolution {
  const fail = (message: string, access?: Access): CoreResolution => ({
    relocation,
    decision: { kind: "error", message },
    local: access,
    target: undefined,
    candidates: [],
  });
  const access = localAccess(local, relocation);
  if (typeof access === "string") return fail(access);
  if (relocation.kind === "type_id_local") {
    const id = BigInt(relocation.type);
    const decision: CoreDecision = {
      kind: "value",
      original: id,
      value: id,
      exact: false,
      resize: undefined,
    };
    return { relocation, decision, local: access, target: undefined, candidates: [] };
  }
  const type = local.types[relocation.type - 1] as BtfType;
  if (typeName(type) === "") return fail("a type without name cannot be looked up", access);
  const candidates = candidatesFor(type, target);
  const original = coreValue(relocation.kind, access);
  const matches = candidates.flatMap((id) => {
    const found = targetAccess(access, relocation.kind, target, id);
    return found === undefined ? [] : [{ access: found, value: coreValue(relocation.kind, found) }];
  });
  const [first, ...others] = matches;
  const ambiguous = first && others.find((other) => !agree(first, other));
  if (ambiguous !== undefined) {
    return { ...fail("the target has several such types, which differ", access), candidates };
  }
  const found = first?.value ?? coreValue(relocation.kind, undefined);
  const decision = decide(local, target, original, found);
  return { relocation, decision, local: access, target: first?.access, candidates };
}

interface Match {
  readonly access: Access;
  readonly value: CoreValue;
}

/** Candidates may differ, as long as the instruction becomes the same. */
function agree(a: Match, b: Match): boolean {
  if (a.access.bitOffset !== b.access.bitOffset) return false;
  if (a.value.kind === "value" && b.value.kind === "value") return a.value.value === b.value.value;
  return a.value.kind === b.value.kind;
}

function decide(local: Btf, target: Btf, original: CoreValue, found: CoreValue): CoreDecision {
  if (original.kind === "error") return original;
  if (found.kind === "error") return found;
  const before = original.kind === "value" ? original.value : 0n;
  if (original.kind === "impossible" || found.kind === "impossible") {
    return { kind: "poison", original: before };
  }
  const resize =
    original.size === found.size
      ? undefined
      : {
          from: original.size,
          to: found.size,
          safe: mayResize(local.types[original.type - 1], target.types[found.type - 1]),
        };
  return { kind: "value", original: before, value: found.value, exact: original.exact, resize };
}

function mayResize(a: BtfType | undefined, b: BtfType | undefined): boolean {
  if (a?.kind === "ptr" && b?.kind === "ptr") return true;
  return a?.kind === "int" && b?.kind === "int" && !a.signed && !b.signed;
}
