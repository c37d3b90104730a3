/** Special fields (locks, timers, kptrs, lists …) of map values and allocated objects, by their BTF. */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import type { VerifierMap } from "./input.ts";
import { takesTypes } from "./map-types.ts";
import type { Reg } from "./reg.ts";
import { kind, kindOf, typeFlag } from "./reg-types.ts";

export type KptrKind = "unreferenced" | "referenced" | "percpu" | "user";

/** What a kptr points to: a structure of the kernel, or one of the program's own. */
export interface KptrTarget {
  readonly kind: KptrKind;
  readonly btf: Btf;
  readonly id: TypeId;
  readonly name: string;
  readonly isKernel: boolean;
}

/** What the nodes of a list or tree are: a structure of the program, and where the node is in it. */
export interface GraphTarget {
  readonly btf: Btf;
  readonly id: TypeId;
  readonly name: string;
  readonly nodeOffset: number;
}

export interface SpecialField {
  /** As messages name it: `bpf_spin_lock`, `kptr`. */
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  readonly kptr?: KptrTarget;
  /** Of `bpf_list_head` and `bpf_rb_root`. */
  readonly graph?: GraphTarget;
}

export type Fields = readonly SpecialField[];

export interface MapRecord {
  readonly map: VerifierMap;
  readonly fields: Fields;
  /** The kernel has the types of the map's keys and values. */
  readonly hasTypes: boolean;
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

/** The node that each root links. */
const nodeOfRoot: Readonly<Record<string, string>> = {
  bpf_list_head: "bpf_list_node",
  bpf_rb_root: "bpf_rb_node",
};

const kptrTags: Readonly<Record<string, readonly [KptrKind, string]>> = {
  kptr_untrusted: ["unreferenced", "kptr"],
  kptr: ["referenced", "kptr"],
  percpu_kptr: ["percpu", "percpu_kptr"],
  uptr: ["user", "uptr"],
};

const maxDepth = 32;
const maxFields = 11;

/** Aligned to four bytes, all others to eight. */
const halfWords: ReadonlySet<string> = new Set([
  "bpf_spin_lock",
  "bpf_res_spin_lock",
  "bpf_refcount",
]);

/** Of these there may be one. */
const single: ReadonlySet<string> = new Set([...halfWords, "bpf_timer", "bpf_wq", "bpf_task_work"]);

/** What arrays may have in each element. */
function isRepeatable({ kptr, graph }: SpecialField): boolean {
  return kptr !== undefined || graph !== undefined;
}

type Structure = Extract<BtfType, { kind: "struct" | "union" }>;

/** What a field was declared in, for its tags. */
interface Place {
  readonly owner: TypeId;
  readonly component: number;
}

/** Tags sit on the structure's member, or on the variable itself (component -1). */
function containsTag(btf: Btf, { owner, component }: Place): string | undefined {
  for (const type of btf.types) {
    if (type.kind !== "decl_tag" || type.type !== owner) continue;
    if (type.componentIndex !== component || !type.name.startsWith("contains:")) continue;
    return type.name.slice("contains:".length);
  }
  return undefined;
}

function graphTarget(btf: Btf, place: Place, root: string): GraphTarget | undefined {
  const [name = "", node] = (containsTag(btf, place) ?? "").split(":");
  const index = btf.types.findIndex((type) => type.kind === "struct" && type.name === name);
  const type = btf.types[index];
  if (type?.kind !== "struct") return undefined;
  const member = type.members.find((candidate) => candidate.name === node);
  const of = member && btfTypeById(btf, member.type);
  if (member === undefined || of?.kind !== "struct" || of.name !== nodeOfRoot[root]) {
    return undefined;
  }
  return { btf, id: index + 1, name, nodeOffset: member.bitOffset >> 3 };
}

class Collector {
  readonly env: Env;
  readonly btf: Btf;
  readonly sizes: Readonly<Record<string, number>>;
  readonly fields: SpecialField[] = [];
  /** The kernel finds fault with some field: then it knows none. */
  isBroken = false;

  constructor(env: Env, btf: Btf, sizes: Readonly<Record<string, number>>) {
    this.env = env;
    this.btf = btf;
    this.sizes = sizes;
  }

  /** All fields of a structure or of a section of variables. */
  collect(id: TypeId): void {
    const type = btfTypeById(this.btf, id);
    if (type?.kind === "struct") this.members(id, type, 0, 0);
    if (type?.kind !== "datasec") return;
    for (const entry of type.entries) {
      const variable = btfTypeById(this.btf, entry.type);
      if (variable?.kind !== "var") continue;
      this.field(variable.type, entry.offset, { owner: entry.type, component: -1 }, 0);
    }
  }

  members(id: TypeId, type: Structure, offset: number, depth: number): void {
    for (const [component, member] of type.members.entries()) {
      this.field(member.type, offset + (member.bitOffset >> 3), { owner: id, component }, depth);
    }
  }

  /** A member or variable; elements of arrays have their fields each. */
  field(id: TypeId, offset: number, place: Place, depth: number): void {
    if (depth > maxDepth) return;
    let count = 1;
    let at = id;
    let type = btfTypeById(this.btf, at);
    while (type?.kind === "array") {
      count *= type.count;
      at = type.element;
      type = btfTypeById(this.btf, at);
    }
    if (type === undefined || count === 0) return;
    const from = this.fields.length;
    const size = this.single(at, type, offset, place, depth);
    const found = this.fields.slice(from);
    if (found.length === 0) return;
    if (count > 1 && !found.every(isRepeatable)) this.isBroken = true;
    for (let i = 1; i < Math.min(count, 64); i += 1) {
      for (const field of found) {
        this.fields.push({ ...field, offset: field.offset + i * size });
      }
    }
  }

  /** Gives the size of one element. */
  single(id: TypeId, type: BtfType, offset: number, place: Place, depth: number): number {
    if (type.kind !== "struct") {
      this.pointer(type, offset);
      return 8;
    }
    const { name } = type;
    const size = this.sizes[name];
    if (size === undefined) {
      this.members(id, type, offset, depth + 1);
      return type.size;
    }
    if (offset % (halfWords.has(name) ? 4 : 8) !== 0) return size;
    if (nodeOfRoot[name] === undefined) {
      this.fields.push({ name, offset, size });
      return size;
    }
    const graph = graphTarget(this.btf, place, name);
    if (graph === undefined) this.isBroken = true;
    else this.fields.push({ name, offset, size, graph });
    return size;
  }

  /** The fields in their order, if they go together. */
  finish(): Fields {
    const { fields } = this;
    const once = fields.filter(({ name }) => single.has(name)).map(({ name }) => name);
    const hasRoot = hasField(fields, "bpf_list_head", "bpf_rb_root");
    const isInBoth = hasField(fields, "bpf_list_node") && hasField(fields, "bpf_rb_node");
    const isFaulty =
      this.isBroken ||
      fields.length > maxFields ||
      new Set(once).size < once.length ||
      (hasRoot && !hasField(fields, "bpf_spin_lock")) ||
      (isInBoth && !hasField(fields, "bpf_refcount"));
    return isFaulty ? [] : fields.sort((a, b) => a.offset - b.offset);
  }

  pointer(type: BtfType, offset: number): void {
    const own = kptrType(this.btf, type);
    if (own === undefined) return;
    const [kptrKind, name] = own.tag;
    const structure = btfTypeById(this.btf, own.target);
    if (structure?.kind !== "struct" && structure?.kind !== "fwd") {
      this.isBroken = true;
      return;
    }
    const { kernel } = this.env.input;
    if (kernel === undefined) this.env.unsupported("kptr without the kernel's types");
    const inKernel = kernel.find("struct", structure.name);
    const isKernel = inKernel !== 0;
    this.fields.push({
      name,
      offset,
      size: 8,
      kptr: {
        kind: kptrKind,
        btf: isKernel ? kernel.btf : this.btf,
        id: isKernel ? inKernel : own.target,
        name: structure.name,
        isKernel,
      },
    });
  }
}

interface KptrType {
  readonly tag: readonly [KptrKind, string];
  /** The structure behind the tag. */
  readonly target: TypeId;
}

/** A tagged pointer; the pointer itself may be volatile. */
function kptrType(btf: Btf, type: BtfType | undefined): KptrType | undefined {
  const pointer = type?.kind === "volatile" ? btfTypeById(btf, type.type) : type;
  const tagged = pointer?.kind === "ptr" ? btfTypeById(btf, pointer.type) : undefined;
  if (tagged?.kind !== "type_tag") return undefined;
  const tag = kptrTags[tagged.name];
  return tag && { tag, target: skipModifierIds(btf, tagged.type) };
}

function computeRecord(env: Env, map: VerifierMap): MapRecord {
  const { btf } = env.input;
  let fields: Fields = [];
  if (btf !== undefined && map.btfValue !== 0) {
    const collector = new Collector(env, btf, valueFields);
    collector.collect(skipModifierIds(btf, map.btfValue));
    fields = collector.finish();
  }
  const hasTypes = map.btfValue !== 0 && (btf === undefined || takesTypes(btf, map, fields));
  if (!hasTypes) fields = [];
  return { map, fields, hasTypes, isUnknown: btf === undefined && map.btfValue !== 0 };
}

export function recordOf(env: Env, map: VerifierMap): MapRecord {
  let record = env.records.find((candidate) => candidate.map === map);
  if (record === undefined) {
    record = computeRecord(env, map);
    env.records.push(record);
  }
  return record;
}

/** Only structures that have such a field themselves, not just in an inner structure, are objects. */
function hasOwnField(btf: Btf, type: Structure): boolean {
  return type.members.some((member) => {
    const of = btfTypeById(btf, member.type);
    if (of?.kind === "struct") return objectFields[of.name] !== undefined;
    return kptrType(btf, of) !== undefined;
  });
}

/** Special fields of a structure that a program allocates. */
export function objectRecord(env: Env, btf: Btf, id: TypeId): Fields {
  if (btf !== env.input.btf) return [];
  let fields = env.objectRecords.get(id);
  if (fields === undefined) {
    const collector = new Collector(env, btf, objectFields);
    const type = btfTypeById(btf, id);
    if (type?.kind === "struct" && hasOwnField(btf, type)) collector.collect(id);
    fields = collector.finish();
    env.objectRecords.set(id, fields);
  }
  return fields;
}

/** Special fields of what a register points to. */
export function recordBehind(env: Env, reg: Reg): Fields {
  if (reg.type === kind.mapValue && reg.map !== undefined) return recordOf(env, reg.map).fields;
  const isObject = kindOf(reg.type) === kind.btfId && (reg.type & typeFlag.alloc) !== 0;
  return isObject && reg.btf !== undefined ? objectRecord(env, reg.btf, reg.btfId) : [];
}

export function hasField(fields: Fields, ...names: readonly string[]): boolean {
  return fields.some((field) => names.includes(field.name));
}

/** Where the field of that name is; undefined if there is none. */
export function fieldOffset(fields: Fields, name: string): number | undefined {
  return fields.find((field) => field.name === name)?.offset;
}

/** Whether two pointers to such things may be locks of their own, so that their ids matter. */
export function mayHoldLock(env: Env, reg: Reg): boolean {
  return hasField(recordBehind(env, reg), "bpf_spin_lock", "bpf_res_spin_lock");
}
