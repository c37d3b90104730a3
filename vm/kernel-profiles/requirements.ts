/**
 * What a program needs of a kernel, as facts with the release that brought them: from the tables of
 * helpers, map and program types, contexts, instructions and features. Nothing is guessed: what the
 * tables do not date is not in the list.
 */
import { InternalError } from "../../common/diagnostics/diagnostic.ts";
import { decodeProgram } from "../../common/isa/decode.ts";
import { formOf } from "../../common/isa/instructions.ts";
import { btfTypeById } from "../../common/object/btf-types.ts";
import { helperById } from "../../common/platform/helpers.ts";
import { kernelFeatures, kernelLimits } from "../../common/platform/kernel-versions.ts";
import { kfuncByName } from "../../common/platform/kfuncs.ts";
import { mapTypeById } from "../../common/platform/map-types.ts";
import {
  attachTypeById,
  contextFieldAt,
  programTypeById,
} from "../../common/platform/program-types.ts";
import type { KernelVersion } from "../../common/platform/rows.ts";
import type { VerifierInput } from "../verifier/input.ts";
import {
  decodeSlots,
  insnClass,
  isFunctionAddress,
  isHelperCall,
  isJumpClass,
  isKfuncCall,
  isLoadImm64,
  isLocalCall,
  opCall,
  pseudo,
  type RawInsn,
} from "../verifier/opcodes.ts";
import { findBackEdge } from "./back-edges.ts";

/** One fact that a program depends on. */
export interface Requirement {
  /** e.g. `helper bpf_ringbuf_reserve`, `bounded loops`. */
  readonly what: string;
  /** First mainline release that has it. */
  readonly since: KernelVersion;
  /** Where set, kernels before this release do not need it: their loader has another way. */
  readonly neededFrom?: KernelVersion;
  /** Older long-term releases of which later patches have it too. */
  readonly patched?: readonly KernelVersion[];
  /** The first instruction that needs it; undefined where it is about the program as a whole. */
  readonly insn?: number;
}

/** A program with what its object tells beyond the instructions. */
export interface Subject {
  readonly input: VerifierInput;
  /** Loaders leave the attach type out where the kernel does not know it. */
  readonly attachTypeOptional: boolean;
  /** The kernel function called at a slot, where the object names it; null if it may be absent. */
  readonly kfuncAt: (insn: number) => string | undefined | null;
  /** Offsets of the context that the verifier saw accessed, and the first instruction that did. */
  readonly contextOffsets: ReadonlyMap<number, number>;
  /** The first instruction that the verifier saw store a constant there. */
  readonly contextConstant: number | undefined;
  /** Whether verification came there; where it did not, no kernel may. */
  readonly isVisited: (insn: number) => boolean;
}

interface Scan extends Subject {
  readonly insns: readonly RawInsn[];
}

/** The release of a row of the feature table. */
export function featureSince(feature: string): KernelVersion {
  const row = kernelFeatures().find(([, name]) => name === feature);
  if (row === undefined) throw new InternalError(`no kernel feature '${feature}'`);
  return row[2];
}

/** A feature by its name in the table. */
function feature(name: string, insn?: number): Requirement {
  return { what: name, since: featureSince(name), ...(insn !== undefined && { insn }) };
}

function dated(
  what: string,
  since: KernelVersion | undefined,
  insn?: number,
): readonly Requirement[] {
  return since === undefined ? [] : [{ what, since, ...(insn !== undefined && { insn }) }];
}

function programRequirements({ input, attachTypeOptional }: Scan): readonly Requirement[] {
  const type = programTypeById(input.programType);
  const isNeeded = input.attachType !== 0 && !attachTypeOptional;
  const attach = isNeeded ? attachTypeById(input.attachType) : undefined;
  return [
    ...dated(`program type ${type?.name}`, type?.since),
    ...dated(`attach type ${attach?.name}`, attach?.since),
  ];
}

const programFlags: readonly (readonly [bit: number, feature: string])[] = [
  [1 << 4, "sleepable programs"],
  [1 << 5, "XDP multi-buffer (frags)"],
];

function flagRequirements({ input }: Scan): readonly Requirement[] {
  const set = programFlags.filter(([bit]) => (input.flags & bit) !== 0);
  return set.map(([, name]) => feature(name));
}

const mapFlags: readonly (readonly [bit: number, feature: string])[] = [
  [1 << 10, "mmap of array maps"],
  [1 << 12, "inner maps of different max_entries (BPF_F_INNER_MAP)"],
];

/** Maps are created before any program is loaded, so that all of them count. */
function mapRequirements({ input }: Scan): readonly Requirement[] {
  return input.maps.flatMap((map) => {
    const type = mapTypeById(map.type);
    // Loaders leave the flags of data sections out where the kernel does not know them.
    const flags = map.name.includes(".") ? 0 : map.flags;
    return [
      ...dated(`map type ${type?.name} (map '${map.name}')`, type?.since),
      ...mapFlags.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => feature(name)),
    ];
  });
}

const oldSizeLimit = "program size, instructions (all programs)";

function sizeRequirements({ insns }: Scan): readonly Requirement[] {
  const limit = kernelLimits().find(([name]) => name === oldSizeLimit)?.[1];
  if (limit === undefined || insns.length <= limit) return [];
  return [
    {
      what: `${insns.length} instructions (${limit} are the limit before)`,
      since: featureSince("1 million instruction limit (size and complexity)"),
    },
  ];
}

const callbackFeature = "callbacks (BPF_PSEUDO_FUNC), bpf_for_each_map_elem";
const globalDataFeature = "global data: .data/.rodata/.bss, BPF_PSEUDO_MAP_VALUE, map freeze";
const kernelSymbolFeature = "kernel symbols (ksym, BPF_PSEUDO_BTF_ID)";

const imm64Features: ReadonlyMap<number, string> = new Map([
  [pseudo.mapValue, globalDataFeature],
  [pseudo.mapIndexValue, globalDataFeature],
  [pseudo.btfId, kernelSymbolFeature],
  [pseudo.func, callbackFeature],
]);

function callRequirements(scan: Scan, insn: RawInsn, at: number): readonly Requirement[] {
  if (isLocalCall(insn)) return [feature("BPF-to-BPF calls", at)];
  if (isKfuncCall(insn)) {
    const name = scan.kfuncAt(at);
    if (name === null) return [];
    const kfunc = name === undefined ? undefined : kfuncByName(name);
    const calls = feature("kfuncs (calls into kernel functions)", at);
    return [calls, ...dated(`kernel function ${name}`, kfunc?.since, at)];
  }
  if (!isHelperCall(insn)) return [];
  const helper = helperById(insn.imm);
  return dated(`helper ${helper?.name}`, helper?.since, at);
}

/** Kernels that do not know these notice it only where verification comes there. */
function isNoticedOnVisit(insn: RawInsn): boolean {
  const of = insn.code & 7;
  const hasVariant = (of === insnClass.alu || of === insnClass.alu64) && insn.off !== 0;
  return isHelperCall(insn) || hasVariant;
}

function insnRequirements(scan: Scan): readonly Requirement[] {
  const found: Requirement[] = [];
  const decoded = decodeProgram(scan.input.insns, "little");
  for (const { slot, insn } of decoded.ok ? decoded.insns : []) {
    const raw = scan.insns[slot]!;
    if (isNoticedOnVisit(raw) && !scan.isVisited(slot)) continue;
    const imm64 = isLoadImm64(raw) ? imm64Features.get(raw.src) : undefined;
    if (imm64 !== undefined) found.push(feature(imm64, slot));
    found.push(...callRequirements(scan, raw, slot));
    const form = formOf(insn);
    if (form !== undefined && imm64 === undefined && raw.code !== 0x85) {
      found.push(...dated(`instruction ${form.name} (-mcpu=${form.cpu})`, form.since, slot));
    }
  }
  return found;
}

const tailCall = 12;

/**
 * Before, only jumps could lead back: not an instruction in front of the one where a loop is
 * entered, as loops have it that are laid out with their test last.
 */
function loopShapeRequirements({ insns }: Scan): readonly Requirement[] {
  const at = findBackEdge(insns, (insn) => !isJumpClass(insn.code) || insn.code === opCall);
  if (at === undefined) return [];
  const what = "loops that are entered behind an instruction of theirs that is no jump";
  return [{ what, since: "6.7", neededFrom: "5.3", patched: ["6.6"], insn: at }];
}

function contextConstantRequirements({ contextConstant }: Scan): readonly Requirement[] {
  return contextConstant === undefined
    ? []
    : [{ what: "constants stored into the context", since: "6.4", insn: contextConstant }];
}

function controlFlowRequirements({ insns }: Scan): readonly Requirement[] {
  const loop = findBackEdge(insns);
  const calls = insns.some((insn) => isLocalCall(insn) || isFunctionAddress(insn));
  const jump = insns.findIndex((insn) => isHelperCall(insn) && insn.imm === tailCall);
  const mixed = "tail calls together with BPF-to-BPF calls, x86-64";
  return [
    ...(loop === undefined ? [] : [feature("bounded loops", loop)]),
    ...(calls && jump >= 0 ? [feature(mixed, jump)] : []),
  ];
}

function contextRequirements({ input, contextOffsets }: Scan): readonly Requirement[] {
  return [...contextOffsets].flatMap(([offset, insn]) => {
    const field = contextFieldAt(input.programType, offset);
    return field === undefined
      ? []
      : dated(`field ${field.struct}.${field.field}`, field.since, insn);
  });
}

/** Before 5.6 loaders turn global functions into static ones; from then to 5.12 they take numbers only. */
function globalFunctionRequirements({ input }: Scan): readonly Requirement[] {
  const { btf } = input;
  if (btf === undefined) return [];
  const takesPointer = input.functions.slice(1).find(({ type, linkage }) => {
    const fn = btfTypeById(btf, type);
    const proto = fn?.kind === "func" ? btfTypeById(btf, fn.type) : undefined;
    if (linkage !== "global" || proto?.kind !== "func_proto") return false;
    // The first may be the context, which is passed on since there are global functions.
    return proto.params.slice(1).some((param) => btfTypeById(btf, param.type)?.kind === "ptr");
  });
  if (takesPointer === undefined) return [];
  const name = "pointer arguments of global functions";
  return [{ ...feature(name, takesPointer.insn), neededFrom: "5.6" }];
}

const detectors: readonly ((scan: Scan) => readonly Requirement[])[] = [
  programRequirements,
  flagRequirements,
  mapRequirements,
  sizeRequirements,
  insnRequirements,
  controlFlowRequirements,
  loopShapeRequirements,
  contextRequirements,
  contextConstantRequirements,
  globalFunctionRequirements,
];

/** Everything dated that the program needs, each once, with the first instruction that needs it. */
export function requirementsOf(subject: Subject): readonly Requirement[] {
  const scan = { ...subject, insns: decodeSlots(subject.input.insns) };
  const byName = new Map<string, Requirement>();
  for (const detect of detectors) {
    for (const requirement of detect(scan)) {
      if (!byName.has(requirement.what)) byName.set(requirement.what, requirement);
    }
  }
  return [...byName.values()];
}
