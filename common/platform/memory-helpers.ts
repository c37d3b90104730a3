/** Helpers that return plain memory: map values, local storage, ring buffer and dynptr slices. */
const memoryHelpers: ReadonlySet<number> = new Set([1, 81, 107, 131, 145, 156, 195, 203, 210]);

/** Of these the ones whose result depends on the map: sockets and maps are values too. */
const lookups: ReadonlySet<number> = new Set([1, 195]);

/** Whether a helper's result is a pointer to memory that programs read and write as they like. */
export function returnsMemory(helper: number): boolean {
  return memoryHelpers.has(helper);
}

/** Whether what kind of pointer a helper returns depends on its first argument, a map. */
export function returnsByMap(helper: number): boolean {
  return lookups.has(helper);
}
