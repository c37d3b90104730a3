/**
 * A load from a place that a phi of constants chooses, where each of these places is known to hold a
 * constant, is a phi of those: `return table[i]` behind an unrolled loop that left in three ways. The phi of
 * places goes, and with it often the table.
 * Needs: reachable blocks. The stack and variables alone, where constant stores are close.
 */
import { predecessors } from "../4-lower/cfg.ts";
import type { Block, Constant, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";

import { signedValue, type Use } from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { foldInstruction } from "./fold-constants.ts";
import type { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import {
  byteSize,
  constantAddress,
  type InstructionOf,
  instructionsOf,
  isOp,
  isPure,
  operand,
} from "./values.ts";

export const chooseLoaded: FunctionPass = {
  kind: "function",
  name: "choose-loaded",
  run(fn, { runs }) {
    const loads = instructionsOf(fn).filter(isChosen);
    return loads.length > 0 && new ChooseLoaded(fn, runs.factsOf(fn)).run(loads);
  },
};

/** Instructions that are looked at for one place, and steps from the phi to the distance. */
const longestSearch = 100;
const mostSteps = 4;
/** A phi of more is as dear as the load. */
const mostWays = 6;

type Load = InstructionOf<"load">;
type Phi = InstructionOf<"phi">;

/** What is computed from one value and constants, down to a phi of constants. */
function phiBehind(distance: Value): Phi | undefined {
  let at = distance;
  for (let steps = 0; steps <= mostSteps; steps += 1) {
    if (isOp(at, "phi"))
      return at.operands.every((each) => each.kind === "constant") ? at : undefined;
    if (at.kind !== "instruction" || !isPure(at)) return undefined;
    const [from, ...others] = at.operands.filter((each) => each.kind !== "constant");
    if (from === undefined || others.length > 0) return undefined;
    at = from;
  }
  return undefined;
}

function isChosen(each: IrInstruction): each is Load {
  if (!isOp(each, "load") || each.operation.volatile || each.type === "ptr") return false;
  const sum = constantAddress(operand(each, 0)).base;
  return isOp(sum, "ptradd") && phiBehind(operand(sum, 1)) !== undefined;
}

class ChooseLoaded {
  readonly #alias: AliasAnalysis;
  readonly #uses: ReadonlyMap<Value, readonly Use[]>;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  readonly #rewriter: Rewriter;

  constructor(fn: IrFunction, { alias, uses }: FunctionFacts) {
    this.#alias = alias;
    this.#uses = uses;
    this.#preds = predecessors(fn);
    this.#rewriter = new Rewriter(fn);
  }

  run(loads: readonly Load[]): boolean {
    for (const load of loads) this.#visit(load);
    return this.#rewriter.apply();
  }

  #visit(load: Load): void {
    const { base, offset } = constantAddress(operand(load, 0));
    const sum = base as InstructionOf<"ptradd">;
    const distance = operand(sum, 1);
    const phi = phiBehind(distance);
    if (phi === undefined || phi.operands.length > mostWays) return;
    if (!this.#isOnlyFor(phi, load)) return;
    const start = this.#alias.location(operand(sum, 0), byteSize[load.type], undefined);
    if (start.region.kind !== "stack" && start.region.kind !== "global") return;
    const values: Constant[] = [];
    for (const way of phi.operands) {
      const step = distanceFor(distance, phi, way);
      if (step?.kind !== "constant") return;
      const place = start.offset + offset + Number(signedValue(step));
      const value = this.#constantAt(load, { ...start, offset: place });
      if (value === undefined) return;
      values.push(value);
    }
    const { incoming } = phi.operation;
    const chosen = this.#rewriter.insertPhi(phi.block, load.type, incoming, values, load.location);
    this.#rewriter.replace(load, chosen);
  }

  /** Whether nothing else wants the choice of places, so that the choice of values takes its stead. */
  #isOnlyFor(phi: Phi, load: Load): boolean {
    for (let at: IrInstruction = phi; at !== load; ) {
      const [use, ...others] = this.#uses.get(at) ?? [];
      if (use === undefined || others.length > 0) return false;
      at = use.user;
    }
    return true;
  }

  /** What was stored at the location last, on the one way to the load. */
  #constantAt(load: Load, location: Location): Constant | undefined {
    let block = load.block;
    let at = block.instructions.indexOf(load);
    for (let steps = 0; steps < longestSearch; steps += 1) {
      at -= 1;
      const each = block.instructions[at];
      if (each === undefined) {
        const [pred, ...others] = this.#preds.get(block) ?? [];
        if (pred === undefined || others.length > 0) return undefined;
        block = pred;
        at = block.instructions.length;
      } else if (isOp(each, "store") && isAt(operand(each, 1), location)) {
        const value = operand(each, 0);
        const isKnown = value.kind === "constant" && value.type === load.type;
        return isKnown && !each.operation.volatile ? value : undefined;
      } else if (this.#alias.mayWrite(each, location)) return undefined;
    }
    return undefined;
  }
}

function isAt(pointer: Value, { base, offset }: Location): boolean {
  const there = constantAddress(pointer);
  return there.offset === offset && sameBase(there.base, base);
}

/** The distance where the phi is one of its inputs. */
function distanceFor(distance: Value, phi: Phi, way: Value): Value | undefined {
  if (distance === phi) return way;
  if (distance.kind !== "instruction") return distance;
  const operands = distance.operands.map((each) => distanceFor(each, phi, way));
  const isKnown = (each: Value | undefined): each is Value => each !== undefined;
  return operands.every(isKnown) ? foldInstruction(distance, operands) : undefined;
}
