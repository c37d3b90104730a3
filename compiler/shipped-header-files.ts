/** The shipped headers as files of a virtual directory, beside the files of the caller. */
import { type FileSystem, normalisedPath, type ShippedFile } from "../common/file-system.ts";
import type { HeaderIndexData } from "./1-preprocess/header-index.ts";
import { HeaderNames } from "./1-preprocess/header-names.ts";
import { shippedHeaderDirectory } from "./shipped-header-directory.ts";
import { headerIndexText, headerNamesText, headerText } from "./shipped-header-texts.ts";

const prefix = `${shippedHeaderDirectory}/`;

let names: HeaderNames | undefined;

function shippedIndex(name: string): object | undefined {
  const text = headerIndexText(name);
  if (text === undefined) return undefined;
  const data: HeaderIndexData = JSON.parse(text);
  names ??= new HeaderNames(headerNamesText());
  return Object.assign(data, { names });
}

function shippedHeader(path: string): ShippedFile | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  const text = headerText(name);
  if (text === undefined) return undefined;
  return { text, index: () => shippedIndex(name) };
}

function shippedBytes(path: string): Uint8Array | undefined {
  const header = shippedHeader(path);
  return header && new TextEncoder().encode(header.text);
}

/**
 * Adds the shipped headers to a file system; everything else is read through it, other files of
 * their directory too.
 */
export function withShippedHeaders(fileSystem: FileSystem): FileSystem {
  return {
    readFile: (path) => shippedBytes(path) ?? fileSystem.readFile(path),
    shipped: (path) => shippedHeader(path) ?? fileSystem.shipped?.(path),
    identityOf: (path) =>
      path.startsWith(prefix) ? path : (fileSystem.identityOf ?? normalisedPath)(path),
  };
}
