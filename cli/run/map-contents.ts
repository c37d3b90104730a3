/** Map contents after a run, raw and decoded with BTF. */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { type BtfValue, btfValue, formatBtfValue } from "../../common/object/btf-value.ts";
import { mapTypeById } from "../../common/platform/map-types.ts";
import type { LoadedObject, MapSpec } from "../../linker/program.ts";
import type { LoadedSet } from "../../vm/kernel/kernel.ts";
import type { BpfMap } from "../../vm/maps/map.ts";
import { PerfEventArrayMap } from "../../vm/maps/perf-event-array.ts";
import { RingBufferMap } from "../../vm/maps/ring-buffer.ts";
import { toHex } from "./hex.ts";

/** One entry; `keyText` and `valueText` are what the table shows. */
export interface MapEntry {
  readonly key: string;
  readonly value: string;
  readonly decodedKey: BtfValue;
  readonly decodedValue: BtfValue;
}

export interface MapContents {
  readonly name: string;
  readonly type: string;
  readonly entries: readonly MapEntry[];
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

function decoded(btf: Btf | undefined, type: TypeId, bytes: Uint8Array): BtfValue {
  return btf === undefined || type === 0 ? `0x${toHex(bytes)}` : btfValue(btf, type, bytes);
}

/** Per-CPU values are a list, one item a CPU. */
function decodedValue(
  btf: Btf | undefined,
  spec: MapSpec,
  map: BpfMap,
  bytes: Uint8Array,
): BtfValue {
  if (!map.isPerCpu) return decoded(btf, spec.valueType, bytes);
  const stride = bytes.length / map.host.cpuCount;
  return Array.from({ length: map.host.cpuCount }, (_, cpu) =>
    decoded(btf, spec.valueType, bytes.subarray(cpu * stride, cpu * stride + spec.valueSize)),
  );
}

/** Records that wait for a reader stand as entries numbered in order. */
function records(map: BpfMap): readonly Uint8Array[] | undefined {
  if (map instanceof RingBufferMap) return map.consume().map((record) => record);
  if (map instanceof PerfEventArrayMap) return map.consume().map((sample) => sample.data);
  return undefined;
}

/** Contents of every map; array elements that are all zero are left out. */
export function mapContents(loaded: LoadedObject, set: LoadedSet): MapContents[] {
  return loaded.maps.flatMap((spec): MapContents[] => {
    const map = set.maps.get(spec.name);
    if (map === undefined) return [];
    const type = (mapTypeById(spec.type)?.name ?? String(spec.type))
      .replace("BPF_MAP_TYPE_", "")
      .toLowerCase();
    const waiting = records(map);
    if (waiting !== undefined) {
      const entries = waiting.map((bytes, i) => ({
        key: String(i),
        value: toHex(bytes),
        decodedKey: i,
        decodedValue: `0x${toHex(bytes)}`,
      }));
      return [{ name: spec.name, type, entries }];
    }
    const isArray = /array/.test(type);
    const entries = map
      .entries()
      .filter(([, value]) => !isArray || spec.dataSection !== undefined || !isZero(value))
      .map(([key, value]) => ({
        key: toHex(key),
        value: toHex(value),
        decodedKey: isArray ? arrayIndex(key, loaded) : decoded(loaded.btf, spec.keyType, key),
        decodedValue: decodedValue(loaded.btf, spec, map, value),
      }));
    return [{ name: spec.name, type, entries }];
  });
}

function arrayIndex(key: Uint8Array, loaded: LoadedObject): number {
  if (key.length < 4) return 0;
  return new DataView(key.buffer, key.byteOffset).getUint32(0, loaded.endian === "little");
}

/** A map as a table of two columns. */
export function mapTable(map: MapContents): string {
  const rows = map.entries.map(
    (e) => [formatBtfValue(e.decodedKey), formatBtfValue(e.decodedValue)] as const,
  );
  const width = Math.max(3, ...rows.map(([key]) => key.length));
  const lines = rows.map(([key, value]) => `  ${key.padEnd(width)}  ${value}`);
  return [`${map.name} (${map.type})`, `  ${"key".padEnd(width)}  value`, ...lines].join("\n");
}
