/**
 * What passes ask of a function: who uses its values, which accesses may meet, the states of memory.
 * Found when it is asked for, and kept from pass to pass while none changes the function (pass.ts):
 * most passes find nothing to do, and finding that out should cost little.
 * Needs: to be asked before the pass that asks changes anything.
 */
import type { IrFunction, Value } from "../4-lower/ir.ts";
import { computeUses, type Use } from "../4-lower/ir-builder.ts";
import { AliasAnalysis } from "./alias.ts";
import { MemoryVersions } from "./memory-versions.ts";

export class FunctionFacts {
  readonly #fn: IrFunction;
  #uses: Map<Value, Use[]> | undefined;
  #alias: AliasAnalysis | undefined;
  #memory: MemoryVersions | undefined;

  constructor(fn: IrFunction) {
    this.#fn = fn;
  }

  get uses(): Map<Value, Use[]> {
    this.#uses ??= computeUses(this.#fn);
    return this.#uses;
  }

  get alias(): AliasAnalysis {
    this.#alias ??= new AliasAnalysis(this.#fn);
    return this.#alias;
  }

  get memory(): MemoryVersions {
    this.#memory ??= new MemoryVersions(this.#fn, this.alias);
    return this.#memory;
  }
}
