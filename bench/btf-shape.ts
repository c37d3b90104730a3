/**
 * BTF of an object in a form in which two compilers' objects can be compared: every named thing
 * with its text, free of ids, order, paths and numbers of static variables. Static functions are left out with all types that
 * only they reach.
 */
import type { Btf, BtfExt, BtfMember, BtfParam, BtfType, TypeId } from "../common/object/btf.ts";

/** Texts of what is described, by what it is: `struct task_struct`, `func main`, `core xdp …`. */
export type Shape = ReadonlyMap<string, readonly string[]>;

class Describer {
  readonly #btf: Btf;
  readonly #lines = new Map<string, string[]>();
  readonly #done = new Set<TypeId>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  add(key: string, text: string): void {
    const texts = this.#lines.get(key);
    if (texts === undefined) this.#lines.set(key, [text]);
    else if (!texts.includes(text)) texts.push(text);
  }

  shape(): Shape {
    for (const texts of this.#lines.values()) texts.sort();
    return this.#lines;
  }

  /** A reference to a type: named ones by name (and described by themselves), others spelled out. */
  name(id: TypeId): string {
    const type = this.#btf.types[id - 1];
    if (type === undefined) return "void";
    switch (type.kind) {
      case "int":
        return `int ${type.name}:${type.bits}${type.signed ? "s" : ""}${type.bool ? "b" : ""}${type.char ? "c" : ""}`;
      case "float":
        return `float ${type.name}:${type.size}`;
      case "ptr":
      case "const":
      case "volatile":
      case "restrict":
        return `${type.kind} ${this.name(type.type)}`;
      case "type_tag":
        return `tag(${type.name}) ${this.name(type.type)}`;
      case "array":
        return `[${type.count}] ${this.name(type.element)}`;
      case "fwd":
        return `${type.union ? "union" : "struct"} ${type.name}`;
      case "func_proto":
        return this.#prototype(type.returns, type.params);
      case "var":
        return `var ${variableName(type)}`;
      case "func":
      case "datasec":
        return `${type.kind} ${type.name}`;
      case "decl_tag":
        return `decl_tag ${type.name}`;
      case "typedef":
        this.#define(id, `typedef ${type.name}`, () => this.name(type.type));
        return `typedef ${type.name}`;
      case "struct":
      case "union":
        return this.#record(id, type);
      case "enum":
      case "enum64":
        return this.#enum(id, type);
    }
  }

  #define(id: TypeId, key: string, text: () => string): void {
    if (this.#done.has(id)) return;
    this.#done.add(id);
    this.add(key, text());
  }

  #prototype(returns: TypeId, params: readonly BtfParam[]): string {
    const list = params.map(({ name, type }) => `${name}: ${this.name(type)}`);
    return `(${list.join(", ")}) -> ${this.name(returns)}`;
  }

  #record(id: TypeId, type: Extract<BtfType, { kind: "struct" | "union" }>): string {
    const text = (): string =>
      `${type.kind} size ${type.size} { ${type.members.map((m) => this.#member(m)).join("; ")} }`;
    if (type.name === "") return text();
    this.#define(id, `${type.kind} ${type.name}`, text);
    return `${type.kind} ${type.name}`;
  }

  #member({ name, type, bitOffset, bitSize }: BtfMember): string {
    return `${name}@${bitOffset}${bitSize > 0 ? `:${bitSize}` : ""} ${this.name(type)}`;
  }

  #enum(id: TypeId, type: Extract<BtfType, { kind: "enum" | "enum64" }>): string {
    const text = (): string => {
      const values = type.values.map(({ name, value }) => `${name}=${value}`);
      return `${type.kind} size ${type.size} ${type.signed ? "signed" : "unsigned"} { ${values.join(", ")} }`;
    };
    if (type.name === "") return text();
    this.#define(id, `enum ${type.name}`, text);
    return `enum ${type.name}`;
  }
}

/**
 * The number that tells static variables of one name apart (`f.fmt.3`) counts what a compiler gave names
 * to before, so it says nothing.
 */
function variableName({ name, linkage }: Extract<BtfType, { kind: "var" }>): string {
  return linkage === "static" ? name.replace(/\.\d+$/, "") : name;
}

function describeRoots(btf: Btf, describer: Describer): void {
  for (const type of btf.types) {
    if (type.kind === "var") {
      describer.add(`var ${variableName(type)}`, `${type.linkage} ${describer.name(type.type)}`);
    } else if (type.kind === "func" && type.linkage !== "static") {
      describer.add(`func ${type.name}`, `${type.linkage} ${describer.name(type.type)}`);
    } else if (type.kind === "datasec") {
      const entries = type.entries.map(({ type: id, size }) => `${describer.name(id)}:${size}`);
      describer.add(`datasec ${type.name}`, entries.sort().join(", "));
    }
  }
}

/** Tags of declarations, each at what it tags; those of static functions aside. */
function describeTags(btf: Btf, describer: Describer): void {
  for (const type of btf.types) {
    if (type.kind !== "decl_tag") continue;
    const target = btf.types[type.type - 1];
    if (target?.kind === "func" && target.linkage === "static") continue;
    describer.add(`tag ${describer.name(type.type)}`, `${type.name} ${type.componentIndex}`);
  }
}

/** CO-RE relocations as a set: how often one stands where is the optimiser's affair. */
function describeRelocations(ext: BtfExt, describer: Describer): void {
  for (const { records } of ext.coreRelocations) {
    for (const { type, access, kind } of records) {
      describer.add("core", `${kind} ${describer.name(type)} ${access}`);
    }
  }
}

function describeFunctions(btf: Btf, ext: BtfExt, describer: Describer): void {
  for (const { section, records } of ext.funcInfo) {
    for (const { type } of records) {
      const func = btf.types[type - 1];
      if (func?.kind === "func" && func.linkage !== "static")
        describer.add(`func_info ${section}`, func.name);
    }
  }
}

/** Everything that the BTF of an object says. */
export function shapeOf(btf: Btf, ext: BtfExt | undefined): Shape {
  const describer = new Describer(btf);
  describeRoots(btf, describer);
  if (ext !== undefined) {
    describeFunctions(btf, ext, describer);
    describeRelocations(ext, describer);
  }
  describeTags(btf, describer);
  return describer.shape();
}
