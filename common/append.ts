/** Adds all of a list to another. `push(...list)` overflows the stack where the list is long. */
export function appendAll<T>(target: T[], source: Iterable<T>): void {
  for (const each of source) target.push(each);
}
