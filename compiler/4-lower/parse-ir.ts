/**
 * Textual IR → {@link IrModule}: the inverse of `printIr`. Undefined after a syntax error, which is
 * reported with its place. Well-formedness beyond syntax is `verifyModule`'s business.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { SourceFile } from "../../common/diagnostics/source.ts";
import type { SymbolBinding, SymbolVisibility } from "../../common/object/object-file.ts";
import type {
  Block,
  DebugLocation,
  IrFunction,
  IrGlobal,
  IrInstruction,
  IrModule,
  Parameter,
} from "./ir.ts";
import { createFunction, createInstruction, createModule } from "./ir-builder.ts";
import { IrLexer, type IrToken } from "./ir-lexer.ts";
import { FunctionScope, parseOperation, parseType, parseValueType } from "./parse-ir-operation.ts";

/** Instructions and functions that wait for their numbered place. */
interface PendingLocation {
  readonly number: number;
  readonly token: IrToken;
  readonly set: (location: DebugLocation) => void;
}

export function parseIr(file: SourceFile, diagnostics: Diagnostics): IrModule | undefined {
  const lexer = new IrLexer(file, diagnostics);
  const pending: PendingLocation[] = [];
  const locations = new Map<number, DebugLocation>();
  lexer.expect("module");
  const path = lexer.take("string");
  const endian = lexer.accept("big") ? "big" : "little";
  if (endian === "little") lexer.expect("little");
  const module = createModule(path, endian);
  while (lexer.peek().kind !== "end") parseItem(lexer, module, locations, pending);
  for (const { number, token, set } of pending) {
    const location = locations.get(number);
    if (location === undefined) lexer.error(`location !${number} is not in the table`, token);
    else set(location);
  }
  return lexer.failed ? undefined : module;
}

function parseItem(
  lexer: IrLexer,
  module: IrModule,
  locations: Map<number, DebugLocation>,
  pending: PendingLocation[],
): void {
  if (lexer.peek().kind === "location") parseLocation(lexer, locations);
  else if (lexer.accept("asm")) module.fileAsm.push(lexer.take("string"));
  else if (lexer.accept("error")) {
    module.errorFunctions.set(lexer.take("symbol"), lexer.take("string"));
  } else if (lexer.accept("declare")) {
    const name = lexer.take("symbol");
    const weak = lexer.accept("weak");
    const visibility = parseVisibility(lexer);
    const section = lexer.accept("section") ? lexer.take("string") : undefined;
    module.externFunctions.push({ name, weak, visibility, section });
  } else if (lexer.accept("global")) module.globals.push(parseGlobal(lexer));
  else if (lexer.accept("define")) module.functions.push(parseFunction(lexer, pending));
  else lexer.error("expected a global, a declaration or a function");
}

function parseLocation(lexer: IrLexer, locations: Map<number, DebugLocation>): void {
  const number = Number(lexer.take("location"));
  lexer.expect("=");
  const file = lexer.take("string");
  lexer.expect(":");
  const line = lexer.takeNumber();
  lexer.expect(":");
  const column = lexer.takeNumber();
  const scope = lexer.take("string");
  const text = lexer.take("string");
  let inlinedAt: DebugLocation | undefined;
  if (lexer.accept("at")) {
    const token = lexer.peek();
    inlinedAt = locations.get(Number(lexer.take("location")));
    if (inlinedAt === undefined) lexer.error("location is not in the table", token);
  }
  locations.set(number, { file, line, column, scope, text, ...(inlinedAt && { inlinedAt }) });
}

function parseBinding(lexer: IrLexer): SymbolBinding {
  for (const binding of ["local", "global", "weak"] as const) {
    if (lexer.accept(binding)) return binding;
  }
  lexer.error("expected local, global or weak");
  return "local";
}

function parseVisibility(lexer: IrLexer): SymbolVisibility {
  for (const visibility of ["internal", "hidden", "protected"] as const) {
    if (lexer.accept(visibility)) return visibility;
  }
  return "default";
}

function parseGlobal(lexer: IrLexer): IrGlobal {
  const name = lexer.take("symbol");
  const binding = parseBinding(lexer);
  const visibility = parseVisibility(lexer);
  const isExtern = lexer.accept("extern");
  const constant = lexer.accept("constant");
  lexer.expect("section");
  const section = lexer.take("string");
  lexer.expect("align");
  const align = lexer.takeNumber();
  lexer.expect("size");
  const size = lexer.takeNumber();
  const data = lexer.accept("data") ? bytesOf(lexer.take("string")) : undefined;
  const relocations: { offset: number; symbol: string; addend: number }[] = [];
  while (lexer.accept("reloc")) {
    const offset = lexer.takeNumber();
    const symbol = lexer.take("symbol");
    relocations.push({ offset, symbol, addend: lexer.takeNumber() });
  }
  const rest = { align, size, relocations, constant, isExtern };
  return { name, section, binding, visibility, ...rest, ...(data && { data }) };
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

function parseFunction(lexer: IrLexer, pending: PendingLocation[]): IrFunction {
  const returns = parseType(lexer);
  const name = lexer.take("symbol");
  const params: Omit<Parameter, "kind" | "index">[] = [];
  lexer.expect("(");
  while (!lexer.accept(")") && !lexer.failed) {
    if (params.length > 0) lexer.expect(",");
    const type = parseValueType(lexer);
    lexer.take("value");
    params.push({ type, name: lexer.take("string"), ...parseParameterWords(lexer) });
  }
  const binding = parseBinding(lexer);
  const visibility = parseVisibility(lexer);
  lexer.expect("section");
  const section = lexer.take("string");
  const inline = parseInline(lexer);
  const naked = lexer.accept("naked");
  const noreturn = lexer.accept("noreturn");
  const fn = createFunction({
    ...{ name, returns, params, binding, visibility, section, inline, naked, noreturn },
  });
  takeLocation(lexer, pending, (location) => {
    Object.assign(fn, { location });
  });
  parseBody(lexer, fn, pending);
  return fn;
}

function parseParameterWords(
  lexer: IrLexer,
): Pick<Parameter, "noalias" | "extendedFrom" | "trusted" | "most"> {
  const noalias = lexer.accept("noalias") ? { noalias: true as const } : {};
  const trusted = lexer.accept("trusted") ? { trusted: true as const } : {};
  const from = (["s8", "u8", "s16", "u16"] as const).find((word) => lexer.accept(word));
  const most = lexer.accept("most") ? { most: lexer.takeNumber() } : {};
  return { ...noalias, ...trusted, ...(from && { extendedFrom: from }), ...most };
}

function parseInline(lexer: IrLexer): IrFunction["inline"] {
  if (!lexer.accept("inline")) return "default";
  for (const kind of ["always", "never", "hint"] as const) if (lexer.accept(kind)) return kind;
  lexer.error("expected always, never or hint");
  return "default";
}

function takeLocation(
  lexer: IrLexer,
  pending: PendingLocation[],
  set: PendingLocation["set"],
): void {
  const token = lexer.peek();
  if (token.kind !== "location") return;
  pending.push({ number: Number(lexer.take("location")), token, set });
}

function parseBody(lexer: IrLexer, fn: IrFunction, pending: PendingLocation[]): void {
  const scope = new FunctionScope(lexer, fn);
  lexer.expect("{");
  let block: Block | undefined;
  while (!lexer.accept("}") && !lexer.failed) {
    const token = lexer.peek();
    const startsBlock = token.kind === "word" && /^b\d+$/.test(token.text);
    if (startsBlock) block = parseBlockHead(lexer, scope);
    else if (block === undefined) lexer.error("expected a block");
    else parseInstruction(lexer, scope, block, pending);
  }
  scope.finish();
}

function parseBlockHead(lexer: IrLexer, scope: FunctionScope): Block {
  const block = scope.defineBlock(lexer.next());
  if (lexer.peek().kind === "string") block.name = lexer.take("string");
  if (lexer.accept("unroll")) {
    if (lexer.peek().kind === "number") {
      block.unroll = { kind: "count", count: lexer.takeNumber() };
    } else if (lexer.accept("full")) block.unroll = { kind: "full" };
    else if (lexer.accept("enable")) block.unroll = { kind: "enable" };
    else {
      lexer.expect("disable");
      block.unroll = { kind: "disable" };
    }
  }
  lexer.expect(":");
  return block;
}

function parseInstruction(
  lexer: IrLexer,
  scope: FunctionScope,
  block: Block,
  pending: PendingLocation[],
): void {
  const token = lexer.peek();
  let id: number | undefined;
  if (token.kind === "value") {
    id = Number(lexer.take("value"));
    lexer.expect("=");
  }
  const parsed = parseOperation(lexer, scope, id !== undefined);
  if (parsed === undefined) return;
  const { type, operation, operands } = parsed;
  if (operation.op === "dynamic_alloca") scope.fn.hasDynamicStack = true;
  const made = createInstruction(scope.fn, block, type, operation, []);
  const instruction: IrInstruction = id === undefined ? made : { ...made, id };
  block.instructions.push(instruction);
  scope.fillOperands(instruction, operands);
  if (id !== undefined) scope.defineValue(id, instruction, token);
  if (lexer.accept("name")) instruction.name = lexer.take("string");
  takeLocation(lexer, pending, (location) => {
    instruction.location = location;
  });
}
