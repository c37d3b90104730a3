/**
 * A jump back to a loop's test becomes the test itself, where that is a branch alone: a round then
 * has one jump less. Layout puts a loop's test before the loop, since older kernels refuse one that
 * is fallen into from behind (see layout.ts). Needs physical registers; the graph stays as it is but
 * for the new edges.
 */
import type { MachineFunction } from "../6-select/machine.ts";

export function repeatTests(fn: MachineFunction): void {
  const index = new Map(fn.blocks.map((block, at) => [block, at]));
  fn.blocks.forEach((block, at) => {
    const end = block.terminator;
    if (end.kind !== "jump" || (index.get(end.target) ?? 0) > at) return;
    const test = end.target;
    if (test.instructions.length === 0 && test.terminator.kind === "branch") {
      block.terminator = { ...test.terminator };
    }
  });
}
