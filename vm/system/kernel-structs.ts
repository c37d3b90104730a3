/** Structs of the kernel in the programs' memory, laid out by BTF: what iterators walk over. */
import type { Btf } from "../../common/object/btf.ts";
import { btfSizeOf, skipModifiers } from "../../common/object/btf-types.ts";
import type { Kernel } from "../kernel/kernel.ts";

export type FieldValue = number | bigint | string;

/** Fields that read zero lie up to here, whatever the BTF knows of the struct. */
const leastSize = 4096;

/** Regions that are there for as long as an event lasts. */
export class StructMemory {
  readonly #kernel: Kernel;
  readonly #btf: Btf | undefined;
  readonly #regions: { readonly start: number; readonly size: number }[] = [];

  constructor(kernel: Kernel, btf: Btf | undefined) {
    this.#kernel = kernel;
    this.#btf = btf;
  }

  bytes(name: string, contents: Uint8Array, size = contents.length): number {
    const { memory } = this.#kernel;
    const length = Math.max(8, size);
    const start = memory.region("kernel object", name, length);
    memory.bytes.set(contents, start);
    this.#regions.push({ start, size: length });
    return start;
  }

  /** A struct with some fields set; fields that BTF does not know are left out. */
  struct(name: string, fields: Readonly<Record<string, FieldValue>>): number {
    const start = this.bytes(name, new Uint8Array(0), leastSize);
    const btf = this.#btf;
    const type = btf?.types.find((each) => each.kind === "struct" && each.name === name);
    if (btf === undefined || type?.kind !== "struct") return start;
    const { memory, little } = this.#kernel;
    for (const [field, value] of Object.entries(fields)) {
      const member = type.members.find((each) => each.name === field);
      if (member === undefined) continue;
      const at = start + member.bitOffset / 8;
      const size = btfSizeOf(btf, member.type) ?? 8;
      const isArray = skipModifiers(btf, member.type)?.kind === "array";
      if (typeof value === "string") {
        if (isArray) memory.bytes.set(new TextEncoder().encode(value).subarray(0, size - 1), at);
      } else memory.store(at, size, BigInt.asUintN(64, BigInt(value)), little);
    }
    return start;
  }

  /** 64-bit words. */
  words(values: readonly number[]): Uint8Array {
    const bytes = new Uint8Array(values.length * 8);
    const view = new DataView(bytes.buffer);
    const { little } = this.#kernel;
    for (const [i, value] of values.entries()) view.setBigUint64(i * 8, BigInt(value), little);
    return bytes;
  }

  release(): void {
    for (const { start, size } of this.#regions) {
      this.#kernel.memory.forgetRegion(start);
      this.#kernel.memory.release(start, size);
    }
  }
}
