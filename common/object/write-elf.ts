/**
 * ObjectFile → ELF64 bytes. Layout: header, sections in order, their relocation sections, .symtab,
 * .strtab, section table. Section i of the object is ELF section i + 1. The bytes depend on the
 * object only.
 */
import { ByteWriter } from "./byte-writer.ts";
import {
  ELF_HEADER_SIZE,
  EM_BPF,
  ET_REL,
  REL_SIZE,
  RELA_SIZE,
  SECTION_HEADER_SIZE,
  SHF_INFO_LINK,
  SHN_ABS,
  SHN_COMMON,
  SHN_UNDEF,
  SHT_LLVM_ADDRSIG,
  SHT_NOBITS,
  SHT_NULL,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
  SHT_SYMTAB,
  SYMBOL_SIZE,
  symbolBindings,
  symbolTypes,
  symbolVisibilities,
} from "./elf-constants.ts";
import {
  type Endian,
  type ObjectFile,
  type ObjectRelocation,
  type ObjectSymbol,
  relocationTypes,
} from "./object-file.ts";

interface OutputSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly data: Uint8Array;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entrySize: number;
}

/** Writes a relocatable BPF object. Symbols are put locals first, as ELF demands. */
export function writeElf(object: ObjectFile): Uint8Array {
  const order = symbolOrder(object.symbols);
  const related = object.sections.filter((section) => section.relocations.length > 0);
  const symtabIndex = 1 + object.sections.length + related.length;
  const relocationSections = related.map((section): OutputSection => {
    const withAddend = section.relocations.some((relocation) => relocation.addend !== undefined);
    const data = relocationData(section.relocations, withAddend, order.indexOf, object.endian);
    return {
      name: (withAddend ? ".rela" : ".rel") + section.name,
      type: withAddend ? SHT_RELA : SHT_REL,
      flags: SHF_INFO_LINK,
      data,
      size: data.length,
      link: symtabIndex,
      info: object.sections.indexOf(section) + 1,
      align: 8,
      entrySize: withAddend ? RELA_SIZE : REL_SIZE,
    };
  });
  const plain = object.sections.map(
    (section): OutputSection => ({
      name: section.name,
      type: section.elfType,
      flags: section.flags,
      data: section.data,
      size: section.size,
      link: section.elfType === SHT_LLVM_ADDRSIG ? symtabIndex : 0,
      info: 0,
      align: section.align,
      entrySize: section.entrySize,
    }),
  );
  const names = [...plain, ...relocationSections].map((section) => section.name);
  const strings = elfStringTable([
    ...names,
    ".symtab",
    ".strtab",
    ...object.symbols.map((symbol) => symbol.name),
  ]);
  const symbols = symbolData(order.symbols, strings.offsets, object.endian);
  const output: OutputSection[] = [
    ...plain,
    ...relocationSections,
    {
      ...tableSection(".symtab", SHT_SYMTAB, symbols),
      link: symtabIndex + 1,
      info: order.localCount + 1,
      align: 8,
      entrySize: SYMBOL_SIZE,
    },
    tableSection(".strtab", SHT_STRTAB, strings.bytes),
  ];
  return layOut(output, strings.offsets, object.endian);
}

function tableSection(name: string, type: number, data: Uint8Array): OutputSection {
  return {
    name,
    type,
    flags: 0,
    data,
    size: data.length,
    link: 0,
    info: 0,
    align: 1,
    entrySize: 0,
  };
}

/** Bytes of the whole file. */
function fileSize(sections: readonly OutputSection[]): number {
  let size = ELF_HEADER_SIZE;
  for (const { align, type, data } of sections) {
    size = aligned(size, Math.min(align, 4096)) + (type === SHT_NOBITS ? 0 : data.length);
  }
  return aligned(size, 8) + SECTION_HEADER_SIZE * (sections.length + 1);
}

const aligned = (size: number, align: number): number =>
  align > 1 ? Math.ceil(size / align) * align : size;

function layOut(
  sections: readonly OutputSection[],
  names: ReadonlyMap<string, number>,
  endian: Endian,
): Uint8Array {
  const body = new ByteWriter(endian, fileSize(sections));
  body.raw(new Uint8Array(ELF_HEADER_SIZE));
  const offsets = sections.map((section) => {
    body.align(Math.min(section.align, 4096));
    const offset = body.length;
    if (section.type !== SHT_NOBITS) body.raw(section.data);
    return offset;
  });
  body.align(8);
  const table = body.length;
  body.raw(new Uint8Array(SECTION_HEADER_SIZE));
  sections.forEach((section, index) => {
    body.u32(names.get(section.name) ?? 0);
    body.u32(section.type);
    body.u64(section.flags);
    body.u64(0);
    body.u64(section.type === SHT_NULL ? 0 : offsets[index]!);
    body.u64(section.size);
    body.u32(section.link);
    body.u32(section.info);
    body.u64(section.align);
    body.u64(section.entrySize);
  });
  const bytes = body.finish();
  bytes.set(elfHeader(table, sections.length + 1, endian));
  return bytes;
}

function elfHeader(sectionTable: number, sectionCount: number, endian: Endian): Uint8Array {
  const header = new ByteWriter(endian);
  const little = endian === "little";
  header.raw(
    Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, little ? 1 : 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
  );
  header.u16(ET_REL);
  header.u16(EM_BPF);
  header.u32(1);
  header.u64(0);
  header.u64(0);
  header.u64(sectionTable);
  header.u32(0);
  header.u16(ELF_HEADER_SIZE);
  header.u16(0);
  header.u16(0);
  header.u16(SECTION_HEADER_SIZE);
  header.u16(sectionCount);
  header.u16(sectionCount - 1);
  return header.finish();
}

interface SymbolOrder {
  readonly symbols: readonly ObjectSymbol[];
  /** New position of an old one. */
  readonly indexOf: readonly number[];
  readonly localCount: number;
}

function symbolOrder(symbols: readonly ObjectSymbol[]): SymbolOrder {
  const positions = symbols.map((_, index) => index);
  const locals = positions.filter((index) => symbols[index]!.binding === "local");
  const order = [...locals, ...positions.filter((index) => symbols[index]!.binding !== "local")];
  const indexOf: number[] = [];
  order.forEach((old, index) => {
    indexOf[old] = index;
  });
  return { symbols: order.map((index) => symbols[index]!), indexOf, localCount: locals.length };
}

const reservedSections = {
  undefined: SHN_UNDEF,
  absolute: SHN_ABS,
  common: SHN_COMMON,
} as const;

function symbolData(
  symbols: readonly ObjectSymbol[],
  names: ReadonlyMap<string, number>,
  endian: Endian,
): Uint8Array {
  const writer = new ByteWriter(endian);
  writer.raw(new Uint8Array(SYMBOL_SIZE));
  for (const symbol of symbols) {
    const { section } = symbol;
    writer.u32(names.get(symbol.name) ?? 0);
    writer.u8((symbolBindings[symbol.binding] << 4) | symbolTypes[symbol.type]);
    writer.u8(symbolVisibilities[symbol.visibility]);
    writer.u16(typeof section === "number" ? section + 1 : reservedSections[section]);
    writer.u64(symbol.value);
    writer.u64(symbol.size);
  }
  return writer.finish();
}

function relocationData(
  relocations: readonly ObjectRelocation[],
  withAddend: boolean,
  indexOf: readonly number[],
  endian: Endian,
): Uint8Array {
  const writer = new ByteWriter(endian);
  for (const relocation of relocations) {
    writer.u64(relocation.offset);
    const symbol = BigInt(indexOf[relocation.symbol]! + 1);
    writer.u64((symbol << 32n) | BigInt(relocationTypes[relocation.type]));
    if (withAddend) writer.u64(relocation.addend ?? 0);
  }
  return writer.finish();
}

/** A string table in which a string that ends another one shares its bytes. */
function elfStringTable(strings: readonly string[]): {
  bytes: Uint8Array;
  offsets: Map<string, number>;
} {
  const reversed = (text: string): string => [...text].reverse().join("");
  const sorted = [...new Set(strings)]
    .filter((text) => text !== "")
    .map((text) => ({ text, key: reversed(text) }))
    .sort((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0));
  const offsets = new Map<string, number>([["", 0]]);
  const encoder = new TextEncoder();
  const writer = new ByteWriter("little");
  writer.u8(0);
  let previous = { key: "", end: 0 };
  for (const { text, key } of sorted) {
    const bytes = encoder.encode(text);
    if (previous.key.startsWith(key)) {
      offsets.set(text, previous.end - bytes.length);
      continue;
    }
    offsets.set(text, writer.length);
    writer.raw(bytes);
    previous = { key, end: writer.length };
    writer.u8(0);
  }
  return { bytes: writer.finish(), offsets };
}
