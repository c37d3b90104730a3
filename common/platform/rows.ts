/** Generated tables are text with one JSON array a line; this turns them into rows on first use. */

/** Parses once; the row type is what scripts/generate-tables.ts writes. */
export function lazyRows<Row>(text: string): () => readonly Row[] {
  let rows: readonly Row[] | undefined;
  return () => (rows ??= JSON.parse(`[${text.split("\n").join(",")}]`) as Row[]);
}

/** First mainline release, such as `5.8`. Undefined: newer than 6.18, or not known. */
export type KernelVersion = string;
