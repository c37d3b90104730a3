/**
 * Executes IR directly, so that the optimiser can be tested without the rest of the compiler: the same
 * function before and after must return the same and leave the same trace. Memory is one array;
 * helpers read and write what their effects row says and log what they read.
 */
import type {
  Block,
  IrFunction,
  IrInstruction,
  IrModule,
  Value,
} from "../../compiler/4-lower/ir.ts";
import { bitWidth } from "../../compiler/4-lower/ir.ts";
import { helperEffects } from "../../compiler/5-optimize/effects.ts";
import {
  atomicMeaning,
  binaryMeaning,
  foldComparison,
  swapBytes,
} from "../../compiler/5-optimize/fold-constants.ts";
import { byteSize } from "../../compiler/5-optimize/values.ts";

export interface Outcome {
  readonly result: bigint;
  /** What helpers saw, in order. */
  readonly trace: readonly string[];
  /** Final contents of the globals. */
  readonly globals: string;
  /** Instructions executed. */
  readonly steps: number;
}

const memorySize = 1 << 16;

export class OutOfFuel extends Error {}

export function interpret(
  module: IrModule,
  name: string,
  args: readonly bigint[],
  fuel = 200_000,
): Outcome {
  const machine = new Machine(module, fuel);
  const result = machine.call(name, args);
  return { result, trace: machine.trace, globals: machine.globalBytes(), steps: machine.steps };
}

class Machine {
  readonly trace: string[] = [];
  steps = 0;
  readonly #module: IrModule;
  readonly #fuel: number;
  readonly #memory = new DataView(new ArrayBuffer(memorySize));
  readonly #addresses = new Map<string, number>();
  #top = 64;
  #calls = 0;

  constructor(module: IrModule, fuel: number) {
    this.#module = module;
    this.#fuel = fuel;
    for (const global of [...module.globals].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const at = this.#allocate(global.size, 8);
      this.#addresses.set(global.name, at);
      for (const [index, byte] of (global.data ?? []).entries())
        this.#memory.setUint8(at + index, byte);
    }
  }

  globalBytes(): string {
    const rows: string[] = [];
    for (const global of this.#module.globals) {
      const at = this.#addresses.get(global.name) ?? 0;
      rows.push(`${global.name}=${this.#hex(at, global.size)}`);
    }
    return rows.sort().join(" ");
  }

  #hex(at: number, size: number): string {
    let text = "";
    for (let index = 0; index < size; index += 1) {
      text += this.#memory
        .getUint8(at + index)
        .toString(16)
        .padStart(2, "0");
    }
    return text;
  }

  #allocate(size: number, align: number): number {
    this.#top = Math.ceil(this.#top / align) * align;
    const at = this.#top;
    this.#top += Math.max(size, 1);
    if (this.#top > memorySize) throw new Error("out of memory");
    return at;
  }

  call(name: string, args: readonly bigint[]): bigint {
    const fn = this.#module.functions.find((each) => each.name === name);
    if (fn === undefined) throw new Error(`no function ${name}`);
    const saved = this.#top;
    const result = this.#run(fn, args);
    this.#top = saved;
    return result;
  }

  #run(fn: IrFunction, args: readonly bigint[]): bigint {
    const values = new Map<Value, bigint>();
    for (const param of fn.params) {
      values.set(param, BigInt.asUintN(bitWidth[param.type], args[param.index] ?? 0n));
    }
    let block = fn.blocks[0] as Block;
    let from: Block | undefined;
    for (;;) {
      const inputs = new Map<IrInstruction, bigint>();
      for (const each of block.instructions) {
        if (each.operation.op !== "phi") break;
        const at = each.operation.incoming.indexOf(from as Block);
        inputs.set(each, this.#value(each.operands[at] as Value, values));
      }
      for (const [phi, value] of inputs) values.set(phi, value);
      for (const each of block.instructions) {
        const { operation } = each;
        if (operation.op === "phi") continue;
        this.steps += 1;
        if (this.steps > this.#fuel) throw new OutOfFuel();
        const get = (at: number): bigint => this.#value(each.operands[at] as Value, values);
        if (operation.op === "ret") return each.operands.length > 0 ? get(0) : 0n;
        const next = this.#jump(each, get);
        if (next !== undefined) {
          from = block;
          block = next;
          break;
        }
        const result = this.#execute(each, get);
        if (each.type !== "void") values.set(each, BigInt.asUintN(bitWidth[each.type], result));
      }
    }
  }

  #jump(each: IrInstruction, get: (at: number) => bigint): Block | undefined {
    const { operation } = each;
    switch (operation.op) {
      case "br":
        return operation.target;
      case "condbr":
        return get(0) === 1n ? operation.then : operation.otherwise;
      case "switch":
        return operation.cases.find(({ value }) => value === get(0))?.target ?? operation.fallback;
      default:
        return undefined;
    }
  }

  #value(value: Value, values: ReadonlyMap<Value, bigint>): bigint {
    if (value.kind === "constant") return value.value;
    if (value.kind === "undef") return 0n;
    if (value.kind === "global") return BigInt(this.#addresses.get(value.symbol) ?? 0);
    const known = values.get(value);
    if (known === undefined) throw new Error("a value is used before it is computed");
    return known;
  }

  #execute(each: IrInstruction, get: (at: number) => bigint): bigint {
    const { operation, operands } = each;
    const width = (value: Value | undefined): number =>
      value === undefined || value.type === "void" ? 64 : bitWidth[value.type];
    switch (operation.op) {
      case "binary":
        return binaryMeaning[operation.binary](get(0), get(1), BigInt(width(each)));
      case "icmp": {
        const type = operands[0]?.type as "i64";
        const constant = (value: bigint) => ({ kind: "constant", type, value }) as const;
        return foldComparison(operation.predicate, constant(get(0)), constant(get(1))).value;
      }
      case "sext":
        return BigInt.asIntN(width(operands[0]), get(0));
      case "zext":
      case "trunc":
      case "ptrtoint":
      case "inttoptr":
        return get(0);
      case "bswap":
        return swapBytes(get(0), width(each));
      case "ptradd":
        return get(0) + get(1);
      case "select":
        return get(0) === 1n ? get(1) : get(2);
      case "alloca":
        return BigInt(this.#allocate(operation.size, operation.align));
      case "load":
        return this.#load(get(0), byteSize[each.type]);
      case "store":
        this.#store(get(1), get(0), byteSize[operands[0]?.type ?? "void"]);
        return 0n;
      case "atomicrmw": {
        const size = byteSize[operands[1]?.type ?? "void"];
        const old = this.#load(get(0), size);
        this.#store(get(0), atomicMeaning[operation.atomic](old, get(1)), size);
        return old;
      }
      case "constant_p":
        return 0n;
      case "memset":
        for (let at = 0n; at < get(2); at += 1n) this.#store(get(0) + at, get(1), 1);
        return 0n;
      case "memcpy":
      case "memmove": {
        const bytes: bigint[] = [];
        for (let at = 0n; at < get(2); at += 1n) bytes.push(this.#load(get(1) + at, 1));
        for (const [at, byte] of bytes.entries()) this.#store(get(0) + BigInt(at), byte, 1);
        return 0n;
      }
      case "memcmp":
        for (let at = 0n; at < get(2); at += 1n) {
          const difference = this.#load(get(0) + at, 1) - this.#load(get(1) + at, 1);
          if (difference !== 0n) return difference;
        }
        return 0n;
      case "call":
        return this.#callOut(each, get);
      case "fence":
      case "lifetime_start":
      case "lifetime_end":
        return 0n;
      default:
        throw new Error(`cannot execute ${operation.op}`);
    }
  }

  #callOut(each: IrInstruction, get: (at: number) => bigint): bigint {
    const { operation, operands } = each;
    if (operation.op !== "call") return 0n;
    const args = operands.map((_, at) => get(at));
    if (operation.callee.kind === "function") return this.call(operation.callee.symbol, args);
    if (operation.callee.kind !== "helper") throw new Error("indirect call");
    const { id } = operation.callee;
    const effects = helperEffects(id);
    this.#calls += 1;
    const seen = operands.map((value, at) => {
      const how = effects?.args[at];
      const arg = args[at] as bigint;
      if (value.type !== "ptr" || how === undefined) return arg.toString();
      // Every pointer here is to at least 4 bytes.
      const text = how.reads ? this.#hex(Number(arg), 4) : "";
      if (how.writes) this.#store(arg, BigInt(this.#calls * 0x01020304), 4);
      return text;
    });
    this.trace.push(`helper ${id}(${seen.join(", ")})`);
    return BigInt(this.#calls) * 0x9e3779b97f4a7c15n;
  }

  #load(address: bigint, size: number): bigint {
    let value = 0n;
    for (let at = size - 1; at >= 0; at -= 1) {
      value = (value << 8n) | BigInt(this.#memory.getUint8(Number(address) + at));
    }
    return value;
  }

  #store(address: bigint, value: bigint, size: number): void {
    for (let at = 0; at < size; at += 1) {
      const byte = Number((BigInt.asUintN(64, value) >> BigInt(8 * at)) & 0xffn);
      this.#memory.setUint8(Number(address) + at, byte);
    }
  }
}
