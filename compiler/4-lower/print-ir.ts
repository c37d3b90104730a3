/**
 * IR as text, one instruction a line; `parseIr` reads it again and printing that gives the same
 * text. Values are %number, parameters %pNumber, blocks bNumber, globals @name.
 */
import { appendAll } from "../../common/append.ts";
import type {
  AccessedType,
  AsmConstraint,
  Block,
  Callee,
  DebugLocation,
  IrFunction,
  IrGlobal,
  IrInstruction,
  IrModule,
  Operation,
  Parameter,
  Value,
} from "./ir.ts";
import { signedValue } from "./ir-builder.ts";

export interface PrintIrOptions {
  /** Adds `!n` to instructions and a table of places at the end. */
  readonly locations?: boolean;
}

/** Numbers debug locations in order of first mention. */
class LocationTable {
  readonly lines: string[] = [];
  readonly #numbers = new Map<string, number>();

  /** Callers of inlined code come first, so that the table can be read in one pass. */
  number(location: DebugLocation): number {
    const at = location.inlinedAt === undefined ? "" : ` at !${this.number(location.inlinedAt)}`;
    const { file, line, column, scope, text } = location;
    const row = `${quote(file)}:${line}:${column} ${quote(scope)} ${quote(text)}${at}`;
    const known = this.#numbers.get(row);
    if (known !== undefined) return known;
    const made = this.lines.length;
    this.#numbers.set(row, made);
    this.lines.push(`!${made} = ${row}`);
    return made;
  }
}

export function printIr(module: IrModule, options: PrintIrOptions = {}): string {
  const locations = options.locations ? new LocationTable() : undefined;
  const parts = [`module ${quote(module.path)} ${module.endian}`];
  const list = [
    ...module.fileAsm.map((text) => `asm ${quote(text)}`),
    ...[...module.errorFunctions].map(([name, text]) => `error @${symbol(name)} ${quote(text)}`),
    ...module.externFunctions.map(printDeclaration),
    ...module.globals.map(printGlobal),
  ];
  if (list.length > 0) parts.push(list.join("\n"));
  appendAll(
    parts,
    module.functions.map((fn) => functionText(fn, locations)),
  );
  if (locations && locations.lines.length > 0) parts.push(locations.lines.join("\n"));
  return `${parts.join("\n\n")}\n`;
}

/** One function alone, for messages and tests. */
export function printFunction(fn: IrFunction): string {
  return functionText(fn, undefined);
}

function printDeclaration(declared: IrModule["externFunctions"][number]): string {
  const words = [`declare @${symbol(declared.name)}`];
  if (declared.weak) words.push("weak");
  if (declared.visibility !== "default") words.push(declared.visibility);
  if (declared.section !== undefined) words.push(`section ${quote(declared.section)}`);
  return words.join(" ");
}

function printGlobal(global: IrGlobal): string {
  const words = [`global @${symbol(global.name)}`, global.binding];
  if (global.visibility !== "default") words.push(global.visibility);
  if (global.isExtern) words.push("extern");
  if (global.constant) words.push("constant");
  words.push(`section ${quote(global.section)} align ${global.align} size ${global.size}`);
  if (global.data !== undefined) words.push(`data ${quote(bytesText(global.data))}`);
  for (const { offset, symbol: target, addend } of global.relocations) {
    words.push(`reloc ${offset} @${symbol(target)} ${addend}`);
  }
  return words.join(" ");
}

/** Bytes as text: printable ASCII as it is, the rest as \xx. */
function bytesText(data: Uint8Array): string {
  return String.fromCharCode(...data);
}

function parameterWords({ noalias, extendedFrom, trusted, most }: Parameter): string {
  const bound = most === undefined ? undefined : `most ${most}`;
  const words = [noalias && "noalias", trusted && "trusted", extendedFrom, bound];
  return words.map((word) => (word === undefined ? "" : ` ${word}`)).join("");
}

function functionText(fn: IrFunction, locations: LocationTable | undefined): string {
  const params = fn.params.map(
    (parameter) =>
      `${parameter.type} %p${parameter.index} ${quote(parameter.name)}${parameterWords(parameter)}`,
  );
  const words = [`define ${fn.returns} @${symbol(fn.name)}(${params.join(", ")}) ${fn.binding}`];
  if (fn.visibility !== "default") words.push(fn.visibility);
  words.push(`section ${quote(fn.section)}`);
  if (fn.inline !== "default") words.push(`inline ${fn.inline}`);
  if (fn.naked) words.push("naked");
  if (fn.noreturn) words.push("noreturn");
  if (locations && fn.location) words.push(`!${locations.number(fn.location)}`);
  const blocks = fn.blocks.map((block) => printBlock(block, locations));
  return `${words.join(" ")} {\n${blocks.join("")}}`;
}

function printBlock(block: Block, locations: LocationTable | undefined): string {
  let head = `b${block.id}`;
  if (block.name !== undefined) head += ` ${quote(block.name)}`;
  if (block.unroll !== undefined) {
    head += ` unroll ${block.unroll.kind === "count" ? block.unroll.count : block.unroll.kind}`;
  }
  const lines = block.instructions.map((each) => {
    const place = locations && each.location ? ` !${locations.number(each.location)}` : "";
    return `  ${printInstruction(each)}${place}\n`;
  });
  return `${head}:\n${lines.join("")}`;
}

/** One instruction without its location. */
export function printInstruction(instruction: IrInstruction): string {
  const result = instruction.type === "void" ? "" : `%${instruction.id} = `;
  const name = instruction.name === undefined ? "" : ` name ${quote(instruction.name)}`;
  return `${result}${body(instruction)}${name}`;
}

function body(instruction: IrInstruction): string {
  const operation = instruction.operation;
  const [a, b, c] = instruction.operands;
  switch (operation.op) {
    case "binary":
      return `${operation.binary} ${instruction.type} ${use(a)}, ${use(b)}`;
    case "icmp":
      return `icmp ${operation.predicate} ${typed(a)}, ${use(b)}`;
    case "zext":
    case "sext":
    case "trunc":
    case "ptrtoint":
    case "inttoptr":
      return `${operation.op} ${typed(a)} to ${instruction.type}`;
    case "bswap":
      return `bswap ${typed(a)}`;
    case "ptradd":
      return `ptradd ${use(a)}, ${use(b)}`;
    case "select":
      return `select ${use(a)}, ${typed(b)}, ${use(c)}`;
    case "phi": {
      const pairs = operation.incoming.map(
        (from, at) => `[${use(instruction.operands[at])}, b${from.id}]`,
      );
      return `phi ${instruction.type} ${pairs.join(", ")}`;
    }
    case "call":
      return callText(instruction, operation);
    case "core":
    case "load_packet":
    case "addr_space_cast":
    case "constant_p":
    case "object_size":
    case "dynamic_alloca":
    case "asm_output":
      return specialText(instruction, operation);
    case "asm":
    case "asm_goto":
      return asmText(instruction, operation);
    case "fence":
      return "fence";
    case "lifetime_start":
    case "lifetime_end":
      return `${operation.op} ${use(a)}`;
    case "alloca":
    case "load":
    case "store":
    case "atomicrmw":
    case "cmpxchg":
    case "load_acquire":
    case "store_release":
    case "memcpy":
    case "memmove":
    case "memset":
    case "memcmp":
      return memoryText(instruction, operation);
    case "br":
    case "condbr":
    case "switch":
    case "ret":
    case "unreachable":
      return terminatorText(instruction, operation);
  }
}

type SpecialOp =
  | "core"
  | "load_packet"
  | "addr_space_cast"
  | "constant_p"
  | "object_size"
  | "dynamic_alloca"
  | "asm_output";

function specialText(
  instruction: IrInstruction,
  operation: Extract<Operation, { op: SpecialOp }>,
): string {
  const [a, b] = instruction.operands;
  switch (operation.op) {
    case "core": {
      const { relocation, rootName, access } = operation.core;
      return `core ${relocation} ${quote(rootName)} ${quote(access)} value ${operation.value}`;
    }
    case "load_packet":
      return `load_packet ${operation.size} ${use(a)}, ${use(b)}`;
    case "addr_space_cast":
      return `addr_space_cast ${use(a)} from ${operation.from} to ${operation.to}`;
    case "constant_p":
      return `constant_p ${typed(a)}`;
    case "object_size":
      return `object_size ${use(a)} type ${operation.type}`;
    case "dynamic_alloca":
      return `dynamic_alloca ${use(a)} align ${operation.align}${operation.scoped ? " scoped" : ""}`;
    case "asm_output":
      return `asm_output ${instruction.type} ${use(a)} index ${operation.index}`;
  }
}

type MemoryOp =
  | "alloca"
  | "load"
  | "store"
  | "atomicrmw"
  | "cmpxchg"
  | "load_acquire"
  | "store_release"
  | "memcpy"
  | "memmove"
  | "memset"
  | "memcmp";

function accessText({ accessed }: { readonly accessed?: AccessedType }): string {
  return accessed === undefined ? "" : ` accessed ${quote(accessed)}`;
}

function memoryText(
  instruction: IrInstruction,
  operation: Extract<Operation, { op: MemoryOp }>,
): string {
  const [a, b, c] = instruction.operands;
  const isVolatile = "volatile" in operation && operation.volatile ? " volatile" : "";
  switch (operation.op) {
    case "alloca":
      return `alloca ${operation.size} align ${operation.align} ${quote(operation.name)}`;
    case "load":
      return `load ${instruction.type} ${use(a)} align ${operation.align}${isVolatile}${accessText(operation)}`;
    case "store":
      return `store ${typed(a)}, ${use(b)} align ${operation.align}${isVolatile}${accessText(operation)}`;
    case "atomicrmw":
      return `atomicrmw ${operation.atomic} ${use(a)}, ${typed(b)}`;
    case "cmpxchg":
      return `cmpxchg ${use(a)}, ${typed(b)}, ${use(c)}`;
    case "load_acquire":
      return `load_acquire ${instruction.type} ${use(a)}`;
    case "store_release":
      return `store_release ${typed(a)}, ${use(b)}`;
    case "memcpy":
    case "memmove":
      return `${operation.op} ${use(a)} align ${operation.dstAlign}, ${use(b)} align ${operation.srcAlign}, ${use(c)}${isVolatile}`;
    case "memset":
      return `memset ${use(a)} align ${operation.dstAlign}, ${use(b)}, ${use(c)}${isVolatile}`;
    case "memcmp":
      return `memcmp ${use(a)}, ${use(b)}, ${use(c)}`;
  }
}

function terminatorText(
  instruction: IrInstruction,
  operation: Extract<Operation, { op: "br" | "condbr" | "switch" | "ret" | "unreachable" }>,
): string {
  const [a] = instruction.operands;
  switch (operation.op) {
    case "br":
      return `br b${operation.target.id}`;
    case "condbr": {
      const hint = operation.likely === undefined ? "" : operation.likely ? " likely" : " unlikely";
      return `condbr ${use(a)}, b${operation.then.id}, b${operation.otherwise.id}${hint}`;
    }
    case "switch": {
      const cases = operation.cases.map(({ value, target }) => `${value}: b${target.id}`);
      return `switch ${typed(a)}, b${operation.fallback.id} [${cases.join(", ")}]`;
    }
    case "ret":
      return a === undefined ? "ret" : `ret ${typed(a)}`;
    case "unreachable":
      return "unreachable";
  }
}

function callText(
  instruction: IrInstruction,
  operation: Extract<Operation, { op: "call" }>,
): string {
  const indirect = operation.callee.kind === "indirect";
  const args = instruction.operands.slice(indirect ? 1 : 0).map(typed);
  const who = calleeText(operation.callee, instruction.operands[0]);
  let text = `call ${instruction.type} ${who}(${args.join(", ")})`;
  if (operation.noreturn) text += " noreturn";
  if (operation.signature) {
    text += ` signature ${operation.signature.returns} (${operation.signature.params.join(", ")})`;
  }
  return text;
}

function calleeText(callee: Callee, first: Value | undefined): string {
  switch (callee.kind) {
    case "function":
      return `@${symbol(callee.symbol)}`;
    case "helper":
      return `helper ${callee.id}`;
    case "indirect":
      return `indirect ${use(first)}`;
  }
}

function asmText(
  instruction: IrInstruction,
  operation: Extract<Operation, { op: "asm" | "asm_goto" }>,
): string {
  const operands = operation.constraints.map((each, at) =>
    asmOperandText(each, instruction.operands[operation.operandOf[at] ?? -1]),
  );
  let text = operation.op;
  if (operation.op === "asm" && operation.volatile) text += " volatile";
  text += ` ${instruction.type} ${quote(operation.template)} outputs ${operation.outputCount}`;
  text += ` (${operands.join(", ")})`;
  if (operation.clobbers.length > 0) text += ` clobbers ${operation.clobbers.map(quote).join(" ")}`;
  if (operation.op === "asm_goto") {
    text += ` next b${operation.next.id} labels ${operation.labels.map(({ id }) => `b${id}`).join(" ")}`;
  }
  return text;
}

function asmOperandText(constraint: AsmConstraint, operand: Value | undefined): string {
  const name = constraint.name === undefined ? "" : `[${constraint.name}] `;
  const value = operand === undefined ? "" : ` ${typed(operand)}`;
  return `${name}${quote(constraint.text)}${value}`;
}

function typed(value: Value | undefined): string {
  return value === undefined ? "<missing>" : `${value.type} ${use(value)}`;
}

/** An operand as it is written where its type is known. */
export function use(value: Value | undefined): string {
  if (value === undefined) return "<missing>";
  switch (value.kind) {
    case "constant":
      if (value.type === "ptr")
        return value.value === 0n ? "null" : `0x${value.value.toString(16)}`;
      if (value.type === "i1") return value.value === 0n ? "false" : "true";
      return signedValue(value).toString();
    case "undef":
      return "undef";
    case "global":
      return `@${symbol(value.symbol)}`;
    case "parameter":
      return `%p${value.index}`;
    case "instruction":
      return `%${value.id}`;
  }
}

function symbol(name: string): string {
  return /^[\w.$]+$/.test(name) ? name : quote(name);
}

/** In double quotes; bytes outside printable ASCII, quotes and backslashes as \xx or \u{xxxx}. */
function quote(text: string): string {
  const escaped = text.replace(/[^\x20-\x7e]|["\\]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    return code > 0xff ? `\\u{${code.toString(16)}}` : `\\${code.toString(16).padStart(2, "0")}`;
  });
  return `"${escaped}"`;
}
