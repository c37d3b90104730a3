/**
 * An element of an array on the stack is `r10` plus the index: where the sum serves loads and stores only, how far
 * the array lies below r10 is part of their offsets, and the array's own address is not made.
 * In functions that are called the sum goes on being made of pointer plus index: of index plus pointer the verifier
 * takes the frame for the program's.
 * Needs: physical registers, a frame that is laid out, its addresses not yet resolved. Guarantees: the same
 * function, fewer instructions.
 */
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  type MachineRegister,
  registerSource,
} from "../6-select/machine.ts";
import { touchOf } from "../6-select/operands.ts";
import { computeLiveness } from "./intervals.ts";

const frame: MachineRegister = 10;

export function foldFrameAddresses(fn: MachineFunction): void {
  if (!fn.blocks.some(({ instructions }) => instructions.some(isElementSum))) return;
  const { liveOut } = computeLiveness(fn);
  fn.blocks.forEach((block, at) => {
    foldIn(fn, block, new Set(liveOut[at]));
  });
}

type FrameAddress = MachineInstruction & { kind: "frame_address" };
type Sum = MachineInstruction & { kind: "alu"; src: { kind: "register" } };

/** A sum that may be one of an object's address and an index. */
function isElementSum(
  op: MachineInstruction,
  at: number,
  all: readonly MachineInstruction[],
): boolean {
  return isSum(op) && all.slice(Math.max(0, at - longestWay), at).some(isFrameAddress);
}

/** Instructions between an address and its sum. */
const longestWay = 8;

const isFrameAddress = (op: MachineInstruction): op is FrameAddress => op.kind === "frame_address";

function isSum(op: MachineInstruction): op is Sum {
  return op.kind === "alu" && op.op === "add" && op.width === 64 && op.src.kind === "register";
}

function foldIn(
  fn: MachineFunction,
  block: MachineBlock,
  liveOut: ReadonlySet<MachineRegister>,
): void {
  const ops = block.instructions;
  const dropped = new Set<MachineInstruction>();
  ops.forEach((maker, at) => {
    if (!isFrameAddress(maker)) return;
    const after = ops.slice(at + 1);
    const step = after.slice(0, longestWay).findIndex((op) => touches(op, maker.dst));
    const sum = after[step];
    if (sum === undefined || !isSum(sum) || sum.src.register === sum.dst) return;
    const isBase = sum.dst === maker.dst;
    const behind = after.slice(step + 1);
    if (!isBase && (fn.isCallee || !isDead(maker.dst, behind, block, liveOut))) return;
    const accesses = accessesOf(sum.dst, behind, block, liveOut);
    if (accesses === undefined) return;
    const below = (fn.slots[maker.slot]?.offset ?? 0) + maker.offset;
    for (const access of accesses)
      access.address = { ...access.address, offset: access.address.offset + below };
    // The address itself is r10, as far below which the accesses lie.
    if (isBase) maker.offset -= below;
    else {
      sum.src = registerSource(frame) as Sum["src"];
      dropped.add(maker);
    }
  });
  if (dropped.size > 0) block.instructions = ops.filter((op) => !dropped.has(op));
}

function touches(op: MachineInstruction, register: MachineRegister): boolean {
  const { reads, writes } = touchOf(op, register);
  return reads || writes;
}

/** Nobody reads the register before it is written again. */
function isDead(
  register: MachineRegister,
  behind: readonly MachineInstruction[],
  block: MachineBlock,
  liveOut: ReadonlySet<MachineRegister>,
): boolean {
  for (const op of behind) {
    const { reads, writes } = touchOf(op, register);
    if (reads || writes) return !reads;
  }
  return !touchOf(block.terminator, register).reads && !liveOut.has(register);
}

type Access = MachineInstruction & { kind: "load" | "store" };

/** All that is done with an address, if that is loads and stores of this block. */
function accessesOf(
  register: MachineRegister,
  behind: readonly MachineInstruction[],
  block: MachineBlock,
  liveOut: ReadonlySet<MachineRegister>,
): Access[] | undefined {
  const found: Access[] = [];
  for (const op of behind) {
    const { reads, writes } = touchOf(op, register);
    if (reads) {
      if (op.kind !== "load" && op.kind !== "store") return undefined;
      // Its offset is what the loader fills in.
      if (op.core !== undefined) return undefined;
      if (op.address.base !== register || op.address.slot !== undefined) return undefined;
      if (op.kind === "store" && op.src.kind === "register" && op.src.register === register)
        return undefined;
      found.push(op);
    }
    if (writes) return found;
  }
  const isOver = !touchOf(block.terminator, register).reads && !liveOut.has(register);
  return isOver ? found : undefined;
}
