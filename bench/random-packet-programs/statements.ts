/**
 * Random statements in the idioms of BPF programs: checked packet accesses, maps, buffers, loops. One file because
 * statements hold statements.
 */

import { fieldsOf, headers, type Struct } from "./declarations.ts";
import { condition, element, expression, writablePlaces } from "./expressions.ts";
import {
  type Elements,
  type HashMap,
  type Scope,
  type Source,
  scalarTypes,
  within,
  withPlaces,
} from "./scope.ts";

/** What the whole program has. */
export interface Surroundings {
  readonly maps: readonly HashMap[];
  readonly structs: ReadonlyMap<string, Struct>;
  readonly functions: readonly Callee[];
  readonly context: "xdp" | "tc";
}

export interface Callee {
  readonly name: string;
  readonly parameters: readonly ("scalar" | "buffer" | "packet")[];
}

/** Most rounds that loops within each other make. */
const mostRounds = 256;

type Lines = string[];

export class Writer {
  readonly #source: Source;
  readonly #program: Surroundings;

  constructor(source: Source, program: Surroundings) {
    this.#source = source;
    this.#program = program;
  }

  /** Statements of one block; what they declare is seen by those behind them. */
  block(start: Scope, most: number): Lines {
    const lines: Lines = [];
    let scope = start;
    const count = 1 + this.#source.below(most);
    for (let at = 0; at < count && this.#source.budget > 0; at += 1) {
      this.#source.budget -= 1;
      const made = this.#statement(scope);
      lines.push(...made.lines);
      scope = made.scope;
    }
    return lines;
  }

  #statement(scope: Scope): { lines: Lines; scope: Scope } {
    const kinds: readonly (readonly [number, (scope: Scope) => Lines | Made])[] = [
      [8, (at) => this.#declare(at)],
      [10, (at) => this.#assign(at)],
      [9, (at) => this.#choose(at)],
      [4, (at) => this.#switch(at)],
      [4, (at) => this.#count(at)],
      [3, (at) => this.#clampedLoop(at)],
      [10, (at) => this.#parse(at)],
      [6, (at) => this.#variableOffset(at)],
      [4, (at) => this.#walkBytes(at)],
      [3, (at) => this.#walkOptions(at)],
      [8, (at) => this.#lookUp(at)],
      [3, (at) => this.#update(at)],
      [3, (at) => this.#buffer(at)],
      [5, (at) => this.#store(at)],
      [4, (at) => this.#checkedIndex(at)],
      [3, (at) => this.#loadBytes(at)],
      [5, (at) => this.#call(at)],
      [2, (at) => this.#leave(at)],
    ];
    const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
    let left = this.#source.below(total);
    for (const [weight, make] of kinds) {
      left -= weight;
      if (left >= 0) continue;
      const made = make(scope);
      return Array.isArray(made) ? { lines: made, scope } : made;
    }
    return { lines: [], scope };
  }

  #expression(scope: Scope, depth = 2): string {
    return expression(this.#source, scope, depth);
  }

  #declare(scope: Scope): Made {
    const type = this.#source.pick(scalarTypes);
    const text = this.#source.name("v");
    const lines = [`${type} ${text} = ${this.#expression(scope)};`];
    return { lines, scope: withPlaces(scope, [{ text, type, writable: true }]) };
  }

  #assign(scope: Scope): Lines {
    const places = writablePlaces(scope);
    if (places.length === 0) return [];
    const { text } = this.#source.pick(places);
    const operator = this.#source.pick(["=", "+=", "^=", "-=", "|=", "+=", "*="]);
    if (this.#source.chance(12)) return [`${text}++;`];
    return [`${text} ${operator} ${this.#expression(scope)};`];
  }

  #choose(scope: Scope): Lines {
    const lines = [`if (${condition(this.#source, scope)}) {`, ...this.block(scope, 3)];
    if (this.#source.chance(45)) lines.push("} else {", ...this.block(scope, 3));
    return [...lines, "}"];
  }

  #switch(scope: Scope): Lines {
    const value = this.#expression(scope, 1);
    const isMasked = this.#source.chance(50);
    const lines = [isMasked ? `switch (${value} & 7) {` : `switch ((__u32)${value}) {`];
    const seen = new Set<number>();
    // A `break` in a case would be the switch's.
    const inner = within(scope, { inLoop: false });
    for (let count = 2 + this.#source.below(5); count > 0; count -= 1) {
      const label = this.#source.below(isMasked ? 8 : 20);
      if (seen.has(label)) continue;
      seen.add(label);
      lines.push(`case ${label}: {`, ...this.block(inner, 2), "}");
      if (this.#source.chance(80)) lines.push("break;");
    }
    if (this.#source.chance(50)) lines.push("default: {", ...this.block(inner, 2), "}");
    return [...lines, "}"];
  }

  #loop(scope: Scope, head: string, counter: string, rounds: number, before: Lines = []): Lines {
    const inner = withPlaces(within(scope, { inLoop: true, rounds: scope.rounds * rounds }), [
      { text: counter, type: "__u32", writable: false },
    ]);
    const unroll = this.#source.chance(10) && rounds <= 8 ? ["#pragma unroll"] : [];
    return [...unroll, head, ...before, ...this.block(inner, 3), "}"];
  }

  #count(scope: Scope): Lines {
    const rounds = 2 + this.#source.below(14);
    if (scope.rounds * rounds > mostRounds) return [];
    const i = this.#source.name("i");
    const type = this.#source.pick(["int", "__u32", "__u8", "unsigned long"]);
    const heads = [
      `for (${type} ${i} = 0; ${i} < ${rounds}; ${i}++) {`,
      `for (${type} ${i} = 1; ${i} <= ${rounds}; ${i}++) {`,
      `for (int ${i} = ${rounds - 1}; ${i} >= 0; ${i}--) {`,
      `for (${type} ${i} = 0; ${i} < ${2 * rounds}; ${i} += 2) {`,
    ];
    return this.#loop(scope, this.#source.pick(heads), i, rounds);
  }

  /** As many rounds as a value says, but no more than a constant. */
  #clampedLoop(scope: Scope): Lines {
    const rounds = 3 + this.#source.below(10);
    if (scope.rounds * rounds > mostRounds) return [];
    const [n, i] = [this.#source.name("n"), this.#source.name("i")];
    const value = this.#expression(scope, 1);
    if (this.#source.chance(50)) {
      const head = `for (__u32 ${i} = 0; ${i} < ${n}; ${i}++) {`;
      return [
        `__u32 ${n} = ${value};`,
        `if (${n} > ${rounds}) ${this.#source.chance(60) ? `${n} = ${rounds};` : scope.leave}`,
        ...this.#loop(scope, head, i, rounds),
      ];
    }
    const head = `for (int ${i} = 0; ${i} < ${rounds}; ${i}++) {`;
    return [
      `__u32 ${n} = ${value};`,
      ...this.#loop(scope, head, i, rounds, [`if (${i} >= ${n}) break;`]),
    ];
  }

  /** A test that `size` bytes from `pointer` on are in the packet, in the forms that people write. */
  #outside(pointer: string, size: string): string {
    return this.#source.pick([
      `(void *)(${pointer}) + ${size} > data_end`,
      `(void *)(${pointer}) + ${size} > data_end`,
      `data_end < (void *)(${pointer}) + ${size}`,
      `(void *)(${pointer}) + ${size} > (void *)(long)ctx->data_end`,
    ]);
  }

  /** What follows where the test says no: leaving, or all else within the other branch. */
  #guarded(scope: Scope, outside: string, before: Lines, inner: Scope): Made {
    if (this.#source.chance(70)) {
      return { lines: [...before, `if (${outside}) ${scope.leave}`], scope: inner };
    }
    const lines = [...before, `if (!(${outside})) {`, ...this.block(inner, 5), "}"];
    return { lines, scope };
  }

  /** The next header at the cursor. */
  #parse(scope: Scope): Made {
    if (scope.cursor === undefined) return { lines: [], scope };
    const header = this.#source.pick(headers);
    const p = this.#source.name("h");
    const start = this.#source.chance(65) ? scope.cursor : "data";
    const before = [`struct ${header.name} *${p} = (void *)(${start});`];
    const outside = this.#outside(p, `sizeof(*${p})`);
    const next = header.length?.(p);
    const inner = withPlaces(scope, fieldsOf(header, `${p}->`));
    const isMoved = this.#source.chance(70);
    const cursor =
      next !== undefined && isMoved ? undefined : isMoved ? `(${p} + 1)` : scope.cursor;
    if (cursor !== undefined)
      return this.#guarded(scope, outside, before, within(inner, { cursor }));
    const length = this.#source.name("len");
    const end = this.#source.name("p");
    const lines = [
      ...before,
      `if (${outside}) ${scope.leave}`,
      `__u32 ${length} = ${next};`,
      ...(this.#source.chance(60) ? [`if (${length} < sizeof(*${p})) ${scope.leave}`] : []),
      `void *${end} = (void *)${p} + ${length};`,
    ];
    const known = withPlaces(within(inner, { cursor: end }), [
      { text: length, type: "__u32", writable: false },
    ]);
    return { lines, scope: known };
  }

  #variableOffset(scope: Scope): Made {
    if (scope.cursor === undefined) return { lines: [], scope };
    const [offset, p] = [this.#source.name("off"), this.#source.name("p")];
    const mask = this.#source.pick([7, 15, 31, 63, 127, 255]);
    const type = this.#source.pick(["__u8", "__u16", "__u32", "__u64"] as const);
    const index = this.#source.below(4);
    const limits = [
      `__u32 ${offset} = ${this.#expression(scope, 1)} & ${mask};`,
      `__u64 ${offset} = ${this.#expression(scope, 1)}; if (${offset} > ${mask}) ${scope.leave}`,
      `__u32 ${offset} = (__u32)${this.#expression(scope, 1)} % ${mask};`,
      `__u16 ${offset} = ${this.#expression(scope, 1)}; if (${offset} >= ${mask}) ${offset} = ${mask};`,
    ];
    const before = [
      this.#source.pick(limits),
      `${type} *${p} = ${this.#source.chance(60) ? "data" : `(void *)(${scope.cursor})`} + ${offset};`,
    ];
    const inner = withPlaces(scope, [
      { text: `${p}[${index}]`, type, writable: this.#source.chance(50) },
      { text: `*${p}`, type, writable: this.#source.chance(30) },
      { text: offset, type: "__u32", writable: false },
    ]);
    return this.#guarded(scope, this.#outside(p, `${8 * (index + 1)}`), before, inner);
  }

  #walkBytes(scope: Scope): Lines {
    const rounds = 4 + this.#source.below(28);
    if (scope.cursor === undefined || scope.rounds * rounds > mostRounds) return [];
    const [b, i] = [this.#source.name("b"), this.#source.name("i")];
    const sum = this.#source.pick(writablePlaces(scope)) ?? { text: "h" };
    const type = this.#source.pick(["__u8", "__u16"]);
    const uses = [
      `${sum.text} += ${b}[${i}];`,
      `${sum.text} = ${sum.text} * 31 + ${b}[${i}];`,
      `if (${b}[${i}] == ${this.#source.below(256)}) break;`,
      `if (${b}[${i}] > ${this.#source.below(256)}) { ${sum.text} ^= ${i}; continue; } h++;`,
      `if (${b}[${i}] == 0) ${scope.leave} ${sum.text} += ${b}[${i}] << 3;`,
    ];
    return [
      `${type} *${b} = (void *)(${scope.cursor});`,
      `for (int ${i} = 0; ${i} < ${rounds}; ${i}++) {`,
      `if ((void *)(${b} + ${i} + 1) > data_end) ${this.#source.chance(80) ? "break;" : scope.leave}`,
      this.#source.pick(uses),
      "}",
    ];
  }

  /** Type, length, value: the step is read from the packet. */
  #walkOptions(scope: Scope): Lines {
    const rounds = 3 + this.#source.below(7);
    if (scope.cursor === undefined || scope.rounds * rounds > mostRounds) return [];
    const [p, i, length] = ["p", "i", "len"].map((each) => this.#source.name(each));
    return [
      `__u8 *${p} = (void *)(${scope.cursor});`,
      `for (int ${i} = 0; ${i} < ${rounds}; ${i}++) {`,
      `if ((void *)${p} + 2 > data_end) break;`,
      `__u8 ${length} = ${p}[1];`,
      this.#source.chance(50)
        ? `if (${p}[0] == ${this.#source.below(4)}) { h += ${length}; break; }`
        : `h ^= ${p}[0];`,
      this.#source.chance(50)
        ? `if (${length} < 2) break;`
        : `if (${p}[0] == 1) { ${p}++; continue; }`,
      this.#source.chance(50) ? `${p} += ${length} & 31;` : `${p} += ${length};`,
      "}",
    ];
  }

  #keyFor(scope: Scope, map: HashMap, key: string): Lines {
    const struct = this.#program.structs.get(map.key);
    if (struct === undefined) {
      const value = this.#expression(scope, 1);
      return [
        `${map.key} ${key} = ${map.entries === undefined || this.#source.chance(30) ? `${value} & 3` : `${value} & ${map.entries - 1}`};`,
      ];
    }
    const lines = [`struct ${struct.name} ${key} = {};`];
    for (const { text } of fieldsOf(struct, `${key}.`)) {
      if (this.#source.chance(70)) lines.push(`${text} = ${this.#expression(scope, 1)} & 1;`);
    }
    return lines;
  }

  #lookUp(scope: Scope): Made {
    const map = this.#source.pick(this.#program.maps);
    const [key, v] = [this.#source.name("key"), this.#source.name("val")];
    const struct = this.#program.structs.get(map.value) as Struct;
    const before = [
      ...this.#keyFor(scope, map, key),
      `struct ${map.value} *${v} = bpf_map_lookup_elem(&${map.name}, &${key});`,
    ];
    const arrays = struct.arrays.map((each): Elements => ({ ...each, text: `${v}->${each.text}` }));
    const inner = {
      ...withPlaces(scope, fieldsOf(struct, `${v}->`)),
      arrays: [...scope.arrays, ...arrays],
    };
    const kind = this.#source.below(10);
    if (kind < 4) return { lines: [...before, `if (!${v}) ${scope.leave}`], scope: inner };
    const first = fieldsOf(struct, `${v}->`)[0]?.text;
    if (kind < 6) {
      const add = `__sync_fetch_and_add(&${first}, ${this.#expression(scope, 1)});`;
      return { lines: [...before, `if (${v}) ${add}`], scope };
    }
    const lines = [...before, `if (${v}) {`, ...this.block(inner, 5)];
    if (map.entries === undefined && this.#source.chance(60)) {
      const fresh = this.#source.name("new");
      lines.push("} else {", ...this.#freshValue(scope, struct, fresh));
      lines.push(`bpf_map_update_elem(&${map.name}, &${key}, &${fresh}, BPF_ANY);`);
    }
    return { lines: [...lines, "}"], scope };
  }

  #freshValue(scope: Scope, struct: Struct, name: string): Lines {
    const lines = [`struct ${struct.name} ${name} = {};`];
    for (const { text } of fieldsOf(struct, `${name}.`)) {
      if (this.#source.chance(40)) lines.push(`${text} = ${this.#expression(scope, 1)};`);
    }
    return lines;
  }

  #update(scope: Scope): Lines {
    const map = this.#source.pick(this.#program.maps);
    const [key, fresh] = [this.#source.name("key"), this.#source.name("new")];
    const lines = this.#keyFor(scope, map, key);
    if (map.entries === undefined && this.#source.chance(30))
      return [...lines, `bpf_map_delete_elem(&${map.name}, &${key});`];
    const struct = this.#program.structs.get(map.value) as Struct;
    lines.push(...this.#freshValue(scope, struct, fresh));
    const update = `bpf_map_update_elem(&${map.name}, &${key}, &${fresh}, BPF_ANY)`;
    return [...lines, this.#source.chance(30) ? `if (${update}) ${scope.leave}` : `${update};`];
  }

  /** An array on the stack. */
  #buffer(scope: Scope): Made {
    const text = this.#source.name("buf");
    const type = this.#source.pick(["__u8", "__u8", "__u16", "__u32"] as const);
    const length = this.#source.pick([4, 8, 16]);
    const lines = this.#source.chance(50)
      ? [`${type} ${text}[${length}] = {};`]
      : [
          `${type} ${text}[${length}];`,
          `__builtin_memset(${text}, ${this.#source.below(3)}, sizeof(${text}));`,
        ];
    return { lines, scope: { ...scope, arrays: [...scope.arrays, { text, type, length }] } };
  }

  #store(scope: Scope): Lines {
    if (scope.arrays.length === 0) return [];
    const place = element(this.#source, scope, this.#source.pick(scope.arrays));
    return [`${place} ${this.#source.pick(["=", "+=", "^="])} ${this.#expression(scope)};`];
  }

  /** An index that is compared instead of masked. */
  #checkedIndex(scope: Scope): Lines {
    if (scope.arrays.length === 0) return [];
    const { text, length } = this.#source.pick(scope.arrays);
    const index = this.#source.name("idx");
    const isSigned = this.#source.chance(40);
    const lower = isSigned ? `${index} < 0 || ` : "";
    const use = `${text}[${index}] ${this.#source.pick(["=", "+="])} ${this.#expression(scope, 1)};`;
    const declaration = `${isSigned ? "int" : this.#source.pick(["__u32", "__u64", "__u16"])} ${index} = ${this.#expression(scope, 1)};`;
    if (this.#source.chance(50))
      return [declaration, `if (${lower}${index} >= ${length}) ${scope.leave}`, use];
    const inside = isSigned ? `${index} >= 0 && ${index} < ${length}` : `${index} < ${length}`;
    return [declaration, `if (${inside}) {`, use, ...this.block(scope, 2), "}"];
  }

  /** Bytes of the packet copied to the stack, as many as a value says. */
  #loadBytes(scope: Scope): Lines {
    if (scope.cursor === undefined) return [];
    const bytes = scope.arrays.filter(
      ({ type, text }) => type === "__u8" && text.startsWith("buf"),
    );
    if (bytes.length === 0) return [];
    const { text, length } = this.#source.pick(bytes);
    const helper = this.#program.context === "xdp" ? "bpf_xdp_load_bytes" : "bpf_skb_load_bytes";
    const offset = `(__u32)${this.#expression(scope, 1)} & 63`;
    if (this.#source.chance(40))
      return [`if (${helper}(ctx, ${offset}, ${text}, sizeof(${text})) < 0) ${scope.leave}`];
    const n = this.#source.name("n");
    const limits = [
      `__u32 ${n} = (${this.#expression(scope, 1)} & ${length - 1}) + 1;`,
      `__u32 ${n} = ${this.#expression(scope, 1)}; if (${n} > ${length}) ${n} = ${length}; if (${n} == 0) ${scope.leave}`,
      `__u64 ${n} = ${this.#expression(scope, 1)}; if (${n} < 1 || ${n} > sizeof(${text})) ${scope.leave}`,
      `int ${n} = ${this.#expression(scope, 1)}; if (${n} <= 0 || ${n} > ${length}) ${scope.leave}`,
    ];
    return [this.#source.pick(limits), `if (${helper}(ctx, ${offset}, ${text}, ${n})) h ^= ${n};`];
  }

  #call(scope: Scope): Lines {
    if (this.#program.functions.length === 0) return [];
    const { name, parameters } = this.#source.pick(this.#program.functions);
    const buffers = scope.arrays.filter(
      ({ type, text, length }) => type === "__u8" && length === 16 && text.startsWith("buf"),
    );
    if (parameters.includes("buffer") && buffers.length === 0) return [];
    if (parameters.includes("packet") && scope.cursor === undefined) return [];
    const words = parameters.map((kind) =>
      kind === "scalar"
        ? this.#expression(scope, 1)
        : kind === "buffer"
          ? this.#source.pick(buffers).text
          : `(void *)(${scope.cursor}), data_end`,
    );
    const target = this.#source.pick(writablePlaces(scope));
    return [
      `${target?.text ?? "h"} ${this.#source.pick(["=", "+=", "^="])} ${name}(${words.join(", ")});`,
    ];
  }

  #leave(scope: Scope): Lines {
    const what = scope.inLoop
      ? this.#source.pick(["break;", "continue;", scope.leave])
      : scope.leave;
    return [`if (${condition(this.#source, scope)}) ${what}`];
  }
}

interface Made {
  readonly lines: Lines;
  readonly scope: Scope;
}
