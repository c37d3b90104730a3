/**
 * `bpfc link` beside `bpftool gen object`: every object by itself, and objects of one repository in
 * pairs, whichever compiler made them. Both must agree on what links; then the outputs must have the
 * same symbols, maps, types and instructions and both load or both not, ours must be no larger, and
 * linking it again must change nothing.
 * Run: npx tsx bench/linking.ts DIR --bpftool PROGRAM --prepare PROGRAM [--match TEXT] [--load]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { diffBtf } from "../linker/dump/btf-diff.ts";
import { linkObjects } from "../linker/link.ts";
import { collectMaps } from "../linker/load.ts";
import { type ObjectView, viewObject } from "../linker/object-view.ts";
import { objectAt } from "./object-contents.ts";
import { indexedObjects } from "./object-index.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    match: { type: "string", default: "" },
    bpftool: { type: "string", default: "bpftool" },
    prepare: { type: "string" },
    load: { type: "boolean", default: false },
  },
});
const [folder = "."] = positionals;
const work = mkdtempSync(join(tmpdir(), "bpfc-linking-"));

interface Linked {
  readonly path: string;
  readonly view: ObjectView;
}

function withBpfc(paths: readonly string[]): Linked | string {
  const diagnostics = new Diagnostics();
  const inputs = paths.map((path) => ({ object: objectAt(path), path }));
  // bpftool leaves what nobody defines to a later link.
  const object = linkObjects(inputs, diagnostics, { allowUnresolved: true });
  if (object === undefined) return diagnostics.list[0]?.message ?? "no object";
  const path = join(work, "bpfc.o");
  const bytes = writeElf(object);
  writeFileSync(path, bytes);
  const back = readElf(bytes, path, diagnostics);
  const again =
    back && linkObjects([{ object: back, path }], diagnostics, { allowUnresolved: true });
  if (again === undefined || Buffer.compare(writeElf(again), bytes) !== 0) return "NOT IDEMPOTENT";
  return viewAt(path);
}

function viewAt(path: string): Linked | string {
  const diagnostics = new Diagnostics();
  const view = viewObject(objectAt(path), path, diagnostics);
  return view === undefined ? (diagnostics.list[0]?.message ?? "unreadable") : { path, view };
}

function withBpftool(paths: readonly string[]): Linked | string {
  const path = join(work, "bpftool.o");
  const result = spawnSync(cli.bpftool, ["gen", "object", path, ...paths], { encoding: "utf8" });
  return result.status === 0
    ? viewAt(path)
    : result.stderr.trim().split("\n").slice(0, 2).join(" ");
}

/** Global symbols by what loaders see of them. */
function symbolLines({ object }: ObjectView): string[] {
  return object.symbols
    .filter(({ binding }) => binding !== "local")
    .map(({ name, section, size, binding, type, visibility }) => {
      const place = typeof section === "number" ? object.sections[section]?.name : section;
      return `${name} ${place} ${size} ${binding} ${type} ${visibility}`;
    })
    .sort();
}

function mapLines(view: ObjectView): string[] {
  return collectMaps(view, new Diagnostics())
    .map(({ spec }) =>
      [spec.name, spec.type, spec.keySize, spec.valueSize, spec.maxEntries, spec.flags].join(" "),
    )
    .sort();
}

/** Instructions as libbpf relocates them, without file descriptors; or its refusal. */
function prepared(path: string): { readonly status: number | null; readonly lines: string[] } {
  const args = cli.load ? ["-l", path] : [path];
  const { status, stdout } = spawnSync(cli.prepare ?? "libbpf-prepare", args, {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const lines = stdout.split("\n").map((line) => {
    const map = / map (?:.*(?=\.(?:rodata|data|bss|kconfig)$))?(.*)$/.exec(line)?.[1];
    return map === undefined ? line : `${line.slice(0, 8)} map ${map}`;
  });
  return { status, lines };
}

const firstUnlike = (a: readonly string[], b: readonly string[]): string | undefined => {
  const at = a.findIndex((line, index) => line !== b[index]);
  if (at >= 0) return `${a[at]} ≠ ${b[at]}`;
  return a.length === b.length ? undefined : `${a.length} ≠ ${b.length} lines`;
};

const counts = { tried: 0, linked: 0, refused: 0, equal: 0, loaded: 0, smaller: 0 };
const sizes = { bpfc: 0, bpftool: 0, types: 0, theirTypes: 0 };

function compare(name: string, paths: readonly string[]): void {
  const show = (what: string): void => console.log(`  ${name}: ${what}`);
  counts.tried += 1;
  const [ours, theirs] = [withBpfc(paths), withBpftool(paths)];
  if (typeof theirs === "string") {
    if (typeof ours === "string") counts.refused += 1;
    else show(`only bpftool refuses: ${theirs}`);
    return;
  }
  if (typeof ours === "string") return show(`only bpfc refuses: ${ours}`);
  counts.linked += 1;
  const [size, theirSize] = [statSync(ours.path).size, statSync(theirs.path).size];
  sizes.bpfc += size;
  sizes.bpftool += theirSize;
  sizes.types += ours.view.btf?.types.length ?? 0;
  sizes.theirTypes += theirs.view.btf?.types.length ?? 0;
  if (size <= theirSize) counts.smaller += 1;
  else show(`${size} bytes, bpftool ${theirSize}`);
  const [own, other] = [prepared(ours.path), prepared(theirs.path)];
  const changes = ours.view.btf && theirs.view.btf ? diffBtf(theirs.view.btf, ours.view.btf) : [];
  const difference =
    firstUnlike(symbolLines(ours.view), symbolLines(theirs.view)) ??
    firstUnlike(mapLines(ours.view), mapLines(theirs.view)) ??
    (changes[0] && `${changes[0].change} ${changes[0].type} ${changes[0].details.join("; ")}`) ??
    (own.status === other.status ? undefined : "only one of them loads") ??
    firstUnlike(own.lines, other.lines);
  if (difference === undefined) counts.equal += 1;
  else show(difference);
  if (own.status === 0) counts.loaded += 1;
}

const objects = indexedObjects(folder, cli.match);
for (const { path, maker, entry } of objects) compare(`${maker} ${entry.name}`, [path]);
const single = { ...counts };
const byName = new Map<string, Map<string, string>>();
for (const { path, maker, entry } of objects) {
  const paths = byName.get(entry.name) ?? new Map<string, string>();
  byName.set(entry.name, paths.set(maker, path));
}
const names = [...byName];
names.forEach(([name, paths], index) => {
  const [next, others] = names[index + 1] ?? ["", new Map<string, string>()];
  if (name.split("__")[0] !== next.split("__")[0]) return;
  // Mixes: one of each compiler where both made an object.
  const [first, second] = index % 2 === 0 ? ["clang", "bpfc"] : ["bpfc", "clang"];
  const chosen = [
    paths.get(first ?? "") ?? [...paths.values()][0],
    others.get(second ?? "") ?? [...others.values()][0],
  ];
  compare(
    `${name} + ${next}`,
    chosen.flatMap((path) => path ?? []),
  );
});
const say = (what: string, c: typeof counts): void =>
  console.log(
    `${what}: ${c.tried} tried, both link ${c.linked}, both refuse ${c.refused}, equal ${c.equal}, ` +
      `libbpf ${cli.load ? "loads" : "prepares"} ${c.loaded}, no larger ${c.smaller}`,
  );
const minus = (key: keyof typeof counts): number => counts[key] - single[key];
say("objects by themselves", single);
say("pairs", {
  tried: minus("tried"),
  linked: minus("linked"),
  refused: minus("refused"),
  equal: minus("equal"),
  loaded: minus("loaded"),
  smaller: minus("smaller"),
});
console.log(
  `bytes ${(sizes.bpfc / sizes.bpftool).toFixed(3)} and types ` +
    `${(sizes.types / sizes.theirTypes).toFixed(3)} of bpftool's`,
);
rmSync(work, { recursive: true });
