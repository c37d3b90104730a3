/**
 * ELF64 bytes → ObjectFile. Symbol tables, string tables and relocation sections dissolve into the
 * sections and symbols that they describe; everything else is kept. Accepts any bytes: what is
 * not a BPF object ends in a diagnostic.
 */
import type { Diagnostics } from "../diagnostics/diagnostic.ts";
import { ByteReader, stringAt } from "./byte-reader.ts";
import {
  ELF_HEADER_SIZE,
  EM_BPF,
  EM_NONE,
  ET_REL,
  namesByNumber,
  REL_SIZE,
  RELA_SIZE,
  SECTION_HEADER_SIZE,
  SHF_GROUP,
  SHN_ABS,
  SHN_COMMON,
  SHN_LORESERVE,
  SHN_UNDEF,
  SHT_GROUP,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_NULL,
  SHT_PROGBITS,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
  SYMBOL_SIZE,
  symbolBindings,
  symbolTypes,
  symbolVisibilities,
} from "./elf-constants.ts";
import {
  type Endian,
  type ObjectFile,
  type ObjectRelocation,
  type ObjectSection,
  type ObjectSymbol,
  relocationTypes,
  type SectionKind,
} from "./object-file.ts";

const bindingNames = namesByNumber(symbolBindings);
const typeNames = namesByNumber(symbolTypes);
const visibilityNames = namesByNumber(symbolVisibilities);
const relocationNames = namesByNumber(relocationTypes);

interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** Bytes of .bss and the like in one file: they take no room in it, but do once it is loaded. */
const mostZeros = 1 << 28;
const greatestAlign = 1 << 20;

/** Sections of other types that ELF needs for itself; an ObjectFile has no place for them. */
const dissolved = new Set([
  SHT_NULL,
  SHT_SYMTAB,
  SHT_STRTAB,
  SHT_REL,
  SHT_RELA,
  SHT_GROUP,
  SHT_SYMTAB_SHNDX,
]);

/** Reports the first thing that is wrong and gives up: what follows in a broken file means nothing. */
class ElfProblem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Reads a relocatable BPF object. Undefined after an error has been reported. */
export function readElf(
  bytes: Uint8Array,
  path: string,
  diagnostics: Diagnostics,
): ObjectFile | undefined {
  // A Buffer of Node is a Uint8Array whose slice() does not copy; the object must own its bytes.
  const result = parseElf(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  if (result instanceof ElfProblem) {
    diagnostics.error("bad-elf", `${path}: ${result.message}`);
    return undefined;
  }
  return result;
}

/** Whether the bytes start like an ELF file. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

function parseElf(bytes: Uint8Array): ObjectFile | ElfProblem {
  const start = parseElfHeader(bytes);
  if (start instanceof ElfProblem) return start;
  const headers = parseSectionHeaders(bytes, start);
  if (headers instanceof ElfProblem) return headers;

  const sectionIndex = new Map<number, number>();
  headers.forEach((header, index) => {
    if (!dissolved.has(header.type)) sectionIndex.set(index, sectionIndex.size);
  });
  const tables = headers.filter((header) => header.type === SHT_SYMTAB);
  if (tables.length > 1) return new ElfProblem("more than one symbol table");
  const symbols = parseSymbols(bytes, start.endian, headers, tables[0], sectionIndex);
  if (symbols instanceof ElfProblem) return symbols;

  const relocations = parseRelocations(bytes, start.endian, headers, symbols.length);
  if (relocations instanceof ElfProblem) return relocations;

  const sections: ObjectSection[] = [];
  headers.forEach((header, index) => {
    if (dissolved.has(header.type)) return;
    sections.push({
      name: header.name,
      kind: sectionKind(header.type),
      elfType: header.type,
      flags: header.flags & ~SHF_GROUP,
      align: header.align,
      entrySize: header.entrySize,
      data:
        header.type === SHT_NOBITS
          ? new Uint8Array(0)
          : bytes.slice(header.offset, header.offset + header.size),
      size: header.size,
      relocations: relocations.get(index) ?? [],
    });
  });
  return { endian: start.endian, sections, symbols };
}

interface ElfStart {
  readonly endian: Endian;
  readonly sectionTable: number;
  readonly sectionCount: number;
  readonly nameTable: number;
}

function parseElfHeader(bytes: Uint8Array): ElfStart | ElfProblem {
  if (!isElf(bytes)) return new ElfProblem("not an ELF file");
  if (bytes.length < ELF_HEADER_SIZE) return new ElfProblem("the ELF header is cut short");
  if (bytes[4] !== 2) return new ElfProblem("not a 64-bit ELF file");
  if (bytes[5] !== 1 && bytes[5] !== 2) return new ElfProblem("unknown byte order");
  const endian: Endian = bytes[5] === 1 ? "little" : "big";
  const reader = new ByteReader(bytes, endian, 16);
  const type = reader.u16();
  const machine = reader.u16();
  reader.skip(4 + 8 + 8);
  const sectionTable = reader.size64();
  reader.skip(4 + 2 + 2 + 2);
  const entrySize = reader.u16();
  const sectionCount = reader.u16();
  const nameTable = reader.u16();
  if (machine !== EM_BPF && machine !== EM_NONE) {
    return new ElfProblem(`not a BPF object (its machine number is ${machine}, BPF is ${EM_BPF})`);
  }
  if (type !== ET_REL) return new ElfProblem("not a relocatable object file");
  if (reader.failed) return new ElfProblem("the section table lies outside the file");
  if (sectionTable === 0 || sectionCount === 0) return new ElfProblem("it has no section table");
  if (entrySize !== SECTION_HEADER_SIZE) return new ElfProblem("bad section header size");
  if (sectionTable + sectionCount * SECTION_HEADER_SIZE > bytes.length) {
    return new ElfProblem("the section table lies outside the file; is the file cut short?");
  }
  return { endian, sectionTable, sectionCount, nameTable };
}

function parseSectionHeaders(bytes: Uint8Array, start: ElfStart): SectionHeader[] | ElfProblem {
  const reader = new ByteReader(bytes, start.endian, start.sectionTable);
  let zeros = 0;
  const raw: (Omit<SectionHeader, "name"> & { nameOffset: number })[] = [];
  for (let index = 0; index < start.sectionCount; index++) {
    const nameOffset = reader.u32();
    const type = reader.u32();
    const flags = Number(BigInt.asUintN(53, reader.u64()));
    reader.skip(8);
    const offset = reader.size64();
    const size = reader.size64();
    const link = reader.u32();
    const info = reader.u32();
    const align = reader.size64();
    const entrySize = reader.size64();
    if (reader.failed) return new ElfProblem(`section ${index} has an impossible size or offset`);
    if (type !== SHT_NOBITS && type !== SHT_NULL && offset + size > bytes.length) {
      return new ElfProblem(`section ${index} lies outside the file; is the file cut short?`);
    }
    if (type === SHT_NOBITS) zeros += size;
    if (zeros > mostZeros) return new ElfProblem(`section ${index} is too large`);
    if (align > greatestAlign || (align & (align - 1)) !== 0) {
      return new ElfProblem(`section ${index} has an impossible alignment`);
    }
    raw.push({ nameOffset, type, flags, offset, size, link, info, align, entrySize });
  }
  const names = raw[start.nameTable];
  if (names === undefined || names.type !== SHT_STRTAB) {
    return new ElfProblem("it has no section name table");
  }
  const table = bytes.subarray(names.offset, names.offset + names.size);
  const headers: SectionHeader[] = [];
  for (const { nameOffset, ...header } of raw) {
    const name = header.type === SHT_NULL ? "" : stringAt(table, nameOffset);
    if (name === undefined) return new ElfProblem("a section name lies outside the name table");
    headers.push({ name, ...header });
  }
  return headers;
}

function sectionKind(type: number): SectionKind {
  if (type === SHT_PROGBITS) return "progbits";
  if (type === SHT_NOBITS) return "nobits";
  return type === SHT_NOTE ? "note" : "other";
}

function parseSymbols(
  bytes: Uint8Array,
  endian: Endian,
  headers: readonly SectionHeader[],
  header: SectionHeader | undefined,
  sectionIndex: ReadonlyMap<number, number>,
): ObjectSymbol[] | ElfProblem {
  if (header === undefined) return [];
  const strings = headers[header.link];
  if (strings === undefined || strings.type !== SHT_STRTAB) {
    return new ElfProblem("the symbol table has no string table");
  }
  if (header.size % SYMBOL_SIZE !== 0) return new ElfProblem("the symbol table's size is odd");
  const table = bytes.subarray(strings.offset, strings.offset + strings.size);
  const reader = new ByteReader(bytes, endian, header.offset + SYMBOL_SIZE);
  const symbols: ObjectSymbol[] = [];
  for (let index = 1; index < header.size / SYMBOL_SIZE; index++) {
    const name = stringAt(table, reader.u32());
    const info = reader.u8();
    const other = reader.u8();
    const shndx = reader.u16();
    const value = reader.size64();
    const size = reader.size64();
    const binding = bindingNames.get(info >> 4);
    if (name === undefined) return new ElfProblem(`the name of symbol ${index} is broken`);
    if (reader.failed) return new ElfProblem(`symbol ${index} has an impossible value or size`);
    if (binding === undefined) return new ElfProblem(`symbol '${name}' has an unknown binding`);
    const section = symbolSection(shndx, headers, sectionIndex);
    if (section === undefined) {
      return new ElfProblem(`symbol '${name}' lies in section ${shndx}, which does not exist`);
    }
    const type = typeNames.get(info & 15) ?? "notype";
    const visibility = visibilityNames.get(other & 3) ?? "default";
    symbols.push({ name, section, value, size, binding, type, visibility });
  }
  return symbols;
}

function symbolSection(
  shndx: number,
  headers: readonly SectionHeader[],
  sectionIndex: ReadonlyMap<number, number>,
): ObjectSymbol["section"] | undefined {
  if (shndx === SHN_UNDEF) return "undefined";
  if (shndx === SHN_ABS) return "absolute";
  if (shndx === SHN_COMMON) return "common";
  if (shndx >= SHN_LORESERVE || shndx >= headers.length) return undefined;
  // A symbol of a dissolved section (.strtab, say) can only serve ELF tools.
  return sectionIndex.get(shndx) ?? "absolute";
}

/** Relocations by ELF index of the section that they change. */
function parseRelocations(
  bytes: Uint8Array,
  endian: Endian,
  headers: readonly SectionHeader[],
  symbolCount: number,
): Map<number, ObjectRelocation[]> | ElfProblem {
  const result = new Map<number, ObjectRelocation[]>();
  for (const header of headers) {
    if (header.type !== SHT_REL && header.type !== SHT_RELA) continue;
    const target = headers[header.info];
    if (target === undefined || dissolved.has(target.type)) {
      return new ElfProblem(`${header.name} belongs to section ${header.info}, which has no data`);
    }
    const hasAddend = header.type === SHT_RELA;
    const recordSize = hasAddend ? RELA_SIZE : REL_SIZE;
    if (header.size % recordSize !== 0) return new ElfProblem(`the size of ${header.name} is odd`);
    const list = result.get(header.info) ?? [];
    result.set(header.info, list);
    const reader = new ByteReader(bytes, endian, header.offset);
    for (let count = header.size / recordSize; count > 0; count--) {
      const offset = reader.size64();
      const info = reader.u64();
      const addend = hasAddend ? Number(BigInt.asIntN(64, reader.u64())) : undefined;
      const number = Number(info & 0xffff_ffffn);
      const type = relocationNames.get(number);
      const symbol = Number(info >> 32n) - 1;
      if (type === undefined) {
        return new ElfProblem(`${header.name} has a relocation of unknown type ${number}`);
      }
      if (type === "R_BPF_NONE") continue;
      const width = type === "R_BPF_64_ABS32" || type === "R_BPF_64_NODYLD32" ? 4 : 8;
      if (reader.failed || offset + width > target.size) {
        return new ElfProblem(`${header.name} has a relocation outside ${target.name}`);
      }
      if (symbol < 0 || symbol >= symbolCount) {
        return new ElfProblem(`${header.name} names symbol ${symbol + 1}, which does not exist`);
      }
      list.push({ offset, type, symbol, ...(addend !== undefined && { addend }) });
    }
  }
  return result;
}
