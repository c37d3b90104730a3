/**
 * One statement of assembly text → Instruction. Accepts LLVM's syntax and the kernel's where they
 * differ (`atomic64_fetch_add(…)`, `goto pc+3`, `skb[r2 + 7]`). One method per production of the
 * grammar, which makes the file long.
 */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { SourceFile, Span } from "../common/diagnostics/source.ts";
import type {
  AccessSize,
  AluOp,
  AtomicOp,
  Imm64Source,
  Instruction,
  JumpOp,
  Register,
  Source,
} from "../common/isa/instruction.ts";
import { aluOps, atomicOps, jumpOps } from "../common/isa/instructions.ts";
import type { SymbolReference } from "./asm-module.ts";
import { type ExpressionScope, type ExpressionValue, parseExpression } from "./expression.ts";
import { type Token, TokenCursor, tokenize } from "./tokens.ts";

export interface ParsedInstruction {
  readonly insn: Instruction;
  /** Label or symbol that fills the instruction's field, which holds 0. */
  readonly target?: SymbolReference;
  readonly targetSpan?: Span;
}

interface NamedRegister {
  readonly register: Register;
  readonly width: 32 | 64;
}

const bySyntax = <K extends string>(
  table: Readonly<Record<K, { readonly syntax?: string }>>,
): ReadonlyMap<string, K> =>
  new Map((Object.keys(table) as K[]).map((op) => [table[op].syntax ?? op, op]));

const aluBySyntax = bySyntax<AluOp>(aluOps);
const jumpBySyntax = bySyntax<JumpOp>(jumpOps);
const atomicBySyntax = bySyntax<AtomicOp>(atomicOps);

const accessSizes: Readonly<Record<string, { size: AccessSize; signed: boolean }>> = {
  u8: { size: 1, signed: false },
  u16: { size: 2, signed: false },
  u32: { size: 4, signed: false },
  u64: { size: 8, signed: false },
  s8: { size: 1, signed: true },
  s16: { size: 2, signed: true },
  s32: { size: 4, signed: true },
};

const endianName = /^(le|be|bswap)(16|32|64)$/;
const atomicName = /^atomic(?:64)?_(?:fetch_(add|or|and|xor)|(xchg|cmpxchg))$/;
const exchangeName = /^(xchg|cmpxchg)(_64|32_32)$/;

function registerOf(token: Token): NamedRegister | undefined {
  const match = token.kind === "name" ? /^([rw])(10|\d)$/.exec(token.text) : null;
  if (match === null) return undefined;
  return { register: Number(match[2]) as Register, width: match[1] === "w" ? 32 : 64 };
}

/** Thrown to leave a statement after its error was reported; never leaves this file. */
class StatementError extends Error {}

class InstructionParser {
  readonly #cursor: TokenCursor;
  readonly #scope: ExpressionScope;
  readonly #diagnostics: Diagnostics;

  constructor(cursor: TokenCursor, scope: ExpressionScope, diagnostics: Diagnostics) {
    this.#cursor = cursor;
    this.#scope = scope;
    this.#diagnostics = diagnostics;
  }

  parse(): ParsedInstruction {
    const { token } = this.#cursor;
    if (registerOf(token) !== undefined) return this.#assignment();
    if (this.#cursor.accept("*")) return { insn: this.#store() };
    const statement = token.kind === "name" ? this.#statements[token.text] : undefined;
    if (statement === undefined) {
      return this.#fail("unknown-instruction", `unknown instruction '${token.text}'`, token);
    }
    this.#cursor.next();
    return statement();
  }

  readonly #statements: Readonly<Record<string, () => ParsedInstruction>> = {
    if: () => this.#branch(),
    goto: () => this.#jump((offset) => ({ kind: "jump", long: false, offset }), 16),
    gotol: () => this.#jump((offset) => ({ kind: "jump", long: true, offset }), 32),
    may_goto: () => this.#jump((offset) => ({ kind: "may_goto", offset }), 16),
    call: () => this.#call(),
    callx: () => ({ insn: { kind: "callx", target: this.#register(64).register } }),
    gotox: () => ({ insn: { kind: "gotox", target: this.#register(64).register } }),
    exit: () => ({ insn: { kind: "exit" } }),
    lock: () => ({ insn: this.#lock() }),
    ld_pseudo: () => this.#pseudoLoad(),
    store_release: () => ({ insn: this.#storeRelease() }),
  };

  #fail(code: string, message: string, place: Token | Span): never {
    const span = "file" in place ? place : this.#cursor.spanOf(place);
    this.#diagnostics.error(code, message, span);
    throw new StatementError();
  }

  #expect(text: string): void {
    if (this.#cursor.accept(text)) return;
    this.#fail("syntax", `expected '${text}'`, this.#cursor.token);
  }

  #register(width?: 32 | 64): NamedRegister {
    const { token } = this.#cursor;
    const found = registerOf(token);
    if (found === undefined) return this.#fail("bad-register", "expected a register", token);
    if (width !== undefined && found.width !== width) {
      const wanted = `${width === 32 ? "w" : "r"}${found.register}`;
      this.#fail("bad-register", `expected the ${width}-bit register ${wanted}`, token);
    }
    this.#cursor.next();
    return found;
  }

  #expression(): ExpressionValue {
    const value = parseExpression(this.#cursor, this.#scope, this.#diagnostics);
    if (value === undefined) throw new StatementError();
    return value;
  }

  /** A number that fits `bits` as a signed or, if `unsigned`, as an unsigned value. */
  #number(bits: number, unsigned: boolean, what: string): number {
    const { value, plus, minus, span } = this.#expression();
    if (plus !== undefined || minus !== undefined) {
      this.#fail("bad-operand", `${what} must be a number`, span);
    }
    const limit = 1n << BigInt(bits - 1);
    if (value < -limit || value >= (unsigned ? limit * 2n : limit)) {
      this.#fail("out-of-range", `${what} ${value} does not fit ${bits} bits`, span);
    }
    return Number(BigInt.asIntN(bits, value));
  }

  #immediate(): number {
    return this.#number(32, true, "immediate");
  }

  #source(width: 32 | 64): Source {
    if (registerOf(this.#cursor.token) === undefined) {
      return { kind: "immediate", value: this.#immediate() };
    }
    return { kind: "register", register: this.#register(width).register };
  }

  /** `(u32 *)`. */
  #pointerType(): { size: AccessSize; signed: boolean } {
    this.#expect("(");
    const { token } = this.#cursor;
    const type = token.kind === "name" ? accessSizes[token.text] : undefined;
    if (type === undefined) return this.#fail("bad-operand", "expected u8, u16, u32 or u64", token);
    this.#cursor.next();
    this.#expect("*");
    this.#expect(")");
    return type;
  }

  /** `r1 + 4`, `r1 - 8`, `r1`. */
  #address(): { base: Register; offset: number } {
    const { register } = this.#register(64);
    if (!this.#cursor.is("+") && !this.#cursor.is("-")) return { base: register, offset: 0 };
    return { base: register, offset: this.#number(16, false, "offset") };
  }

  /** `(u32 *)(r1 + 4)`. */
  #memory(): { size: AccessSize; signed: boolean; base: Register; offset: number } {
    const type = this.#pointerType();
    this.#expect("(");
    const address = this.#address();
    this.#expect(")");
    return { ...type, ...address };
  }

  /** Memory for a store: signed types are loads only. */
  #unsignedMemory(): { size: AccessSize; base: Register; offset: number } {
    const { token } = this.#cursor;
    const { size, signed, base, offset } = this.#memory();
    if (signed) this.#fail("bad-operand", "expected an unsigned type", token);
    return { size, base, offset };
  }

  /** Stores and loads below 8 bytes name their register either way: w1 or r1. */
  #anyRegister(size: AccessSize): Register {
    return this.#register(size === 8 ? 64 : undefined).register;
  }

  #store(): Instruction {
    const { size, base, offset } = this.#unsignedMemory();
    this.#expect("=");
    if (registerOf(this.#cursor.token) !== undefined) {
      const src: Source = { kind: "register", register: this.#anyRegister(size) };
      return { kind: "store", size, base, offset, src };
    }
    const src: Source = { kind: "immediate", value: this.#immediate() };
    return { kind: "store", size, base, offset, src };
  }

  #atomicSize(size: AccessSize, place: Token): 4 | 8 {
    if (size === 4 || size === 8) return size;
    return this.#fail("bad-operand", "atomic operations are on u32 or u64", place);
  }

  #lock(): Instruction {
    this.#expect("*");
    const place = this.#cursor.token;
    const { size, base, offset } = this.#unsignedMemory();
    const operator = this.#cursor.next();
    const op = atomicBySyntax.get(operator.text);
    if (op === undefined) return this.#fail("syntax", "expected +=, |=, &= or ^=", operator);
    const src = this.#anyRegister(size);
    const atomic = { size: this.#atomicSize(size, place), base, offset, src };
    return { kind: "atomic", op, fetch: false, ...atomic };
  }

  #storeRelease(): Instruction {
    this.#expect("(");
    const { size, base, offset } = this.#unsignedMemory();
    this.#expect(",");
    const src = this.#anyRegister(size);
    this.#expect(")");
    return { kind: "store_release", size, base, offset, src };
  }

  #pseudoLoad(): ParsedInstruction {
    const { register } = this.#register(64);
    this.#expect(",");
    const place = this.#cursor.token;
    const source = this.#number(32, false, "pseudo source");
    if (source < 0 || source > 6) {
      this.#fail("out-of-range", "pseudo source must be 0 to 6", place);
    }
    this.#expect(",");
    return this.#wideValue(register, source as Imm64Source);
  }

  /** The value of a 64-bit immediate load: a number, or a symbol plus a number. */
  #wideValue(dst: Register, source: Imm64Source): ParsedInstruction {
    const { value, plus, minus, span } = this.#expression();
    if (minus !== undefined) this.#fail("bad-operand", "cannot subtract a symbol here", span);
    if (value < -(1n << 63n) || value >= 1n << 64n) {
      this.#fail("out-of-range", `${value} does not fit 64 bits`, span);
    }
    if (plus === undefined) {
      const bits = BigInt.asUintN(64, value);
      return { insn: { kind: "load_imm64", dst, source, value: bits } };
    }
    const insn: Instruction = { kind: "load_imm64", dst, source, value: 0n };
    return { insn, target: { symbol: plus, addend: Number(value) }, targetSpan: span };
  }

  #call(): ParsedInstruction {
    const cursor = this.#cursor;
    if (cursor.is("kfunc") && cursor.peek(1).kind !== "end") {
      cursor.next();
      const imm = this.#immediate();
      const offset = cursor.accept(",") ? this.#number(16, false, "offset") : 0;
      return { insn: { kind: "call", target: "kfunc", imm, offset } };
    }
    if (cursor.is("pc") && (cursor.peek(1).text === "+" || cursor.peek(1).text === "-")) {
      cursor.next();
      const imm = this.#number(32, false, "offset");
      return { insn: { kind: "call", target: "local", imm, offset: 0 } };
    }
    const { value, plus, minus, span } = this.#expression();
    if (minus !== undefined) this.#fail("bad-operand", "cannot subtract a symbol here", span);
    if (plus !== undefined) {
      const insn: Instruction = { kind: "call", target: "local", imm: 0, offset: 0 };
      return { insn, target: { symbol: plus, addend: Number(value) }, targetSpan: span };
    }
    const imm = Number(BigInt.asIntN(32, value));
    if (value < -(1n << 31n) || value >= 1n << 32n) {
      this.#fail("out-of-range", `helper id ${value} does not fit 32 bits`, span);
    }
    return { insn: { kind: "call", target: "helper", imm, offset: 0 } };
  }

  #jump(build: (offset: number) => Instruction, bits: 16 | 32): ParsedInstruction {
    const cursor = this.#cursor;
    if (cursor.is("pc") && (cursor.peek(1).text === "+" || cursor.peek(1).text === "-")) {
      cursor.next();
    }
    const { value, plus, minus, span } = this.#expression();
    if (minus !== undefined) this.#fail("bad-operand", "cannot subtract a symbol here", span);
    const limit = 1n << BigInt(bits - 1);
    if (value < -limit || value >= limit) {
      this.#fail("out-of-range", `jump offset ${value} does not fit ${bits} bits`, span);
    }
    if (plus === undefined) return { insn: build(Number(value)) };
    const target = { symbol: plus, addend: Number(value) };
    return { insn: build(0), target, targetSpan: span };
  }

  #branch(): ParsedInstruction {
    const left = this.#register();
    const operator = this.#operator();
    const op = jumpBySyntax.get(operator.text);
    if (op === undefined) {
      this.#fail("syntax", `unknown comparison '${operator.text}'`, operator.token);
    }
    const src = this.#source(left.width);
    this.#expect("goto");
    const { width, register: dst } = left;
    return this.#jump((offset) => ({ kind: "branch", op, width, dst, src, offset }), 16);
  }

  /** An operator, with the `s` of signed ones put before it. */
  #operator(): { text: string; token: Token } {
    const token = this.#cursor.next();
    if (token.kind === "name" && token.text === "s") {
      return { text: `s${this.#cursor.next().text}`, token };
    }
    return { text: token.text, token };
  }

  #assignment(): ParsedInstruction {
    const dst = this.#register();
    const operator = this.#operator();
    if (operator.text === "=") return this.#move(dst);
    const op = aluBySyntax.get(operator.text);
    if (op === undefined) {
      this.#fail("syntax", `unknown operator '${operator.text}'`, operator.token);
    }
    const src = this.#source(dst.width);
    return { insn: { kind: "alu", op, width: dst.width, dst: dst.register, src } };
  }

  /** What stands after `r1 =`. */
  #move(dst: NamedRegister): ParsedInstruction {
    const cursor = this.#cursor;
    const { token } = cursor;
    const { width, register } = dst;
    const source = registerOf(token);
    if (source !== undefined) {
      // LLVM prints the move that clears the upper half as `r1 = w2`, though it cannot read it back.
      const from = width === 64 ? source.width : width;
      const src: Source = { kind: "register", register: this.#register(from).register };
      return { insn: { kind: "alu", op: "mov", width: from, dst: register, src } };
    }
    if (cursor.accept("*")) return { insn: this.#load(dst) };
    if (token.text === "-" && registerOf(cursor.peek(1)) !== undefined) {
      cursor.next();
      this.#sameRegister(dst);
      return { insn: { kind: "neg", width, dst: register } };
    }
    const cast = token.text === "(" ? /^s(8|16|32)$/.exec(cursor.peek(1).text) : null;
    if (cast !== null && cursor.peek(2).text === ")") return { insn: this.#signExtend(dst) };
    if (token.kind === "name") {
      const insn = this.#function(dst, token.text);
      if (insn !== undefined) return { insn };
    }
    return this.#constant(dst);
  }

  #sameRegister(dst: NamedRegister): void {
    const { token } = this.#cursor;
    if (this.#register(dst.width).register !== dst.register) {
      this.#fail("bad-register", "must be the register that is assigned to", token);
    }
  }

  #signExtend(dst: NamedRegister): Instruction {
    const cursor = this.#cursor;
    this.#expect("(");
    const type = cursor.next();
    const from = Number(type.text.slice(1)) as 8 | 16 | 32;
    this.#expect(")");
    if (from >= dst.width) this.#fail("bad-operand", `(${type.text}) needs a wider target`, type);
    const src = this.#register(dst.width).register;
    return { kind: "movsx", from, width: dst.width, dst: dst.register, src };
  }

  #constant(dst: NamedRegister): ParsedInstruction {
    const cursor = this.#cursor;
    const position = cursor.position;
    const wide = this.#wideValue(dst.register, 0);
    if (cursor.accept("ll")) {
      if (dst.width === 64) return wide;
      this.#fail(
        "bad-register",
        "a 64-bit value needs an r register",
        wide.targetSpan ?? cursor.token,
      );
    }
    if (wide.target !== undefined) {
      this.#fail("syntax", "expected 'll' after the symbol", cursor.token);
    }
    cursor.rewind(position);
    const src: Source = { kind: "immediate", value: this.#immediate() };
    return { insn: { kind: "alu", op: "mov", width: dst.width, dst: dst.register, src } };
  }

  #load(dst: NamedRegister): Instruction {
    const position = this.#cursor.position;
    const place = this.#cursor.token;
    const type = this.#pointerType();
    if (this.#cursor.accept("skb")) return this.#packetLoad(dst, type, place);
    this.#cursor.rewind(position);
    const { size, signed, base, offset } = this.#memory();
    if (dst.width === 32 && (signed || size === 8)) {
      this.#fail("bad-register", "this load fills 64 bits: expected an r register", place);
    }
    return { kind: "load", size, signed, dst: dst.register, base, offset };
  }

  #packetLoad(
    dst: NamedRegister,
    type: { size: AccessSize; signed: boolean },
    place: Token,
  ): Instruction {
    const { size, signed } = type;
    if (dst.register !== 0) this.#fail("bad-register", "packet loads fill r0", place);
    if (signed || size === 8) this.#fail("bad-operand", "expected u8, u16 or u32", place);
    this.#expect("[");
    const isIndirect = registerOf(this.#cursor.token) !== undefined;
    const src = isIndirect ? this.#register(64).register : 0;
    const imm = isIndirect && this.#cursor.is("]") ? 0 : this.#number(32, true, "offset");
    this.#expect("]");
    return { kind: "load_packet", mode: isIndirect ? "ind" : "abs", size, src, imm };
  }

  /** `name(…)` or `be16 r1` at the right of `=`; undefined where the name is none of them. */
  #function(dst: NamedRegister, text: string): Instruction | undefined {
    const cursor = this.#cursor;
    const endian = endianName.exec(text);
    if (endian !== null && registerOf(cursor.peek(1)) !== undefined) {
      cursor.next();
      this.#sameRegister(dst);
      const op = endian[1] as "le" | "be" | "bswap";
      const bits = Number(endian[2]) as 16 | 32 | 64;
      return { kind: "endian", op, bits, dst: dst.register };
    }
    if (cursor.peek(1).text !== "(") return undefined;
    const exchange = exchangeName.exec(text);
    const atomic = atomicName.exec(text);
    if (exchange === null && atomic === null && !(text in this.#calls)) return undefined;
    const place = cursor.next();
    this.#expect("(");
    const call = this.#calls[text];
    const insn =
      call?.(dst) ??
      (exchange !== null
        ? this.#exchange(dst, exchange[1] as AtomicOp, exchange[2] === "_64" ? 8 : 4)
        : this.#fetch(dst, (atomic?.[1] ?? atomic?.[2]) as AtomicOp, place));
    this.#expect(")");
    return insn;
  }

  readonly #calls: Readonly<Record<string, (dst: NamedRegister) => Instruction>> = {
    load_acquire: (dst) => {
      const { size, base, offset } = this.#unsignedMemory();
      return { kind: "load_acquire", size, dst: dst.register, base, offset };
    },
    addr_space_cast: (dst) => {
      const src = this.#register(64).register;
      this.#expect(",");
      const to = this.#number(16, true, "address space");
      this.#expect(",");
      const from = this.#number(16, true, "address space");
      return { kind: "addr_space_cast", dst: dst.register, src, imm: (to << 16) | (from & 0xffff) };
    },
  };

  #exchange(dst: NamedRegister, op: AtomicOp, size: 4 | 8): Instruction {
    const place = this.#address();
    return this.#exchangeOperands(dst, op, size, place);
  }

  /** `atomic_fetch_add((u64 *)(r1 + 0), r2)` and the kernel's exchanges. */
  #fetch(dst: NamedRegister, op: AtomicOp, name: Token): Instruction {
    const { size, base, offset } = this.#unsignedMemory();
    return this.#exchangeOperands(dst, op, this.#atomicSize(size, name), { base, offset });
  }

  #exchangeOperands(
    dst: NamedRegister,
    op: AtomicOp,
    size: 4 | 8,
    place: { base: Register; offset: number },
  ): Instruction {
    this.#expect(",");
    const result = this.#cursor.token;
    if (op === "cmpxchg") {
      if (dst.register !== 0 || this.#anyRegister(size) !== 0) {
        this.#fail("bad-register", "cmpxchg compares with and returns in r0", result);
      }
      this.#expect(",");
      const src = this.#anyRegister(size);
      return { kind: "atomic", op, fetch: true, size, ...place, src };
    }
    const src = this.#anyRegister(size);
    if (src !== dst.register) {
      this.#fail("bad-register", "must be the register that is assigned to", result);
    }
    return { kind: "atomic", op, fetch: true, size, ...place, src };
  }
}

/** The instruction at the cursor, up to the statement's end; undefined after a report. */
export function parseInstruction(
  cursor: TokenCursor,
  scope: ExpressionScope,
  diagnostics: Diagnostics,
): ParsedInstruction | undefined {
  try {
    const parsed = new InstructionParser(cursor, scope, diagnostics).parse();
    if (cursor.isAtEnd) return parsed;
    const span = cursor.spanOf(cursor.token);
    diagnostics.error("syntax", `unexpected '${cursor.token.text}'`, span);
    return undefined;
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}

export type InlineStatement =
  | { readonly kind: "label"; readonly name: string }
  | ({ readonly kind: "instruction" } & ParsedInstruction);

/**
 * The statements of an inline assembly template: instructions and labels, no directives. Numeric
 * labels (`1:`, `1b`, `1f`) become `.L<prefix><n>_<count>`.
 */
export function parseInlineAssembly(
  text: string,
  labelPrefix: string,
): { readonly statements: readonly InlineStatement[]; readonly diagnostics: Diagnostics } {
  const diagnostics = new Diagnostics();
  const file: SourceFile = { path: "<inline asm>", text, isSystem: false };
  const cursor = new TokenCursor(file, tokenize(file, diagnostics));
  const labels = new LocalLabels(labelPrefix);
  const statements: InlineStatement[] = [];
  while (!cursor.isAtLast) {
    const { token } = cursor;
    if (token.kind === "end") cursor.skipStatement();
    else if (cursor.peek(1).text === ":" && token.kind !== "punctuation") {
      const name = token.kind === "number" ? labels.define(token.text) : token.text;
      statements.push({ kind: "label", name });
      cursor.next();
      cursor.next();
    } else {
      const parsed = parseInstruction(cursor, labels, diagnostics);
      if (parsed !== undefined) statements.push({ kind: "instruction", ...parsed });
      cursor.skipStatement();
    }
  }
  return { statements, diagnostics };
}

/** Numeric labels: each `1:` is a new one. */
export class LocalLabels implements ExpressionScope {
  readonly #counts = new Map<string, number>();
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  define(digits: string): string {
    const count = (this.#counts.get(digits) ?? 0) + 1;
    this.#counts.set(digits, count);
    return this.#name(digits, count);
  }

  #name(digits: string, count: number): string {
    return `.L${this.#prefix}${digits}_${count}`;
  }

  readonly localLabel = (text: string): string | undefined => {
    const digits = text.slice(0, -1);
    const count = this.#counts.get(digits) ?? 0;
    if (text.endsWith("f")) return this.#name(digits, count + 1);
    return count === 0 ? undefined : this.#name(digits, count);
  };
}
