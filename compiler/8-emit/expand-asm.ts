/**
 * Inline assembly after allocation: the template with its operands filled in, parsed by the
 * assembler. `%0`, `%[name]`, `%w0`, `%l[label]`, `%=`, `%%`, and `{a|b}` dialects (the first).
 */
import type { AsmItem, AsmLocation } from "../../assembler/asm-module.ts";
import { parseInlineAssembly } from "../../assembler/parse-instruction.ts";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Endian } from "../../common/object/object-file.ts";
import type { DebugLocation } from "../4-lower/ir.ts";
import { reportAt } from "../5-optimize/report.ts";
import type { AsmBody, AsmOperand } from "../6-select/machine.ts";
import { expandAsmData } from "./asm-data.ts";

export interface AsmPlace {
  /** Unique in the module, for `%=` and numeric labels. */
  readonly label: string;
  readonly diagnostics: Diagnostics;
  readonly location: DebugLocation | undefined;
  readonly endian: Endian;
  /** Goes to the first instruction. */
  readonly place: { readonly location?: AsmLocation };
  /** Labels of an asm goto, in order. */
  readonly targets: readonly string[];
  /** Names of those labels are after the operands' names. */
  readonly labelNames?: readonly string[];
}

export function expandAsm(body: AsmBody, place: AsmPlace): AsmItem[] {
  const text = expandAsmData(substitute(body, place), place.endian);
  if (text.trim() === "") return [];
  const { statements, diagnostics } = parseInlineAssembly(text, place.label);
  for (const problem of diagnostics.list) {
    const message = `in inline assembly: ${problem.message}`;
    reportAt(place.diagnostics, problem.code, message, place.location);
  }
  let first: { readonly location?: AsmLocation } = place.place;
  return statements.map((statement): AsmItem => {
    if (statement.kind === "label") return { kind: "label", name: statement.name };
    const located = first;
    first = {};
    const { insn, target } = statement;
    return { kind: "instruction", insn, ...(target !== undefined && { target }), ...located };
  });
}

/** `%` and what follows it: `%%`, `%=`, `%l2`, `%l[name]`, `%w0`, `%[name]`. */
const reference = /%(?:(%|=)|([a-zA-Z]?)(?:(\d+)|\[([^\]]+)\]))/g;

function substitute(body: AsmBody, place: AsmPlace): string {
  const { operands } = body;
  const template = body.template.replace(/\{([^|{}]*)\|[^{}]*\}/g, "$1");
  const report = (what: string): string => {
    const message = `inline assembly has no operand '${what}'`;
    reportAt(place.diagnostics, "asm-operand", message, place.location);
    return "0";
  };
  return template.replace(reference, (whole, sign, modifier, number, name) => {
    if (sign === "%") return "%";
    if (sign === "=") return place.label;
    const index =
      number === undefined
        ? operands.findIndex(({ constraint }) => constraint.name === name)
        : Number(number);
    const operand = operands[index];
    if (modifier === "l" || operand === undefined) {
      const which =
        number === undefined
          ? (place.labelNames ?? []).indexOf(name)
          : Number(number) - operands.length;
      return place.targets[which] ?? report(whole);
    }
    return operandText(operand, modifier);
  });
}

function operandText(operand: AsmOperand, modifier: string): string {
  switch (operand.kind) {
    case "register": {
      const isNarrow = modifier === "w" || (operand.narrow && modifier !== "r");
      return `${isNarrow ? "w" : "r"}${operand.register}`;
    }
    case "immediate":
      return String(operand.value);
    case "symbol":
      return operand.symbol ?? "0";
    case "memory": {
      const sign = operand.value < 0n ? "-" : "+";
      const size = operand.value < 0n ? -operand.value : operand.value;
      return `(r${operand.register} ${sign} ${size})`;
    }
  }
}
