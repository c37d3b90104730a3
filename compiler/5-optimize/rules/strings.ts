/**
 * Calls of C library functions on constant texts. BPF has no library: what is not computed here (or
 * by the checker) stays a call, which is reported.
 */
import type { IrInstruction, Value } from "../../4-lower/ir.ts";
import { constant, type ValueType } from "../../4-lower/ir-builder.ts";
import { constantAddress } from "../values.ts";
import type { Rule, RuleTools } from "./rule.ts";

/** The bytes from a constant pointer up to the NUL, without it. */
function textAt(pointer: Value | undefined, tools: RuleTools): Uint8Array | undefined {
  if (pointer === undefined) return undefined;
  const { base, offset } = constantAddress(pointer);
  const global = base.kind === "global" ? tools.context.globals.get(base.symbol) : undefined;
  const isFixed = global?.constant === true && !global.isExtern && global.binding !== "weak";
  if (!isFixed || global.data === undefined || offset < 0) return undefined;
  const end = global.data.indexOf(0, offset);
  return end < 0 ? undefined : global.data.subarray(offset, end);
}

/** -1, 0 or 1 as the first difference within `limit` bytes says; the NUL counts. */
function compareTexts(a: Uint8Array, b: Uint8Array, limit: number): number {
  for (let i = 0; i < Math.min(limit, Math.max(a.length, b.length)); i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return 0;
}

type Meaning = (operands: readonly Value[], tools: RuleTools) => number | undefined;

const compared: Meaning = ([first, second, length], tools) => {
  const a = textAt(first, tools);
  const b = textAt(second, tools);
  if (a === undefined || b === undefined) return undefined;
  if (length === undefined) return compareTexts(a, b, Number.POSITIVE_INFINITY);
  return length.kind === "constant" ? compareTexts(a, b, Number(length.value)) : undefined;
};

const meanings: ReadonlyMap<string, Meaning> = new Map([
  ["strlen", ([text], tools) => textAt(text, tools)?.length],
  ["strcmp", compared],
  ["strncmp", compared],
]);

function computed(instruction: IrInstruction, tools: RuleTools): number | undefined {
  const { operation, operands } = instruction;
  if (operation.op !== "call" || operation.callee.kind !== "function") return undefined;
  // A function of that name which the program defines is the program's own.
  if (tools.context.functions.has(operation.callee.symbol)) return undefined;
  return meanings.get(operation.callee.symbol)?.(operands, tools);
}

export const stringRules: readonly Rule[] = [
  {
    // strcmp("a", "b") → -1
    name: "library-call-of-constants",
    on: ["call"],
    rewrite: (instruction, tools) => {
      if (instruction.type === "void" || instruction.type === "ptr") return undefined;
      const value = computed(instruction, tools);
      return value === undefined ? undefined : constant(instruction.type as ValueType, value);
    },
  },
];
