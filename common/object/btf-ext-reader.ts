/** .BTF.ext bytes → BtfExt, with the string table of the .BTF section beside it. */
import type { Diagnostics } from "../diagnostics/diagnostic.ts";
import {
  type BtfExt,
  type BtfExtSection,
  type CoreRelocation,
  coreRelocationKinds,
  type FuncInfo,
  type LineInfo,
} from "./btf.ts";
import {
  BTF_VERSION,
  CORE_RELOCATION_SIZE,
  FUNC_INFO_SIZE,
  LINE_INFO_SIZE,
} from "./btf-constants.ts";
import { type BtfStrings, btfEndian } from "./btf-reader.ts";
import { ByteReader } from "./byte-reader.ts";

/** Reads a .BTF.ext section. Undefined after an error has been reported. */
export function readBtfExt(
  bytes: Uint8Array,
  strings: BtfStrings,
  diagnostics: Diagnostics,
  path = ".BTF.ext",
): BtfExt | undefined {
  const result = parseExt(bytes, strings);
  if (typeof result === "string") {
    diagnostics.error("bad-btf", `${path}: ${result}`);
    return undefined;
  }
  return result;
}

interface Cursor {
  readonly reader: ByteReader;
  /** Reads a string offset. */
  text(): string;
  /** Set when a string or enumeration value was out of range. */
  problem: string | undefined;
}

function parseExt(bytes: Uint8Array, strings: BtfStrings): BtfExt | string {
  const endian = btfEndian(bytes);
  if (endian === undefined) return "no BTF magic number";
  const header = new ByteReader(bytes, endian, 2);
  if (header.u8() !== BTF_VERSION) return "unknown BTF.ext version";
  header.skip(1);
  const headerSize = header.u32();
  const table = (): Uint8Array | undefined => {
    // Objects from before CO-RE have a header of 24 bytes.
    if (header.position + 8 > headerSize) return new Uint8Array(0);
    const start = headerSize + header.u32();
    const end = start + header.u32();
    return header.failed || end > bytes.length ? undefined : bytes.subarray(start, end);
  };
  const tables = [table(), table(), table()];
  if (header.failed) return "the BTF.ext header is cut short";
  const cursors = tables.map((content): Cursor | undefined => {
    if (content === undefined) return undefined;
    const cursor: Cursor = {
      reader: new ByteReader(content, endian),
      problem: undefined,
      text: () => {
        const text = strings.at(cursor.reader.u32());
        if (text === undefined) cursor.problem = "it names a string outside the string table";
        return text ?? "";
      },
    };
    return cursor;
  });
  const [funcs, lines, cores] = cursors;
  if (!funcs || !lines || !cores) return "a BTF.ext table lies outside the section";
  const funcInfo = parseTable(funcs, FUNC_INFO_SIZE, readFuncInfo);
  if (typeof funcInfo === "string") return `func_info: ${funcInfo}`;
  const lineInfo = parseTable(lines, LINE_INFO_SIZE, readLineInfo);
  if (typeof lineInfo === "string") return `line_info: ${lineInfo}`;
  const coreRelocations = parseTable(cores, CORE_RELOCATION_SIZE, readCoreRelocation);
  if (typeof coreRelocations === "string") return `core_relo: ${coreRelocations}`;
  return { endian, funcInfo, lineInfo, coreRelocations };
}

function parseTable<T>(
  cursor: Cursor,
  minimumSize: number,
  read: (cursor: Cursor) => T,
): BtfExtSection<T>[] | string {
  const { reader } = cursor;
  const sections: BtfExtSection<T>[] = [];
  if (reader.remaining === 0) return sections;
  const recordSize = reader.u32();
  if (reader.failed || recordSize < minimumSize) return `bad record size ${recordSize}`;
  while (reader.remaining > 0) {
    const section = cursor.text();
    const count = reader.u32();
    if (reader.failed || count * recordSize > reader.remaining) return "it is cut short";
    const records: T[] = [];
    for (let index = 0; index < count; index++) {
      const end = reader.position + recordSize;
      records.push(read(cursor));
      reader.position = end;
    }
    if (cursor.problem !== undefined) return cursor.problem;
    sections.push({ section, records });
  }
  return sections;
}

function readFuncInfo({ reader }: Cursor): FuncInfo {
  return { insnOffset: reader.u32(), type: reader.u32() };
}

function readLineInfo(cursor: Cursor): LineInfo {
  const insnOffset = cursor.reader.u32();
  const file = cursor.text();
  const text = cursor.text();
  const position = cursor.reader.u32();
  return { insnOffset, file, text, line: position >>> 10, column: position & 0x3ff };
}

function readCoreRelocation(cursor: Cursor): CoreRelocation {
  const { reader } = cursor;
  const insnOffset = reader.u32();
  const type = reader.u32();
  const access = cursor.text();
  const number = reader.u32();
  const kind = coreRelocationKinds[number];
  if (kind === undefined) cursor.problem = `unknown relocation kind ${number}`;
  return { insnOffset, type, access, kind: kind ?? "field_byte_offset" };
}
