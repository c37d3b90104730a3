/**
 * Making and changing IR: constants, functions, blocks, instructions, uses. Nothing here keeps hidden
 * state: the graph itself is the only truth, and uses are computed when somebody asks.
 */
import { pushTo } from "../../common/append.ts";
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import type {
  Block,
  Constant,
  DebugLocation,
  GlobalAddress,
  IrFunction,
  IrInstruction,
  IrModule,
  IrType,
  Operation,
  Parameter,
  Terminator,
  UndefinedValue,
  Value,
} from "./ir.ts";
import { bitWidth } from "./ir.ts";

export type ValueType = Exclude<IrType, "void">;

/** A constant; `value` may be given signed or too wide, it is wrapped to the type. */
export function constant(type: ValueType, value: bigint | number): Constant {
  return { kind: "constant", type, value: BigInt.asUintN(bitWidth[type], BigInt(value)) };
}

export const nullPointer: Constant = { kind: "constant", type: "ptr", value: 0n };

export function undefinedValue(type: ValueType): UndefinedValue {
  return { kind: "undef", type };
}

export function globalAddress(symbol: string): GlobalAddress {
  return { kind: "global", type: "ptr", symbol };
}

/** The constant's value read as a signed number. */
export function signedValue(value: Constant): bigint {
  return BigInt.asIntN(bitWidth[value.type], value.value);
}

/** Equal as operands: the same instruction or parameter, or the same constant, global or undef. */
export function sameValue(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a.kind === "constant") {
    return b.kind === "constant" && a.type === b.type && a.value === b.value;
  }
  if (a.kind === "global") return b.kind === "global" && a.symbol === b.symbol;
  if (a.kind === "undef") return b.kind === "undef" && a.type === b.type;
  return false;
}

export function createModule(path: string, endian: IrModule["endian"]): IrModule {
  return {
    path,
    endian,
    globals: [],
    functions: [],
    externFunctions: [],
    errorFunctions: new Map(),
    fileAsm: [],
  };
}

type FunctionHead = Pick<IrFunction, "name" | "returns"> &
  Partial<Omit<IrFunction, "name" | "returns" | "blocks" | "params">> & {
    readonly params: readonly Omit<Parameter, "kind" | "index">[];
  };

/** A function without blocks; what is not given is that of a plain static function. */
export function createFunction(head: FunctionHead): IrFunction {
  return {
    name: head.name,
    binding: head.binding ?? "local",
    visibility: head.visibility ?? "default",
    section: head.section ?? ".text",
    inline: head.inline ?? "default",
    naked: head.naked ?? false,
    noreturn: head.noreturn ?? false,
    params: head.params.map((param, index): Parameter => ({ kind: "parameter", index, ...param })),
    returns: head.returns,
    blocks: [],
    nextInstructionId: head.nextInstructionId ?? 0,
    nextBlockId: head.nextBlockId ?? 0,
    location: head.location,
  };
}

/** A new empty block; it is appended to the function unless `detached`. */
export function createBlock(fn: IrFunction, name?: string, detached = false): Block {
  const block: Block = { kind: "block", id: fn.nextBlockId, instructions: [] };
  if (name !== undefined) block.name = name;
  fn.nextBlockId += 1;
  if (!detached) fn.blocks.push(block);
  return block;
}

/** A new instruction that belongs to `block` but is not in its list yet. */
export function createInstruction(
  fn: IrFunction,
  block: Block,
  type: IrType,
  operation: Operation,
  operands: readonly Value[],
  location?: DebugLocation,
): IrInstruction {
  const id = fn.nextInstructionId;
  fn.nextInstructionId += 1;
  return {
    kind: "instruction",
    id,
    type,
    operation,
    operands: [...operands],
    block,
    location,
  };
}

/** Adds at the end of the block, after a terminator too: callers keep blocks well-formed. */
export function appendInstruction(
  fn: IrFunction,
  block: Block,
  type: IrType,
  operation: Operation,
  operands: readonly Value[],
  location?: DebugLocation,
): IrInstruction {
  const instruction = createInstruction(fn, block, type, operation, operands, location);
  block.instructions.push(instruction);
  return instruction;
}

/** Makes an instruction right before `before`, in its block and with its location if none is given. */
export function insertBefore(
  fn: IrFunction,
  before: IrInstruction,
  type: IrType,
  operation: Operation,
  operands: readonly Value[],
  location: DebugLocation | undefined = before.location,
): IrInstruction {
  const block = before.block;
  const made = createInstruction(fn, block, type, operation, operands, location);
  const at = block.instructions.indexOf(before);
  if (at < 0) throw new InternalError("insertBefore: the instruction is not in its block");
  block.instructions.splice(at, 0, made);
  return made;
}

/** The same after `after`; after a phi, behind the last phi. */
export function insertAfter(
  fn: IrFunction,
  after: IrInstruction,
  type: IrType,
  operation: Operation,
  operands: readonly Value[],
  location: DebugLocation | undefined = after.location,
): IrInstruction {
  const block = after.block;
  const made = createInstruction(fn, block, type, operation, operands, location);
  let at = block.instructions.indexOf(after) + 1;
  if (at === 0) throw new InternalError("insertAfter: the instruction is not in its block");
  if (after.operation.op === "phi") at = firstNonPhi(block);
  block.instructions.splice(at, 0, made);
  return made;
}

/** Takes an instruction out of its block. Its uses must be gone or replaced. */
export function removeInstruction(instruction: IrInstruction): void {
  const list = instruction.block.instructions;
  const at = list.indexOf(instruction);
  if (at >= 0) list.splice(at, 1);
}

export function firstNonPhi(block: Block): number {
  const { instructions } = block;
  let at = 0;
  while (instructions[at]?.operation.op === "phi") at += 1;
  return at;
}

export function phisOf(block: Block): IrInstruction[] {
  return block.instructions.slice(0, firstNonPhi(block));
}

const terminatorOps: ReadonlySet<string> = new Set<Terminator["op"]>([
  "br",
  "condbr",
  "switch",
  "ret",
  "unreachable",
  "asm_goto",
]);

export function isTerminator(operation: Operation): operation is Terminator {
  return terminatorOps.has(operation.op);
}

/** The terminator, or undefined while the block is still being built. */
export function terminatorOf(block: Block): IrInstruction | undefined {
  const last = block.instructions.at(-1);
  return last !== undefined && isTerminator(last.operation) ? last : undefined;
}

/** Blocks that may follow, in order, with repetition where several edges go to one block. */
export function successors(block: Block): Block[] {
  const operation = terminatorOf(block)?.operation;
  if (operation === undefined || !isTerminator(operation)) return [];
  switch (operation.op) {
    case "br":
      return [operation.target];
    case "condbr":
      return [operation.then, operation.otherwise];
    case "switch":
      return [...operation.cases.map((each) => each.target), operation.fallback];
    case "asm_goto":
      return [operation.next, ...operation.labels];
    case "ret":
    case "unreachable":
      return [];
  }
}

/** The terminator goes one way only. What phis elsewhere took from its block is the caller's business. */
export function makeJump(terminator: IrInstruction, target: Block): void {
  terminator.operation = { op: "br", target };
  terminator.operands = [];
}

/** Makes every edge from `block` to `from` go to `to`. Phis are the caller's business. */
export function redirectSuccessor(block: Block, from: Block, to: Block): void {
  const operation = terminatorOf(block)?.operation;
  if (operation === undefined || !isTerminator(operation)) return;
  const move = (target: Block): Block => (target === from ? to : target);
  switch (operation.op) {
    case "br":
      operation.target = move(operation.target);
      return;
    case "condbr":
      operation.then = move(operation.then);
      operation.otherwise = move(operation.otherwise);
      return;
    case "switch":
      for (const each of operation.cases) each.target = move(each.target);
      operation.fallback = move(operation.fallback);
      return;
    case "asm_goto":
      operation.next = move(operation.next);
      operation.labels = operation.labels.map(move);
      return;
    case "ret":
    case "unreachable":
      return;
  }
}

/** Removes what phis of `block` take from `predecessor`. */
export function removeIncoming(block: Block, predecessor: Block): void {
  for (const phi of phisOf(block)) {
    if (phi.operation.op !== "phi") continue;
    for (let at = phi.operation.incoming.length - 1; at >= 0; at -= 1) {
      if (phi.operation.incoming[at] !== predecessor) continue;
      phi.operation.incoming.splice(at, 1);
      phi.operands.splice(at, 1);
    }
  }
}

/** Says in phis of `block` that `to` comes in where `from` did. */
export function replaceIncoming(block: Block, from: Block, to: Block): void {
  for (const phi of phisOf(block)) {
    if (phi.operation.op !== "phi") continue;
    phi.operation.incoming = phi.operation.incoming.map((each) => (each === from ? to : each));
  }
}

/** One operand slot that holds a value. */
export interface Use {
  readonly user: IrInstruction;
  readonly index: number;
}

/** Who uses each instruction and parameter. Values without uses have no entry. */
export function computeUses(fn: IrFunction): Map<Value, Use[]> {
  return usesThat(fn, ({ kind }) => kind === "instruction" || kind === "parameter");
}

/** The same of some values only. */
export function usesThat(fn: IrFunction, wanted: (value: Value) => boolean): Map<Value, Use[]> {
  const uses = new Map<Value, Use[]>();
  for (const block of fn.blocks) {
    for (const user of block.instructions) {
      const { operands } = user;
      for (let index = 0; index < operands.length; index += 1) {
        const operand = operands[index] as Value;
        if (!wanted(operand)) continue;
        pushTo(uses, operand, { user, index });
      }
    }
  }
  return uses;
}

/** Puts `to` wherever `from` is used. With `uses` (kept up to date) only there, else over the function. */
export function replaceAllUses(
  fn: IrFunction,
  from: Value,
  to: Value,
  uses?: Map<Value, Use[]>,
): void {
  if (uses !== undefined) {
    const list = uses.get(from) ?? [];
    for (const { user, index } of list) user.operands[index] = to;
    uses.delete(from);
    if (to.kind === "instruction" || to.kind === "parameter") {
      uses.set(to, [...(uses.get(to) ?? []), ...list]);
    }
    return;
  }
  for (const block of fn.blocks) {
    for (const user of block.instructions) {
      user.operands.forEach((operand, index) => {
        if (operand === from) user.operands[index] = to;
      });
    }
  }
}
