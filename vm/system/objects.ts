/**
 * What file descriptors stand for, and how long it lives: an object is gone when the last
 * descriptor, pin, link or program that holds it is.
 */
import type { Btf } from "../../common/object/btf.ts";
import type { BpfMap } from "../maps/map.ts";
import type { Program } from "../program.ts";

export type MapAccess = "read-write" | "read" | "write";

export interface MapObject {
  readonly kind: "map";
  readonly id: number;
  readonly map: BpfMap;
  readonly btf: BtfObject | undefined;
  readonly btfKeyType: number;
  readonly btfValueType: number;
}

export interface ProgramObject {
  readonly kind: "program";
  readonly id: number;
  readonly program: Program;
  readonly maps: readonly MapObject[];
  readonly btf: BtfObject | undefined;
  /** As the verifier counted. */
  readonly verifiedInsns: number;
  runs: number;
}

export interface BtfObject {
  readonly kind: "btf";
  readonly id: number;
  readonly bytes: Uint8Array;
  readonly btf: Btf;
}

/** Where a program is attached. */
export type Hook =
  | { readonly kind: "device"; readonly ifindex: number; readonly point: DevicePoint }
  | { readonly kind: "cgroup"; readonly path: string; readonly attachType: number }
  | { readonly kind: "tracepoint"; readonly name: string }
  | { readonly kind: "raw-tracepoint"; readonly name: string }
  | { readonly kind: "function"; readonly name: string; readonly when: "entry" | "return" }
  | { readonly kind: "netns"; readonly attachType: number }
  | IteratorHook
  | { readonly kind: "perf-event"; readonly name: string }
  | { readonly kind: "netfilter"; readonly family: number; readonly hook: number };

/** What an iterator walks over, and the map whose elements it takes. */
export interface IteratorHook {
  readonly kind: "iterator";
  /** `bpf_map`, `task` … */
  readonly target: string;
  readonly map: MapObject | undefined;
}

export type DevicePoint = "xdp" | "ingress" | "egress";

export interface LinkObject {
  readonly kind: "link";
  readonly id: number;
  program: ProgramObject;
  /** Undefined once it is detached. */
  hook: Hook | undefined;
}

export interface CgroupObject {
  readonly kind: "cgroup";
  readonly id: number;
  readonly path: string;
}

/** What perf_event_open gives: a tracepoint, a probed function, or a counter. */
export interface PerfEventObject {
  readonly kind: "perf-event";
  readonly hook: Hook | undefined;
}

/** An opened iterator, read once. */
export interface IteratorObject {
  readonly kind: "iterator";
  readonly program: ProgramObject;
  readonly hook: IteratorHook;
  /** What is still to be read; undefined before the first read. */
  rest: Uint8Array | undefined;
}

/** A directory of bpffs. */
export interface BpffsObject {
  readonly kind: "bpffs";
}

export interface StatsObject {
  readonly kind: "stats";
}

export type BpfObject =
  | MapObject
  | ProgramObject
  | BtfObject
  | LinkObject
  | CgroupObject
  | PerfEventObject
  | IteratorObject
  | BpffsObject
  | StatsObject;

export type ObjectKind = BpfObject["kind"];

/** An open descriptor: several may stand for one object, with other rights. */
export interface OpenFile {
  readonly object: BpfObject;
  readonly access: MapAccess;
}
