/** Finds headers in clang's order, and keeps every file that was read. */

import type { SourceFile } from "../../common/diagnostics/source.ts";
import { type FileSystem, normalisedPath, type ShippedFile } from "../../common/file-system.ts";
import { decodeBrokenText } from "./broken-text.ts";
import type { HeaderIndex } from "./header-index.ts";

export interface IncludeDirectory {
  readonly path: string;
  /** Warnings in its files are not shown. */
  readonly isSystem: boolean;
}

export interface IncludeOptions {
  /** `-iquote`: for `#include "…"` only. */
  readonly quoteDirectories: readonly string[];
  /** `-I`. */
  readonly directories: readonly string[];
  /** `-isystem`. */
  readonly systemDirectories: readonly string[];
  /** Directories of the toolchain and the machine, after `-isystem`: our own headers first. */
  readonly standardDirectories: readonly string[];
  /** `-idirafter`. */
  readonly afterDirectories: readonly string[];
}

/** A file with the place in the search order where it was found. */
export interface FoundFile {
  readonly file: SourceFile;
  /** Index into the search order; -1 where it was found beside its includer or by absolute path. */
  readonly directory: number;
}

export class IncludeSearch {
  readonly #fileSystem: FileSystem;
  readonly #chain: readonly IncludeDirectory[];
  /** Where the search for `<…>` starts in the chain. */
  readonly #angledStart: number;
  readonly #files = new Map<string, SourceFile | undefined>();
  readonly #identities = new Map<string, string>();
  readonly #ascii = new Map<SourceFile, Uint8Array>();
  readonly #shipped = new Map<SourceFile, ShippedFile>();
  /** Where `-idirafter` folders that hold a whole set of kernel headers start in the chain. */
  #kernelStart: number | undefined;

  constructor(fileSystem: FileSystem, options: IncludeOptions) {
    this.#fileSystem = fileSystem;
    const user = (path: string): IncludeDirectory => ({ path, isSystem: false });
    const system = (path: string): IncludeDirectory => ({ path, isSystem: true });
    const systems = [
      ...options.systemDirectories,
      ...options.standardDirectories,
      ...options.afterDirectories,
    ];
    // As in clang: a directory that is also a system directory counts only as one.
    const isUser = (path: string): boolean => !systems.includes(path);
    const quotes = options.quoteDirectories.map(user);
    this.#chain = [
      ...quotes,
      ...withoutRepeats(options.directories.filter(isUser).map(user)),
      ...withoutRepeats(systems.map(system)),
    ];
    this.#angledStart = quotes.length;
    if (options.afterDirectories.length > 0) this.#kernelStart = this.#kernelHeaders(options);
  }

  #kernelHeaders({ afterDirectories }: IncludeOptions): number | undefined {
    const start = this.#chain.findIndex(({ path }) => path === afterDirectories[0]);
    return this.#search("asm/types.h", start) === undefined ? undefined : start;
  }

  /** The directories of `#include <…>`, in order. */
  get angledDirectories(): readonly string[] {
    return this.#chain.slice(this.#angledStart).map((directory) => directory.path);
  }

  /** Reads a file once; undefined where there is none. */
  read(path: string, isSystem: boolean): SourceFile | undefined {
    if (this.#files.has(path)) return this.#files.get(path);
    // The `./` that clang shows for files beside a main file without a folder is no part of a name.
    const shipped = this.#fileSystem.shipped?.(path);
    if (shipped !== undefined) {
      const file = { path, text: shipped.text, isSystem };
      this.#files.set(path, file);
      this.#shipped.set(file, shipped);
      return file;
    }
    const bytes = this.#fileSystem.readFile(path.startsWith("./") ? path.slice(2) : path);
    if (bytes === undefined) {
      this.#files.set(path, undefined);
      return undefined;
    }
    const decoded = new TextDecoder().decode(bytes);
    const isBroken = decoded.includes("\ufffd");
    const file = { path, text: isBroken ? decodeBrokenText(bytes) : decoded, isSystem };
    this.#files.set(path, file);
    if (!isBroken && bytes.length === file.text.length) this.#ascii.set(file, bytes);
    return file;
  }

  /** Equal for two files that are one, whatever path led to them. */
  identityOf({ path }: SourceFile): string {
    const known = this.#identities.get(path);
    if (known !== undefined) return known;
    const plain = path.startsWith("./") ? path.slice(2) : path;
    const identity = this.#fileSystem.identityOf?.(plain) ?? normalisedPath(plain);
    this.#identities.set(path, identity);
    return identity;
  }

  /** What is known beforehand of a header that ships with us. */
  indexOf(file: SourceFile): HeaderIndex | undefined {
    return this.#shipped.get(file)?.index() as HeaderIndex | undefined;
  }

  /** The UTF-16 units of a file: its own bytes where it is ASCII. */
  unitsOf(file: SourceFile): Uint8Array | Uint16Array {
    const bytes = this.#ascii.get(file);
    if (bytes !== undefined) return bytes;
    const { text } = file;
    const encoded = new TextEncoder().encode(text);
    if (encoded.length === text.length) return encoded;
    const units = new Uint16Array(text.length);
    for (let index = 0; index < text.length; index += 1) units[index] = text.charCodeAt(index);
    return units;
  }

  find(name: string, angled: boolean, includer: FoundFile): FoundFile | undefined {
    if (name === "") return undefined;
    if (name.startsWith("/")) return this.#absolute(name, includer);
    if (!angled) {
      const path = beside(includer.file.path, name);
      const file = this.read(path, includer.file.isSystem);
      if (file !== undefined) return { file, directory: includer.directory };
    }
    return this.#search(name, angled ? this.#angledStart : 0);
  }

  /** `#include_next`: the search goes on behind the directory of the includer. */
  findNext(name: string, angled: boolean, includer: FoundFile): FoundFile | undefined {
    if (name.startsWith("/")) return this.#absolute(name, includer);
    if (includer.directory < 0) return this.find(name, angled, includer);
    return this.#search(name, includer.directory + 1);
  }

  #absolute(name: string, includer: FoundFile): FoundFile | undefined {
    const file = this.read(name, includer.file.isSystem);
    return file && { file, directory: -1 };
  }

  #search(name: string, from: number): FoundFile | undefined {
    for (let index = from; index < this.#chain.length; index += 1) {
      const { path, isSystem } = this.#chain[index]!;
      const file = this.read(joinPath(path, name), isSystem);
      if (file !== undefined) return this.#users(name, index, file) ?? { file, directory: index };
    }
    return undefined;
  }

  /**
   * The kernel's header of this name in the folders that the user named: the one that ships with us
   * has less, and serves where there is no other.
   */
  #users(name: string, index: number, found: SourceFile): FoundFile | undefined {
    const start = this.#kernelStart;
    if (start === undefined || index >= start || !this.#shipped.has(found)) return undefined;
    return /^(?:linux|asm|asm-generic)\//.test(name) ? this.#search(name, start) : undefined;
  }
}

function withoutRepeats(list: readonly IncludeDirectory[]): IncludeDirectory[] {
  return list.filter((entry, index) => list.findIndex((e) => e.path === entry.path) === index);
}

function joinPath(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

/** A path in the folder of another file; the folder of a bare name is the current one. */
function beside(path: string, name: string): string {
  const slash = path.lastIndexOf("/");
  return (slash < 0 ? "./" : path.slice(0, slash + 1)) + name;
}
