/**
 * `extern … __kconfig`: values that the loader fills in before loading. They become one read-only
 * map, `.kconfig`.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { btfSizeOf, btfTypeById, skipModifiers } from "../common/object/btf-types.ts";
import type { ObjectView } from "./object-view.ts";
import type { MapSpec } from "./program.ts";

/** Values by variable name: numbers, `y`/`n`/`m`, or text. */
export type KconfigValues = Readonly<Record<string, bigint | number | string | boolean>>;

/** What holds for the kernel that bpfc models: Linux 6.18 on x86-64. */
export const defaultKconfig: KconfigValues = {
  LINUX_KERNEL_VERSION: 0x061200,
  LINUX_HAS_SYSCALL_WRAPPER: true,
  LINUX_HAS_BPF_COOKIE: true,
  CONFIG_HZ: 1000,
  CONFIG_BPF_SYSCALL: "y",
  CONFIG_BPF_JIT: "y",
  CONFIG_DEBUG_INFO_BTF: "y",
};

export interface KconfigMap {
  readonly spec: MapSpec;
  /** Byte offset of each variable in the map's value. */
  readonly offsets: ReadonlyMap<string, number>;
}

/** Sizes come from BTF, which may be corrupt. */
const largestKconfig = 1 << 20;

const tristate: Readonly<Record<string, bigint>> = { n: 0n, y: 1n, m: 2n };

function numberOf(value: bigint | number | string | boolean): bigint | undefined {
  if (typeof value === "bigint") return value;
  if (typeof value === "number" || typeof value === "boolean") return BigInt(Number(value));
  return tristate[value] ?? (/^-?(0x[0-9a-f]+|\d+)$/i.test(value) ? BigInt(value) : undefined);
}

function writeInteger(
  bytes: Uint8Array,
  offset: number,
  size: number,
  value: bigint,
  little: boolean,
): void {
  for (let i = 0; i < size; i++) {
    const at = little ? offset + i : offset + size - 1 - i;
    bytes[at] = Number((value >> BigInt(8 * i)) & 0xffn);
  }
}

interface Variable {
  readonly name: string;
  readonly size: number;
  /** Bytes. */
  readonly align: number;
  readonly isText: boolean;
  readonly weak: boolean;
}

/** libbpf's order: the most aligned first, then the smallest, then by name. */
function compareVariables(a: Variable, b: Variable): number {
  return b.align - a.align || a.size - b.size || (a.name < b.name ? -1 : 1);
}

function kconfigVariables(view: ObjectView): readonly Variable[] {
  const { btf } = view;
  const section = btf?.types.find((t) => t.kind === "datasec" && t.name === ".kconfig");
  if (btf === undefined || section?.kind !== "datasec") return [];
  const variables = section.entries.flatMap((entry): Variable[] => {
    const variable = btfTypeById(btf, entry.type);
    if (variable?.kind !== "var") return [];
    const symbol = view.object.symbols.find(
      (s) => s.name === variable.name && s.section === "undefined",
    );
    if (symbol === undefined) return [];
    const isText = skipModifiers(btf, variable.type)?.kind === "array";
    const size = btfSizeOf(btf, variable.type) ?? 0;
    const weak = symbol.binding === "weak";
    return [{ name: variable.name, size, align: isText ? 1 : Math.max(1, size), isText, weak }];
  });
  return variables.sort(compareVariables);
}

/**
 * The `.kconfig` map, or undefined where the object has no such externs. What has no value is an
 * error, or 0 where `unknownIsZero`.
 */
export function kconfigMap(
  view: ObjectView,
  values: KconfigValues,
  diagnostics: Diagnostics,
  unknownIsZero = false,
): KconfigMap | undefined {
  const variables = kconfigVariables(view);
  if (variables.length === 0) return undefined;
  const offsets = new Map<string, number>();
  let size = 0;
  for (const variable of variables) {
    size = Math.ceil(size / variable.align) * variable.align;
    offsets.set(variable.name, size);
    size += variable.size;
  }
  if (size > largestKconfig) {
    diagnostics.error("bad-btf", `${view.path}: the variables of .kconfig need ${size} bytes`);
    return undefined;
  }
  const initial = new Uint8Array(size);
  for (const variable of variables) {
    const value = Object.hasOwn(values, variable.name) ? values[variable.name] : undefined;
    const offset = offsets.get(variable.name) ?? 0;
    if (value === undefined) {
      if (!variable.weak && !unknownIsZero) {
        diagnostics.error(
          "unresolved-extern",
          `${view.path}: no value for extern '${variable.name}' (.kconfig)`,
        );
      }
    } else if (variable.isText) {
      initial.set(new TextEncoder().encode(String(value)).subarray(0, variable.size - 1), offset);
    } else {
      writeInteger(
        initial,
        offset,
        variable.size,
        numberOf(value) ?? 0n,
        view.object.endian === "little",
      );
    }
  }
  const spec: MapSpec = {
    name: ".kconfig",
    type: 2,
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: 0x80 | 0x400,
    extra: 0n,
    keyType: 0,
    valueType: 0,
    pinning: 0,
    slots: [],
    initial,
    frozen: true,
    dataSection: ".kconfig",
  };
  return { spec, offsets };
}
