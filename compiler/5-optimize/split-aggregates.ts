/**
 * SROA: splits stack objects that are accessed at constant offsets only into one object per part,
 * so that promote-memory can make values of them. Copies and fills of aggregates become loads and
 * stores of the parts. Needs: reachable blocks. Guarantees: an object whose address escapes, or that
 * is accessed at a variable offset or volatile, stays as it is.
 */
import type { Endian } from "../../common/object/object-file.ts";
import type { IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, type Use, usesThat, type ValueType } from "../4-lower/ir-builder.ts";
import {
  type Alloca,
  chunks,
  isScalarSlice,
  type Part,
  partsOf,
  type Slice,
  sliceCovers,
} from "./aggregate-parts.ts";
import type { FunctionPass } from "./pass.ts";
import { promoteAllocas } from "./promote-memory.ts";
import { Rewriter } from "./rewriter.ts";
import { byteSize, instructionsOf, integerOfSize, isOp, operand } from "./values.ts";

/** An object whose every use is known. */
interface Candidate {
  readonly alloca: Alloca;
  readonly slices: readonly Slice[];
  /** Addresses within it and marks of its lifetime. */
  readonly others: readonly IrInstruction[];
}

export const splitAggregates: FunctionPass = {
  kind: "function",
  name: "split-aggregates",
  ignoresRemovals: true,
  run(fn, { module }) {
    let changed = promoteAllocas(fn);
    // Splitting one object turns its copies into accesses of the next: a few rounds reach the end.
    for (let round = 0; round < 20; round += 1) {
      if (!splitAllocas(fn, module.endian)) break;
      promoteAllocas(fn);
      changed = true;
    }
    return changed;
  },
};

function splitAllocas(fn: IrFunction, endian: Endian): boolean {
  const allocas = instructionsOf(fn).filter((each) => isOp(each, "alloca"));
  if (allocas.length === 0) return false;
  const uses = usesThat(fn, (value) => isOp(value, "alloca") || isOp(value, "ptradd"));
  const rewriter = new Rewriter(fn);
  const candidates: Candidate[] = [];
  for (const instruction of allocas) {
    const candidate = candidateOf(instruction, uses);
    if (candidate !== undefined) candidates.push(candidate);
  }
  const scalar = candidates.filter(({ slices }) => slices.some(isScalarSlice));
  splitAll(scalar, false, rewriter, endian);
  // Where no load or store tells the parts, words do; but first every object that can tell them must.
  if (!rewriter.changed) splitAll(candidates, true, rewriter, endian);
  return rewriter.apply();
}

function splitAll(
  candidates: readonly Candidate[],
  useWords: boolean,
  rewriter: Rewriter,
  endian: Endian,
): void {
  const touched = new Set<IrInstruction>();
  for (const { alloca, slices, others } of candidates) {
    if (slices.some(({ user }) => touched.has(user))) continue;
    const parts = partsOf(slices, alloca, useWords);
    if (parts === undefined) continue;
    new Split(alloca, parts, rewriter, endian).run();
    for (const { user } of slices) {
      touched.add(user);
      rewriter.erase(user);
    }
    for (const each of [alloca, ...others]) rewriter.erase(each);
  }
}

/** The object with all its accesses, or undefined if the address gets out of sight. */
function candidateOf(
  alloca: Alloca,
  uses: ReadonlyMap<Value, readonly Use[]>,
): Candidate | undefined {
  const slices: Slice[] = [];
  const others: IrInstruction[] = [];
  const work: { pointer: IrInstruction; offset: number }[] = [{ pointer: alloca, offset: 0 }];
  for (let item = work.pop(); item !== undefined; item = work.pop()) {
    for (const { user, index } of uses.get(item.pointer) ?? []) {
      const { op } = user.operation;
      if (op === "lifetime_start" || op === "lifetime_end") {
        others.push(user);
        continue;
      }
      if (op === "ptradd" && index === 0) {
        const step = operand(user, 1);
        if (step.kind !== "constant") return undefined;
        const offset = item.offset + Number(BigInt.asIntN(64, step.value));
        work.push({ pointer: user, offset });
        others.push(user);
        continue;
      }
      const slice = sliceOf(user, index, item.offset);
      if (slice === undefined || slice.start < 0) return undefined;
      if (slice.end > alloca.operation.size) return undefined;
      slices.push(slice);
    }
  }
  return slices.length > 0 ? { alloca, slices, others } : undefined;
}

function sliceOf(user: IrInstruction, index: number, start: number): Slice | undefined {
  const { operation } = user;
  switch (operation.op) {
    case "load":
      if (operation.volatile) return undefined;
      return { user, start, end: start + byteSize[user.type], kind: "load" };
    case "store":
      if (operation.volatile || index !== 1) return undefined;
      return { user, start, end: start + byteSize[operand(user, 0).type], kind: "store" };
    case "memset":
    case "memcpy":
    case "memmove": {
      const length = operand(user, 2);
      if (operation.volatile || length.kind !== "constant" || length.value > 4096n)
        return undefined;
      const end = start + Number(length.value);
      if (operation.op === "memset") return { user, start, end, kind: "fill" };
      return { user, start, end, kind: index === 0 ? "copy_to" : "copy_from" };
    }
    default:
      return undefined;
  }
}

/** Rewrites the accesses of one object to its parts. */
class Split {
  readonly #alloca: Alloca;
  readonly #parts: readonly Part[];
  readonly #rewriter: Rewriter;
  readonly #endian: Endian;
  readonly #objects = new Map<Part, { object: IrInstruction; type: ValueType | undefined }>();

  constructor(alloca: Alloca, parts: readonly Part[], rewriter: Rewriter, endian: Endian) {
    this.#alloca = alloca;
    this.#parts = parts;
    this.#rewriter = rewriter;
    this.#endian = endian;
  }

  run(): void {
    const users = new Map<IrInstruction, Slice>();
    for (const part of this.#parts) {
      const type = valueTypeOf(part);
      this.#objects.set(part, { object: this.#newObject(part, type), type });
      for (const slice of part.slices) users.set(slice.user, slice);
    }
    for (const slice of users.values()) {
      if (slice.kind === "load") this.#rewriteLoad(slice);
      else if (slice.kind === "store") this.#rewriteStore(slice);
      else this.#rewriteAggregate(slice);
    }
  }

  #newObject(part: Part, type: ValueType | undefined): IrInstruction {
    const { operation } = this.#alloca;
    const size = type === undefined ? part.end - part.start : byteSize[type];
    const align = type === undefined ? alignmentAt(operation.align, part.start) : byteSize[type];
    const name = part.start === 0 ? operation.name : `${operation.name}+${part.start}`;
    const made: Alloca["operation"] = { op: "alloca", size, align, name };
    const object = this.#rewriter.insertBefore(this.#alloca, "ptr", made, []);
    if (this.#alloca.name !== undefined) object.name = this.#alloca.name;
    return object;
  }

  #partAt(offset: number): Part {
    return this.#parts.find((part) => part.start <= offset && offset < part.end) as Part;
  }

  #rewriteLoad(slice: Slice): void {
    const { user } = slice;
    const part = this.#partAt(slice.start);
    this.#rewriter.replace(user, this.#read(part, slice.start, user.type as ValueType, user));
  }

  #rewriteStore(slice: Slice): void {
    const value = this.#rewriter.resolve(operand(slice.user, 0));
    this.#write(this.#partAt(slice.start), slice.start, value, slice.user);
  }

  /** The bytes at `start` of the object as a value of `type`, which lie in one part. */
  #read(part: Part, start: number, type: ValueType, at: IrInstruction): Value {
    const { object, type: whole } = this.#entry(part);
    if (whole === undefined) {
      const pointer = this.#address(object, start - part.start, at);
      const align = alignmentAt(this.#alloca.operation.align, start);
      return this.#emit(at, type, { op: "load", align, volatile: false }, [pointer]);
    }
    const align = byteSize[whole];
    const value = this.#emit(at, whole, { op: "load", align, volatile: false }, [object]);
    if (byteSize[whole] === byteSize[type]) return this.#convert(value, type, at);
    const shift = this.#shiftOf(part, start, byteSize[type], whole);
    const bits = this.#convert(value, asInteger(whole), at);
    const low = this.#shift("lshr", bits, shift, at);
    return this.#emit(at, type, { op: "trunc" }, [low]);
  }

  #write(part: Part, start: number, value: Value, at: IrInstruction): void {
    const { object, type: whole } = this.#entry(part);
    if (whole === undefined) {
      const pointer = this.#address(object, start - part.start, at);
      const align = alignmentAt(this.#alloca.operation.align, start);
      this.#emit(at, "void", { op: "store", align, volatile: false }, [value, pointer]);
      return;
    }
    const store = { op: "store", align: byteSize[whole], volatile: false } as const;
    const size = byteSize[value.type];
    if (size === byteSize[whole]) {
      this.#emit(at, "void", store, [this.#convert(value, whole, at), object]);
      return;
    }
    const word = asInteger(whole);
    const load = { op: "load", align: byteSize[whole], volatile: false } as const;
    const old = this.#convert(this.#emit(at, whole, load, [object]), word, at);
    const shift = this.#shiftOf(part, start, size, whole);
    const hole = constant(word, ~(((1n << BigInt(size * 8)) - 1n) << shift));
    const kept = this.#emit(at, word, { op: "binary", binary: "and" }, [old, hole]);
    const wide = this.#emit(at, word, { op: "zext" }, [value]);
    const placed = this.#shift("shl", wide, shift, at);
    const merged = this.#emit(at, word, { op: "binary", binary: "or" }, [kept, placed]);
    this.#emit(at, "void", store, [this.#convert(merged, whole, at), object]);
  }

  /** How far the bytes are from the value's low end. */
  #shiftOf(part: Part, start: number, size: number, whole: ValueType): bigint {
    const before = start - part.start;
    const bytes = this.#endian === "little" ? before : byteSize[whole] - before - size;
    return BigInt(bytes * 8);
  }

  #shift(binary: "shl" | "lshr", value: Value, amount: bigint, at: IrInstruction): Value {
    if (amount === 0n) return value;
    const type = value.type as ValueType;
    return this.#emit(at, type, { op: "binary", binary }, [value, constant(type, amount)]);
  }

  #rewriteAggregate(slice: Slice): void {
    for (const part of this.#parts) {
      const start = Math.max(part.start, slice.start);
      const end = Math.min(part.end, slice.end);
      if (start >= end) continue;
      if (this.#entry(part).type === undefined) this.#splitAggregate(slice, part, start, end);
      else this.#moveValues(slice, part, start, end);
    }
  }

  /** The piece of a copy or fill that concerns a part which stays in memory. */
  #splitAggregate(slice: Slice, part: Part, start: number, end: number): void {
    const { user } = slice;
    const { operation } = user;
    const here = this.#address(this.#entry(part).object, start - part.start, user);
    const length = constant("i64", end - start);
    const align = alignmentAt(this.#alloca.operation.align, start);
    if (operation.op === "memset") {
      const piece = { ...operation, dstAlign: align };
      this.#emit(user, "void", piece, [here, operand(user, 1), length]);
    } else if (operation.op === "memcpy" || operation.op === "memmove") {
      const other = this.#address(this.#other(slice), start - slice.start, user);
      const isTarget = slice.kind === "copy_to";
      const otherAlign = isTarget ? operation.srcAlign : operation.dstAlign;
      const there = alignmentAt(otherAlign, start - slice.start);
      const piece = isTarget
        ? { ...operation, dstAlign: align, srcAlign: there }
        : { ...operation, dstAlign: there, srcAlign: align };
      this.#emit(user, "void", piece, isTarget ? [here, other, length] : [other, here, length]);
    }
  }

  /** The piece of a copy or fill that concerns a part which is a value. */
  #moveValues(slice: Slice, part: Part, start: number, end: number): void {
    const { user } = slice;
    const { operation } = user;
    const isWhole = start === part.start && end === part.end;
    const whole = this.#entry(part).type as ValueType;
    const pieces =
      isWhole && byteSize[whole] === end - start
        ? [{ start, size: end - start }]
        : chunks(start - part.start, end - part.start, 8).map((chunk) => ({
            start: chunk.start + part.start,
            size: chunk.size,
          }));
    for (const { start: at, size } of pieces) {
      const type = isWhole && size === byteSize[whole] ? whole : (integerOfSize[size] as ValueType);
      if (operation.op === "memset") {
        this.#write(part, at, this.#fillValue(operand(user, 1), size, user), user);
      } else if (operation.op === "memcpy" || operation.op === "memmove") {
        const isTarget = slice.kind === "copy_to";
        const given = isTarget ? operation.srcAlign : operation.dstAlign;
        const align = alignmentAt(given, at - slice.start);
        const other = this.#address(this.#other(slice), at - slice.start, user);
        if (isTarget) {
          const load = { op: "load", align, volatile: false } as const;
          this.#write(part, at, this.#emit(user, type, load, [other]), user);
        } else {
          const value = this.#read(part, at, type, user);
          this.#emit(user, "void", { op: "store", align, volatile: false }, [value, other]);
        }
      }
    }
  }

  #fillValue(byte: Value, size: number, at: IrInstruction): Value {
    const type = integerOfSize[size] as ValueType;
    const ones = BigInt.asUintN(size * 8, 0x0101010101010101n);
    if (byte.kind === "constant") return constant(type, byte.value * ones);
    if (size === 1) return byte;
    const wide = this.#emit(at, type, { op: "zext" }, [byte]);
    return this.#emit(at, type, { op: "binary", binary: "mul" }, [wide, constant(type, ones)]);
  }

  /** The other side of a copy. */
  #other(slice: Slice): Value {
    return this.#rewriter.resolve(operand(slice.user, slice.kind === "copy_to" ? 1 : 0));
  }

  #entry(part: Part): { object: IrInstruction; type: ValueType | undefined } {
    return this.#objects.get(part) as { object: IrInstruction; type: ValueType | undefined };
  }

  #address(base: Value, offset: number, at: IrInstruction): Value {
    if (offset === 0) return base;
    return this.#emit(at, "ptr", { op: "ptradd" }, [base, constant("i64", offset)]);
  }

  #convert(value: Value, type: ValueType, at: IrInstruction): Value {
    if (value.type === type) return value;
    return this.#emit(at, type, { op: type === "ptr" ? "inttoptr" : "ptrtoint" }, [value]);
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

const asInteger = (type: ValueType): ValueType => (type === "ptr" ? "i64" : type);

/** The type that a part has as a value, or undefined if it stays in memory. */
function valueTypeOf(part: Part): ValueType | undefined {
  const size = part.end - part.start;
  if (size > 8) return undefined;
  const container = size <= 1 ? 1 : size <= 2 ? 2 : size <= 4 ? 4 : 8;
  const whole = part.slices.filter((slice) => isScalarSlice(slice) && sliceCovers(slice, part));
  const isPointer =
    container === 8 &&
    whole.length > 0 &&
    whole.every(({ user, kind }) => accessType(user, kind) === "ptr");
  return isPointer ? "ptr" : (integerOfSize[container] as ValueType);
}

function accessType(user: IrInstruction, kind: Slice["kind"]): IrInstruction["type"] {
  return kind === "load" ? user.type : operand(user, 0).type;
}

/** What is proven of `base + offset` if `align` is of base; the largest power of two in both. */
export function alignmentAt(align: number, offset: number): number {
  let result = align;
  while (result > 1 && offset % result !== 0) result /= 2;
  return result;
}
