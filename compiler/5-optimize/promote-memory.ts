/**
 * mem2reg: stack objects that are only loaded and stored as one whole value become SSA values.
 * Needs: reachable blocks only. Guarantees: such allocas are gone, phis stand only where the
 * value is live. Reads of what was never written give undef.
 * Phis are placed at iterated dominance frontiers, then one walk over the dominator tree renames.
 */
import { pushTo } from "../../common/append.ts";
import {
  type DominatorTree,
  dominanceFrontiers,
  dominatorTree,
  predecessors,
} from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import {
  successors,
  type Use,
  undefinedValue,
  usesThat,
  type ValueType,
} from "../4-lower/ir-builder.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { byteSize, type InstructionOf, instructionsOf, isOp, operand } from "./values.ts";

type Alloca = InstructionOf<"alloca">;

/** A stack object on its way to become a value. */
interface Slot {
  readonly alloca: Alloca;
  /** Type of the SSA value; loads and stores of the other of ptr and i64 are converted. */
  readonly type: ValueType;
  readonly loads: readonly IrInstruction[];
  readonly stores: readonly IrInstruction[];
  /** Both, in the order of the blocks' instructions. */
  readonly accesses: readonly IrInstruction[];
}

export const promoteMemory: FunctionPass = {
  kind: "function",
  name: "promote-memory",
  run: promoteAllocas,
};

export function promoteAllocas(fn: IrFunction): boolean {
  const allocas = instructionsOf(fn).filter((each) => isOp(each, "alloca"));
  if (allocas.length === 0) return false;
  const uses = usesThat(fn, (value) => isOp(value, "alloca"));
  const slots: Slot[] = [];
  for (const instruction of allocas) {
    const slot = promotableSlot(instruction, uses.get(instruction) ?? []);
    if (slot !== undefined) slots.push(slot);
  }
  if (slots.length === 0) return false;
  const rewriter = new Rewriter(fn);
  for (const { alloca } of slots) {
    rewriter.erase(alloca);
    for (const { user } of uses.get(alloca) ?? []) if (isLifetime(user)) rewriter.erase(user);
  }
  const rest = slots.filter((slot) => !promoteInOneBlock(slot, rewriter));
  if (rest.length > 0) new Renaming(fn, rest, rewriter).run();
  return rewriter.apply();
}

const isLifetime = (user: IrInstruction): boolean =>
  user.operation.op === "lifetime_start" || user.operation.op === "lifetime_end";

function promotableSlot(alloca: Alloca, uses: readonly Use[]): Slot | undefined {
  const loads: IrInstruction[] = [];
  const stores: IrInstruction[] = [];
  const accesses: IrInstruction[] = [];
  let type: ValueType | undefined;
  for (const { user, index } of uses) {
    const { operation } = user;
    if (isLifetime(user)) continue;
    accesses.push(user);
    if (operation.op === "load" && !operation.volatile) loads.push(user);
    else if (operation.op === "store" && !operation.volatile && index === 1) stores.push(user);
    else return undefined;
    const accessed = operation.op === "load" ? user.type : operand(user, 0).type;
    if (accessed === "void" || byteSize[accessed] > alloca.operation.size) return undefined;
    if (type === undefined) type = accessed;
    else if (type !== accessed) {
      if (byteSize[type] !== 8 || byteSize[accessed] !== 8) return undefined;
      type = "ptr";
    }
  }
  return { alloca, type: type ?? "i64", loads, stores, accesses };
}

/** All in one block: no phis, no walk. */
function promoteInOneBlock({ accesses, type }: Slot, rewriter: Rewriter): boolean {
  const [first] = accesses;
  if (first === undefined) return true;
  if (accesses.some(({ block }) => block !== first.block)) return false;
  let current: Value = undefinedValue(type);
  for (const access of accesses) current = visitAccess(access, current, type, rewriter);
  return true;
}

/** Replaces a load by the current value; a store gives the new one. */
function visitAccess(
  instruction: IrInstruction,
  current: Value,
  type: ValueType,
  rewriter: Rewriter,
): Value {
  if (instruction.operation.op === "load") {
    rewriter.replace(
      instruction,
      convert(current, instruction.type as ValueType, instruction, rewriter),
    );
    return current;
  }
  rewriter.erase(instruction);
  return convert(rewriter.resolve(operand(instruction, 0)), type, instruction, rewriter);
}

function convert(value: Value, type: ValueType, at: IrInstruction, rewriter: Rewriter): Value {
  if (value.type === type) return value;
  if (value.kind === "undef") return undefinedValue(type);
  return rewriter.insertBefore(at, type, { op: type === "ptr" ? "inttoptr" : "ptrtoint" }, [value]);
}

/** Phi placement and renaming for the slots that live across blocks. */
class Renaming {
  readonly #slotOf = new Map<IrInstruction, Slot>();
  readonly #rewriter: Rewriter;
  readonly #tree: DominatorTree;
  readonly #preds: ReadonlyMap<Block, readonly Block[]>;
  /** Phis to fill, by block. */
  readonly #phis = new Map<Block, { slot: Slot; phi: IrInstruction }[]>();
  readonly #accessesOf = new Map<Block, IrInstruction[]>();

  constructor(fn: IrFunction, slots: readonly Slot[], rewriter: Rewriter) {
    this.#rewriter = rewriter;
    this.#tree = dominatorTree(fn);
    this.#preds = predecessors(fn);
    for (const slot of slots) {
      for (const access of [...slot.loads, ...slot.stores]) this.#slotOf.set(access, slot);
    }
    for (const block of fn.blocks) {
      const list = block.instructions.filter((each) => this.#slotOf.has(each));
      if (list.length > 0) this.#accessesOf.set(block, list);
    }
    const frontiers = dominanceFrontiers(fn, this.#tree);
    for (const slot of slots) this.#placePhis(slot, frontiers);
  }

  #placePhis(slot: Slot, frontiers: ReadonlyMap<Block, ReadonlySet<Block>>): void {
    const live = this.#liveIn(slot);
    const work = slot.stores.map((store) => store.block);
    const placed = new Set<Block>();
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      for (const join of frontiers.get(block) ?? []) {
        if (placed.has(join) || !live.has(join)) continue;
        placed.add(join);
        work.push(join);
        const phi = this.#rewriter.insertPhi(join, slot.type, [], []);
        if (slot.alloca.operation.name !== "") phi.name = slot.alloca.operation.name;
        pushTo(this.#phis, join, { slot, phi });
      }
    }
  }

  /** Blocks at whose start the slot's value may still be read. */
  #liveIn(slot: Slot): Set<Block> {
    const stored = new Set(slot.stores.map((store) => store.block));
    const live = new Set<Block>();
    const work: Block[] = [];
    for (const { block } of slot.loads) {
      const first = this.#accessesOf.get(block)?.find((each) => this.#slotOf.get(each) === slot);
      if (!stored.has(block) || first?.operation.op === "load") work.push(block);
    }
    for (let block = work.pop(); block !== undefined; block = work.pop()) {
      if (live.has(block)) continue;
      live.add(block);
      for (const pred of this.#preds.get(block) ?? []) if (!stored.has(pred)) work.push(pred);
    }
    return live;
  }

  run(): void {
    const root = this.#tree.order[0];
    if (root === undefined) return;
    const current = new Map<Slot, Value>();
    // Walks the tree without recursion; `undo` brings back what a subtree changed.
    type Frame = { block: Block; undo: [Slot, Value | undefined][]; entered: boolean };
    const stack: Frame[] = [{ block: root, undo: [], entered: false }];
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      if (frame.entered) {
        for (const [slot, value] of frame.undo.reverse()) {
          if (value === undefined) current.delete(slot);
          else current.set(slot, value);
        }
        stack.pop();
        continue;
      }
      frame.entered = true;
      this.#visit(frame.block, current, frame.undo);
      for (const child of this.#tree.children.get(frame.block) ?? []) {
        stack.push({ block: child, undo: [], entered: false });
      }
    }
  }

  #visit(block: Block, current: Map<Slot, Value>, undo: [Slot, Value | undefined][]): void {
    const set = (slot: Slot, value: Value): void => {
      undo.push([slot, current.get(slot)]);
      current.set(slot, value);
    };
    for (const { slot, phi } of this.#phis.get(block) ?? []) set(slot, phi);
    for (const access of this.#accessesOf.get(block) ?? []) {
      const slot = this.#slotOf.get(access) as Slot;
      const before = current.get(slot) ?? undefinedValue(slot.type);
      const after = visitAccess(access, before, slot.type, this.#rewriter);
      if (after !== before) set(slot, after);
    }
    for (const next of new Set(successors(block))) {
      for (const { slot, phi } of this.#phis.get(next) ?? []) {
        if (phi.operation.op !== "phi") continue;
        phi.operation.incoming.push(block);
        phi.operands.push(current.get(slot) ?? undefinedValue(slot.type));
      }
    }
  }
}
