/** The texts of shipped headers and of their indexes. The command line tool reads them from a file instead. */
import {
  shippedHeaderIndexes,
  shippedHeaderNames,
  shippedHeaders,
} from "./generated/shipped-headers.ts";

/** A header by the name that #include uses; undefined where none has it. */
export function headerText(name: string): string | undefined {
  return Object.hasOwn(shippedHeaders, name) ? shippedHeaders[name] : undefined;
}

/** Its `HeaderIndexData` as JSON. */
export function headerIndexText(name: string): string | undefined {
  return Object.hasOwn(shippedHeaderIndexes, name) ? shippedHeaderIndexes[name] : undefined;
}

/** What all headers declare: the text of a `HeaderNames`. */
export function headerNamesText(): string {
  return shippedHeaderNames;
}
