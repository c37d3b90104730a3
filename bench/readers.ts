/**
 * Other projects' readers on our objects: each must succeed and complain of nothing.
 * Run: npx tsx bench/readers.ts DIR [--match TEXT] [--bpftool PROGRAM]
 */
import { spawnSync } from "node:child_process";
import { parseArgs } from "node:util";
import { indexedObjects } from "./object-index.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    match: { type: "string", default: "" },
    bpftool: { type: "string", default: "bpftool" },
  },
});
const [folder = "."] = positionals;

type Reader = (path: string) => readonly string[];
const readers: Readonly<Record<string, Reader>> = {
  "llvm-readelf -a": (path) => ["llvm-readelf-19", "-a", path],
  "llvm-objdump -d -S -r": (path) => ["llvm-objdump-19", "-d", "-S", "-r", path],
  "readelf -a": (path) => ["readelf", "-a", "-W", path],
  "bpftool btf dump": (path) => [cli.bpftool, "btf", "dump", "file", path],
  "bpftool btf dump format c": (path) => [
    cli.bpftool,
    ...["btf", "dump", "file", path, "format", "c"],
  ],
  "pahole -F btf": (path) => ["pahole", "-F", "btf", path],
};

const objects = indexedObjects(folder, cli.match).filter(({ maker }) => maker === "bpfc");
for (const [name, command] of Object.entries(readers)) {
  const complaints = objects.flatMap(({ entry, path }) => {
    const [tool = "", ...args] = command(path);
    const { status, stderr, error } = spawnSync(tool, args, {
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    const isQuiet = status === 0 && stderr === "";
    return isQuiet ? [] : [`${entry.name}: ${error?.message ?? stderr.trim().split("\n")[0]}`];
  });
  console.log(`${name}: ${objects.length - complaints.length} of ${objects.length}`);
  for (const complaint of complaints) console.log(`  ${complaint}`);
}
