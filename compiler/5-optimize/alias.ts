/**
 * Which accesses may touch the same memory. Memory falls into regions that the verifier keeps apart:
 * stack objects, the context, globals, the packet, arenas, and the rest (map values, kernel objects).
 * One class, as each question is answered from the regions and spans that were found for those before.
 */
import type { AccessedType, IrFunction, IrInstruction, Parameter, Value } from "../4-lower/ir.ts";
import { usesThat } from "../4-lower/ir-builder.ts";
import { findSpan, type Span } from "./address-spans.ts";
import { addressRoot, contextField, isContextPointer } from "./context.ts";
import { memoryEffect } from "./effects.ts";
import { type Escape, escapeOf, isFollowed } from "./escapes.ts";
import {
  byteSize,
  constantAddress,
  type InstructionOf,
  instructionsOf,
  isOp,
  operand,
} from "./values.ts";

export type Region =
  | { readonly kind: "stack"; readonly object: InstructionOf<"alloca"> }
  | { readonly kind: "context" }
  /** What a parameter without alias points to: an object of the caller's stack. */
  | { readonly kind: "argument"; readonly parameter: Parameter }
  | { readonly kind: "global"; readonly symbol: string }
  | { readonly kind: "packet" }
  /** What a pointer that was cast for it leads to. */
  | { readonly kind: "arena" }
  /** Result of a helper: map values, reserved ring buffer space. */
  | { readonly kind: "helper" }
  | { readonly kind: "unknown" };

/** A piece of memory: `size` bytes at `base + offset`; unknown size or offset is undefined. */
export interface Location {
  readonly base: Value;
  readonly offset: number;
  readonly size: number | undefined;
  readonly region: Region;
  /** The base is cast to the kernel's address of an arena before it is accessed. */
  readonly isCast?: boolean;
  /** As what it is accessed, where that tells it from others. */
  readonly accessed?: AccessedType | undefined;
}

const unknownRegion: Region = { kind: "unknown" };
const depthLimit = 6;

export class AliasAnalysis {
  readonly #fn: IrFunction;
  readonly #regions = new Map<Value, Region>();
  readonly #escapes = new Map<IrInstruction, Escape>();
  /** Of addresses with variable parts. */
  readonly #spans = new Map<Value, Span | undefined>();
  /** Parameters whose object may be met through a pointer of unknown region. */
  readonly #mixed = new Set<Value>();

  constructor(fn: IrFunction) {
    this.#fn = fn;
    const all = instructionsOf(fn);
    const allocas = all.filter((each) => isOp(each, "alloca"));
    const uses = allocas.length > 0 ? usesThat(fn, isFollowed) : new Map();
    for (const each of allocas) this.#escapes.set(each, escapeOf(each, uses));
    // An access through a pointer of unknown region must be seen to meet each object it may lie in.
    for (const each of all) {
      const chooses = isOp(each, "phi") || isOp(each, "select");
      if (!chooses || each.type !== "ptr" || this.regionOf(each).kind !== "unknown") continue;
      for (const object of rootsOf(each)) {
        if (isOp(object, "alloca")) this.#escapes.set(object, "all");
        else if (object.kind === "parameter") this.#mixed.add(object);
      }
    }
  }

  escapeOf(object: IrInstruction): Escape {
    return this.#escapes.get(object) ?? "all";
  }

  location(pointer: Value, size: number | undefined, accessed?: AccessedType): Location {
    const { base, offset } = constantAddress(pointer);
    const region = this.regionOf(base);
    if (!isOp(base, "addr_space_cast") || base.operation.from !== 1)
      return { base, offset, size, region, accessed };
    // Casts of one address are made anew at each access.
    const held = constantAddress(operand(base, 0));
    const start = held.offset + offset;
    return { base: held.base, offset: start, size, region, isCast: true, accessed };
  }

  /** Memory that an instruction loads or stores. */
  accessOf(instruction: IrInstruction): Location | undefined {
    const effect = memoryEffect(instruction);
    if (effect.kind === "load")
      return this.location(effect.pointer, byteSize[instruction.type], effect.accessed);
    if (effect.kind !== "store") return undefined;
    return this.location(effect.pointer, byteSize[operand(instruction, 0).type], effect.accessed);
  }

  regionOf(pointer: Value): Region {
    const known = this.#regions.get(pointer);
    if (known !== undefined) return known;
    const region = this.#findRegion(pointer, 0);
    this.#regions.set(pointer, region);
    return region;
  }

  #findRegion(pointer: Value, depth: number): Region {
    const base = addressRoot(pointer);
    if (base.kind === "global") return { kind: "global", symbol: base.symbol };
    if (isContextPointer(base, this.#fn)) return { kind: "context" };
    if (base.kind === "parameter" && base.noalias === true && !this.#mixed.has(base)) {
      return { kind: "argument", parameter: base };
    }
    if (base.kind !== "instruction") return unknownRegion;
    const { operation } = base;
    switch (operation.op) {
      case "alloca":
        return { kind: "stack", object: base as InstructionOf<"alloca"> };
      case "call":
        return operation.callee.kind === "helper" ? { kind: "helper" } : unknownRegion;
      case "addr_space_cast":
        return operation.from === 1 ? { kind: "arena" } : unknownRegion;
      case "inttoptr":
        return contextField(base, this.#fn)?.bits === 32 ? { kind: "packet" } : unknownRegion;
      case "phi":
      case "select":
        return depth < depthLimit ? this.#joined(base, depth + 1) : unknownRegion;
      default:
        return unknownRegion;
    }
  }

  /** The region of all inputs of a phi or select if it is one. */
  #joined(value: IrInstruction, depth: number): Region {
    const pointers = value.operands.slice(value.operation.op === "select" ? 1 : 0);
    let region: Region | undefined;
    for (const pointer of pointers) {
      if (addressRoot(pointer) === value || pointer.kind === "undef") continue;
      const next = this.#findRegion(pointer, depth);
      if (region !== undefined && !sameRegion(region, next)) return unknownRegion;
      region = next;
    }
    return region ?? unknownRegion;
  }

  /** Whether the two may overlap. */
  mayAlias(a: Location, b: Location): boolean {
    if (sameBase(a.base, b.base)) {
      if (a.size === undefined || b.size === undefined) return true;
      return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
    }
    if (!this.regionsMeet(a.region, b.region) || differByType(a, b)) return false;
    return a.size === undefined || b.size === undefined || this.#spansMeet(a, b, a.size, b.size);
  }

  /** Of one object: a field, and an element of an array beside it whose index is masked. */
  #spansMeet(a: Location, b: Location, sizeA: number, sizeB: number): boolean {
    if (!isOp(a.base, "ptradd") && !isOp(b.base, "ptradd")) return true;
    const [x, y] = [this.#spanOf(a.base), this.#spanOf(b.base)];
    if (x === undefined || y === undefined || !sameBase(x.root, y.root)) return true;
    const startsBefore = x.least + a.offset < y.most + b.offset + sizeB;
    return startsBefore && y.least + b.offset < x.most + a.offset + sizeA;
  }

  #spanOf(base: Value): Span | undefined {
    if (!isOp(base, "ptradd")) return { root: base, least: 0, most: 0 };
    if (this.#spans.has(base)) return this.#spans.get(base);
    const span = findSpan(base);
    this.#spans.set(base, span);
    return span;
  }

  regionsMeet(a: Region, b: Region): boolean {
    if (a.kind === "unknown") return this.#meetsUnknown(b);
    if (b.kind === "unknown") return this.#meetsUnknown(a);
    return sameRegion(a, b);
  }

  #meetsUnknown(region: Region): boolean {
    if (region.kind === "argument") return this.#mixed.has(region.parameter);
    if (region.kind !== "stack") return region.kind !== "context" || !isProgramContext(this.#fn);
    return this.escapeOf(region.object) === "all";
  }

  /** Whether an instruction may write to the location. */
  mayWrite(instruction: IrInstruction, location: Location): boolean {
    const effect = memoryEffect(instruction);
    switch (effect.kind) {
      case "none":
      case "load":
        return false;
      case "store": {
        const size = byteSize[operand(instruction, 0).type];
        return this.mayAlias(this.location(effect.pointer, size, effect.accessed), location);
      }
      case "block": {
        if (effect.target === undefined) return false;
        return this.mayAlias(this.location(effect.target, lengthOf(instruction)), location);
      }
      case "helper":
        return this.#helperMayWrite(effect, location);
      case "unknown":
        return this.#isReachable(location.region, instruction);
    }
  }

  /** Whether the location's object begins anew here: what it held before is lost, and its room may have been another's. */
  startsLife(instruction: IrInstruction, { region }: Location): boolean {
    if (region.kind !== "stack" || !isOp(instruction, "lifetime_start")) return false;
    const started = this.regionOf(operand(instruction, 0));
    return started.kind === "stack" && started.object === region.object;
  }

  /** Whether an instruction may read from the location. */
  mayRead(instruction: IrInstruction, location: Location): boolean {
    const effect = memoryEffect(instruction);
    switch (effect.kind) {
      case "none":
      case "store":
        return false;
      case "load": {
        const size = byteSize[instruction.type];
        return this.mayAlias(this.location(effect.pointer, size, effect.accessed), location);
      }
      case "block":
        return effect.sources.some((source) =>
          this.mayAlias(this.location(source, lengthOf(instruction)), location),
        );
      case "helper":
        if (location.region.kind !== "stack") return true;
        return effect.args.some((arg) => this.#pointsInto(arg, location));
      case "unknown":
        return this.#isReachable(location.region, instruction);
    }
  }

  #helperMayWrite(
    effect: Extract<ReturnType<typeof memoryEffect>, { kind: "helper" }>,
    location: Location,
  ): boolean {
    const { effects, args } = effect;
    const { region } = location;
    if (region.kind === "context") {
      return effects.changesPacket || effects.args.some((arg) => arg.isContext && arg.writes);
    }
    if (region.kind !== "stack" && !effects.isQuiet) return true;
    return args.some((arg, at) => {
      const how = effects.args[at];
      return (
        arg.type === "ptr" && (how === undefined || how.writes) && this.#pointsInto(arg, location)
      );
    });
  }

  /** Whether a helper that gets `arg` could reach the location through it. */
  #pointsInto(arg: Value, location: Location): boolean {
    if (arg.type !== "ptr" && !isOp(arg, "ptrtoint")) return false;
    const pointer = isOp(arg, "ptrtoint") ? operand(arg, 0) : arg;
    // Helpers get no size here: what lies before the pointer is out of reach, the rest is not.
    const reached = this.location(pointer, undefined);
    if (sameBase(reached.base, location.base) && location.size !== undefined) {
      return location.offset + location.size > reached.offset;
    }
    return this.mayAlias(reached, location);
  }

  /** Can code outside of this function, or a barrier, see the memory? */
  #isReachable(region: Region, by: IrInstruction): boolean {
    if (region.kind !== "stack") return true;
    const reach = this.escapeOf(region.object);
    if (reach === "all") return true;
    // Volatile copies and atomic operations reach what they are given, though it escapes nowhere.
    return by.operands.some((each) => {
      if (each.type !== "ptr") return false;
      const other = this.regionOf(each);
      return (other.kind === "unknown" && reach === "helpers") || sameRegion(other, region);
    });
  }
}

/**
 * Objects of different types are different objects, where C's rule of aliasing holds. Within one object that
 * is seen to be one the offsets alone decide, whatever types it is accessed with.
 */
function differByType(a: Location, b: Location): boolean {
  if (a.accessed === undefined || b.accessed === undefined || a.accessed === b.accessed)
    return false;
  const { kind } = a.region;
  const isManyObjects = kind === "unknown" || kind === "helper" || kind === "arena";
  const isOneObject = !isManyObjects && sameRegion(a.region, b.region);
  return !isOneObject && !sameBase(addressRoot(a.base), addressRoot(b.base));
}

function isProgramContext(fn: IrFunction): boolean {
  const [first] = fn.params;
  return first !== undefined && isContextPointer(first, fn);
}

/** One and the same address; globals are named anew at each use. */
export function sameBase(a: Value, b: Value): boolean {
  return a === b || (a.kind === "global" && b.kind === "global" && a.symbol === b.symbol);
}

function sameRegion(a: Region, b: Region): boolean {
  if (a.kind === "stack") return b.kind === "stack" && a.object === b.object;
  if (a.kind === "argument") return b.kind === "argument" && a.parameter === b.parameter;
  if (a.kind === "global") return b.kind === "global" && a.symbol === b.symbol;
  return a.kind === b.kind;
}

/** Bytes of a block operation, if constant. */
export function lengthOf(instruction: IrInstruction): number | undefined {
  const length = operand(instruction, 2);
  return length.kind === "constant" ? Number(length.value) : undefined;
}

/** Where a pointer may come from, through phis, selects and offsets. */
function rootsOf(pointer: IrInstruction): Value[] {
  const seen = new Set<Value>();
  const work: Value[] = [pointer];
  for (let each = work.pop(); each !== undefined; each = work.pop()) {
    if (seen.has(each)) continue;
    seen.add(each);
    if (isOp(each, "ptradd")) work.push(operand(each, 0));
    else if (isOp(each, "phi") || isOp(each, "select")) work.push(...each.operands);
  }
  return [...seen];
}
