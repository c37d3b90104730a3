/** Runs an IR function on plain numbers: the meaning that generated code is compared with. */
import {
  type Block,
  bitWidth,
  type IrFunction,
  type IrInstruction,
  type Value,
} from "../../compiler/4-lower/ir.ts";
import { callResult, swapped } from "./simulate-machine.ts";

const unsignedOf = (type: Value["type"], value: bigint): bigint =>
  type === "void" ? 0n : BigInt.asUintN(bitWidth[type], value);

const binaryMeaning: Readonly<Record<string, (a: bigint, b: bigint, bits: number) => bigint>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  udiv: (a, b) => a / b,
  urem: (a, b) => a % b,
  sdiv: (a, b, bits) => BigInt.asIntN(bits, a) / BigInt.asIntN(bits, b),
  srem: (a, b, bits) => BigInt.asIntN(bits, a) % BigInt.asIntN(bits, b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  shl: (a, b) => a << b,
  lshr: (a, b) => a >> b,
  ashr: (a, b, bits) => BigInt.asIntN(bits, a) >> b,
};

const predicates: Readonly<Record<string, (a: bigint, b: bigint) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

/** The result of a function for some arguments. */
export function simulateIr(fn: IrFunction, args: readonly bigint[]): bigint {
  return new Simulation(args).run(fn);
}

class Simulation {
  readonly #args: readonly bigint[];
  readonly #values = new Map<Value, bigint>();
  readonly #memory = new Map<bigint, bigint>();
  #nextCell = 0x1000n;

  constructor(args: readonly bigint[]) {
    this.#args = args;
  }

  run(fn: IrFunction): bigint {
    let block = fn.blocks[0] as Block;
    let from: Block | undefined;
    for (let steps = 0; steps < 100_000; steps += 1) {
      this.#enter(block, from);
      let next: Block | undefined;
      for (const at of block.instructions) {
        if (at.operation.op === "phi") continue;
        if (at.operation.op === "ret") return this.#get(at.operands[0]);
        next = this.#target(at) ?? next;
      }
      from = block;
      block = next as Block;
    }
    throw new Error("the function does not end");
  }

  #enter(block: Block, from: Block | undefined): void {
    const incoming = block.instructions.flatMap((phi) => {
      if (phi.operation.op !== "phi") return [];
      const which = phi.operation.incoming.indexOf(from as Block);
      return [[phi, this.#get(phi.operands[which])] as const];
    });
    for (const [phi, value] of incoming) this.#values.set(phi, value);
  }

  /** Carries out an instruction; the block that it goes to. */
  #target(at: IrInstruction): Block | undefined {
    const { operation } = at;
    switch (operation.op) {
      case "br":
        return operation.target;
      case "condbr":
        return this.#get(at.operands[0]) === 1n ? operation.then : operation.otherwise;
      case "switch": {
        const value = this.#get(at.operands[0]);
        return operation.cases.find((each) => each.value === value)?.target ?? operation.fallback;
      }
      default:
        this.#values.set(at, unsignedOf(at.type, this.#execute(at)));
        return undefined;
    }
  }

  #peek(from: bigint, size: number): bigint {
    let value = 0n;
    for (let at = size - 1; at >= 0; at -= 1)
      value = (value << 8n) | (this.#memory.get(from + BigInt(at)) ?? 0n);
    return value;
  }

  #poke(to: bigint, size: number, value: bigint): void {
    for (let at = 0; at < size; at += 1)
      this.#memory.set(to + BigInt(at), (value >> BigInt(8 * at)) & 255n);
  }

  #get(value: Value | undefined): bigint {
    if (value?.kind === "constant") return value.value;
    if (value?.kind === "parameter") return unsignedOf(value.type, this.#args[value.index] ?? 0n);
    const known = value === undefined ? undefined : this.#values.get(value);
    if (known === undefined) throw new Error("value is used before it is computed");
    return known;
  }

  #execute(at: IrInstruction): bigint {
    const { operation } = at;
    const [a, b, c] = at.operands;
    const bits = at.type === "void" ? 0 : bitWidth[at.type];
    switch (operation.op) {
      case "binary":
        return binaryMeaning[operation.binary]?.(this.#get(a), this.#get(b), bits) ?? 0n;
      case "icmp":
        return this.#compares(operation.predicate, a, b) ? 1n : 0n;
      case "zext":
      case "trunc":
        return this.#get(a);
      case "sext":
        return BigInt.asIntN(widthOf(a, 64), this.#get(a));
      case "bswap":
        return swapped(this.#get(a), bits);
      case "select":
        return this.#get(a) === 1n ? this.#get(b) : this.#get(c);
      case "alloca":
        this.#nextCell += 0x1000n;
        return this.#nextCell;
      case "load":
        return this.#peek(this.#get(a), bits / 8);
      case "store":
        this.#poke(this.#get(b), widthOf(a, 0) / 8, this.#get(a));
        return 0n;
      case "ptradd":
        return this.#get(a) + BigInt.asIntN(64, this.#get(b));
      case "memset":
      case "memcpy":
      case "memmove":
      case "memcmp":
        return this.#onBytes(operation.op, this.#get(a), this.#get(b), this.#get(c));
      case "call": {
        const id = operation.callee.kind === "helper" ? operation.callee.id : 0;
        return callResult(
          id,
          at.operands.map((operand) => this.#get(operand)),
        );
      }
      default:
        throw new Error(`${operation.op} is not simulated`);
    }
  }

  #compares(predicate: string, a: Value | undefined, b: Value | undefined): boolean {
    const from = widthOf(a, 64);
    const isSigned = predicate.startsWith("s");
    const see = (value: bigint): bigint => (isSigned ? BigInt.asIntN(from, value) : value);
    const name = predicate.replace(/^[su]/, "");
    return predicates[name]?.(see(this.#get(a)), see(this.#get(b))) ?? false;
  }

  #onBytes(op: string, a: bigint, b: bigint, length: bigint): bigint {
    const places = Array.from({ length: Number(length) }, (_, at) => BigInt(at));
    if (op === "memset") {
      for (const at of places) this.#memory.set(a + at, b & 255n);
      return 0n;
    }
    if (op === "memcmp") {
      const differences = places.map((at) => this.#peek(a + at, 1) - this.#peek(b + at, 1));
      const first = differences.find((difference) => difference !== 0n) ?? 0n;
      return first < 0n ? -1n : first > 0n ? 1n : 0n;
    }
    const bytes = places.map((at) => this.#peek(b + at, 1));
    bytes.forEach((byte, at) => {
      this.#poke(a + BigInt(at), 1, byte);
    });
    return 0n;
  }
}

/** Bits of a value's type. */
function widthOf(value: Value | undefined, otherwise: number): number {
  return value === undefined || value.type === "void" ? otherwise : bitWidth[value.type];
}
