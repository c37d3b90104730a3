/** What an object offers to the program that uses it, as plain data: the JSON skeleton. */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { btfTypeById } from "../../common/object/btf-types.ts";
import { mapTypeById } from "../../common/platform/map-types.ts";
import { declareC, declareWritable } from "../dump/c.ts";
import type { LoadedObject, MapSpec } from "../program.ts";

export interface ManifestMap {
  readonly name: string;
  /** A C identifier. */
  readonly identifier: string;
  /** enum bpf_map_type. */
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** C types; absent where the definition gives sizes only. */
  readonly key?: string;
  readonly value?: string;
}

export interface ManifestProgram {
  readonly name: string;
  readonly section: string;
  /** enum bpf_prog_type and bpf_attach_type. */
  readonly type: number;
  readonly attachType: number;
  readonly target: string;
  readonly autoload: boolean;
}

export interface ManifestVariable {
  readonly name: string;
  /** A C identifier. */
  readonly identifier: string;
  /** C declaration. */
  readonly declaration: string;
  /** The same of a pointer to it. */
  readonly pointer: string;
  readonly type: TypeId;
  /** Bytes from the start of its section. */
  readonly offset: number;
  readonly size: number;
}

export interface ManifestSection {
  readonly section: string;
  readonly identifier: string;
  readonly size: number;
  readonly readOnly: boolean;
  /** Without static ones, which are nobody else's business. */
  readonly variables: readonly ManifestVariable[];
}

export interface ObjectManifest {
  readonly name: string;
  readonly license: string;
  readonly maps: readonly ManifestMap[];
  readonly programs: readonly ManifestProgram[];
  readonly globals: readonly ManifestSection[];
}

/** `.rodata.cfg` → `rodata_cfg`. */
export function identifierOf(name: string): string {
  const word = name.replace(/^\./, "").replace(/[^A-Za-z0-9_]/g, "_");
  return /^[0-9]/.test(word) || word === "" ? `_${word}` : word;
}

/** Whether an element has a value for each CPU. */
export function isPerCpuMap({ type }: MapSpec): boolean {
  return mapTypeById(type)?.name.includes("PERCPU") === true;
}

/** Everything in the object's own order. */
export function objectManifest(loaded: LoadedObject, name: string): ObjectManifest {
  const { btf } = loaded;
  return {
    name,
    license: loaded.license,
    maps: loaded.maps.map((map) => manifestMap(btf, map)),
    programs: loaded.programs.map((program) => ({
      name: program.name,
      section: program.section,
      type: program.type,
      attachType: program.attachType,
      target: program.target,
      autoload: program.autoload,
    })),
    globals: loaded.maps.flatMap((map) => manifestSection(btf, map)),
  };
}

function manifestMap(btf: Btf | undefined, map: MapSpec): ManifestMap {
  const isData = map.dataSection !== undefined;
  const typeText = (id: TypeId): string | undefined =>
    btf === undefined || id === 0 || isData ? undefined : declareC(btf, id, "");
  const key = typeText(map.keyType);
  const value = typeText(map.valueType);
  return {
    name: map.name,
    identifier: identifierOf(map.name),
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    ...(key !== undefined && { key }),
    ...(value !== undefined && { value }),
  };
}

function manifestSection(btf: Btf | undefined, map: MapSpec): ManifestSection[] {
  const section = map.dataSection;
  if (btf === undefined || section === undefined) return [];
  const type = btf.types.find((each) => each.kind === "datasec" && each.name === section);
  const entries = type?.kind === "datasec" ? type.entries : [];
  const variables = entries.flatMap((entry): ManifestVariable[] => {
    const variable = btfTypeById(btf, entry.type);
    if (variable?.kind !== "var" || variable.linkage === "static") return [];
    const { name } = variable;
    const id = withoutQualifiers(btf, variable.type);
    const identifier = identifierOf(name);
    const declaration = declareWritable(btf, id, identifier);
    const pointer = pointerTo(btf, id, identifier);
    const { offset, size } = entry;
    return [{ name, identifier, declaration, pointer, type: id, offset, size }];
  });
  const identifier = identifierOf(section);
  return [{ section, identifier, size: map.valueSize, readOnly: map.frozen, variables }];
}

/** `T *name`, `T (*name)[N]`: the declaration of a pointer to the type. */
function pointerTo(btf: Btf, id: TypeId, name: string): string {
  const kind = btfTypeById(btf, id)?.kind;
  const needsParentheses = kind === "array" || kind === "func_proto";
  return declareWritable(btf, id, needsParentheses ? `(*${name})` : `*${name}`);
}

/** The user's side may write constants before loading. */
function withoutQualifiers(btf: Btf, id: TypeId): TypeId {
  const type = btfTypeById(btf, id);
  return type?.kind === "const" || type?.kind === "volatile"
    ? withoutQualifiers(btf, type.type)
    : id;
}
