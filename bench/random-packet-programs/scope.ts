/** What a random program may name at one place, and the random choices that are made there. */
import { randomNumbers } from "../../test/support/fuzz.ts";

/** C types of the variables; all arithmetic is done as the unsigned type of the same width. */
export const scalarTypes = ["__u8", "__u16", "__u32", "__u64", "__s32", "__s64", "int"] as const;
export type ScalarType = (typeof scalarTypes)[number];

/** Something that can be read, and written unless it is a loop's counter or a constant. */
export interface Place {
  readonly text: string;
  readonly type: ScalarType;
  readonly writable: boolean;
}

/** An array with a power of two of elements. */
export interface Elements {
  readonly text: string;
  readonly type: ScalarType;
  readonly length: number;
}

export interface HashMap {
  readonly name: string;
  readonly key: string;
  readonly value: string;
  /** Keys are indexes below this; undefined for a hash. */
  readonly entries: number | undefined;
}

/** Names are visible in the scope where they are made and in those within. */
export interface Scope {
  readonly places: readonly Place[];
  readonly arrays: readonly Elements[];
  /** Statement that leaves the function. */
  readonly leave: string;
  /** Whether `break` and `continue` have a loop. */
  readonly inLoop: boolean;
  /** Rounds that run here for one of the function, as far as known. */
  readonly rounds: number;
  /** Text of the packet's current position, or none in a function without a packet. */
  readonly cursor: string | undefined;
}

export function within(scope: Scope, added: Partial<Scope>): Scope {
  return { ...scope, ...added };
}

export function withPlaces(scope: Scope, places: readonly Place[]): Scope {
  return { ...scope, places: [...scope.places, ...places] };
}

/** Choices, names and what is left to write. */
export class Source {
  readonly below: (limit: number) => number;
  /** Statements that may still be made. */
  budget: number;
  #names = 0;

  constructor(seed: number, budget: number) {
    this.below = randomNumbers(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
    this.budget = budget;
    for (let at = 0; at < 4; at += 1) this.below(2);
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  /** True `percent` times of 100. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  name(prefix: string): string {
    this.#names += 1;
    return `${prefix}${this.#names}`;
  }
}
