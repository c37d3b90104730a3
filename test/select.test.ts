/** Instruction selection: textual IR → machine code with virtual registers, for three CPU versions. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { printMachine } from "../compiler/6-select/print-machine.ts";
import { selectFunction } from "../compiler/6-select/select.ts";
import { goldenSuite } from "./support/golden.ts";
import { parseIrCase } from "./support/parse-ir-case.ts";

goldenSuite({
  folder: "test/cases/select",
  input: ".ir",
  expected: ".machine",
  run: (text, _name, file) => {
    const module = parseIrCase(text, file);
    const defined = new Set(module.functions.map(({ name }) => name));
    return (["v1", "v3", "v4"] as const)
      .map((cpu) => {
        const diagnostics = new Diagnostics();
        const options = { endian: module.endian, cpu, strictAlign: false };
        const environment = { module, defined, compiled: defined, options, diagnostics };
        const code = module.functions.map((fn) => printMachine(selectFunction(fn, environment)));
        const errors = diagnostics.list.map(({ message }) => `error: ${message}\n`);
        return `# ${cpu}\n${errors.join("")}${code.join("\n")}`;
      })
      .join("\n");
  },
});
