/**
 * Runs machine code, virtual or allocated, on plain numbers: what tests compare with the IR's own
 * meaning. Calls return a hash of their arguments and ruin r1–r5, as the kernel does.
 */
import type {
  MachineAddress,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
  MachineSource,
} from "../../compiler/6-select/machine.ts";

const mask = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value);
const signed = (value: bigint, bits: number): bigint => BigInt.asIntN(bits, value);

/** What every simulated helper returns. */
export function callResult(id: number, args: readonly bigint[]): bigint {
  let hash = BigInt(id) * 0x9e3779b97f4a7c15n;
  for (const arg of args) hash = mask((hash ^ arg) * 0xbf58476d1ce4e5b9n + 0x1234567n, 64);
  return mask(hash ^ (hash >> 29n), 64);
}

type Alu = (a: bigint, b: bigint, bits: number) => bigint;

const aluMeaning: Readonly<Record<string, Alu>> = {
  mov: (_, b) => b,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => (b === 0n ? 0n : a / b),
  mod: (a, b) => (b === 0n ? a : a % b),
  sdiv: (a, b, bits) => (b === 0n ? 0n : signed(a, bits) / signed(b, bits)),
  smod: (a, b, bits) => (b === 0n ? a : signed(a, bits) % signed(b, bits)),
  or: (a, b) => a | b,
  and: (a, b) => a & b,
  xor: (a, b) => a ^ b,
  lsh: (a, b, bits) => a << (b & BigInt(bits - 1)),
  rsh: (a, b, bits) => a >> (b & BigInt(bits - 1)),
  arsh: (a, b, bits) => signed(a, bits) >> (b & BigInt(bits - 1)),
};

const jumpMeaning: Readonly<Record<string, (a: bigint, b: bigint, bits: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  set: (a, b) => (a & b) !== 0n,
  sgt: (a, b, bits) => signed(a, bits) > signed(b, bits),
  sge: (a, b, bits) => signed(a, bits) >= signed(b, bits),
  slt: (a, b, bits) => signed(a, bits) < signed(b, bits),
  sle: (a, b, bits) => signed(a, bits) <= signed(b, bits),
};

const stackTop = 0x1_0000n;

export class MachineSimulator {
  readonly registers = new Map<number, bigint>();
  readonly #memory = new Map<bigint, number>();
  readonly #fn: MachineFunction;
  #steps = 0;

  constructor(fn: MachineFunction, args: readonly bigint[]) {
    this.#fn = fn;
    args.forEach((arg, at) => {
      this.registers.set(at + 1, arg);
    });
    this.registers.set(10, stackTop);
  }

  /** r0 at the exit. */
  run(): bigint {
    let block: MachineBlock | undefined = this.#fn.blocks[0];
    while (block !== undefined) {
      for (const op of block.instructions) this.#execute(op);
      const end: MachineBlock["terminator"] = block.terminator;
      this.#steps += 1;
      if (this.#steps > 100_000) throw new Error("the machine code does not end");
      if (end.kind === "exit") return this.#read(0);
      if (end.kind === "jump") block = end.target;
      else if (end.kind === "branch") {
        const a = mask(this.#read(end.dst), end.width);
        const b = mask(this.#source(end.src), end.width);
        block = jumpMeaning[end.op]?.(a, b, end.width) ? end.then : end.otherwise;
      } else throw new Error(`terminator ${end.kind} is not simulated`);
    }
    throw new Error("fell off the end");
  }

  #read(register: number): bigint {
    const value = this.registers.get(register);
    if (value === undefined) throw new Error(`r${register} is read before it is written`);
    return value;
  }

  #source(src: MachineSource): bigint {
    return src.kind === "immediate" ? mask(BigInt(src.value), 64) : this.#read(src.register);
  }

  #at(address: MachineAddress, size: number): bigint {
    if (address.slot !== undefined) throw new Error("frame slots need a layout");
    const at = this.#read(address.base) + BigInt(address.offset);
    if (at >= stackTop || at < stackTop - 512n) throw new Error("access outside the stack");
    if (at % BigInt(size) !== 0n) throw new Error("misaligned stack access");
    return at;
  }

  #load(address: MachineAddress, size: number): bigint {
    const at = this.#at(address, size);
    let value = 0n;
    for (let byte = size - 1; byte >= 0; byte -= 1) {
      value = (value << 8n) | BigInt(this.#memory.get(at + BigInt(byte)) ?? 0xa5);
    }
    return value;
  }

  #store(address: MachineAddress, size: number, value: bigint): void {
    const at = this.#at(address, size);
    for (let byte = 0; byte < size; byte += 1) {
      this.#memory.set(at + BigInt(byte), Number((value >> BigInt(8 * byte)) & 255n));
    }
  }

  #execute(op: MachineInstruction): void {
    switch (op.kind) {
      case "alu": {
        const a = op.op === "mov" ? 0n : mask(this.#read(op.dst), op.width);
        const b = mask(this.#source(op.src), op.width);
        const isShift = op.op === "lsh" || op.op === "rsh" || op.op === "arsh";
        if (isShift && op.src.kind === "immediate" && (b < 0n || b >= BigInt(op.width))) {
          throw new Error("immediate shift is out of range");
        }
        const result = aluMeaning[op.op]?.(a, b, op.width) ?? 0n;
        this.registers.set(op.dst, mask(result, op.width));
        return;
      }
      case "movsx": {
        const value = signed(this.#read(op.src), op.from);
        this.registers.set(op.dst, mask(value, op.width));
        return;
      }
      case "neg":
        this.registers.set(op.dst, mask(-this.#read(op.dst), op.width));
        return;
      case "endian":
        this.registers.set(op.dst, swapped(this.#read(op.dst), op.bits));
        return;
      case "load_imm64":
        this.registers.set(op.dst, op.value);
        return;
      case "load": {
        const value = this.#load(op.address, op.size);
        const wide = op.signed ? mask(signed(value, op.size * 8), 64) : value;
        this.registers.set(op.dst, wide);
        return;
      }
      case "store":
        this.#store(op.address, op.size, this.#source(op.src));
        return;
      case "call": {
        if (op.target.kind !== "helper") throw new Error("only helpers are simulated");
        const args: bigint[] = [];
        for (let at = 1; at <= op.argCount; at += 1) args.push(this.#read(at));
        for (let at = 0; at <= 5; at += 1) this.registers.delete(at);
        this.registers.set(0, callResult(op.target.id, args));
        return;
      }
      default:
        throw new Error(`${op.kind} is not simulated`);
    }
  }
}

export function swapped(value: bigint, bits: number): bigint {
  let result = 0n;
  for (let at = 0; at < bits; at += 8) result = (result << 8n) | ((value >> BigInt(at)) & 255n);
  return result;
}
