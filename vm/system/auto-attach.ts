/** Where a program goes by its section's name, as libbpf attaches it. */
import { programTypeForSection } from "../../common/platform/sections.ts";
import type { ProgramSpec } from "../../linker/program.ts";
import { isIterator, mapIterators } from "./iterators.ts";
import type { DevicePoint, Hook, MapObject } from "./objects.ts";

type Rule = (target: string, place: AttachPlace, map: MapObject | undefined) => Hook | undefined;

/** What a section's name leaves open. */
export interface AttachPlace {
  /** Interface index, for programs of devices. */
  readonly ifindex?: number;
  /** Path of a cgroup, for cgroup programs. */
  readonly cgroup?: string;
  /** Descriptor of the map that an iterator walks over. */
  readonly map?: number;
  /** The event of a perf_event program, e.g. `cpu-clock`. */
  readonly event?: string;
  /** Of a netfilter program: NFPROTO_IPV4 (2) or NFPROTO_IPV6 (10), and enum nf_inet_hooks. */
  readonly netfilter?: { readonly family: number; readonly hook: number };
}

const atFunction =
  (when: "entry" | "return"): Rule =>
  (target) =>
    target === "" ? undefined : { kind: "function", name: target.replace(/\+.*$/, ""), when };
const atDevice =
  (point: DevicePoint): Rule =>
  (_, { ifindex }) =>
    ifindex === undefined ? undefined : { kind: "device", ifindex, point };
const atTracepoint: Rule = (name) => (name === "" ? undefined : { kind: "tracepoint", name });
const atRawTracepoint: Rule = (name) =>
  name === "" ? undefined : { kind: "raw-tracepoint", name };

/** Undefined for what there is no iterator of, or where the map is missing. */
export function iteratorHook(target: string, map: MapObject | undefined): Hook | undefined {
  const isComplete = isIterator(target) && (map !== undefined || !mapIterators.includes(target));
  return isComplete ? { kind: "iterator", target, map } : undefined;
}

/** By the section's name up to its target; `.s` and `.multi` variants included. */
const rules: Readonly<Record<string, Rule>> = {
  kprobe: atFunction("entry"),
  kretprobe: atFunction("return"),
  // Functions of user space go by `PATH:NAME`, static probes by `PATH:PROVIDER:NAME`.
  uprobe: atFunction("entry"),
  uretprobe: atFunction("return"),
  usdt: atFunction("entry"),
  fentry: atFunction("entry"),
  fexit: atFunction("return"),
  fmod_ret: atFunction("entry"),
  lsm: (target) => ({ kind: "function", name: target, when: "entry" }),
  tracepoint: atTracepoint,
  tp: atTracepoint,
  raw_tp: atRawTracepoint,
  raw_tracepoint: atRawTracepoint,
  tp_btf: atRawTracepoint,
  iter: (target, _, map) => iteratorHook(target, map),
  perf_event: (_, { event }) =>
    event === undefined ? undefined : { kind: "perf-event", name: event },
  netfilter: (_, { netfilter }) => netfilter && { kind: "netfilter", ...netfilter },
  xdp: atDevice("xdp"),
  tc: atDevice("ingress"),
  classifier: atDevice("ingress"),
  "tcx/ingress": atDevice("ingress"),
  "tc/ingress": atDevice("ingress"),
  "tcx/egress": atDevice("egress"),
  "tc/egress": atDevice("egress"),
};

/** System call probes are at the functions that x86-64 gives them. */
const systemCallRules: Readonly<Record<string, "entry" | "return">> = {
  ksyscall: "entry",
  kretsyscall: "return",
};

/** The hook of a program; undefined where its section says none, or `place` lacks what it needs. */
export function hookOfProgram(
  spec: ProgramSpec,
  place: AttachPlace,
  map?: MapObject,
): Hook | undefined {
  const match = programTypeForSection(spec.section);
  if (match === undefined) return undefined;
  const base = match.definition.name.replace(/\+$/, "");
  const when = systemCallRules[base];
  if (when !== undefined) return { kind: "function", name: `__x64_sys_${spec.target}`, when };
  const rule = rules[base] ?? rules[base.replace(/\.(s|multi|session|frags)$/, "")];
  if (rule !== undefined) return rule(spec.target, place, map);
  const isCgroup = base.startsWith("cgroup") || base === "sockops" || base === "cgroup/dev";
  if (!isCgroup || place.cgroup === undefined || match.attachType === undefined) return undefined;
  return { kind: "cgroup", path: place.cgroup, attachType: match.attachType.id };
}
