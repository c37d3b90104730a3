/** Random IR functions for differential tests: all integer widths, branches, loops, switches, stack, calls. */
import type {
  BinaryOp,
  Block,
  IntegerIrType,
  IntPredicate,
  IrFunction,
  IrInstruction,
  Operation,
  Value,
} from "../../compiler/4-lower/ir.ts";
import { bitWidth } from "../../compiler/4-lower/ir.ts";
import {
  appendInstruction,
  constant,
  createBlock,
  createFunction,
} from "../../compiler/4-lower/ir-builder.ts";

/** mulberry32: small, seedable, good enough. */
export function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const widths: readonly IntegerIrType[] = ["i8", "i16", "i32", "i64"];
const binaries: readonly BinaryOp[] = [
  ...(["add", "sub", "mul", "and", "or", "xor", "shl", "lshr", "ashr"] as const),
  ...(["udiv", "urem", "sdiv", "srem"] as const),
];
const comparisons: readonly IntPredicate[] = [
  ...(["eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge"] as const),
];

export class RandomFunction {
  readonly fn: IrFunction;
  readonly #random: () => number;
  #block: Block;
  #pool: Value[] = [];
  #buffers: IrInstruction[] = [];
  #cells: { at: IrInstruction; type: IntegerIrType }[] = [];

  constructor(seed: number, size: number) {
    this.#random = randomSource(seed);
    const params = Array.from({ length: this.#below(6) }, (_, at) => ({
      type: this.#pick(widths),
      name: `p${at}`,
    }));
    this.fn = createFunction({ name: "f", params, returns: "i64", binding: "global" });
    this.#block = createBlock(this.fn);
    for (let at = 0; at < 3; at += 1) this.#cell();
    for (let at = 0; at < 2; at += 1) this.#buffer();
    this.#pool.push(...this.fn.params);
    this.#statements(size, 2);
    this.#finish();
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #emit(type: IrInstruction["type"], operation: Operation, operands: Value[]): IrInstruction {
    return appendInstruction(this.fn, this.#block, type, operation, operands);
  }

  #cell(): void {
    const type = this.#pick(widths);
    const size = bitWidth[type] / 8;
    const at = this.#emit("ptr", { op: "alloca", size, align: size, name: "cell" }, []);
    this.#emit("void", { op: "store", align: size, volatile: false }, [constant(type, 1n), at]);
    this.#cells.push({ at, type });
  }

  #buffer(): void {
    const at = this.#emit(
      "ptr",
      { op: "alloca", size: 24, align: this.#pick([1, 4, 8]), name: "buffer" },
      [],
    );
    this.#emit("void", { op: "memset", dstAlign: 1, volatile: false }, [
      at,
      constant("i8", this.#below(256)),
      constant("i64", 24),
    ]);
    this.#buffers.push(at);
  }

  /** Bytes of a buffer: aligned or not, at a fixed or a computed place, alone or in blocks. */
  #blockAccess(): void {
    const buffer = this.#pick(this.#buffers);
    const other = this.#pick(this.#buffers);
    const kind = this.#below(7);
    const length = this.#below(13);
    const offset = this.#below(12);
    const place = (from: Value, by: number): Value =>
      this.#emit("ptr", { op: "ptradd" }, [from, constant("i64", by)]);
    const size = constant("i64", length);
    if (kind === 0) {
      const byte = this.#below(2) === 0 ? constant("i8", this.#below(256)) : this.#value("i8");
      const operation = { op: "memset", dstAlign: 1, volatile: false } as const;
      this.#emit("void", operation, [place(buffer, offset), byte, size]);
    } else if (kind === 1) {
      const op = buffer === other ? "memmove" : this.#pick(["memcpy", "memmove"] as const);
      const operation = { op, dstAlign: 1, srcAlign: 1, volatile: false } as const;
      this.#emit("void", operation, [place(buffer, offset), place(other, this.#below(12)), size]);
    } else if (kind === 2) {
      const difference = this.#emit("i32", { op: "memcmp" }, [place(buffer, offset), other, size]);
      const operation = { op: "icmp", predicate: this.#pick(["eq", "slt"] as const) } as const;
      const test = this.#emit("i1", operation, [difference, constant("i32", 0)]);
      this.#pool.push(this.#emit("i8", { op: "zext" }, [test]));
    } else {
      const type = this.#pick(widths);
      const bytes = bitWidth[type] / 8;
      const step = this.#emit("i64", { op: "binary", binary: "and" }, [
        this.#value("i64"),
        constant("i64", 15 & -bytes),
      ]);
      const isFixed = kind < 5;
      const at = isFixed
        ? place(buffer, offset)
        : this.#emit("ptr", { op: "ptradd" }, [buffer, step]);
      const access = { align: 1, volatile: false };
      if (this.#below(2) === 0)
        this.#emit("void", { op: "store", ...access }, [this.#value(type), at]);
      else this.#pool.push(this.#emit(type, { op: "load", ...access }, [at]));
    }
  }

  #constant(type: IntegerIrType): Value {
    const near = [0n, 1n, 2n, -1n, 7n, 255n, 128n, 65535n, 1n << 31n, (1n << 32n) - 1n, 1n << 63n];
    const far = BigInt(Math.floor(this.#random() * 2 ** 32)) << BigInt(this.#below(33));
    return constant(type, this.#below(4) === 0 ? far : this.#pick(near));
  }

  /** Some value of this type, converted if need be. */
  #value(type: IntegerIrType): Value {
    if (this.#below(5) === 0 || this.#pool.length === 0) return this.#constant(type);
    const recent = this.#pool.slice(-12);
    const value = this.#below(3) === 0 ? this.#pick(this.#pool) : this.#pick(recent);
    if (value.type === type) return value;
    const [from, to] = [bitWidth[value.type as IntegerIrType], bitWidth[type]];
    const op = from > to ? "trunc" : this.#below(2) === 0 ? "zext" : "sext";
    return this.#emit(type, { op }, [value]);
  }

  #condition(): Value {
    const type = this.#pick(widths);
    const operation = { op: "icmp", predicate: this.#pick(comparisons) } as const;
    const plain = this.#emit("i1", operation, [this.#value(type), this.#value(type)]);
    if (this.#below(6) !== 0) return plain;
    const other = this.#condition();
    const binary = this.#pick(["and", "or", "xor"] as const);
    return this.#emit("i1", { op: "binary", binary }, [plain, other]);
  }

  #binary(): Value {
    const type = this.#pick(widths);
    const binary = this.#pick(binaries);
    const a = this.#value(type);
    const bits = bitWidth[type];
    if (binary === "shl" || binary === "lshr" || binary === "ashr") {
      const amount =
        this.#below(2) === 0
          ? constant(type, this.#below(bits))
          : this.#emit(type, { op: "binary", binary: "and" }, [
              this.#value(type),
              constant(type, bits - 1),
            ]);
      return this.#emit(type, { op: "binary", binary }, [a, amount]);
    }
    let b = this.#value(type);
    if (/div|rem/.test(binary)) {
      b =
        this.#below(2) === 0
          ? constant(type, this.#pick([1n, 2n, 8n, 3n, 10n, -1n, -4n, -7n, 100n]))
          : this.#emit(type, { op: "binary", binary: "or" }, [b, constant(type, 1n)]);
    }
    return this.#emit(type, { op: "binary", binary }, [a, b]);
  }

  #statements(count: number, depth: number): void {
    for (let at = 0; at < count; at += 1) this.#statement(depth);
  }

  #statement(depth: number): void {
    const kind = this.#below(depth > 0 ? 16 : 11);
    if (kind < 6) this.#pool.push(this.#binary());
    else if (kind === 6) {
      const type = this.#pick(widths);
      const operands = [this.#condition(), this.#value(type), this.#value(type)];
      this.#pool.push(this.#emit(type, { op: "select" }, operands));
    } else if (kind === 7 && this.#below(2) === 0) this.#blockAccess();
    else if (kind === 7) {
      const { at, type } = this.#pick(this.#cells);
      const access = { align: bitWidth[type] / 8, volatile: false };
      if (this.#below(2) === 0) {
        this.#emit("void", { op: "store", ...access }, [this.#value(type), at]);
      } else this.#pool.push(this.#emit(type, { op: "load", ...access }, [at]));
    } else if (kind === 8) {
      const args = Array.from({ length: this.#below(6) }, () => this.#value(this.#pick(widths)));
      const callee = { kind: "helper", id: 10_000 + this.#below(100) } as const;
      const operation = { op: "call", callee, noreturn: false } as const;
      this.#pool.push(this.#emit(this.#pick(["i64", "i64", "i32", "i8"]), operation, args));
    } else if (kind === 9) {
      const type = this.#pick(["i16", "i32", "i64"] as const);
      this.#pool.push(this.#emit(type, { op: "bswap" }, [this.#value(type)]));
    } else if (kind === 10) {
      const type = this.#pick(widths);
      this.#pool.push(this.#emit(type, { op: "zext" }, [this.#condition()]));
    } else if (kind < 14) this.#conditional(depth);
    else if (kind === 14) this.#loop(depth);
    else this.#switch(depth);
  }

  /** Runs `body` in a new block; gives the value that it hands to the join. */
  #arm(
    block: Block,
    join: Block,
    type: IntegerIrType,
    depth: number,
  ): { value: Value; from: Block } {
    const pool = this.#pool;
    this.#block = block;
    this.#pool = [...pool];
    this.#statements(this.#below(4), depth - 1);
    const value = this.#value(type);
    const from = this.#block;
    this.#emit("void", { op: "br", target: join }, []);
    this.#pool = pool;
    return { value, from };
  }

  #join(join: Block, type: IntegerIrType, arms: { value: Value; from: Block }[]): void {
    this.#block = join;
    const incoming = arms.map(({ from }) => from);
    this.#pool.push(
      this.#emit(
        type,
        { op: "phi", incoming },
        arms.map(({ value }) => value),
      ),
    );
  }

  #conditional(depth: number): void {
    const [then, otherwise, join] = [0, 1, 2].map(() => createBlock(this.fn)) as [
      Block,
      Block,
      Block,
    ];
    this.#emit("void", { op: "condbr", then, otherwise }, [this.#condition()]);
    const type = this.#pick(widths);
    const arms = [then, otherwise].map((block) => this.#arm(block, join, type, depth));
    this.#join(join, type, arms);
  }

  #switch(depth: number): void {
    const type = this.#pick(widths);
    const value = this.#emit(type, { op: "binary", binary: "and" }, [
      this.#value(type),
      constant(type, 15n),
    ]);
    const join = createBlock(this.fn);
    const targets = Array.from({ length: 1 + this.#below(4) }, () => createBlock(this.fn));
    const fallback = createBlock(this.fn);
    const cases = Array.from({ length: 12 }, (_, at) => ({
      value: BigInt(at),
      target: this.#pick(targets),
    })).filter(() => this.#below(3) > 0);
    const used = targets.filter((each) => cases.some(({ target }) => target === each));
    this.#emit("void", { op: "switch", cases, fallback }, [value]);
    const result = this.#pick(widths);
    const arms = [...used, fallback].map((block) => this.#arm(block, join, result, depth));
    this.#join(join, result, arms);
    this.fn.blocks = this.fn.blocks.filter((b) => !targets.includes(b) || used.includes(b));
  }

  #loop(depth: number): void {
    const type = this.#pick(widths);
    const initial = this.#value(type);
    const before = this.#block;
    const [header, body, after] = [0, 1, 2].map(() => createBlock(this.fn)) as [
      Block,
      Block,
      Block,
    ];
    this.#emit("void", { op: "br", target: header }, []);
    this.#block = header;
    const counter = this.#emit("i32", { op: "phi", incoming: [before] }, [constant("i32", 0n)]);
    const carried = this.#emit(type, { op: "phi", incoming: [before] }, [initial]);
    const limit = constant("i32", 1 + this.#below(5));
    const more = this.#emit("i1", { op: "icmp", predicate: "slt" }, [counter, limit]);
    this.#emit("void", { op: "condbr", then: body, otherwise: after }, [more]);
    this.#pool.push(counter, carried);
    const pool = this.#pool;
    this.#pool = [...pool];
    this.#block = body;
    this.#statements(this.#below(4), depth - 1);
    const next = this.#value(type);
    const step = this.#emit("i32", { op: "binary", binary: "add" }, [counter, constant("i32", 1n)]);
    const latch = this.#block;
    this.#emit("void", { op: "br", target: header }, []);
    for (const [phi, value] of [
      [counter, step],
      [carried, next],
    ] as const) {
      if (phi.operation.op === "phi") phi.operation.incoming.push(latch);
      phi.operands.push(value);
    }
    this.#pool = pool;
    this.#block = after;
  }

  #finish(): void {
    let sum: Value = constant("i64", 0n);
    for (const value of this.#pool.slice(-20)) {
      const type = value.type as IntegerIrType;
      const wide =
        type === "i64"
          ? value
          : this.#emit("i64", { op: this.#below(2) === 0 ? "zext" : "sext" }, [value]);
      const turned = this.#emit("i64", { op: "binary", binary: "mul" }, [
        sum,
        constant("i64", 31n),
      ]);
      sum = this.#emit("i64", { op: "binary", binary: "xor" }, [turned, wide]);
    }
    this.#emit("void", { op: "ret" }, [sum]);
  }
}
