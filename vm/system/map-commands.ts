/** Maps: create, elements, batches, freeze. */
import { mapTypeById } from "../../common/platform/map-types.ts";
import { uapiConstant } from "../../common/platform/uapi.ts";
import { errno } from "../errno.ts";
import { updateFlags } from "../maps/map.ts";
import { ObjectArrayMap } from "../maps/program-array.ts";
import type { BpfAttr } from "./attr.ts";
import { type Command, fileOf, isObjectName, objectOf } from "./command.ts";
import type { MapAccess, MapObject } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

const arrayOfMaps = 12;
const hashOfMaps = 13;
const readOnly = 1 << 3;
const writeOnly = 1 << 4;

/** BPF_F_RDONLY and BPF_F_WRONLY of a descriptor; undefined where both are set. */
export function accessOf(flags: number): MapAccess | undefined {
  const reads = (flags & readOnly) !== 0;
  const writes = (flags & writeOnly) !== 0;
  if (reads && writes) return undefined;
  return reads ? "read" : writes ? "write" : "read-write";
}

/** Bits of the BPF_F_* flags that a map type takes. */
function allowedFlags(type: number): number {
  const names = mapTypeById(type)?.flags ?? [];
  return names.reduce((bits, name) => bits | Number(uapiConstant(name) ?? 0n), 0);
}

function create(system: SystemState, attr: BpfAttr): number {
  const { map_flags: flags = 0, map_name: name = "" } = attr;
  const access = accessOf(flags);
  if (access === undefined || !isObjectName(name)) return -errno.EINVAL;
  if ((flags & ~allowedFlags(attr.map_type ?? 0)) !== 0) return -errno.EINVAL;
  const btf = attr.btf_fd === undefined ? undefined : objectOf(system, "btf", attr.btf_fd);
  if (typeof btf === "number") return btf;
  const inner =
    attr.inner_map_fd === undefined ? undefined : objectOf(system, "map", attr.inner_map_fd);
  if (typeof inner === "number") return inner;
  const isOuter = attr.map_type === arrayOfMaps || attr.map_type === hashOfMaps;
  if (isOuter && inner === undefined) return -errno.EINVAL;
  const map = system.kernel.createMap({
    name,
    type: attr.map_type ?? 0,
    keySize: attr.key_size ?? 0,
    valueSize: attr.value_size ?? 0,
    maxEntries: attr.max_entries ?? 0,
    flags,
    extra: attr.map_extra ?? 0n,
  });
  if (typeof map === "number") return map;
  const object: MapObject = {
    kind: "map",
    id: map.id,
    map,
    btf,
    btfKeyType: attr.btf_key_type_id ?? 0,
    btfValueType: attr.btf_value_type_id ?? 0,
  };
  if (btf !== undefined) system.handles.hold(btf);
  return system.handles.open(object, access);
}

type Rights = "read" | "write" | "both";

function allows(access: MapAccess, wanted: Rights): boolean {
  return access === "read-write" || access === wanted;
}

/** The map of `map_fd`, where the descriptor may be used so. */
export function mapFor(system: SystemState, attr: BpfAttr, wanted: Rights): MapObject | number {
  const file = fileOf(system, "map", attr.map_fd);
  if (typeof file === "number") return file;
  return allows(file.access, wanted) ? (file.object as MapObject) : -errno.EPERM;
}

/** Types whose values are descriptors of objects. */
const valueKinds: Readonly<Record<number, "program" | "cgroup" | "map">> = {
  3: "program",
  8: "cgroup",
  12: "map",
  13: "map",
};

/** The value as the map keeps it: a descriptor becomes an id. */
export function storedValue(
  system: SystemState,
  { map }: MapObject,
  value: Uint8Array,
): Uint8Array | number {
  const kind = valueKinds[map.description.type];
  if (kind === undefined) return value;
  if (value.length < 4) return -errno.EINVAL;
  const view = new DataView(value.buffer, value.byteOffset, 4);
  const object = objectOf(system, kind, view.getUint32(0, system.kernel.little));
  return typeof object === "number" ? object : system.kernel.word(object.id);
}

const lookupFlags = BigInt(updateFlags.lock);

function lookup(system: SystemState, attr: BpfAttr): number {
  const object = mapFor(system, attr, "read");
  const flags = attr.flags ?? 0n;
  if ((flags & ~lookupFlags) !== 0n) return -errno.EINVAL;
  if (typeof object === "number") return object;
  const { map } = object;
  if ((flags & lookupFlags) !== 0n && map.description.hasLock !== true) return -errno.EINVAL;
  const key = keyOf(attr, object);
  if (typeof key === "number") return key;
  return copyValue(system.kernel.mapLookup(map, key), attr.value);
}

/** The key, with as many bytes as the map's keys have; EFAULT where it is missing. */
function keyOf(attr: BpfAttr, { map }: MapObject): Uint8Array | number {
  const { keySize } = map.description;
  if (keySize === 0) return attr.key === undefined ? new Uint8Array(0) : -errno.EINVAL;
  return attr.key === undefined || attr.key.length < keySize
    ? -errno.EFAULT
    : attr.key.subarray(0, keySize);
}

function copyValue(found: Uint8Array | number, target: Uint8Array | undefined): number {
  if (typeof found === "number") return found;
  if (target === undefined || target.length < found.length) return -errno.EFAULT;
  target.set(found);
  return 0;
}

function update(system: SystemState, attr: BpfAttr): number {
  const object = mapFor(system, attr, "write");
  if (typeof object === "number") return object;
  const key = keyOf(attr, object);
  if (typeof key === "number") return key;
  const size = object.map instanceof ObjectArrayMap ? 4 : object.map.userValueSize;
  if (attr.value === undefined || attr.value.length < size) return -errno.EFAULT;
  if (object.map.frozen) return -errno.EPERM;
  const value = storedValue(system, object, attr.value.subarray(0, size));
  if (typeof value === "number") return value;
  return system.kernel.mapUpdate(object.map, key, value, attr.flags ?? 0n);
}

function remove(system: SystemState, attr: BpfAttr): number {
  const object = mapFor(system, attr, "write");
  if (typeof object === "number") return object;
  const key = keyOf(attr, object);
  return typeof key === "number" ? key : system.kernel.mapDelete(object.map, key);
}

function nextKey(system: SystemState, attr: BpfAttr): number {
  const object = mapFor(system, attr, "read");
  if (typeof object === "number") return object;
  const key = attr.key === undefined ? undefined : keyOf(attr, object);
  if (typeof key === "number") return key;
  return copyValue(system.kernel.mapNextKey(object.map, key), attr.next_key);
}

function lookupAndDelete(system: SystemState, attr: BpfAttr): number {
  const flags = attr.flags ?? 0n;
  if ((flags & ~lookupFlags) !== 0n) return -errno.EINVAL;
  const file = fileOf(system, "map", attr.map_fd);
  if (typeof file === "number") return file;
  if (file.access !== "read-write") return -errno.EPERM;
  const object = file.object as MapObject;
  if (object.map.frozen) return -errno.EPERM;
  const key = keyOf(attr, object);
  if (typeof key === "number") return key;
  return copyValue(system.kernel.mapLookupAndDelete(object.map, key), attr.value);
}

function freeze(system: SystemState, attr: BpfAttr): number {
  const file = fileOf(system, "map", attr.map_fd);
  if (typeof file === "number") return file;
  const { map } = file.object as MapObject;
  if (map.description.hasLock === true) return -errno.ENOTSUPP;
  if (file.access === "read" || map.frozen) return -errno.EPERM;
  map.frozen = true;
  return 0;
}

const mapFields = [
  "map_type",
  "key_size",
  "value_size",
  "max_entries",
  "map_flags",
  "inner_map_fd",
  "numa_node",
  "map_name",
  "btf_fd",
  "btf_key_type_id",
  "btf_value_type_id",
  "map_extra",
] as const;

/** By the name of the command without `BPF_`. */
export const mapCommands: Readonly<Record<string, Command>> = {
  MAP_CREATE: { fields: mapFields, run: create },
  MAP_LOOKUP_ELEM: { fields: ["map_fd", "key", "value", "flags"], run: lookup },
  MAP_UPDATE_ELEM: { fields: ["map_fd", "key", "value", "flags"], run: update },
  MAP_DELETE_ELEM: { fields: ["map_fd", "key"], run: remove },
  MAP_GET_NEXT_KEY: { fields: ["map_fd", "key", "next_key"], run: nextKey },
  MAP_LOOKUP_AND_DELETE_ELEM: { fields: ["map_fd", "key", "value", "flags"], run: lookupAndDelete },
  MAP_FREEZE: { fields: ["map_fd"], run: freeze },
};
