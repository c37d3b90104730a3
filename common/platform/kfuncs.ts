/** Kernel functions that programs may call: flags, parameter annotations, versions. */
import { lazy } from "../lazy.ts";
import { kfuncRows } from "./generated/kfuncs.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

export interface Kfunc {
  readonly name: string;
  /** C prototype. */
  readonly proto: string;
  /** `KF_ACQUIRE`, `KF_RELEASE`, `KF_RET_NULL`, `KF_TRUSTED_ARGS`, `KF_SLEEPABLE`, `KF_ITER_NEW` … */
  readonly flags: readonly string[];
  readonly since: KernelVersion | undefined;
  /** Present in the Linux 6.18 that was measured. */
  readonly current: boolean;
  /** C type and name; empty where only the prototype is known. */
  readonly params: readonly (readonly [type: string, name: string])[];
  /** Parameter name → the suffix that the verifier interprets (`sz`, `ign`, `str`, `uninit` …). */
  readonly annotations: Readonly<Record<string, string>>;
  /** Program types without prefix; `XDP@(sleepable only)` where restricted. */
  readonly programTypes: readonly string[];
}

type KfuncRow = readonly [
  name: string,
  proto: string,
  flags?: readonly string[] | null,
  since?: string | null,
  current?: 1 | null,
  params?: readonly (readonly [string, string])[] | null,
  annotations?: Readonly<Record<string, string>> | null,
  programTypes?: readonly string[] | null,
];

/** All kfuncs, by name. */
export const allKfuncs = lazy((): readonly Kfunc[] =>
  lazyRows<KfuncRow>(kfuncRows)().map((row) => ({
    name: row[0],
    proto: row[1],
    flags: row[2] ?? [],
    since: row[3] ?? undefined,
    current: row[4] === 1,
    params: row[5] ?? [],
    annotations: row[6] ?? {},
    programTypes: row[7] ?? [],
  })),
);

const byName = lazy(() => new Map(allKfuncs().map((kfunc) => [kfunc.name, kfunc])));

export function kfuncByName(name: string): Kfunc | undefined {
  return byName().get(name);
}
