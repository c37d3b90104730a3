/** One C file as an object, by clang-19 and by bpfc, with the same options. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AsmModule } from "../assembler/asm-module.ts";
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { nodeFileSystem } from "../cli/node-file-system.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { renderDiagnostic } from "../common/diagnostics/render.ts";
import type { ObjectFile } from "../common/object/object-file.ts";
import { readElf } from "../common/object/read-elf.ts";
import { compile } from "../compiler/compile.ts";
import { isCode } from "../linker/object-view.ts";
import type { ProgramGroup } from "./programs.ts";

export interface Compiled {
  readonly object?: ObjectFile;
  /** By bpfc. */
  readonly assembly?: AsmModule;
  readonly error?: string;
}

export interface Target {
  readonly cpu: string;
  readonly level: string;
}

export function instructionCount({ sections }: ObjectFile): number {
  return sections.filter(isCode).reduce((sum, { size }) => sum + size / 8, 0);
}

const root = join(import.meta.dirname, "..");

export function withClang(group: ProgramGroup, file: string, target: Target): Compiled {
  const headers = group.cwd === root ? ["-nostdinc", "-I", join(root, "compiler/include")] : [];
  const level = [`-mcpu=${target.cpu}`, `-O${target.level}`, "-Wno-everything"];
  return runClang([...level, ...headers, ...group.flags, "-I", dirname(file)], file, group.cwd);
}

/** By clang-19 with debug information. */
export function runClang(words: readonly string[], file: string, cwd = process.cwd()): Compiled {
  const work = mkdtempSync(join(tmpdir(), "bpfc-bench-"));
  const output = join(work, "clang.o");
  const args = ["-target", "bpf", "-g", ...words, "-c", file, "-o", output];
  try {
    const result = spawnSync("clang-19", args, { cwd, encoding: "utf8" });
    if (result.status !== 0) {
      const error = result.stderr.split("\n").find((line) => line.includes("error"));
      return { error: error ?? "failed" };
    }
    const object = readElf(readFileSync(output), file, new Diagnostics());
    return object === undefined ? { error: "unreadable object" } : { object };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

export function withBpfc(group: ProgramGroup, file: string, target: Target): Compiled {
  const words = [
    `-mcpu=${target.cpu}`,
    `-O${target.level}`,
    ...group.flags,
    "-I",
    dirname(file),
    file,
  ];
  const parsed = parseCcArguments(words);
  if (parsed.kind !== "compile") return { error: "bad options" };
  const diagnostics = new Diagnostics();
  const before = process.cwd();
  process.chdir(group.cwd);
  try {
    const options = compileOptions(parsed.options);
    const { object, assembly } = compile(file, options, nodeFileSystem, diagnostics);
    const error = diagnostics.list.find((d) => d.severity === "error");
    if (object !== undefined && error === undefined)
      return { object, ...(assembly && { assembly }) };
    const text = error && renderDiagnostic(error, { color: false, tool: "bpfc" });
    return { error: text?.slice(0, 2).join(" | ") ?? "no object" };
  } catch (error) {
    const stack = error instanceof Error ? (error.stack ?? "").split("\n").slice(0, 3) : [error];
    return { error: `CRASH ${stack.join(" ")}` };
  } finally {
    process.chdir(before);
  }
}
