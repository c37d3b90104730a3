/**
 * .BTF bytes → Btf. Accepts any bytes: what is broken ends in a diagnostic. A Btf that comes out
 * has valid type ids and no endless or absurdly deep chains, so its users may recurse freely.
 */
import type { Diagnostics } from "../diagnostics/diagnostic.ts";
import type {
  Btf,
  BtfEnumerator,
  BtfMember,
  BtfParam,
  BtfSectionEntry,
  BtfType,
  TypeId,
} from "./btf.ts";
import { findBtfStructureError, type TypeGraph } from "./btf-check.ts";
import {
  BTF_HEADER_SIZE,
  BTF_INT_BOOL,
  BTF_INT_CHAR,
  BTF_INT_SIGNED,
  BTF_MAGIC,
  BTF_VERSION,
  btfLinkageNames,
} from "./btf-constants.ts";
import { ByteReader, stringAt } from "./byte-reader.ts";
import type { Endian } from "./object-file.ts";
import { packBtf } from "./pack-btf.ts";
import { countOfInfo, kindOfInfo, type PackedBtf } from "./packed-btf.ts";

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
  readonly packed: PackedBtf;
  /** Of all types, a base's first. */
  readonly graph: TypeGraph;
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

/**
 * As {@link readBtf}, with the string table that .BTF.ext and split BTF need. All checks are made
 * here; the types are decoded when `btf` is asked for.
 */
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
  const { endian, types } = sections;
  if (base !== undefined && base.btf.endian !== endian)
    return fail("its base has the other byte order");
  const known = base?.graph.kinds.length ?? 0;
  const stringBase = base?.strings.size ?? 0;
  const packed = packBtf(types, sections.strings, stringBase, endian, known + 1);
  if (typeof packed === "string") return fail(packed);
  const strings = tableStrings(sections.strings, base?.strings);
  const graph = graphOf(packed, strings, base?.graph);
  const problem = findBtfStructureError(graph);
  if (problem !== undefined) return fail(problem);
  let btf: Btf | undefined;
  return {
    strings,
    packed,
    graph,
    get btf(): Btf {
      btf ??= decodeBtf(packed, strings, base?.btf);
      return btf;
    },
  };
}

function decodeBtf(packed: PackedBtf, strings: BtfStrings, base: Btf | undefined): Btf {
  const own = new TypeDecoder(packed, strings).all();
  const { endian } = packed;
  if (base === undefined) return { endian, types: own };
  return { endian, types: [...base.types, ...own], baseCount: base.types.length };
}

/** One type of a packed BTF; `index` is its id - 1. */
export function decodeType(packed: PackedBtf, strings: BtfStrings, index: number): BtfType {
  return new TypeDecoder(packed, strings).type(index);
}

function graphOf(packed: PackedBtf, strings: BtfStrings, base: TypeGraph | undefined): TypeGraph {
  const { edges: own, kinds } = packed;
  const known = base?.kinds.length ?? 0;
  const nameOf = (id: TypeId): string =>
    id <= known
      ? (base?.nameOf(id) ?? "")
      : (strings.at(packed.words[packed.starts[id - known - 1]!]!) ?? "");
  if (base === undefined) return { kinds, edges: own, nameOf };
  const shift = base.edges.targets.length;
  const shifted = own.starts.subarray(1).map((start) => start + shift);
  return {
    kinds: joinArrays(base.kinds, kinds),
    edges: {
      starts: joinArrays(base.edges.starts, shifted),
      targets: joinArrays(base.edges.targets, own.targets),
    },
    nameOf,
  };
}

function joinArrays<T extends Uint8Array | Int32Array>(a: T, b: T): T {
  const joined = new (a.constructor as new (length: number) => T)(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
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
  if (isSplit && strings.length > 0 && strings.at(-1) !== 0) {
    return "the BTF strings do not end with NUL";
  }
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

type KindDecoder = (decoder: TypeDecoder, record: TypeRecord) => BtfType;

interface TypeRecord {
  readonly name: string;
  readonly count: number;
  readonly kindFlag: boolean;
  /** Size or type id. */
  readonly word: number;
}

/** Types from words that have been checked. */
class TypeDecoder {
  readonly #packed: PackedBtf;
  readonly #strings: BtfStrings;
  #at = 0;

  constructor(packed: PackedBtf, strings: BtfStrings) {
    this.#packed = packed;
    this.#strings = strings;
  }

  u32(): number {
    const word = this.#packed.words[this.#at]!;
    this.#at += 1;
    return word;
  }

  name(): string {
    return this.#strings.at(this.u32()) ?? "";
  }

  type(index: number): BtfType {
    this.#at = this.#packed.starts[index]!;
    const name = this.name();
    const info = this.u32();
    const word = this.u32();
    const kindFlag = info >>> 31 === 1;
    const decode = kindDecoders[kindOfInfo(info)] as KindDecoder;
    return decode(this, { name, count: countOfInfo(info), kindFlag, word });
  }

  all(): BtfType[] {
    const count = this.#packed.starts.length - 1;
    return Array.from({ length: count }, (_, index) => this.type(index));
  }

  list<T>(count: number, read: () => T): T[] {
    const items: T[] = [];
    for (let index = 0; index < count; index++) items.push(read());
    return items;
  }
}

const decodeInt32: KindDecoder = (decoder, { name, word }) => {
  const data = decoder.u32();
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

const decodeArray: KindDecoder = (decoder) => ({
  kind: "array",
  element: decoder.u32(),
  index: decoder.u32(),
  count: decoder.u32(),
});

const decodeComposite =
  (kind: "struct" | "union"): KindDecoder =>
  (decoder, { name, count, kindFlag, word }) => ({
    kind,
    name,
    size: word,
    members: decoder.list(count, (): BtfMember => {
      const memberName = decoder.name();
      const type = decoder.u32();
      const offset = decoder.u32();
      return {
        name: memberName,
        type,
        bitOffset: kindFlag ? offset & 0xff_ffff : offset,
        bitSize: kindFlag ? offset >>> 24 : 0,
      };
    }),
    kindFlag,
  });

const decodeEnum: KindDecoder = (decoder, { name, count, kindFlag, word }) => ({
  kind: "enum",
  name,
  size: word,
  signed: kindFlag,
  values: decoder.list(count, (): BtfEnumerator => {
    const valueName = decoder.name();
    const value = decoder.u32();
    return { name: valueName, value: BigInt(kindFlag ? value | 0 : value) };
  }),
});

const decodeEnum64: KindDecoder = (decoder, { name, count, kindFlag, word }) => ({
  kind: "enum64",
  name,
  size: word,
  signed: kindFlag,
  values: decoder.list(count, (): BtfEnumerator => {
    const valueName = decoder.name();
    const low = decoder.u32();
    const value = (BigInt(decoder.u32()) << 32n) | BigInt(low);
    return { name: valueName, value: kindFlag ? BigInt.asIntN(64, value) : value };
  }),
});

const decodeModifier =
  (kind: "ptr" | "volatile" | "const" | "restrict"): KindDecoder =>
  (_, { word }) => ({ kind, type: word });

const decodeFunc: KindDecoder = (_, { name, count, word }) => ({
  kind: "func",
  name,
  type: word,
  linkage: btfLinkageNames[count]!,
});

const decodeVar: KindDecoder = (decoder, { name, word }) => ({
  kind: "var",
  name,
  type: word,
  linkage: btfLinkageNames[decoder.u32()]!,
});

const decodeDeclTag: KindDecoder = (decoder, { name, kindFlag, word }) => ({
  kind: "decl_tag",
  name,
  type: word,
  componentIndex: decoder.u32() | 0,
  ...(kindFlag && { kindFlag }),
});

/** By kind number. */
const kindDecoders: readonly (KindDecoder | undefined)[] = [
  undefined,
  decodeInt32,
  decodeModifier("ptr"),
  decodeArray,
  decodeComposite("struct"),
  decodeComposite("union"),
  decodeEnum,
  (_, { name, kindFlag }) => ({ kind: "fwd", name, union: kindFlag }),
  (_, { name, word }) => ({ kind: "typedef", name, type: word }),
  decodeModifier("volatile"),
  decodeModifier("const"),
  decodeModifier("restrict"),
  decodeFunc,
  (decoder, { count, word }) => ({
    kind: "func_proto",
    returns: word,
    params: decoder.list(count, (): BtfParam => ({ name: decoder.name(), type: decoder.u32() })),
  }),
  decodeVar,
  (decoder, { name, count, word }) => ({
    kind: "datasec",
    name,
    size: word,
    entries: decoder.list(
      count,
      (): BtfSectionEntry => ({
        type: decoder.u32(),
        offset: decoder.u32(),
        size: decoder.u32(),
      }),
    ),
  }),
  (_, { name, word }) => ({ kind: "float", name, size: word }),
  decodeDeclTag,
  (_, { name, kindFlag, word }) => ({
    kind: "type_tag",
    name,
    type: word,
    ...(kindFlag && { kindFlag }),
  }),
  decodeEnum64,
];
