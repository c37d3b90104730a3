/** Adds all of a list to another. `push(...list)` overflows the stack where the list is long. */
export function appendAll<T>(target: T[], source: Iterable<T>): void {
  for (const each of source) target.push(each);
}

/** Adds a value to the list that belongs to the key. */
export function pushTo<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
