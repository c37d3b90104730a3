/** Special fields (locks, timers, kptrs …) of map values and allocated objects, by their BTF types. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfTypeById, skipModifierIds, skipModifiers } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import type { VerifierMap } from "./input.ts";

export type KptrKind = "unreferenced" | "referenced" | "percpu" | "user";

/** What a kptr points to: a structure of the kernel, or one of the program's own. */
export interface KptrTarget {
  readonly kind: KptrKind;
  readonly btf: Btf;
  readonly id: TypeId;
  readonly name: string;
  readonly isKernel: boolean;
}

export interface SpecialField {
  /** As messages name it: `bpf_spin_lock`, `kptr`. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly kptr?: KptrTarget;
}

export interface MapRecord {
  readonly map: VerifierMap;
  readonly fields: readonly SpecialField[];
  readonly spinLock: number | undefined;
  readonly timer: number | undefined;
  /** The map has a value type, but the case came without its BTF. */
  readonly isUnknown: boolean;
}

const valueFields: Readonly<Record<string, number>> = {
  bpf_spin_lock: 4,
  bpf_res_spin_lock: 4,
  bpf_timer: 16,
  bpf_wq: 16,
  bpf_list_head: 16,
  bpf_rb_root: 16,
  bpf_refcount: 4,
  bpf_task_work: 8,
};

const objectFields: Readonly<Record<string, number>> = {
  bpf_spin_lock: 4,
  bpf_res_spin_lock: 4,
  bpf_list_head: 16,
  bpf_list_node: 24,
  bpf_rb_root: 16,
  bpf_rb_node: 32,
  bpf_refcount: 4,
};

const kptrTags: Readonly<Record<string, readonly [KptrKind, string]>> = {
  kptr_untrusted: ["unreferenced", "kptr"],
  kptr: ["referenced", "kptr"],
  percpu_kptr: ["percpu", "percpu_kptr"],
  uptr: ["user", "uptr"],
};

class Collector {
  readonly env: Env;
  readonly btf: Btf;
  readonly sizes: Readonly<Record<string, number>>;
  readonly fields: SpecialField[] = [];

  constructor(env: Env, btf: Btf, sizes: Readonly<Record<string, number>>) {
    this.env = env;
    this.btf = btf;
    this.sizes = sizes;
  }

  collect(id: TypeId, offset: number, depth: number): void {
    const type = skipModifiers(this.btf, id);
    if (depth > 8 || type === undefined) return;
    if (type.kind === "struct") this.structure(type, offset, depth);
    else if (type.kind === "array") this.array(type, offset, depth);
    else if (type.kind === "ptr") this.pointer(type.type, offset);
    else if (type.kind === "datasec") {
      for (const entry of type.entries) {
        const variable = btfTypeById(this.btf, entry.type);
        if (variable?.kind === "var") this.collect(variable.type, entry.offset, depth + 1);
      }
    }
  }

  structure(
    type: Extract<BtfType, { kind: "struct" | "union" }>,
    offset: number,
    depth: number,
  ): void {
    const size = this.sizes[type.name];
    if (size !== undefined) {
      this.fields.push({ name: type.name, offset, size });
      return;
    }
    for (const member of type.members) {
      this.collect(member.type, offset + (member.bitOffset >> 3), depth + 1);
    }
  }

  /** Fields of the element, once for every element. */
  array(type: Extract<BtfType, { kind: "array" }>, offset: number, depth: number): void {
    const element = new Collector(this.env, this.btf, this.sizes);
    element.collect(type.element, 0, depth + 1);
    if (element.fields.length === 0) return;
    const of = skipModifiers(this.btf, type.element);
    const size = of?.kind === "struct" ? of.size : 8;
    for (let i = 0; i < Math.min(type.count, 64); i += 1) {
      for (const field of element.fields) {
        this.fields.push({ ...field, offset: offset + i * size + field.offset });
      }
    }
  }

  pointer(target: TypeId, offset: number): void {
    const tag = btfTypeById(this.btf, target);
    const known = tag?.kind === "type_tag" ? kptrTags[tag.name] : undefined;
    if (tag?.kind !== "type_tag" || known === undefined) return;
    const [kind, name] = known;
    const own = skipModifierIds(this.btf, tag.type);
    const structure = btfTypeById(this.btf, own);
    if (structure?.kind !== "struct" && structure?.kind !== "fwd") return;
    const { kernel } = this.env.input;
    if (kernel === undefined) this.env.unsupported("kptr without the kernel's types");
    const inKernel = kernel.find("struct", structure.name);
    const isKernel = inKernel !== 0;
    this.fields.push({
      name,
      offset,
      size: 8,
      kptr: {
        kind,
        btf: isKernel ? kernel.btf : this.btf,
        id: isKernel ? inKernel : own,
        name: structure.name,
        isKernel,
      },
    });
  }
}

function computeRecord(env: Env, map: VerifierMap): MapRecord {
  const { btf } = env.input;
  let fields: readonly SpecialField[] = [];
  if (btf !== undefined && map.btfValue !== 0) {
    const collector = new Collector(env, btf, valueFields);
    collector.collect(map.btfValue, 0, 0);
    ({ fields } = collector);
  }
  const at = (name: string): number | undefined =>
    fields.find((field) => field.name === name)?.offset;
  return {
    map,
    fields,
    spinLock: at("bpf_spin_lock"),
    timer: at("bpf_timer"),
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

/** Special fields of a structure that a program allocates. */
export function objectRecord(env: Env, btf: Btf, id: TypeId): readonly SpecialField[] {
  if (btf !== env.input.btf) return [];
  let fields = env.objectRecords.get(id);
  if (fields === undefined) {
    const collector = new Collector(env, btf, objectFields);
    collector.collect(id, 0, 0);
    ({ fields } = collector);
    env.objectRecords.set(id, fields);
  }
  return fields;
}
