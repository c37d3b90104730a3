/**
 * Random programs that the kernel's verifier accepts: arithmetic on all registers, stack memory,
 * atomics, forward branches, counted loops, calls. The same seed gives the same program.
 */
import { randomNumbers } from "./fuzz.ts";

const borders = [0, 1, 2, 7, 31, 63, 255, -1, -2, 65535, 0x7fffffff, -0x80000000];
const operators = ["+=", "-=", "*=", "/=", "%=", "|=", "&=", "^=", "s/=", "s%=", "="];
const shifts = ["<<=", ">>=", "s>>="];
const comparisons = ["==", "!=", ">", ">=", "<", "<=", "&", "s>", "s>=", "s<", "s<="];
const sizes = [8, 16, 32, 64] as const;
const stackBytes = 64;

class Generator {
  readonly below: (limit: number) => number;
  readonly #prefix: string;
  #labels = 0;
  readonly lines: string[] = [];
  /** Registers that may be used: those of a function that calls are r6–r8 after the call. */
  registers: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

  constructor(seed: number, labelPrefix: string) {
    this.#prefix = labelPrefix;
    this.below = randomNumbers(seed);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  #constant(): bigint {
    const value = (BigInt(this.below(0x10000)) << 48n) ^ (BigInt(this.below(0x7fffffff)) * 7n);
    return this.below(2) === 0 ? BigInt(this.pick(borders)) : BigInt.asIntN(64, value);
  }

  initialise(registers: readonly number[]): void {
    for (const r of registers) this.lines.push(`r${r} = ${this.#constant()} ll`);
  }

  zeroStack(): void {
    for (let at = 8; at <= stackBytes; at += 8) this.lines.push(`*(u64 *)(r10 - ${at}) = 0`);
  }

  #place(bytes: number): string {
    return `r10 - ${(1 + this.below(stackBytes / bytes)) * bytes}`;
  }

  /** One instruction, or a branch over a few. `depth` limits nesting. */
  statement(depth: number): void {
    const w = this.pick(["r", "w"]);
    const [dst, src] = [this.pick(this.registers), this.pick(this.registers)];
    switch (this.below(depth > 0 ? 12 : 10)) {
      case 0: {
        const operator = this.pick(operators);
        const value = this.pick(borders);
        const isDivision = operator.includes("/") || operator.includes("%");
        this.lines.push(`${w}${dst} ${operator} ${isDivision && value === 0 ? 3 : value}`);
        break;
      }
      case 1:
      case 2:
        this.lines.push(`${w}${dst} ${this.pick(operators)} ${w}${src}`);
        break;
      case 3:
        this.lines.push(`${w}${dst} ${this.pick(shifts)} ${this.below(w === "r" ? 64 : 32)}`);
        break;
      case 4:
        this.lines.push(`${w}${dst} ${this.pick(shifts)} ${w}${src}`);
        break;
      case 5:
        this.lines.push(
          `${w}${dst} = (s${this.pick(w === "r" ? [8, 16, 32] : [8, 16])})${w}${src}`,
        );
        break;
      case 6:
        this.lines.push(
          `r${dst} = ${this.pick(["le", "be", "bswap"])}${this.pick([16, 32, 64])} r${dst}`,
        );
        break;
      case 7: {
        const bits = this.pick(sizes);
        const place = this.#place(bits / 8);
        const value = this.below(3) === 0 ? this.pick(borders) : `r${src}`;
        this.lines.push(`*(u${bits} *)(${place}) = ${value}`);
        break;
      }
      case 8: {
        const bits = this.pick(sizes);
        const sign = bits < 64 && this.below(3) === 0 ? "s" : "u";
        this.lines.push(`r${dst} = *(${sign}${bits} *)(${this.#place(bits / 8)})`);
        break;
      }
      case 9:
        this.#atomic(src);
        break;
      case 10:
        this.#branch(w, dst, src, depth);
        break;
      default:
        this.#loop(depth);
    }
  }

  #atomic(src: number): void {
    const [bits, w] = this.pick([
      [32, "w"],
      [64, "r"],
    ] as const);
    const place = this.#place(bits / 8);
    const suffix = bits === 64 ? "_64" : "32_32";
    const operation = this.pick(["add", "or", "and", "xor", "xchg", "cmpxchg", "lock"]);
    if (operation === "lock") {
      this.lines.push(
        `lock *(u${bits} *)(${place}) ${this.pick(["+=", "|=", "&=", "^="])} ${w}${src}`,
      );
    } else if (operation === "xchg") {
      this.lines.push(`${w}${src} = xchg${suffix}(${place}, ${w}${src})`);
    } else if (operation === "cmpxchg") {
      if (this.registers.includes(0)) {
        this.lines.push(`${w}0 = cmpxchg${suffix}(${place}, ${w}0, ${w}${src})`);
      }
    } else {
      this.lines.push(`${w}${src} = atomic_fetch_${operation}((u${bits} *)(${place}), ${w}${src})`);
    }
  }

  #branch(w: string, dst: number, src: number, depth: number): void {
    const label = `.L${this.#prefix}skip${this.#labels++}`;
    const right = this.below(2) === 0 ? `${w}${src}` : this.pick(borders);
    this.lines.push(`if ${w}${dst} ${this.pick(comparisons)} ${right} goto ${label}`);
    for (let i = this.below(5); i >= 0; i -= 1) this.statement(depth - 1);
    if (this.below(2) === 0) {
      const end = `.L${this.#prefix}end${this.#labels++}`;
      this.lines.push(`goto ${end}`, `${label}:`);
      for (let i = this.below(4); i >= 0; i -= 1) this.statement(depth - 1);
      this.lines.push(`${end}:`);
    } else this.lines.push(`${label}:`);
  }

  /** r9 counts; loops do not nest, so that it is free. */
  #loop(depth: number): void {
    if (depth < 2) return;
    const label = `.L${this.#prefix}loop${this.#labels++}`;
    this.lines.push(`r9 = ${1 + this.below(6)}`, `${label}:`);
    for (let i = 1 + this.below(5); i > 0; i -= 1) this.statement(0);
    this.lines.push("r9 += -1", `if r9 != 0 goto ${label}`);
  }

  /** r0 = a mixture of all registers and of the stack, in 32 bits. */
  digest(): void {
    const [first, ...rest] = this.registers;
    for (const r of rest) this.lines.push(`r${first} ^= r${r}`, `r${first} = bswap64 r${first}`);
    const [other] = rest;
    for (let at = 8; at <= stackBytes; at += 8) {
      this.lines.push(`r${other} = *(u64 *)(r10 - ${at})`, `r${first} += r${other}`);
    }
    this.lines.push(`r0 = r${first}`, "r1 = r0", "r1 >>= 32", "w0 ^= w1", "exit");
  }
}

/** Assembly text of an XDP program. */
export function randomProgram(seed: number, length = 40): string {
  const main = new Generator(seed, "main");
  main.initialise(main.registers);
  main.zeroStack();
  for (let i = 0; i < length; i += 1) main.statement(2);
  const calls = main.below(3) === 0;
  if (calls) {
    main.lines.push("call helper");
    main.initialise([1, 2, 3, 4, 5]);
    for (let i = 0; i < length / 4; i += 1) main.statement(1);
  }
  main.digest();
  const helper = new Generator(seed ^ 0x5bd1e995, "helper");
  helper.initialise([0, 6, 7, 8]);
  helper.zeroStack();
  for (let i = 0; i < length / 4; i += 1) helper.statement(1);
  helper.digest();
  return `
	.section xdp,"ax",@progbits
	.globl main
	.type main,@function
main:
${main.lines.join("\n")}
${calls ? `	.text\n	.type helper,@function\nhelper:\n${helper.lines.join("\n")}` : ""}
	.section license,"aw",@progbits
	.asciz "GPL"
`;
}
