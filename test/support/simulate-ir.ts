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

export function simulateIr(fn: IrFunction, args: readonly bigint[]): bigint {
  const values = new Map<Value, bigint>();
  const memory = new Map<bigint, bigint>();
  const peek = (from: bigint, size: number): bigint => {
    let value = 0n;
    for (let at = size - 1; at >= 0; at -= 1) {
      value = (value << 8n) | (memory.get(from + BigInt(at)) ?? 0n);
    }
    return value;
  };
  const poke = (to: bigint, size: number, value: bigint): void => {
    for (let at = 0; at < size; at += 1) {
      memory.set(to + BigInt(at), (value >> BigInt(8 * at)) & 255n);
    }
  };
  let nextCell = 0x1000n;
  const get = (value: Value | undefined): bigint => {
    if (value?.kind === "constant") return value.value;
    if (value?.kind === "parameter") return unsignedOf(value.type, args[value.index] ?? 0n);
    const known = value === undefined ? undefined : values.get(value);
    if (known === undefined) throw new Error("value is used before it is computed");
    return known;
  };
  const execute = (at: IrInstruction): bigint => {
    const { operation } = at;
    const [a, b, c] = at.operands;
    const bits = at.type === "void" ? 0 : bitWidth[at.type];
    switch (operation.op) {
      case "binary":
        return binaryMeaning[operation.binary]?.(get(a), get(b), bits) ?? 0n;
      case "icmp": {
        const from = a === undefined || a.type === "void" ? 64 : bitWidth[a.type];
        const isSigned = operation.predicate.startsWith("s");
        const see = (value: bigint): bigint => (isSigned ? BigInt.asIntN(from, value) : value);
        const name = operation.predicate.replace(/^[su]/, "");
        return predicates[name]?.(see(get(a)), see(get(b))) ? 1n : 0n;
      }
      case "zext":
      case "trunc":
        return get(a);
      case "sext":
        return BigInt.asIntN(a === undefined || a.type === "void" ? 64 : bitWidth[a.type], get(a));
      case "bswap":
        return swapped(get(a), bits);
      case "select":
        return get(a) === 1n ? get(b) : get(c);
      case "alloca":
        nextCell += 0x1000n;
        return nextCell;
      case "load":
        return peek(get(a), bits / 8);
      case "store":
        poke(get(b), a === undefined || a.type === "void" ? 0 : bitWidth[a.type] / 8, get(a));
        return 0n;
      case "ptradd":
        return get(a) + BigInt.asIntN(64, get(b));
      case "memset":
        for (let at = 0n; at < get(c); at += 1n) memory.set(get(a) + at, get(b) & 255n);
        return 0n;
      case "memcpy":
      case "memmove": {
        const bytes = Array.from({ length: Number(get(c)) }, (_, at) =>
          peek(get(b) + BigInt(at), 1),
        );
        bytes.forEach((byte, at) => {
          poke(get(a) + BigInt(at), 1, byte);
        });
        return 0n;
      }
      case "memcmp": {
        for (let at = 0n; at < get(c); at += 1n) {
          const difference = peek(get(a) + at, 1) - peek(get(b) + at, 1);
          if (difference !== 0n) return difference < 0n ? -1n : 1n;
        }
        return 0n;
      }
      case "call": {
        const id = operation.callee.kind === "helper" ? operation.callee.id : 0;
        return callResult(id, at.operands.map(get));
      }
      default:
        throw new Error(`${operation.op} is not simulated`);
    }
  };
  let block = fn.blocks[0] as Block;
  let from: Block | undefined;
  for (let steps = 0; steps < 100_000; steps += 1) {
    const incoming = block.instructions
      .filter(({ operation }) => operation.op === "phi")
      .map((phi) => {
        const which =
          phi.operation.op === "phi" ? phi.operation.incoming.indexOf(from as Block) : -1;
        return [phi, get(phi.operands[which])] as const;
      });
    for (const [phi, value] of incoming) values.set(phi, value);
    let next: Block | undefined;
    for (const at of block.instructions) {
      const { operation } = at;
      if (operation.op === "phi") continue;
      if (operation.op === "ret") return get(at.operands[0]);
      if (operation.op === "br") next = operation.target;
      else if (operation.op === "condbr") {
        next = get(at.operands[0]) === 1n ? operation.then : operation.otherwise;
      } else if (operation.op === "switch") {
        const value = get(at.operands[0]);
        next = operation.cases.find((each) => each.value === value)?.target ?? operation.fallback;
      } else values.set(at, unsignedOf(at.type, execute(at)));
    }
    from = block;
    block = next as Block;
  }
  throw new Error("the function does not end");
}
