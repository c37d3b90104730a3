/** Map types: sizes that the kernel takes, operations, flags. Measured on Linux 6.18. */
import { lazy } from "../lazy.ts";
import { mapTypeRows } from "./generated/map-types.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

/** Inclusive ranges of bytes (or entries); a null limit means none. */
export type SizeRule = readonly (readonly [lowest: number, highest: number | null])[];

export interface MapType {
  readonly id: number;
  /** `BPF_MAP_TYPE_HASH`. */
  readonly name: string;
  readonly since: KernelVersion | undefined;
  readonly keySize: SizeRule;
  readonly valueSize: SizeRule;
  readonly maxEntries: SizeRule;
  /** bpf() commands: `lookup`, `update`, `delete`, `get_next_key`, `lookup_batch` … */
  readonly operations: readonly string[];
  /** `BPF_F_*` accepted at creation. */
  readonly flags: readonly string[];
  /** Helpers that take this map. */
  readonly helpers: readonly string[];
  readonly freezable: boolean;
  readonly sleepable: boolean;
  /** How programs reach values: `direct`, `direct (per cpu)` …; undefined: not at all. */
  readonly valueAccess: string | undefined;
  /** errno names of refused bpf() commands. */
  readonly refusals: Readonly<Record<string, string>>;
  /** Known to Linux 6.18. */
  readonly current: boolean;
}

type MapTypeRow = readonly [
  id: number,
  name: string,
  since: string | null,
  keySize: SizeRule,
  valueSize: SizeRule,
  maxEntries: SizeRule,
  operations?: readonly string[] | null,
  flags?: readonly string[] | null,
  helpers?: readonly string[] | null,
  freezable?: boolean | null,
  sleepable?: boolean | null,
  valueAccess?: string | null,
  refusals?: Readonly<Record<string, string>> | null,
  current?: boolean | null,
];

const rows = lazyRows<MapTypeRow>(mapTypeRows);

/** All map types, by id ascending. */
export const allMapTypes = lazy((): readonly MapType[] =>
  rows().map((row) => ({
    id: row[0],
    name: row[1],
    since: row[2] ?? undefined,
    keySize: row[3],
    valueSize: row[4],
    maxEntries: row[5],
    operations: row[6] ?? [],
    flags: row[7] ?? [],
    helpers: row[8] ?? [],
    freezable: row[9] ?? false,
    sleepable: row[10] ?? false,
    valueAccess: row[11] ?? undefined,
    refusals: row[12] ?? {},
    current: row[13] ?? false,
  })),
);

const byId = lazy(() => new Map(allMapTypes().map((type) => [type.id, type])));
const byName = lazy(() => new Map(allMapTypes().map((type) => [type.name, type])));

export function mapTypeById(id: number): MapType | undefined {
  return byId().get(id);
}

/** By name with or without `BPF_MAP_TYPE_`, in any case: `BPF_MAP_TYPE_HASH`, `hash`. */
export function mapTypeByName(name: string): MapType | undefined {
  const upper = name.toUpperCase();
  return byName().get(upper) ?? byName().get(`BPF_MAP_TYPE_${upper}`);
}

/** Whether a size or count keeps the rule. */
export function keepsSizeRule(rule: SizeRule, size: number): boolean {
  return rule.some(([lowest, highest]) => size >= lowest && (highest === null || size <= highest));
}
