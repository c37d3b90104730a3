/**
 * What programs learn of the kernel's release while they are verified: LINUX_KERNEL_VERSION, a
 * constant of the map `.kconfig`. Branches on it are taken as that kernel takes them.
 */
import { btfTypeById } from "../../common/object/btf-types.ts";
import type { KernelVersion } from "../../common/platform/rows.ts";
import type { LoadedObject, MapSpec } from "../../linker/program.ts";

const section = ".kconfig";
const variableName = "LINUX_KERNEL_VERSION";

/** Where the variable lies in the map's value; undefined if the object does not ask. */
function offsetOfRelease({ btf }: LoadedObject): number | undefined {
  const type = btf?.types.find((t) => t.kind === "datasec" && t.name === section);
  if (btf === undefined || type?.kind !== "datasec") return undefined;
  return type.entries.find((entry) => {
    const variable = btfTypeById(btf, entry.type);
    return variable?.kind === "var" && variable.name === variableName;
  })?.offset;
}

/** KERNEL_VERSION(major, minor, 0). */
function releaseCode(kernel: KernelVersion): number {
  const [major = 0, minor = 0] = kernel.split(".").map(Number);
  return (major << 16) | (minor << 8);
}

/** The object as it would be loaded on another release; the same where it does not ask for it. */
export function forRelease(loaded: LoadedObject, kernel: KernelVersion): LoadedObject {
  const offset = offsetOfRelease(loaded);
  if (offset === undefined) return loaded;
  const changed = (map: MapSpec): MapSpec => {
    if (map.dataSection !== section || map.initial === undefined) return map;
    const initial = map.initial.slice();
    new DataView(initial.buffer).setUint32(offset, releaseCode(kernel), loaded.endian === "little");
    return { ...map, initial };
  };
  return { ...loaded, maps: loaded.maps.map(changed) };
}
