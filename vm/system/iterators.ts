/**
 * What iterator programs walk over, in the order of ids: maps, programs, links, tasks, elements of
 * a map. Of what a simulated kernel has none (files, sockets, symbols …) the walk is empty. Each
 * ends with a run without an object, as the kernel's do.
 */
import type { Btf } from "../../common/object/btf.ts";
import { runProgram } from "../programs/run.ts";
import { StructMemory } from "./kernel-structs.ts";
import type { IteratorObject, LinkObject, MapObject, ProgramObject } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

/** The addresses that a context holds after the one of its meta data. */
type Item = readonly number[];

interface Walk {
  /** Pointers of the context after `meta`. */
  readonly pointers: number;
  readonly items: (system: SystemState, memory: StructMemory, map: MapObject | undefined) => Item[];
}

function objects<Kind extends "map" | "program" | "link">(
  { handles }: SystemState,
  kind: Kind,
): readonly Extract<MapObject | ProgramObject | LinkObject, { readonly kind: Kind }>[] {
  const found: Extract<MapObject | ProgramObject | LinkObject, { readonly kind: Kind }>[] = [];
  for (let id = handles.nextId(kind, 0); id !== undefined; id = handles.nextId(kind, id)) {
    found.push(handles.byId(kind, id) as (typeof found)[number]);
  }
  return found;
}

function mapStruct(memory: StructMemory, { id, map }: MapObject): number {
  const { name, type, keySize, valueSize, maxEntries, flags } = map.description;
  return memory.struct("bpf_map", {
    ...{ id, name, map_type: type, key_size: keySize, value_size: valueSize },
    ...{ max_entries: maxEntries, map_flags: flags },
  });
}

function programStruct(memory: StructMemory, { id, program }: ProgramObject): number {
  const { name, type, attachType, insns } = program.spec;
  const aux = memory.struct("bpf_prog_aux", { id, name });
  const common = { type, expected_attach_type: attachType, len: insns.length / 8 };
  return memory.struct("bpf_prog", { ...common, aux });
}

function elements(
  system: SystemState,
  memory: StructMemory,
  object: MapObject | undefined,
): Item[] {
  if (object === undefined) return [];
  const { map } = object;
  const whole = mapStruct(memory, object);
  return map.entries().flatMap(([key]) => {
    const value = map.lookup(key, system.kernel.cpu);
    return value === 0 ? [] : [[whole, memory.bytes("map key", key), value]];
  });
}

const empty = (pointers: number): Walk => ({ pointers, items: () => [] });

/** By the name of `iter/NAME`. */
const walks: Readonly<Record<string, Walk>> = {
  bpf_map: {
    pointers: 1,
    items: (system, memory) => objects(system, "map").map((map) => [mapStruct(memory, map)]),
  },
  bpf_prog: {
    pointers: 1,
    items: (system, memory) =>
      objects(system, "program").map((program) => [programStruct(memory, program)]),
  },
  bpf_link: {
    pointers: 1,
    items: (system, memory) =>
      objects(system, "link").map(({ id, program }) => [
        memory.struct("bpf_link", { id, prog: programStruct(memory, program) }),
      ]),
  },
  bpf_map_elem: { pointers: 3, items: elements },
  bpf_sk_storage_map: { pointers: 3, items: () => [] },
  task: {
    pointers: 1,
    items: ({ kernel }, memory) => {
      const { pid, tgid, comm } = kernel.process;
      return [[memory.struct("task_struct", { pid, tgid, comm })]];
    },
  },
  task_file: empty(2),
  task_vma: empty(2),
  cgroup: empty(1),
  sockmap: empty(3),
  tcp: empty(1),
  udp: empty(1),
  unix: empty(1),
  netlink: empty(1),
  ipv6_route: empty(1),
  ksym: empty(1),
  kmem_cache: empty(1),
  dmabuf: empty(1),
};

export function isIterator(target: string): boolean {
  return target in walks;
}

/** Iterators that need a map to walk over. */
export const mapIterators: readonly string[] = ["bpf_map_elem", "bpf_sk_storage_map"];

/** Runs the program for each object; all that it wrote. */
export function runIterator(
  system: SystemState,
  btf: Btf | undefined,
  { program, hook }: IteratorObject,
): Uint8Array {
  const { kernel } = system;
  const memory = new StructMemory(kernel, btf ?? program.program.btf);
  const walk = walks[hook.target] ?? empty(1);
  const output: Uint8Array[] = [];
  try {
    const seq = memory.bytes("seq_file", new Uint8Array(0), 256);
    const items = walk.items(system, memory, hook.map);
    const last: Item = new Array<number>(walk.pointers).fill(0);
    for (const [number, item] of [...items, last].entries()) {
      const meta = memory.bytes("bpf_iter_meta", memory.words([seq, 1, number]));
      kernel.sequence.length = 0;
      runProgram(kernel, program.program, { context: memory.words([meta, ...item]) });
      program.runs += 1;
      output.push(...kernel.sequence);
    }
  } finally {
    kernel.sequence.length = 0;
    memory.release();
  }
  const bytes = new Uint8Array(output.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of output) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}
