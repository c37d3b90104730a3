/**
 * Paths as objects record them: they must not say where on this machine a file lies. What the user
 * maps comes first; an absolute path becomes relative to the working directory where it lies below
 * it, otherwise to the directory that headers are searched in, as it was included.
 */
import { realpathSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { CcOptions } from "./options.ts";
import { standardDirectories } from "./standard-directories.ts";

/** Longest prefix first, as the last matching option wins among equals. */
export function recordedPath(options: CcOptions): (path: string) => string {
  const maps = [...options.prefixMaps].reverse();
  let known: readonly string[] | undefined;
  const folders = (): readonly string[] => {
    known ??= [...workingFolders(), ...searchFolders(options)].map((path) =>
      path.endsWith("/") ? path : `${path}/`,
    );
    return known;
  };
  return (path) => {
    const map = maps.find(({ from }) => path.startsWith(from));
    if (map !== undefined) return map.to + path.slice(map.from.length);
    // A map to the sources has to find them.
    if (!isAbsolute(path) || options.sourceMap !== undefined) return path;
    const folder = folders().find((from) => path.startsWith(from));
    return path.slice(folder?.length ?? path.lastIndexOf("/") + 1);
  };
}

/** The working directory, also as the shell names it where links lead there. */
function workingFolders(): string[] {
  const real = process.cwd();
  const { PWD: named = real } = process.env;
  try {
    // A program that called us may have changed the directory and not the variable.
    return isAbsolute(named) && realpathSync(named) === real ? [real, resolve(named)] : [real];
  } catch {
    return [real];
  }
}

/** Absolute ones, the longest first. */
function searchFolders(options: CcOptions): string[] {
  const { quoteDirs, includeDirs, systemDirs, afterDirs, inputs } = options;
  const inputFolders = inputs.map((input) => dirname(input));
  return [...quoteDirs, ...includeDirs, ...systemDirs, ...afterDirs, ...inputFolders]
    .concat(standardDirectories(options))
    .filter((path) => isAbsolute(path))
    .sort((a, b) => b.length - a.length);
}
