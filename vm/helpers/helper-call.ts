/**
 * What a helper sees of the run that calls it. Arguments stand in linear memory, so that compiled
 * code can pass them without crossing the 64-bit border to JavaScript.
 */
import { Fault } from "../fault.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type BpfMap, mapHandleBase } from "../maps/map.ts";
import type { LinearMemory } from "../memory.ts";
import type { RunState } from "../run-state.ts";

/** The running engine, as far as helpers need it. */
export interface Engine {
  /** Calls a BPF function (its 64-bit address) on a new frame. */
  callFunction(address: bigint, args: readonly bigint[]): bigint;
}

/** r0, as a signed number or a 64-bit value. */
export type HelperResult = number | bigint;
export type Helper = (call: HelperCall) => HelperResult;

const mapHandleHigh = Number(mapHandleBase >> 32n);

export class HelperCall {
  readonly kernel: Kernel;
  readonly memory: LinearMemory;
  /** Address of r1–r5 (8 bytes each). */
  readonly #arguments: number;
  run: RunState;
  engine: Engine;

  constructor(kernel: Kernel, argumentsAddress: number, run: RunState, engine: Engine) {
    this.kernel = kernel;
    this.memory = kernel.memory;
    this.#arguments = argumentsAddress;
    this.run = run;
    this.engine = engine;
  }

  /** r1 is 1. */
  arg(register: number): bigint {
    return this.memory.view.getBigUint64(this.#arguments + (register - 1) * 8, true);
  }

  /** The low 32 bits, unsigned. */
  low(register: number): number {
    return this.memory.view.getUint32(this.#arguments + (register - 1) * 8, true);
  }

  /** The low 32 bits, signed. */
  int(register: number): number {
    return this.memory.view.getInt32(this.#arguments + (register - 1) * 8, true);
  }

  /** The upper 32 bits. */
  high(register: number): number {
    return this.memory.view.getUint32(this.#arguments + (register - 1) * 8 + 4, true);
  }

  map(register: number): BpfMap {
    const isHandle = this.high(register) === mapHandleHigh;
    const map = isHandle ? this.kernel.mapAtSlot(this.low(register)) : undefined;
    if (map !== undefined) return map;
    throw new Fault("bad-argument", `argument ${register} is not a map`, this.arg(register));
  }

  /** A map of one class; another class is a fault of the program. */
  mapOf<T extends BpfMap>(register: number, type: abstract new (...args: never[]) => T): T {
    const map = this.map(register);
    if (map instanceof type) return map;
    const { name } = map.description;
    throw new Fault("bad-argument", `map '${name}' has the wrong type for this helper`);
  }

  /** The checked address that the argument holds. */
  address(register: number, size: number, write: boolean): number {
    // The 64-bit form is for reports: a good pointer has nothing in its upper half.
    const start = this.low(register);
    const isGood = this.high(register) === 0 && this.memory.isAccessible(start, size, write);
    return isGood ? start : this.memory.check(this.arg(register), size, write);
  }

  /** Memory that the argument points to; valid until memory grows. */
  bytes(register: number, size: number, write = false): Uint8Array {
    if (size === 0) return this.memory.bytes.subarray(0, 0);
    const start = this.address(register, size, write);
    return this.memory.bytes.subarray(start, start + size);
  }

  /** A copy, for uses that may make memory grow. */
  copy(register: number, size: number): Uint8Array {
    return this.bytes(register, size).slice();
  }

  /** A size argument; sizes above 2^29 are as bad as they are for the verifier. */
  size(register: number): number {
    const size = this.arg(register);
    if (size < 1n << 29n) return Number(size);
    throw new Fault("bad-argument", `argument ${register} is too large a size`);
  }

  /** The packet; faults where the program has none. */
  get packet(): NonNullable<RunState["packet"]> {
    const { packet } = this.run;
    if (packet === undefined) throw new Fault("bad-helper", "this program has no packet");
    return packet;
  }

  load64(address: number): bigint {
    return this.memory.load(address, 8, this.kernel.little);
  }
}
