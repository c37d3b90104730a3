/** The shipped headers as files of a virtual directory, beside the files of the caller. */
import { type FileSystem, normalisedPath, type ShippedFile } from "../common/file-system.ts";
import { shippedHeaderDirectory } from "./shipped-header-directory.ts";
import { headerIndexText, headerText } from "./shipped-header-texts.ts";

const prefix = `${shippedHeaderDirectory}/`;

function shippedHeader(path: string): ShippedFile | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const name = path.slice(prefix.length);
  const text = headerText(name);
  if (text === undefined) return undefined;
  return { text, index: () => JSON.parse(headerIndexText(name) ?? "null") ?? undefined };
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
