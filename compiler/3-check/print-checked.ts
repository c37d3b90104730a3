/**
 * The checked program as text, for `--print=checked` and for tests: every conversion is visible as
 * `kind<type>(operand)`, every initialiser element with its place.
 */
import type {
  CheckedAsmOperand,
  CheckedExpression,
  CheckedInitializer,
  CheckedStatement,
  CheckedUnit,
  FunctionSymbol,
  InitializerElement,
  StaticData,
  SymbolAttributes,
  VariableSymbol,
} from "./checked.ts";
import { printType } from "./print-type.ts";
import { isSigned } from "./type-tools.ts";

const symbols = {
  mul: "*",
  div: "/",
  rem: "%",
  add: "+",
  sub: "-",
  shl: "<<",
  shr: ">>",
  and: "&",
  xor: "^",
  or: "|",
  negate: "-",
  complement: "~",
  not: "!",
} as const;

function list(items: readonly string[]): string {
  return items.join(", ");
}

function operand(expression: CheckedExpression): string {
  return printExpression(expression);
}

type Of<K extends CheckedExpression["kind"]> = Extract<CheckedExpression, { kind: K }>;

function printBuiltin(e: Of<"builtin">): string {
  const args = e.args.map(printExpression);
  if (e.enumerator !== undefined) args.push(`enumerator ${e.enumerator.name}`);
  if (e.typeArg !== undefined) args.push(`type ${printType(e.typeArg)}`);
  return `${e.name}<${printType(e.type)}>(${list(args)})`;
}

function printCompound(e: Of<"compound_assign">): string {
  const step = e.elementSize === undefined ? "" : ` * ${e.elementSize}`;
  const op = `${symbols[e.op]}=`;
  return `(${operand(e.target)} ${op}<${printType(e.computeType)}> ${operand(e.value)}${step})`;
}

function printIncrement(e: Of<"increment">): string {
  const step = `${e.step >= 0 ? "+" : ""}${e.step}`;
  return e.prefix ? `pre(${step}, ${operand(e.target)})` : `post(${step}, ${operand(e.target)})`;
}

/** One expression on one line. */
export function printExpression(e: CheckedExpression): string {
  switch (e.kind) {
    case "constant":
      return `${e.value}:${printType(e.type)}`;
    case "variable":
    case "function":
      return e.symbol.name;
    case "string_literal":
      return e.symbol.linkName;
    case "unary":
      return `${symbols[e.op]}${operand(e.operand)}`;
    case "arithmetic":
      return `(${operand(e.left)} ${symbols[e.op]}${isSigned(e.type) ? "s" : "u"} ${operand(e.right)})`;
    case "compare":
      return `(${operand(e.left)} ${e.op} ${operand(e.right)})`;
    case "logical":
      return `(${operand(e.left)} ${e.op === "and" ? "&&" : "||"} ${operand(e.right)})`;
    case "pointer_offset":
      return `(${operand(e.pointer)} ${e.subtract ? "-" : "+"} ${operand(e.index)} * ${e.elementSize})`;
    case "pointer_difference":
      return `((${operand(e.left)} - ${operand(e.right)}) / ${e.elementSize})`;
    case "address_of":
      return `&${operand(e.operand)}`;
    case "dereference":
      return `*${operand(e.pointer)}`;
    case "member":
      return `${operand(e.object)}.${e.path.map((f) => f.name ?? `#${f.index}`).join(".")}`;
    case "cast":
      return `${e.explicit ? "explicit " : ""}${e.cast}<${printType(e.type)}>(${operand(e.operand)})`;
    case "assign":
      return `(${operand(e.target)} = ${operand(e.value)})`;
    case "compound_assign":
      return printCompound(e);
    case "increment":
      return printIncrement(e);
    case "conditional":
      return `(${operand(e.condition)} ? ${operand(e.then)} : ${operand(e.otherwise)})`;
    case "bind":
      return `bind(@${e.id} = ${operand(e.value)}, ${operand(e.body)})`;
    case "reuse":
      return `@${e.id}`;
    case "comma":
      return `(${operand(e.left)}, ${operand(e.right)})`;
    case "call":
      return `${operand(e.callee)}(${list(e.args.map(operand))})`;
    case "builtin":
      return printBuiltin(e);
    case "statement_expression":
      return printStatementExpression(e);
    case "compound_literal":
      return `literal<${printType(e.type)}>${printInitializer(e.initializer)}`;
  }
}

function printStatementExpression(e: Of<"statement_expression">): string {
  const lines = e.body.flatMap((s) => printStatement(s, "  "));
  const result = e.result === undefined ? [] : [`  => ${printExpression(e.result)}`];
  return `({\n${[...lines, ...result].join("\n")}\n})`;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function printElement(element: InitializerElement): string {
  const { value, field, offset } = element;
  const bits = field === undefined ? "" : `.${field.bitOffset}:${field.bitWidth ?? 0}`;
  const text = value.kind === "bytes" ? `bytes ${hex(value.bytes)}` : printExpression(value);
  return `[${offset}${bits}] ${text}`;
}

function printInitializer(initializer: CheckedInitializer): string {
  switch (initializer.kind) {
    case "expression":
      return `{ ${printExpression(initializer.value)} }`;
    case "aggregate":
      return `{ ${list(initializer.elements.map(printElement))} }`;
    case "string":
      return `{ string ${hex(initializer.bytes)} }`;
  }
}

function asmOperand(o: CheckedAsmOperand): string {
  const name = o.name === undefined ? "" : `[${o.name}] `;
  return `${name}"${o.constraint}"(${printExpression(o.value)})`;
}

type Statement<K extends CheckedStatement["kind"]> = Extract<CheckedStatement, { kind: K }>;

function printIf(s: Statement<"if">, indent: string): string[] {
  const lines = [
    `${indent}if ${printExpression(s.condition)}`,
    ...printStatement(s.then, `${indent}  `),
  ];
  if (s.otherwise !== undefined) {
    lines.push(`${indent}else`, ...printStatement(s.otherwise, `${indent}  `));
  }
  return lines;
}

function printLoop(s: Statement<"loop">, indent: string): string[] {
  const unroll = s.unroll === undefined ? "" : ` unroll(${s.unroll.kind})`;
  const lines = [`${indent}${s.form}${unroll}`];
  if (s.init !== undefined) lines.push(...printStatement(s.init, `${indent}  init `));
  if (s.condition !== undefined) lines.push(`${indent}  while ${printExpression(s.condition)}`);
  if (s.step !== undefined) lines.push(`${indent}  step ${printExpression(s.step)}`);
  return [...lines, ...printStatement(s.body, `${indent}  `)];
}

function printSwitch(s: Statement<"switch">, indent: string): string[] {
  const cases = s.cases.map((c) =>
    c.low === c.high ? `${c.caseId}: ${c.low}` : `${c.caseId}: ${c.low}...${c.high}`,
  );
  if (s.hasDefault) cases.push("default");
  return [
    `${indent}switch#${s.id} ${printExpression(s.value)} [${list(cases)}]`,
    ...printStatement(s.body, `${indent}  `),
  ];
}

function printAsm(s: Statement<"asm">): string {
  const labels = s.labels.map((l) => `%l ${l.name}`);
  const parts = [
    JSON.stringify(s.template),
    `out(${list(s.outputs.map(asmOperand))})`,
    `in(${list(s.inputs.map(asmOperand))})`,
    `clobber(${list(s.clobbers)})`,
    ...labels,
  ];
  return `asm${s.volatile ? " volatile" : ""} ${parts.join(" ")}`;
}

function printLocal(s: Statement<"local">): string {
  const init = s.initializer === undefined ? "" : ` = ${printInitializer(s.initializer)}`;
  const cleanup = s.symbol.cleanup === undefined ? "" : ` cleanup ${s.symbol.cleanup.name}`;
  return `local ${s.symbol.name}: ${printType(s.symbol.type)}${cleanup}${init}`;
}

/** A statement as lines. */
export function printStatement(s: CheckedStatement, indent: string): string[] {
  switch (s.kind) {
    case "compound":
      return [
        `${indent}{`,
        ...s.body.flatMap((b) => printStatement(b, `${indent}  `)),
        `${indent}}`,
      ];
    case "expression":
      return [indent + printExpression(s.value)];
    case "local":
      return [indent + printLocal(s)];
    case "if":
      return printIf(s, indent);
    case "switch":
      return printSwitch(s, indent);
    case "case":
      return [
        `${indent}case ${s.caseId === -1 ? "default" : s.caseId}:`,
        ...printStatement(s.body, `${indent}  `),
      ];
    case "loop":
      return printLoop(s, indent);
    case "label":
      return [`${indent}${s.label.name}:`, ...printStatement(s.body, indent)];
    case "goto":
      return [`${indent}goto ${s.label.name}`];
    case "break":
    case "continue":
      return [indent + s.kind];
    case "return":
      return [
        s.value === undefined ? `${indent}return` : `${indent}return ${printExpression(s.value)}`,
      ];
    case "asm":
      return [indent + printAsm(s)];
  }
}

function printAttributes(attributes: SymbolAttributes): string {
  const words: string[] = [];
  if (attributes.section !== undefined) words.push(`section(${attributes.section})`);
  if (attributes.weak) words.push("weak");
  if (attributes.hidden) words.push("hidden");
  if (attributes.used) words.push("used");
  if (attributes.align !== undefined) words.push(`align(${attributes.align})`);
  for (const tag of attributes.declTags) words.push(`tag(${tag})`);
  return words.length === 0 ? "" : ` ${words.join(" ")}`;
}

function printData(data: StaticData | undefined): string {
  if (data === undefined) return " zero";
  const relocations = data.relocations.map(
    (r) => ` @${r.offset}=${r.symbol.linkName}${r.addend === 0 ? "" : `+${r.addend}`}`,
  );
  return ` ${hex(data.bytes)}${relocations.join("")}`;
}

function printVariable(symbol: VariableSymbol): string {
  const { linkName, type, storage, attributes } = symbol;
  const data = symbol.defined ? printData(symbol.data) : "";
  return `${storage} ${linkName}: ${printType(type)}${printAttributes(attributes)}${data}`;
}

function printFunctionHead(symbol: FunctionSymbol): string {
  const words: string[] = [symbol.linkage];
  if (symbol.inline !== "default") words.push(`inline(${symbol.inline})`);
  if (symbol.naked) words.push("naked");
  if (symbol.noreturn) words.push("noreturn");
  if (symbol.errorMessage !== undefined) words.push(`error(${symbol.errorMessage})`);
  return `${words.join(" ")} ${symbol.linkName}: ${printType(symbol.type)}${printAttributes(symbol.attributes)}`;
}

function printFunction(symbol: FunctionSymbol): string[] {
  const head = printFunctionHead(symbol);
  if (symbol.body === undefined) return [head];
  const params = symbol.body.params.map((p) => `param ${p.name}: ${printType(p.type)}`);
  return [head, ...params.map((p) => `  ${p}`), ...printStatement(symbol.body.body, "  ")];
}

/** The whole checked unit. */
export function printChecked(unit: CheckedUnit): string {
  const lines = [
    ...unit.variables.map(printVariable),
    ...unit.externFunctions.map(printFunctionHead),
    ...unit.fileAsm.map((a) => `asm ${JSON.stringify(a.text)}`),
    ...unit.functions.flatMap((f) => ["", ...printFunction(f)]),
  ];
  return `${lines.join("\n")}\n`;
}
