/** Where a program goes by its section's name, as libbpf attaches it. */
import { programTypeForSection } from "../../common/platform/sections.ts";
import type { ProgramSpec } from "../../linker/program.ts";
import type { DevicePoint, Hook } from "./objects.ts";

type Rule = (target: string, place: AttachPlace) => Hook | undefined;

/** What a section's name leaves open. */
export interface AttachPlace {
  /** Interface index, for programs of devices. */
  readonly ifindex?: number;
  /** Path of a cgroup, for cgroup programs. */
  readonly cgroup?: string;
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

/** By the section's name up to its target; `.s` and `.multi` variants included. */
const rules: Readonly<Record<string, Rule>> = {
  kprobe: atFunction("entry"),
  kretprobe: atFunction("return"),
  fentry: atFunction("entry"),
  fexit: atFunction("return"),
  fmod_ret: atFunction("entry"),
  lsm: (target) => ({ kind: "function", name: target, when: "entry" }),
  tracepoint: atTracepoint,
  tp: atTracepoint,
  raw_tp: atRawTracepoint,
  raw_tracepoint: atRawTracepoint,
  tp_btf: atRawTracepoint,
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
export function hookOfProgram(spec: ProgramSpec, place: AttachPlace): Hook | undefined {
  const match = programTypeForSection(spec.section);
  if (match === undefined) return undefined;
  const base = match.definition.name.replace(/\+$/, "");
  const when = systemCallRules[base];
  if (when !== undefined) return { kind: "function", name: `__x64_sys_${spec.target}`, when };
  const rule = rules[base] ?? rules[base.replace(/\.(s|multi|session|frags)$/, "")];
  if (rule !== undefined) return rule(spec.target, place);
  const isCgroup = base.startsWith("cgroup") || base === "sockops" || base === "cgroup/dev";
  if (!isCgroup || place.cgroup === undefined || match.attachType === undefined) return undefined;
  return { kind: "cgroup", path: place.cgroup, attachType: match.attachType.id };
}
