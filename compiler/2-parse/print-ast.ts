/**
 * The syntax tree as text, for `--print=ast` and golden tests: one node a line, its plain fields
 * beside its kind, its parts indented below. Spans, false flags and empty lists are left out.
 */
import type { ExternalDeclaration, TranslationUnit } from "./ast.ts";

/** Prints the user's own declarations. */
export function printTranslationUnit(unit: TranslationUnit): string {
  return unit.declarations.map(({ declaration }) => printDeclaration(declaration)).join("");
}

export function printDeclaration(declaration: ExternalDeclaration): string {
  const lines: string[] = [];
  printValue("", declaration, "", lines);
  return `${lines.join("\n")}\n`;
}

type Plain = string | number | bigint | boolean;

function isPlain(value: unknown): value is Plain {
  return ["string", "number", "bigint", "boolean"].includes(typeof value);
}

function isHidden(key: string, value: unknown): boolean {
  if (key === "kind" || key === "span" || key.endsWith("Span")) return true;
  if (value === undefined || value === false) return true;
  // A record without members is not a record without a body.
  return Array.isArray(value) && value.length === 0 && key !== "members";
}

function plainText(value: Plain): string {
  return typeof value === "string" && /[^\w .+\-*/%<>=!&|^~,]|^$/.test(value)
    ? JSON.stringify(value)
    : String(value);
}

function printValue(label: string, value: unknown, indent: string, lines: string[]): void {
  const prefix = label === "" ? indent : `${indent}${label}: `;
  if (Array.isArray(value)) {
    if (value.every(isPlain) && value.length > 0) {
      lines.push(`${prefix}${value.map(plainText).join(" ")}`);
      return;
    }
    if (label !== "") lines.push(`${indent}${label}:`);
    for (const item of value) printValue("", item, `${indent}  `, lines);
    return;
  }
  if (value instanceof Uint8Array) {
    lines.push(`${prefix}${JSON.stringify(new TextDecoder("latin1").decode(value))}`);
    return;
  }
  if (typeof value !== "object" || value === null) {
    lines.push(`${prefix}${plainText(value as Plain)}`);
    return;
  }
  printNode(prefix, value, indent, lines);
}

function printNode(prefix: string, node: object, indent: string, lines: string[]): void {
  const fields = Object.entries(node).filter(([key, value]) => !isHidden(key, value));
  const plain = fields.filter(([, value]) => isPlain(value));
  const parts = fields.filter(([, value]) => !isPlain(value) && !isNoQualifier(value));
  const kind = "kind" in node ? String(node.kind) : "";
  const words = plain.map(([key, value]) =>
    value === true ? key : `${key}=${plainText(value as Plain)}`,
  );
  const head = [kind, ...words].filter((word) => word !== "").join(" ");
  lines.push(`${prefix}${head === "" ? "-" : head}`);
  for (const [key, value] of parts) printValue(key, value, `${indent}  `, lines);
}

/** `{ const: false, … }`: an object of nothing but false. */
function isNoQualifier(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).length > 0 &&
    Object.values(value).every((field) => field === false)
  );
}
