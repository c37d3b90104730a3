/**
 * Lays out the frame: objects that are never alive at once share bytes, the rest is placed first-fit
 * by size, naturally aligned below r10. An object of which the loader says where a field is stands lowest and
 * shares nothing, if there is room: a kernel whose struct has grown has the field beyond its end, and the verifier
 * takes what is within the frame. More than 512 bytes is an error that names the objects.
 */
import type { DiagnosticNote, Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { DebugLocation } from "../4-lower/ir.ts";
import { spanOf } from "../5-optimize/report.ts";
import type { FrameSlot, MachineFunction, MachineInstruction } from "../6-select/machine.ts";
import { conflictingSlots, slotsOf } from "./slot-liveness.ts";

/** MAX_BPF_STACK. */
const kernelLimit = 512;
/** Larger frames share what they can: callers and callees need room too. */
const roomy = 256;

export function layoutFrame(
  fn: MachineFunction,
  diagnostics: Diagnostics,
  limit = kernelLimit,
): void {
  const used = usedSlots(fn);
  const shared = slotConflicts(fn, used);
  const isRelocated = (index: number): boolean => fn.slots[index]?.isRelocated === true;
  placeSlots(fn, used, (index) => (isRelocated(index) ? undefined : shared(index)));
  if (fn.frameSize > roomy && [...used].some(isRelocated)) placeSlots(fn, used, shared);
  if (fn.frameSize > limit) reportOverflow(fn, inOrder(fn, used), diagnostics);
}

/** What an object must not share bytes with; undefined: it shares none. */
type Conflicts = (slot: number) => ReadonlySet<number> | undefined;

function inOrder(fn: MachineFunction, used: ReadonlySet<number>): number[] {
  const last = (slot: FrameSlot): number => (slot.isRelocated === true ? 2 : Number(slot.isSpill));
  return [...used].sort((a, b) => {
    const [x, y] = [fn.slots[a] as FrameSlot, fn.slots[b] as FrameSlot];
    // Big and well-aligned ones first; spill slots last, so that arrays keep their neighbours.
    return last(x) - last(y) || y.align - x.align || a - b;
  });
}

function placeSlots(fn: MachineFunction, used: ReadonlySet<number>, conflicts: Conflicts): void {
  const order = inOrder(fn, used);
  const placed = new Set<number>();
  const everywhere = order.filter((index) => conflicts(index) === undefined);
  let depth = 0;
  for (const index of order) {
    const slot = fn.slots[index] as FrameSlot;
    const met = conflicts(index);
    const others = met === undefined ? [...placed] : [...met, ...everywhere];
    slot.offset = firstFit(
      fn,
      slot,
      others.filter((other) => placed.has(other)),
    );
    depth = Math.max(depth, -slot.offset);
    placed.add(index);
  }
  fn.frameSize = depth;
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

/** Objects with neither markers nor loads and stores alone are alive everywhere. */
function slotConflicts(fn: MachineFunction, used: ReadonlySet<number>): Conflicts {
  const marked = markedSlots(fn);
  const tracked = [...used].filter((index) => fn.slots[index]?.isShareable || marked.has(index));
  if (tracked.length === 0) return () => undefined;
  const pairs = conflictingSlots(fn, new Set(tracked));
  return (slot) => pairs.get(slot);
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
