/**
 * Blocks that end alike share their end: whole blocks with the same code become one, and common
 * last instructions before the same jump, branch or exit move into a block of their own. In loops one
 * instruction alone stays where it is: cases of a switch that all end in one store run slower if they share it.
 */
import { pushTo } from "../../common/append.ts";
import {
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  machineSuccessors,
  newMachineBlock,
  redirectEdge,
} from "../6-select/machine.ts";
import { printMachineInstruction, printTerminator } from "../6-select/print-machine.ts";
import { loopDepths } from "./flow.ts";
import { pointerNames } from "./value-names.ts";

/** Returns whether anything changed. */
export function mergeTails(fn: MachineFunction): boolean {
  const texts = new Map<MachineInstruction, string>();
  const names = pointerNames(fn);
  const depths = loopDepths(fn);
  const textOf = (op: MachineInstruction): string => {
    const known = texts.get(op);
    if (known !== undefined) return known;
    const made = `${printMachineInstruction(op)} ${names.get(op) ?? ""}`;
    texts.set(op, made);
    return made;
  };
  let rounds = 0;
  for (let changed = true; changed; rounds += 1) {
    changed = mergeEqualBlocks(fn, textOf);
    if (mergeSuffixes(fn, textOf, depths)) changed = true;
  }
  return rounds > 1;
}

/** Blocks with inline assembly keep their own labels. */
function canMerge(block: MachineBlock): boolean {
  const { kind } = block.terminator;
  return (
    kind !== "asm_goto" && kind !== "end" && !block.instructions.some((op) => op.kind === "asm")
  );
}

function mergeEqualBlocks(
  fn: MachineFunction,
  textOf: (op: MachineInstruction) => string,
): boolean {
  const first = new Map<string, MachineBlock>();
  const instead = new Map<MachineBlock, MachineBlock>();
  fn.blocks.forEach((block, at) => {
    if (at === 0 || !canMerge(block)) return;
    const key = [...block.instructions.map(textOf), printTerminator(block.terminator)].join("\n");
    const known = first.get(key);
    if (known === undefined) first.set(key, block);
    else instead.set(block, known);
  });
  if (instead.size === 0) return false;
  fn.blocks = fn.blocks.filter((block) => !instead.has(block));
  for (const block of fn.blocks) {
    for (const next of machineSuccessors(block)) {
      const known = instead.get(next);
      if (known !== undefined) redirectEdge(block, next, known);
    }
    const end = block.terminator;
    if (end.kind === "branch" && end.then === end.otherwise) {
      block.terminator = { kind: "jump", target: end.then, location: end.location };
    }
  }
  return true;
}

function mergeSuffixes(
  fn: MachineFunction,
  textOf: (op: MachineInstruction) => string,
  depths: ReadonlyMap<MachineBlock, number>,
): boolean {
  const groups = new Map<string, MachineBlock[]>();
  for (const block of fn.blocks) {
    const last = block.instructions.at(-1);
    if (last === undefined || !canMerge(block)) continue;
    const key = `${textOf(last)}\n${printTerminator(block.terminator)}`;
    pushTo(groups, key, block);
  }
  let changed = false;
  for (const list of groups.values()) {
    if (list.length < 2) continue;
    const length = commonSuffix(list, textOf);
    if (length === 1 && list.every((block) => staysInLoop(block, depths))) continue;
    shareSuffix(fn, list, length);
    changed = true;
  }
  return changed;
}

function staysInLoop(
  { terminator }: MachineBlock,
  depths: ReadonlyMap<MachineBlock, number>,
): boolean {
  return terminator.kind === "jump" && (depths.get(terminator.target) ?? 0) > 0;
}

function commonSuffix(
  list: readonly MachineBlock[],
  textOf: (op: MachineInstruction) => string,
): number {
  const [first] = list;
  const most = Math.min(...list.map((block) => block.instructions.length));
  for (let length = 1; length <= most; length += 1) {
    const own = first?.instructions.at(-length);
    const text = own === undefined ? "" : textOf(own);
    const isCommon = list.every((block) => {
      const op = block.instructions.at(-length);
      return op !== undefined && textOf(op) === text;
    });
    if (!isCommon) return length - 1;
  }
  return most;
}

/** A block that is nothing but the suffix serves as the shared one. */
function shareSuffix(fn: MachineFunction, list: readonly MachineBlock[], length: number): void {
  const whole = list.find(
    (block) => block.instructions.length === length && block !== fn.blocks[0],
  );
  const shared = whole ?? newMachineBlock(fn);
  const [first] = list;
  if (whole === undefined && first !== undefined) {
    shared.instructions = first.instructions.slice(-length);
    shared.terminator = { ...first.terminator };
    fn.blocks.push(shared);
  }
  for (const block of list) {
    if (block === shared) continue;
    const { location } = block.terminator;
    block.instructions = block.instructions.slice(0, block.instructions.length - length);
    block.terminator = { kind: "jump", target: shared, location };
  }
}
