/** The shipped headers as files of a virtual directory, beside the files of the caller. */
import { type FileSystem, normalisedPath, type ShippedFile } from "../common/file-system.ts";
import { shippedHeaderIndexes, shippedHeaders } from "./generated/shipped-headers.ts";
import { shippedHeaderDirectory } from "./shipped-header-directory.ts";

const prefix = `${shippedHeaderDirectory}/`;
const encoded = new Map<string, Uint8Array>();

function shippedFile(name: string): Uint8Array | undefined {
  const known = encoded.get(name);
  if (known !== undefined) return known;
  const text = Object.hasOwn(shippedHeaders, name) ? shippedHeaders[name] : undefined;
  if (text === undefined) return undefined;
  const bytes = new TextEncoder().encode(text);
  encoded.set(name, bytes);
  return bytes;
}

function shippedHeader(name: string): ShippedFile | undefined {
  const text = Object.hasOwn(shippedHeaders, name) ? shippedHeaders[name] : undefined;
  if (text === undefined) return undefined;
  const index = shippedHeaderIndexes[name];
  return { text, index: index === undefined ? undefined : JSON.parse(index) };
}

/**
 * Adds the shipped headers to a file system; everything else is read through it, other files of
 * their directory too.
 */
export function withShippedHeaders(fileSystem: FileSystem): FileSystem {
  return {
    readFile: (path) =>
      (path.startsWith(prefix) ? shippedFile(path.slice(prefix.length)) : undefined) ??
      fileSystem.readFile(path),
    shipped: (path) =>
      path.startsWith(prefix)
        ? shippedHeader(path.slice(prefix.length))
        : fileSystem.shipped?.(path),
    identityOf: (path) =>
      path.startsWith(prefix) ? path : (fileSystem.identityOf ?? normalisedPath)(path),
  };
}
