/**
 * Spills by splitting: where more values are alive than there are registers, each is in a register only from
 * where it is fetched to where it gives way to another, as `placeValues` decides, across blocks and around loops.
 * A value that is not in a register everywhere has a slot, which each write also stores to (stores that nobody
 * reads go later), or is made again; each of its stretches becomes a register of its own.
 * Needs: no phis, no `asm goto`, blocks in an order where predecessors stand first (back edges aside).
 */
import {
  isVirtual,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineRegister,
  machinePredecessors,
  machineSuccessors,
  newRegister,
} from "../6-select/machine.ts";
import { replaceRegisters, visitRegisters } from "../6-select/operands.ts";
import { machineOrder, splitEdge } from "./flow.ts";
import type { Liveness } from "./intervals.ts";
import { type Placement, placeValues, registerLimits } from "./place-values.ts";
import {
  fetchHome,
  type Home,
  remakeable,
  type SpillState,
  slotStore,
  spillSlot,
} from "./spill.ts";

/** By block: split values that are in a register at its start. */
type Entries = Map<MachineBlock, ReadonlySet<MachineRegister>>;

/**
 * Rewrites the function, whose liveness this makes out of date.
 * @param usable physical registers that may be had
 * @param state learns where the new registers' values come from again
 */
export function splitRanges(
  fn: MachineFunction,
  liveness: Liveness,
  depths: ReadonlyMap<MachineBlock, number>,
  usable: readonly number[],
  state: SpillState,
): void {
  const placement = placeValues(fn, liveness, depths, registerLimits(liveness, usable));
  const homes = findHomes(fn, placement);
  if (homes.size === 0) return;
  const entries: Entries = new Map();
  fn.blocks.forEach((block, at) => {
    entries.set(
      block,
      new Set([...(placement.atStart[at] ?? [])].filter((register) => homes.has(register))),
    );
  });
  const exits = new Map(fn.blocks.map((block, at) => [block, placement.atEnd[at]]));
  fn.blocks.forEach((block, at) => {
    insertFetches(block, at, placement, homes);
  });
  joinPlaces(fn, entries, exits, homes);
  fn.blocks = machineOrder(fn);
  nameStretches(fn, entries, homes, state);
}

/** Values that are fetched somewhere: behind a reload, in a copy, or on a way into a block. */
function findHomes(fn: MachineFunction, placement: Placement): Map<MachineRegister, Home> {
  const fetched = new Set<MachineRegister>();
  const preds = machinePredecessors(fn);
  const places = new Map(fn.blocks.map((block, at) => [block, at]));
  fn.blocks.forEach((block, at) => {
    for (const registers of placement.reloads[at]?.values() ?? [])
      for (const register of registers) fetched.add(register);
    for (const index of placement.fetched[at] ?? []) {
      const op = block.instructions[index];
      if (op?.kind === "alu" && op.src.kind === "register") fetched.add(op.src.register);
    }
    for (const pred of preds.get(block) ?? [])
      for (const register of placement.atStart[at] ?? [])
        if (!placement.atEnd[places.get(pred) ?? -1]?.has(register)) fetched.add(register);
  });
  const makers = remakeable(fn);
  return new Map(
    [...fetched]
      .sort((a, b) => a - b)
      .map((register): [MachineRegister, Home] => {
        const make = makers.get(register);
        if (make !== undefined) return [register, { kind: "remake", make: { ...make } }];
        return [register, { kind: "slot", slot: spillSlot(fn) }];
      }),
  );
}

function insertFetches(
  block: MachineBlock,
  at: number,
  placement: Placement,
  homes: ReadonlyMap<MachineRegister, Home>,
): void {
  const output: MachineInstruction[] = [];
  const fetch = (
    register: MachineRegister,
    dst: MachineRegister,
    location: MachineInstruction["location"],
  ): void => {
    const home = homes.get(register);
    if (home !== undefined) output.push({ ...fetchHome(home, dst), location });
  };
  block.instructions.forEach((op, index) => {
    for (const register of placement.reloads[at]?.get(index) ?? [])
      fetch(register, register, op.location);
    if (placement.fetched[at]?.has(index) && op.kind === "alu" && op.src.kind === "register")
      fetch(op.src.register, op.dst, op.location);
    else output.push(op);
    for (const register of writtenBy(op)) {
      const home = homes.get(register);
      if (home?.kind === "slot")
        output.push({ ...slotStore(home.slot, register), location: op.location });
    }
  });
  const last = block.instructions.length;
  for (const register of placement.reloads[at]?.get(last) ?? [])
    fetch(register, register, block.terminator.location);
  block.instructions = output;
}

function writtenBy(op: MachineInstruction): Set<MachineRegister> {
  const written = new Set<MachineRegister>();
  const add = (register: MachineRegister): void => {
    if (isVirtual(register)) written.add(register);
  };
  visitRegisters(op, { use: () => {}, def: add, clobber: add });
  return written;
}

/** On ways where a block's values are not in registers they are fetched. */
function joinPlaces(
  fn: MachineFunction,
  entries: Entries,
  exits: ReadonlyMap<MachineBlock, ReadonlySet<MachineRegister> | undefined>,
  homes: ReadonlyMap<MachineRegister, Home>,
): void {
  for (const block of [...fn.blocks]) {
    const nexts = machineSuccessors(block);
    for (const next of nexts) {
      const wanted = [...(entries.get(next) ?? [])];
      const missing = wanted.filter((register) => !exits.get(block)?.has(register));
      if (missing.length === 0) continue;
      const isSole = nexts.length === 1;
      const place = isSole ? block : splitEdge(fn, block, next);
      if (!isSole) {
        fn.blocks.push(place);
        entries.set(place, new Set(wanted.filter((register) => !missing.includes(register))));
      }
      for (const register of missing) {
        const home = homes.get(register);
        const { location } = block.terminator;
        if (home !== undefined) place.instructions.push({ ...fetchHome(home, register), location });
      }
    }
  }
}

/** Gives each stretch in which a value stays in a register, over all blocks that it reaches, a name of its own. */
function nameStretches(
  fn: MachineFunction,
  entries: Entries,
  homes: ReadonlyMap<MachineRegister, Home>,
  state: SpillState,
): void {
  const parents = new Map<MachineRegister, MachineRegister>();
  const find = (register: MachineRegister): MachineRegister => {
    let root = register;
    for (let up = parents.get(root); up !== undefined; up = parents.get(root)) root = up;
    if (root !== register) parents.set(register, root);
    return root;
  };
  const homeOf = new Map<MachineRegister, Home>();
  const name = (register: MachineRegister): MachineRegister => {
    const made = newRegister(fn);
    const home = homes.get(register);
    if (home !== undefined) homeOf.set(made, home);
    return made;
  };
  const atStart = new Map(
    fn.blocks.map((block) => [
      block,
      new Map([...(entries.get(block) ?? [])].map((register) => [register, name(register)])),
    ]),
  );
  for (const block of fn.blocks) {
    const current = new Map(atStart.get(block));
    for (const op of block.instructions) renameStretch(op, homes, current, name);
    replaceRegisters(block.terminator, (register) => current.get(register) ?? register);
    for (const next of machineSuccessors(block)) {
      for (const [register, there] of atStart.get(next) ?? []) {
        const here = current.get(register);
        if (here === undefined) continue;
        const [a, b] = [find(here), find(there)];
        if (a !== b) parents.set(b, a);
      }
    }
  }
  for (const block of fn.blocks) {
    for (const op of block.instructions) replaceRegisters(op, find);
    replaceRegisters(block.terminator, find);
  }
  for (const [register, home] of homeOf)
    if (find(register) === register) state.homes.set(register, { home, reach: "far" });
  dropUnreadMakers(fn, homeOf);
}

/** A value that is made again wherever it is read need not be made where it was at first. */
function dropUnreadMakers(fn: MachineFunction, homeOf: ReadonlyMap<MachineRegister, Home>): void {
  const read = new Set<MachineRegister>();
  const visitor = {
    use: (register: MachineRegister) => read.add(register),
    def: () => {},
    clobber: () => {},
  };
  for (const block of fn.blocks) {
    for (const op of block.instructions) visitRegisters(op, visitor);
    visitRegisters(block.terminator, visitor);
  }
  const isUnread = (op: MachineInstruction): boolean =>
    "dst" in op && homeOf.get(op.dst)?.kind === "remake" && !read.has(op.dst);
  for (const block of fn.blocks)
    block.instructions = block.instructions.filter((op) => !isUnread(op));
}

/** What is written alone begins a stretch; what is read and written goes on. */
function renameStretch(
  op: MachineInstruction,
  homes: ReadonlyMap<MachineRegister, Home>,
  current: Map<MachineRegister, MachineRegister>,
  name: (register: MachineRegister) => MachineRegister,
): void {
  const used = new Set<MachineRegister>();
  const begun: MachineRegister[] = [];
  visitRegisters(op, {
    use: (register) => used.add(register),
    def: (register) => {
      if (homes.has(register) && !used.has(register)) begun.push(register);
    },
    clobber: (register) => {
      if (homes.has(register) && !used.has(register)) begun.push(register);
    },
  });
  for (const register of begun) current.set(register, name(register));
  replaceRegisters(op, (register) => current.get(register) ?? register);
}
