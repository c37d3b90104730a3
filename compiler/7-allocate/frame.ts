/**
 * Lays out the frame: objects that are never alive at once share bytes, the rest is placed first-fit
 * by size, naturally aligned below r10. More than 512 bytes is an error that names the objects.
 */
import type { DiagnosticNote, Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { DebugLocation } from "../4-lower/ir.ts";
import { spanOf } from "../5-optimize/report.ts";
import {
  type FrameSlot,
  type MachineBlock,
  type MachineFunction,
  type MachineInstruction,
  machinePredecessors,
  machineSuccessors,
} from "../6-select/machine.ts";

/** MAX_BPF_STACK. */
const kernelLimit = 512;

export function layoutFrame(
  fn: MachineFunction,
  diagnostics: Diagnostics,
  limit = kernelLimit,
): void {
  if (fn.slots.some(({ isSpill }) => isSpill)) {
    new SlotLiveness(fn, new Set()).removeDeadStores();
  }
  const used = usedSlots(fn);
  const conflicts = slotConflicts(fn, used);
  const order = [...used].sort((a, b) => {
    const [x, y] = [fn.slots[a] as FrameSlot, fn.slots[b] as FrameSlot];
    // Big and well-aligned ones first; spill slots last, so that arrays keep their neighbours.
    return Number(x.isSpill) - Number(y.isSpill) || y.align - x.align || a - b;
  });
  const placed: number[] = [];
  let depth = 0;
  for (const index of order) {
    const slot = fn.slots[index] as FrameSlot;
    const others = placed.filter((other) => conflicts(index, other));
    slot.offset = firstFit(fn, slot, others);
    depth = Math.max(depth, -slot.offset);
    placed.push(index);
  }
  fn.frameSize = depth;
  if (depth > limit) reportOverflow(fn, order, diagnostics);
}

function usedSlots(fn: MachineFunction): Set<number> {
  const used = new Set<number>();
  for (const block of fn.blocks) {
    for (const op of block.instructions) {
      if (op.kind !== "lifetime") for (const slot of slotsOf(op)) used.add(slot);
    }
    if (block.terminator.kind === "asm_goto") {
      for (const { slot } of block.terminator.body.operands) if (slot !== undefined) used.add(slot);
    }
  }
  return used;
}

function slotsOf(op: MachineInstruction): number[] {
  if (op.kind === "frame_address" || op.kind === "lifetime") return [op.slot];
  if ("address" in op && op.address.slot !== undefined) return [op.address.slot];
  if (op.kind !== "asm") return [];
  return op.body.operands.flatMap(({ slot }) => (slot === undefined ? [] : [slot]));
}

/** The highest place below r10 that no conflicting object covers. */
function firstFit(fn: MachineFunction, slot: FrameSlot, others: readonly number[]): number {
  const taken = others
    .map((index) => fn.slots[index] as FrameSlot)
    .map(({ offset = 0, size }) => ({ from: offset, to: offset + size }))
    .sort((a, b) => b.to - a.to);
  // Nothing can be read at r10 itself, not even no bytes: an empty array stands below it too.
  const size = Math.max(slot.size, 1);
  const down = (top: number): number => Math.floor((top - size) / slot.align) * slot.align;
  let place = down(0);
  for (const { from, to } of taken) {
    if (to <= place) break;
    if (from < place + size) place = Math.min(place, down(from));
  }
  return place;
}

/**
 * Which objects may hold something at the same time. An object is alive where a marker or an access
 * may have begun it and no marker has ended it; shareable ones only as far as another access may
 * follow; spill slots from a store to the last load. Objects with neither are alive everywhere.
 */
function slotConflicts(
  fn: MachineFunction,
  used: ReadonlySet<number>,
): (a: number, b: number) => boolean {
  const marked = markedSlots(fn);
  const tracked = [...used].filter((index) => fn.slots[index]?.isShareable || marked.has(index));
  if (tracked.length === 0) return () => true;
  const trackedSet = new Set(tracked);
  const live = new SlotLiveness(fn, trackedSet);
  const pairs = live.conflicts();
  return (a, b) => {
    if (!trackedSet.has(a) || !trackedSet.has(b)) return true;
    return pairs.get(a)?.has(b) === true;
  };
}

/** Variables with both a start and an end marker. */
function markedSlots(fn: MachineFunction): Set<number> {
  const started = new Set<number>();
  const ended = new Set<number>();
  for (const block of fn.blocks) {
    for (const op of block.instructions) {
      if (op.kind === "lifetime" && op.mark !== "touch")
        (op.mark === "end" ? ended : started).add(op.slot);
    }
  }
  return new Set([...started].filter((slot) => ended.has(slot)));
}

class SlotLiveness {
  readonly #fn: MachineFunction;
  readonly #tracked: ReadonlySet<number>;

  constructor(fn: MachineFunction, tracked: ReadonlySet<number>) {
    this.#fn = fn;
    this.#tracked = tracked;
  }

  /** Drops stores to spill slots that no load can read. */
  removeDeadStores(): void {
    const wanted = this.#wantedAtEnd();
    for (const block of this.#fn.blocks) {
      const after = this.#wantedPerInstruction(block, wanted.get(block) ?? new Set());
      block.instructions = block.instructions.filter((op, at) => {
        if (op.kind !== "store" || op.address.slot === undefined) return true;
        const isSpill = this.#fn.slots[op.address.slot]?.isSpill === true;
        return !isSpill || after[at + 1]?.has(op.address.slot) === true;
      });
    }
  }

  conflicts(): Map<number, Set<number>> {
    const begun = this.#begunAtStart();
    const wanted = this.#wantedAtEnd();
    const pairs = new Map<number, Set<number>>([...this.#tracked].map((slot) => [slot, new Set()]));
    for (const block of this.#fn.blocks) {
      const wantedAfter = this.#wantedPerInstruction(block, wanted.get(block) ?? new Set());
      const now = new Set(begun.get(block));
      this.#pairUp(now, wantedAfter[0] ?? new Set(), pairs);
      block.instructions.forEach((op, at) => {
        this.#forward(op, now);
        const touched = slotsOf(op);
        if (touched.length === 0) return;
        // A store that nobody reads still writes its slot.
        this.#pairUp(now, new Set([...(wantedAfter[at + 1] ?? []), ...touched]), pairs);
      });
    }
    return pairs;
  }

  #pairUp(
    begun: ReadonlySet<number>,
    wanted: ReadonlySet<number>,
    pairs: ReadonlyMap<number, Set<number>>,
  ): void {
    const alive = [...begun].filter(
      (slot) => wanted.has(slot) || !this.#fn.slots[slot]?.isShareable,
    );
    for (const a of alive) for (const b of alive) if (a !== b) pairs.get(a)?.add(b);
  }

  /** Slots begun: a marker or an access makes them so, an end marker undoes it. */
  #forward(op: MachineInstruction, now: Set<number>): void {
    if (op.kind === "lifetime" && op.mark === "end") {
      now.delete(op.slot);
      return;
    }
    for (const slot of slotsOf(op)) if (this.#tracked.has(slot)) now.add(slot);
  }

  #begunAtStart(): Map<MachineBlock, Set<number>> {
    const preds = machinePredecessors(this.#fn);
    const atStart = new Map<MachineBlock, Set<number>>();
    const atEnd = new Map<MachineBlock, Set<number>>();
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of this.#fn.blocks) {
        const now = new Set<number>();
        for (const pred of preds.get(block) ?? []) {
          for (const slot of atEnd.get(pred) ?? []) now.add(slot);
        }
        atStart.set(block, new Set(now));
        for (const op of block.instructions) this.#forward(op, now);
        if (now.size !== (atEnd.get(block)?.size ?? -1)) {
          atEnd.set(block, now);
          changed = true;
        }
      }
    }
    return atStart;
  }

  /** Objects that may still be read: spill slots until they are stored, others until their last use. */
  #backward(op: MachineInstruction, wanted: Set<number>): void {
    if (op.kind === "lifetime" && op.mark !== "touch") return;
    for (const slot of slotsOf(op)) {
      if (op.kind === "store" && this.#fn.slots[slot]?.isSpill) wanted.delete(slot);
      else wanted.add(slot);
    }
  }

  #wantedAtEnd(): Map<MachineBlock, Set<number>> {
    const atStart = new Map<MachineBlock, Set<number>>();
    const atEnd = new Map<MachineBlock, Set<number>>();
    const blocks = [...this.#fn.blocks].reverse();
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of blocks) {
        const wanted = new Set<number>();
        for (const next of machineSuccessors(block)) {
          for (const slot of atStart.get(next) ?? []) wanted.add(slot);
        }
        atEnd.set(block, new Set(wanted));
        for (const op of [...block.instructions].reverse()) this.#backward(op, wanted);
        if (wanted.size !== (atStart.get(block)?.size ?? -1)) {
          atStart.set(block, wanted);
          changed = true;
        }
      }
    }
    return atEnd;
  }

  /** Entry i: before instruction i; the last one: at the end. */
  #wantedPerInstruction(block: MachineBlock, atEnd: ReadonlySet<number>): Set<number>[] {
    const list: Set<number>[] = new Array(block.instructions.length + 1);
    let wanted = new Set(atEnd);
    list[block.instructions.length] = wanted;
    for (let at = block.instructions.length - 1; at >= 0; at -= 1) {
      const op = block.instructions[at];
      if (op !== undefined && slotsOf(op).length > 0) {
        wanted = new Set(wanted);
        this.#backward(op, wanted);
      }
      list[at] = wanted;
    }
    return list;
  }
}

function reportOverflow(
  fn: MachineFunction,
  order: readonly number[],
  diagnostics: Diagnostics,
): void {
  const slots = order.map((index) => fn.slots[index] as FrameSlot);
  const spills = slots.filter(({ isSpill }) => isSpill).length;
  const notes = slots
    .filter(({ isSpill }) => !isSpill)
    .sort((a, b) => b.size - a.size)
    .map(
      ({ name, size, location }): DiagnosticNote => ({
        message: `${size} bytes: '${name}'${inlinedAt(location)}`,
        ...(location && { span: spanOf(location) }),
      }),
    );
  if (spills > 0) notes.push({ message: `${spills * 8} bytes: ${spills} spilled registers` });
  diagnostics.error(
    "stack-too-large",
    `function '${fn.name}' needs ${fn.frameSize} bytes of stack; the kernel allows ${kernelLimit}`,
    fn.location && spanOf(fn.location),
    { notes, help: "move large objects into a per-CPU array map" },
  );
}

/** `, inlined at file:line, inlined at …` */
function inlinedAt(location: DebugLocation | undefined): string {
  const site = location?.inlinedAt;
  if (site === undefined) return "";
  return `, inlined at ${site.file}:${site.line}${inlinedAt(site)}`;
}

/** After layout: slots become offsets from r10, frame addresses two instructions. */
export function resolveSlots(fn: MachineFunction): void {
  const offsetOf = (slot: number): number => fn.slots[slot]?.offset ?? 0;
  for (const block of fn.blocks) {
    const output: MachineInstruction[] = [];
    for (const op of block.instructions) {
      if (op.kind === "lifetime") continue;
      if (op.kind === "frame_address") output.push(...frameAddress(op, offsetOf(op.slot)));
      else {
        markSpill(fn, op);
        output.push(resolved(op, offsetOf));
      }
    }
    block.instructions = output;
    if (block.terminator.kind === "asm_goto") {
      resolveAsm(block.terminator.body.operands, offsetOf);
    }
  }
}

function markSpill(fn: MachineFunction, op: MachineInstruction): void {
  if ((op.kind !== "load" && op.kind !== "store") || op.address.slot === undefined) return;
  if (fn.slots[op.address.slot]?.isSpill) op.isSpill = true;
}

function resolved(op: MachineInstruction, offsetOf: (slot: number) => number): MachineInstruction {
  if ("address" in op && op.address.slot !== undefined) {
    op.address = { base: op.address.base, offset: op.address.offset + offsetOf(op.address.slot) };
  }
  if (op.kind === "asm") resolveAsm(op.body.operands, offsetOf);
  return op;
}

type AsmOperands = Extract<MachineInstruction, { kind: "asm" }>["body"]["operands"];

function resolveAsm(operands: AsmOperands, offsetOf: (slot: number) => number): void {
  for (const operand of operands) {
    if (operand.slot === undefined) continue;
    operand.value += BigInt(offsetOf(operand.slot));
    operand.register = 10;
    delete operand.slot;
  }
}

function frameAddress(
  { dst, offset, location }: Extract<MachineInstruction, { kind: "frame_address" }>,
  base: number,
): MachineInstruction[] {
  const sum = base + offset;
  const src = { kind: "register", register: 10 } as const;
  const move: MachineInstruction = { kind: "alu", op: "mov", width: 64, dst, src, location };
  if (sum === 0) return [move];
  const step = { kind: "immediate", value: sum } as const;
  return [move, { kind: "alu", op: "add", width: 64, dst, src: step, location }];
}
