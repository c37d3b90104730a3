/**
 * Skeletons of real objects. C: a program that opens, loads and destroys the object through our
 * skeleton and one through bpftool's; both must build without warnings and come to the same end.
 * With --users, the programs that the objects were written for (NAME.c beside NAME.bpf.c) are compiled
 * against both. TypeScript: all type-check under strict options, and those that our runtime takes
 * open there. Needs root to load; attaches nothing.
 * Run: npx tsx bench/skeletons.ts DIR [--match TEXT] [--bpftool PROGRAM]
 *      [--users FOLDER… [--include FOLDER…]]
 */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { skeletonName } from "../cli/gen.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import { cSkeleton } from "../linker/skeleton/c.ts";
import { objectManifest } from "../linker/skeleton/manifest.ts";
import { typescriptSkeleton } from "../linker/skeleton/typescript.ts";
import { SimulatedKernel } from "../vm/system/simulated-kernel.ts";
import { openSkeleton } from "../vm/system/skeleton.ts";
import { objectAt } from "./object-contents.ts";
import { type IndexedObject, indexedObjects } from "./object-index.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    match: { type: "string", default: "" },
    bpftool: { type: "string", default: "bpftool" },
    users: { type: "string", multiple: true, default: [] },
    include: { type: "string", multiple: true, default: [] },
  },
});
const [folder = "."] = positionals;
const work = mkdtempSync(join(tmpdir(), "bpfc-skeletons-"));
const types = join(work, "ts");
mkdirSync(types);
writeFileSync(join(types, "package.json"), '{ "type": "module" }\n');

/** 0: loaded, 2: did not open, 3: did not load. */
const loader = (name: string): string => `
#include <linux/types.h>
#include <stdbool.h>
#include "object.skel.h"
static int quiet(enum libbpf_print_level l, const char *f, va_list a) { (void)l; (void)f; (void)a; return 0; }
int main(void) {
  libbpf_set_print(quiet);
  struct ${name} *s = ${name}__open();
  if (!s) return 2;
  int err = ${name}__load(s);
  ${name}__destroy(s);
  return err ? 3 : 0;
}
`;

/** The exit code of the loader, or what the compiler said. */
function buildAndLoad(skeleton: string, name: string, declarations: string): number | string {
  writeFileSync(join(work, "object.skel.h"), skeleton);
  writeFileSync(join(work, "main.c"), declarations + loader(name));
  const args = ["-Wall", "-Wno-unused-function", "-o", "main", "main.c", "-lbpf", "-lelf"];
  const built = spawnSync("cc", args, { cwd: work, encoding: "utf8" });
  if (built.stderr !== "") return built.stderr.split("\n")[0] ?? "";
  return spawnSync(join(work, "main"), { timeout: 60_000 }).status ?? -1;
}

function bpftoolSkeleton(path: string, name: string): string | undefined {
  const args = ["gen", "skeleton", path, "name", name];
  const { status, stdout } = spawnSync(cli.bpftool, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  return status === 0 ? stdout : undefined;
}

/** C declares the types of globals by name only; a user includes a header with them. */
function typesOf(path: string): string {
  const args = ["btf", "dump", "file", path, "format", "c"];
  const { stdout } = spawnSync(cli.bpftool, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  return stdout;
}

const counts = new Map<string, number>();
const count = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);

function compareC({ path, entry }: IndexedObject, loaded: LoadedObject, name: string): void {
  const theirs = bpftoolSkeleton(path, name);
  if (theirs === undefined) {
    count("bpftool makes no skeleton");
    return;
  }
  const ours = cSkeleton(loaded, name, readFileSync(path));
  count("C skeletons");
  let outcomes = [buildAndLoad(ours, name, ""), buildAndLoad(theirs, name, "")];
  if (outcomes.some((outcome) => typeof outcome === "string")) {
    const declarations = `#define __VMLINUX_H__\n${typesOf(path)}`;
    const withoutTypes = `#include <stdint.h>\n${declarations}`;
    outcomes = [ours, theirs].map((text) => buildAndLoad(text, name, withoutTypes));
  }
  const [mine, other] = outcomes;
  if (typeof mine === "number") count("build");
  if (mine === 0) count("load");
  if (mine === other || (typeof mine === "string" && typeof other === "string"))
    count("end as bpftool's");
  else console.log(`  ${entry.name}: ${mine}, with bpftool's ${other}`);
}

function openTypescript(name: string, path: string): void {
  const object = readFileSync(path).toString("base64");
  const opened = openSkeleton(new SimulatedKernel(), { name, object });
  count("message" in opened ? "TypeScript: refused by our verifier or loader" : "TypeScript: open");
}

/** Whether the program compiles with the skeleton; undefined where it needs what is not there. */
function compileUser(user: string, skeleton: string, header: string): boolean {
  writeFileSync(join(work, header), skeleton);
  const includes = [work, join(user, ".."), ...cli.include].flatMap((path) => ["-I", path]);
  const args = ["-c", "-w", ...includes, "-o", "/dev/null", user];
  return spawnSync("cc", args, { cwd: work, encoding: "utf8" }).status === 0;
}

function compareUsers({ path, entry }: IndexedObject, loaded: LoadedObject): void {
  const base = basename(entry.file).replace(/(\.bpf)?\.c$/, "");
  const user = cli.users.map((place) => join(place, `${base}.c`)).find((file) => existsSync(file));
  if (user === undefined) return;
  const text = readFileSync(user, "utf8");
  const header = /#include "(.*\.skel\.h)"/.exec(text)?.[1];
  const name = /\b(\w+?)__(?:open|load)/.exec(text)?.[1];
  if (header === undefined || name === undefined) return;
  const named = spawnSync(cli.bpftool, ["gen", "skeleton", path, "name", name], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const theirs = compileUser(user, named.stdout, header);
  const ours = compileUser(user, cSkeleton(loaded, name, readFileSync(path)), header);
  if (theirs) count("user programs that compile with bpftool's");
  if (ours) count("user programs that compile with ours");
  if (theirs && !ours) console.log(`  ${user} does not compile`);
}

const modules: string[] = [];
for (const object of indexedObjects(folder, cli.match)) {
  const { path, entry, maker } = object;
  const loaded = loadObject(objectAt(path), path, new Diagnostics(), {
    unknownKconfigIsZero: true,
  });
  if (loaded === undefined) continue;
  const name = skeletonName(entry.name);
  const module = `${maker}-${entry.name.replaceAll(/[^A-Za-z0-9]/g, "-")}.skel.ts`;
  writeFileSync(join(types, module), typescriptSkeleton(loaded, name, readFileSync(path)));
  modules.push(module);
  JSON.parse(JSON.stringify(objectManifest(loaded, name)));
  if (maker !== "bpfc") continue;
  compareC(object, loaded, name.slice(-40).replace(/^\d/, "_"));
  compareUsers(object, loaded);
  openTypescript(name, path);
}

/** Uses every generated type through `openSkeleton`. */
const root = pathToFileURL(join(import.meta.dirname, "..")).pathname;
const uses = modules.map(
  (module, i) => `import { skeleton as s${i} } from "./${module}";
const o${i} = openSkeleton(new SimulatedKernel(), s${i});
if (!("message" in o${i})) void [o${i}.maps, o${i}.globals, o${i}.programs];
`,
);
symlinkSync(join(root, "node_modules"), join(types, "node_modules"));
writeFileSync(
  join(types, "uses.ts"),
  `import { SimulatedKernel } from "${root}/vm/system/simulated-kernel.ts";
import { openSkeleton } from "${root}/vm/system/skeleton.ts";
${uses.join("")}`,
);
const options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,dom"];
const modes = ["--module", "nodenext", "--allowImportingTsExtensions", "--skipLibCheck"];
const typed = spawnSync(
  process.execPath,
  [join(root, "node_modules/typescript/bin/tsc"), ...options, ...modes, join(types, "uses.ts")],
  { encoding: "utf8", cwd: types },
);
console.log(
  `${modules.length} TypeScript modules: ${typed.status === 0 ? "type-check" : typed.stdout.slice(0, 2000)}`,
);
for (const [what, number] of counts) console.log(`${what}: ${number}`);
rmSync(work, { recursive: true });
