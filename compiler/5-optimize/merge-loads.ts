/**
 * Byte-wise loads that are put together with shifts and ors become one wide load, byte-swapped where the
 * order is the other one: `p[0] << 8 | p[1]` is a swapped load of 16 bits. This is the largest single
 * saving that published BPF optimisers found. Only where the memory takes the wide access
 * (memory-provenance.ts), within one block and with no write in between, so that whatever bounds check
 * made the last of the loads legal makes the wide one legal.
 */
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import { sameBase } from "./alias.ts";
import { memoryEffect } from "./effects.ts";
import type { FunctionFacts } from "./function-facts.ts";
import { provenAlignment, toleratesUnaligned } from "./memory-provenance.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { byteSize, constantAddress, integerOfSize, isBinary, isOp, operand } from "./values.ts";

export const mergeLoads: FunctionPass = {
  kind: "function",
  name: "merge-loads",
  run: (fn, context) => new Merging(fn, context).run(),
};

/** One load and where its bytes go in the whole, in bytes from the low end. */
interface Piece {
  readonly load: IrInstruction;
  readonly place: number;
  readonly size: number;
  readonly base: Value;
  readonly offset: number;
}

class Merging {
  readonly #fn: IrFunction;
  readonly #context: PassContext;
  readonly #facts: FunctionFacts;
  readonly #rewriter: Rewriter;
  readonly #positions = new Map<IrInstruction, number>();

  constructor(fn: IrFunction, context: PassContext) {
    this.#fn = fn;
    this.#context = context;
    this.#facts = context.runs.factsOf(fn);
    this.#rewriter = new Rewriter(fn);
  }

  run(): boolean {
    for (const block of this.#fn.blocks) {
      const seen = new Set<IrInstruction>();
      for (const [at, each] of block.instructions.entries()) this.#positions.set(each, at);
      // From the end: the root of a tree of ors comes before its parts.
      for (let at = block.instructions.length - 1; at >= 0; at -= 1) {
        const root = block.instructions[at] as IrInstruction;
        if (!isJoin(root) || seen.has(root)) continue;
        const pieces = this.#piecesOf(root, block, seen);
        if (pieces !== undefined) this.#merge(root, pieces, block);
      }
    }
    return this.#rewriter.apply();
  }

  /** The leaves of a tree of ors and sums, if all are shifted loads. */
  #piecesOf(root: IrInstruction, block: Block, seen: Set<IrInstruction>): Piece[] | undefined {
    const pieces: Piece[] = [];
    const work: { value: Value; shift: number }[] = [{ value: root, shift: 0 }];
    let isWhole = true;
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
      const { value, shift } = item;
      if (value.kind !== "instruction" || value.block !== block || pieces.length > 8) {
        isWhole = false;
        continue;
      }
      if (value !== root && (this.#facts.uses.get(value) ?? []).length > 1) {
        isWhole = false;
        continue;
      }
      if (isJoin(value)) {
        seen.add(value);
        work.push({ value: operand(value, 0), shift }, { value: operand(value, 1), shift });
      } else if (isBinary(value, "shl")) {
        const amount = operand(value, 1);
        if (amount.kind !== "constant") isWhole = false;
        else work.push({ value: operand(value, 0), shift: shift + Number(amount.value) });
      } else if (isOp(value, "zext")) work.push({ value: operand(value, 0), shift });
      else {
        const piece = pieceOf(value, shift);
        if (piece === undefined) isWhole = false;
        else pieces.push(piece);
      }
    }
    return isWhole && pieces.length >= 2 ? pieces : undefined;
  }

  #merge(root: IrInstruction, pieces: Piece[], block: Block): void {
    const [first] = pieces;
    if (first === undefined || pieces.some(({ base }) => !sameBase(base, first.base))) return;
    const byOffset = [...pieces].sort((a, b) => a.offset - b.offset);
    const start = byOffset[0]?.offset ?? 0;
    const size = pieces.reduce((sum, piece) => sum + piece.size, 0);
    const order = orderOf(byOffset, start, size);
    const type = integerOfSize[size];
    const width = root.type === "void" ? 0 : bitWidth[root.type];
    if (order === undefined || type === undefined || size * 8 > width) return;
    if (order === "reversed" && pieces.some((piece) => piece.size > 1)) return;
    const loads = pieces.map(({ load }) => load).sort((a, b) => this.#at(a) - this.#at(b));
    if (!this.#isUndisturbed(loads, block)) return;
    const last = loads.at(-1) as IrInstruction;
    const lowest = byOffset[0] as Piece;
    const pointer = operand(lowest.load, 0);
    const given = lowest.load.operation.op === "load" ? lowest.load.operation.align : 1;
    const align = provenAlignment(pointer, given, this.#context);
    const region = this.#facts.alias.regionOf(pointer);
    if (align < size && !toleratesUnaligned(pointer, region, this.#context)) return;
    if (region.kind === "context" || region.kind === "unknown") return;
    const isHere = pointer.kind === "instruction" && pointer.block === block;
    if (isHere && this.#at(pointer) > this.#at(last)) return;
    const load = { op: "load", align, volatile: false } as const;
    let value: Value = this.#rewriter.insertBefore(last, type, { ...load }, [pointer]);
    if ((order === "little") !== (this.#context.module.endian === "little")) {
      value = this.#rewriter.insertBefore(root, type, { op: "bswap" }, [value]);
    }
    if (size * 8 < width)
      value = this.#rewriter.insertBefore(root, root.type, { op: "zext" }, [value]);
    this.#rewriter.replace(root, value);
  }

  #at(value: Value): number {
    return value.kind === "instruction" ? (this.#positions.get(value) ?? -1) : -1;
  }

  /** No write between the first and the last of the loads may concern them. */
  #isUndisturbed(loads: readonly IrInstruction[], block: Block): boolean {
    const [from, to] = [this.#at(loads[0] as Value), this.#at(loads.at(-1) as Value)];
    return block.instructions.slice(from, to).every((each) => {
      const kind = memoryEffect(each).kind;
      if (kind === "none" || kind === "load") return true;
      return loads.every((load) => {
        const location = this.#facts.alias.accessOf(load);
        return location !== undefined && !this.#facts.alias.mayWrite(each, location);
      });
    });
  }
}

function isJoin(value: Value): boolean {
  return isBinary(value, "or") || isBinary(value, "add");
}

function pieceOf(value: IrInstruction, shift: number): Piece | undefined {
  if (!isOp(value, "load") || value.operation.volatile || shift % 8 !== 0) return undefined;
  if (value.type === "ptr") return undefined;
  const { base, offset } = constantAddress(operand(value, 0));
  return { load: value, place: shift / 8, size: byteSize[value.type], base, offset };
}

/** Lowest address lowest (little) or highest (big); with one-byte pieces. */
function orderOf(
  byOffset: readonly Piece[],
  start: number,
  size: number,
): "little" | "reversed" | undefined {
  let at = start;
  let isLittle = true;
  let isReversed = true;
  for (const piece of byOffset) {
    if (piece.offset !== at) return undefined;
    if (piece.place !== at - start) isLittle = false;
    if (piece.place !== size - (at - start) - piece.size) isReversed = false;
    at += piece.size;
  }
  return isLittle ? "little" : isReversed ? "reversed" : undefined;
}
