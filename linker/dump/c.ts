/**
 * BTF as C declarations in an order that compiles: what a definition contains comes before it, what
 * it only points to is declared. Names that C could not keep apart get `___2` and so on.
 */
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf } from "../../common/object/btf-types.ts";
import { alignmentOf, isPacked, naturalPlace, padding } from "./c-layout.ts";
import { ownTypes } from "./raw.ts";

type Composite = BtfType & { readonly kind: "struct" | "union" };
type Enum = BtfType & { readonly kind: "enum" | "enum64" };

/**
 * Members in one definition, with those of records without a name inside it. In corrupt types such
 * records may contain each other twice, and so double at every level.
 */
const mostMembers = 100_000;
const deepest = 64;

/** Types that compilers know by themselves. */
const builtinTypedefs = new Set(["__builtin_va_list"]);

/** All named types; `roots` limits it to those and what they need. */
export function dumpC(btf: Btf, roots?: readonly TypeId[]): string {
  const printer = new CPrinter(btf);
  const ids = roots ?? btf.types.map((_, index) => index + 1);
  for (const id of ids) printer.define(id);
  return printer.text();
}

/**
 * A header like `bpftool btf dump … format c` makes: CO-RE relocated, guarded. It holds the types of
 * these ids and what they need.
 */
export function vmlinuxHeader(btf: Btf, ids: readonly TypeId[] = ownTypes(btf)): string {
  return [
    "#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n\n",
    "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n",
    "#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)\n",
    "#endif\n\n",
    dumpC(btf, ids),
    kfuncDeclarations(btf, ids),
    "#ifndef BPF_NO_PRESERVE_ACCESS_INDEX\n#pragma clang attribute pop\n#endif\n\n",
    "#endif /* __VMLINUX_H__ */\n",
  ].join("");
}

/** The kernel's functions for BPF programs, by their decl tags. */
function kfuncDeclarations(btf: Btf, ids: readonly TypeId[]): string {
  const wanted = new Set(ids);
  const printer = new CPrinter(btf);
  const lines = btf.types.flatMap((tag) => {
    if (tag.kind !== "decl_tag" || tag.name !== "bpf_kfunc" || !wanted.has(tag.type)) return [];
    const fn = btf.types[tag.type - 1];
    if (fn?.kind !== "func") return [];
    const text = printer.declaration(fn.type, fn.name, "");
    return [`extern ${inArena(text, fn.name)} __weak __ksym;\n`];
  });
  if (lines.length === 0) return "";
  return [
    "#ifndef BPF_NO_KFUNC_PROTOTYPES\n",
    '#ifndef __ksym\n#define __ksym __attribute__((section(".ksyms")))\n#endif\n',
    "#ifndef __weak\n#define __weak __attribute__((weak))\n#endif\n\n",
    ...[...new Set(lines)].sort(),
    "#endif\n\n",
  ].join("");
}

/** Parameters, counted from 1, that point into an arena; 0 is the result. */
const arenaPointers: Readonly<Record<string, readonly number[]>> = {
  bpf_arena_alloc_pages: [0, 2],
  bpf_arena_free_pages: [2],
  bpf_arena_reserve_pages: [2],
};

/**
 * The types of most kernels do not say that pointers lie in an arena, but programs do when they declare
 * these functions themselves.
 */
function inArena(declaration: string, name: string): string {
  const places = Object.hasOwn(arenaPointers, name) ? (arenaPointers[name] ?? []) : [];
  const open = declaration.indexOf(`${name}(`) + name.length;
  if (places.length === 0 || declaration.includes("address_space")) return declaration;
  const parts = [declaration.slice(0, open), ...declaration.slice(open).split(",")];
  const marked = parts.map((part, at) =>
    places.includes(at) ? part.replace("*", "__attribute__((address_space(1))) *") : part,
  );
  return marked[0] + marked.slice(1).join(",");
}

/** A declaration of `name` with the type, in one line: for skeletons and messages. */
export function declareC(btf: Btf, id: TypeId, name: string): string {
  return new CPrinter(btf).declaration(id, name, "");
}

/** The same without const, volatile and restrict anywhere: what a skeleton's user may write to. */
export function declareWritable(btf: Btf, id: TypeId, name: string): string {
  return new CPrinter(btf, false).declaration(id, name, "");
}

/** An array of constants may be constant itself; C says it once. */
function addQualifier(qualifiers: string, kind: string): string {
  return qualifiers.includes(kind) ? qualifiers : `${qualifiers}${kind} `;
}

class CPrinter {
  readonly #btf: Btf;
  readonly #chunks: string[] = [];
  readonly #state = new Map<TypeId, "started" | "done">();
  readonly #declared = new Set<string>();
  readonly #names = new Map<TypeId, string>();
  readonly #taken = new Map<string, number>();
  /** Members printed so far in the definition under way. */
  #expanded = 0;
  /** Records without a name may lead back to themselves through pointers, if they are corrupt. */
  #depth = 0;

  readonly #hasQualifiers: boolean;

  constructor(btf: Btf, hasQualifiers = true) {
    this.#btf = btf;
    this.#hasQualifiers = hasQualifiers;
  }

  text(): string {
    return this.#chunks.join("");
  }

  /** Prints a named type and first what it needs; others have no definition of their own. */
  define(id: TypeId): void {
    const type = this.#btf.types[id - 1];
    if (type === undefined || this.#state.has(id)) return;
    switch (type.kind) {
      case "struct":
      case "union":
        if (type.name !== "") this.#defineComposite(id, type);
        return;
      case "enum":
      case "enum64":
        this.#defineEnum(id, type);
        return;
      case "typedef":
        this.#defineTypedef(id, type);
        return;
      case "fwd":
        this.#forward(id);
        return;
      default:
        return;
    }
  }

  #defineComposite(id: TypeId, type: Composite): void {
    this.#state.set(id, "started");
    this.#needMembers(type);
    this.#chunks.push(`${this.#composite(type, this.#tag(id), "")};\n\n`);
    this.#state.set(id, "done");
  }

  #defineEnum(id: TypeId, type: Enum): void {
    this.#state.set(id, "done");
    if (type.values.length === 0) return;
    // An unnamed enum that something contains is printed there.
    if (type.name === "" && this.#isUsed(id)) return;
    this.#chunks.push(`${this.#enumeration(id, type, "")};\n\n`);
  }

  #usedAnonymous: Set<TypeId> | undefined;

  #isUsed(id: TypeId): boolean {
    this.#usedAnonymous ??= new Set(
      this.#btf.types.flatMap((type) =>
        type.kind === "struct" || type.kind === "union"
          ? type.members.map((member) => member.type)
          : type.kind === "array"
            ? [type.element]
            : "type" in type
              ? [type.type]
              : [],
      ),
    );
    return this.#usedAnonymous.has(id);
  }

  #defineTypedef(id: TypeId, type: BtfType & { kind: "typedef" }): void {
    this.#state.set(id, "started");
    if (!builtinTypedefs.has(type.name)) {
      this.#need(type.type, false);
      const name = this.#unique(id, "ordinary", type.name);
      this.#chunks.push(`typedef ${this.declaration(type.type, name, "")};\n\n`);
    }
    this.#state.set(id, "done");
  }

  #forward(id: TypeId): void {
    const type = this.#btf.types[id - 1];
    if (type === undefined || !("name" in type) || type.name === "") return;
    const tag = this.#tag(id);
    if (this.#declared.has(tag) || this.#state.get(id) === "done") return;
    this.#declared.add(tag);
    this.#chunks.push(`${tag};\n\n`);
  }

  #needAnonymous(id: TypeId, type: Composite): void {
    if (this.#state.has(id)) return;
    this.#state.set(id, "started");
    this.#needMembers(type);
    this.#state.set(id, "done");
  }

  #needMembers(type: Composite): void {
    for (const member of type.members) this.#need(member.type, true);
  }

  /** Prints what a use of the type needs before it; `whole`: its size must be known. */
  #need(id: TypeId, whole: boolean): void {
    const type = this.#btf.types[id - 1];
    switch (type?.kind) {
      case "ptr":
        this.#need(type.type, false);
        break;
      case "const":
      case "volatile":
      case "restrict":
      case "type_tag":
        this.#need(type.type, whole);
        break;
      case "array":
        this.#need(type.element, true);
        break;
      case "typedef":
        this.define(id);
        if (whole) this.#need(type.type, true);
        break;
      case "struct":
      case "union":
        if (type.name === "") this.#needAnonymous(id, type);
        else if (whole) this.define(id);
        else this.#forward(id);
        break;
      case "enum":
      case "enum64":
        if (type.name !== "") this.define(id);
        break;
      case "fwd":
        this.#forward(id);
        break;
      case "func_proto":
        this.#need(type.returns, false);
        for (const param of type.params) this.#need(param.type, false);
        break;
      default:
        break;
    }
  }

  /** `struct name`, made unique; a forward declaration shares the name of the definition. */
  #tag(id: TypeId): string {
    const type = this.#btf.types[id - 1];
    if (type?.kind === "fwd") {
      return `${type.union ? "union" : "struct"} ${type.name}`;
    }
    const name = type !== undefined && "name" in type ? type.name : "";
    const keyword = type?.kind === "enum64" ? "enum" : (type?.kind ?? "struct");
    return `${keyword} ${this.#unique(id, "tag", name)}`;
  }

  #unique(id: TypeId, space: "tag" | "ordinary", name: string): string {
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const unique = this.#number(space, name);
    this.#names.set(id, unique);
    return unique;
  }

  #number(space: "tag" | "ordinary", name: string): string {
    const key = `${space} ${name}`;
    const count = (this.#taken.get(key) ?? 0) + 1;
    this.#taken.set(key, count);
    return count === 1 ? name : `${name}___${count}`;
  }

  /** C declaration: what is declared grows inside out, the base type stands first. */
  declaration(id: TypeId, declared: string, indent: string, qualifiers = ""): string {
    const type = this.#btf.types[id - 1];
    const base = (name: string): string =>
      `${qualifiers}${name}${declared === "" ? "" : ` ${declared}`}`;
    switch (type?.kind) {
      case undefined:
        return base("void");
      case "const":
      case "volatile":
      case "restrict": {
        const more = this.#hasQualifiers ? addQualifier(qualifiers, type.kind) : "";
        return this.declaration(type.type, declared, indent, more);
      }
      case "type_tag":
        return this.declaration(type.type, declared, indent, qualifiers);
      case "ptr": {
        const pointer = `*${qualifiers}${declared}`;
        const target = this.#btf.types[type.type - 1]?.kind;
        const inner = target === "array" || target === "func_proto" ? `(${pointer})` : pointer;
        return this.declaration(type.type, inner, indent);
      }
      case "array":
        return this.declaration(type.element, `${declared}[${type.count}]`, indent, qualifiers);
      case "func_proto":
        return this.declaration(type.returns, `${declared}(${this.#params(type)})`, indent);
      case "struct":
      case "union":
        return base(type.name === "" ? this.#composite(type, type.kind, indent) : this.#tag(id));
      case "enum":
      case "enum64":
        return base(type.name === "" ? this.#enumeration(id, type, indent) : this.#tag(id));
      case "fwd":
        return base(this.#tag(id));
      case "typedef":
        return base(
          builtinTypedefs.has(type.name) ? type.name : this.#unique(id, "ordinary", type.name),
        );
      case "int":
      case "float":
      case "func":
      case "var":
      case "datasec":
      case "decl_tag":
        return base(type.name);
    }
  }

  #params(type: BtfType & { kind: "func_proto" }): string {
    if (type.params.length === 0) return "void";
    return type.params
      .map(({ name, type: id }) =>
        id === 0 && name === "" ? "..." : this.declaration(id, name, ""),
      )
      .join(", ");
  }

  #enumeration(id: TypeId, type: Enum, indent: string): string {
    const lines = type.values.map(({ name, value }) => {
      const suffix = type.kind === "enum64" ? (type.signed ? "LL" : "ULL") : "";
      return `${indent}\t${this.#number("ordinary", name)} = ${value}${suffix},\n`;
    });
    const head = type.name === "" ? "enum" : this.#tag(id);
    const small = type.size < 4 ? ` __attribute__((mode(${type.size === 1 ? "byte" : "HI"})))` : "";
    return `${head} {\n${lines.join("")}${indent}}${small}`;
  }

  #composite(type: Composite, head: string, indent: string): string {
    if (this.#depth === 0) this.#expanded = 0;
    this.#expanded += type.members.length;
    if (this.#expanded > mostMembers || this.#depth > deepest) {
      return `${head} { char __bytes[${type.size}]; }`;
    }
    this.#depth += 1;
    const text = this.#members(type, head, indent);
    this.#depth -= 1;
    return text;
  }

  #members(type: Composite, head: string, indent: string): string {
    const packed = isPacked(this.#btf, type);
    let lines: string[] = [];
    let at = 0;
    for (const member of type.members) {
      if (type.kind === "struct") {
        const natural = naturalPlace(this.#btf, at, member, packed);
        if (natural !== member.bitOffset) lines = lines.concat(padding(at, member.bitOffset));
        at = member.bitOffset + (member.bitSize || (btfSizeOf(this.#btf, member.type) ?? 0) * 8);
      }
      const bits = member.bitSize > 0 ? `: ${member.bitSize}` : "";
      lines.push(`${this.declaration(member.type, member.name, `${indent}\t`)}${bits};`);
    }
    if (type.kind === "struct") lines = lines.concat(this.#tail(type, at, packed));
    const body = lines.map((line) => `${indent}\t${line}\n`).join("");
    return `${head} {\n${body}${indent}}${packed ? " __attribute__((packed))" : ""}`;
  }

  /** Bytes after the last member that alignment does not explain. */
  #tail(type: Composite, at: number, packed: boolean): string[] {
    const most = type.members.map((member) => alignmentOf(this.#btf, member.type));
    const align = packed ? 8 : most.reduce((a, b) => Math.max(a, b), 1) * 8;
    const natural = Math.ceil(at / align) * align;
    return natural < type.size * 8 ? padding(at, type.size * 8) : [];
  }
}
