/** File descriptors, ids and reference counts of one simulated kernel. */
import type { BpfObject, MapAccess, ObjectKind, OpenFile } from "./objects.ts";

const firstDescriptor = 3;

/** Called when nothing holds an object any more. */
export type Destroy = (object: BpfObject) => void;

export class Handles {
  readonly #files = new Map<number, OpenFile>();
  readonly #holders = new Map<BpfObject, number>();
  readonly #byId = new Map<ObjectKind, Map<number, BpfObject>>();
  readonly #destroy: Destroy;

  constructor(destroy: Destroy) {
    this.#destroy = destroy;
  }

  /** One more thing keeps the object. */
  hold(object: BpfObject): void {
    this.#holders.set(object, (this.#holders.get(object) ?? 0) + 1);
    if (!("id" in object)) return;
    const ids = this.#byId.get(object.kind) ?? new Map<number, BpfObject>();
    this.#byId.set(object.kind, ids.set(object.id, object));
  }

  /** One thing less; the last one ends it. */
  drop(object: BpfObject): void {
    const holders = (this.#holders.get(object) ?? 0) - 1;
    if (holders > 0) {
      this.#holders.set(object, holders);
      return;
    }
    this.#holders.delete(object);
    if ("id" in object) this.#byId.get(object.kind)?.delete(object.id);
    this.#destroy(object);
  }

  /** The lowest free descriptor, now open. */
  open(object: BpfObject, access: MapAccess = "read-write"): number {
    let descriptor = firstDescriptor;
    while (this.#files.has(descriptor)) descriptor += 1;
    this.#files.set(descriptor, { object, access });
    this.hold(object);
    return descriptor;
  }

  /** False where the descriptor is not open. */
  close(descriptor: number): boolean {
    const file = this.#files.get(descriptor);
    if (file === undefined) return false;
    this.#files.delete(descriptor);
    this.drop(file.object);
    return true;
  }

  file(descriptor: number): OpenFile | undefined {
    return this.#files.get(descriptor);
  }

  byId(kind: ObjectKind, id: number): BpfObject | undefined {
    return this.#byId.get(kind)?.get(id);
  }

  /** The lowest id above one; undefined at the end. */
  nextId(kind: ObjectKind, after: number): number | undefined {
    const later = [...(this.#byId.get(kind)?.keys() ?? [])].filter((id) => id > after);
    return later.length === 0 ? undefined : Math.min(...later);
  }
}
