/**
 * The kernel as user space sees it: bpf(2) with descriptors and errno values, bpffs, links, network
 * devices, and events that run attached programs. Nothing of it touches the machine.
 */
import type { Btf } from "../../common/object/btf.ts";
import { bpfCommands } from "../../common/platform/uapi.ts";
import type { LoadedObject } from "../../linker/program.ts";
import { RecordedRun, type RecordOptions } from "../debug/recorded-run.ts";
import { errno } from "../errno.ts";
import { Kernel, type KernelOptions, type LoadFailure } from "../kernel/kernel.ts";
import { PerfEventArrayMap, type PerfSample } from "../maps/perf-event-array.ts";
import { RingBufferMap } from "../maps/ring-buffer.ts";
import { StructOpsMap } from "../maps/struct-ops.ts";
import { type RunOptions, type RunResult, runProgram } from "../programs/run.ts";
import { verifierInput } from "../verifier/program-input.ts";
import { verify } from "../verifier/verify.ts";
import type { Argument, EventFields } from "./arguments.ts";
import type { AttrField, BpfAttr } from "./attr.ts";
import { type AttachPlace, hookOfProgram } from "./auto-attach.ts";
import { batchCommands } from "./batch-commands.ts";
import type { Command } from "./command.ts";
import {
  type CallOutcome,
  type CgroupOutcome,
  callFunction,
  callOperation,
  type EventProblem,
  type FilterOutcome,
  type FunctionCall,
  fireEvent,
  type ProgramRun,
  parseEvent,
  runCgroupHook,
  runNetfilter,
} from "./events.ts";
import { Handles } from "./handles.ts";
import { runIterator } from "./iterators.ts";
import { detachLink, linkCommands, openLink } from "./link-commands.ts";
import { mapCommands } from "./map-commands.ts";
import { type NetworkDevice, NetworkDevices } from "./network-devices.ts";
import { objectCommands } from "./object-commands.ts";
import type { BpfObject, Hook, MapObject, ProgramObject } from "./objects.ts";
import { type PacketStep, receivePacket, sendPacket } from "./packets.ts";
import { programCommands } from "./program-commands.ts";
import { queryCommands } from "./query-commands.ts";
import { Stream } from "./streams.ts";
import type { SystemState } from "./system-state.ts";

const commands: Readonly<Record<string, Command>> = {
  ...mapCommands,
  ...batchCommands,
  ...programCommands,
  ...objectCommands,
  ...linkCommands,
  ...queryCommands,
};

/** Whether bpf(2) of the simulated kernel has a command, by its name without `BPF_`. */
export function servesCommand(name: string): boolean {
  return name in commands;
}

function commandOf(command: string | number): Command | undefined {
  const row = bpfCommands().find(([id, name]) => id === command || name === command);
  return commands[(row?.[1] ?? String(command)).replace(/^BPF_/, "")];
}

/** Attributes that a command does not read must be zero. */
function hasForeignField(attr: BpfAttr, fields: readonly AttrField[]): boolean {
  return Object.entries(attr).some(
    ([field, value]) =>
      !fields.includes(field as AttrField) && value !== 0 && value !== 0n && value !== undefined,
  );
}

export interface SystemOptions extends KernelOptions {
  /** The kernel's own types: they lay out tracepoints' records. */
  readonly btf?: Btf;
}

/** Descriptors of an object's maps and programs, by name. */
export interface OpenObject {
  readonly maps: ReadonlyMap<string, number>;
  readonly programs: ReadonlyMap<string, number>;
}

export interface LoadObjectOptions {
  /** Programs that the verifier does not accept are refused; by default true. */
  readonly verify?: boolean;
}

interface Operations {
  readonly value: Uint8Array;
  readonly programs: ReadonlyMap<string, ProgramObject>;
}

export class SimulatedKernel extends Kernel {
  readonly #state: SystemState;
  readonly #btf: Btf | undefined;
  readonly #cgroups = new Map<string, number>();
  /** Of struct_ops maps: the value, and the programs that stand for members. */
  readonly #operations = new WeakMap<MapObject, Operations>();
  #lastCgroup = 0;

  constructor(options: SystemOptions = {}) {
    super(options);
    this.#btf = options.btf;
    this.#state = {
      kernel: this,
      handles: new Handles((object) => this.#destroy(object)),
      pins: new Map(),
      devices: new NetworkDevices(),
      attachments: [],
      nextLinkId: 1,
      nextBtfId: 1,
    };
  }

  /** Frees what an object held: nothing refers to it any more. */
  #destroy(object: BpfObject): void {
    const { handles } = this.#state;
    switch (object.kind) {
      case "map":
        if (object.btf !== undefined) handles.drop(object.btf);
        this.destroyMap(object.map);
        return;
      case "program":
        for (const map of object.maps) handles.drop(map);
        if (object.btf !== undefined) handles.drop(object.btf);
        this.unload(object.program);
        return;
      case "link":
        detachLink(this.#state, object);
        handles.drop(object.program);
        return;
      case "iterator":
        handles.drop(object.program);
        return;
      case "btf":
      case "cgroup":
      case "perf-event":
      case "bpffs":
      case "stats":
        return;
    }
  }

  get devices(): NetworkDevices {
    return this.#state.devices;
  }

  /** Paths in bpffs. */
  get pins(): readonly string[] {
    return [...this.#state.pins.keys()];
  }

  /** bpf(2): a descriptor or 0, or a negative errno. Out-fields are assigned in `attr`. */
  bpf(command: string | number, attr: BpfAttr): number {
    const known = commandOf(command);
    if (known === undefined || hasForeignField(attr, known.fields)) return -errno.EINVAL;
    return known.run(this.#state, attr);
  }

  /** read(2) of an iterator: the rest of what its program writes, up to `size` bytes. */
  read(descriptor: number, size = Number.POSITIVE_INFINITY): Uint8Array | number {
    const object = this.#state.handles.file(descriptor)?.object;
    if (object === undefined) return -errno.EBADF;
    if (object.kind !== "iterator") return -errno.EINVAL;
    const text = object.rest ?? runIterator(this.#state, this.#btf, object);
    object.rest = text.subarray(Math.min(size, text.length));
    return text.slice(0, Math.min(size, text.length));
  }

  /** A descriptor of bpffs' root, for BPF_TOKEN_CREATE. */
  openBpffs(): number {
    return this.#state.handles.open({ kind: "bpffs" });
  }

  close(descriptor: number): number {
    return this.#state.handles.close(descriptor) ? 0 : -errno.EBADF;
  }

  /** Removes a pin; the object lives on while something else holds it. */
  unlink(path: string): number {
    const object = this.#state.pins.get(path);
    if (object === undefined) return -errno.ENOENT;
    this.#state.pins.delete(path);
    this.#state.handles.drop(object);
    return 0;
  }

  /** A descriptor of a cgroup's directory; the cgroup is made with its first use. */
  openCgroup(path: string): number {
    const known = this.#cgroups.get(path);
    this.#lastCgroup += known === undefined ? 1 : 0;
    const id = known ?? this.#lastCgroup;
    this.#cgroups.set(path, id);
    return this.#state.handles.open({ kind: "cgroup", id, path });
  }

  /**
   * perf_event_open for `tracepoint/…`, `kprobe/f`, `kretprobe/f` or a counter `perf_event/NAME`;
   * EINVAL for anything else.
   */
  openEvent(event: string): number {
    const probe = /^(kprobe|kretprobe|uprobe|uretprobe)\/(.+)$/.exec(event);
    const hook: Hook | undefined = probe
      ? {
          kind: "function",
          name: probe[2] ?? "",
          when: /ret/.test(probe[1] ?? "") ? "return" : "entry",
        }
      : parseEvent(event);
    if (hook === undefined) return -errno.EINVAL;
    return this.#state.handles.open({ kind: "perf-event", hook });
  }

  /** Creates an object's maps, verifies and loads its programs: what libbpf does with a file. */
  loadObject(loaded: LoadedObject, options: LoadObjectOptions = {}): OpenObject | LoadFailure {
    const counts = new Map<string, number>();
    for (const program of options.verify === false ? [] : loaded.programs) {
      const { verdict, reason, processed } = verify(verifierInput(loaded, program));
      if (verdict !== "accept")
        return { message: `program '${program.name}' ${verdict}: ${reason}` };
      counts.set(program.name, processed);
    }
    const set = this.load(loaded);
    if ("message" in set) return set;
    const { handles } = this.#state;
    const maps = [...set.maps].map(([name, map]): readonly [string, MapObject] => {
      const common = { btf: undefined, btfKeyType: 0, btfValueType: 0 };
      return [name, { kind: "map", id: map.id, map, ...common }];
    });
    const objects = maps.map(([, map]) => map);
    const descriptors = maps.map(([name, map]) => [name, handles.open(map)] as const);
    const opened = new Map<string, ProgramObject>();
    const programs = [...set.programs].map(([name, program]) => {
      const used = objects.filter(({ map }) => program.maps.includes(map));
      for (const map of used) handles.hold(map);
      const verifiedInsns = counts.get(name) ?? 0;
      const common = { btf: undefined, verifiedInsns, runs: 0 };
      const object: ProgramObject = {
        kind: "program",
        id: program.id,
        program,
        maps: used,
        ...common,
      };
      opened.set(name, object);
      return [name, handles.open(object)] as const;
    });
    for (const [i, { structOps }] of loaded.maps.entries()) {
      const object = objects[i];
      if (structOps === undefined || object === undefined) continue;
      const members = structOps.members.flatMap(({ name, program }) => {
        const found = opened.get(program);
        return found === undefined ? [] : [[name, found] as const];
      });
      this.#operations.set(object, { value: structOps.value, programs: new Map(members) });
    }
    return { maps: new Map(descriptors), programs: new Map(programs) };
  }

  /** Attaches a program where its section's name says; the descriptor of the link. */
  attach(program: number, place: AttachPlace = {}): number {
    const file = this.#state.handles.file(program);
    if (file === undefined) return -errno.EBADF;
    if (file.object.kind !== "program") return -errno.EINVAL;
    const map = this.#state.handles.file(place.map ?? 0)?.object;
    const walked = map?.kind === "map" ? map : undefined;
    const hook = hookOfProgram(file.object.program.spec, place, walked);
    return hook === undefined ? -errno.EINVAL : openLink(this.#state, file.object, hook);
  }

  /**
   * Runs a program once, or as often as `repeat` says; a negative errno value for what is no program.
   * Programs that were loaded have been verified, unless the caller asked to load them without.
   */
  run(program: number, options: RunOptions = {}): RunResult | number {
    const file = this.#state.handles.file(program);
    if (file === undefined) return -errno.EBADF;
    if (file.object.kind !== "program") return -errno.EINVAL;
    return runProgram(this, file.object.program, options);
  }

  /** Runs a program once in the interpreter, so that the run can be walked in both directions. */
  record(program: number, options: RecordOptions = {}): RecordedRun | number {
    const object = this.#state.handles.file(program)?.object;
    if (object === undefined) return -errno.EBADF;
    if (object.kind !== "program") return -errno.EINVAL;
    return new RecordedRun(this, object.program, options);
  }

  /**
   * The records of a ring buffer, from those that wait in it on; undefined for other maps. Closing
   * the stream leaves what comes later in the ring.
   */
  ringBuffer(map: number): Stream<Uint8Array> | undefined {
    const object = this.#state.handles.file(map)?.object;
    if (object?.kind !== "map" || !(object.map instanceof RingBufferMap)) return undefined;
    const ring = object.map;
    return this.#stream(ring.consume(), (listener) => {
      ring.listener = listener;
    });
  }

  /** The samples of a perf event array, whose buffers it opens; undefined for other maps. */
  perfBuffer(map: number): Stream<PerfSample> | undefined {
    const object = this.#state.handles.file(map)?.object;
    if (object?.kind !== "map" || !(object.map instanceof PerfEventArrayMap)) return undefined;
    const buffer = object.map;
    buffer.openAll();
    return this.#stream(buffer.consume(), (listener) => {
      buffer.listener = listener;
    });
  }

  /** The lines of bpf_trace_printk from now on. */
  tracePipe(): Stream<string> {
    return this.#stream<string>([], (listener) => {
      this.onTrace = listener;
    });
  }

  #stream<T>(
    first: readonly T[],
    listen: (to: ((value: T) => void) | undefined) => void,
  ): Stream<T> {
    const stream = new Stream<T>(() => listen(undefined));
    for (const value of first) stream.push(value);
    listen((value) => stream.push(value));
    return stream;
  }

  /** A packet arrives at a device: what became of it, step by step. */
  receive(device: NetworkDevice, packet: Uint8Array): readonly PacketStep[] {
    return receivePacket(this.#state, device, packet);
  }

  /** The stack sends a packet through a device. */
  send(device: NetworkDevice, packet: Uint8Array): readonly PacketStep[] {
    return sendPacket(this.#state, device, packet);
  }

  /** A tracepoint fires: `tracepoint/syscalls/sys_enter_openat`, `raw_tp/sched_switch` … */
  fire(
    event: string,
    fields: EventFields | readonly Argument[] | Uint8Array = {},
  ): readonly ProgramRun[] | EventProblem {
    return fireEvent(this.#state, this.#btf, event, fields);
  }

  /** A kernel function is called: kprobe, fentry, LSM programs at its entry, then those at its return. */
  call(name: string, call: FunctionCall = {}): CallOutcome {
    return callFunction(this.#state, name, call);
  }

  /** A packet, from its IP header on, passes a netfilter hook (enum nf_inet_hooks). */
  filter(family: 2 | 10, hook: number, packet: Uint8Array): FilterOutcome {
    return runNetfilter(this.#state, family, hook, packet);
  }

  /** Registers a struct_ops map of a loaded object: from now on its members can be called. */
  registerOperations(map: number): number {
    const object = this.#state.handles.file(map)?.object;
    const operations = object?.kind === "map" ? this.#operations.get(object) : undefined;
    if (object?.kind !== "map" || operations === undefined) return -errno.EINVAL;
    return this.mapUpdate(object.map, new Uint8Array(4), operations.value);
  }

  /** The kernel calls a member of a registered struct_ops map; a negative errno where it cannot. */
  callOperation(map: number, member: string, args: readonly Argument[] = []): ProgramRun | number {
    const object = this.#state.handles.file(map)?.object;
    const operations = object?.kind === "map" ? this.#operations.get(object) : undefined;
    if (object?.kind !== "map" || !(object.map instanceof StructOpsMap)) return -errno.EINVAL;
    const program = operations?.programs.get(member);
    if (object.map.registered === undefined || program === undefined) return -errno.ENOENT;
    return callOperation(this.#state, program, args) ?? -errno.ENOENT;
  }

  /** Something happens in a cgroup that its programs decide about. */
  inCgroup(path: string, attachType: string, context: Uint8Array): CgroupOutcome | undefined {
    return runCgroupHook(this.#state, path, attachType, context);
  }
}
