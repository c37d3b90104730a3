/**
 * Whether real programs compile to the same bytes wherever they lie: each is compiled with -g in two
 * copies of its repository, as the manifest says, and once more with every path made absolute.
 * Run: npm run build && npx tsx bench/reproducibility.ts --manifest FILE [--match TEXT]
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { type ProgramGroup, programGroups } from "./programs.ts";

const { values: cli } = parseArgs({
  options: { manifest: { type: "string" }, match: { type: "string", default: "" } },
});
const bundle = join(import.meta.dirname, "../dist/bpfc.cjs");
const work = mkdtempSync(join(tmpdir(), "bpfc-same-"));
const output = join(work, "out.o");

/** The object of a program in one copy of its repository; undefined where it does not compile. */
function objectIn(
  folder: string,
  { flags, cwd }: ProgramGroup,
  file: string,
  makePath: (path: string) => string,
): Buffer | undefined {
  const includes = new Set(["-I", "-idirafter", "-isystem", "-include"]);
  const moved = (path: string): string =>
    path.startsWith(`${cwd}/`) ? join(folder, path.slice(cwd.length)) : makePath(path);
  const words = flags.map((flag, at) => (includes.has(flags[at - 1] ?? "") ? moved(flag) : flag));
  const place = ["-I", makePath(dirname(file)), "-c", makePath(file), "-o", output];
  const args = [bundle, "cc", "-O2", "-g", "-w", ...words, ...place];
  const { status } = spawnSync(process.execPath, args, { cwd: folder });
  return status === 0 ? readFileSync(output) : undefined;
}

let [compiled, same, sameAbsolute] = [0, 0, 0];
for (const group of programGroups(cli.manifest && resolve(cli.manifest))) {
  const folders = [join(work, "a"), join(work, "another/much longer/path")] as const;
  for (const folder of folders) cpSync(group.cwd, folder, { recursive: true });
  for (const file of group.files.filter((path) => path.includes(cli.match))) {
    const plain = (path: string): string => path;
    const [first, second] = folders.map((folder) => objectIn(folder, group, file, plain));
    if (first === undefined || second === undefined) continue;
    compiled += 1;
    if (first.equals(second)) same += 1;
    else console.log(`${group.repo} ${file}: differs`);
    const [third, fourth] = folders.map((folder) =>
      objectIn(folder, group, file, (path) => (isAbsolute(path) ? path : join(folder, path))),
    );
    const isClean = third?.includes(work) === false;
    if (third !== undefined && fourth?.equals(third) && isClean) sameAbsolute += 1;
    else console.log(`${group.repo} ${file}: differs with absolute paths`);
  }
  for (const folder of folders) rmSync(folder, { recursive: true });
}
console.log(`${compiled} programs: ${same} the same, ${sameAbsolute} with absolute paths`);
rmSync(work, { recursive: true });
