/**
 * Calls of one function of the module at the end of all ways into a block become one call there, of what
 * the ways pass: the body is then copied once. Macros that read arguments in two ways and hand them on
 * make such calls. Pointers must be the same on all ways, as the verifier would have to know what each
 * points to; a constant that not all ways pass is worth more to the copy that gets it.
 * Needs: reachable blocks; run before inlining.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  appendInstruction,
  computeUses,
  createBlock,
  firstNonPhi,
  sameValue,
  type Use,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { type InstructionOf, isOp, operand } from "./values.ts";

export const sinkCalls: FunctionPass = {
  kind: "function",
  name: "sink-calls",
  run(fn, context) {
    joinReturns(fn, context);
    const preds = predecessors(fn);
    let uses: ReadonlyMap<Value, readonly Use[]> | undefined;
    const rewriter = new Rewriter(fn);
    for (const block of fn.blocks) {
      const calls = lastCalls(preds.get(block) ?? [], fn, context);
      if (calls === undefined) continue;
      uses ??= computeUses(fn);
      sinkInto(block, calls, uses, rewriter);
    }
    return rewriter.apply();
  },
};

type Call = InstructionOf<"call">;

/** Blocks that end in such calls and give back the result, or the same, get one return. */
function joinReturns(fn: IrFunction, context: PassContext): void {
  const groups: Call[][] = [];
  for (const block of fn.blocks) {
    const call = lastCall(block, "ret", fn, context);
    if (call === undefined) continue;
    const group = groups.find(([first]) => first !== undefined && canJoinReturns(first, call));
    if (group === undefined) groups.push([call]);
    else group.push(call);
  }
  for (const group of groups) if (group.length > 1) joinGroup(fn, group);
}

function canJoinReturns(a: Call, b: Call): boolean {
  if (symbolOf(a) !== symbolOf(b)) return false;
  const [x, y] = [a, b].map((call) => call.block.instructions.at(-1)?.operands[0]);
  const isSame = x === undefined || y === undefined ? x === y : sameValue(x, y);
  if (!isSame && !(x === a && y === b)) return false;
  return a.operands.every((each, at) => canJoin([each, operand(b, at)]));
}

function joinGroup(fn: IrFunction, calls: readonly Call[]): void {
  const joint = createBlock(fn);
  const results: Value[] = [];
  let last: IrInstruction | undefined;
  for (const { block } of calls) {
    last = block.instructions.pop() as IrInstruction;
    appendInstruction(fn, block, "void", { op: "br", target: joint }, [], last.location);
    results.push(...last.operands);
  }
  const [first] = results;
  const incoming = calls.map((call) => call.block);
  const value =
    first !== undefined && first === calls[0]
      ? appendInstruction(fn, joint, first.type, { op: "phi", incoming }, results)
      : first;
  const returned = value === undefined ? [] : [value];
  appendInstruction(fn, joint, "void", { op: "ret" }, returned, last?.location);
}

/** The calls that end the blocks, if there are several, all of one function that may be inlined. */
function lastCalls(
  from: readonly Block[],
  fn: IrFunction,
  context: PassContext,
): readonly Call[] | undefined {
  const calls: Call[] = [];
  for (const block of from) {
    const call = lastCall(block, "br", fn, context);
    if (call === undefined || symbolOf(call) !== symbolOf(calls[0] ?? call)) return undefined;
    calls.push(call);
  }
  return calls.length > 1 ? calls : undefined;
}

function lastCall(
  block: Block,
  end: "br" | "ret",
  fn: IrFunction,
  context: PassContext,
): Call | undefined {
  const call = block.instructions.at(-2);
  return isOp(block.instructions.at(-1), end) ? inlinableCall(call, fn, context) : undefined;
}

/** The instruction, if it calls a function whose body may be copied. */
export function inlinableCall(
  call: IrInstruction | undefined,
  fn: IrFunction,
  context: PassContext,
): Call | undefined {
  if (!isOp(call, "call")) return undefined;
  const target = context.functions.get(symbolOf(call) ?? "");
  if (target === undefined || target === fn || target.blocks.length === 0) return undefined;
  return target.inline === "never" ? undefined : call;
}

function symbolOf(call: Call): string | undefined {
  const { callee } = call.operation;
  return callee.kind === "function" ? callee.symbol : undefined;
}

function sinkInto(
  block: Block,
  calls: readonly Call[],
  uses: ReadonlyMap<Value, readonly Use[]>,
  rewriter: Rewriter,
): void {
  const [first] = calls;
  const results = resultPhis(block, calls, uses);
  if (first === undefined || results === undefined) return;
  const lists = first.operands.map((_, at) => calls.map((call) => operand(call, at)));
  if (!lists.every(canJoin)) return;
  const from = calls.map((call) => call.block);
  const args = lists.map((values) => {
    const value = values[0] as Value;
    if (values.every((each) => sameValue(each, value))) return value;
    return rewriter.insertPhi(block, value.type as "i64", from, values, first.location);
  });
  const before = block.instructions[firstNonPhi(block)] as IrInstruction;
  const operation = { ...first.operation };
  const call = rewriter.insertBefore(before, first.type, operation, args, first.location);
  for (const phi of results) rewriter.replace(phi, call);
  for (const each of calls) rewriter.erase(each);
}

/** The phis that take all results, in their places; undefined if one is used in another way. */
function resultPhis(
  block: Block,
  calls: readonly Call[],
  uses: ReadonlyMap<Value, readonly Use[]>,
): readonly IrInstruction[] | undefined {
  const phis = new Set<IrInstruction>();
  for (const call of calls) {
    for (const { user } of uses.get(call) ?? []) {
      if (!isOp(user, "phi") || user.block !== block) return undefined;
      phis.add(user);
    }
  }
  for (const phi of phis) {
    if (!isOp(phi, "phi") || phi.operands.length !== calls.length) return undefined;
    const { incoming } = phi.operation;
    if (!calls.every((call) => operand(phi, incoming.indexOf(call.block)) === call)) {
      return undefined;
    }
  }
  return [...phis];
}

function canJoin(values: readonly Value[]): boolean {
  const first = values[0] as Value;
  if (values.every((each) => sameValue(each, first))) return true;
  return values.every(
    (each) => each.type === first.type && each.type !== "ptr" && each.kind !== "constant",
  );
}
