/**
 * The words of a BTF section → PackedBtf, in one pass that checks them. Accepts any words. The pass is
 * made of short functions that are called for a few types each: V8 optimises a function that is called
 * again with all that it learned, but a long loop only with what ran so far.
 */
import type { TypeId } from "./btf.ts";
import { btfKindNumbers } from "./btf-constants.ts";
import type { Endian } from "./object-file.ts";
import {
  countOfInfo,
  elementType,
  elementWords,
  fixedWords,
  headIsType,
  headWords,
  kindCount,
  kindOfInfo,
  namedElements,
  type PackedBtf,
} from "./packed-btf.ts";

/** Types that one call handles. */
const portion = 64;

/** Finds the types and checks them; `firstId` is the first one's. A message says what is wrong. */
export function packBtf(
  bytes: Uint8Array,
  strings: Uint8Array,
  stringBase: number,
  endian: Endian,
  firstId: TypeId,
): PackedBtf | string {
  const words = wordsOf(bytes, endian);
  const scan = new Scan(words, stringBase + strings.length);
  while (scan.next < words.length && scan.fault === undefined) scan.types(portion);
  const fault = scan.fault ?? (bytes.length % 4 === 0 ? undefined : "is cut short");
  if (fault !== undefined) return `type ${firstId + scan.count} ${fault}`;
  return { endian, words, strings, ...scan.finish() };
}

class Scan {
  readonly #words: Uint32Array;
  readonly #stringEnd: number;
  /** Room for the most that there can be; what is not written to takes no memory. */
  readonly #starts: Int32Array;
  readonly #kinds: Uint8Array;
  readonly #edgeStarts: Int32Array;
  readonly #targets: Int32Array;
  #edges = 0;
  count = 0;
  /** Word at which the next type starts. */
  next = 0;
  /** What is wrong with the type that is next. */
  fault: string | undefined;

  constructor(words: Uint32Array, stringEnd: number) {
    this.#words = words;
    this.#stringEnd = stringEnd;
    const most = Math.ceil(words.length / headWords) + 1;
    this.#starts = new Int32Array(most);
    this.#kinds = new Uint8Array(most);
    this.#edgeStarts = new Int32Array(most);
    this.#targets = new Int32Array(words.length);
  }

  /** Takes in up to so many types. */
  types(most: number): void {
    const end = this.#words.length;
    for (let left = most; left > 0 && this.next < end; left--) {
      this.fault = this.#type(this.next);
      if (this.fault !== undefined) return;
    }
  }

  finish(): Pick<PackedBtf, "starts" | "kinds" | "edges"> {
    const { count } = this;
    this.#starts[count] = this.next;
    this.#edgeStarts[count] = this.#edges;
    return {
      starts: this.#starts.subarray(0, count + 1),
      kinds: this.#kinds.subarray(0, count),
      edges: {
        starts: this.#edgeStarts.subarray(0, count + 1),
        targets: this.#targets.subarray(0, this.#edges),
      },
    };
  }

  #type(at: number): string | undefined {
    const words = this.#words;
    if (at + headWords > words.length) return "is cut short";
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    if (kind === 0 || kind >= kindCount) return `has the unknown kind ${kind}`;
    const size = elementWords[kind]!;
    const first = at + headWords + fixedWords[kind]!;
    const end = size === 0 ? first : first + size * countOfInfo(info);
    if (end > words.length) return "is cut short";
    const linkage = this.#linkage(kind, at);
    if (linkage > 2) return `has the unknown linkage ${linkage}`;
    if (!this.#isString(words[at]!)) return "names a string outside the string table";
    const { count } = this;
    this.#starts[count] = at;
    this.#kinds[count] = kind;
    this.#edgeStarts[count] = this.#edges;
    if (headIsType[kind] === 1) this.#refer(words[at + 2]!);
    if (size !== 0) {
      if (!this.#elements(kind, first, end)) return "names a string outside the string table";
    } else if (kind === btfKindNumbers.array) {
      this.#refer(words[at + 3]!);
      this.#refer(words[at + 4]!);
    }
    this.count = count + 1;
    this.next = end;
    return undefined;
  }

  #linkage(kind: number, at: number): number {
    if (kind === btfKindNumbers.func) return countOfInfo(this.#words[at + 1]!);
    return kind === btfKindNumbers.var ? this.#words[at + headWords]! : 0;
  }

  #isString(offset: number): boolean {
    return offset < this.#stringEnd || offset === 0;
  }

  #refer(id: TypeId): void {
    this.#targets[this.#edges] = id;
    this.#edges += 1;
  }

  /** Whether the names of a type's elements are strings; notes the types that they refer to. */
  #elements(kind: number, first: number, end: number): boolean {
    const words = this.#words;
    const size = elementWords[kind]!;
    const isNamed = namedElements[kind] === 1;
    const typeAt = elementType[kind]! - 1;
    for (let at = first; at < end; at += size) {
      if (isNamed && !this.#isString(words[at]!)) return false;
      if (typeAt >= 0) this.#refer(words[at + typeAt]!);
    }
    return true;
  }
}

const isLittleMachine = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

function wordsOf(bytes: Uint8Array, endian: Endian): Uint32Array {
  const size = bytes.length & ~3;
  if ((endian === "little") === isLittleMachine && bytes.byteOffset % 4 === 0) {
    return new Uint32Array(bytes.buffer, bytes.byteOffset, size >> 2);
  }
  // Not slice(): a Buffer's does not copy, and words need an aligned start.
  const copy = new Uint8Array(bytes.subarray(0, size));
  const list = new Uint32Array(copy.buffer, 0, size >> 2);
  if ((endian === "little") === isLittleMachine) return list;
  const view = new DataView(copy.buffer);
  return list.map((_, index) => view.getUint32(index * 4, endian === "little"));
}
