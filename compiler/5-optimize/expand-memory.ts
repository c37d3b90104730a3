/**
 * memcpy, memset and memcmp of constant length as loads and stores of the widest unit that alignment
 * (or the kernel's tolerance off the stack) allows, so that values can be forwarded through them. Long
 * ones stay for instruction selection. Stack objects get the alignment that this needs.
 * Guarantees: volatile ones are untouched; no access leaves the bytes that were asked for, but for
 * padding at the end of a stack object, which is made part of it.
 */
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { computeUses, constant, type Use, type ValueType } from "../4-lower/ir-builder.ts";
import { AliasAnalysis } from "./alias.ts";
import { addressRoot, isContextPointer } from "./context.ts";
import { isContextSize } from "./context-sizes.ts";
import { provenAlignment, toleratesUnaligned, widestUnit } from "./memory-provenance.ts";
import type { FunctionPass, PassContext } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import { alignmentAt } from "./split-aggregates.ts";
import {
  constantAddress,
  instructionsOf,
  integerOfSize,
  isConstant,
  isOp,
  operand,
} from "./values.ts";

/** Longest operation that is expanded here, in bytes. */
const longest = 128;
/** The same for fills of the stack, whose stores often turn out to be overwritten: all that a frame holds. */
const longestFill = 512;
/** Most units that a memmove may hold in registers at once. */
const mostHeld = 4;
/** Longest comparison: each unit is two loads and a branch. */
const longestComparison = 64;

export const expandMemory: FunctionPass = {
  kind: "function",
  name: "expand-memory",
  run: (fn, context) => {
    const hasWork = [...instructionsOf(fn)].some((each) => blockLength(each) !== undefined);
    if (!hasWork) return false;
    return new Expansion(fn, context, raiseAlignment(fn)).run();
  },
};

/** The same for what is copied from the context alone: how wide its pieces may be depends on the program's type. */
export const expandContextCopies: FunctionPass = {
  kind: "function",
  name: "expand-context-copies",
  run: (fn, context) => {
    const isWork = (each: IrInstruction): boolean => {
      const { op } = each.operation;
      const isCopy = (op === "memcpy" || op === "memmove") && blockLength(each) !== undefined;
      return isCopy && isContextPointer(addressRoot(each.operands[1] as Value), fn);
    };
    const work = [...instructionsOf(fn)].filter(isWork);
    return work.length > 0 && new Expansion(fn, context, new Map()).run(work);
  },
};

/** Bytes, if this is a block operation of constant length that is not volatile. */
function blockLength({ operation, operands }: IrInstruction): number | undefined {
  const isBlock =
    operation.op === "memcpy" ||
    operation.op === "memmove" ||
    operation.op === "memset" ||
    operation.op === "memcmp";
  if (!isBlock || ("volatile" in operation && operation.volatile)) return undefined;
  const length = operands[2];
  if (length?.kind !== "constant") return undefined;
  const isStackFill =
    operation.op === "memset" && isOp(addressRoot(operands[0] as Value), "alloca");
  return length.value <= (isStackFill ? longestFill : longest) ? Number(length.value) : undefined;
}

/**
 * Objects that block operations touch are aligned for words, and padded where a fill reaches their end.
 * Returns the sizes without that padding.
 */
function raiseAlignment(fn: IrFunction): Map<IrInstruction, number> {
  const sizes = new Map<IrInstruction, number>();
  for (const each of instructionsOf(fn)) {
    const length = blockLength(each);
    if (length === undefined) continue;
    for (const pointer of each.operands.slice(0, 2)) {
      const { base, offset } = constantAddress(pointer);
      if (!isOp(base, "alloca")) continue;
      const { operation } = base;
      const size = sizes.get(base) ?? operation.size;
      sizes.set(base, size);
      const wanted = operation.size >= 5 ? 8 : operation.size >= 3 ? 4 : operation.size;
      operation.align = Math.max(operation.align, Math.max(1, wanted));
      const isFill = each.operation.op === "memset" && pointer === each.operands[0];
      if (isFill && offset + length === size && length >= 4) {
        operation.size = Math.ceil(size / 8) * 8;
      }
    }
  }
  return sizes;
}

interface Piece {
  readonly offset: number;
  readonly size: number;
}

class Expansion {
  readonly #fn: IrFunction;
  readonly #context: PassContext;
  readonly #alias: AliasAnalysis;
  readonly #rewriter: Rewriter;
  readonly #uses: Map<Value, Use[]>;
  /** Sizes of stack objects before they were padded. */
  readonly #sizes: ReadonlyMap<IrInstruction, number>;

  constructor(fn: IrFunction, context: PassContext, sizes: ReadonlyMap<IrInstruction, number>) {
    this.#fn = fn;
    this.#sizes = sizes;
    this.#context = context;
    this.#alias = new AliasAnalysis(fn);
    this.#rewriter = new Rewriter(fn);
    this.#uses = computeUses(fn);
  }

  run(work: Iterable<IrInstruction> = instructionsOf(this.#fn)): boolean {
    for (const each of work) {
      const length = blockLength(each);
      if (length === undefined) continue;
      if (each.operation.op === "memset") this.#fill(each, length);
      else if (each.operation.op === "memcmp") this.#compare(each, length);
      else this.#copy(each, length);
    }
    return this.#rewriter.apply();
  }

  #unit(pointer: Value, given: number): number {
    return widestUnit(pointer, given, this.#alias, this.#context);
  }

  #canOverlap(pointer: Value): boolean {
    return toleratesUnaligned(pointer, this.#alias.regionOf(pointer), this.#context);
  }

  #fill(fill: IrInstruction, asked: number): void {
    const [target, byte] = fill.operands as [Value, Value];
    if (fill.operation.op !== "memset" || byte.kind !== "constant") return;
    const { base, offset } = constantAddress(target);
    // The padding that raiseAlignment added behind the asked bytes may be filled too.
    const isToEnd = isOp(base, "alloca") && offset + asked === this.#sizes.get(base);
    const length = isToEnd ? base.operation.size - offset : asked;
    const unit = this.#unit(target, fill.operation.dstAlign);
    for (const piece of piecesOf(length, unit, this.#canOverlap(target))) {
      const type = integerOfSize[piece.size] as ValueType;
      const value = constant(type, byte.value * 0x0101010101010101n);
      this.#store(fill, value, target, piece, fill.operation.dstAlign);
    }
    this.#rewriter.erase(fill);
  }

  #copy(copy: IrInstruction, length: number): void {
    const { operation } = copy;
    const [target, source] = copy.operands as [Value, Value];
    if (operation.op !== "memcpy" && operation.op !== "memmove") return;
    const to = this.#unit(target, operation.dstAlign);
    const from = this.#unit(source, operation.srcAlign);
    const canOverlap = this.#canOverlap(target) && this.#canOverlap(source);
    const canRepeat = canOverlap && operation.op === "memcpy";
    const pieces = this.#legalPieces(copy, length, Math.min(to, from), canRepeat);
    const isMove = operation.op === "memmove";
    if (isMove && pieces.length > mostHeld) return;
    const stores: (() => void)[] = [];
    for (const piece of pieces) {
      const type = integerOfSize[piece.size] as ValueType;
      const value = this.#load(copy, type, source, piece, operation.srcAlign);
      const store = (): void => this.#store(copy, value, target, piece, operation.dstAlign);
      if (isMove) stores.push(store);
      else store();
    }
    for (const store of stores) store();
    this.#rewriter.erase(copy);
  }

  /** The widest pieces that the kernel allows, should one side be the context. */
  #legalPieces(copy: IrInstruction, length: number, widest: number, canOverlap: boolean): Piece[] {
    const [target, source] = copy.operands as [Value, Value];
    for (let unit = widest; unit >= 1; unit /= 2) {
      const pieces = piecesOf(length, unit, canOverlap);
      const isLegal = pieces.every(
        ({ offset, size }) =>
          isContextSize(source, offset, size, false, this.#fn) &&
          isContextSize(target, offset, size, true, this.#fn),
      );
      if (isLegal) return pieces;
    }
    return piecesOf(length, widest, canOverlap);
  }

  /** Only "equal or not": a chain of equalities, which branches take one by one. */
  #compare(compare: IrInstruction, length: number): void {
    const tests = this.#uses.get(compare) ?? [];
    if (length > longestComparison || !tests.every(({ user }) => isZeroTest(user))) return;
    const [a, b] = compare.operands as [Value, Value];
    const unit = Math.min(this.#unit(a, 1), this.#unit(b, 1));
    const canOverlap = this.#canOverlap(a) && this.#canOverlap(b);
    let equal: Value = constant("i1", 1n);
    for (const piece of piecesOf(length, unit, canOverlap)) {
      const type = integerOfSize[piece.size] as ValueType;
      const left = this.#load(compare, type, a, piece, 1);
      const right = this.#load(compare, type, b, piece, 1);
      const test = this.#emit(compare, "i1", { op: "icmp", predicate: "eq" }, [left, right]);
      equal =
        equal.kind === "constant"
          ? test
          : this.#emit(compare, "i1", { op: "binary", binary: "and" }, [equal, test]);
    }
    for (const { user } of tests) {
      const isEqual = user.operation.op === "icmp" && user.operation.predicate === "eq";
      const not = (): Value =>
        this.#emit(compare, "i1", { op: "binary", binary: "xor" }, [equal, constant("i1", 1n)]);
      this.#rewriter.replace(user, isEqual ? equal : not());
    }
    this.#rewriter.erase(compare);
  }

  #load(
    at: IrInstruction,
    type: ValueType,
    pointer: Value,
    { offset }: Piece,
    given: number,
  ): IrInstruction {
    const align = this.#alignment(pointer, offset, given);
    return this.#emit(at, type, { op: "load", align, volatile: false }, [
      this.#address(at, pointer, offset),
    ]);
  }

  #store(at: IrInstruction, value: Value, pointer: Value, { offset }: Piece, given: number): void {
    const align = this.#alignment(pointer, offset, given);
    const address = this.#address(at, pointer, offset);
    this.#emit(at, "void", { op: "store", align, volatile: false }, [value, address]);
  }

  #alignment(pointer: Value, offset: number, given: number): number {
    return alignmentAt(provenAlignment(pointer, given, this.#context), offset);
  }

  /** From the object's own address: the context is read from there alone. */
  #address(at: IrInstruction, pointer: Value, offset: number): Value {
    const { base, offset: start } = constantAddress(pointer);
    if (offset === 0) return pointer;
    return this.#emit(at, "ptr", { op: "ptradd" }, [base, constant("i64", start + offset)]);
  }

  #emit(
    at: IrInstruction,
    type: IrInstruction["type"],
    operation: IrInstruction["operation"],
    operands: Value[],
  ): IrInstruction {
    return this.#rewriter.insertBefore(at, type, operation, operands);
  }
}

function isZeroTest(user: IrInstruction): boolean {
  if (user.operation.op !== "icmp" || !isConstant(operand(user, 1), 0n)) return false;
  return user.operation.predicate === "eq" || user.operation.predicate === "ne";
}

/**
 * Units from the front, each aligned; where accesses may be unaligned the last one moves back over bytes
 * that are done already: 7 bytes are two units of 4.
 */
export function piecesOf(length: number, unit: number, canOverlap: boolean): Piece[] {
  const pieces: Piece[] = [];
  for (let offset = 0; offset < length; ) {
    let size = unit;
    while (size > length - offset) size /= 2;
    const rest = length - offset;
    if (canOverlap && size < rest && rest < unit && 2 * size <= length) {
      // The rest is not one unit: a wider one from further back covers it.
      const wide = 2 * size;
      pieces.push({ offset: length - wide, size: wide });
      break;
    }
    pieces.push({ offset, size });
    offset += size;
  }
  return pieces;
}
