/** CO-RE relocations in words, for messages and reports. */
import type { Btf, CoreRelocation } from "../../common/object/btf.ts";
import { type Access, localAccess, relocationGroup } from "./access.ts";
import { typeName } from "./names.ts";
import type { CoreResolution } from "./resolve.ts";

const kindWords: Readonly<Record<string, string>> = { typedef: "typedef", enum64: "enum" };

/** `struct task_struct`; `type 12` where it has no name. */
export function describeType(btf: Btf, id: number): string {
  const type = btf.types[id - 1];
  const name = typeName(type);
  if (type === undefined || name === "") return `type ${id}`;
  return type.kind === "int" ? name : `${kindWords[type.kind] ?? type.kind} ${name}`;
}

/** `struct task_struct.mm.start_stack`, `enum bpf_map_type::BPF_MAP_TYPE_HASH`. */
export function describePath(access: Access): string {
  let text = describeType(access.btf, access.root);
  access.steps.forEach(({ name, index }, position) => {
    const type = access.btf.types[(access.steps[0]?.type ?? 0) - 1];
    const isEnum = type?.kind === "enum" || type?.kind === "enum64";
    if (name !== undefined) text += `${isEnum ? "::" : "."}${name}`;
    else if (position > 0 || index > 0) text += `[${index}]`;
  });
  return text;
}

/** The relocation as the object's own types see it. */
export function describeAccess(btf: Btf, relocation: CoreRelocation): string {
  const access = localAccess(btf, relocation);
  const what =
    typeof access === "string"
      ? `${describeType(btf, relocation.type)} ${relocation.access}`
      : describePath(access);
  return `${relocation.kind} of ${what}`;
}

/** What a target gives, in words: `at byte 1240 (was 16)`, `does not exist` … */
export function describeResolution({ relocation, decision, target }: CoreResolution): string {
  switch (decision.kind) {
    case "error":
      return decision.message;
    case "poison":
      return "does not exist there; the instruction must not be reached";
    case "value": {
      const { value, original } = decision;
      const before = value === original ? "" : ` (was ${original})`;
      if (relocation.kind === "field_byte_offset") return `at byte ${value}${before}`;
      if (relocation.kind.endsWith("exists") || relocation.kind === "type_matches") {
        return value === 0n ? "no" : "yes";
      }
      if (target === undefined && relocationGroup(relocation.kind) === "type") {
        return relocation.kind === "type_id_local" ? `${value}` : "does not exist there: 0";
      }
      return `${value}${before}`;
    }
  }
}
