/**
 * The measured table of legal context accesses, one line per variant:
 * `name programType attachType key=offsets;…`. The key is `r` or `w`, the size, and for reads that
 * give more than a number the register kind; offsets are `a`, or `a-b` with the access size as step.
 */
export function contextAccessLines(table: string): string[] {
  const variants = new Map<string, Map<string, number[]>>();
  for (const line of table.trimEnd().split("\n").slice(1)) {
    const [variant, programType, attachType, offset, size, access, register = ""] =
      line.split("\t");
    const kind = register.replace(/\(.*$/, "");
    const key = `${access === "read" ? "r" : "w"}${size}${kind === "scalar" ? "" : kind && `:${kind}`}`;
    const head = `${variant} ${programType} ${attachType}`;
    const groups = variants.get(head) ?? new Map<string, number[]>();
    variants.set(head, groups);
    groups.set(key, [...(groups.get(key) ?? []), Number(offset)]);
  }
  return [...variants].map(([head, groups]) => {
    const parts = [...groups].map(([key, offsets]) => {
      const step = Number(/\d+/.exec(key)?.[0]);
      return `${key}=${offsetRuns(offsets, step).join(",")}`;
    });
    return `${head} ${parts.join(";")}`;
  });
}

function offsetRuns(offsets: readonly number[], step: number): string[] {
  const sorted = [...offsets].sort((a, b) => a - b);
  const runs: [number, number][] = [];
  for (const offset of sorted) {
    const last = runs.at(-1);
    if (last !== undefined && offset === last[1] + step) last[1] = offset;
    else runs.push([offset, offset]);
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}
