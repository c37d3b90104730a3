/**
 * The notes on a map type's key size, value size or entry count, such as `8..1016` or
 * `4 (socket fd) or 8`, as inclusive ranges. Null stands for "no upper limit".
 */
export function sizeRule(text: string): [number, number | null][] {
  if (text.startsWith("must be ")) {
    const only = Number(text.slice("must be ".length));
    return [[only, only]];
  }
  const range =
    /^(?:multiple of 8.*?: )?(\d+)\.\.(\d+|NR_CPUS)/.exec(text) ?? /(\d+)\.\.(\d+)/.exec(text);
  if (range !== null) {
    const highest = Number(range[2]);
    return [[Number(range[1]), Number.isNaN(highest) ? null : highest]];
  }
  const choice = /^(\d+)\b.*? or (\d+)\b/.exec(text);
  if (choice !== null) return [choice[1], choice[2]].map((size) => [Number(size), Number(size)]);
  const exact = /^(\d+)\b/.exec(text);
  if (exact !== null) return [[Number(exact[1]), Number(exact[1])]];
  const pages = /\((\d+) pages/.exec(text);
  if (pages !== null) return [[1, Number(pages[1])]];
  if (text.startsWith("power of two")) return [[4096, null]];
  if (text.startsWith(">=1") || text.startsWith("as ")) return [[1, null]];
  return [[0, null]];
}
