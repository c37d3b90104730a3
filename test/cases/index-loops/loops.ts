/** Loops and patterns that scripts/index-loops.mjs rewrites, and some that it has to leave. */
type Pair = readonly [name: string, size: number];

export function growing(): number[] {
  const list = [3];
  for (const item of list) if (item > 0) list.push(item - 1);
  return list;
}

export function closures(): number[] {
  const calls: (() => number)[] = [];
  for (const item of [1, 2, 3]) calls.push(() => item);
  return calls.map((call) => call());
}

export function labels(rows: readonly (readonly number[])[] = [[1, 2], [0], [3, 9, 4]]): number[] {
  const seen: number[] = [];
  rows: for (const row of rows) {
    for (const item of row) {
      if (item === 0) continue rows;
      if (item === 9) break rows;
      seen.push(item);
    }
    seen.push(-1);
  }
  return seen;
}

export function pairs(list: readonly Pair[] = [["a", 1], ["b", 2]]): string {
  let text = "";
  for (const [name, size] of list) text += `${name}${size}`;
  for (let [, size] of list) text += size++;
  for (const [name, size] of new Map(list)) for (const [index, each] of [name].entries()) text += each + index + size;
  const [first, second = ["c", 3] as const, ...others] = list;
  const [, third] = list, [fourth] = ["d"];
  return `${text} ${first?.[0]} ${second} ${others.length} ${third} ${fourth}`;
}

export function others(): string {
  let text = "";
  for (const item of new Set([1, 2])) text += item;
  for (const unit of "a\u{1f41d}") text += `<${unit}>`;
  for (const item of (function* () { yield* [5, 6]; })()) text += item;
  for (const [key, value] of Object.entries({ x: 1 })) text += key + value;
  return text;
}

export function either(list: readonly number[] | readonly string[] = [7, 8]): string {
  let text = "";
  for (const item of list) { text += item; }
  for (const item of [...list, ...[...list].map((each) => { for (const other of list) text += other; return each; })]) text += item;
  return text;
}
