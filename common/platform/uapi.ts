/** Constants, structs and commands of linux/bpf.h. */
import { lazy } from "../lazy.ts";
import { commandRows, constantRows, structRows } from "./generated/uapi.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

type ConstantRow = readonly [
  name: string,
  value: string,
  of?: string | null,
  since?: string | null,
];

const constants = lazy(
  () => new Map(lazyRows<ConstantRow>(constantRows)().map((row) => [row[0], BigInt(row[1])])),
);

/** The value of a macro or enumerator of linux/bpf.h. */
export function uapiConstant(name: string): bigint | undefined {
  return constants().get(name);
}

/** Name → value of an enum of linux/bpf.h, e.g. `xdp_action`. */
export function uapiEnum(name: string): ReadonlyMap<string, bigint> {
  const rows = lazyRows<ConstantRow>(constantRows)();
  return new Map(rows.filter((row) => row[2] === name).map((row) => [row[0], BigInt(row[1])]));
}

export interface UapiField {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
  /** C type. */
  readonly type: string;
}

export interface UapiStruct {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  /** Anonymous members flattened; members of a union share offsets. */
  readonly fields: readonly UapiField[];
}

type StructRow = readonly [
  kind: "struct" | "union",
  name: string,
  size: number,
  fields: readonly (readonly [string, number, number, string])[],
];

const structs = lazy(
  () =>
    new Map(
      lazyRows<StructRow>(structRows)().map(([kind, name, size, fields]) => [
        name,
        {
          kind,
          name,
          size,
          fields: fields.map(([field, offset, bytes, type]) => ({
            name: field,
            offset,
            size: bytes,
            type,
          })),
        } satisfies UapiStruct,
      ]),
    ),
);

export function uapiStruct(name: string): UapiStruct | undefined {
  return structs().get(name);
}

export type CommandRow = readonly [id: number, name: string, since?: KernelVersion | null];
/** The commands of bpf(2). */
export const bpfCommands = lazyRows<CommandRow>(commandRows);
