/**
 * What is known of the registers that IR values will live in. Values narrower than 64 bits may have
 * rubbish above their type; `demanded` ones are zero-extended once, right at their definition, so
 * that a bounds check and every later use see one and the same register (the kernel's verifier does
 * not carry a check over to another extension of the value). `width` is how many low bits can be
 * non-zero, as the register will hold the value.
 */
import { helperTakesAnything } from "../../common/platform/helper-arguments.ts";
import type { Block, Callee, IrInstruction, Value } from "../4-lower/ir.ts";
import { bitWidth } from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";

export interface ValueFacts {
  /** Must be zero-extended from its type where it is defined. */
  demanded(value: Value): boolean;
  /** Low bits of the register that may be set. */
  width(value: Value): number;
  /** The same before a demanded extension: what the instruction itself leaves. */
  rawWidth(at: IrInstruction): number;
}

const unsignedOps: ReadonlySet<string> = new Set(["lshr", "udiv", "urem"]);
const signedPredicates: ReadonlySet<string> = new Set(["slt", "sle", "sgt", "sge"]);

/** Width of the value's type in bits; 0 for void. */
export function widthOf(value: Value): number {
  return value.type === "void" ? 0 : bitWidth[value.type];
}

/**
 * Sizes are checked by the verifier as 64-bit values, so they must be clean above 32 bits; other
 * narrow arguments are cut to their width by whoever takes them.
 */
export function needsCleanArgument(
  callee: Callee,
  index: number,
  compiled: ReadonlySet<string>,
): boolean {
  switch (callee.kind) {
    case "helper":
      return !helperTakesAnything(callee.id, index);
    case "function":
      return !compiled.has(callee.symbol);
    case "indirect":
      return true;
  }
}

/** What the extensions depend on besides the function itself. */
export interface FactsTarget {
  /** ALU32 and JMP32 exist. */
  readonly has32: boolean;
  /** Functions that clean their own parameters (not those of the kernel). */
  readonly compiled: ReadonlySet<string>;
}

/** Does this operand of this user have to be zero-extended to 64 (or to 32, where enough) bits? */
function usesZeroExtended(
  user: IrInstruction,
  index: number,
  { has32, compiled }: FactsTarget,
): boolean {
  const operation = user.operation;
  const operand = user.operands[index];
  if (operand === undefined || operand.type === "i64" || operand.type === "ptr") return false;
  const isNative = has32 && operand.type === "i32";
  switch (operation.op) {
    case "call":
      return needsCleanArgument(operation.callee, index, compiled);
    case "zext":
    case "asm":
    case "asm_goto":
      return true;
    case "icmp":
      return !isNative && !signedPredicates.has(operation.predicate);
    case "binary":
      return (
        !isNative &&
        unsignedOps.has(operation.binary) &&
        (index === 0 || operation.binary !== "lshr")
      );
    case "switch":
      return !isNative;
    case "ret":
      return operand.type !== "i32";
    default:
      return false;
  }
}

/** Operations that hand an operand through, so that its extension is theirs. */
function forwards(user: IrInstruction, index: number): boolean {
  return user.operation.op === "phi" || (user.operation.op === "select" && index > 0);
}

/** Callers, callees and inline assembly promise nothing about the bits above a bool. */
function comesFromOutside(value: Value): boolean {
  if (value.kind === "parameter") return true;
  return value.kind === "instruction" && ["call", "asm", "asm_output"].includes(value.operation.op);
}

function computeDemands(uses: ReadonlyMap<Value, readonly Use[]>, target: FactsTarget): Set<Value> {
  const demands = new Set<Value>();
  const work: Value[] = [];
  for (const [value, list] of uses) {
    if (value.type === "i1" && comesFromOutside(value)) work.push(value);
    else if (list.some(({ user, index }) => usesZeroExtended(user, index, target)))
      work.push(value);
  }
  for (let value = work.pop(); value !== undefined; value = work.pop()) {
    if (demands.has(value) || value.type === "i64" || value.type === "ptr") continue;
    demands.add(value);
    if (value.kind !== "instruction") continue;
    value.operands.forEach((operand, index) => {
      if (forwards(value, index)) work.push(operand);
    });
  }
  return demands;
}

function bitLength(value: bigint): number {
  return value === 0n ? 0 : value.toString(2).length;
}

/** Width of what the instruction leaves in its register, before a demanded extension. */
function rawWidth(at: IrInstruction, width: (value: Value) => number, has32: boolean): number {
  const bits = widthOf(at);
  const operation = at.operation;
  const of = (index: number): number => {
    const operand = at.operands[index];
    return operand === undefined ? 64 : width(operand);
  };
  switch (operation.op) {
    case "binary":
      return binaryWidth(at, operation.binary, of, has32 && bits <= 32 ? 32 : 64);
    case "icmp":
    case "constant_p":
      return 1;
    case "zext":
    case "load":
    case "bswap": {
      const from = at.operands[0];
      return operation.op === "zext" && from !== undefined ? Math.min(widthOf(from), of(0)) : bits;
    }
    case "trunc":
      return bits === 1 ? 1 : of(0);
    case "ptrtoint":
    case "inttoptr":
      return of(0);
    case "sext": {
      const from = at.operands[0];
      if (from !== undefined && of(0) < widthOf(from)) return of(0);
      return has32 && bits <= 32 ? 32 : 64;
    }
    case "select":
      return Math.max(of(1), of(2));
    case "phi":
      return at.operands.reduce((most, operand) => Math.max(most, width(operand)), 0);
    case "load_acquire":
    case "load_packet":
      return operation.op === "load_packet" ? operation.size * 8 : bits;
    case "core":
      return operation.core.relocation.startsWith("enumval") ? 64 : 31;
    case "atomicrmw":
    case "cmpxchg":
      return bits;
    case "memcmp":
      return has32 ? 32 : 64;
    default:
      return 64;
  }
}

function binaryWidth(
  at: IrInstruction,
  op: string,
  of: (index: number) => number,
  limit: number,
): number {
  // The verifier forgets what 32-bit divisions leave in the upper half. Where a size or an offset comes
  // of one, a move says it again, so that a check of the lower half is enough.
  if (limit === 32 && (op === "udiv" || op === "urem")) return 64;
  const b = at.operands[1];
  const amount = b?.kind === "constant" ? Number(b.value) : undefined;
  const known = ((): number => {
    switch (op) {
      case "and":
        return Math.min(of(0), of(1));
      case "or":
      case "xor":
        return Math.max(of(0), of(1));
      case "add":
        return Math.max(of(0), of(1)) + 1;
      case "mul":
        return of(0) + of(1);
      case "shl":
        return amount === undefined ? 64 : of(0) + amount;
      case "lshr":
        return amount === undefined ? of(0) : Math.max(0, of(0) - amount);
      case "udiv":
        return of(0);
      case "urem":
        return Math.min(of(0), of(1));
      default:
        return 64;
    }
  })();
  return Math.min(known, limit);
}

/** @param order blocks in reverse post-order */
export function computeFacts(
  order: readonly Block[],
  uses: ReadonlyMap<Value, readonly Use[]>,
  target: FactsTarget,
): ValueFacts {
  const { has32 } = target;
  const demands = computeDemands(uses, target);
  const widths = new Map<Value, number>();
  const width = (value: Value): number => {
    if (value.kind === "constant") return constantWidth(value.type, value.value, has32);
    if (value.kind === "undef") return 0;
    if (value.kind !== "instruction") {
      return demands.has(value) && value.kind === "parameter" ? widthOf(value) : 64;
    }
    // Phis of loops start optimistic; the fixpoint below only ever raises.
    return widths.get(value) ?? 0;
  };
  const maxRounds = 4;
  for (let round = 0, changed = true; changed; round += 1) {
    changed = false;
    for (const block of order) {
      for (const at of block.instructions) {
        if (at.type === "void") continue;
        let now = rawWidth(at, width, has32);
        if (demands.has(at)) now = Math.min(now, widthOf(at));
        const before = widths.get(at) ?? 0;
        if (now <= before) continue;
        // A width that keeps growing around a loop jumps to the top.
        if (round >= maxRounds && at.operation.op === "phi") now = 64;
        widths.set(at, now);
        changed = true;
      }
    }
  }
  return {
    demanded: (value) => demands.has(value),
    width,
    rawWidth: (at) => rawWidth(at, width, has32),
  };
}

function constantWidth(type: keyof typeof bitWidth, value: bigint, has32: boolean): number {
  const isNegative = bitWidth[type] < 64 && value >> BigInt(bitWidth[type] - 1) === 1n;
  if (type !== "i1" && isNegative) return has32 ? 32 : 64;
  return bitLength(value);
}
