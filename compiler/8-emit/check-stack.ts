/**
 * Warns where a chain of calls needs more stack than the kernel gives it. Frames count rounded up to
 * 16 bytes and share 512 along the chain; tracing programs are left out, as their functions get a
 * stack each.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { IrModule } from "../4-lower/ir.ts";
import { spanOf } from "../5-optimize/report.ts";
import type { MachineFunction } from "../6-select/machine.ts";

const kernelLimit = 512;
/** Sections of programs that have one stack for all their functions. */
const sharedStack =
  /^\??(xdp|tc|tcx|classifier|action|netkit|socket|sockops|cgroup|cgroup_skb|sk_\w+|lwt_\w+|flow_dissector|netfilter)\b/;

const rounded = (bytes: number): number => Math.ceil(bytes / 16) * 16;

export function checkStack(
  ir: IrModule,
  code: readonly MachineFunction[],
  diagnostics: Diagnostics,
): void {
  if (code.length < 2) return;
  const byName = new Map(code.map((fn) => [fn.name, fn]));
  const chains = new DeepestChains(byName);
  for (const { name, section } of ir.functions) {
    const fn = byName.get(name);
    if (fn === undefined || !sharedStack.test(section)) continue;
    const chain = chains.from(fn);
    const total = chain.reduce((sum, each) => sum + rounded(each.frameSize), 0);
    if (chain.length > 1 && total > kernelLimit) warn(chain, total, diagnostics);
  }
}

/** The chain of calls with the largest sum of frames, by its first function. */
class DeepestChains {
  readonly #byName: ReadonlyMap<string, MachineFunction>;
  readonly #known = new Map<MachineFunction, readonly MachineFunction[]>();

  constructor(byName: ReadonlyMap<string, MachineFunction>) {
    this.#byName = byName;
  }

  from(fn: MachineFunction): readonly MachineFunction[] {
    const known = this.#known.get(fn);
    if (known !== undefined) return known;
    // Recursion, which the kernel refuses anyway, ends here.
    this.#known.set(fn, [fn]);
    let deepest: readonly MachineFunction[] = [];
    for (const callee of this.#callees(fn)) {
      const chain = this.from(callee);
      if (stackOf(chain) > stackOf(deepest)) deepest = chain;
    }
    const result = [fn, ...deepest];
    this.#known.set(fn, result);
    return result;
  }

  #callees(fn: MachineFunction): Set<MachineFunction> {
    const callees = new Set<MachineFunction>();
    for (const { instructions } of fn.blocks) {
      for (const op of instructions) {
        if (op.kind !== "call" || op.target.kind !== "local") continue;
        const callee = this.#byName.get(op.target.symbol);
        if (callee !== undefined) callees.add(callee);
      }
    }
    return callees;
  }
}

function stackOf(chain: readonly MachineFunction[]): number {
  return chain.reduce((sum, fn) => sum + rounded(fn.frameSize), 0);
}

function warn(chain: readonly MachineFunction[], total: number, diagnostics: Diagnostics): void {
  const [first] = chain;
  if (first === undefined) return;
  const notes = chain.map(({ name, frameSize, location, slots }) => {
    const [largest] = slots
      .filter(({ isSpill, offset }) => !isSpill && offset !== undefined)
      .sort((a, b) => b.size - a.size);
    const most = largest === undefined ? "" : `, of which '${largest.name}' has ${largest.size}`;
    return {
      message: `'${name}' needs ${frameSize} bytes${most}`,
      ...(location && { span: spanOf(location) }),
    };
  });
  diagnostics.add({
    severity: "warning",
    code: "stack-chain",
    message:
      `the calls ${chain.map(({ name }) => `'${name}'`).join(" → ")} need ${total} bytes of stack ` +
      `together; the kernel allows ${kernelLimit}`,
    ...(first.location && { span: spanOf(first.location) }),
    notes,
  });
}
