/**
 * Btf and BtfExt → .BTF and .BTF.ext bytes. They are written together because they share one
 * string table. Strings stand in the order of their first use, each once.
 */
import {
  type Btf,
  type BtfExt,
  type BtfExtSection,
  type BtfType,
  coreRelocationKinds,
} from "./btf.ts";
import {
  BTF_EXT_HEADER_SIZE,
  BTF_HEADER_SIZE,
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_MAGIC,
  BTF_VERSION,
  btfKindNumbers,
  btfLinkageNumbers,
  CORE_RELOCATION_SIZE,
  FUNC_INFO_SIZE,
  LINE_INFO_SIZE,
} from "./btf-constants.ts";
import { ByteWriter } from "./byte-writer.ts";
import type { Endian } from "./object-file.ts";

export interface BtfBytes {
  readonly btf: Uint8Array;
  /** Present when a BtfExt with records was given: libbpf refuses an empty section. */
  readonly btfExt?: Uint8Array;
}

/** Gives each string its offset; offset 0 is the empty string. */
class StringTable {
  readonly #offsets = new Map<string, number>([["", 0]]);
  readonly #encoder = new TextEncoder();
  readonly #start: number;
  readonly writer = new ByteWriter("little");

  /** `start`: bytes of the base's strings, which split BTF continues. */
  constructor(start = 0) {
    this.#start = start;
    if (start === 0) this.writer.u8(0);
  }

  add(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.#start + this.writer.length;
    this.writer.raw(this.#encoder.encode(text));
    this.writer.u8(0);
    this.#offsets.set(text, offset);
    return offset;
  }
}

/** Writes both sections in the byte order of `btf`. */
export function writeBtf(btf: Btf, ext?: BtfExt): BtfBytes {
  return writeTypes(btf, btf.types, new StringTable(), ext);
}

/** Split BTF: the types after the base's, whose strings take `baseStringSize` bytes. */
export function writeSplitBtf(btf: Btf, baseStringSize: number): Uint8Array {
  const own = btf.types.slice(btf.baseCount ?? 0);
  return writeTypes(btf, own, new StringTable(baseStringSize)).btf;
}

function writeTypes(
  btf: Btf,
  list: readonly BtfType[],
  strings: StringTable,
  ext?: BtfExt,
): BtfBytes {
  const types = new ByteWriter(btf.endian);
  const add: AddString = (text) => strings.add(text);
  for (const type of list) encodeType(types, add, type);
  const btfExt = ext && hasRecords(ext) ? encodeBtfExt(ext, add) : undefined;

  const bytes = encodeBtf(btf.endian, [types.finish()], strings.writer.finish());
  return { btf: bytes, ...(btfExt && { btfExt }) };
}

/** Gives the offset of a string. */
export type AddString = (text: string) => number;

/** The section from its parts. */
export function encodeBtf(
  endian: Endian,
  types: readonly Uint8Array[],
  strings: Uint8Array,
): Uint8Array {
  const size = types.reduce((sum, part) => sum + part.length, 0);
  const head = new ByteWriter(endian);
  head.u16(BTF_MAGIC);
  head.u8(BTF_VERSION);
  head.u8(0);
  head.u32(BTF_HEADER_SIZE);
  head.u32(0);
  head.u32(size);
  head.u32(size);
  head.u32(strings.length);
  const bytes = new Uint8Array(BTF_HEADER_SIZE + size + strings.length);
  let at = 0;
  for (const part of [head.finish(), ...types, strings]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

interface TypeHead {
  readonly name: string;
  readonly count: number;
  readonly kindFlag: boolean;
  /** Size or type id. */
  readonly word: number;
}

/** Appends one type's record. */
export function encodeType(out: ByteWriter, add: AddString, type: BtfType): void {
  const { name, count, kindFlag, word } = typeHead(type);
  out.u32(add(name));
  out.u32(((kindFlag ? 0x8000_0000 : 0) | (btfKindNumbers[type.kind] << 24) | count) >>> 0);
  out.u32(word);
  writeBody(out, add, type, kindFlag);
}

function typeHead(type: BtfType): TypeHead {
  const plain = { name: "", count: 0, kindFlag: false, word: 0 };
  switch (type.kind) {
    case "int":
    case "float":
      return { ...plain, name: type.name, word: type.size };
    case "ptr":
    case "volatile":
    case "const":
    case "restrict":
      return { ...plain, word: type.type };
    case "typedef":
    case "var":
      return { ...plain, name: type.name, word: type.type };
    case "type_tag":
    case "decl_tag":
      return { ...plain, name: type.name, kindFlag: type.kindFlag ?? false, word: type.type };
    case "array":
      return plain;
    case "struct":
    case "union": {
      const kindFlag = type.kindFlag || type.members.some((member) => member.bitSize > 0);
      return { name: type.name, count: type.members.length, kindFlag, word: type.size };
    }
    case "enum":
    case "enum64":
      return {
        name: type.name,
        count: type.values.length,
        kindFlag: type.signed,
        word: type.size,
      };
    case "fwd":
      return { ...plain, name: type.name, kindFlag: type.union };
    case "func":
      return { ...plain, name: type.name, count: btfLinkageNumbers[type.linkage], word: type.type };
    case "func_proto":
      return { ...plain, count: type.params.length, word: type.returns };
    case "datasec":
      return { ...plain, name: type.name, count: type.entries.length, word: type.size };
  }
}

/** What follows the head; most kinds have nothing there. */
function writeBody(out: ByteWriter, add: AddString, type: BtfType, kindFlag: boolean): void {
  if (type.kind === "int") {
    const encoding =
      (type.signed ? BTF_INT_SIGNED : 0) |
      (type.char ? BTF_INT_CHAR : 0) |
      (type.bool ? BTF_INT_BOOL : 0);
    out.u32(((encoding << 24) | (type.bitOffset << 16) | type.bits) >>> 0);
  } else if (type.kind === "array") {
    out.u32(type.element);
    out.u32(type.index);
    out.u32(type.count);
  } else if (type.kind === "struct" || type.kind === "union") {
    for (const { name, type: id, bitOffset, bitSize } of type.members) {
      out.u32(add(name));
      out.u32(id);
      out.u32(kindFlag ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset);
    }
  } else if (type.kind === "enum" || type.kind === "enum64") {
    for (const { name, value } of type.values) {
      out.u32(add(name));
      out.u32(Number(BigInt.asUintN(32, value)));
      if (type.kind === "enum64") out.u32(Number(BigInt.asUintN(32, value >> 32n)));
    }
  } else if (type.kind === "func_proto") {
    for (const param of type.params) {
      out.u32(add(param.name));
      out.u32(param.type);
    }
  } else if (type.kind === "datasec") {
    for (const entry of type.entries) {
      out.u32(entry.type);
      out.u32(entry.offset);
      out.u32(entry.size);
    }
  } else if (type.kind === "var") {
    out.u32(btfLinkageNumbers[type.linkage]);
  } else if (type.kind === "decl_tag") {
    out.u32(type.componentIndex);
  }
}

/** Whether any table has records; without them the section is left out. */
export function hasRecords({ funcInfo, lineInfo, coreRelocations }: BtfExt): boolean {
  return [funcInfo, lineInfo, coreRelocations].some((table) =>
    table.some(({ records }) => records.length > 0),
  );
}

/** The .BTF.ext section. */
export function encodeBtfExt(ext: BtfExt, add: AddString): Uint8Array {
  const funcInfo = writeExtTable(ext, ext.funcInfo, FUNC_INFO_SIZE, add, (out, record) => {
    out.u32(record.insnOffset);
    out.u32(record.type);
  });
  const lineInfo = writeExtTable(ext, ext.lineInfo, LINE_INFO_SIZE, add, (out, record) => {
    out.u32(record.insnOffset);
    out.u32(add(record.file));
    out.u32(add(record.text));
    out.u32(((record.line << 10) | (record.column & 0x3ff)) >>> 0);
  });
  const core = writeExtTable(ext, ext.coreRelocations, CORE_RELOCATION_SIZE, add, (out, r) => {
    out.u32(r.insnOffset);
    out.u32(r.type);
    out.u32(add(r.access));
    out.u32(coreRelocationKinds.indexOf(r.kind));
  });
  const out = new ByteWriter(ext.endian);
  out.u16(BTF_MAGIC);
  out.u8(BTF_VERSION);
  out.u8(0);
  out.u32(BTF_EXT_HEADER_SIZE);
  let offset = 0;
  for (const table of [funcInfo, lineInfo, core]) {
    out.u32(offset);
    out.u32(table.length);
    offset += table.length;
  }
  for (const table of [funcInfo, lineInfo, core]) out.raw(table);
  return out.finish();
}

/** libbpf refuses a table without records, so that one is left out whole. */
function writeExtTable<T>(
  ext: BtfExt,
  sections: readonly BtfExtSection<T>[],
  recordSize: number,
  add: AddString,
  write: (out: ByteWriter, record: T) => void,
): Uint8Array {
  const out = new ByteWriter(ext.endian);
  for (const { section, records } of sections) {
    if (records.length === 0) continue;
    if (out.length === 0) out.u32(recordSize);
    out.u32(add(section));
    out.u32(records.length);
    for (const record of records) write(out, record);
  }
  return out.finish();
}
