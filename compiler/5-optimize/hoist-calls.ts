/**
 * What both ways of a branch begin with, down to a call of a function of the module, is done in front of the
 * branch: the body is then copied once. Macros that choose between two functions of the kernel, and read what they
 * pass for each of them, make such ways. The twin of sink-calls.ts.
 * Only where the branch says nothing of what the call or a load is given, as the verifier may have to know that.
 * Needs: reachable blocks; run before inlining.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, IrInstruction, Value } from "../4-lower/ir.ts";
import { sameValue, terminatorOf } from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { inlinableCall } from "./sink-calls.ts";
import { type InstructionOf, isOp, operand } from "./values.ts";

/** Instructions that are compared. */
const longestHead = 24;

export const hoistCalls: FunctionPass = {
  kind: "function",
  name: "hoist-calls",
  run(fn, context) {
    const isCall = (each: IrInstruction): boolean => inlinableCall(each, fn, context) !== undefined;
    const branches = fn.blocks.flatMap((block) => {
      const branch = terminatorOf(block);
      return isOp(branch, "condbr") &&
        armsOf(branch).every(({ instructions }) => instructions.slice(0, longestHead).some(isCall))
        ? branch
        : [];
    });
    if (branches.length === 0) return false;
    const preds = predecessors(fn);
    const rewriter = new Rewriter(fn);
    for (const branch of branches) {
      const [first, second] = armsOf(branch);
      const isPlain = [first, second].every(
        (arm) => preds.get(arm)?.length === 1 && !isOp(arm.instructions[0], "phi"),
      );
      if (first === second || !isPlain) continue;
      hoist(branch, commonHead(branch, isCall), rewriter);
    }
    return rewriter.apply();
  },
};

function armsOf({ operation }: InstructionOf<"condbr">): [Block, Block] {
  return [operation.then, operation.otherwise];
}

type Pair = readonly [IrInstruction, IrInstruction];

/** The instructions that both arms begin with, the last of them a call. */
function commonHead(
  branch: InstructionOf<"condbr">,
  isCall: (each: IrInstruction) => boolean,
): readonly Pair[] {
  const [first, second] = armsOf(branch);
  const tested = testedValues(branch);
  const twins = new Map<Value, Value>();
  const pairs: Pair[] = [];
  let length = 0;
  for (const [at, a] of first.instructions.slice(0, longestHead).entries()) {
    const b = second.instructions[at];
    if (b === undefined || !isSame(a, b, twins)) break;
    if (!isCall(a) && !isOp(a, "load") && !movable.has(a.operation.op)) break;
    if (a.operands.some((each) => tested.has(each))) break;
    twins.set(b, a);
    pairs.push([a, b]);
    if (isCall(a)) length = pairs.length;
  }
  return pairs.slice(0, length);
}

/** What the branch may say something of. */
function testedValues(branch: InstructionOf<"condbr">): ReadonlySet<Value> {
  const condition = operand(branch, 0);
  const values = condition.kind === "instruction" ? [condition, ...condition.operands] : [];
  return new Set(values.filter(({ kind }) => kind === "instruction" || kind === "parameter"));
}

const movable: ReadonlySet<string> = new Set(
  "binary icmp zext sext trunc bswap ptradd select".split(" "),
);

function isSame(a: IrInstruction, b: IrInstruction, twins: ReadonlyMap<Value, Value>): boolean {
  const [x, y] = [a.operation, b.operation];
  if (a.type !== b.type || x.op !== y.op || a.operands.length !== b.operands.length) return false;
  const isEqual = a.operands.every((each, at) => {
    const other = operand(b, at);
    return sameValue(each, twins.get(other) ?? other);
  });
  if (!isEqual) return false;
  if (x.op === "binary" && y.op === "binary") return x.binary === y.binary;
  if (x.op === "icmp" && y.op === "icmp") return x.predicate === y.predicate;
  if (x.op === "load" && y.op === "load") {
    // Either way made the access once, and makes it still, in the same order.
    return x.volatile === y.volatile && x.align === y.align && x.accessed === y.accessed;
  }
  if (x.op !== "call" || y.op !== "call") return true;
  const [f, g] = [x.callee, y.callee];
  return f.kind === "function" && g.kind === "function" && f.symbol === g.symbol;
}

function hoist(branch: IrInstruction, pairs: readonly Pair[], rewriter: Rewriter): void {
  for (const [a, b] of pairs) {
    a.block.instructions.shift();
    a.block = branch.block;
    a.block.instructions.splice(-1, 0, a);
    rewriter.replace(b, a);
  }
}
