/** Attaching programs: links, and attachments without one. */
import { attachTypeById } from "../../common/platform/program-types.ts";
import { errno } from "../errno.ts";
import type { BpfAttr } from "./attr.ts";
import { iteratorHook } from "./auto-attach.ts";
import { type Command, objectOf } from "./command.ts";
import { mapIterators } from "./iterators.ts";
import type { DevicePoint, Hook, LinkObject, ProgramObject } from "./objects.ts";
import { attachedProgram, programsAt, type SystemState, sameHook } from "./system-state.ts";

const programType = {
  schedCls: 3,
  kprobe: 2,
  tracepoint: 5,
  xdp: 6,
  perfEvent: 7,
  tracing: 26,
  netfilter: 32,
};
const perfEventTypes: readonly number[] = [
  programType.kprobe,
  programType.tracepoint,
  programType.perfEvent,
];
/** enum bpf_attach_type. */
const attachType = {
  xdp: 37,
  perfEvent: 41,
  tcxIngress: 46,
  tcxEgress: 47,
  traceIter: 28,
  fexit: 25,
  netfilter: 45,
} as const;

const devicePoints: ReadonlyMap<number, DevicePoint> = new Map([
  [attachType.xdp, "xdp"],
  [attachType.tcxIngress, "ingress"],
  [attachType.tcxEgress, "egress"],
]);

const netnsTypes: readonly number[] = [22, 30];

function takesAttachType({ program }: ProgramObject, type: number): boolean {
  return attachTypeById(type)?.programTypes.includes(program.spec.type) ?? false;
}

function deviceHook(system: SystemState, ifindex: number, point: DevicePoint): Hook | number {
  return system.devices.byIndex(ifindex) === undefined
    ? -errno.ENODEV
    : { kind: "device", ifindex, point };
}

interface Target {
  readonly type: number;
  /** A descriptor or an interface index, as the program type wants it. */
  readonly target: number;
  /** Descriptor of the map that an iterator walks over. */
  readonly map?: number;
}

function tracingHook(
  system: SystemState,
  { program }: ProgramObject,
  mapDescriptor: number | undefined,
): Hook | number {
  const { attachType: type, target } = program.spec;
  if (type === attachType.traceIter) {
    if (!mapIterators.includes(target)) return iteratorHook(target, undefined) ?? -errno.EINVAL;
    const map = objectOf(system, "map", mapDescriptor);
    return typeof map === "number" ? map : (iteratorHook(target, map) ?? -errno.EINVAL);
  }
  if (target === "") return -errno.EINVAL;
  return { kind: "function", name: target, when: type === attachType.fexit ? "return" : "entry" };
}

/** Where a program is to be attached, or the errno of an attempt that cannot be. */
function hookOf(
  system: SystemState,
  object: ProgramObject,
  { type, target, map }: Target,
): Hook | number {
  const { spec } = object.program;
  if (perfEventTypes.includes(spec.type)) {
    if (type !== attachType.perfEvent) return -errno.EINVAL;
    const event = objectOf(system, "perf-event", target);
    return typeof event === "number" ? event : (event.hook ?? -errno.EINVAL);
  }
  if (spec.type === programType.tracing || spec.attachType === attachType.traceIter) {
    return tracingHook(system, object, map);
  }
  if (spec.type === programType.netfilter) return -errno.EINVAL;
  if (!takesAttachType(object, type)) return -errno.EINVAL;
  const point = devicePoints.get(type);
  if (point !== undefined) return deviceHook(system, target, point);
  if (netnsTypes.includes(spec.type)) return { kind: "netns", attachType: type };
  const cgroup = objectOf(system, "cgroup", target);
  if (typeof cgroup === "number") return cgroup;
  return { kind: "cgroup", path: cgroup.path, attachType: type };
}

/** An XDP program excludes others of its device. */
function isTaken(system: SystemState, hook: Hook): boolean {
  const isExclusive = (hook.kind === "device" && hook.point === "xdp") || hook.kind === "netns";
  return isExclusive && system.attachments.some((each) => sameHook(each.hook, hook));
}

/** A new link to a hook; its descriptor. */
export function openLink(system: SystemState, program: ProgramObject, hook: Hook): number {
  if (isTaken(system, hook)) return -errno.EBUSY;
  const link: LinkObject = { kind: "link", id: system.nextLinkId, program, hook };
  system.nextLinkId += 1;
  system.attachments.push({ hook, owner: link });
  system.handles.hold(program);
  return system.handles.open(link);
}

/** The program of a descriptor and the hook that the attributes name for it. */
function aim(
  system: SystemState,
  attr: BpfAttr,
  descriptor: number | undefined,
  target: number,
): { readonly program: ProgramObject; readonly hook: Hook } | number {
  const program = objectOf(system, "program", descriptor);
  if (typeof program === "number") return program;
  const map = attr.iter_map_fd;
  const place = { type: attr.attach_type ?? 0, target, ...(map !== undefined && { map }) };
  const hook = hookOf(system, program, place);
  return typeof hook === "number" ? hook : { program, hook };
}

/** NF_INET_NUMHOOKS: ingress devices are not among them. */
const netfilterHooks = 5;

/** The hook of BPF_LINK_CREATE's `netfilter` fields, with the checks that Linux does. */
function netfilterHook(attr: BpfAttr): Hook | number {
  const { netfilter_pf: family = 0, netfilter_hooknum: hook = 0 } = attr;
  if ((attr.attach_type ?? 0) !== attachType.netfilter) return -errno.EINVAL;
  if ((attr.flags ?? 0n) !== 0n || (attr.target_fd ?? 0) !== 0) return -errno.EINVAL;
  if (family !== 2 && family !== 10) return -errno.EAFNOSUPPORT;
  if (hook >= netfilterHooks) return -errno.EPROTO;
  const priority = (attr.netfilter_priority ?? 0) | 0;
  // The first and the last place are the kernel's own.
  if (priority === -0x8000_0000 || priority === 0x7fff_ffff) return -errno.ERANGE;
  return { kind: "netfilter", family, hook };
}

function createLink(system: SystemState, attr: BpfAttr): number {
  const program = objectOf(system, "program", attr.prog_fd);
  if (typeof program !== "number" && program.program.spec.type === programType.netfilter) {
    const hook = netfilterHook(attr);
    return typeof hook === "number" ? hook : openLink(system, program, hook);
  }
  const target = attr.target_ifindex ?? attr.target_fd ?? 0;
  const aimed = aim(system, attr, attr.prog_fd, target);
  return typeof aimed === "number" ? aimed : openLink(system, aimed.program, aimed.hook);
}

/** Takes a link's program off its hook; the link stays. */
export function detachLink(system: SystemState, link: LinkObject): boolean {
  const at = system.attachments.findIndex((each) => each.owner === link);
  if (at < 0) return false;
  system.attachments.splice(at, 1);
  link.hook = undefined;
  return true;
}

function detach(system: SystemState, attr: BpfAttr): number {
  const link = objectOf(system, "link", attr.link_fd);
  if (typeof link === "number") return link;
  detachLink(system, link);
  return 0;
}

function updateLink(system: SystemState, attr: BpfAttr): number {
  const link = objectOf(system, "link", attr.link_fd);
  if (typeof link === "number") return link;
  const program = objectOf(system, "program", attr.new_prog_fd);
  if (typeof program === "number") return program;
  const old =
    attr.old_prog_fd === undefined ? undefined : objectOf(system, "program", attr.old_prog_fd);
  if (typeof old === "number") return old;
  if (old !== undefined && old !== link.program) return -errno.EPERM;
  if (link.hook === undefined) return -errno.EINVAL;
  if (program.program.spec.type !== link.program.program.spec.type) return -errno.EINVAL;
  system.handles.hold(program);
  system.handles.drop(link.program);
  link.program = program;
  return 0;
}

function openRawTracepoint(system: SystemState, attr: BpfAttr): number {
  const program = objectOf(system, "program", attr.prog_fd);
  if (typeof program === "number") return program;
  const { raw_tp_name: name = "" } = attr;
  const isTracing = program.program.spec.type === programType.tracing;
  const hook = isTracing
    ? tracingHook(system, program, undefined)
    : ({ kind: "raw-tracepoint", name } as const);
  if (typeof hook === "number") return hook;
  return isTracing || name !== "" ? openLink(system, program, hook) : -errno.ENOENT;
}

/** BPF_PROG_ATTACH: for cgroups and devices; the program stays until it is detached. */
function attach(system: SystemState, attr: BpfAttr): number {
  const target = attr.target_fd ?? attr.target_ifindex ?? 0;
  const aimed = aim(system, attr, attr.attach_bpf_fd, target);
  if (typeof aimed === "number") return aimed;
  const { program, hook } = aimed;
  if (isTaken(system, hook) || programsAt(system, hook).includes(program)) return -errno.EEXIST;
  system.attachments.push({ hook, owner: program });
  system.handles.hold(program);
  return 0;
}

function detachProgram(system: SystemState, attr: BpfAttr): number {
  const target = attr.target_fd ?? attr.target_ifindex ?? 0;
  const aimed = aim(system, attr, attr.attach_bpf_fd, target);
  if (typeof aimed === "number") return aimed;
  const { program, hook } = aimed;
  const at = system.attachments.findIndex(
    (each) => each.owner === program && sameHook(each.hook, hook),
  );
  if (at < 0) return -errno.ENOENT;
  system.attachments.splice(at, 1);
  system.handles.drop(program);
  return 0;
}

/** The hook that a query names: a device's, else a cgroup's. */
function queriedHook(system: SystemState, attr: BpfAttr): Hook | number {
  const { attach_type: type = 0, target_fd: target = 0 } = attr;
  const point = devicePoints.get(type);
  if (point !== undefined) return deviceHook(system, attr.target_ifindex ?? target, point);
  const cgroup = objectOf(system, "cgroup", target);
  if (typeof cgroup === "number") return cgroup;
  return { kind: "cgroup", path: cgroup.path, attachType: type };
}

function query(system: SystemState, attr: BpfAttr): number {
  const hook = queriedHook(system, attr);
  if (typeof hook === "number") return hook;
  const found = system.attachments.filter((each) => sameHook(each.hook, hook));
  attr.prog_ids = found.map((each) => attachedProgram(each).id);
  attr.prog_cnt = found.length;
  return 0;
}

const attachFields = [
  "target_fd",
  "target_ifindex",
  "attach_bpf_fd",
  "attach_type",
  "attach_flags",
  "replace_bpf_fd",
] as const;

/** By the name of the command without `BPF_`. */
export const linkCommands: Readonly<Record<string, Command>> = {
  LINK_CREATE: {
    fields: [
      "prog_fd",
      "target_fd",
      "target_ifindex",
      "attach_type",
      "flags",
      "iter_map_fd",
      "netfilter_pf",
      "netfilter_hooknum",
      "netfilter_priority",
    ],
    run: createLink,
  },
  LINK_UPDATE: { fields: ["link_fd", "new_prog_fd", "old_prog_fd", "flags"], run: updateLink },
  LINK_DETACH: { fields: ["link_fd"], run: detach },
  RAW_TRACEPOINT_OPEN: { fields: ["raw_tp_name", "prog_fd"], run: openRawTracepoint },
  PROG_ATTACH: { fields: attachFields, run: attach },
  PROG_DETACH: { fields: attachFields, run: detachProgram },
  PROG_QUERY: {
    fields: ["target_fd", "target_ifindex", "attach_type", "attach_flags", "prog_ids", "prog_cnt"],
    run: query,
  },
};
