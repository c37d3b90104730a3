/**
 * A program with its maps as a portable case: the JSON form in which programs are handed to a judge
 * (the kernel, our verifier) without file descriptors. Instructions are hexadecimal; a 64-bit load
 * with src_reg 1 or 2 carries an index into `maps`.
 */

import { writeBtf } from "../common/object/btf-writer.ts";
import type { LoadedObject, MapSpec, ProgramSpec } from "./program.ts";

export interface PortableMap {
  readonly name: string;
  readonly type: number;
  readonly key_size: number;
  readonly value_size: number;
  readonly max_entries: number;
  readonly map_flags: number;
  /** Index of the template of a map of maps, or -1. */
  readonly inner: number;
  readonly map_extra: number;
  readonly btf_key_type_id: number;
  readonly btf_value_type_id: number;
  /** Of struct_ops: the value's type in the kernel's BTF. */
  readonly btf_vmlinux_value_type_id?: number;
  /** Contents of element 0, hex. */
  readonly data?: string;
  /** Inner maps: key (hex) and map index. */
  readonly map_slots?: readonly (readonly [key: string, map: number])[];
}

export interface PortableCase {
  readonly id: string;
  readonly prog_type: number;
  readonly expected_attach_type: number;
  readonly prog_flags: number;
  readonly attach_btf_id: number;
  readonly license: string;
  readonly maps: readonly PortableMap[];
  readonly funcs: readonly (readonly [start: number, name: string, linkage: string])[];
  readonly insns: string;
  readonly btf?: string;
  readonly func_info?: readonly (readonly [slot: number, typeId: number])[];
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

function keyHex(index: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return hex(bytes);
}

function portableMap(spec: MapSpec, inner: number): PortableMap {
  const slots = spec.slots.flatMap(({ index, target }) =>
    target.kind === "map" ? [[keyHex(index), target.map] as const] : [],
  );
  return {
    name: spec.name,
    type: spec.type,
    key_size: spec.keySize,
    value_size: spec.valueSize,
    max_entries: spec.maxEntries,
    map_flags: spec.flags,
    inner,
    map_extra: Number(spec.extra),
    btf_key_type_id: spec.keyType,
    btf_value_type_id: spec.valueType,
    ...(spec.structOps?.kernelValueType && {
      btf_vmlinux_value_type_id: spec.structOps.kernelValueType,
    }),
    ...(spec.initial && { data: hex(spec.initial) }),
    ...(slots.length > 0 && { map_slots: slots }),
  };
}

/** Templates of maps of maps come after the object's own maps. */
function portableMaps(maps: readonly MapSpec[]): PortableMap[] {
  const templates: PortableMap[] = [];
  const own = maps.map((spec) => {
    if (spec.inner === undefined) return portableMap(spec, -1);
    templates.push(portableMap(spec.inner, -1));
    return portableMap(spec, maps.length + templates.length - 1);
  });
  return [...own, ...templates];
}

/** The case of one program of a loaded object. */
export function portableCase(loaded: LoadedObject, program: ProgramSpec): PortableCase {
  const typed = program.functions.every((f) => f.type !== 0);
  return {
    id: `${loaded.path}:${program.name}`,
    prog_type: program.type,
    expected_attach_type: program.attachType,
    prog_flags: program.flags,
    attach_btf_id: program.attachBtfId,
    license: program.license,
    maps: portableMaps(loaded.maps),
    funcs: program.functions.map((f) => [f.start, f.name, f.linkage]),
    insns: hex(program.insns),
    ...(loaded.btf && { btf: hex(writeBtf(kernelBtf(loaded)).btf) }),
    ...(loaded.btf && typed && { func_info: program.functions.map((f) => [f.start, f.type]) }),
  };
}

/**
 * BTF as the kernel takes it from a loader: libbpf keeps extern sections out of the kernel's sight
 * by turning them into ordinary ones.
 */
function kernelBtf(loaded: LoadedObject): NonNullable<LoadedObject["btf"]> {
  const btf = loaded.btf ?? { endian: "little" as const, types: [] };
  const types = btf.types.map((type) => {
    if (type.kind === "func") {
      const used = loaded.programs.some((p) =>
        p.functions.some((f) => btf.types[f.type - 1] === type),
      );
      return type.linkage === "extern" || !used ? { ...type, linkage: "static" as const } : type;
    }
    if (type.kind === "var" && type.linkage === "extern") {
      return { ...type, linkage: "global" as const };
    }
    return type;
  });
  return { ...btf, types };
}
