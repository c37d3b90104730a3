/**
 * .BTF bytes → Btf. Accepts any bytes: what is broken ends in a diagnostic. A Btf that comes out
 * has valid type ids and no endless or absurdly deep chains, so its users may recurse freely.
 */
import type { Diagnostics } from "../diagnostics/diagnostic.ts";
import type { Btf, BtfEnumerator, BtfMember, BtfParam, BtfSectionEntry, BtfType } from "./btf.ts";
import { findBtfStructureError } from "./btf-check.ts";
import {
  BTF_HEADER_SIZE,
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_MAGIC,
  BTF_VERSION,
  btfKindNumbers,
  btfLinkageNames,
} from "./btf-constants.ts";
import { ByteReader, stringAt } from "./byte-reader.ts";
import type { Endian } from "./object-file.ts";

/** The string table that .BTF and .BTF.ext share, by byte offset. */
export interface BtfStrings {
  /** Undefined where the offset lies outside or the string does not end. */
  at(offset: number): string | undefined;
  /** Bytes; split BTF counts its own strings from there. */
  readonly size: number;
}

export interface BtfReadResult {
  readonly btf: Btf;
  readonly strings: BtfStrings;
}

/**
 * Reads a .BTF section; split BTF continues the types and strings of `base`. Undefined after an
 * error has been reported.
 */
export function readBtf(
  bytes: Uint8Array,
  diagnostics: Diagnostics,
  path = ".BTF",
  base?: BtfReadResult,
): Btf | undefined {
  return readBtfWithStrings(bytes, diagnostics, path, base)?.btf;
}

/** As {@link readBtf}, with the string table that .BTF.ext and split BTF need. */
export function readBtfWithStrings(
  bytes: Uint8Array,
  diagnostics: Diagnostics,
  path = ".BTF",
  base?: BtfReadResult,
): BtfReadResult | undefined {
  const fail = (message: string): undefined => {
    diagnostics.error("bad-btf", `${path}: ${message}`);
    return undefined;
  };
  const sections = parseHeader(bytes, base !== undefined);
  if (typeof sections === "string") return fail(sections);
  if (base !== undefined && base.btf.endian !== sections.endian)
    return fail("its base has the other byte order");
  const strings = tableStrings(sections.strings, base?.strings);
  const parser = new TypeParser(sections.types, sections.endian, strings);
  const known = base?.btf.types ?? [];
  const own = parser.parse(known.length);
  if (typeof own === "string") return fail(own);
  const types = base === undefined ? own : [...known, ...own];
  const btf: Btf = {
    endian: sections.endian,
    types,
    ...(base !== undefined && { baseCount: known.length }),
  };
  const problem = findBtfStructureError(btf);
  if (problem !== undefined) return fail(problem);
  return { btf, strings };
}

interface BtfSections {
  readonly endian: Endian;
  readonly types: Uint8Array;
  readonly strings: Uint8Array;
}

/** The byte order that a BTF magic number tells; undefined where there is none. */
export function btfEndian(bytes: Uint8Array): Endian | undefined {
  const [first, second] = bytes;
  if (first === 0x9f && second === 0xeb) return "little";
  if (first === 0xeb && second === 0x9f) return "big";
  return undefined;
}

function parseHeader(bytes: Uint8Array, isSplit: boolean): BtfSections | string {
  const endian = btfEndian(bytes);
  if (endian === undefined) return `no BTF magic number 0x${BTF_MAGIC.toString(16)}`;
  const reader = new ByteReader(bytes, endian, 2);
  const version = reader.u8();
  reader.skip(1);
  const headerSize = reader.u32();
  const typeOffset = reader.u32();
  const typeSize = reader.u32();
  const stringOffset = reader.u32();
  const stringSize = reader.u32();
  if (reader.failed || headerSize < BTF_HEADER_SIZE) return "the BTF header is cut short";
  if (version !== BTF_VERSION) return `unknown BTF version ${version}`;
  const typeEnd = headerSize + typeOffset + typeSize;
  const stringEnd = headerSize + stringOffset + stringSize;
  if (typeEnd > bytes.length || stringEnd > bytes.length) {
    return "the BTF types or strings lie outside the section";
  }
  const types = bytes.subarray(headerSize + typeOffset, typeEnd);
  const strings = bytes.subarray(headerSize + stringOffset, stringEnd);
  if (!isSplit && (strings.length === 0 || strings[0] !== 0 || strings.at(-1) !== 0)) {
    return "the BTF strings do not start and end with NUL (split BTF needs its base)";
  }
  return { endian, types, strings };
}

function tableStrings(table: Uint8Array, base: BtfStrings | undefined): BtfStrings {
  const known = new Map<number, string | undefined>();
  const start = base?.size ?? 0;
  return {
    size: start + table.length,
    at: (offset) => {
      if (base !== undefined && offset < start) return base.at(offset);
      let text = known.get(offset);
      if (text === undefined) {
        text = stringAt(table, offset - start);
        known.set(offset, text);
      }
      return text;
    },
  };
}

type KindParser = (parser: TypeParser, record: TypeRecord) => BtfType | string;

interface TypeRecord {
  readonly name: string;
  readonly count: number;
  readonly kindFlag: boolean;
  /** Size or type id. */
  readonly word: number;
}

class TypeParser {
  readonly reader: ByteReader;
  readonly #strings: BtfStrings;
  stringFailed = false;

  constructor(bytes: Uint8Array, endian: Endian, strings: BtfStrings) {
    this.reader = new ByteReader(bytes, endian);
    this.#strings = strings;
  }

  name(): string {
    const text = this.#strings.at(this.reader.u32());
    if (text === undefined) this.stringFailed = true;
    return text ?? "";
  }

  /** `baseCount`: how many types come before, of the base. */
  parse(baseCount: number): BtfType[] | string {
    const types: BtfType[] = [];
    while (this.reader.remaining > 0) {
      const id = baseCount + types.length + 1;
      const name = this.name();
      const info = this.reader.u32();
      const word = this.reader.u32();
      const number = (info >>> 24) & 31;
      const parse = kindParsers[number];
      if (parse === undefined) return `type ${id} has the unknown kind ${number}`;
      const count = info & 0xffff;
      // The smallest element has 4 bytes; checked first so that no huge list is built.
      if (count * 4 > this.reader.remaining && countedKinds.has(number)) {
        return `type ${id} is cut short`;
      }
      const type = parse(this, { name, count, kindFlag: info >>> 31 === 1, word });
      if (typeof type === "string") return `type ${id}: ${type}`;
      if (this.reader.failed) return `type ${id} is cut short`;
      if (this.stringFailed) return `type ${id} names a string outside the string table`;
      types.push(type);
    }
    return types;
  }

  list<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let index = 0; index < count && !this.reader.failed; index++) items.push(read());
    return items;
  }
}

const countedKinds = new Set<number>([
  btfKindNumbers.struct,
  btfKindNumbers.union,
  btfKindNumbers.enum,
  btfKindNumbers.enum64,
  btfKindNumbers.func_proto,
  btfKindNumbers.datasec,
]);

const parseInt32: KindParser = (parser, { name, word }) => {
  const data = parser.reader.u32();
  const encoding = (data >>> 24) & 15;
  return {
    kind: "int",
    name,
    size: word,
    bits: data & 0xff,
    bitOffset: (data >>> 16) & 0xff,
    signed: (encoding & BTF_INT_SIGNED) !== 0,
    char: (encoding & BTF_INT_CHAR) !== 0,
    bool: (encoding & BTF_INT_BOOL) !== 0,
  };
};

const parseArray: KindParser = ({ reader }) => ({
  kind: "array",
  element: reader.u32(),
  index: reader.u32(),
  count: reader.u32(),
});

const parseComposite =
  (kind: "struct" | "union"): KindParser =>
  (parser, { name, count, kindFlag, word }) => ({
    kind,
    name,
    size: word,
    members: parser.list(count, (): BtfMember => {
      const memberName = parser.name();
      const type = parser.reader.u32();
      const offset = parser.reader.u32();
      return {
        name: memberName,
        type,
        bitOffset: kindFlag ? offset & 0xff_ffff : offset,
        bitSize: kindFlag ? offset >>> 24 : 0,
      };
    }),
    kindFlag,
  });

const parseEnum: KindParser = (parser, { name, count, kindFlag, word }) => ({
  kind: "enum",
  name,
  size: word,
  signed: kindFlag,
  values: parser.list(count, (): BtfEnumerator => {
    const valueName = parser.name();
    const value = parser.reader.u32();
    return { name: valueName, value: BigInt(kindFlag ? value | 0 : value) };
  }),
});

const parseEnum64: KindParser = (parser, { name, count, kindFlag, word }) => ({
  kind: "enum64",
  name,
  size: word,
  signed: kindFlag,
  values: parser.list(count, (): BtfEnumerator => {
    const valueName = parser.name();
    const low = parser.reader.u32();
    const value = (BigInt(parser.reader.u32()) << 32n) | BigInt(low);
    return { name: valueName, value: kindFlag ? BigInt.asIntN(64, value) : value };
  }),
});

const parseModifier =
  (kind: "ptr" | "volatile" | "const" | "restrict"): KindParser =>
  (_, { word }) => ({ kind, type: word });

const parseFunc: KindParser = (_, { name, count, word }) => {
  const linkage = btfLinkageNames[count];
  if (linkage === undefined) return `function '${name}' has the unknown linkage ${count}`;
  return { kind: "func", name, type: word, linkage };
};

const parseVar: KindParser = (parser, { name, word }) => {
  const number = parser.reader.u32();
  const linkage = btfLinkageNames[number];
  if (linkage === undefined) return `variable '${name}' has the unknown linkage ${number}`;
  return { kind: "var", name, type: word, linkage };
};

const parseDeclTag: KindParser = (parser, { name, kindFlag, word }) => ({
  kind: "decl_tag",
  name,
  type: word,
  componentIndex: parser.reader.i32(),
  ...(kindFlag && { kindFlag }),
});

/** By kind number. */
const kindParsers: readonly (KindParser | undefined)[] = [
  undefined,
  parseInt32,
  parseModifier("ptr"),
  parseArray,
  parseComposite("struct"),
  parseComposite("union"),
  parseEnum,
  (_, { name, kindFlag }) => ({ kind: "fwd", name, union: kindFlag }),
  (_, { name, word }) => ({ kind: "typedef", name, type: word }),
  parseModifier("volatile"),
  parseModifier("const"),
  parseModifier("restrict"),
  parseFunc,
  (parser, { count, word }) => ({
    kind: "func_proto",
    returns: word,
    params: parser.list(
      count,
      (): BtfParam => ({ name: parser.name(), type: parser.reader.u32() }),
    ),
  }),
  parseVar,
  (parser, { name, count, word }) => ({
    kind: "datasec",
    name,
    size: word,
    entries: parser.list(
      count,
      (): BtfSectionEntry => ({
        type: parser.reader.u32(),
        offset: parser.reader.u32(),
        size: parser.reader.u32(),
      }),
    ),
  }),
  (_, { name, word }) => ({ kind: "float", name, size: word }),
  parseDeclTag,
  (_, { name, kindFlag, word }) => ({
    kind: "type_tag",
    name,
    type: word,
    ...(kindFlag && { kindFlag }),
  }),
  parseEnum64,
];
