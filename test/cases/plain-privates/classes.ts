/** Classes that scripts/plain-privates.mjs rewrites: `run` gives what they hold. */

class Counter {
  #count = 0;
  readonly #step: number;
  #last: string | undefined;

  constructor(step: number) {
    this.#step = step;
  }

  get #doubled(): number {
    return this.#count * 2;
  }

  #add(): void {
    this.#count += this.#step;
    this.#last = `#${this.#count}`;
  }

  run(): unknown {
    this.#add();
    return [this.#count, this.#step, this.#doubled, this.#last, Counter.#same(this, this)];
  }

  static #same(a: Counter, b: Counter): boolean {
    return a.#count === b.#count;
  }
}

/** Has privates of the same names as what it extends. */
class Named extends Counter {
  #count = "own";

  override run(): unknown {
    const outer = this;
    const inner = new (class {
      #hidden = 1;
      run(): unknown {
        return [this.#hidden, outer.#count];
      }
    })();
    return [super.run(), this.#count, inner.run()];
  }
}

class Third extends Named {
  #count = "third";

  override run(): unknown {
    return [super.run(), this.#count];
  }
}

export const run = (): unknown => [new Counter(3).run(), new Third(2).run(), "#text"];
