/**
 * Longest-prefix-match trie. Keys are a u32 prefix length and data in network order; values stand
 * in linear memory. One table per prefix length keeps lookups at one probe per length in use.
 */
import { errno } from "../errno.ts";
import { programAccess } from "./array.ts";
import { keyText } from "./hash.ts";
import { BpfMap, checkUpdateFlags, updateFlags } from "./map.ts";

interface Entry {
  readonly prefix: number;
  /** The data's bits up to the prefix; the rest zero. */
  readonly data: string;
  /** As it was given when it was last updated, bits after the prefix included. */
  key: Uint8Array;
  readonly address: number;
}

const mix = (hash: number, word: number): number => {
  const product = Math.imul(hash ^ word, 0x9e37_79b1);
  return product ^ (product >>> 15);
};

/** Whether a key's data starts with an entry's. */
function hasPrefix(bytes: Uint8Array, start: number, { key, prefix }: Entry): boolean {
  const whole = prefix >> 3;
  for (let i = 4; i < 4 + whole; i += 1) if (bytes[start + i] !== key[i]) return false;
  const rest = prefix & 7;
  if (rest === 0) return true;
  const difference = (bytes[start + 4 + whole] as number) ^ (key[4 + whole] as number);
  return difference >> (8 - rest) === 0;
}

export class LpmTrieMap extends BpfMap {
  /** By prefix length, then by masked data. */
  readonly #tables = new Map<number, Map<string, Entry>>();
  /** The same for lookups: by prefix length, then by a number made of the masked data. */
  readonly #index = new Map<number, Map<number, Entry[]>>();
  #lengths: readonly number[] = [];
  /** A key's data as big-endian words, and what is made of the words before each. */
  readonly #words = new Int32Array(Math.ceil((this.description.keySize - 4) / 4) + 1);
  readonly #mixed = new Int32Array(this.#words.length + 1);
  #count = 0;

  get #maximumPrefix(): number {
    return (this.description.keySize - 4) * 8;
  }

  #prefixOf(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this.host.little);
  }

  /** The first `prefix` bits of the key's data. */
  #masked(key: Uint8Array, prefix: number): string {
    // Not slice(): a Buffer of Node would share its bytes.
    const data = new Uint8Array(key.subarray(4));
    for (let i = 0; i < data.length; i += 1) {
      const bits = Math.min(8, Math.max(0, prefix - i * 8));
      data[i] = (data[i] as number) & (0xff00 >> bits);
    }
    return keyText(data);
  }

  #find(key: Uint8Array): Entry | undefined {
    const prefix = this.#prefixOf(key);
    return this.#tables.get(prefix)?.get(this.#masked(key, prefix));
  }

  #readWords(bytes: Uint8Array, start: number): void {
    const { keySize } = this.description;
    this.#words.fill(0);
    for (let i = 4; i < keySize; i += 1) {
      const at = (i >> 2) - 1;
      const shift = 24 - 8 * (i & 3);
      this.#words[at] = (this.#words[at] as number) | ((bytes[start + i] as number) << shift);
    }
    for (let i = 0; i < this.#words.length; i += 1) {
      this.#mixed[i + 1] = mix(this.#mixed[i] as number, this.#words[i] as number);
    }
  }

  /** The number of the first bits of the data that was read last. */
  #numberOf(prefix: number): number {
    const whole = prefix >> 5;
    const mask = (prefix & 31) === 0 ? 0 : -1 << (32 - (prefix & 31));
    return mix(this.#mixed[whole] as number, (this.#words[whole] as number) & mask);
  }

  override lookup(key: Uint8Array): number {
    return this.#longest(key, 0, this.#prefixOf(key));
  }

  override lookupAt(keyAddress: number): number {
    const { memory, little } = this.host;
    return this.#longest(memory.bytes, keyAddress, memory.view.getUint32(keyAddress, little));
  }

  /** The value of the longest prefix that the key at an offset of `bytes` has. */
  #longest(bytes: Uint8Array, start: number, limit: number): number {
    if (limit > this.#maximumPrefix) return 0;
    this.#readWords(bytes, start);
    for (const length of this.#lengths) {
      if (length > limit) continue;
      const found = this.#index
        .get(length)
        ?.get(this.#numberOf(length))
        ?.find((entry) => hasPrefix(bytes, start, entry));
      if (found !== undefined) return found.address;
    }
    return 0;
  }

  override update(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    const plain = checkUpdateFlags(flags);
    if (plain === undefined || flags > BigInt(updateFlags.exist)) return -errno.EINVAL;
    const prefix = this.#prefixOf(key);
    if (prefix > this.#maximumPrefix) return -errno.EINVAL;
    const { memory } = this.host;
    const known = this.#find(key);
    if (known !== undefined) {
      if (plain === updateFlags.noexist) return -errno.EEXIST;
      memory.bytes.set(value, known.address);
      known.key = new Uint8Array(key);
      return 0;
    }
    if (plain === updateFlags.exist) return -errno.ENOENT;
    const { maxEntries, valueSize, name, flags: mapFlags } = this.description;
    if (this.#count >= maxEntries) return -errno.ENOSPC;
    const data = this.#masked(key, prefix);
    const address = memory.region("map value", name, valueSize, programAccess(mapFlags));
    memory.bytes.set(value, address);
    const table = this.#tables.get(prefix) ?? new Map<string, Entry>();
    const entry = { prefix, data, key: new Uint8Array(key), address };
    table.set(data, entry);
    this.#tables.set(prefix, table);
    this.#note(entry);
    this.#count += 1;
    this.#sortLengths();
    return 0;
  }

  #note(entry: Entry): void {
    this.#readWords(entry.key, 0);
    const numbers = this.#index.get(entry.prefix) ?? new Map<number, Entry[]>();
    this.#index.set(entry.prefix, numbers);
    const number = this.#numberOf(entry.prefix);
    numbers.set(number, [...(numbers.get(number) ?? []), entry]);
  }

  #forget(entry: Entry): void {
    this.#readWords(entry.key, 0);
    const numbers = this.#index.get(entry.prefix);
    const number = this.#numberOf(entry.prefix);
    const rest = numbers?.get(number)?.filter((other) => other !== entry) ?? [];
    if (rest.length > 0) numbers?.set(number, rest);
    else numbers?.delete(number);
  }

  #sortLengths(): void {
    this.#lengths = [...this.#tables.keys()].sort((a, b) => b - a);
  }

  override delete(key: Uint8Array): number {
    if (this.#prefixOf(key) > this.#maximumPrefix) return -errno.EINVAL;
    const entry = this.#find(key);
    const table = entry && this.#tables.get(entry.prefix);
    if (entry === undefined || table === undefined) return -errno.ENOENT;
    table.delete(entry.data);
    this.#forget(entry);
    if (table.size === 0) this.#tables.delete(entry.prefix);
    this.#count -= 1;
    this.#sortLengths();
    this.host.memory.forgetRegion(entry.address);
    this.host.memory.release(entry.address, this.description.valueSize);
    return 0;
  }

  /** Postorder: more specific prefixes before those that hold them, by address. */
  #ordered(): Entry[] {
    const all = [...this.#tables.values()].flatMap((table) => [...table.values()]);
    const covers = (a: Entry, b: Entry): boolean =>
      a.prefix < b.prefix && a.data === this.#masked(b.key, a.prefix);
    return all.sort((a, b) => {
      if (covers(a, b)) return 1;
      if (covers(b, a)) return -1;
      return a.data < b.data ? -1 : 1;
    });
  }

  override nextKey(key: Uint8Array | undefined): Uint8Array | undefined {
    const ordered = this.#ordered();
    const known = key === undefined ? undefined : this.#find(key);
    const at = known === undefined ? 0 : ordered.indexOf(known) + 1;
    const next = ordered[at];
    return next?.key.slice();
  }
}
