/**
 * A program's functions, and what is known of each: what the callers of one that is only called
 * directly pass to it, it starts with.
 */
import type { Instruction } from "../../common/isa/instruction.ts";
import { type Program, takenFunctions } from "../program.ts";
import { smallestContext } from "../programs/contexts.ts";
import { type Block, buildFlowGraph } from "./blocks.ts";
import { joinKnown, type Known, type KnownState, registerCount } from "./known.ts";
import { KnownValues } from "./known-values.ts";
import type { FunctionFacts } from "./translate.ts";

const argumentRegisters = [1, 2, 3, 4, 5] as const;

const calledSlot = (insn: Instruction | undefined, slot: number): number | undefined =>
  insn?.kind === "call" && insn.target === "local" ? slot + 1 + insn.imm : undefined;

/** Slots of functions that the program calls or passes on. */
export function calledSlots(program: Program): ReadonlySet<number> {
  const called = program.insns.map(calledSlot).filter((slot) => slot !== undefined);
  return new Set([...called, ...takenFunctions(program)]);
}

type Graphs = ReadonlyMap<number, FunctionFacts["graph"]>;

/** The functions that each function calls. */
function callees(program: Program, graphs: Graphs): ReadonlyMap<number, ReadonlySet<number>> {
  const calleesOf = (blocks: readonly Block[]): ReadonlySet<number> => {
    const found = new Set<number>();
    for (const block of blocks) {
      for (let slot = block.start; slot < block.end; slot += 1) {
        const callee = calledSlot(program.insns[slot], slot);
        if (callee !== undefined) found.add(callee);
      }
    }
    return found;
  };
  return new Map([...graphs].map(([slot, graph]) => [slot, calleesOf(graph.originals)]));
}

/** Callers before those whom they call, as far as there is such an order. */
function callOrder(calls: ReadonlyMap<number, ReadonlySet<number>>): readonly number[] {
  const order: number[] = [];
  const seen = new Set<number>();
  const visit = (start: number): void => {
    if (seen.has(start)) return;
    seen.add(start);
    for (const callee of calls.get(start) ?? []) visit(callee);
    order.unshift(start);
  };
  for (const start of calls.keys()) visit(start);
  return order;
}

/** A caller's value, as the function that it calls sees it. */
const inCallee = (known: Known | undefined): Known | undefined =>
  known?.kind === "frame" ? { ...known, up: known.up + 1 } : known;

/** What a function's calls pass, by the slots of those they call. */
function passedArguments(
  program: Program,
  { graph, values }: FunctionFacts,
  note: (callee: number, state: KnownState) => void,
): void {
  for (const block of graph.originals) {
    const state = [...values.at(block)];
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = program.insns[slot];
      if (insn === undefined) continue;
      const callee = calledSlot(insn, slot);
      if (callee !== undefined) note(callee, state);
      values.step(insn, state);
    }
  }
}

/** Calls that a function can be deep, itself included; infinite where it can call itself. */
function depths(calls: ReadonlyMap<number, ReadonlySet<number>>): ReadonlyMap<number, number> {
  const known = new Map<number, number>();
  const visit = (slot: number): number => {
    const old = known.get(slot);
    if (old !== undefined) return old;
    // Who comes by here again before the depth is known is on its own way.
    known.set(slot, Number.POSITIVE_INFINITY);
    const depth = 1 + Math.max(0, ...[...(calls.get(slot) ?? [])].map(visit));
    known.set(slot, depth);
    return depth;
  };
  for (const slot of calls.keys()) visit(slot);
  return known;
}

export interface ProgramFacts {
  readonly functions: ReadonlyMap<number, FunctionFacts>;
  /** The longest chain of calls. */
  readonly depth: number;
}

/** What is known of the functions that start at the slots; the first one is entered from outside. */
export function analyseFunctions(
  program: Program,
  starts: readonly number[],
  checked: boolean,
): ProgramFacts {
  const graphs = new Map(starts.map((slot) => [slot, buildFlowGraph(program.insns, slot)]));
  const passedOn = takenFunctions(program);
  const calls = callees(program, graphs);
  const callers = (slot: number): readonly number[] =>
    starts.filter((start) => calls.get(start)?.has(slot));
  const facts = new Map<number, FunctionFacts>();
  const passed = new Map<number, KnownState>();
  /** Functions whose every call was seen before they are looked at. */
  const isSettled = (slot: number): boolean =>
    slot !== 0 && !passedOn.has(slot) && callers(slot).every((caller) => facts.has(caller));
  for (const slot of callOrder(calls)) {
    const graph = graphs.get(slot);
    if (graph === undefined) continue;
    const start: KnownState = new Array(registerCount).fill(undefined);
    const known = isSettled(slot) ? passed.get(slot) : undefined;
    for (const r of argumentRegisters) start[r] = known?.[r];
    const isEntered = slot === 0 && !passedOn.has(0) && callers(0).length === 0;
    if (isEntered && smallestContext(program.spec.type) > 0) {
      start[1] = { kind: "context", offset: 0 };
    }
    const values = new KnownValues(program, graph.originals, { start, numbers: checked });
    facts.set(slot, { graph, values });
    if (calls.get(slot)?.size === 0) continue;
    passedArguments(program, { graph, values }, (callee, state) => {
      const old = passed.get(callee);
      const mine = state.map(inCallee);
      passed.set(callee, old === undefined ? mine : old.map((each, r) => joinKnown(each, mine[r])));
    });
  }
  return { functions: facts, depth: Math.max(...depths(calls).values()) };
}
