/**
 * Which stack slots may still be read, per instruction and chain of calls. The marks grow while the
 * program is walked: a slot that no known continuation reads is dropped from checkpoints.
 */
import { successors } from "./control-flow.ts";
import type { Env } from "./env.ts";
import type { State } from "./state.ts";
import { slotList } from "./trace-precision.ts";

/** 64 slots as two halves, per instruction: read, written, written on all ways on, live before. */
const width = 8;
const readLow = 0;
const writeLow = 2;
const allWriteLow = 4;
const liveLow = 6;

interface Instance {
  readonly frameNo: number;
  readonly start: number;
  readonly count: number;
  readonly outer: Instance | undefined;
  /** The call that entered this function; -1 for the outermost. */
  readonly callsite: number;
  /** Calls that lead here and the function's start, for the log. */
  readonly chain: string;
  readonly frames: (Int32Array | undefined)[];
  readonly isWriteSet: Uint8Array;
  isUpdated: boolean;
}

export class LiveStack {
  readonly #env: Env;
  readonly #instances = new Map<string, Instance>();
  readonly #order: number[][];
  readonly #successors: readonly (readonly number[])[];
  #current: Instance | undefined = undefined;
  readonly #writes = new Int32Array(16);
  #writeInsn = 0;

  constructor(env: Env) {
    this.#env = env;
    this.#order = env.subprograms.map((sub) =>
      env.postorder.filter((at) => at >= sub.start && at < sub.end),
    );
    this.#successors = env.insns.map((_, at) => successors(env, at));
  }

  #lookup(state: State, frameNo: number): Instance {
    let key = "";
    for (let i = 0; i <= frameNo; i += 1) {
      const frame = state.frames[i]!;
      key += `${i === 0 ? "" : frame.callsite}:${frame.subprog},`;
    }
    const found = this.#instances.get(key);
    if (found !== undefined) return found;
    const frame = state.frames[frameNo]!;
    const subprogram = this.#env.subprograms[frame.subprog]!;
    const count = subprogram.end - subprogram.start;
    const instance: Instance = {
      frameNo,
      start: subprogram.start,
      count,
      outer: frameNo > 0 ? this.#lookup(state, frameNo - 1) : undefined,
      callsite: frameNo > 0 ? frame.callsite : -1,
      chain: `(${state.frames
        .slice(1, frameNo + 1)
        .map((f) => `${f.callsite},`)
        .join("")}${subprogram.start})`,
      frames: [],
      isWriteSet: new Uint8Array(count),
      isUpdated: false,
    };
    this.#instances.set(key, instance);
    return instance;
  }

  #masks(instance: Instance, frame: number): Int32Array {
    instance.frames[frame] ??= new Int32Array(instance.count * width);
    return instance.frames[frame];
  }

  #instance(): Instance {
    const { state } = this.#env;
    this.#current ??= this.#lookup(state, state.frames.length - 1);
    return this.#current;
  }

  /** The chain of calls is about to change. */
  leave(): void {
    this.#current = undefined;
  }

  /** Before an instruction runs. */
  begin(insn: number): void {
    this.#instance();
    this.#beginWrites(insn);
  }

  #beginWrites(insn: number): void {
    this.#writeInsn = insn;
    this.#writes.fill(0);
  }

  #markRead(instance: Instance, frame: number, insn: number, low: number, high: number): void {
    if ((low | high) === 0) return;
    const masks = this.#masks(instance, frame);
    const at = (insn - instance.start) * width + readLow;
    if ((low & ~masks[at]!) === 0 && (high & ~masks[at + 1]!) === 0) return;
    masks[at] = masks[at]! | low;
    masks[at + 1] = masks[at + 1]! | high;
    instance.isUpdated = true;
  }

  /** The current instruction may read this slot. */
  read(env: Env, frame: number, slot: number): void {
    const bit = 1 << (slot & 31);
    const isLow = slot < 32;
    this.#markRead(this.#instance(), frame, env.insn, isLow ? bit : 0, isLow ? 0 : bit);
  }

  /** The current instruction overwrites all of this slot. */
  write(frame: number, slot: number): void {
    const at = frame * 2 + (slot < 32 ? 0 : 1);
    this.#writes[at] = this.#writes[at]! | (1 << (slot & 31));
  }

  /** After an instruction ran; nothing is kept of calls and returns. */
  commit(): void {
    if (this.#current !== undefined) this.#commitTo(this.#current);
  }

  #commitTo(instance: Instance): void {
    const index = this.#writeInsn - instance.start;
    const isSet = instance.isWriteSet[index] === 1;
    for (let frame = 0; frame <= instance.frameNo; frame += 1) {
      const low = this.#writes[frame * 2]!;
      const high = this.#writes[frame * 2 + 1]!;
      if ((low | high) === 0 && instance.frames[frame] === undefined) continue;
      const masks = this.#masks(instance, frame);
      const at = index * width + writeLow;
      const newLow = isSet ? masks[at]! & low : low;
      const newHigh = isSet ? masks[at + 1]! & high : high;
      if (newLow === masks[at] && newHigh === masks[at + 1]) continue;
      masks[at] = newLow;
      masks[at + 1] = newHigh;
      instance.isUpdated = true;
    }
    instance.isWriteSet[index] = 1;
  }

  #updateInsn(instance: Instance, frame: number, masks: Int32Array, insn: number): boolean {
    const next = this.#successors[insn]!;
    if (next.length === 0) return false;
    const { start } = instance;
    const at = (insn - start) * width;
    const old = masks.slice(at, at + width);
    for (let half = 0; half < 2; half += 1) {
      let after = 0;
      let allWrite = -1;
      for (const to of next) {
        const there = (to - start) * width + half;
        after |= masks[there + liveLow]!;
        allWrite &= masks[there + allWriteLow]!;
      }
      const written = masks[at + half + writeLow]!;
      masks[at + half + liveLow] = (after & ~written) | masks[at + half + readLow]!;
      masks[at + half + allWriteLow] = allWrite | written;
    }
    const isLiveSame =
      old[liveLow] === masks[at + liveLow] && old[liveLow + 1] === masks[at + liveLow + 1];
    const isWriteSame =
      old[allWriteLow] === masks[at + allWriteLow] &&
      old[allWriteLow + 1] === masks[at + allWriteLow + 1];
    if (isLiveSame && isWriteSame) return false;
    if (this.#env.log.isDetailed && this.#isShown(instance, masks, insn)) {
      const place = `${instance.chain} frame ${frame} insn ${insn} `;
      this.#traceChange(place, "live", old, masks, at, liveLow);
      this.#traceChange(place, "written", old, masks, at, allWriteLow);
    }
    return true;
  }

  /** The log leaves out what only passes marks on. */
  #isShown(instance: Instance, masks: Int32Array, insn: number): boolean {
    const at = (insn - instance.start) * width;
    const own =
      masks[at + readLow]! |
      masks[at + readLow + 1]! |
      masks[at + writeLow]! |
      masks[at + writeLow + 1]!;
    return own !== 0 || insn === instance.start || this.#env.facts.prunePoint[insn] === 1;
  }

  #traceChange(
    place: string,
    word: string,
    old: Int32Array,
    masks: Int32Array,
    at: number,
    which: number,
  ): void {
    const was = [old[which]!, old[which + 1]!] as const;
    const is = [masks[at + which]!, masks[at + which + 1]!] as const;
    const added = slotList(is[0] & ~was[0], is[1] & ~was[1]);
    const removed = slotList(was[0] & ~is[0], was[1] & ~is[1]);
    if (added === "" && removed === "") return;
    let text = place;
    if (added !== "") text += `+${word} ${added} `;
    if (removed !== "") text += `-${word} ${removed} `;
    this.#env.log.trace(`${text}\n`);
  }

  #updateInstance(instance: Instance, subprog: number): void {
    if (!instance.isUpdated) return;
    let rounds = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (const insn of this.#order[subprog]!) {
        for (const [frame, masks] of instance.frames.entries()) {
          if (masks === undefined) continue;
          if (this.#updateInsn(instance, frame, masks, insn)) changed = true;
        }
      }
      rounds += 1;
    }
    if (this.#env.log.isDetailed && rounds > 1) {
      this.#env.log.trace(`${instance.chain} live stack update done in ${rounds} iterations\n`);
    }
    if (instance.outer !== undefined) this.#propagateOut(instance, instance.outer);
    instance.isUpdated = false;
  }

  /** What a callee reads and writes of outer frames, its call does. */
  #propagateOut(instance: Instance, outer: Instance): void {
    this.#beginWrites(instance.callsite);
    for (let frame = 0; frame < instance.frameNo; frame += 1) {
      const masks = instance.frames[frame];
      if (masks === undefined) continue;
      this.#writes[frame * 2] = masks[allWriteLow]!;
      this.#writes[frame * 2 + 1] = masks[allWriteLow + 1]!;
      this.#markRead(outer, frame, instance.callsite, masks[liveLow]!, masks[liveLow + 1]!);
    }
    this.#commitTo(outer);
  }

  /** The end of a function or path was reached: carries the marks back through the code. */
  update(): void {
    this.#current = undefined;
    const { state } = this.#env;
    for (let frame = state.frames.length - 1; frame >= 0; frame -= 1) {
      this.#updateInstance(this.#lookup(state, frame), state.frames[frame]!.subprog);
    }
  }

  #isLive(instance: Instance, insn: number, frame: number, slot: number): boolean {
    const masks = instance.frames[frame];
    if (masks === undefined) return false;
    const at = (insn - instance.start) * width + liveLow + (slot < 32 ? 0 : 1);
    return ((masks[at] ?? 0) & (1 << (slot & 31))) !== 0;
  }

  /** Whether a slot of a state may be read by what follows it. */
  isSlotAlive(state: State, frame: number, slot: number): boolean {
    const top = state.frames.length - 1;
    if (this.#isLive(this.#lookup(state, top), state.insn, frame, slot)) return true;
    for (let i = frame; i < top; i += 1) {
      const callsite = state.frames[i + 1]!.callsite;
      const resumes = this.#env.facts.callsCallback[callsite] === 1 ? callsite : callsite + 1;
      if (this.#isLive(this.#lookup(state, i), resumes, frame, slot)) return true;
    }
    return false;
  }
}
