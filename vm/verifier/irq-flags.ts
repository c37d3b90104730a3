/** Saved interrupt flags: one stack slot each, restored in the reverse order. */
import type { Env } from "./env.ts";
import { writeUnknown } from "./memory.ts";
import { MutableReg, type Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { slotOf, unusedSlot } from "./stack-objects.ts";
import { allBytes, byteKind, byteOf, emptySlot, type Reference, type State } from "./state.ts";
import { errno, Rejection } from "./stop.ts";

function holdsFlag(env: Env, reg: Reg, index: number): boolean {
  const slot = env.state.frames[reg.frame]!.stack[index] ?? emptySlot;
  for (let byte = 0; byte < 8; byte += 1) {
    if (byteOf(slot, byte) === byteKind.irq) return true;
  }
  return false;
}

function acquireFlag(env: Env): number {
  const { state } = env;
  const id = env.newId();
  state.refs = [...state.refs, { kind: "irq", id, insn: env.insn }];
  state.activeIrq = id;
  return id;
}

/** The newest of the flags that are left, or 0. */
function newestFlag(refs: readonly Reference[]): number {
  return refs.findLast((ref) => ref.kind === "irq")?.id ?? 0;
}

function save(env: Env, register: number): void {
  const reg = env.regs[register]!;
  const before = slotOf(env, reg, "irq_flag", 1);
  if (before !== unusedSlot && (before < 0 || holdsFlag(env, reg, before))) {
    env.reject(`expected uninitialized irq flag as arg#${register - 1}`, errno.invalid);
  }
  writeUnknown(env, register, 0, 8);
  const index = slotOf(env, reg, "irq_flag", 1);
  if (index < 0) throw new Rejection(errno.invalid);
  const frame = env.state.frames[reg.frame]!;
  const flag = new MutableReg();
  flag.type = kind.stack;
  flag.refObjId = acquireFlag(env);
  frame.stack[index] = { types: allBytes(byteKind.irq), reg: flag };
  env.liveStack?.write(frame.frameNo, index);
  env.scratchSlot(index);
}

function releaseFlag(env: Env, state: State, id: number): void {
  if (state.activeIrq !== id) {
    const insn = state.refs.find((ref) => ref.id === state.activeIrq)?.insn;
    env.say(
      `cannot restore irq state out of order, expected id=${state.activeIrq} acquired at insn_idx=${insn ?? 0}`,
    );
    throw new Rejection(errno.access);
  }
  state.refs = state.refs.filter((ref) => ref.kind !== "irq" || ref.id !== id);
  state.activeIrq = newestFlag(state.refs);
}

function restore(env: Env, register: number): void {
  const reg = env.regs[register]!;
  const index = slotOf(env, reg, "irq_flag", 1);
  const frame = env.state.frames[reg.frame]!;
  const slot = frame.stack[index];
  const isWhole = slot !== undefined && slot.types === allBytes(byteKind.irq);
  if (index < 0 || !isWhole || slot.reg.refObjId === 0) {
    env.reject(`expected an initialized irq flag as arg#${register - 1}`, errno.invalid);
  }
  env.liveStack?.read(env, frame.frameNo, index);
  env.scratchSlot(index);
  releaseFlag(env, env.state, slot.reg.refObjId);
  frame.stack[index] = emptySlot;
  env.liveStack?.write(frame.frameNo, index);
}

/** The argument of the functions that save and restore interrupt flags. */
export function processIrqFlag(env: Env, register: number, name: string): void {
  if (name === "bpf_local_irq_save") save(env, register);
  else if (name === "bpf_local_irq_restore") restore(env, register);
  else env.unsupported(`kernel function ${name}`);
}
