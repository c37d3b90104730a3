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

/** Flags saved by themselves, or by taking a lock: each kind is restored by its own functions. */
export type IrqOwner = "native" | "lock";

function save(env: Env, register: number, owner: IrqOwner): void {
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
  flag.irqOwner = owner;
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

function restore(env: Env, register: number, owner: IrqOwner): void {
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
  const saved = slot.reg.irqOwner ?? "native";
  if (saved !== owner) {
    env.reject(
      `irq flag acquired by ${saved} kfuncs cannot be restored with ${owner} kfuncs`,
      errno.invalid,
    );
  }
  releaseFlag(env, env.state, slot.reg.refObjId);
  frame.stack[index] = emptySlot;
  env.liveStack?.write(frame.frameNo, index);
}

interface IrqCall {
  readonly saves: boolean;
  readonly owner: IrqOwner;
}

const irqCalls: Readonly<Record<string, IrqCall>> = {
  bpf_local_irq_save: { saves: true, owner: "native" },
  bpf_local_irq_restore: { saves: false, owner: "native" },
  bpf_res_spin_lock_irqsave: { saves: true, owner: "lock" },
  bpf_res_spin_unlock_irqrestore: { saves: false, owner: "lock" },
};

/** The argument of the functions that save and restore interrupt flags. */
export function processIrqFlag(env: Env, register: number, name: string): void {
  const call = irqCalls[name];
  if (call === undefined) env.unsupported(`kernel function ${name}`);
  if (call.saves) save(env, register, call.owner);
  else restore(env, register, call.owner);
}
