/** The part of the IR parser that reads operations and operands; one reader per operation. */
import { type CoreRelocationKind, coreRelocationKinds } from "../../common/object/btf.ts";
import {
  type AccessedType,
  type AsmConstraint,
  type AtomicRmwOp,
  accessedTypes,
  type BinaryOp,
  type Block,
  type Callee,
  type IntPredicate,
  type IrFunction,
  type IrInstruction,
  type IrType,
  type Operation,
  type Value,
} from "./ir.ts";
import {
  constant,
  createBlock,
  globalAddress,
  undefinedValue,
  type ValueType,
} from "./ir-builder.ts";
import type { IrLexer, IrToken } from "./ir-lexer.ts";

/** A value, or the number of one that may be defined further down. */
export type ParsedOperand = Value | { readonly kind: "forward"; readonly token: IrToken };

export interface ParsedOperation {
  readonly type: IrType;
  readonly operation: Operation;
  readonly operands: readonly ParsedOperand[];
}

const valueTypes: readonly ValueType[] = ["i1", "i8", "i16", "i32", "i64", "ptr"];

export function parseValueType(lexer: IrLexer): ValueType {
  const word = lexer.take("word");
  const type = valueTypes.find((each) => each === word);
  if (type === undefined) lexer.error("expected a type");
  return type ?? "i64";
}

export function parseType(lexer: IrLexer): IrType {
  return lexer.accept("void") ? "void" : parseValueType(lexer);
}

/** Names inside one function: blocks by number, and values that are used before they are defined. */
export class FunctionScope {
  readonly fn: IrFunction;
  readonly #lexer: IrLexer;
  readonly #blocks = new Map<number, { block: Block; token: IrToken; defined: boolean }>();
  readonly #values = new Map<number, IrInstruction>();
  readonly #forward: { user: IrInstruction; index: number; token: IrToken }[] = [];

  constructor(lexer: IrLexer, fn: IrFunction) {
    this.#lexer = lexer;
    this.fn = fn;
  }

  #blockEntry(token: IrToken): { block: Block; token: IrToken; defined: boolean } {
    const id = Number(token.text.slice(1));
    const known = this.#blocks.get(id);
    if (known !== undefined) return known;
    const block: Block = { ...createBlock(this.fn, undefined, true), id };
    const entry = { block, token, defined: false };
    this.#blocks.set(id, entry);
    return entry;
  }

  block(): Block {
    const token = this.#lexer.peek();
    if (token.kind !== "word" || !/^b\d+$/.test(token.text)) this.#lexer.error("expected a block");
    else this.#lexer.next();
    return this.#blockEntry(token).block;
  }

  defineBlock(token: IrToken): Block {
    const entry = this.#blockEntry(token);
    if (entry.defined) this.#lexer.error(`${token.text} is defined twice`, token);
    entry.defined = true;
    this.fn.blocks.push(entry.block);
    return entry.block;
  }

  defineValue(id: number, instruction: IrInstruction, token: IrToken): void {
    if (this.#values.has(id)) this.#lexer.error(`%${id} is defined twice`, token);
    this.#values.set(id, instruction);
  }

  fillOperands(user: IrInstruction, operands: readonly ParsedOperand[]): void {
    operands.forEach((operand, index) => {
      if (operand.kind !== "forward") user.operands.push(operand);
      else {
        user.operands.push(undefinedValue("i64"));
        this.#forward.push({ user, index, token: operand.token });
      }
    });
  }

  /** Resolves forward uses and sets the next free numbers. */
  finish(): void {
    for (const { block, token, defined } of this.#blocks.values()) {
      if (!defined) this.#lexer.error(`${token.text} is not defined`, token);
      this.fn.nextBlockId = Math.max(this.fn.nextBlockId, block.id + 1);
    }
    for (const { user, index, token } of this.#forward) {
      const value = this.#values.get(Number(token.text));
      if (value === undefined) this.#lexer.error(`%${token.text} is not defined`, token);
      else user.operands[index] = value;
    }
    for (const id of this.#values.keys()) {
      this.fn.nextInstructionId = Math.max(this.fn.nextInstructionId, id + 1);
    }
    // Instructions without a result got numbers that others may have taken meanwhile.
    for (const block of this.fn.blocks) {
      for (const each of block.instructions) {
        if (each.type !== "void") continue;
        Object.assign(each, { id: this.fn.nextInstructionId });
        this.fn.nextInstructionId += 1;
      }
    }
  }
}

/** Reads operands in one instruction. */
class OperandReader {
  readonly lexer: IrLexer;
  readonly scope: FunctionScope;
  readonly operands: ParsedOperand[] = [];

  constructor(lexer: IrLexer, scope: FunctionScope) {
    this.lexer = lexer;
    this.scope = scope;
  }

  /** An operand whose type is known. */
  use(type: ValueType): void {
    this.operands.push(parseOperand(this.lexer, this.scope, type));
  }

  /** `type operand`; gives the type. */
  typed(): ValueType {
    const type = parseValueType(this.lexer);
    this.use(type);
    return type;
  }

  comma(): void {
    this.lexer.expect(",");
  }

  align(): number {
    this.lexer.expect("align");
    return this.lexer.takeNumber();
  }

  done(type: IrType, operation: Operation): ParsedOperation {
    return { type, operation, operands: this.operands };
  }
}

function parseOperand(lexer: IrLexer, scope: FunctionScope, type: ValueType): ParsedOperand {
  const token = lexer.peek();
  if (lexer.accept("undef")) return undefinedValue(type);
  if (lexer.accept("null")) return constant("ptr", 0);
  if (lexer.accept("true")) return constant("i1", 1);
  if (lexer.accept("false")) return constant("i1", 0);
  if (token.kind === "number") return constant(type, lexer.takeBigInt());
  if (token.kind === "symbol") return globalAddress(lexer.take("symbol"));
  const text = lexer.take("value");
  if (!text.startsWith("p")) return { kind: "forward", token };
  const param = scope.fn.params[Number(text.slice(1))];
  if (param !== undefined) return param;
  lexer.error(`there is no parameter %${text}`, token);
  return undefinedValue(type);
}

type Reader = (read: OperandReader, lexer: IrLexer, hasResult: boolean) => ParsedOperation;

const binaryOps: readonly BinaryOp[] = [
  ...(["add", "sub", "mul", "udiv", "sdiv", "urem", "srem"] as const),
  ...(["and", "or", "xor", "shl", "lshr", "ashr"] as const),
];

const predicates: readonly IntPredicate[] = [
  ...(["eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge"] as const),
];

const atomicOps: readonly AtomicRmwOp[] = ["add", "sub", "and", "or", "xor", "nand", "xchg"];

function binary(name: BinaryOp): Reader {
  return (read, lexer) => {
    const type = parseValueType(lexer);
    read.use(type);
    read.comma();
    read.use(type);
    return read.done(type, { op: "binary", binary: name });
  };
}

function conversion(op: "zext" | "sext" | "trunc" | "ptrtoint" | "inttoptr"): Reader {
  return (read, lexer) => {
    read.typed();
    lexer.expect("to");
    return read.done(parseValueType(lexer), { op });
  };
}

function oneOf<T extends string>(lexer: IrLexer, words: readonly T[], fallback: T): T {
  const word = lexer.take("word");
  const found = words.find((each) => each === word);
  if (found === undefined) lexer.error(`expected one of ${words.join(", ")}`);
  return found ?? fallback;
}

/** What an access says of itself at its end. */
function parseAccess(lexer: IrLexer): { volatile: boolean; accessed?: AccessedType } {
  const volatile = lexer.accept("volatile");
  if (!lexer.accept("accessed")) return { volatile };
  const word = lexer.take("string");
  const accessed = accessedTypes.find((each) => each === word);
  if (accessed === undefined) lexer.error(`expected one of ${accessedTypes.join(", ")}`);
  return { volatile, ...(accessed && { accessed }) };
}

function copy(op: "memcpy" | "memmove"): Reader {
  return (read, lexer) => {
    read.use("ptr");
    const dstAlign = read.align();
    read.comma();
    read.use("ptr");
    const srcAlign = read.align();
    read.comma();
    read.use("i64");
    return read.done("void", { op, dstAlign, srcAlign, volatile: lexer.accept("volatile") });
  };
}

function lifetime(op: "lifetime_start" | "lifetime_end"): Reader {
  return (read) => {
    read.use("ptr");
    return read.done("void", { op });
  };
}

const readers: { readonly [name: string]: Reader } = {
  ...Object.fromEntries(binaryOps.map((name) => [name, binary(name)])),
  zext: conversion("zext"),
  sext: conversion("sext"),
  trunc: conversion("trunc"),
  ptrtoint: conversion("ptrtoint"),
  inttoptr: conversion("inttoptr"),
  icmp: (read, lexer) => {
    const predicate = oneOf(lexer, predicates, "eq");
    const type = read.typed();
    read.comma();
    read.use(type);
    return read.done("i1", { op: "icmp", predicate });
  },
  bswap: (read) => read.done(read.typed(), { op: "bswap" }),
  ptradd: (read) => {
    read.use("ptr");
    read.comma();
    read.use("i64");
    return read.done("ptr", { op: "ptradd" });
  },
  select: (read) => {
    read.use("i1");
    read.comma();
    const type = read.typed();
    read.comma();
    read.use(type);
    return read.done(type, { op: "select" });
  },
  phi: (read, lexer) => {
    const type = parseValueType(lexer);
    const incoming: Block[] = [];
    while (lexer.accept("[")) {
      read.use(type);
      read.comma();
      incoming.push(read.scope.block());
      lexer.expect("]");
      if (!lexer.accept(",")) break;
    }
    return read.done(type, { op: "phi", incoming });
  },
  alloca: (read, lexer) => {
    const size = lexer.takeNumber();
    const align = read.align();
    return read.done("ptr", { op: "alloca", size, align, name: lexer.take("string") });
  },
  load: (read, lexer) => {
    const type = parseValueType(lexer);
    read.use("ptr");
    const align = read.align();
    return read.done(type, { op: "load", align, ...parseAccess(lexer) });
  },
  store: (read, lexer) => {
    read.typed();
    read.comma();
    read.use("ptr");
    const align = read.align();
    return read.done("void", { op: "store", align, ...parseAccess(lexer) });
  },
  atomicrmw: (read, lexer, hasResult) => {
    const atomic = oneOf(lexer, atomicOps, "add");
    read.use("ptr");
    read.comma();
    const type = read.typed();
    return read.done(hasResult ? type : "void", { op: "atomicrmw", atomic });
  },
  cmpxchg: (read) => {
    read.use("ptr");
    read.comma();
    const type = read.typed();
    read.comma();
    read.use(type);
    return read.done(type, { op: "cmpxchg" });
  },
  load_acquire: (read, lexer) => {
    const type = parseValueType(lexer);
    read.use("ptr");
    return read.done(type, { op: "load_acquire" });
  },
  store_release: (read) => {
    read.typed();
    read.comma();
    read.use("ptr");
    return read.done("void", { op: "store_release" });
  },
  memcpy: copy("memcpy"),
  memmove: copy("memmove"),
  memset: (read, lexer) => {
    read.use("ptr");
    const dstAlign = read.align();
    read.comma();
    read.use("i8");
    read.comma();
    read.use("i64");
    return read.done("void", { op: "memset", dstAlign, volatile: lexer.accept("volatile") });
  },
  memcmp: (read) => {
    read.use("ptr");
    read.comma();
    read.use("ptr");
    read.comma();
    read.use("i64");
    return read.done("i32", { op: "memcmp" });
  },
  call: parseCall,
  core: (read, lexer) => {
    const relocation: CoreRelocationKind = oneOf(lexer, coreRelocationKinds, "field_byte_offset");
    const rootName = lexer.take("string");
    const access = lexer.take("string");
    lexer.expect("value");
    const value = lexer.takeBigInt();
    const core = { relocation, rootType: undefined, rootName, access };
    return read.done("i64", { op: "core", core, value });
  },
  load_packet: (read, lexer) => {
    const token = lexer.peek();
    const size = lexer.takeNumber();
    if (size !== 1 && size !== 2 && size !== 4) lexer.error("expected 1, 2 or 4", token);
    read.use("ptr");
    read.comma();
    read.use("i64");
    return read.done("i64", { op: "load_packet", size: size === 1 || size === 2 ? size : 4 });
  },
  addr_space_cast: (read, lexer) => {
    read.use("ptr");
    lexer.expect("from");
    const from = lexer.takeNumber();
    lexer.expect("to");
    return read.done("ptr", { op: "addr_space_cast", from, to: lexer.takeNumber() });
  },
  constant_p: (read) => {
    read.typed();
    return read.done("i1", { op: "constant_p" });
  },
  object_size: (read, lexer) => {
    read.use("ptr");
    lexer.expect("type");
    return read.done("i64", { op: "object_size", type: lexer.takeNumber() });
  },
  dynamic_alloca: (read, lexer) => {
    read.use("i64");
    const align = read.align();
    return read.done("ptr", { op: "dynamic_alloca", align, scoped: lexer.accept("scoped") });
  },
  asm: (read, lexer) => {
    const isVolatile = lexer.accept("volatile");
    const { type, ...common } = parseAsm(read, lexer);
    return read.done(type, { op: "asm", volatile: isVolatile, ...common });
  },
  asm_goto: (read, lexer) => {
    const { type, ...common } = parseAsm(read, lexer);
    lexer.expect("next");
    const next = read.scope.block();
    lexer.expect("labels");
    const labels: Block[] = [];
    // A block's head follows the last label: it is a block name with a name, an unroll hint or a colon behind it.
    while (isBlockUse(lexer)) labels.push(read.scope.block());
    return read.done(type, { op: "asm_goto", ...common, next, labels });
  },
  asm_output: (read, lexer) => {
    const type = parseValueType(lexer);
    read.use("i64");
    lexer.expect("index");
    return read.done(type, { op: "asm_output", index: lexer.takeNumber() });
  },
  fence: (read) => read.done("void", { op: "fence" }),
  lifetime_start: lifetime("lifetime_start"),
  lifetime_end: lifetime("lifetime_end"),
  br: (read) => read.done("void", { op: "br", target: read.scope.block() }),
  condbr: (read, lexer) => {
    read.use("i1");
    read.comma();
    const then = read.scope.block();
    read.comma();
    const otherwise = read.scope.block();
    if (lexer.accept("likely")) {
      return read.done("void", { op: "condbr", then, otherwise, likely: true });
    }
    if (lexer.accept("unlikely")) {
      return read.done("void", { op: "condbr", then, otherwise, likely: false });
    }
    return read.done("void", { op: "condbr", then, otherwise });
  },
  switch: parseSwitch,
  ret: (read, lexer) => {
    const { kind, text } = lexer.peek();
    if (kind === "word" && valueTypes.some((type) => type === text)) read.typed();
    return read.done("void", { op: "ret" });
  },
  unreachable: (read) => read.done("void", { op: "unreachable" }),
};

function isBlockUse(lexer: IrLexer): boolean {
  const token = lexer.peek();
  const after = lexer.peek(1);
  const isHead = after.kind === "string" || after.text === "unroll" || after.text === ":";
  return token.kind === "word" && /^b\d+$/.test(token.text) && !isHead;
}

function parseSwitch(read: OperandReader, lexer: IrLexer): ParsedOperation {
  const type = read.typed();
  read.comma();
  const fallback = read.scope.block();
  const cases: { value: bigint; target: Block }[] = [];
  lexer.expect("[");
  while (!lexer.accept("]") && !lexer.failed) {
    if (cases.length > 0) read.comma();
    const { value } = constant(type, lexer.takeBigInt());
    lexer.expect(":");
    cases.push({ value, target: read.scope.block() });
  }
  return read.done("void", { op: "switch", cases, fallback });
}

function parseCall(read: OperandReader, lexer: IrLexer): ParsedOperation {
  const type = parseType(lexer);
  const callee = parseCallee(read, lexer);
  lexer.expect("(");
  for (let first = true; !lexer.accept(")") && !lexer.failed; first = false) {
    if (!first) read.comma();
    read.typed();
  }
  const noreturn = lexer.accept("noreturn");
  if (!lexer.accept("signature")) return read.done(type, { op: "call", callee, noreturn });
  const returns = parseType(lexer);
  const params: ValueType[] = [];
  lexer.expect("(");
  while (!lexer.accept(")") && !lexer.failed) {
    if (params.length > 0) read.comma();
    params.push(parseValueType(lexer));
  }
  return read.done(type, { op: "call", callee, noreturn, signature: { returns, params } });
}

function parseCallee(read: OperandReader, lexer: IrLexer): Callee {
  if (lexer.accept("helper")) return { kind: "helper", id: lexer.takeNumber() };
  if (lexer.accept("indirect")) {
    read.use("ptr");
    return { kind: "indirect" };
  }
  return { kind: "function", symbol: lexer.take("symbol") };
}

function parseAsm(read: OperandReader, lexer: IrLexer) {
  const type = parseType(lexer);
  const template = lexer.take("string");
  lexer.expect("outputs");
  const outputCount = lexer.takeNumber();
  const constraints: AsmConstraint[] = [];
  const operandOf: number[] = [];
  lexer.expect("(");
  while (!lexer.accept(")") && !lexer.failed) {
    if (constraints.length > 0) read.comma();
    let name: string | undefined;
    if (lexer.accept("[")) {
      name = lexer.take("word");
      lexer.expect("]");
    }
    const text = lexer.take("string");
    constraints.push(name === undefined ? { text } : { text, name });
    const hasOperand = lexer.peek().kind === "word";
    operandOf.push(hasOperand ? read.operands.length : -1);
    if (hasOperand) read.typed();
  }
  const clobbers: string[] = [];
  if (lexer.accept("clobbers")) {
    while (lexer.peek().kind === "string") clobbers.push(lexer.take("string"));
  }
  return { type, template, outputCount, constraints, operandOf, clobbers };
}

/** One operation with its operands; `hasResult`: `%n =` stood before it. Undefined after an error. */
export function parseOperation(
  lexer: IrLexer,
  scope: FunctionScope,
  hasResult: boolean,
): ParsedOperation | undefined {
  const token = lexer.peek();
  const reader = token.kind === "word" ? readers[lexer.next().text] : undefined;
  if (reader === undefined) {
    lexer.error("expected an instruction", token);
    return undefined;
  }
  const parsed = reader(new OperandReader(lexer, scope), lexer, hasResult);
  if (!lexer.failed && (parsed.type === "void") === hasResult) {
    lexer.error(hasResult ? "this instruction has no result" : "the result has no name", token);
  }
  return lexer.failed ? undefined : parsed;
}
