/** bpf_timer on simulated time: callbacks run when the clock is moved past them. */

import type { Program } from "../program.ts";

export interface Timer {
  /** Address of the struct bpf_timer. */
  readonly address: number;
  readonly mapId: number;
  callback: bigint | undefined;
  /** The program that the callback belongs to. */
  program: Program | undefined;
  /** When it fires, in nanoseconds; undefined: not armed. */
  due: bigint | undefined;
}

export class TimerQueue {
  readonly #timers = new Map<number, Timer>();

  /** False where the timer is there already. */
  add(address: number, mapId: number): boolean {
    if (this.#timers.has(address)) return false;
    this.#timers.set(address, {
      address,
      mapId,
      callback: undefined,
      program: undefined,
      due: undefined,
    });
    return true;
  }

  at(address: number): Timer | undefined {
    return this.#timers.get(address);
  }

  /** The earliest timer that is due by then. */
  nextDue(time: bigint): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.due === undefined || timer.due > time) continue;
      if (found?.due === undefined || timer.due < found.due) found = timer;
    }
    return found;
  }
}
