/**
 * Moves values to the stack: a store after each write, a reload before the first read of each
 * stretch between calls in a block. Where a reloaded value finds no register either, the stretches
 * get shorter: first they end where the value is not mentioned for a while, then with each
 * instruction. Constants, symbol addresses and frame addresses are made again
 * instead. Slots are 8 bytes and 8-byte aligned: of smaller or unaligned ones the kernel's verifier
 * forgets the bounds. Loads from memory are never repeated: a second load of a packet pointer would
 * be another pointer to the verifier.
 */
import {
  framePointer,
  isVirtual,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineOperation,
  type MachineRegister,
  newRegister,
  newSlot,
  registerSource,
} from "../6-select/machine.ts";
import {
  isCopy,
  type RegisterVisitor,
  replaceRegisters,
  visitRegisters,
} from "../6-select/operands.ts";

/** Where a spilled value comes from again. */
export type Home =
  | { readonly kind: "slot"; readonly slot: number }
  | { readonly kind: "remake"; readonly make: MachineInstruction };

/**
 * How long a register keeps a spilled value: up to the next call, as long as few instructions lie
 * between two that mention it, or for one instruction.
 */
type Reach = "far" | "near" | "none";

const shorter: Readonly<Record<Reach, Reach>> = { far: "near", near: "none", none: "none" };

/** Instructions from one mention to the next over which a value stays in its register, being "near". */
const nearby = 6;

/** What is known of registers that spilling made. */
export interface SpillState {
  /** Home of registers that hold a reloaded value, and how far these stretches went. */
  readonly homes: Map<MachineRegister, { readonly home: Home; readonly reach: Reach }>;
  /** Registers that live only from one instruction to the next. */
  readonly unspillable: Set<MachineRegister>;
}

/** Instructions that can be executed again anywhere with the same result. */
export function remakeable(fn: MachineFunction): Map<MachineRegister, MachineInstruction> {
  const writes = new Uint8Array(fn.nextRegister);
  const count = (register: MachineRegister): void => {
    if (writes[register] !== 2) writes[register] = (writes[register] ?? 0) + 1;
  };
  const visitor = { use: () => {}, def: count, clobber: () => {} };
  const makers: (MachineInstruction & { dst: MachineRegister })[] = [];
  for (const block of fn.blocks) {
    for (const op of block.instructions) {
      visitRegisters(op, visitor);
      if (isRemakeable(op)) makers.push(op);
    }
    visitRegisters(block.terminator, visitor);
  }
  const once = makers.filter(({ dst }) => writes[dst] === 1);
  return new Map(once.map((make) => [make.dst, make]));
}

function isRemakeable(op: MachineInstruction): op is MachineInstruction & { dst: MachineRegister } {
  if (op.core !== undefined) return false;
  if (op.kind === "alu") return op.op === "mov" && op.src.kind === "immediate";
  return op.kind === "load_imm64" || op.kind === "frame_address";
}

/** @param makers what can be made again, as {@link remakeable} found it */
export function insertSpills(
  fn: MachineFunction,
  spilled: readonly MachineRegister[],
  makers: ReadonlyMap<MachineRegister, MachineInstruction>,
  state: SpillState,
): void {
  const plans = new Array<Plan | undefined>(fn.nextRegister).fill(undefined);
  for (const register of spilled) {
    const known = state.homes.get(register);
    const make = makers.get(register);
    if (known !== undefined) plans[register] = { home: known.home, reach: shorter[known.reach] };
    else if (make !== undefined) {
      plans[register] = { home: { kind: "remake", make: { ...make } }, reach: "far" };
    } else plans[register] = { home: { kind: "slot", slot: spillSlot(fn) }, reach: "far" };
  }
  for (const block of fn.blocks) new BlockSpiller(fn, state, plans).rewrite(block);
}

/** By register. */
type Plans = readonly (Plan | undefined)[];

const nothing: ReadonlySet<MachineRegister> = new Set();

interface Plan {
  readonly home: Home;
  /** Shorter where reloads made before did not get a register either. */
  readonly reach: Reach;
}

export function spillSlot(fn: MachineFunction): number {
  return newSlot(fn, {
    size: 8,
    align: 8,
    name: "spill",
    location: undefined,
    isSpill: true,
    isShareable: true,
  });
}

class BlockSpiller {
  readonly #fn: MachineFunction;
  readonly #state: SpillState;
  readonly #plans: Plans;
  /** Which register holds a spilled value right now, and where it was mentioned last. */
  readonly #held = new Map<MachineRegister, { readonly by: MachineRegister; at: number }>();
  /** Place of the instruction that is looked at. */
  #place = 0;
  /** Those of them that are held for one instruction only. */
  readonly #heldPerUse: MachineRegister[] = [];
  #output: MachineInstruction[] = [];
  /** Spilled registers of the instruction that is looked at. */
  #uses: Set<MachineRegister> | undefined;
  #defs: Set<MachineRegister> | undefined;
  readonly #visitor: RegisterVisitor = {
    use: (register) => {
      if (this.#plans[register] !== undefined) (this.#uses ??= new Set()).add(register);
    },
    def: (register) => this.#define(register),
    clobber: (register) => this.#define(register),
  };

  constructor(fn: MachineFunction, state: SpillState, plans: Plans) {
    this.#fn = fn;
    this.#state = state;
    this.#plans = plans;
  }

  rewrite(block: MachineBlock): void {
    for (const op of block.instructions) this.#instruction(op);
    const end = block.terminator;
    const reads = this.#mentioned(end).uses;
    const map = this.#reload(reads, end.location);
    replaceRegisters(end, (register) => map.get(register) ?? register);
    block.instructions = this.#output;
  }

  /** Most instructions mention no spilled register: the sets are empty and shared then. */
  #mentioned(op: MachineInstruction | MachineBlock["terminator"]): {
    uses: ReadonlySet<MachineRegister>;
    defs: ReadonlySet<MachineRegister>;
  } {
    this.#uses = undefined;
    this.#defs = undefined;
    visitRegisters(op, this.#visitor);
    return { uses: this.#uses ?? nothing, defs: this.#defs ?? nothing };
  }

  #define(register: MachineRegister): void {
    if (this.#plans[register] !== undefined) (this.#defs ??= new Set()).add(register);
  }

  #instruction(op: MachineInstruction): void {
    this.#place += 1;
    const { uses, defs } = this.#mentioned(op);
    if (uses.size === 0 && defs.size === 0) {
      this.#output.push(op);
      if (op.kind === "call" || op.kind === "load_packet") this.#held.clear();
      this.#forgetPerUse();
      return;
    }
    if (this.#dropped(op, uses, defs) || this.#shortCopy(op)) return;
    const map = this.#reload(uses, op.location);
    for (const register of defs) {
      if (!map.has(register)) map.set(register, this.#tiny(register, true));
    }
    replaceRegisters(op, (register) => map.get(register) ?? register);
    this.#output.push(op);
    this.#forgetPerUse();
    for (const register of defs) this.#store(register, map.get(register) ?? register, op);
  }

  /** Makers of remade values, and earlier reloads, are not needed any more. */
  #dropped(
    op: MachineInstruction,
    uses: ReadonlySet<MachineRegister>,
    defs: ReadonlySet<MachineRegister>,
  ): boolean {
    if (uses.size > 0 || defs.size !== 1) return false;
    const [register] = defs;
    const plan = register === undefined ? undefined : this.#plans[register];
    if (plan === undefined) return false;
    if (plan.home.kind === "remake") return true;
    if (plan.reach === "far" || op.kind !== "load") return false;
    return op.address.slot === plan.home.slot && op.size === 8;
  }

  /** Copies of spilled values become loads, stores or constants. */
  #shortCopy(op: MachineInstruction): boolean {
    if (!isCopy(op)) return false;
    const from = this.#plans[op.src.register];
    const to = this.#plans[op.dst];
    if (
      from !== undefined &&
      to === undefined &&
      this.#holder(op.src.register, from) === undefined
    ) {
      this.#output.push({ ...fetchHome(from.home, op.dst), location: op.location });
      this.#forgetPerUse();
      return true;
    }
    // From an argument register the value may as well stay in one for the uses that follow.
    const isNear = !isVirtual(op.src.register);
    if (to?.home.kind === "slot" && to.reach === "far" && from === undefined && !isNear) {
      this.#output.push({
        ...slotStore(to.home.slot, op.src.register),
        location: op.location,
      });
      this.#held.delete(op.dst);
      return true;
    }
    return false;
  }

  #reload(
    uses: ReadonlySet<MachineRegister>,
    location: MachineInstruction["location"],
  ): Map<MachineRegister, MachineRegister> {
    const map = new Map<MachineRegister, MachineRegister>();
    for (const register of uses) {
      const plan = this.#plans[register];
      if (plan === undefined) continue;
      const held = this.#holder(register, plan);
      if (held !== undefined) {
        map.set(register, held);
        this.#hold(register, plan, held);
        continue;
      }
      const made = this.#tiny(register, false);
      this.#output.push({ ...fetchHome(plan.home, made), location });
      this.#hold(register, plan, made);
      map.set(register, made);
    }
    return map;
  }

  #holder(register: MachineRegister, plan: Plan): MachineRegister | undefined {
    const held = this.#held.get(register);
    if (held === undefined) return undefined;
    return plan.reach === "near" && this.#place - held.at > nearby ? undefined : held.by;
  }

  #tiny(register: MachineRegister, isWritten: boolean): MachineRegister {
    const plan = this.#plans[register];
    const made = newRegister(this.#fn);
    if (plan === undefined) return made;
    if (plan.reach === "none") this.#state.unspillable.add(made);
    else this.#state.homes.set(made, plan);
    if (isWritten) this.#hold(register, plan, made);
    return made;
  }

  #store(register: MachineRegister, value: MachineRegister, op: MachineInstruction): void {
    const plan = this.#plans[register];
    if (plan === undefined || plan.home.kind === "remake") return;
    // The store that the first spilling made follows already.
    if (plan.reach === "far") {
      this.#output.push({ ...slotStore(plan.home.slot, value), location: op.location });
    }
    this.#hold(register, plan, value);
  }

  #hold(register: MachineRegister, plan: Plan, value: MachineRegister): void {
    this.#held.set(register, { by: value, at: this.#place });
    if (plan.reach === "none") this.#heldPerUse.push(register);
  }

  #forgetPerUse(): void {
    for (const register of this.#heldPerUse) this.#held.delete(register);
    this.#heldPerUse.length = 0;
  }
}

export function fetchHome(home: Home, dst: MachineRegister): MachineOperation {
  if (home.kind === "slot") {
    const address = { base: framePointer, slot: home.slot, offset: 0 };
    return { kind: "load", size: 8, signed: false, dst, address };
  }
  return { ...home.make, dst } as MachineOperation;
}

export function slotStore(slot: number, value: MachineRegister): MachineOperation {
  const address = { base: framePointer, slot, offset: 0 };
  return { kind: "store", size: 8, address, src: registerSource(value) };
}
