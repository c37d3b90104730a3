/**
 * How far a pointer that moves by a constant each round is from where it started becomes a counter:
 * `p - start < 64` and `p < start + 64` are `i < 64` then. A difference of packet pointers is any number for the
 * verifier, and the order of two pointers says nothing to it, so that a loop that ends by one would not end.
 * Needs: number-values before, so that the start is one value. The pointer itself stays as it is.
 */
import { findLoops, type Loop, predecessors } from "../4-lower/cfg.ts";
import type { Block, IntPredicate, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, phisOf, sameValue, type Use } from "../4-lower/ir-builder.ts";
import { sameBase } from "./alias.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { constantAddress, isBinary, isConstantOffset, isOp, operand } from "./values.ts";

export const countDistances: FunctionPass = {
  kind: "function",
  name: "count-distances",
  run(fn, { runs }) {
    const loops = findLoops(fn);
    if (loops.length === 0) return false;
    const preds = predecessors(fn);
    const { uses } = runs.factsOf(fn);
    const rewriter = new Rewriter(fn);
    for (const loop of loops) {
      for (const phi of phisOf(loop.header)) {
        const moving = movingPointer(phi, loop, preds);
        if (moving !== undefined) countFrom(moving, uses, rewriter);
      }
    }
    return rewriter.apply();
  },
};

/** Addresses of one object are in the order of their offsets, which may be negative. */
const ofOffsets: Readonly<Record<IntPredicate, IntPredicate>> = {
  eq: "eq",
  ne: "ne",
  ult: "slt",
  ule: "sle",
  ugt: "sgt",
  uge: "sge",
  slt: "slt",
  sle: "sle",
  sgt: "sgt",
  sge: "sge",
};

interface MovingPointer {
  readonly phi: IrInstruction;
  readonly start: Value;
  readonly step: bigint;
  /** Where the loop is entered from: from all of them with the same address. */
  readonly entries: readonly Block[];
  readonly latch: Block;
}

function movingPointer(
  phi: IrInstruction,
  loop: Loop,
  preds: ReadonlyMap<Block, readonly Block[]>,
): MovingPointer | undefined {
  const [latch, ...others] = loop.latches;
  if (phi.type !== "ptr" || phi.operation.op !== "phi" || latch === undefined) return undefined;
  const entries = (preds.get(loop.header) ?? []).filter((block) => block !== latch);
  const { incoming } = phi.operation;
  const [start, ...starts] = entries.map((entry) => operand(phi, incoming.indexOf(entry)));
  if (others.length > 0 || start === undefined) return undefined;
  if (!starts.every((each) => sameValue(each, start))) return undefined;
  const next = operand(phi, incoming.indexOf(latch));
  if (!isOp(next, "ptradd") || operand(next, 0) !== phi) return undefined;
  const step = operand(next, 1);
  return step.kind === "constant" ? { phi, start, step: step.value, entries, latch } : undefined;
}

/** Replaces what compares the pointer, or an address at a constant distance, with such a one of its start. */
function countFrom(
  moving: MovingPointer,
  uses: ReadonlyMap<Value, readonly Use[]>,
  rewriter: Rewriter,
): void {
  const origin = constantAddress(moving.start);
  if (origin.base.kind === "constant") return;
  let counter: IrInstruction | undefined;
  for (const user of distancesOf(moving.phi, uses)) {
    const [a, b] = user.operands.map((each) => addressOf(each, origin.base)) as [Address, Address];
    const isFirst = a.base === moving.phi;
    const [near, far] = isFirst ? [a, b] : [b, a];
    if (!sameBase(far.base, origin.base)) continue;
    counter ??= insertCounter(moving, rewriter);
    // p + near against origin.base + far, where p is origin.base + origin.offset + counter.
    const bound = constant(
      "i64",
      BigInt.asUintN(64, BigInt(far.offset - near.offset - origin.offset)),
    );
    const operands = isFirst ? [counter, bound] : [bound, counter];
    if (user.operation.op === "icmp") {
      const predicate = ofOffsets[user.operation.predicate];
      const test = rewriter.insertBefore(user, "i1", { op: "icmp", predicate }, operands);
      rewriter.replace(user, test);
      continue;
    }
    const distance = rewriter.insertBefore(user, "i64", { op: "binary", binary: "sub" }, operands);
    rewriter.replace(user, distance);
  }
}

type Address = ReturnType<typeof constantAddress>;

/** What a comparison or difference is of; a packet's start may stand for itself as the number that it was. */
function addressOf(value: Value, origin: Value): Address {
  if (isOp(value, "ptrtoint")) return constantAddress(operand(value, 0));
  if (isOp(origin, "inttoptr") && operand(origin, 0) === value) return { base: origin, offset: 0 };
  return constantAddress(value);
}

/** Comparisons and differences, one side of which is the pointer plus a constant. */
function distancesOf(
  phi: IrInstruction,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Set<IrInstruction> {
  const found = new Set<IrInstruction>();
  const work: IrInstruction[] = [phi];
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    for (const { user } of uses.get(value) ?? []) {
      if (isConstantOffset(user)) work.push(user);
      else if (isOp(user, "ptrtoint")) work.push(user);
      else if (isBinary(user, "sub")) found.add(user);
      else if (isOp(user, "icmp") && operand(user, 0).type === "ptr") found.add(user);
    }
  }
  return found;
}

function insertCounter(
  { phi, step, entries, latch }: MovingPointer,
  rewriter: Rewriter,
): IrInstruction {
  const zero = constant("i64", 0n);
  const incoming = [...entries, latch];
  const zeros = incoming.map(() => zero);
  const counter = rewriter.insertPhi(phi.block, "i64", incoming, zeros, phi.location);
  const add = { op: "binary", binary: "add" } as const;
  const next = rewriter.insertAtEnd(latch, "i64", add, [counter, constant("i64", step)]);
  counter.operands = [...entries.map(() => zero), next];
  return counter;
}
