/** The shortest edit between two sequences (Myers, "An O(ND) difference algorithm", 1986). */

/** Equal items stand in one pair; others stand alone. */
export interface AlignedPair {
  /** Position in the list of pairs. */
  readonly position: number;
  /** Index in the first sequence; undefined for what is new. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** Indexes at which the sequences stood when the pair was reached. */
  readonly nextBefore: number;
  readonly nextAfter: number;
}

/** The work and the memory grow with its square. */
const mostEdits = 2000;

/** Undefined where more than {@link mostEdits} items differ: then they have little in common. */
export function alignSequences(
  a: readonly string[],
  b: readonly string[],
): readonly AlignedPair[] | undefined {
  const trace = search(a, b);
  return trace === undefined ? undefined : walkBack(a, b, trace);
}

/** Per number of edits the furthest position in `a` on each diagonal; index k + edits. */
function search(a: readonly string[], b: readonly string[]): Int32Array[] | undefined {
  const limit = Math.min(mostEdits, a.length + b.length);
  const furthest = new Int32Array(2 * limit + 3);
  const middle = limit + 1;
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= limit; edits++) {
    trace.push(furthest.slice(middle - edits - 1, middle + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const left = furthest[middle + k - 1]!;
      const right = furthest[middle + k + 1]!;
      const down = k === -edits || (k !== edits && left < right);
      let x = down ? right : left + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      furthest[middle + k] = x;
      if (x >= a.length && x - k >= b.length) return trace;
    }
  }
  return undefined;
}

function walkBack(
  a: readonly string[],
  b: readonly string[],
  trace: readonly Int32Array[],
): AlignedPair[] {
  const steps: { before: number | undefined; after: number | undefined }[] = [];
  let x = a.length;
  let y = b.length;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits]!;
    const at = (k: number): number => furthest[k + edits + 1]!;
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const from = down ? k + 1 : k - 1;
    const startX = edits === 0 ? 0 : at(from);
    const startY = edits === 0 ? 0 : startX - from;
    while (x > startX && y > startY && a[x - 1] === b[y - 1]) {
      x -= 1;
      y -= 1;
      steps.push({ before: x, after: y });
    }
    if (edits === 0) break;
    if (down) steps.push({ before: undefined, after: startY });
    else steps.push({ before: startX, after: undefined });
    x = startX;
    y = startY;
  }
  let nextBefore = 0;
  let nextAfter = 0;
  return steps.reverse().map(({ before, after }, position) => {
    const pair = { position, before, after, nextBefore, nextAfter };
    if (before !== undefined) nextBefore = before + 1;
    if (after !== undefined) nextAfter = after + 1;
    return pair;
  });
}
