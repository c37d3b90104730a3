/**
 * Opens what `bpfc gen skeleton --format ts` generates: maps, globals and programs of an object in a
 * simulated kernel, with the types that the generated file gives them.
 */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { type BtfInput, readData, writeData } from "../../common/object/btf-data.ts";
import { readElf } from "../../common/object/read-elf.ts";
import { type LoadOptions, loadObject } from "../../linker/load.ts";
import type { LoadedObject, MapSpec } from "../../linker/program.ts";
import {
  identifierOf,
  isPerCpuMap,
  type ManifestSection,
  type ManifestVariable,
  objectManifest,
} from "../../linker/skeleton/manifest.ts";
import type { LoadFailure } from "../kernel/kernel.ts";
import type { RunOptions, RunResult } from "../programs/run.ts";
import type { AttachPlace } from "./auto-attach.ts";
import type { SimulatedKernel } from "./simulated-kernel.ts";

/** What a generated file tells of its object; its interfaces stand in these fields. */
export interface SkeletonTypes {
  readonly maps: object;
  readonly globals: object;
  readonly programs: string;
}

/** The constant `skeleton` of a generated file. */
export interface Skeleton<Types extends SkeletonTypes> {
  readonly name: string;
  /** The ELF object, base64. */
  readonly object: string;
  /** Only for the type checker. */
  readonly types?: Types;
}

/** A value to write: objects may leave fields out, text stands for a char array. */
export type Input<Value> = Value extends bigint
  ? bigint | number
  : Value extends Uint8Array
    ? Uint8Array
    : Value extends readonly (infer Element)[]
      ? readonly Input<Element>[] | (Element extends number ? string : never)
      : Value extends object
        ? { readonly [Field in keyof Value]?: Input<Value[Field]> }
        : Value;

export interface SkeletonMap<Key, Value> {
  /** Descriptor for `kernel.bpf`. */
  readonly fd: number;
  /** Undefined where there is no such element. */
  lookup(key: Input<Key>): Value | undefined;
  /** 0, or a negative errno value. `flags`: BPF_NOEXIST 1, BPF_EXIST 2. */
  update(key: Input<Key>, value: Input<Value>, flags?: bigint): number;
  delete(key: Input<Key>): number;
  entries(): [Key, Value][];
}

export interface SkeletonProgram {
  readonly fd: number;
  /** One run with this packet or context, as BPF_PROG_TEST_RUN does it. */
  run(options?: RunOptions): RunResult;
  /** Attaches it where its section says; a descriptor, or a negative errno value. */
  attach(place?: AttachPlace): number;
}

type MapOf<Entry> = Entry extends { readonly key: infer Key; readonly value: infer Value }
  ? SkeletonMap<Key, Value>
  : never;

export interface OpenSkeleton<Types extends SkeletonTypes> {
  readonly maps: { readonly [Name in keyof Types["maps"]]: MapOf<Types["maps"][Name]> };
  /** Reading gives a copy; what is assigned is written to the program's memory. */
  readonly globals: Types["globals"];
  readonly programs: { readonly [Name in Types["programs"]]: SkeletonProgram };
}

/**
 * Loads the object into the kernel. `globals` are values that variables start with, constants too.
 * Fails where the object does not load or the verifier refuses a program.
 */
export function openSkeleton<Types extends SkeletonTypes>(
  kernel: SimulatedKernel,
  skeleton: Skeleton<Types>,
  globals: Input<Types["globals"]> | undefined = undefined,
  options: LoadOptions = {},
): OpenSkeleton<Types> | LoadFailure {
  const diagnostics = new Diagnostics();
  const bytes = Uint8Array.from(atob(skeleton.object), (char) => char.charCodeAt(0));
  const elf = readElf(bytes, skeleton.name, diagnostics);
  const cpus = { cpuCount: kernel.cpuCount };
  const read = elf && loadObject(elf, skeleton.name, diagnostics, { ...cpus, ...options });
  if (read === undefined) return { message: diagnostics.list[0]?.message ?? "not loadable" };
  const manifest = objectManifest(read, skeleton.name);
  const loaded = withGlobals(read, manifest.globals, (globals ?? {}) as Start);
  const opened = kernel.loadObject(loaded);
  if ("message" in opened) return opened;
  const btf = loaded.btf ?? { endian: loaded.endian, types: [] };
  const mapNamed = (spec: MapSpec): TypedMap =>
    new TypedMap(kernel, btf, spec, opened.maps.get(spec.name) ?? -1);
  const isPlain = (spec: MapSpec): boolean => spec.dataSection === undefined;
  const maps = loaded.maps.filter(isPlain).map((spec) => [identifierOf(spec.name), mapNamed(spec)]);
  const programs = [...opened.programs].map(([name, fd]): [string, SkeletonProgram] => [
    name,
    {
      fd,
      run: (run = {}) => {
        const result = kernel.run(fd, run);
        return typeof result === "number" ? closedRun(name) : result;
      },
      attach: (place = {}) => kernel.attach(fd, place),
    },
  ]);
  const sections = manifest.globals.flatMap((section) => {
    const spec = loaded.maps.find((map) => map.dataSection === section.section);
    return spec === undefined ? [] : [[section.identifier, variables(section, mapNamed(spec))]];
  });
  return {
    maps: Object.fromEntries(maps),
    globals: Object.fromEntries(sections),
    programs: Object.fromEntries(programs),
  } as OpenSkeleton<Types>;
}

function closedRun(program: string): RunResult {
  const message = "the program's descriptor is closed";
  const error = { kind: "bad-argument", message, program, slot: 0 } as const;
  return { retval: 0, r0: 0n, context: noBytes, trace: [], insns: 0, error };
}

/** Values by section and variable. */
type Start = Readonly<Record<string, Readonly<Record<string, BtfInput | undefined>> | undefined>>;

function withGlobals(
  loaded: LoadedObject,
  sections: readonly ManifestSection[],
  start: Start,
): LoadedObject {
  const { btf } = loaded;
  if (btf === undefined) return loaded;
  const maps = loaded.maps.map((map): MapSpec => {
    const section = sections.find(({ section: name }) => name === map.dataSection);
    const values = section && start[section.identifier];
    if (section === undefined || values === undefined) return map;
    const initial = new Uint8Array(map.valueSize);
    initial.set(map.initial ?? []);
    for (const variable of section.variables) {
      const value = values[variable.identifier];
      if (value !== undefined) writeData(btf, variable.type, partOf(initial, variable), value);
    }
    return { ...map, initial };
  });
  return { ...loaded, maps };
}

function partOf(bytes: Uint8Array, { offset, size }: ManifestVariable): Uint8Array {
  return bytes.subarray(offset, offset + size);
}

/** An object whose properties are the section's variables in the program's memory. */
function variables({ variables: list }: ManifestSection, map: TypedMap): object {
  const properties = list.map((variable): [string, PropertyDescriptor] => [
    variable.identifier,
    {
      enumerable: true,
      get: () => readData(map.btf, variable.type, partOf(map.bytes(zeroKey) ?? noBytes, variable)),
      set: (value: BtfInput) => {
        const bytes = map.bytes(zeroKey) ?? noBytes;
        writeData(map.btf, variable.type, partOf(bytes, variable), value);
        map.setBytes(zeroKey, bytes, 0n);
      },
    },
  ]);
  return Object.defineProperties({}, Object.fromEntries(properties));
}

const zeroKey = new Uint8Array(4);
const noBytes = new Uint8Array();

class TypedMap implements SkeletonMap<unknown, unknown> {
  readonly fd: number;
  readonly btf: Btf;
  readonly #kernel: SimulatedKernel;
  readonly #spec: MapSpec;
  /** Values of one element; on per-CPU maps one for each CPU, at multiples of 8 bytes. */
  readonly #copies: number;
  readonly #stride: number;

  constructor(kernel: SimulatedKernel, btf: Btf, spec: MapSpec, fd: number) {
    this.fd = fd;
    this.btf = btf;
    this.#kernel = kernel;
    this.#spec = spec;
    const isPerCpu = isPerCpuMap(spec);
    this.#copies = isPerCpu ? kernel.cpuCount : 1;
    this.#stride = isPerCpu ? (spec.valueSize + 7) & ~7 : spec.valueSize;
  }

  lookup(key: unknown): unknown {
    const bytes = this.bytes(this.#keyBytes(key));
    return bytes && this.#value(bytes);
  }

  update(key: unknown, value: unknown, flags = 0n): number {
    const bytes = new Uint8Array(this.#stride * this.#copies);
    const values = this.#copies === 1 ? [value] : (value as readonly unknown[]);
    values.slice(0, this.#copies).forEach((each, cpu) => {
      const start = cpu * this.#stride;
      this.#write(this.#spec.valueType, bytes.subarray(start, start + this.#spec.valueSize), each);
    });
    return this.setBytes(this.#keyBytes(key), bytes, flags);
  }

  delete(key: unknown): number {
    return this.#kernel.bpf("MAP_DELETE_ELEM", { map_fd: this.fd, key: this.#keyBytes(key) });
  }

  entries(): [unknown, unknown][] {
    const entries: [unknown, unknown][] = [];
    let key: Uint8Array | undefined;
    for (;;) {
      const next = new Uint8Array(this.#spec.keySize);
      const from = key && { key };
      const attr = { map_fd: this.fd, next_key: next, ...from };
      if (this.#kernel.bpf("MAP_GET_NEXT_KEY", attr) < 0) return entries;
      key = next;
      const bytes = this.bytes(key);
      if (bytes === undefined) continue;
      entries.push([readData(this.btf, this.#spec.keyType, key), this.#value(bytes)]);
    }
  }

  bytes(key: Uint8Array): Uint8Array | undefined {
    const value = new Uint8Array(this.#stride * this.#copies);
    const code = this.#kernel.bpf("MAP_LOOKUP_ELEM", { map_fd: this.fd, key, value });
    return code < 0 ? undefined : value;
  }

  setBytes(key: Uint8Array, value: Uint8Array, flags: bigint): number {
    return this.#kernel.bpf("MAP_UPDATE_ELEM", { map_fd: this.fd, key, value, flags });
  }

  #keyBytes(key: unknown): Uint8Array {
    const bytes = new Uint8Array(this.#spec.keySize);
    this.#write(this.#spec.keyType, bytes, key);
    return bytes;
  }

  #write(type: TypeId, bytes: Uint8Array, value: unknown): void {
    if (value !== undefined) writeData(this.btf, type, bytes, value as BtfInput);
  }

  #value(bytes: Uint8Array): unknown {
    const { valueType, valueSize } = this.#spec;
    const values = Array.from({ length: this.#copies }, (_, cpu) => {
      const start = cpu * this.#stride;
      return readData(this.btf, valueType, bytes.subarray(start, start + valueSize));
    });
    return this.#copies === 1 ? values[0] : values;
  }
}
