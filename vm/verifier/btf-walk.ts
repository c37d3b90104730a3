/** Which member of a structure an access touches: the walk through nested structures and arrays. */
import type { Btf, BtfMember, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfPlainSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import { typeFlag } from "./reg-types.ts";

export type Say = (text: string) => void;

export type WalkResult =
  | { readonly kind: "scalar" }
  /** A member that points to a structure; `flags` are those of its type tags and unions. */
  | {
      readonly kind: "pointer";
      readonly id: TypeId;
      readonly flags: number;
      readonly field: string;
    }
  /** A member that points to anything else. */
  | { readonly kind: "leaf-pointer" }
  /** A member at this very offset that is a structure. */
  | { readonly kind: "struct"; readonly id: TypeId }
  | { readonly kind: "error" };

const scalar: WalkResult = { kind: "scalar" };
const error: WalkResult = { kind: "error" };

type Structure = Extract<BtfType, { kind: "struct" | "union" }>;

export function isStructure(type: BtfType | undefined): type is Structure {
  return type?.kind === "struct" || type?.kind === "union";
}

/** A kind as the kernel's messages name it. */
export function btfKindName(type: BtfType | undefined): string {
  return type === undefined ? "UNKNOWN" : type.kind.toUpperCase();
}

export function btfName(btf: Btf, id: TypeId): string {
  const type = btfTypeById(btf, id);
  return type !== undefined && "name" in type ? type.name : "";
}

/** A member's type without modifiers, an array as one run of its innermost elements. */
interface Resolved {
  readonly type: BtfType;
  readonly id: TypeId;
  /** Bytes of all of it. */
  readonly size: number;
  readonly element:
    | { readonly type: BtfType; readonly id: TypeId; readonly size: number }
    | undefined;
}

function resolve(btf: Btf, from: TypeId): Resolved | undefined {
  const id = skipModifierIds(btf, from);
  const type = btfTypeById(btf, id);
  if (type === undefined) return undefined;
  if (type.kind !== "array") {
    const size = btfPlainSizeOf(type);
    return size === undefined ? undefined : { type, id, size, element: undefined };
  }
  let count = 1;
  let elementId = id;
  let element: BtfType | undefined = type;
  for (let depth = 0; element?.kind === "array" && depth < 32; depth += 1) {
    count *= element.count;
    elementId = skipModifierIds(btf, element.element);
    element = btfTypeById(btf, elementId);
  }
  const size = element && btfPlainSizeOf(element);
  if (element === undefined || size === undefined) return undefined;
  return { type, id, size: size * count, element: { type: element, id: elementId, size } };
}

const pointerTags: Readonly<Record<string, number>> = {
  user: typeFlag.user,
  percpu: typeFlag.percpu,
  rcu: typeFlag.rcu,
};

/** The flag of the type tag directly under a pointer. */
export function tagFlag(btf: Btf, target: TypeId): number {
  const type = btfTypeById(btf, target);
  if (type?.kind !== "type_tag" || type.kindFlag === true) return 0;
  return pointerTags[type.name] ?? 0;
}

/** What messages call members and structures without a name. */
export const unnamed = "(anon)";

function nameIn({ name }: { readonly name: string }): string {
  return name || unnamed;
}

class Walk {
  readonly btf: Btf;
  readonly say: Say;
  flags: number;
  offset: number;
  readonly size: number;
  structure: Structure;

  constructor(
    btf: Btf,
    say: Say,
    structure: Structure,
    offset: number,
    size: number,
    flags: number,
  ) {
    this.btf = btf;
    this.say = say;
    this.structure = structure;
    this.offset = offset;
    this.size = size;
    this.flags = flags;
  }

  get isUntrusted(): boolean {
    return (this.flags & typeFlag.untrusted) !== 0;
  }

  run(): WalkResult {
    for (let depth = 0; depth < 64; depth += 1) {
      const result = this.enter();
      if (result !== undefined) return result;
    }
    return error;
  }

  /** One structure; undefined if the search goes on inside of a member. */
  enter(): WalkResult | undefined {
    const { structure } = this;
    // Several members of a union may hold different pointers.
    if (structure.kind === "union" && structure.members.length !== 1) {
      this.flags |= typeFlag.untrusted;
    }
    if (this.offset + this.size > structure.size) return this.beyond();
    for (const member of structure.members) {
      const start = member.bitOffset >>> 3;
      if (this.offset + this.size <= start) break;
      if (member.bitSize !== 0) {
        const end = Math.ceil((member.bitOffset + member.bitSize) / 8);
        if (this.offset <= start && end <= this.offset + this.size) return scalar;
        continue;
      }
      if (this.offset < start) break;
      const result = this.member(member, start);
      if (result === "next") continue;
      return result === "inside" ? undefined : result;
    }
    this.say(`struct ${nameIn(structure)} doesn't have field at offset ${this.offset}`);
    return error;
  }

  /** Behind the end there may be more elements of a last member without a size. */
  beyond(): WalkResult | undefined {
    const { structure } = this;
    const last = structure.members.at(-1);
    const array = last && btfTypeById(this.btf, skipModifierIds(this.btf, last.type));
    const start = (last?.bitOffset ?? 0) >>> 3;
    if (array?.kind === "array" && array.count === 0 && this.offset >= start) {
      const element = btfTypeById(this.btf, skipModifierIds(this.btf, array.element));
      if (element?.kind === "int") return scalar;
      if (isStructure(element)) {
        this.structure = element;
        this.offset = element.size === 0 ? 0 : (this.offset - start) % element.size;
        return undefined;
      }
    }
    const place = `at off ${this.offset} size ${this.size}`;
    this.say(`access beyond struct ${nameIn(structure)} ${place}`);
    return error;
  }

  member(member: BtfMember, start: number): WalkResult | "next" | "inside" {
    const { structure, offset, size } = this;
    const resolved = resolve(this.btf, member.type);
    if (resolved === undefined) {
      this.say(`field ${nameIn(member)} doesn't have size`);
      return error;
    }
    const end = start + resolved.size;
    if (offset >= end) return "next";
    let { type, id } = resolved;
    let from = start;
    let width = resolved.size;
    if (resolved.element !== undefined) {
      ({ type, id, size: width } = resolved.element);
      from += Math.floor((offset - start) / width) * width;
    }
    if (isStructure(type)) {
      if (offset === from) return { kind: "struct", id };
      this.structure = type;
      this.offset = offset - from;
      return "inside";
    }
    const place = `in struct ${nameIn(structure)} with off ${offset} size ${size}`;
    if (type.kind === "ptr") {
      if (width !== size || offset !== from) {
        this.say(`cannot access ptr member ${nameIn(member)} with moff ${from} ${place}`);
        return error;
      }
      return this.pointer(type.type, member.name);
    }
    if (offset + size > end && !this.isUntrusted) {
      this.say(`access beyond the end of member ${nameIn(member)} (mend:${end}) ${place}`);
      return error;
    }
    return scalar;
  }

  pointer(target: TypeId, field: string): WalkResult {
    const id = skipModifierIds(this.btf, target);
    if (!isStructure(btfTypeById(this.btf, id))) return { kind: "leaf-pointer" };
    return { kind: "pointer", id, flags: this.flags | tagFlag(this.btf, target), field };
  }
}

/** Walks from a structure to what lies at an offset. `flags` are those gathered so far. */
export function walkStructure(
  btf: Btf,
  id: TypeId,
  offset: number,
  size: number,
  say: Say,
): WalkResult {
  let at = id;
  let from = offset;
  let flags = 0;
  for (let depth = 0; depth < 64; depth += 1) {
    const structure = btfTypeById(btf, skipModifierIds(btf, at));
    if (!isStructure(structure)) {
      say(`Type '${btfName(btf, skipModifierIds(btf, at)) || unnamed}' is not a struct`);
      return error;
    }
    const walk = new Walk(btf, say, structure, from, size, flags);
    const result = walk.run();
    if (result.kind !== "struct") return result;
    ({ flags } = walk);
    at = result.id;
    from = 0;
  }
  return error;
}

/** Whether a structure is the wanted one, or has it at this offset, at any depth. */
export function structureContains(
  own: { readonly btf: Btf; readonly id: TypeId; readonly offset: number },
  wanted: { readonly btf: Btf; readonly id: TypeId },
  isStrict: boolean,
  say: Say,
): boolean {
  const isSame = (id: TypeId): boolean => own.btf === wanted.btf && id === wanted.id;
  if (own.offset === 0 && isSame(own.id)) return true;
  if (isStrict) return false;
  let { id, offset } = own;
  for (let depth = 0; depth < 64; depth += 1) {
    const structure = btfTypeById(own.btf, skipModifierIds(own.btf, id));
    if (!isStructure(structure)) {
      say(`Type '${btfName(own.btf, id) || unnamed}' is not a struct`);
      return false;
    }
    const result = new Walk(own.btf, say, structure, offset, 1, 0).run();
    if (result.kind !== "struct") return false;
    if (isSame(result.id)) return true;
    ({ id } = result);
    offset = 0;
  }
  return false;
}
