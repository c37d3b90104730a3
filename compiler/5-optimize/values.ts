/** Short questions about values, and pointer decomposition: what most passes begin with. */
import { isFloatRoutine } from "../../common/domain/float-bits.ts";
import type {
  BinaryOp,
  Block,
  IrFunction,
  IrInstruction,
  IrType,
  Operation,
  OperationName,
  Value,
} from "../4-lower/ir.ts";
import { signedValue } from "../4-lower/ir-builder.ts";

/** What a BPF function can be given, in r1–r5 (RFC 9669, section 2). */
export const argumentRegisters = 5;

export type OperationOf<Op extends OperationName> = Extract<Operation, { op: Op }>;

/** An instruction known to have a certain operation. */
export type InstructionOf<Op extends OperationName> = IrInstruction & {
  operation: OperationOf<Op>;
};

export function isOp<Op extends OperationName>(
  value: Value | undefined,
  op: Op,
): value is InstructionOf<Op> {
  return value?.kind === "instruction" && value.operation.op === op;
}

export function isBinary(
  value: Value | undefined,
  binary: BinaryOp,
): value is InstructionOf<"binary"> {
  return isOp(value, "binary") && value.operation.binary === binary;
}

/** The constant with this unsigned representation. */
export function isConstant(value: Value | undefined, wanted: bigint): boolean {
  return value?.kind === "constant" && value.value === wanted;
}

/** Operand `at`, which is there by the operation's shape. */
export function operand(instruction: IrInstruction, at: number): Value {
  return instruction.operands[at] as Value;
}

/** Bytes in memory of a value of this type. */
export const byteSize: Readonly<Record<IrType, number>> = {
  void: 0,
  i1: 1,
  i8: 1,
  i16: 2,
  i32: 4,
  i64: 8,
  ptr: 8,
};

export const integerOfSize: Readonly<Record<number, "i8" | "i16" | "i32" | "i64">> = {
  1: "i8",
  2: "i16",
  4: "i32",
  8: "i64",
};

/** No effect but its value, and the same value wherever its operands are the same. */
const pureOps: ReadonlySet<OperationName> = new Set<OperationName>([
  "binary",
  "icmp",
  "zext",
  "sext",
  "trunc",
  "ptrtoint",
  "inttoptr",
  "bswap",
  "ptradd",
  "select",
  "core",
  "constant_p",
  "object_size",
  "addr_space_cast",
  "asm_output",
]);

export function isPure(instruction: IrInstruction): boolean {
  return pureOps.has(instruction.operation.op);
}

/** Can be dropped if nobody uses the result. LD_ABS can end the program, so it stays. */
export function isRemovableIfUnused(instruction: IrInstruction): boolean {
  const { operation } = instruction;
  if (isPure(instruction)) return true;
  switch (operation.op) {
    case "phi":
    case "alloca":
    case "dynamic_alloca":
      return true;
    case "load":
      return !operation.volatile;
    case "asm":
      return !operation.volatile && operation.outputCount > 0;
    case "memcmp":
      return true;
    case "call":
      return operation.callee.kind === "function" && isQuery(operation.callee.symbol);
    default:
      return false;
  }
}

const branches: ReadonlySet<OperationName> = new Set<OperationName>(["br", "condbr", "switch"]);

/** Whether it does more than compute, or choose where to go on. */
export function hasEffect(instruction: IrInstruction): boolean {
  return !isRemovableIfUnused(instruction) && !branches.has(instruction.operation.op);
}

export function isLifetimeMark({ operation }: IrInstruction): boolean {
  return operation.op === "lifetime_start" || operation.op === "lifetime_end";
}

function isQuery(name: string): boolean {
  return textQueries.has(name) || isFloatRoutine(name);
}

/** The C library's functions that only read; their names are reserved for that meaning. */
const textQueries = new Set(
  "strlen strcmp strncmp strchr strrchr memchr strstr strspn strcspn strpbrk".split(" "),
);

/** A load or store that is not volatile. */
export function isPlainAccess(
  instruction: IrInstruction,
): instruction is InstructionOf<"load"> | InstructionOf<"store"> {
  const { operation } = instruction;
  return (operation.op === "load" || operation.op === "store") && !operation.volatile;
}

/** The address of a load or store. */
export function pointerOf(access: IrInstruction): Value {
  return operand(access, access.operation.op === "store" ? 1 : 0);
}

/** `p + c`: mostly part of the access, where it costs nothing. */
export function isConstantOffset(value: Value | undefined): value is InstructionOf<"ptradd"> {
  return isOp(value, "ptradd") && operand(value, 1).kind === "constant";
}

/** A pointer as `base + offset`, through ptradds with constant offsets. */
export interface ConstantAddress {
  readonly base: Value;
  /** Signed, in bytes. */
  readonly offset: number;
}

export function constantAddress(pointer: Value): ConstantAddress {
  if (!isOp(pointer, "ptradd")) return { base: pointer, offset: 0 };
  let base: Value = pointer;
  let offset = 0n;
  while (isOp(base, "ptradd")) {
    const step = operand(base, 1);
    if (step.kind !== "constant") break;
    offset += signedValue(step);
    base = operand(base, 0);
  }
  return { base, offset: Number(BigInt.asIntN(53, offset)) };
}

/** All instructions as they are now, in block order. */
export function instructionsOf(fn: IrFunction): IrInstruction[] {
  const all: IrInstruction[] = [];
  for (const { instructions } of fn.blocks) {
    for (let at = 0; at < instructions.length; at += 1) all.push(instructions[at] as IrInstruction);
  }
  return all;
}

export function countInstructions(fn: IrFunction): number {
  let count = 0;
  for (const block of fn.blocks) count += block.instructions.length;
  return count;
}

/** Drops repeated blocks, keeping the order. */
export function unique(blocks: readonly Block[]): Block[] {
  return [...new Set(blocks)];
}

export const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
export const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);
