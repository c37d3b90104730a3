/** Special fields of map values (locks, timers, kptrs), found through the value's BTF type. */
import type { Btf } from "../../common/object/btf.ts";
import { btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import type { VerifierMap } from "./input.ts";

export interface SpecialField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

export interface MapRecord {
  readonly map: VerifierMap;
  readonly fields: readonly SpecialField[];
  readonly spinLock: number | undefined;
  readonly timer: number | undefined;
  readonly kptrs: boolean;
  /** Names of fields that are not modelled. */
  readonly others: readonly string[];
  /** The map has a value type, but the case came without its BTF. */
  readonly isUnknown: boolean;
}

const specialSizes: Record<string, number> = {
  bpf_spin_lock: 4,
  bpf_res_spin_lock: 4,
  bpf_timer: 16,
  bpf_wq: 16,
  bpf_list_head: 16,
  bpf_list_node: 24,
  bpf_rb_root: 16,
  bpf_rb_node: 32,
  bpf_refcount: 4,
  bpf_task_work: 8,
};

interface Found {
  readonly fields: SpecialField[];
  kptrs: boolean;
}

function isKptr(btf: Btf, id: number): boolean {
  const type = skipModifiers(btf, id);
  if (type?.kind !== "ptr") return false;
  const target = btfTypeById(btf, type.type);
  return target?.kind === "type_tag" && /^(kptr|uptr|percpu_kptr)/.test(target.name);
}

function collect(btf: Btf, id: number, offset: number, found: Found, depth: number): void {
  if (depth > 8) return;
  const type = skipModifiers(btf, id);
  if (type === undefined) return;
  if (type.kind === "struct") {
    const size = specialSizes[type.name];
    if (size !== undefined) {
      found.fields.push({ name: type.name, offset, size });
      return;
    }
    for (const member of type.members) {
      collect(btf, member.type, offset + (member.bitOffset >> 3), found, depth + 1);
    }
  } else if (type.kind === "array") {
    collect(btf, type.element, offset, found, depth + 1);
  } else if (isKptr(btf, id)) {
    found.kptrs = true;
  }
}

const known: ReadonlySet<string> = new Set(["bpf_spin_lock", "bpf_timer"]);

function computeRecord(env: Env, map: VerifierMap): MapRecord {
  const found: Found = { fields: [], kptrs: false };
  const { btf } = env.input;
  if (btf !== undefined && map.btfValue !== 0) collect(btf, map.btfValue, 0, found, 0);
  const at = (name: string): number | undefined =>
    found.fields.find((field) => field.name === name)?.offset;
  return {
    map,
    fields: found.fields,
    spinLock: at("bpf_spin_lock"),
    timer: at("bpf_timer"),
    kptrs: found.kptrs,
    others: found.fields.map((field) => field.name).filter((name) => !known.has(name)),
    isUnknown: btf === undefined && map.btfValue !== 0,
  };
}

export function recordOf(env: Env, map: VerifierMap): MapRecord {
  let record = env.records.find((candidate) => candidate.map === map);
  if (record === undefined) {
    record = computeRecord(env, map);
    env.records.push(record);
  }
  return record;
}
