/**
 * Puts values into stack objects for a moment, so that a pass may copy or redirect blocks without
 * keeping SSA form by hand; promote-memory brings them back with the phis that are then needed.
 */
import { pushTo } from "../../common/append.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { createInstruction, firstNonPhi, type Use, type ValueType } from "../4-lower/ir-builder.ts";
import { byteSize } from "./values.ts";

/** Collects insertions per block, so that many demotions cost one walk. */
export class Demotion {
  readonly #fn: IrFunction;
  readonly #before = new Map<IrInstruction, IrInstruction[]>();
  readonly #after = new Map<IrInstruction, IrInstruction[]>();
  readonly #atStart = new Map<Block, IrInstruction[]>();
  readonly #allocas: IrInstruction[] = [];

  constructor(fn: IrFunction) {
    this.#fn = fn;
  }

  /** The given uses of `value` read it from memory; it is stored where it is defined. */
  demote(value: IrInstruction, uses: readonly Use[]): void {
    const fn = this.#fn;
    const type = value.type as ValueType;
    const size = byteSize[type];
    const entry = fn.blocks[0] as Block;
    const operation = { op: "alloca", size, align: size, name: value.name ?? "" } as const;
    const slot = createInstruction(fn, entry, "ptr", { ...operation }, []);
    this.#allocas.push(slot);
    const store = createInstruction(
      fn,
      value.block,
      "void",
      { op: "store", align: size, volatile: false },
      [value, slot],
      value.location,
    );
    if (value.operation.op === "phi") pushTo(this.#atStart, value.block, store);
    else pushTo(this.#after, value, store);
    for (const { user, index } of uses) {
      const place = placeOf(user, index);
      const load = createInstruction(
        fn,
        place.block,
        type,
        { op: "load", align: size, volatile: false },
        [slot],
        user.location,
      );
      pushTo(this.#before, place, load);
      user.operands[index] = load;
    }
  }

  apply(): void {
    const entry = this.#fn.blocks[0];
    for (const block of this.#fn.blocks) {
      const list: IrInstruction[] = block === entry ? [...this.#allocas] : [];
      const phis = firstNonPhi(block);
      list.push(...block.instructions.slice(0, phis), ...(this.#atStart.get(block) ?? []));
      for (const each of block.instructions.slice(phis)) {
        list.push(...(this.#before.get(each) ?? []), each, ...(this.#after.get(each) ?? []));
      }
      block.instructions = list;
    }
  }
}

/** Where a use happens: phis read at the end of the block that their value comes from. */
function placeOf(user: IrInstruction, index: number): IrInstruction {
  if (user.operation.op !== "phi") return user;
  const from = user.operation.incoming[index] as Block;
  return from.instructions.at(-1) as IrInstruction;
}

/** The block in which a use reads its value. */
export function blockOfUse({ user, index }: Use): Block {
  return placeOf(user, index).block;
}

/** Values with uses outside of `blocks`, and those uses. */
export function usesOutside(
  blocks: ReadonlySet<Block>,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Map<IrInstruction, Use[]> {
  const result = new Map<IrInstruction, Use[]>();
  for (const block of blocks) {
    for (const each of block.instructions) {
      const outside = (uses.get(each) ?? []).filter((use) => !blocks.has(blockOfUse(use)));
      if (outside.length > 0) result.set(each, outside);
    }
  }
  return result;
}
