/** BPF_PROG_LOAD: descriptors in the instructions become maps, the verifier judges, the program is. */
import { programTypeById } from "../../common/platform/program-types.ts";
import type { ProgramSpec } from "../../linker/program.ts";
import { errno } from "../errno.ts";
import type { BpfMap } from "../maps/map.ts";
import type { VerifierFunction, VerifierInput, VerifierMap } from "../verifier/input.ts";
import { decodeSlots, isLoadImm64, pseudo } from "../verifier/opcodes.ts";
import { verify } from "../verifier/verify.ts";
import type { BpfAttr } from "./attr.ts";
import { isObjectName, objectOf } from "./command.ts";
import type { BtfObject, MapObject, ProgramObject } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

/** Instructions in the portable form, and the maps that their references count in. */
interface Resolved {
  readonly insns: Uint8Array;
  readonly maps: readonly MapObject[];
}

const mapReferences: ReadonlyMap<number, { readonly byIndex: boolean; readonly src: number }> =
  new Map([
    [pseudo.mapFd, { byIndex: false, src: pseudo.mapFd }],
    [pseudo.mapValue, { byIndex: false, src: pseudo.mapValue }],
    [pseudo.mapIndex, { byIndex: true, src: pseudo.mapFd }],
    [pseudo.mapIndexValue, { byIndex: true, src: pseudo.mapValue }],
  ]);

function resolveMaps(system: SystemState, attr: BpfAttr, bytes: Uint8Array): Resolved | number {
  const insns = bytes.slice();
  const view = new DataView(insns.buffer);
  const maps: MapObject[] = [];
  for (const [slot, insn] of decodeSlots(bytes).entries()) {
    const reference = isLoadImm64(insn) ? mapReferences.get(insn.src) : undefined;
    if (reference === undefined) continue;
    const descriptor = reference.byIndex ? attr.fd_array?.[insn.imm] : insn.imm;
    const map = objectOf(system, "map", descriptor);
    if (typeof map === "number") return map;
    if (!maps.includes(map)) maps.push(map);
    view.setUint8(slot * 8 + 1, insn.dst | (reference.src << 4));
    view.setInt32(slot * 8 + 4, maps.indexOf(map), true);
  }
  return { insns, maps };
}

function verifierMap({ map, btfKeyType, btfValueType }: MapObject): VerifierMap {
  const { name, type, keySize, valueSize, maxEntries, flags, extra } = map.description;
  const frozen = map.frozen ? map.userLookup(new Uint8Array(keySize)) : undefined;
  return {
    ...{ name, type, keySize, valueSize, maxEntries, flags, extra, inner: -1 },
    btfKey: btfKeyType,
    btfValue: btfValueType,
    ...(frozen instanceof Uint8Array && { frozenData: frozen }),
  };
}

/** func_info records: instruction and FUNC id. */
function functionsOf(attr: BpfAttr, btf: BtfObject | undefined): readonly VerifierFunction[] {
  const { func_info: records, func_info_rec_size: size = 8 } = attr;
  if (records === undefined || btf === undefined || size < 8) return [];
  const view = new DataView(records.buffer, records.byteOffset, records.length);
  const functions: VerifierFunction[] = [];
  for (let at = 0; at + 8 <= records.length; at += size) {
    const type = view.getUint32(at + 4, true);
    const fn = btf.btf.types[type - 1];
    if (fn?.kind !== "func") continue;
    functions.push({ insn: view.getUint32(at, true), type, name: fn.name, linkage: fn.linkage });
  }
  return functions;
}

function specOf(attr: BpfAttr, input: VerifierInput): ProgramSpec {
  return {
    name: attr.prog_name ?? "",
    section: "",
    type: input.programType,
    attachType: input.attachType,
    flags: input.flags,
    target: "",
    attachBtfId: attr.attach_btf_id ?? 0,
    autoload: true,
    license: input.license,
    insns: input.insns,
    functions: input.functions.map(({ name, insn, type, linkage }) => ({
      name,
      start: insn,
      type,
      linkage: linkage === "global" ? "global" : "static",
    })),
    lines: [],
    kernelReferences: [],
  };
}

const maximumInsns = 1_000_000;
/** BPF_F_STRICT_ALIGNMENT … BPF_F_TEST_REG_INVARIANTS and BPF_F_TOKEN_FD. */
const programFlags = 0x100ff;

/** What is wrong before any map is looked up; 0 if nothing. */
function checkAttributes(attr: BpfAttr): number {
  const count = attr.insn_cnt ?? (attr.insns?.length ?? 0) / 8;
  if (!isObjectName(attr.prog_name ?? "")) return -errno.EINVAL;
  if (((attr.prog_flags ?? 0) & ~programFlags) !== 0) return -errno.EINVAL;
  if (count === 0 || count > maximumInsns) return -errno.E2BIG;
  if (programTypeById(attr.prog_type ?? 0) === undefined) return -errno.EINVAL;
  if (attr.insns === undefined || attr.license === undefined) return -errno.EFAULT;
  return 0;
}

/** Types of the program and of its maps must be one BTF object: mixtures are not modelled. */
function commonBtf(maps: readonly MapObject[], own: BtfObject | undefined): boolean {
  const all = new Set([own, ...maps.map((map) => map.btf)]);
  all.delete(undefined);
  return all.size <= 1;
}

function judge(system: SystemState, attr: BpfAttr, resolved: Resolved): ProgramObject | number {
  const own =
    attr.prog_btf_fd === undefined ? undefined : objectOf(system, "btf", attr.prog_btf_fd);
  if (typeof own === "number") return own;
  if (!commonBtf(resolved.maps, own)) return -errno.EOPNOTSUPP;
  const btf = own ?? resolved.maps.find((map) => map.btf !== undefined)?.btf;
  const input: VerifierInput = {
    programType: attr.prog_type ?? 0,
    attachType: attr.expected_attach_type ?? 0,
    license: attr.license ?? "",
    flags: attr.prog_flags ?? 0,
    insns: resolved.insns,
    maps: resolved.maps.map(verifierMap),
    ...(btf && { btf: btf.btf }),
    functions: functionsOf(attr, own),
  };
  const verdict = verify(input, { logLevel: attr.log_level ?? 0 });
  if ((attr.log_level ?? 0) !== 0) attr.log = verdict.log;
  if (verdict.verdict === "reject") return -verdict.errno;
  if (verdict.verdict === "unsupported") {
    attr.log = `not modelled: ${verdict.reason}`;
    return -errno.EOPNOTSUPP;
  }
  const maps: readonly BpfMap[] = resolved.maps.map(({ map }) => map);
  const program = system.kernel.loadProgram(specOf(attr, input), maps);
  if ("message" in program) return -errno.EINVAL;
  return {
    kind: "program",
    id: program.id,
    program,
    maps: resolved.maps,
    btf: own,
    verifiedInsns: verdict.processed,
    runs: 0,
  };
}

/**
 * The descriptor of a program that the verifier accepts; what it does not model is EOPNOTSUPP, with
 * the construct in `log`.
 */
export function loadProgram(system: SystemState, attr: BpfAttr): number {
  const problem = checkAttributes(attr);
  if (problem !== 0) return problem;
  const resolved = resolveMaps(system, attr, attr.insns ?? new Uint8Array(0));
  if (typeof resolved === "number") return resolved;
  const program = judge(system, attr, resolved);
  if (typeof program === "number") return program;
  for (const map of program.maps) system.handles.hold(map);
  if (program.btf !== undefined) system.handles.hold(program.btf);
  return system.handles.open(program);
}
