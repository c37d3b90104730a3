/** Textual IR of a test case, which must be free of errors. */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrModule } from "../../compiler/4-lower/ir.ts";
import { parseIr } from "../../compiler/4-lower/parse-ir.ts";
import { verifyModule } from "../../compiler/4-lower/verify-ir.ts";

export function parseIrCase(text: string, path: string): IrModule {
  const diagnostics = new Diagnostics();
  const module = parseIr({ path, text, isSystem: false }, diagnostics);
  if (module === undefined || diagnostics.hasErrors) {
    throw new Error(`${path}: ${diagnostics.list.map(({ message }) => message).join("; ")}`);
  }
  const problems = verifyModule(module);
  if (problems.length > 0) throw new Error(`${path}: ${problems.join("; ")}`);
  return module;
}
