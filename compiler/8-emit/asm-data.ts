/**
 * Instructions that inline assembly spells as data: `.byte 0xbf; .short 1; .long 1`, for assemblers
 * that lack them. The text becomes text with instructions, so that what follows knows of no data.
 * `.ifc` compares operands that were filled in. A jump's offset may be the distance to a label.
 */
import { decodeInstruction } from "../../common/isa/decode.ts";
import { printInstruction } from "../../common/isa/print.ts";
import type { Endian } from "../../common/object/object-file.ts";

const dataSizes: Readonly<Record<string, number>> = {
  ".byte": 1,
  ".short": 2,
  ".2byte": 2,
  ".hword": 2,
  ".long": 4,
  ".4byte": 4,
  ".int": 4,
  ".quad": 8,
  ".8byte": 8,
};

/** `(label - 1b - 8) / 8`, masked and in the half of a word that holds the offset. */
const distance =
  /^\(*\s*([A-Za-z_.$][\w.$]*|\d+[bf])\s*-\s*\d+b\s*-\s*8\s*\)\s*\/\s*8\s*\)?\s*&\s*0xffff\s*\)?(?:\s*<<\s*16)?$/;

/** A sum, difference, product, shift … of numbers; undefined where it is none. */
function numberOf(text: string): bigint | undefined {
  const tokens = text.match(/0[xX][\da-fA-F]+|\d+|<<|>>|[-+*/&|^~()]/g) ?? [];
  if (tokens.join("") !== text.replace(/\s/g, "")) return undefined;
  let at = 0;
  const primary = (): bigint | undefined => {
    const token = tokens[at++];
    if (token === "-" || token === "~" || token === "+") {
      const value = primary();
      if (value === undefined) return undefined;
      return token === "-" ? -value : token === "~" ? ~value : value;
    }
    if (token !== "(")
      return token === undefined || /\D/.test(token[0] ?? "") ? undefined : BigInt(token);
    const value = binary(0);
    return tokens[at++] === ")" ? value : undefined;
  };
  const binary = (level: number): bigint | undefined => {
    const operators = levels[level];
    if (operators === undefined) return primary();
    let left = binary(level + 1);
    for (
      let op = tokens[at];
      left !== undefined && op !== undefined && op in operators;
      op = tokens[at]
    ) {
      at += 1;
      const right = binary(level + 1);
      left = right === undefined ? undefined : operators[op]?.(left, right);
    }
    return left;
  };
  const value = binary(0);
  return at === tokens.length ? value : undefined;
}

type Operator = (a: bigint, b: bigint) => bigint | undefined;

/** Loosest first. */
const levels: readonly Readonly<Record<string, Operator>>[] = [
  { "|": (a, b) => a | b, "^": (a, b) => a ^ b },
  { "&": (a, b) => a & b },
  {
    "<<": (a, b) => (b >= 0n && b < 64n ? a << b : undefined),
    ">>": (a, b) => (b >= 0n && b < 64n ? a >> b : undefined),
  },
  { "+": (a, b) => a + b, "-": (a, b) => a - b },
  { "*": (a, b) => a * b, "/": (a, b) => (b === 0n ? undefined : a / b) },
];

/** Whether the statements behind an `.ifc` count. */
function compared(directive: string, rest: string): boolean {
  const [left = "", right = ""] = rest.split(",").map((part) => part.trim());
  return (left === right) === (directive === ".ifc");
}

/** One instruction being spelled. */
interface Spelled {
  readonly bytes: number[];
  target: string | undefined;
}

function addData(spelled: Spelled, directive: string, rest: string, endian: Endian): boolean {
  const size = dataSizes[directive] ?? 0;
  for (const part of rest.split(",")) {
    const text = part.trim();
    const label = distance.exec(text)?.[1];
    const value = label === undefined ? numberOf(text) : 0n;
    if (value === undefined) return false;
    if (label !== undefined) spelled.target = label;
    for (let i = 0; i < size; i += 1) {
      const shift = BigInt(8 * (endian === "little" ? i : size - 1 - i));
      spelled.bytes.push(Number((value >> shift) & 0xffn));
    }
  }
  return true;
}

/** The instruction's text, or undefined where the bytes are none. */
function spelledText({ bytes, target }: Spelled, endian: Endian): string | undefined {
  const decoded = decodeInstruction(Uint8Array.from(bytes), 0, endian);
  if (!decoded.ok || decoded.slots > 1) return undefined;
  return printInstruction(decoded.insn, target === undefined ? {} : { target });
}

/** The text with data as instructions; what is no such data stays as it is. */
export function expandAsmData(text: string, endian: Endian): string {
  if (!/\.(?:byte|short|[248]byte|hword|long|int|quad|ifn?c)\b/.test(text)) return text;
  const output: string[] = [];
  const conditions: boolean[] = [];
  let spelled: Spelled = { bytes: [], target: undefined };
  for (const whole of text.replace(/\/\*.*?\*\//gs, " ").split(/[;\n]/)) {
    const [, labels = "", statement = ""] = /^((?:\s*[\w.$]+:)*)\s*(.*?)\s*$/s.exec(whole) ?? [];
    const directive = /^\.\w+/.exec(statement)?.[0] ?? "";
    const rest = statement.slice(directive.length);
    if (directive === ".ifc" || directive === ".ifnc") conditions.push(compared(directive, rest));
    else if (directive === ".else") conditions.push(conditions.pop() !== true);
    else if (directive === ".endif") conditions.pop();
    else if (!conditions.includes(false)) {
      if (labels !== "") output.push(labels);
      const isData =
        Object.hasOwn(dataSizes, directive) && addData(spelled, directive, rest, endian);
      if (!isData) output.push(statement);
      if (spelled.bytes.length < 8) continue;
      output.push(spelledText(spelled, endian) ?? statement);
      spelled = { bytes: [], target: undefined };
    }
  }
  if (spelled.bytes.length > 0) output.push(".byte");
  return output.join("\n");
}
