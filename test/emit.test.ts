/** Emission: textual IR → assembly text with sections, symbols and data. */
import { expect, test } from "vitest";
import { printAssembly } from "../assembler/print.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { emitModule } from "../compiler/8-emit/emit.ts";
import type { CpuVersion } from "../compiler/options.ts";
import { goldenSuite } from "./support/golden.ts";
import { parseIrCase } from "./support/parse-ir-case.ts";

goldenSuite({
  folder: "test/cases/emit",
  input: ".ir",
  expected: ".s",
  run: (text, _name, file) => {
    const module = parseIrCase(text, file);
    const diagnostics = new Diagnostics();
    const options = { endian: module.endian, cpu: "v3", strictAlign: false } as const;
    const assembly = emitModule(module, undefined, options, diagnostics);
    const errors = diagnostics.list.map(({ message }) => `error: ${message}\n`);
    return errors.join("") + printAssembly(assembly);
  },
});

/** A branch over 40,000 instructions. */
function farBranch(cpu: CpuVersion): { errors: readonly string[]; text: string } {
  const steps = Array.from(
    { length: 20_000 },
    (_, at) => `  %${at + 2} = xor i64 %${at + 1}, %p0\n`,
  );
  const text = `module "far.c" little

define i64 @far(i64 %p0 "a") global section "xdp" {
b0:
  %0 = icmp eq i64 %p0, 5
  condbr %0, b2, b1
b1:
  %1 = add i64 %p0, 3
${steps.map((step, at) => step + (at % 1 === 0 ? `  store i64 %${at + 2}, %p0 align 8 volatile\n` : "")).join("")}  br b2
b2:
  %30000 = phi i64 [7, b0], [%20001, b1]
  ret i64 %30000
}
`.replace(/, %p0 align/g, ", @g align");
  const withGlobal = text.replace(
    "little\n",
    'little\n\nglobal @g global section ".bss" align 8 size 8\n',
  );
  const module = parseIrCase(withGlobal, "far.ir");
  const diagnostics = new Diagnostics();
  const options = { endian: "little", cpu, strictAlign: false } as const;
  const assembly = emitModule(module, undefined, options, diagnostics);
  return {
    errors: diagnostics.list.map(({ code }) => code),
    text: diagnostics.hasErrors ? "" : printAssembly(assembly),
  };
}

test("a jump beyond 16 bits becomes gotol on v4", () => {
  const { errors, text } = farBranch("v4");
  expect(errors).toEqual([]);
  expect(text).toContain("gotol");
});

test("a jump beyond 16 bits goes through an island below v4", () => {
  const { errors, text } = farBranch("v3");
  expect(errors).toEqual([]);
  expect(text).not.toContain("gotol");
  const marks = text.split(/[\r\n]+/).filter((line) => /hop|over/.test(line));
  expect(marks.map((line) => line.trim().replace(/\d+(?=_0|:|$)/, "N"))).toEqual([
    "if r1 == 5 goto .LLBB0_hop0_N_0",
    "goto .LLBB0_over0_N",
    ".LLBB0_hop0_N_0:",
    ".LLBB0_over0_N:",
  ]);
});
