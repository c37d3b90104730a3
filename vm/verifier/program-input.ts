/** A program of a loaded object as the verifier's input. */
import type { Btf } from "../../common/object/btf.ts";
import type { LoadedObject, MapSpec, ProgramSpec } from "../../linker/program.ts";
import { maxNameLength, type VerifierInput, type VerifierMap } from "./input.ts";
import { KernelTypes } from "./kernel-types.ts";
import { mapType } from "./map-rules.ts";

const anyAddress = 1n << 44n;

/** Flags of BPF_PROG_LOAD that callers add. */
export const strictAlignmentFlag = 1;

function verifierMap(spec: MapSpec, inner: number): VerifierMap {
  // Loaders map an arena that has no address of its own wherever there is room.
  const extra = spec.type === mapType.arena ? spec.extra || anyAddress : spec.extra;
  const frozenData = spec.frozen ? spec.initial : undefined;
  return {
    name: spec.name.slice(0, maxNameLength),
    type: spec.type,
    keySize: spec.keySize,
    valueSize: spec.valueSize,
    maxEntries: spec.maxEntries,
    flags: spec.flags,
    inner,
    btfKey: spec.keyType,
    btfValue: spec.valueType,
    ...(frozenData && { frozenData }),
    ...(extra !== 0n && { extra }),
  };
}

/** Templates of maps of maps follow the object's own maps. */
function verifierMaps(maps: readonly MapSpec[]): VerifierMap[] {
  const templates: VerifierMap[] = [];
  const own = maps.map((spec) => {
    if (spec.inner === undefined) return verifierMap(spec, -1);
    templates.push(verifierMap(spec.inner, -1));
    return verifierMap(spec, maps.length + templates.length - 1);
  });
  return [...own, ...templates];
}

const kernelTypes = new WeakMap<Btf, KernelTypes>();

/** Made once per BTF: its indexes are large. */
export function kernelTypesOf(btf: Btf): KernelTypes {
  const known = kernelTypes.get(btf) ?? new KernelTypes(btf);
  kernelTypes.set(btf, known);
  return known;
}

/** What the kernel would be given to judge. */
export function verifierInput(
  loaded: LoadedObject,
  program: ProgramSpec,
  flags = 0,
): VerifierInput {
  const typed = program.functions.every((fn) => fn.type !== 0);
  return {
    programType: program.type,
    attachType: program.attachType,
    license: program.license,
    flags: program.flags | flags,
    insns: program.insns,
    maps: verifierMaps(loaded.maps),
    ...(loaded.btf && { btf: loaded.btf }),
    ...(loaded.targetBtf && { kernel: kernelTypesOf(loaded.targetBtf) }),
    attachBtfId: program.attachBtfId,
    functions: typed
      ? program.functions.map((fn) => ({
          insn: fn.start,
          type: fn.type,
          name: fn.name,
          linkage: fn.linkage,
        }))
      : [],
    lines: program.lines.map(({ slot, ...line }) => ({ insn: slot, ...line })),
  };
}
