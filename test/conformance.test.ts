/**
 * What instructions mean, as data: assembly with `// mem: BYTES` (r1 points to them, r2 is their
 * number) and `// r0: VALUE`. Both engines run each file.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Kernel } from "../vm/kernel/kernel.ts";
import { runRaw } from "../vm/programs/raw-run.ts";
import { loadAssembly } from "./support/load-assembly.ts";

const folder = join(import.meta.dirname, "cases/conformance");
const files = readdirSync(folder).filter((name) => name.endsWith(".s"));

function directive(text: string, name: string): string | undefined {
  return new RegExp(`^// ${name}: (.*)$`, "m").exec(text)?.[1];
}

test("there are cases, and nothing else", () => {
  expect(files.length).toBeGreaterThan(5);
  expect(readdirSync(folder).filter((name) => !files.includes(name))).toEqual([]);
});

for (const name of files) {
  const text = readFileSync(join(folder, name), "utf8");
  for (const engine of ["jit", "interpreter"] as const) {
    test(`${name} (${engine})`, () => {
      const body = `	.section xdp,"ax",@progbits\n	.globl main\n	.type main,@function\nmain:\n${text}`;
      const memory = Buffer.from((directive(text, "mem") ?? "").replaceAll(" ", ""), "hex");
      const [program] = loadAssembly(body).programs;
      const result = runRaw(new Kernel(), program?.insns ?? new Uint8Array(0), { memory, engine });
      expect(result.error).toBeUndefined();
      expect("r0" in result && `0x${result.r0.toString(16)}`).toBe(directive(text, "r0"));
    });
  }
}
