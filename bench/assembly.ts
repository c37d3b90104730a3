/**
 * Assembly text of whole programs, both ways: `bpfc as` of clang's -S beside clang's own object, and
 * llvm-mc-19 of our -S beside ours. Run over a folder that corpus-objects.ts made:
 * npx tsx bench/assembly.ts DIR [--match TEXT]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { assemble } from "../assembler/assemble.ts";
import { parseAssembly } from "../assembler/parse.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { writeElf } from "../common/object/write-elf.ts";
import { codeLines, contentLines, firstDifference, objectAt } from "./object-contents.ts";
import { type IndexedObject, indexedObjects } from "./object-index.ts";

const { values: cli, positionals } = parseArgs({
  allowPositionals: true,
  options: { match: { type: "string", default: "" } },
});
const [folder = "."] = positionals;
const work = mkdtempSync(join(tmpdir(), "bpfc-assembly-"));

type Outcome = { readonly object: ObjectFile } | { readonly error: string };

function withBpfc(path: string): Outcome {
  const diagnostics = new Diagnostics();
  const file = { path, text: readFileSync(path, "utf8"), isSystem: false };
  const parsed = parseAssembly(file, "little", diagnostics);
  const assembled = parsed && assemble(parsed.module, diagnostics, { spanOf: parsed.spanOf });
  // Through the file's bytes, as every reader gets it.
  const object = assembled && readElf(writeElf(assembled), path, diagnostics);
  if (object === undefined || diagnostics.hasErrors) {
    return { error: diagnostics.list[0]?.message ?? "no object" };
  }
  return { object };
}

function withLlvm(path: string): Outcome {
  const output = join(work, "mc.o");
  const args = ["-triple", "bpfel", "-mcpu=v4", "-filetype=obj", path, "-o", output];
  const result = spawnSync("llvm-mc-19", args, { encoding: "utf8" });
  if (result.status !== 0 || result.stderr !== "") return { error: result.stderr.slice(0, 300) };
  return { object: objectAt(output) };
}

/**
 * What LLVM's assembler makes of clang's text: clang numbers BTF types differently from run to run,
 * so that its own object cannot be compared beyond the code. LLVM cannot read all that it prints.
 */
function reference(own: ObjectFile, maker: string, text: string): ObjectFile {
  if (maker === "bpfc") return own;
  const assembled = withLlvm(text);
  return "error" in assembled ? own : assembled.object;
}

/** "same", "code" (only the code is the same) or "differs"; says how it differs. */
function judge({ maker, path, entry }: IndexedObject): "same" | "code" | "differs" {
  const text = path.replace(/\.o$/, ".s");
  const outcome = maker === "clang" ? withBpfc(text) : withLlvm(text);
  const show = (what: string): void => console.log(`  ${maker} ${entry.name}: ${what}`);
  if ("error" in outcome) {
    show(outcome.error);
    return "differs";
  }
  const own = objectAt(path);
  const code = firstDifference(codeLines(own), codeLines(outcome.object));
  if (code !== undefined) {
    show(code);
    return "differs";
  }
  const expected = reference(own, maker, text);
  const rest = firstDifference(contentLines(expected), contentLines(outcome.object));
  if (rest === undefined) return "same";
  show(`(same code) ${rest}`);
  return "code";
}

for (const maker of ["clang", "bpfc"] as const) {
  const objects = indexedObjects(folder, cli.match).filter((object) => object.maker === maker);
  const verdicts = objects.map(judge);
  const count = (kind: string): number => verdicts.filter((verdict) => verdict === kind).length;
  const what = maker === "clang" ? "bpfc as of clang's -S" : "llvm-mc-19 of bpfc's -S";
  console.log(
    `${what}: ${count("same") + count("code")} of ${objects.length} have the same instructions, ` +
      `${count("same")} the same contents`,
  );
}
rmSync(work, { recursive: true });
