/**
 * A place in memory that a loop stores to in each round is loaded once before the loop, if at all, carried in
 * a register, and stored where the loop is left: `ip->check` that is updated again and again.
 *
 * Only where the verifier is no worse off: the place is stored to in the loop's header, so that it is there to
 * be accessed before the loop and behind it; and what is loaded takes part in no test and no address within
 * the loop, since the verifier, which knows nothing of loaded values, would follow a carried one through
 * every round. Nothing else in the loop may touch the place. Needs: reachable blocks.
 */
import { findLoops, type Loop, loopExits, predecessors } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  constant,
  createBlock,
  createInstruction,
  firstNonPhi,
  redirectSuccessor,
  replaceIncoming,
  type Use,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import { type AliasAnalysis, type Location, sameBase } from "./alias.ts";
import { endInArithmetic } from "./carried-values.ts";
import { isOrdered, memoryEffect } from "./effects.ts";
import { FunctionFacts } from "./function-facts.ts";
import type { FunctionPass } from "./pass.ts";
import { preheader, soleEntry } from "./preheader.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { byteSize, countInstructions, isOp, operand } from "./values.ts";

export const carryMemory: FunctionPass = {
  kind: "function",
  name: "carry-memory",
  run(fn, { runs }) {
    if (countInstructions(fn) > mostInstructions) return false;
    let changed = false;
    // What was carried around an inner loop may be carried around the next one.
    for (let round = 0; round < 3; round += 1) {
      const facts = round === 0 ? runs.factsOf(fn) : new FunctionFacts(fn);
      if (!carryOnce(fn, facts)) break;
      changed = true;
    }
    return changed;
  },
};

const mostInstructions = 4000;
/** Places that one loop carries, and its exits. */
const mostPlaces = 4;
const mostExits = 3;

interface Place {
  readonly location: Location;
  readonly type: ValueType;
  /** A store in the header: its form is that of the last store. */
  readonly store: IrInstruction;
  readonly loads: readonly IrInstruction[];
  readonly stores: readonly IrInstruction[];
}

function carryOnce(fn: IrFunction, facts: FunctionFacts): boolean {
  const loops = findLoops(fn).filter(({ header }) => header.instructions.some(isPlainStore));
  if (loops.length === 0) return false;
  const { alias, uses } = facts;
  const preds = predecessors(fn);
  const touched = new Set<Block>();
  for (const loop of loops.toReversed()) {
    if ([...loop.blocks].some((block) => touched.has(block))) continue;
    const entry = soleEntry(loop, preds);
    if (entry === undefined) continue;
    const places = placesOf(loop, alias, uses);
    if (places.length === 0) continue;
    const exits = exitsOf(fn, loop, preds);
    if (exits === undefined) continue;
    const front = preheader(fn, entry, loop.header);
    for (const place of places) carry(fn, place, front, exits);
    for (const block of loop.blocks) touched.add(block);
  }
  if (touched.size === 0) return false;
  promoteAllocas(fn);
  return true;
}

function isPlainStore({ operation }: IrInstruction): boolean {
  return operation.op === "store" && !operation.volatile;
}

function placesOf(
  loop: Loop,
  alias: AliasAnalysis,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Place[] {
  const effects = [...loop.blocks].flatMap(({ instructions }) =>
    instructions.filter((each) => memoryEffect(each).kind !== "none"),
  );
  if (effects.some((each) => isOrdered(memoryEffect(each)))) return [];
  const places: Place[] = [];
  for (const store of loop.header.instructions.filter(isPlainStore)) {
    const place = placeOf(store, loop, effects, alias);
    if (place === undefined || places.length >= mostPlaces) continue;
    if (places.some(({ stores }) => stores.includes(store))) continue;
    if (endInArithmetic(place.loads, loop, uses)) places.push(place);
  }
  return places;
}

function placeOf(
  store: IrInstruction,
  loop: Loop,
  effects: readonly IrInstruction[],
  alias: AliasAnalysis,
): Place | undefined {
  const location = alias.accessOf(store);
  const { type } = operand(store, 0);
  if (location === undefined || type === "void" || type === "ptr" || type === "i1")
    return undefined;
  const { base } = location;
  if (base.kind === "instruction" && loop.blocks.has(base.block)) return undefined;
  const loads: IrInstruction[] = [];
  const stores: IrInstruction[] = [];
  for (const each of effects) {
    const other = alias.accessOf(each);
    const isSame =
      other !== undefined &&
      sameBase(other.base, base) &&
      other.offset === location.offset &&
      other.isCast === location.isCast;
    if (isSame && isOp(each, "load") && each.type === type) loads.push(each);
    else if (isSame && isOp(each, "store") && operand(each, 0).type === type) stores.push(each);
    else if (alias.mayRead(each, location) || alias.mayWrite(each, location)) return undefined;
  }
  return { location, type, store, loads, stores };
}

/** Blocks that are entered where the loop is left, and only then. */
function exitsOf(
  fn: IrFunction,
  loop: Loop,
  preds: ReadonlyMap<Block, readonly Block[]>,
): Block[] | undefined {
  const edges = loopExits(loop);
  if (edges.length > mostExits) return undefined;
  if (edges.some(([from]) => from.instructions.at(-1)?.operation.op !== "condbr")) return undefined;
  const result = new Set<Block>();
  for (const [from, to] of edges) {
    if ((preds.get(to) ?? []).every((pred) => loop.blocks.has(pred))) result.add(to);
    else {
      const middle = createBlock(fn, undefined, true);
      const { location } = from.instructions.at(-1) as IrInstruction;
      middle.instructions.push(
        createInstruction(fn, middle, "void", { op: "br", target: to }, [], location),
      );
      redirectSuccessor(from, to, middle);
      replaceIncoming(to, from, middle);
      fn.blocks.splice(fn.blocks.indexOf(from) + 1, 0, middle);
      result.add(middle);
    }
  }
  return [...result];
}

/** Through a stack object for a moment, which becomes a value. */
function carry(fn: IrFunction, place: Place, front: Block, exits: readonly Block[]): void {
  const { type, store, loads, stores, location } = place;
  const size = byteSize[type];
  const entry = fn.blocks[0] as Block;
  const operation = { op: "alloca", size, align: size, name: "" } as const;
  const slot = createInstruction(fn, entry, "ptr", { ...operation }, []);
  entry.instructions.unshift(slot);
  const read = { op: "load", align: size, volatile: false } as const;
  const write = { op: "store", align: size, volatile: false } as const;
  const insert = (block: Block, at: number, list: readonly IrInstruction[]): void => {
    block.instructions.splice(at, 0, ...list);
  };
  const addressIn = (block: Block): IrInstruction[] =>
    location.offset === 0
      ? []
      : [
          createInstruction(
            fn,
            block,
            "ptr",
            { op: "ptradd" },
            [location.base, constant("i64", BigInt(location.offset))],
            store.location,
          ),
        ];
  for (const exit of exits) {
    const address = addressIn(exit);
    const value = createInstruction(fn, exit, type, read, [slot], store.location);
    const to = address[0] ?? location.base;
    const last = createInstruction(fn, exit, "void", { ...store.operation }, [value, to]);
    last.location = store.location;
    insert(exit, firstNonPhi(exit), [...address, value, last]);
  }
  const [first] = loads;
  if (first !== undefined) {
    const address = addressIn(front);
    const from = address[0] ?? location.base;
    const at = first.location;
    const before = createInstruction(fn, front, type, { ...first.operation }, [from], at);
    const kept = createInstruction(fn, front, "void", write, [before, slot], at);
    insert(front, front.instructions.length - 1, [...address, before, kept]);
  }
  for (const each of loads) {
    each.operation = { ...read };
    each.operands = [slot];
  }
  for (const each of stores) {
    each.operation = { ...write };
    each.operands = [operand(each, 0), slot];
  }
}
