/** `--stats` and `--stats=json`: what the functions of a file cost. */
import type { FunctionStats, LineStats, StackObjectStats } from "../../compiler/8-emit/stats.ts";

export type StatsFormat = "text" | "json";

export function printStats(
  input: string,
  functions: readonly FunctionStats[],
  format: StatsFormat,
): string {
  if (format === "json") return `${JSON.stringify({ file: input, functions }, undefined, 2)}\n`;
  return functions.flatMap(functionText).join("");
}

function plural(count: number, singular: string): string {
  return `${count} ${singular}${count === 1 ? "" : "s"}`;
}

function functionText(fn: FunctionStats): string[] {
  const spills =
    fn.spilledRegisters === 0
      ? "no spills"
      : `${plural(fn.spilledRegisters, "spilled register")} ` +
        `(${plural(fn.spillStores, "store")}, ${plural(fn.spillLoads, "load")})`;
  const head =
    `${fn.name} (${fn.section}): ${plural(fn.instructions, "instruction")}, ` +
    `${plural(fn.stack, "byte")} of stack, ${spills}\n`;
  return [head, ...fn.objects.map(objectText), ...fn.lines.map(lineText)];
}

function objectText({ name, bytes, place }: StackObjectStats): string {
  const where = place.length === 0 ? "" : ` at ${place.join(", inlined at ")}`;
  return `  stack ${String(bytes).padStart(5)}  '${name}'${where}\n`;
}

function lineText({ file, line, instructions, spillStores, spillLoads }: LineStats): string {
  const spills = spillStores + spillLoads;
  const where = line === 0 ? "no line" : `${file}:${line}`;
  const note = spills === 0 ? "" : `  (${plural(spills, "spill")})`;
  return `  insns ${String(instructions).padStart(5)}  ${where}${note}\n`;
}
