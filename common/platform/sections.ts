/** SEC() names: which program type, attach type and flags libbpf derives from a section's name. */
import { sectionRows } from "./generated/program-types.ts";
import {
  type AttachType,
  attachTypeById,
  type ProgramType,
  programTypeById,
} from "./program-types.ts";
import { lazy, lazyRows } from "./rows.ts";

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

/** What a loader learns from a program section's name. */
export interface SectionMatch {
  /** The name without `?`. */
  readonly name: string;
  readonly definition: SectionDefinition;
  readonly programType: ProgramType;
  readonly attachType: AttachType | undefined;
  readonly sleepable: boolean;
  /** BPF_F_XDP_HAS_FRAGS. */
  readonly fragments: boolean;
  /** False for `SEC("?…")`: loaded only on request. */
  readonly autoload: boolean;
  /** The text after the first slash of a prefix match: `kprobe/do_open` → `do_open`. */
  readonly target: string | undefined;
}

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

/** Undefined where libbpf would say that it cannot guess the program type. */
export function programTypeForSection(section: string): SectionMatch | undefined {
  const autoload = !section.startsWith("?");
  const name = autoload ? section : section.slice(1);
  const definition = sectionDefinitions().find(
    (candidate) =>
      candidate.name === name || (candidate.prefix && name.startsWith(`${candidate.name}/`)),
  );
  const programType = definition && programTypeById(definition.programType);
  if (definition === undefined || programType === undefined) return undefined;
  return {
    name,
    definition,
    programType,
    attachType:
      definition.attachType === undefined ? undefined : attachTypeById(definition.attachType),
    sleepable: definition.flags.includes("sleepable"),
    fragments: definition.flags.includes("xdp_frags"),
    autoload,
    target: name === definition.name ? undefined : name.slice(definition.name.length + 1),
  };
}
