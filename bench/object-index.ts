/** The folder of objects that `corpus-objects.ts` makes, and how measurements walk it. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface ProgramIndexEntry {
  /** File name without ending: repository and path with `__` for `/`. */
  readonly name: string;
  readonly repo: string;
  readonly file: string;
  /** Which compilers made an object. */
  readonly clang: boolean;
  readonly bpfc: boolean;
}
export type ProgramIndex = readonly ProgramIndexEntry[];

/** Makers of objects: folders of the index. */
export const makers = ["clang", "bpfc"] as const;
export type Maker = (typeof makers)[number];

export interface IndexedObject {
  readonly entry: ProgramIndexEntry;
  readonly maker: Maker;
  /** Path of the object; the text is beside it, ending in `.s`. */
  readonly path: string;
}

/** All objects in the folder whose name contains `match`. */
export function indexedObjects(folder: string, match = ""): IndexedObject[] {
  const index: ProgramIndex = JSON.parse(readFileSync(join(folder, "index.json"), "utf8"));
  return index
    .filter(({ name }) => name.includes(match))
    .flatMap((entry) =>
      makers.flatMap((maker) => {
        const path = join(folder, maker, `${entry.name}.o`);
        return entry[maker] && existsSync(path) ? [{ entry, maker, path }] : [];
      }),
    );
}
