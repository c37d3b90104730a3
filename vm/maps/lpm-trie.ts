/**
 * Longest-prefix-match trie. Keys are a u32 prefix length and data in network order; values stand
 * in linear memory. Entries are found exactly by a table, and for lookups by a trie.
 */
import { errno } from "../errno.ts";
import { programAccess } from "./array.ts";
import { keyText } from "./hash.ts";
import { BpfMap, checkUpdateFlags, updateFlags } from "./map.ts";
import { type Prefix, PrefixTrie } from "./prefix-trie.ts";

interface Entry {
  readonly prefix: number;
  /** The data's bits up to the prefix; the rest zero. */
  readonly data: string;
  /** As it was given when it was last updated, bits after the prefix included. */
  key: Uint8Array;
  readonly address: number;
}

export class LpmTrieMap extends BpfMap {
  /** By prefix length, then by masked data. */
  readonly #tables = new Map<number, Map<string, Entry>>();
  /** Addresses of values. */
  readonly #trie = new PrefixTrie<number>();
  /** The data of the key that is looked for, as big-endian words. */
  readonly #words = new Int32Array(Math.ceil((this.description.keySize - 4) / 4));
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

  /** Reads the data of a key at an offset. */
  #readWords(view: DataView, start: number): Int32Array {
    const words = this.#words;
    const end = start + this.description.keySize;
    let at = start + 4;
    let index = 0;
    for (; at + 4 <= end; at += 4) words[index++] = view.getInt32(at, false);
    if (at === end) return words;
    let last = 0;
    for (let shift = 24; at < end; at += 1, shift -= 8) last |= view.getUint8(at) << shift;
    words[index] = last;
    return words;
  }

  override lookup(key: Uint8Array): number {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    return this.#longest(view, 0);
  }

  override lookupAt(keyAddress: number): number {
    return this.#longest(this.host.memory.view, keyAddress);
  }

  /** The value of the longest prefix that the key at an offset has. */
  #longest(view: DataView, start: number): number {
    const limit = view.getUint32(start, this.host.little);
    if (limit > this.#maximumPrefix) return 0;
    return this.#trie.longest(this.#readWords(view, start), limit) ?? 0;
  }

  #prefix({ key, prefix }: Entry): Prefix {
    const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
    return { words: this.#readWords(view, 0).slice(), length: prefix };
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
    this.#trie.set(this.#prefix(entry), address);
    this.#count += 1;
    return 0;
  }

  override delete(key: Uint8Array): number {
    if (this.#prefixOf(key) > this.#maximumPrefix) return -errno.EINVAL;
    const entry = this.#find(key);
    const table = entry && this.#tables.get(entry.prefix);
    if (entry === undefined || table === undefined) return -errno.ENOENT;
    table.delete(entry.data);
    this.#trie.delete(this.#prefix(entry));
    if (table.size === 0) this.#tables.delete(entry.prefix);
    this.#count -= 1;
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
