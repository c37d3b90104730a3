/** The kernel's BTF with what the verifier looks up in it, found once per kernel. */
import { pushTo } from "../../common/append.ts";
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";

export class KernelTypes {
  readonly btf: Btf;
  #byName: Map<string, TypeId[]> | undefined;
  #kfuncs: Set<TypeId> | undefined;
  #percpu: Set<TypeId> | undefined;

  constructor(btf: Btf) {
    this.btf = btf;
  }

  #ids(name: string): readonly TypeId[] {
    if (this.#byName === undefined) {
      this.#byName = new Map();
      for (const [index, type] of this.btf.types.entries()) {
        if (!("name" in type) || type.name === "") continue;
        pushTo(this.#byName, type.name, index + 1);
      }
    }
    return this.#byName.get(name) ?? [];
  }

  /** The first type of that kind and name; 0 if there is none. */
  find(kind: BtfType["kind"], name: string): TypeId {
    return this.#ids(name).find((id) => this.btf.types[id - 1]?.kind === kind) ?? 0;
  }

  /** How many types of that kind have the name, flavours (`name___old`) counted. */
  count(kind: string, name: string): number {
    let count = 0;
    for (const type of this.btf.types) {
      if (type.kind !== kind || !("name" in type) || !type.name.startsWith(name)) continue;
      if (type.name === name || type.name.startsWith(`${name}___`)) count += 1;
    }
    return count;
  }

  /** Whether a function is marked as one that programs may call. */
  isKfunc(id: TypeId): boolean {
    if (this.#kfuncs === undefined) {
      this.#kfuncs = new Set();
      for (const type of this.btf.types) {
        if (type.kind === "decl_tag" && type.name === "bpf_kfunc") this.#kfuncs.add(type.type);
      }
    }
    return this.#kfuncs.has(id);
  }

  /** Whether a variable has an instance per CPU. */
  isPerCpu(variable: TypeId): boolean {
    if (this.#percpu === undefined) {
      const section = this.btf.types[this.find("datasec", ".data..percpu") - 1];
      const entries = section?.kind === "datasec" ? section.entries : [];
      this.#percpu = new Set(entries.map((entry) => entry.type));
    }
    return this.#percpu.has(variable);
  }
}
