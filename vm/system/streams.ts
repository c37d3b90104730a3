/** What programs send to user space, as async iterators: ring buffers, perf buffers, the trace pipe. */

/**
 * Values in the order in which they came; those that nobody waits for are kept. The iteration ends
 * after `close`, or where its loop is left.
 */
export class Stream<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = [];
  readonly #waiting: ((result: IteratorResult<T>) => void)[] = [];
  readonly #onClose: () => void;
  #isOpen = true;

  /** `onClose` is called once, when no more values are wanted. */
  constructor(onClose: () => void) {
    this.#onClose = onClose;
  }

  push(value: T): void {
    if (!this.#isOpen) return;
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#values.push(value);
    else waiting({ done: false, value });
  }

  /** What has come and was not yet asked for. */
  take(): T[] {
    return this.#values.splice(0);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#onClose();
    for (const waiting of this.#waiting.splice(0)) waiting({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#values.length > 0) {
      return Promise.resolve({ done: false, value: this.#values.shift() as T });
    }
    if (!this.#isOpen) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.close();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
