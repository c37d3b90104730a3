/** Where the machine keeps its own headers. */
import { existsSync } from "node:fs";
import type { CcOptions } from "./options.ts";

const machineDirectories = ["/usr/local/include", "/usr/include"];

/** Directories of the machine that clang searches too, where they exist. */
export function standardDirectories(options: CcOptions): string[] {
  return options.noStandardIncludes ? [] : machineDirectories.filter((path) => existsSync(path));
}
