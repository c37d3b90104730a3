/**
 * The .BTF and .BTF.ext sections as data directives with comments that say what each word is, in
 * clang's form (`# BTF_KIND_VAR(id = 5)`): build systems look for them.
 */
import {
  BTF_EXT_HEADER_SIZE,
  BTF_HEADER_SIZE,
  BTF_MAGIC,
  btfKindNumbers,
} from "../common/object/btf-constants.ts";
import type { Endian } from "../common/object/object-file.ts";
import type { AsmSection, SymbolReference } from "./asm-module.ts";
import { itemSize } from "./layout.ts";
import { escapeBytes, printBytes, targetText } from "./print-data.ts";

/** A section's bytes, with the words that are symbols. */
class DataReader {
  readonly bytes: Uint8Array;
  readonly references = new Map<number, SymbolReference>();
  readonly lines: string[] = [];
  readonly #view: DataView;
  readonly #little: boolean;
  at = 0;

  constructor(section: AsmSection, endian: Endian) {
    const size = section.items.reduce((sum, item) => sum + itemSize(item, sum), 0);
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    this.#little = endian === "little";
    let at = 0;
    for (const item of section.items) {
      if (item.kind === "data") this.bytes.set(item.bytes, at);
      else if (item.kind === "reference") this.references.set(at, item.target);
      else if (item.kind === "align") this.lines.push(`\t.p2align\t${Math.log2(item.align)}`);
      at += itemSize(item, at);
    }
  }

  get size(): number {
    return this.bytes.length;
  }

  u16At(at: number): number {
    return this.#view.getUint16(at, this.#little);
  }

  u32At(at: number): number {
    return this.#view.getUint32(at, this.#little);
  }

  u8(): void {
    this.lines.push(`\t.byte\t${this.bytes[this.at]}`);
    this.at += 1;
  }

  u16(): void {
    this.lines.push(`\t.short\t${this.u16At(this.at)}`);
    this.at += 2;
  }

  u32(comment = ""): number {
    const value = this.u32At(this.at);
    const reference = this.references.get(this.at);
    const text = reference === undefined ? String(value) : targetText(reference);
    const padded = comment === "" ? text : `${text.padEnd(31)} # ${comment}`;
    this.lines.push(`\t.long\t${padded}`);
    this.at += 4;
    return value;
  }

  strings(end: number): void {
    while (this.at < end) {
      const zero = this.bytes.indexOf(0, this.at);
      const isTerminated = zero >= 0 && zero < end;
      const stop = isTerminated ? zero : end;
      const text = escapeBytes(this.bytes.subarray(this.at, stop));
      const comment = isTerminated ? `\t# string offset=${this.stringOffset(this.at)}` : "";
      this.lines.push(`\t${isTerminated ? ".asciz" : ".ascii"}\t"${text}"${comment}`);
      this.at = isTerminated ? stop + 1 : stop;
    }
  }

  stringOffset = (at: number): number => at;

  rest(): void {
    for (const line of printBytes(this.bytes.subarray(this.at))) this.lines.push(line);
    this.at = this.size;
  }
}

/** Only data, 4-byte references and alignment at the start can be shown as words. */
function canShow(section: AsmSection): boolean {
  return section.items.every(
    (item, i) =>
      item.kind === "data" ||
      (item.kind === "reference" && item.type !== "R_BPF_64_ABS64") ||
      (item.kind === "align" && i === 0),
  );
}

const kindNames: ReadonlyMap<number, string> = new Map(
  Object.entries(btfKindNumbers).map(([name, number]) => [number, name.toUpperCase()] as const),
);

/** Words after a type's three, by kind: a fixed number, or a number per element. */
const trailing: Readonly<Record<string, { fixed?: number; each?: number }>> = {
  INT: { fixed: 1 },
  ARRAY: { fixed: 3 },
  STRUCT: { each: 3 },
  UNION: { each: 3 },
  ENUM: { each: 2 },
  ENUM64: { each: 3 },
  FUNC_PROTO: { each: 2 },
  VAR: { fixed: 1 },
  DATASEC: { each: 3 },
  DECL_TAG: { fixed: 1 },
};

function header(reader: DataReader, size: number): void {
  reader.u16();
  reader.u8();
  reader.u8();
  while (reader.at < size) reader.u32();
}

function hasHeader(reader: DataReader, size: number): boolean {
  if (reader.size < size || reader.u16At(0) !== BTF_MAGIC) return false;
  for (let at = 0; at < size; at += 4) if (reader.references.has(at)) return false;
  return reader.u32At(4) === size;
}

/** Lines for `.BTF`; undefined where its contents are not shaped like BTF. */
export function printBtfSection(section: AsmSection, endian: Endian): string[] | undefined {
  if (!canShow(section)) return undefined;
  const reader = new DataReader(section, endian);
  if (!hasHeader(reader, BTF_HEADER_SIZE)) return undefined;
  const typesEnd = BTF_HEADER_SIZE + reader.u32At(12);
  const stringsStart = BTF_HEADER_SIZE + reader.u32At(16);
  const stringsEnd = stringsStart + reader.u32At(20);
  const isUsual = reader.u32At(8) === 0 && stringsStart === typesEnd && stringsEnd === reader.size;
  if (!isUsual) return undefined;
  header(reader, BTF_HEADER_SIZE);
  for (let id = 1; reader.at < typesEnd; id += 1) {
    if (reader.at + 12 > typesEnd) return undefined;
    const info = reader.u32At(reader.at + 4);
    const kind = kindNames.get((info >>> 24) & 31);
    if (kind === undefined) return undefined;
    const { fixed = 0, each = 0 } = trailing[kind] ?? {};
    const words = 2 + fixed + each * (info & 0xffff);
    if (reader.at + 4 * (words + 1) > typesEnd) return undefined;
    reader.u32(`BTF_KIND_${kind}(id = ${id})`);
    for (let i = 0; i < words; i += 1) reader.u32();
  }
  reader.stringOffset = (at) => at - stringsStart;
  reader.strings(stringsEnd);
  return reader.lines;
}

const extTables = ["FuncInfo", "LineInfo", "FieldReloc"] as const;

/** Lines for `.BTF.ext`; undefined where its contents are not shaped like that. */
export function printBtfExtSection(section: AsmSection, endian: Endian): string[] | undefined {
  if (!canShow(section)) return undefined;
  const reader = new DataReader(section, endian);
  if (!hasHeader(reader, BTF_EXT_HEADER_SIZE)) return undefined;
  const ends = [8, 16, 24].map(
    (at) => BTF_EXT_HEADER_SIZE + reader.u32At(at) + reader.u32At(at + 4),
  );
  header(reader, BTF_EXT_HEADER_SIZE);
  for (const [i, table] of extTables.entries()) {
    if (!printExtTable(reader, table, ends[i] as number)) return undefined;
  }
  return reader.at === reader.size ? reader.lines : undefined;
}

function printExtTable(reader: DataReader, table: string, end: number): boolean {
  if (end > reader.size || reader.at > end || (end - reader.at) % 4 !== 0) return false;
  if (reader.at === end) return true;
  const recordSize = reader.u32(table);
  while (reader.at < end) {
    if (reader.at + 8 > end || recordSize < 8 || recordSize % 4 !== 0) return false;
    const name = reader.u32At(reader.at);
    reader.u32(`${table} section string offset=${name}`);
    const count = reader.u32();
    if (reader.at + count * recordSize > end) return false;
    for (let i = 0; i < count; i += 1) {
      const start = reader.at;
      while (reader.at < start + recordSize) {
        const isPosition = table === "LineInfo" && reader.at === start + 12;
        const value = reader.u32At(reader.at);
        reader.u32(isPosition ? `Line ${value >>> 10} Col ${value & 1023}` : "");
      }
    }
  }
  return true;
}
