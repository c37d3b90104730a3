/**
 * Records and enums of headers: they look like any other, but are laid out when their definition
 * is first read. A tracing program reaches about a hundred of vmlinux.h's twelve thousand.
 */
import type { EnumDefinition, EnumType, RecordDefinition, RecordType } from "./types.ts";

/** Runs `complete` at most once, when something first asks. */
class Completion {
  #complete: (() => void) | undefined;

  constructor(complete: (() => void) | undefined) {
    this.#complete = complete;
  }

  run(): void {
    const complete = this.#complete;
    this.#complete = undefined;
    complete?.();
  }
}

export class LazyRecord implements RecordType {
  readonly kind: "struct" | "union";
  readonly tag: string | undefined;
  readonly id: number;
  readonly #completion: Completion;
  #definition: RecordDefinition | undefined;
  #preserveAccessIndex = false;
  #mayAlias = false;
  #declTags: readonly string[] = [];

  constructor(
    kind: "struct" | "union",
    tag: string | undefined,
    id: number,
    complete: (() => void) | undefined,
  ) {
    this.kind = kind;
    this.tag = tag;
    this.id = id;
    this.#completion = new Completion(complete);
  }

  get definition(): RecordDefinition | undefined {
    this.#completion.run();
    return this.#definition;
  }

  set definition(definition: RecordDefinition | undefined) {
    this.#definition = definition;
  }

  get preserveAccessIndex(): boolean {
    this.#completion.run();
    return this.#preserveAccessIndex;
  }

  set preserveAccessIndex(value: boolean) {
    this.#preserveAccessIndex = value;
  }

  get mayAlias(): boolean {
    this.#completion.run();
    return this.#mayAlias;
  }

  set mayAlias(value: boolean) {
    this.#mayAlias = value;
  }

  get declTags(): readonly string[] {
    this.#completion.run();
    return this.#declTags;
  }

  set declTags(tags: readonly string[]) {
    this.#declTags = tags;
  }
}

export class LazyEnum implements EnumType {
  readonly kind = "enum";
  readonly tag: string | undefined;
  readonly id: number;
  readonly #completion: Completion;
  #definition: EnumDefinition | undefined;
  #declTags: readonly string[] = [];

  constructor(tag: string | undefined, id: number, complete: (() => void) | undefined) {
    this.tag = tag;
    this.id = id;
    this.#completion = new Completion(complete);
  }

  get definition(): EnumDefinition | undefined {
    this.#completion.run();
    return this.#definition;
  }

  set definition(definition: EnumDefinition | undefined) {
    this.#definition = definition;
  }

  get declTags(): readonly string[] {
    this.#completion.run();
    return this.#declTags;
  }

  set declTags(tags: readonly string[]) {
    this.#declTags = tags;
  }
}
