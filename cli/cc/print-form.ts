/** `--print=FORM`: the program between two phases, as text. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { printPreprocessed } from "../../compiler/1-preprocess/print-preprocessed.ts";
import { printTranslationUnit } from "../../compiler/2-parse/print-ast.ts";
import { printChecked } from "../../compiler/3-check/print-checked.ts";
import { printIr } from "../../compiler/4-lower/print-ir.ts";
import { printMachine } from "../../compiler/6-select/print-machine.ts";
import { generateMachineCode } from "../../compiler/8-emit/emit.ts";
import type { Compilation } from "../../compiler/compile.ts";
import type { CcOptions } from "./options.ts";

type Form = "tokens" | "ast" | "checked" | "ir" | "machine";

const printers: Readonly<
  Record<Form, (c: Compilation, options: CcOptions, diagnostics: Diagnostics) => string | undefined>
> = {
  tokens: (c) => c.preprocessed && printPreprocessed(c.preprocessed, false),
  ast: (c) => c.syntax && printTranslationUnit(c.syntax),
  checked: (c) => c.checked && printChecked(c.checked),
  ir: (c) => c.ir && printIr(c.ir),
  machine: (c, { endian, cpu, strictAlign }, diagnostics) =>
    c.ir &&
    generateMachineCode(c.ir, { endian, cpu, strictAlign }, diagnostics)
      .map((fn) => printMachine(fn))
      .join("\n"),
};

/** The text, or undefined where errors kept the phase from running. */
export function printForm(
  form: Form,
  compilation: Compilation,
  options: CcOptions,
  diagnostics: Diagnostics,
): string | undefined {
  return printers[form](compilation, options, diagnostics);
}
