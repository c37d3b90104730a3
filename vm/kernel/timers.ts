/** bpf_timer on simulated time: callbacks run when the clock is moved past them. */

export interface Timer {
  /** Address of the struct bpf_timer. */
  readonly address: number;
  readonly mapId: number;
  callback: bigint | undefined;
  /** When it fires, in nanoseconds; undefined: not armed. */
  due: bigint | undefined;
}

export class TimerQueue {
  readonly #timers = new Map<number, Timer>();

  /** False where the timer is there already. */
  add(address: number, mapId: number): boolean {
    if (this.#timers.has(address)) return false;
    this.#timers.set(address, { address, mapId, callback: undefined, due: undefined });
    return true;
  }

  at(address: number): Timer | undefined {
    return this.#timers.get(address);
  }

  /** Takes the earliest timer that is due by then and disarms it. */
  takeDue(time: bigint): Timer | undefined {
    let found: Timer | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.due === undefined || timer.due > time) continue;
      if (found?.due === undefined || timer.due < found.due) found = timer;
    }
    return found;
  }
}
