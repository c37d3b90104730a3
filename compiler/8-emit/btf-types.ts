/**
 * C types → BTF types, on demand and each once. Which types come along follows clang, so that its
 * objects and ours hold the same: a member that points to a named struct or union does not bring it
 * in; the pointer gets the full type if something else does, and a forward declaration otherwise.
 */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { BtfLinkage, BtfMember, BtfType, TypeId } from "../../common/object/btf.ts";
import { mapReferences } from "../../common/object/btf-references.ts";
import { integerSize } from "../3-check/type-tools.ts";
import type {
  CType,
  EnumType,
  FunctionType,
  IntegerType,
  QualType,
  RecordType,
} from "../3-check/types.ts";

/**
 * How far a visit goes. `all`: whatever is reached is wanted. `member`: of a struct's member, until
 * a pointer is passed; then it is `behind_pointer`, where named records are left out.
 */
type Reach = "all" | "member" | "behind_pointer";

/** A type id, or -1 - record id for a record: whether it gets defined is known at the end only. */
type TypeRef = number;

const integerNames: Readonly<Record<string, string>> = {
  "char false": "unsigned char",
  "char true": "signed char",
  "short false": "unsigned short",
  "short true": "short",
  "int false": "unsigned int",
  "int true": "int",
  "long false": "unsigned long",
  "long true": "long",
  "long long false": "unsigned long long",
  "long long true": "long long",
  "int128 false": "unsigned __int128",
  "int128 true": "__int128",
};

export class BtfTypeTable {
  readonly #types: BtfType[] = [];
  /** By structure, e.g. `ptr 12`. */
  readonly #known = new Map<string, TypeId>();
  /** By record id: full definitions, and forward declarations of what has none. */
  readonly #records = new Map<number, TypeId>();
  /** By record id: everything that was mentioned. */
  readonly #mentioned = new Map<number, RecordType>();
  readonly #enums = new Map<number, TypeId>();
  readonly #recordsByName = new Map<string, TypeId>();

  /** The id of a type, which is brought in whole with what its kind brings along. */
  typeId(type: QualType): TypeId {
    const ref = this.#visit(type, "all");
    return ref >= 0 ? ref : (this.#records.get(-1 - ref) ?? 0);
  }

  /** Adds a type that is not shared with others: a function, variable, datasec or tag. */
  add(type: BtfType): TypeId {
    this.#types.push(type);
    return this.#types.length;
  }

  /** A function with its own prototype; `names` of the parameters where it is defined. */
  addFunction(
    name: string,
    type: FunctionType,
    names: readonly (string | undefined)[] | undefined,
    linkage: BtfLinkage,
  ): TypeId {
    const proto = this.#prototype(type, names);
    const id = this.add({ kind: "func", name, type: proto, linkage });
    type.params.forEach(({ declTags = [] }, index) => {
      this.addDeclTags(declTags, id, index);
    });
    return id;
  }

  addDeclTags(tags: readonly string[], type: TypeId, componentIndex = -1): void {
    for (const name of tags) this.add({ kind: "decl_tag", name, type, componentIndex });
  }

  /** All types, with the places of records filled in. The table can be used no further. */
  finish(): BtfType[] {
    const ids = new Map<TypeRef, TypeId>();
    for (const [id, record] of this.#mentioned) ids.set(-1 - id, this.#resolve(record));
    return this.#types.map((type) =>
      mapReferences(type, (ref) => {
        const id = ref >= 0 ? ref : ids.get(ref);
        if (id === undefined) throw new InternalError("BTF: a record was lost");
        return id;
      }),
    );
  }

  #resolve(record: RecordType): TypeId {
    const known = this.#records.get(record.id) ?? this.#recordsByName.get(record.tag ?? "");
    return known ?? this.#forward(record);
  }

  #forward({ kind, tag: name = "" }: RecordType): TypeId {
    return this.#once(`fwd ${kind} ${name}`, { kind: "fwd", name, union: kind === "union" });
  }

  #once(key: string, type: BtfType): TypeId {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = this.add(type);
    this.#known.set(key, id);
    return id;
  }

  /** Qualifiers and tags outside in: tags, const, volatile, restrict, then the type. */
  #visit(type: QualType, reach: Reach): TypeRef {
    if (type.type.kind === "array" && (type.const || type.volatile)) {
      const { element, length } = type.type;
      const qualified = {
        ...element,
        const: element.const || type.const,
        volatile: element.volatile || type.volatile,
      };
      return this.#array(qualified, length);
    }
    const tags = type.typeTags ?? [];
    let at = this.#bare(type.type, reach);
    if (type.restrict) at = this.#modifier("restrict", at);
    if (type.volatile) at = this.#modifier("volatile", at);
    if (type.const) at = this.#modifier("const", at);
    for (const name of tags) {
      at = this.#once(`tag ${name} ${at}`, { kind: "type_tag", name, type: at });
    }
    return at;
  }

  #modifier(kind: "ptr" | "const" | "volatile" | "restrict", type: TypeRef): TypeId {
    return this.#once(`${kind} ${type}`, { kind, type });
  }

  #bare(type: CType, reach: Reach): TypeRef {
    switch (type.kind) {
      case "void":
        return 0;
      case "bool":
        return this.#integer("_Bool", 1, { bool: true });
      case "int":
        return this.#integerType(type);
      case "float":
        return this.#once(`float ${type.name}`, {
          kind: "float",
          name: type.name,
          size: type.size,
        });
      case "pointer":
        return this.#pointer(type.pointee, reach);
      case "array":
        return this.#array(type.element, type.length);
      case "function":
        return this.#prototype(type, undefined);
      case "struct":
      case "union":
        return this.#record(type, reach);
      case "enum":
        return this.#enum(type);
      case "typedef":
        return this.#typedef(type, reach);
      case "va_list": {
        const pointer = this.#modifier("ptr", 0);
        const name = "__builtin_va_list";
        return this.#once(name, { kind: "typedef", name, type: pointer });
      }
    }
  }

  #integerType(type: IntegerType): TypeId {
    const name = integerNames[`${type.rank} ${type.signed}`] ?? "int";
    return this.#integer(type.plainChar ? "char" : name, integerSize(type), {
      signed: type.signed,
    });
  }

  #integer(name: string, size: number, traits: { signed?: boolean; bool?: boolean }): TypeId {
    const { signed = false, bool = false } = traits;
    return this.#once(`int ${name}`, {
      kind: "int",
      name,
      size,
      bits: size * 8,
      bitOffset: 0,
      signed,
      char: false,
      bool,
    });
  }

  #pointer(pointee: QualType, reach: Reach): TypeId {
    // A tagged pointee is wanted whole: tags are for the verifier, which then needs the type.
    const tagged = (pointee.typeTags?.length ?? 0) > 0;
    const below = reach === "member" && !tagged ? "behind_pointer" : reach;
    const target = this.#visit(pointee, below);
    if (below !== reach && this.#known.has(`ptr ${target}`)) this.#bringSecondTime(pointee);
    return this.#modifier("ptr", target);
  }

  /**
   * A pointer that a second member has: clang then defines a record that qualifiers or typedefs
   * stand before, and still leaves out one that a pointer stands directly before.
   */
  #bringSecondTime(pointee: QualType): void {
    let type = pointee;
    let isDirect = true;
    for (;;) {
      if (type.const || type.volatile || type.restrict) isDirect = false;
      if (type.type.kind === "typedef") {
        isDirect = false;
        type = type.type.type;
      } else if (type.type.kind === "pointer") {
        isDirect = (type.type.pointee.typeTags?.length ?? 0) === 0;
        type = type.type.pointee;
      } else break;
    }
    const isRecord = type.type.kind === "struct" || type.type.kind === "union";
    if (isRecord && !isDirect) this.#visit(type, "member");
  }

  #array(element: QualType, length: number | undefined): TypeId {
    const elementId = this.#visit(element, "all");
    const index = this.#integer("__ARRAY_SIZE_TYPE__", 4, {});
    const count = length ?? 0;
    return this.#once(`array ${elementId} ${count}`, {
      kind: "array",
      element: elementId,
      index,
      count,
    });
  }

  #typedef(type: CType & { kind: "typedef" }, reach: Reach): TypeId {
    const { name, declTags = [] } = type;
    const target = this.#visit(type.type, reach);
    const key = `typedef ${name} ${target}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const id = this.#once(key, { kind: "typedef", name, type: target });
    this.addDeclTags(declTags, id);
    return id;
  }

  /** `names`: of the parameters where the function is defined. */
  #prototype(type: FunctionType, names: readonly (string | undefined)[] | undefined): TypeId {
    const returns = this.typeId(type.returns);
    const params = type.params.map((param, index) => ({
      name: names?.[index] ?? "",
      type: this.typeId(param.type),
    }));
    // Declared as `f()` a function takes whatever comes, defined as that it takes nothing.
    const isOpen = type.variadic || (!type.prototyped && names === undefined);
    if (isOpen) params.push({ name: "", type: 0 });
    const key = `proto ${returns} ${params.map((each) => `${each.type}:${each.name}`).join(" ")}`;
    return this.#once(key, { kind: "func_proto", returns, params });
  }

  #record(type: RecordType, reach: Reach): TypeRef {
    const ref = -1 - type.id;
    this.#mentioned.set(type.id, type);
    // Reading the definition of a header's record would lay it out.
    if (reach === "behind_pointer" && type.tag !== undefined) return ref;
    if (this.#records.has(type.id)) return ref;
    const { definition, tag: name = "" } = type;
    if (definition === undefined) {
      this.#records.set(type.id, this.#forward(type));
      return ref;
    }
    // The place is taken first, because members may lead back here.
    const id = this.add({ kind: "fwd", name, union: false });
    this.#records.set(type.id, id);
    if (name !== "" && !this.#recordsByName.has(name)) this.#recordsByName.set(name, id);
    const fields = definition.fields.filter(
      (field) => field.name !== undefined || isRecordType(field.type),
    );
    const members = fields.map(
      (field): BtfMember => ({
        name: field.name ?? "",
        type: this.#visit(field.type, "member"),
        bitOffset: field.bitOffset,
        bitSize: field.bitWidth ?? 0,
      }),
    );
    this.#types[id - 1] = {
      kind: type.kind,
      name,
      size: definition.size,
      members,
      kindFlag: fields.some((field) => field.bitWidth !== undefined),
    };
    this.addDeclTags(type.declTags ?? [], id);
    fields.forEach((field, index) => {
      this.addDeclTags(field.declTags ?? [], id, index);
    });
    return ref;
  }

  #enum(type: EnumType): TypeId {
    const known = this.#enums.get(type.id);
    if (known !== undefined) return known;
    const { definition, tag: name = "" } = type;
    // The kernel refuses enums of size 0, also those without values.
    const size = definition === undefined ? 4 : integerSize(definition.underlying);
    const id = this.add({
      kind: size === 8 ? "enum64" : "enum",
      name,
      size,
      signed: definition?.underlying.signed ?? false,
      values: definition?.enumerators ?? [],
    });
    this.#enums.set(type.id, id);
    this.addDeclTags(type.declTags ?? [], id);
    return id;
  }
}

function isRecordType(type: QualType): boolean {
  const { kind } = type.type;
  return (
    kind === "struct" || kind === "union" || (kind === "typedef" && isRecordType(type.type.type))
  );
}
