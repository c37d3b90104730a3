/** Which names are types: C's one context dependency that a parser cannot do without. */

/** The file scope, and headers: answers for the place that the parser has reached. */
export interface TypeNameOracle {
  isTypeName(name: string): boolean;
  /** A declaration at file scope. */
  declare(name: string, isTypedef: boolean): void;
}

/** Block and prototype scopes. */
export class ScopeStack {
  readonly #scopes: Map<string, boolean>[] = [];

  get depth(): number {
    return this.#scopes.length;
  }

  get isFileScope(): boolean {
    return this.#scopes.length === 0;
  }

  push(): void {
    this.#scopes.push(new Map());
  }

  pop(): void {
    this.#scopes.pop();
  }

  declare(name: string, isTypedef: boolean): void {
    this.#scopes.at(-1)?.set(name, isTypedef);
  }

  /** Whether a name is a typedef in the innermost scope that declares it; undefined if none does. */
  lookup(name: string): boolean | undefined {
    for (let index = this.#scopes.length - 1; index >= 0; index -= 1) {
      const found = this.#scopes[index]!.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}
