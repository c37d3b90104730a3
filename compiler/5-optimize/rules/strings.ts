/**
 * Calls of C library functions of which enough is known, mostly constant texts. BPF has no library:
 * what is not computed here (or by the checker) stays a call, which is reported.
 */
import type { IrInstruction, Value } from "../../4-lower/ir.ts";
import { constant, type ValueType } from "../../4-lower/ir-builder.ts";
import { constantAddress, isConstant, isOp, operand } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

/** The bytes from a constant pointer to the end of its object. */
function bytesAt(pointer: Value | undefined, tools: RuleTools): Uint8Array | undefined {
  if (pointer === undefined) return undefined;
  const { base, offset } = constantAddress(pointer);
  const global = base.kind === "global" ? tools.context.globals.get(base.symbol) : undefined;
  const isFixed = global?.constant === true && !global.isExtern && global.binding !== "weak";
  if (!isFixed || global.data === undefined || offset < 0) return undefined;
  return global.data.subarray(offset);
}

/** The bytes from a constant pointer up to the NUL, without it. */
function textAt(pointer: Value | undefined, tools: RuleTools): Uint8Array | undefined {
  const bytes = bytesAt(pointer, tools);
  const end = bytes?.indexOf(0) ?? -1;
  return end < 0 ? undefined : bytes?.subarray(0, end);
}

/** -1, 0 or 1 as the first difference within `limit` bytes says; the NUL counts. */
function compareTexts(a: Uint8Array, b: Uint8Array, limit: number): number {
  for (let i = 0; i < Math.min(limit, Math.max(a.length, b.length)); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

/** A call's value, or undefined where too little is known. */
type Meaning = (operands: readonly Value[], tools: RuleTools, type: ValueType) => Value | undefined;

const byteAt = (pointer: Value, type: ValueType, tools: RuleTools): Value =>
  tools.resize(tools.emit("i8", { op: "load", align: 1, volatile: false }, [pointer]), type);

const known = (value: Value | undefined): number | undefined =>
  value?.kind === "constant" ? Number(value.value) : undefined;

const lengthOfText: Meaning = ([text], tools, type) => {
  const length = textAt(text, tools)?.length;
  if (length !== undefined) return constant(type, length);
  // strlen(c ? "a" : "bc") → c ? 1 : 2
  if (text === undefined || !isOp(text, "select")) return undefined;
  const [a, b] = [textAt(operand(text, 1), tools), textAt(operand(text, 2), tools)];
  if (a === undefined || b === undefined) return undefined;
  const lengths = [constant(type, a.length), constant(type, b.length)];
  return tools.emit(type, { op: "select" }, [operand(text, 0), ...lengths]);
};

const compared: Meaning = ([first, second, length], tools, type) => {
  if (first === undefined || second === undefined) return undefined;
  const limit = length === undefined ? Number.POSITIVE_INFINITY : known(length);
  if (limit === 0 || first === second) return constant(type, 0);
  const [a, b] = [textAt(first, tools), textAt(second, tools)];
  if (a !== undefined && b !== undefined && limit !== undefined)
    return constant(type, compareTexts(a, b, limit));
  // strcmp(p, "") → *p;  strncmp(p, q, 1) → *p − *q
  const isOneByte = limit === 1 || (limit !== undefined && (a?.length === 0 || b?.length === 0));
  if (!isOneByte) return undefined;
  return tools.binary("sub", byteAt(first, type, tools), byteAt(second, type, tools));
};

/** The pointer moved by an index; null for none. */
function found(pointer: Value | undefined, at: number | undefined, tools: RuleTools) {
  if (pointer === undefined || at === undefined) return undefined;
  return at < 0 ? constant("ptr", 0n) : tools.addOffset(pointer, constant("i64", at));
}

/** `text` with its NUL, which strchr finds too. */
const withNul = (text: Uint8Array): Uint8Array => Uint8Array.from([...text, 0]);

const character =
  (search: (text: Uint8Array, wanted: number) => number): Meaning =>
  ([pointer, wanted], tools) => {
    const [text, code] = [textAt(pointer, tools), known(wanted)];
    if (text === undefined || code === undefined) return undefined;
    return found(pointer, search(withNul(text), code & 0xff), tools);
  };

const characterInBytes: Meaning = ([pointer, wanted, length], tools) => {
  const [code, limit] = [known(wanted), known(length)];
  if (limit === 0) return constant("ptr", 0n);
  const bytes = bytesAt(pointer, tools);
  if (bytes === undefined || code === undefined || limit === undefined) return undefined;
  const at = bytes.subarray(0, limit).indexOf(code & 0xff);
  return at < 0 && limit > bytes.length ? undefined : found(pointer, at, tools);
};

const bothTexts = (
  [a, b]: readonly Value[],
  tools: RuleTools,
): readonly [Uint8Array, Uint8Array] | undefined => {
  const [first, second] = [textAt(a, tools), textAt(b, tools)];
  return first === undefined || second === undefined ? undefined : [first, second];
};

const occurrence: Meaning = (operands, tools) => {
  const [pointer, part] = operands;
  // strstr(p, "") → p
  if (pointer !== undefined && textAt(part, tools)?.length === 0) return pointer;
  const texts = bothTexts(operands, tools);
  if (texts === undefined) return undefined;
  const [text, wanted] = texts.map((each) => String.fromCharCode(...each));
  return found(pointer, text?.indexOf(wanted ?? ""), tools);
};

/** How many bytes at the start are, or are not, among the second text's. */
function span(text: Uint8Array, set: Uint8Array, isMember: boolean): number {
  const end = text.findIndex((byte) => set.includes(byte) !== isMember);
  return end < 0 ? text.length : end;
}

const spanned =
  (isMember: boolean): Meaning =>
  (operands, tools, type) => {
    const texts = bothTexts(operands, tools);
    return texts === undefined ? undefined : constant(type, span(...texts, isMember));
  };

const anyOf: Meaning = (operands, tools) => {
  const texts = bothTexts(operands, tools);
  if (texts === undefined) return undefined;
  const at = span(...texts, false);
  return found(operands[0], at < texts[0].length ? at : -1, tools);
};

function copyBytes(to: Value, from: Value, length: Value, tools: RuleTools): void {
  const copy = { op: "memcpy", dstAlign: 1, srcAlign: 1, volatile: false } as const;
  tools.emit("void", copy, [to, from, length]);
}

/** strcpy and stpcpy of a known text, with its NUL. */
const copied =
  (givesEnd: boolean): Meaning =>
  ([to, from], tools) => {
    const text = textAt(from, tools);
    if (to === undefined || from === undefined || text === undefined) return undefined;
    copyBytes(to, from, constant("i64", text.length + 1), tools);
    return givesEnd ? tools.addOffset(to, constant("i64", text.length)) : to;
  };

/** strncpy: what the text leaves of the length is filled with zeros. */
const copiedPart: Meaning = ([to, from, length], tools) => {
  const limit = known(length);
  if (limit === 0) return to;
  const text = textAt(from, tools);
  if (to === undefined || from === undefined || text === undefined || limit === undefined)
    return undefined;
  const part = Math.min(limit, text.length + 1);
  copyBytes(to, from, constant("i64", part), tools);
  const rest = tools.addOffset(to, constant("i64", part));
  const fill = { op: "memset", dstAlign: 1, volatile: false } as const;
  if (limit > part)
    tools.emit("void", fill, [rest, constant("i8", 0n), constant("i64", limit - part)]);
  return to;
};

const copiedToEnd: Meaning = ([to, from, length], tools) => {
  if (to === undefined || from === undefined || length === undefined) return undefined;
  copyBytes(to, from, length, tools);
  return tools.addOffset(to, length);
};

const nothingAppended: Meaning = ([to, text], tools) =>
  textAt(text, tools)?.length === 0 ? to : undefined;

const meanings: ReadonlyMap<string, Meaning> = new Map([
  ["strlen", lengthOfText],
  ["strcmp", compared],
  ["strncmp", compared],
  ["strchr", character((text, wanted) => text.indexOf(wanted))],
  ["strrchr", character((text, wanted) => text.lastIndexOf(wanted))],
  ["memchr", characterInBytes],
  ["strstr", occurrence],
  ["strspn", spanned(true)],
  ["strcspn", spanned(false)],
  ["strpbrk", anyOf],
  ["strcpy", copied(false)],
  ["stpcpy", copied(true)],
  ["strncpy", copiedPart],
  ["mempcpy", copiedToEnd],
  ["strcat", nothingAppended],
]);

/** The library function that is called; one that the program defines is the program's own. */
function libraryFunction({ operation }: IrInstruction, { context }: RuleTools): string | undefined {
  if (operation.op !== "call" || operation.callee.kind !== "function") return undefined;
  const { symbol } = operation.callee;
  return context.functions.has(symbol) ? undefined : symbol;
}

export const stringRules: readonly Rule[] = [
  {
    // strcmp("a", "b") → -1
    name: "library-call",
    on: ["call"],
    rewrite: (instruction, tools) => {
      const { type } = instruction;
      const meaning = meanings.get(libraryFunction(instruction, tools) ?? "");
      return meaning?.(instruction.operands, tools, type === "void" ? "i32" : type);
    },
  },
  {
    // strlen(p) == 0 → *p == 0
    name: "empty-text",
    on: ["icmp"],
    rewrite: ({ operation, operands: [length, zero] }, tools) => {
      if (operation.op !== "icmp" || !isConstant(zero, 0n) || length === undefined)
        return undefined;
      const { predicate } = operation;
      if ((predicate !== "eq" && predicate !== "ne") || length.kind !== "instruction")
        return undefined;
      if (libraryFunction(length, tools) !== "strlen" || !tools.hasOneUse(length)) return undefined;
      const first = byteAt(operand(length, 0), "i32", tools);
      return tools.compare(predicate, first, constant("i32", 0n));
    },
  },
];
