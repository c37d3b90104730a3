/**
 * A block that only moves one value and jumps on (typically `r0 = 1; goto exit`) costs two
 * instructions. The move can go before its predecessor's branch, if the other way does not need the
 * register; if several such blocks agree, one move often serves all of them.
 */
import { appendAll, pushTo } from "../../common/append.ts";
import type { MachineBlock, MachineFunction, MachineInstruction } from "../6-select/machine.ts";
import { machinePredecessors, redirectEdge } from "../6-select/machine.ts";
import { visitRegisters } from "../6-select/operands.ts";
import { loopDepths } from "./flow.ts";
import { computeLiveness } from "./intervals.ts";

interface Candidate {
  readonly block: MachineBlock;
  readonly pred: MachineBlock;
  readonly move: MachineInstruction & { kind: "alu" };
}

type Preds = ReadonlyMap<MachineBlock, readonly MachineBlock[]>;

export function hoistMoves(fn: MachineFunction): void {
  if (!fn.blocks.some((block) => onlyMove(block) !== undefined)) return;
  const preds = machinePredecessors(fn);
  const depths = loopDepths(fn);
  const { liveIn } = computeLiveness(fn);
  const places = new Map(fn.blocks.map((block, at) => [block, at]));
  const groups = new Map<string, Candidate[]>();
  const fixed = new Set<string>();
  const done = new Set<MachineBlock>();
  for (const block of fn.blocks) {
    const move = onlyMove(block);
    if (move === undefined) continue;
    const key = groupKey(block, move);
    const pred = preds.get(block)?.length === 1 ? preds.get(block)?.[0] : undefined;
    const canHoist =
      pred !== undefined &&
      (depths.get(pred) ?? 0) <= targetDepth(block, depths) &&
      isFree(pred, block, move, (other) => liveIn[places.get(other) ?? -1] ?? []);
    if (!canHoist || pred === undefined) {
      fixed.add(key);
      continue;
    }
    pushTo(groups, key, { block, pred, move });
  }
  for (const [key, list] of groups) {
    // Where the block has to stay for somebody, it may as well serve all.
    if (fixed.has(key) || list.some(({ pred }) => done.has(pred))) continue;
    if (newMoves(list, preds) > 1) continue;
    for (const { block, pred, move } of list) {
      pred.instructions.push({ ...move });
      done.add(pred);
      const end = block.terminator;
      if (end.kind === "jump") redirectEdge(pred, block, end.target);
      else block.instructions = [];
    }
  }
}

/** The move of `move; goto` and `move; exit` blocks. */
function onlyMove(block: MachineBlock): (MachineInstruction & { kind: "alu" }) | undefined {
  const [op, more] = block.instructions;
  const end = block.terminator.kind;
  if (op === undefined || more !== undefined || (end !== "jump" && end !== "exit"))
    return undefined;
  const isMove = op.kind === "alu" && op.op === "mov" && op.core === undefined;
  return isMove ? op : undefined;
}

function groupKey(
  block: MachineBlock,
  { dst, src, width }: MachineInstruction & { kind: "alu" },
): string {
  const end = block.terminator;
  const value = src.kind === "immediate" ? `${width} ${src.value}` : `${width} r${src.register}`;
  return `${dst} ${value} ${end.kind === "jump" ? end.target.id : "exit"}`;
}

function targetDepth(block: MachineBlock, depths: ReadonlyMap<MachineBlock, number>): number {
  const end = block.terminator;
  return depths.get(end.kind === "jump" ? end.target : block) ?? 0;
}

/** The branch does not read the register, and the other way does not want its old value. */
function isFree(
  pred: MachineBlock,
  block: MachineBlock,
  { dst }: MachineInstruction & { kind: "alu" },
  liveIn: (block: MachineBlock) => readonly number[],
): boolean {
  const end = pred.terminator;
  if (end.kind !== "branch" || end.then === end.otherwise) return false;
  if (end.dst === dst || (end.src.kind === "register" && end.src.register === dst)) return false;
  const other = end.then === block ? end.otherwise : end.then;
  return !liveIn(other).includes(dst);
}

/** How many of the moves are needed, if all are hoisted: the others find the value there. */
function newMoves(list: readonly Candidate[], preds: Preds): number {
  const hoisted = new Set(list.map(({ pred }) => pred));
  let count = 0;
  for (const { pred, move } of list) {
    if (move.src.kind === "register" || !arrives(pred, move, hoisted, preds)) count += 1;
  }
  return count;
}

const maxSearch = 64;

/** Does the register hold the constant at the end of the block, on all ways that lead there? */
function arrives(
  pred: MachineBlock,
  move: MachineInstruction & { kind: "alu" },
  hoisted: ReadonlySet<MachineBlock>,
  preds: Preds,
): boolean {
  const seen = new Set<MachineBlock>();
  const work = [pred];
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    if (seen.has(block)) continue;
    seen.add(block);
    if (seen.size > maxSearch) return false;
    const written = lastWrite(block, move);
    if (written === "same") continue;
    if (written === "other") return false;
    const before = preds.get(block) ?? [];
    if (before.length === 0) return false;
    appendAll(
      work,
      before.filter((each) => !hoisted.has(each)),
    );
  }
  return true;
}

function lastWrite(
  block: MachineBlock,
  move: MachineInstruction & { kind: "alu" },
): "same" | "other" | undefined {
  for (let at = block.instructions.length - 1; at >= 0; at -= 1) {
    const op = block.instructions[at];
    if (op === undefined) continue;
    let writes = false;
    const note = (register: number): void => {
      if (register === move.dst) writes = true;
    };
    visitRegisters(op, { use: () => {}, def: note, clobber: note });
    if (!writes) continue;
    const isSame =
      op.kind === "alu" &&
      op.op === "mov" &&
      op.width === move.width &&
      op.src.kind === "immediate" &&
      move.src.kind === "immediate" &&
      op.src.value === move.src.value;
    return isSame ? "same" : "other";
  }
  return undefined;
}
