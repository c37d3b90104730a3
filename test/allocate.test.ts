/** Register allocation and clean-up: textual IR → final machine code for v3. */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { printMachine } from "../compiler/6-select/print-machine.ts";
import { generateMachineCode } from "../compiler/8-emit/emit.ts";
import { goldenSuite } from "./support/golden.ts";
import { parseIrCase } from "./support/parse-ir-case.ts";

goldenSuite({
  folder: "test/cases/allocate",
  input: ".ir",
  expected: ".machine",
  run: (text, _name, file) => {
    const module = parseIrCase(text, file);
    const diagnostics = new Diagnostics();
    const options = { endian: module.endian, cpu: "v3", strictAlign: false } as const;
    const code = generateMachineCode(module, options, diagnostics);
    const errors = diagnostics.list.flatMap(({ message, notes = [] }) => [
      `error: ${message}\n`,
      ...notes.map((note) => `note: ${note.message}\n`),
    ]);
    return errors.join("") + code.map(printMachine).join("\n");
  },
});
