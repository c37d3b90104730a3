/**
 * A binary trie of prefixes, each a number of leading bits of 32-bit big-endian words; nodes that
 * would have one child and no value are left out. Lookups go down one way.
 */

/** The first `length` bits of `words`. */
export interface Prefix {
  readonly words: Int32Array;
  readonly length: number;
}

interface Node<T> {
  readonly words: Int32Array;
  readonly length: number;
  /** Undefined where two longer prefixes part. */
  value: T | undefined;
  readonly children: [Node<T> | undefined, Node<T> | undefined];
}

/** How many leading bits are the same, up to a limit; those of the words before `from` are known to be. */
function commonBits(a: Int32Array, b: Int32Array, limit: number, from: number): number {
  for (let i = from; i << 5 < limit; i += 1) {
    const difference = (a[i] as number) ^ (b[i] as number);
    if (difference !== 0) return Math.min(limit, (i << 5) + Math.clz32(difference));
  }
  return limit;
}

const bitAt = (words: Int32Array, at: number): 0 | 1 =>
  (((words[at >> 5] as number) >>> (31 - (at & 31))) & 1) as 0 | 1;

export class PrefixTrie<T> {
  /** The whole is the first child of this. */
  readonly #top: Node<T>["children"] = [undefined, undefined];

  /** The value of the longest prefix of the words that has at most `limit` bits. */
  longest(words: Int32Array, limit: number): T | undefined {
    let best: T | undefined;
    let node = this.#top[0];
    let same = 0;
    while (node !== undefined && node.length <= limit) {
      same = commonBits(node.words, words, node.length, same >> 5);
      if (same < node.length) break;
      if (node.value !== undefined) best = node.value;
      if (node.length === limit) break;
      node = node.children[bitAt(words, node.length)];
    }
    return best;
  }

  /** Sets the value of a prefix. The words must not change afterwards. */
  set({ words, length }: Prefix, value: T): void {
    let [links, side] = [this.#top, 0 as 0 | 1];
    for (;;) {
      const node = links[side];
      const fresh: Node<T> = { words, length, value, children: [undefined, undefined] };
      if (node === undefined) {
        links[side] = fresh;
        return;
      }
      const same = commonBits(node.words, words, Math.min(node.length, length), 0);
      if (same < node.length) {
        const above = same === length ? fresh : this.#fork(fresh, same);
        above.children[bitAt(node.words, same)] = node;
        links[side] = above;
        return;
      }
      if (same === length) {
        node.value = value;
        return;
      }
      [links, side] = [node.children, bitAt(words, same)];
    }
  }

  /** A node without a value, where a prefix parts from others. */
  #fork(child: Node<T>, length: number): Node<T> {
    const fork: Node<T> = {
      words: child.words,
      length,
      value: undefined,
      children: [undefined, undefined],
    };
    fork.children[bitAt(child.words, length)] = child;
    return fork;
  }

  /** Takes a prefix out, where it is there. */
  delete({ words, length }: Prefix): void {
    const way: { readonly links: Node<T>["children"]; readonly side: 0 | 1 }[] = [];
    let [links, side] = [this.#top, 0 as 0 | 1];
    for (;;) {
      const node = links[side];
      if (node === undefined || node.length > length) return;
      way.push({ links, side });
      if (commonBits(node.words, words, node.length, 0) < node.length) return;
      if (node.length === length) {
        node.value = undefined;
        break;
      }
      [links, side] = [node.children, bitAt(words, node.length)];
    }
    // The node, and then perhaps the fork above it, is of no more use.
    for (const { links: above, side: at } of way.reverse().slice(0, 2)) {
      const node = above[at];
      if (node === undefined || node.value !== undefined) return;
      const [left, right] = node.children;
      if (left !== undefined && right !== undefined) return;
      above[at] = left ?? right;
    }
  }
}
