/** SEC() names: which program type, attach type and flags libbpf derives from a section's name. */
import {
  type AttachType,
  attachTypeById,
  type ProgramType,
  programTypeById,
} from "./program-types.ts";
import { definitionForSection, type SectionDefinition } from "./section-definitions.ts";

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

/** Undefined where libbpf would say that it cannot guess the program type. */
export function programTypeForSection(section: string): SectionMatch | undefined {
  const autoload = !section.startsWith("?");
  const name = autoload ? section : section.slice(1);
  const definition = definitionForSection(name);
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
