/**
 * Arguments of traced functions and tracepoints in the kernel's memory: numbers as they are, bytes
 * and strings as addresses of copies.
 */
import type { Btf } from "../../common/object/btf.ts";
import { btfSizeOf, skipModifiers } from "../../common/object/btf-types.ts";
import { ptRegsFields } from "../../common/platform/registers.ts";
import type { Kernel } from "../kernel/kernel.ts";

/** A string ends with a NUL byte in memory. */
export type Argument = number | bigint | string | Uint8Array;

/** Values in memory for as long as an event lasts. */
export class ArgumentMemory {
  readonly #kernel: Kernel;
  readonly #regions: { readonly start: number; readonly size: number }[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The 64 bits that stand for an argument. */
  word(argument: Argument): bigint {
    if (typeof argument === "bigint") return BigInt.asUintN(64, argument);
    if (typeof argument === "number") return BigInt.asUintN(64, BigInt(Math.trunc(argument)));
    const bytes =
      typeof argument === "string" ? new TextEncoder().encode(`${argument}\0`) : argument;
    const size = Math.max(8, bytes.length);
    const start = this.#kernel.memory.region("kernel object", "argument", size, "read");
    this.#kernel.memory.bytes.set(bytes, start);
    this.#regions.push({ start, size });
    return BigInt(start);
  }

  /** An array of 64-bit words: the context of fentry, tp_btf, raw_tp and LSM programs. */
  words(values: readonly Argument[]): Uint8Array {
    const bytes = new Uint8Array(values.length * 8);
    const view = new DataView(bytes.buffer);
    const { little } = this.#kernel;
    values.forEach((value, i) => void view.setBigUint64(i * 8, this.word(value), little));
    return bytes;
  }

  release(): void {
    for (const { start, size } of this.#regions) {
      this.#kernel.memory.forgetRegion(start);
      this.#kernel.memory.release(start, size);
    }
  }
}

const ptRegsSize = 168;

/** struct pt_regs of x86-64 at a function's entry, or at its return where `result` is given. */
export function registersOf(
  memory: ArgumentMemory,
  values: readonly Argument[],
  result: Argument | undefined,
  instruction?: Argument,
): Uint8Array {
  const bytes = new Uint8Array(ptRegsSize);
  const view = new DataView(bytes.buffer);
  const fields = ptRegsFields().filter(([architecture]) => architecture === "x86_64");
  const set = (role: string, value: Argument): void => {
    const offset = fields.find(([, , , , , roles]) => roles?.includes(role))?.[3];
    if (offset !== undefined) view.setBigUint64(offset, memory.word(value), true);
  };
  values.slice(0, 6).forEach((value, i) => void set(`PARM${i + 1}`, value));
  if (result !== undefined) set("RC", result);
  if (instruction !== undefined) set("IP", instruction);
  return bytes;
}

/** Fields of an event by name; for system calls `args` and `id` (or `ret`). */
export type EventFields = Readonly<Record<string, Argument | readonly Argument[]>>;

const headerSize = 8;
const largestEvent = 256;

function setInteger(
  view: DataView,
  offset: number,
  size: number,
  value: bigint,
  little: boolean,
): void {
  for (let i = 0; i < size; i += 1) {
    const shift = BigInt(8 * (little ? i : size - 1 - i));
    view.setUint8(offset + i, Number((value >> shift) & 0xffn));
  }
}

/** The struct that BTF has for a tracepoint's record, e.g. `trace_event_raw_sched_switch`. */
function recordOf(btf: Btf | undefined, name: string) {
  const short = name.replace(/^.*\//, "");
  const isCall = /^sys_(enter|exit)_/.exec(short);
  const wanted = `trace_event_raw_${isCall === null ? short : `sys_${isCall[1]}`}`;
  const type = btf?.types.find((each) => each.kind === "struct" && each.name === wanted);
  return type?.kind === "struct" ? type : undefined;
}

/**
 * A tracepoint's record from its fields, laid out by the kernel's BTF; without BTF only system
 * calls' records are known. Undefined where a field is not.
 */
export function eventRecord(
  memory: ArgumentMemory,
  btf: Btf | undefined,
  name: string,
  fields: EventFields,
  little: boolean,
): Uint8Array | undefined {
  const bytes = new Uint8Array(largestEvent);
  const view = new DataView(bytes.buffer);
  const record = recordOf(btf, name);
  for (const [field, value] of Object.entries(fields)) {
    const place = record === undefined ? systemCallField(field) : memberPlace(btf, record, field);
    if (place === undefined) return undefined;
    const list = Array.isArray(value) ? (value as readonly Argument[]) : [value as Argument];
    list.forEach((each, i) => {
      const at = place.offset + i * place.size;
      if (each instanceof Uint8Array && place.isBytes) bytes.set(each.subarray(0, place.size), at);
      else if (typeof each === "string" && place.isBytes)
        bytes.set(new TextEncoder().encode(each).subarray(0, place.size - 1), at);
      else setInteger(view, at, place.size, memory.word(each), little);
    });
  }
  return bytes;
}

interface FieldPlace {
  readonly offset: number;
  /** Of one element. */
  readonly size: number;
  readonly isBytes: boolean;
}

/** sys_enter: the number, then six arguments; sys_exit: the number, then the result. */
function systemCallField(field: string): FieldPlace | undefined {
  if (field === "id" || field === "nr") return { offset: headerSize, size: 8, isBytes: false };
  if (field === "args" || field === "ret") return { offset: 16, size: 8, isBytes: false };
  return undefined;
}

function memberPlace(
  btf: Btf | undefined,
  record: NonNullable<ReturnType<typeof recordOf>>,
  field: string,
): FieldPlace | undefined {
  const member = record.members.find((each) => each.name === field);
  if (member === undefined || btf === undefined) return undefined;
  const type = skipModifiers(btf, member.type);
  const offset = member.bitOffset / 8;
  if (type?.kind !== "array") {
    return { offset, size: btfSizeOf(btf, member.type) ?? 8, isBytes: false };
  }
  const size = btfSizeOf(btf, type.element) ?? 1;
  return size === 1
    ? { offset, size: type.count, isBytes: true }
    : { offset, size, isBytes: false };
}
