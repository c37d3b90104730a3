/** Source maps as files: paths in them are relative to where they stand. */
import { basename, dirname, isAbsolute, relative } from "node:path";
import type { SourceMapOptions } from "../assembler/source-map.ts";

/** For a map at `mapPath` that belongs to `generated`; `contentOf` for one that holds its sources. */
export function sourceMapOptions(
  mapPath: string,
  generated: string,
  contentOf?: SourceMapOptions["contentOf"],
): SourceMapOptions {
  const folder = mapPath === "-" ? "." : dirname(mapPath);
  return {
    file: basename(generated),
    // Headers inside the compiler and absolute paths stay as they are named.
    sourcePath: (path) =>
      path.startsWith("<") || isAbsolute(path)
        ? path
        : relative(folder, path).replaceAll("\\", "/"),
    ...(contentOf && { contentOf }),
  };
}
