/** Runs the optimiser on textual IR, checking the IR after every pass. */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrModule } from "../../compiler/4-lower/ir.ts";
import { parseIr } from "../../compiler/4-lower/parse-ir.ts";
import { printIr } from "../../compiler/4-lower/print-ir.ts";
import { verifyModule } from "../../compiler/4-lower/verify-ir.ts";
import { createPassContext, type OptimizeOptions } from "../../compiler/5-optimize/pass.ts";
import { functionPasses, modulePasses, optimizeModule } from "../../compiler/5-optimize/passes.ts";
import type { OptimizationLevel } from "../../compiler/options.ts";

export function parseModule(text: string, path = "test.ir"): IrModule {
  const diagnostics = new Diagnostics();
  const module = parseIr({ path, text, isSystem: false }, diagnostics);
  if (module === undefined) throw new Error(JSON.stringify(diagnostics.list.map((d) => d.message)));
  return module;
}

/** Throws with the printed module if the IR's rules are broken. */
export function checkModule(module: IrModule, after: string): void {
  const problems = verifyModule(module);
  if (problems.length === 0) return;
  const list = problems.map((each) => JSON.stringify(each)).join("\n");
  throw new Error(`after ${after}:\n${list}\n${printIr(module)}`);
}

export function optimizeOptions(level: OptimizationLevel, strictAlign = false): OptimizeOptions {
  return { level, target: { endian: "little", cpu: "v3", strictAlign } };
}

/** The whole pipeline, with a check after each pass. */
export function optimizeChecked(module: IrModule, options: OptimizeOptions): Diagnostics {
  const diagnostics = new Diagnostics();
  checkModule(module, "parsing");
  optimizeModule(module, options, diagnostics, (pass) => checkModule(module, pass));
  return diagnostics;
}

/**
 * A case: `; passes: a b c` in its first line names passes, `; level: 2` the whole pipeline;
 * `strict-align` may follow. The result is the IR, and the diagnostics as comments.
 */
export function runOptimizeCase(text: string, file: string): string {
  const directive = /^; (passes|level): (.*)$/m.exec(text);
  if (directive === null) throw new Error(`${file} has no '; passes:' or '; level:' line`);
  const [, kind, list = ""] = directive;
  const words = list.split(/\s+/);
  const strictAlign = words.includes("strict-align");
  const names = words.filter((word) => word !== "strict-align");
  const module = parseModule(text, file);
  checkModule(module, "parsing");
  if (kind === "level") {
    const options = optimizeOptions(names[0] as OptimizationLevel, strictAlign);
    const diagnostics = optimizeChecked(module, options);
    const messages = diagnostics.list.map(({ severity, message }) => `; ${severity}: ${message}\n`);
    return messages.join("") + printIr(module);
  }
  for (const name of names) {
    const context = createPassContext(module, optimizeOptions("2", strictAlign), new Diagnostics());
    const pass = functionPasses.get(name);
    const wholePass = modulePasses.get(name);
    if (pass !== undefined) for (const fn of module.functions) pass.run(fn, context);
    else if (wholePass !== undefined) wholePass.run(context);
    else throw new Error(`${file}: there is no pass '${name}'`);
    checkModule(module, name);
  }
  return printIr(module);
}
