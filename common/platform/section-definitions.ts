/** The rows of libbpf's table of SEC() names. What they stand for is in sections.ts. */
import { lazy } from "../lazy.ts";
import { sectionRows } from "./generated/program-types.ts";
import { lazyRows } from "./rows.ts";

export interface SectionDefinition {
  readonly name: string;
  /** `name/anything` matches too. */
  readonly prefix: boolean;
  readonly programType: number;
  readonly attachType: number | undefined;
  readonly flags: readonly SectionFlag[];
  readonly autoAttach: boolean;
  /** What stands behind the slash, e.g. `<func>`. */
  readonly extra: string | undefined;
}

export type SectionFlag =
  | "attachable"
  | "attach_btf_id"
  | "expected_attach_type_optional"
  | "sleepable"
  | "usdt"
  | "xdp_frags";

type SectionRow = readonly [
  name: string,
  prefix: 0 | 1,
  programType: number,
  attachType?: number | null,
  flags?: readonly SectionFlag[] | null,
  autoAttach?: 1 | null,
  extra?: string | null,
];

/** The table in libbpf's order; the first match counts. */
export const sectionDefinitions = lazy((): readonly SectionDefinition[] =>
  lazyRows<SectionRow>(sectionRows)().map((row) => ({
    name: row[0],
    prefix: row[1] === 1,
    programType: row[2],
    attachType: row[3] ?? undefined,
    flags: row[4] ?? [],
    autoAttach: row[5] === 1,
    extra: row[6] ?? undefined,
  })),
);

/** The row of a section's name, which may start with `?`; undefined where libbpf has none. */
export function definitionForSection(section: string): SectionDefinition | undefined {
  const name = section.startsWith("?") ? section.slice(1) : section;
  return sectionDefinitions().find(
    (candidate) =>
      candidate.name === name || (candidate.prefix && name.startsWith(`${candidate.name}/`)),
  );
}
