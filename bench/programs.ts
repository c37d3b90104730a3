/**
 * Which programs a measurement covers. A manifest is a JSON file: a list of
 * `{ "repo": name, "cwd": folder, "files": [path…], "flags": [compiler option…] }`, paths and options
 * relative to the folder. Without one, the project's own examples and base programs are measured.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface ProgramGroup {
  readonly repo: string;
  readonly cwd: string;
  readonly files: readonly string[];
  readonly flags: readonly string[];
}

const root = join(import.meta.dirname, "..");
const targetArchitecture = "-D__TARGET_ARCH_x86";

/** The C files in folders of the project and below them. */
export function cFilesBelow(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".c"))
      .sort()
      .map((name) => join(root, folder, name)),
  );
}

function ownPrograms(): ProgramGroup[] {
  const examples = readdirSync(join(root, "examples"), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap((entry) =>
      readdirSync(join(root, "examples", entry.name))
        .filter((name) => name.endsWith(".bpf.c"))
        .map((name) => join("examples", entry.name, name)),
    );
  const bases = readdirSync(join(root, "test/cases/bases"))
    .filter((name) => name.endsWith(".c"))
    .map((name) => join("test/cases/bases", name));
  const flags = [targetArchitecture];
  return [
    { repo: "examples", cwd: root, files: examples, flags },
    { repo: "bases", cwd: root, files: bases, flags },
  ];
}

/** The groups of a manifest, or the project's own programs. */
export function programGroups(manifest: string | undefined): readonly ProgramGroup[] {
  return manifest === undefined ? ownPrograms() : JSON.parse(readFileSync(manifest, "utf8"));
}

/** Geometric mean; 1 for an empty list. */
export function geometricMean(ratios: readonly number[]): number {
  if (ratios.length === 0) return 1;
  return Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
}

/** The middle value of a list that is not empty. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}
