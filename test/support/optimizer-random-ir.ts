/**
 * Random IR as the front end would lower it: variables in stack objects, structured control flow,
 * aggregates that are copied and reinterpreted, helpers that read and write the stack, static callees.
 * Deterministic for a seed; every program ends, and no read is of something never written.
 */
import type {
  BinaryOp,
  Block,
  IntPredicate,
  IrFunction,
  IrInstruction,
  IrModule,
  IrType,
  Operation,
  Value,
} from "../../compiler/4-lower/ir.ts";
import {
  appendInstruction,
  constant,
  createBlock,
  createFunction,
  createModule,
  globalAddress,
} from "../../compiler/4-lower/ir-builder.ts";
import { byteSize } from "../../compiler/5-optimize/values.ts";

type Int = "i8" | "i16" | "i32" | "i64";
const ints: readonly Int[] = ["i8", "i16", "i32", "i64"];
const binaries: readonly BinaryOp[] = [
  "add",
  "sub",
  "mul",
  "udiv",
  "sdiv",
  "urem",
  "srem",
  "and",
  "or",
  "xor",
  "shl",
  "lshr",
  "ashr",
];
const predicates: readonly IntPredicate[] = [
  "eq",
  "ne",
  "ult",
  "ule",
  "ugt",
  "uge",
  "slt",
  "sle",
  "sgt",
  "sge",
];

/** xorshift; the same everywhere. */
export function randomSource(seed: number): (below: number) => number {
  let state = (seed * 2654435761 + 12345) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

interface Variable {
  readonly object: Value;
  readonly type: Int;
}

interface Aggregate {
  readonly object: Value;
  readonly size: number;
}

export function randomModule(seed: number): IrModule {
  const random = randomSource(seed);
  const module = createModule(`random-${seed}`, "little");
  for (const [name, isConstant] of [
    ["g", false],
    ["table", true],
  ] as const) {
    const data = Uint8Array.from({ length: 32 }, () => random(256));
    module.globals.push({
      name,
      section: isConstant ? ".rodata" : ".data",
      binding: "global",
      visibility: "default",
      align: 8,
      size: 32,
      data,
      relocations: [],
      constant: isConstant,
      isExtern: false,
    });
  }
  const callees = random(3);
  for (let at = 0; at < callees; at += 1) {
    const inline = (["always", "never", "default"] as const)[random(3)] as "always";
    module.functions.push(new Generator(module, random, `callee${at}`, inline, at).make(6));
  }
  module.functions.push(new Generator(module, random, "main", "default", callees).make(14));
  return module;
}

class Generator {
  readonly #fn: IrFunction;
  readonly #random: (below: number) => number;
  readonly #callees: number;
  readonly #variables: Variable[] = [];
  readonly #aggregates: Aggregate[] = [];
  #block: Block;
  #depth = 0;

  constructor(
    module: IrModule,
    random: (below: number) => number,
    name: string,
    inline: IrFunction["inline"],
    callees: number,
  ) {
    this.#random = random;
    this.#callees = callees;
    const types = ["i32", "i64"] as const;
    this.#fn = createFunction({
      name,
      returns: "i64",
      binding: name === "main" ? "global" : "local",
      inline,
      params: [0, 1].map((at) => ({ type: types[random(2)] as "i32", name: `p${at}` })),
    });
    this.#block = createBlock(this.#fn);
    void module;
  }

  make(statements: number): IrFunction {
    const entry = this.#block;
    for (let at = 0; at < 5; at += 1) {
      const type = this.#pick(ints);
      const size = byteSize[type];
      const object = this.#emit("ptr", { op: "alloca", size, align: size, name: `v${at}` }, []);
      this.#variables.push({ object, type });
    }
    for (let at = 0; at < 3; at += 1) {
      const size = 8 * (1 + this.#random(4));
      const object = this.#emit("ptr", { op: "alloca", size, align: 8, name: `s${at}` }, []);
      this.#aggregates.push({ object, size });
    }
    for (const { object, size } of this.#aggregates) {
      const operation = { op: "memset", dstAlign: 8, volatile: false } as const;
      this.#emit("void", operation, [
        object,
        constant("i8", this.#random(256)),
        constant("i64", size),
      ]);
    }
    for (const { object, type } of this.#variables) this.#store(object, this.#constant(type));
    for (const [at, param] of this.#fn.params.entries()) {
      const { object, type } = this.#variables[at] as Variable;
      this.#store(object, this.#fit(param, type));
    }
    for (let at = 0; at < statements; at += 1) this.#statement();
    this.#emit("void", { op: "ret" }, [this.#expression("i64", 3)]);
    void entry;
    return this.#fn;
  }

  #emit(type: IrType, operation: Operation, operands: readonly Value[]): IrInstruction {
    return appendInstruction(this.#fn, this.#block, type, operation, operands);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#random(list.length)] as T;
  }

  #constant(type: Int): Value {
    const interesting = [
      0n,
      1n,
      2n,
      5n,
      7n,
      8n,
      16n,
      63n,
      255n,
      256n,
      -1n,
      -2n,
      -8n,
      0x7fffffffn,
      0x80000000n,
    ];
    const value = this.#random(4) > 0 ? this.#pick(interesting) : BigInt(this.#random(1 << 30));
    return constant(type, value);
  }

  #fit(value: Value, type: Int): Value {
    const from = byteSize[value.type];
    if (from === byteSize[type]) return value;
    if (from > byteSize[type]) return this.#emit(type, { op: "trunc" }, [value]);
    return this.#emit(type, { op: this.#random(2) ? "zext" : "sext" }, [value]);
  }

  #store(pointer: Value, value: Value): void {
    const align = byteSize[value.type];
    this.#emit("void", { op: "store", align, volatile: false }, [value, pointer]);
  }

  #load(pointer: Value, type: Int): Value {
    return this.#emit(type, { op: "load", align: byteSize[type], volatile: false }, [pointer]);
  }

  /** An aligned place for a value of the type in some aggregate or global. */
  #place(type: Int): Value {
    const size = byteSize[type];
    const isGlobal = this.#random(4) === 0;
    const { object, size: whole } = isGlobal
      ? { object: globalAddress("g"), size: 32 }
      : this.#pick(this.#aggregates);
    const slots = whole / size;
    if (this.#random(5) > 0)
      return this.#offset(object, constant("i64", size * this.#random(slots)));
    // A variable index: masked, then scaled.
    const mask = 2 ** Math.floor(Math.log2(slots)) - 1;
    const index = this.#binary("and", this.#expression("i64", 1), constant("i64", mask));
    return this.#offset(object, this.#binary("mul", index, constant("i64", size)));
  }

  #offset(object: Value, offset: Value): Value {
    return this.#emit("ptr", { op: "ptradd" }, [object, offset]);
  }

  #binary(binary: BinaryOp, a: Value, b: Value): Value {
    return this.#emit(a.type, { op: "binary", binary }, [a, b]);
  }

  #expression(type: Int, depth: number): Value {
    const choice = depth <= 0 ? this.#random(3) : this.#random(12);
    if (choice === 0) return this.#constant(type);
    if (choice === 1) {
      const { object, type: from } = this.#pick(this.#variables);
      return this.#fit(this.#load(object, from), type);
    }
    if (choice === 2) {
      const from = this.#pick(ints);
      return this.#fit(this.#load(this.#place(from), from), type);
    }
    if (choice === 3 && type !== "i8") {
      return this.#emit(type, { op: "bswap" }, [this.#expression(type, depth - 1)]);
    }
    if (choice === 4) return this.#fit(this.#expression(this.#pick(ints), depth - 1), type);
    if (choice === 5) {
      return this.#emit(type, { op: "zext" }, [this.#condition(depth - 1)]);
    }
    if (choice === 6) {
      const operands = [this.#condition(depth - 1), this.#expression(type, depth - 1)];
      return this.#emit(type, { op: "select" }, [...operands, this.#expression(type, depth - 1)]);
    }
    if (choice === 7) {
      const offset = constant("i64", byteSize[type] * this.#random(32 / byteSize[type]));
      return this.#load(this.#offset(globalAddress("table"), offset), type);
    }
    const binary = this.#pick(binaries);
    const left = this.#expression(type, depth - 1);
    const isShift = binary === "shl" || binary === "lshr" || binary === "ashr";
    if (isShift)
      return this.#binary(binary, left, constant(type, this.#random(8 * byteSize[type])));
    return this.#binary(binary, left, this.#expression(type, depth - 1));
  }

  #condition(depth: number): Value {
    if (depth > 0 && this.#random(4) === 0) {
      const binary = this.#pick(["and", "or", "xor"] as const);
      return this.#binary(binary, this.#condition(depth - 1), this.#condition(depth - 1));
    }
    const type = this.#pick(ints);
    const operands = [this.#expression(type, depth - 1), this.#expression(type, depth - 1)];
    return this.#emit("i1", { op: "icmp", predicate: this.#pick(predicates) }, operands);
  }

  #statement(): void {
    const choice = this.#random(this.#depth >= 3 ? 8 : 13);
    if (choice <= 2) {
      const { object, type } = this.#pick(this.#variables);
      this.#store(object, this.#expression(type, 3));
    } else if (choice <= 4) {
      const type = this.#pick(ints);
      const value = this.#expression(type, 2);
      this.#store(this.#place(type), value);
    } else if (choice === 5) this.#copy();
    else if (choice === 6) this.#helper();
    else if (choice === 7) this.#call();
    else if (choice <= 9) this.#branch();
    else if (choice === 10) this.#switch();
    else if (choice === 11) this.#loop();
    else this.#earlyReturn();
  }

  #copy(): void {
    const [to, from] = [this.#pick(this.#aggregates), this.#pick(this.#aggregates)];
    const size = Math.min(to.size, from.size);
    const length = this.#random(3) > 0 ? size : this.#random(size);
    const count = constant("i64", length);
    if (this.#random(3) === 0) {
      const byte = constant("i8", this.#random(256));
      this.#emit("void", { op: "memset", dstAlign: 8, volatile: false }, [to.object, byte, count]);
    } else if (to !== from) {
      const operation = { op: "memcpy", dstAlign: 8, srcAlign: 8, volatile: false } as const;
      this.#emit("void", operation, [to.object, from.object, count]);
    }
  }

  #helper(): void {
    // 6 reads, 16 writes, 5 neither.
    const id = this.#pick([6, 16, 5]);
    const { object } = this.#pick(this.#aggregates);
    const args = id === 5 ? [] : [object, this.#expression("i32", 1)];
    const callee = { kind: "helper", id } as const;
    const result = this.#emit("i64", { op: "call", callee, noreturn: false }, args);
    const { object: to, type } = this.#pick(this.#variables);
    this.#store(to, this.#fit(result, type));
  }

  #call(): void {
    if (this.#callees === 0) return;
    const callee = { kind: "function", symbol: `callee${this.#random(this.#callees)}` } as const;
    const args = [this.#expression("i64", 2), this.#expression("i64", 2)];
    const result = this.#emit("i64", { op: "call", callee, noreturn: false }, args);
    const { object, type } = this.#pick(this.#variables);
    this.#store(object, this.#fit(result, type));
  }

  #jump(target: Block): void {
    this.#emit("void", { op: "br", target }, []);
  }

  #body(block: Block, statements: number, then: Block): void {
    this.#block = block;
    this.#depth += 1;
    for (let at = 0; at < statements; at += 1) this.#statement();
    this.#depth -= 1;
    this.#jump(then);
  }

  #branch(): void {
    const condition = this.#condition(2);
    const [then, otherwise, join] = [0, 1, 2].map(() => createBlock(this.#fn)) as [
      Block,
      Block,
      Block,
    ];
    this.#emit("void", { op: "condbr", then, otherwise }, [condition]);
    this.#body(then, 1 + this.#random(3), join);
    this.#body(otherwise, this.#random(3), join);
    this.#block = join;
  }

  #switch(): void {
    const value = this.#binary("and", this.#expression("i32", 2), constant("i32", 7));
    const fallback = createBlock(this.#fn);
    const join = createBlock(this.#fn);
    const cases = [0, 1, 2, 3]
      .slice(0, 1 + this.#random(4))
      .map((at) => ({ value: BigInt(at * 2), target: createBlock(this.#fn) }));
    this.#emit("void", { op: "switch", cases, fallback }, [value]);
    for (const { target } of cases) this.#body(target, 1, this.#random(4) === 0 ? fallback : join);
    this.#body(fallback, this.#random(2), join);
    this.#block = join;
  }

  #loop(): void {
    const size = 4;
    const counter = this.#entryObject(size);
    this.#store(counter, constant("i32", 0));
    const [head, body, next, done] = [0, 1, 2, 3].map(() => createBlock(this.#fn)) as [
      Block,
      Block,
      Block,
      Block,
    ];
    this.#jump(head);
    this.#block = head;
    const i = this.#load(counter, "i32");
    const limit = constant("i32", 1 + this.#random(6));
    const test = this.#emit("i1", { op: "icmp", predicate: "ult" }, [i, limit]);
    this.#emit("void", { op: "condbr", then: body, otherwise: done }, [test]);
    this.#body(body, 1 + this.#random(2), next);
    this.#block = next;
    this.#store(counter, this.#binary("add", this.#load(counter, "i32"), constant("i32", 1)));
    this.#jump(head);
    this.#block = done;
  }

  #entryObject(size: number): Value {
    const current = this.#block;
    const entry = this.#fn.blocks[0] as Block;
    this.#block = { ...entry, instructions: [] };
    const object = this.#emit("ptr", { op: "alloca", size, align: size, name: "i" }, []);
    object.block = entry;
    entry.instructions.unshift(object);
    this.#block = current;
    return object;
  }

  #earlyReturn(): void {
    const condition = this.#condition(2);
    const [then, otherwise] = [createBlock(this.#fn), createBlock(this.#fn)];
    this.#emit("void", { op: "condbr", then, otherwise }, [condition]);
    this.#block = then;
    this.#emit("void", { op: "ret" }, [this.#expression("i64", 1)]);
    this.#block = otherwise;
  }
}
