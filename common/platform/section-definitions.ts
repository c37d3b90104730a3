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
  lazyRows<SectionRow>(sectionRows)().map(definitionOf),
);

function definitionOf(row: SectionRow): SectionDefinition {
  return {
    name: row[0],
    prefix: row[1] === 1,
    programType: row[2],
    attachType: row[3] ?? undefined,
    flags: row[4] ?? [],
    autoAttach: row[5] === 1,
    extra: row[6] ?? undefined,
  };
}

/** The row with a name, read alone: a program has few sections. No name stands in the table twice. */
function rowNamed(
  name: string,
): { readonly at: number; readonly definition: SectionDefinition } | undefined {
  const at = sectionRows.indexOf(`[${JSON.stringify(name)},`);
  if (at < 0) return undefined;
  const end = sectionRows.indexOf("\n", at);
  const line = sectionRows.slice(at, end < 0 ? undefined : end);
  return { at, definition: definitionOf(JSON.parse(line) as SectionRow) };
}

/** The row of a section's name, which may start with `?`; undefined where libbpf has none. */
export function definitionForSection(section: string): SectionDefinition | undefined {
  const name = section.startsWith("?") ? section.slice(1) : section;
  let first: ReturnType<typeof rowNamed>;
  for (let end = name.length; end > 0; end = name.lastIndexOf("/", end - 1)) {
    const found = rowNamed(name.slice(0, end));
    const matches = found !== undefined && (end === name.length || found.definition.prefix);
    if (matches && (first === undefined || found.at < first.at)) first = found;
  }
  return first?.definition;
}
