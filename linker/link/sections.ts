/** Merging of sections by name: each input's part is aligned and appended. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { ObjectSection } from "../../common/object/object-file.ts";
import type { ObjectView } from "../object-view.ts";
import type { DraftSection, PlacedInput, Placement } from "./input.ts";

const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;

/** One value for the whole object: all inputs must agree, and the first one's is kept. */
const singular = new Set(["license", "version"]);

/** BTF is merged apart; debugging information other than BTF is left out. */
function isLeftOut(section: ObjectSection): boolean {
  const { name } = section;
  if (name === ".BTF" || name === ".BTF.ext") return true;
  if (section.kind === "other" || section.kind === "note") return true;
  return (section.flags & SHF_ALLOC) === 0 || (name === ".text" && section.size === 0);
}

export interface MergedSections {
  readonly drafts: readonly DraftSection[];
  readonly inputs: readonly PlacedInput[];
}

/** Lays out all inputs; conflicts are reported. */
export function mergeSections(
  views: readonly ObjectView[],
  diagnostics: Diagnostics,
): MergedSections {
  const drafts: DraftSection[] = [];
  const indexOf = new Map<string, number>();
  const inputs = views.map((view): PlacedInput => {
    const placements = view.object.sections.map((section): Placement | undefined => {
      if (isLeftOut(section)) return undefined;
      const index = indexOf.get(section.name);
      const draft = index === undefined ? undefined : drafts[index];
      if (index === undefined || draft === undefined) {
        indexOf.set(section.name, drafts.length);
        drafts.push(newDraft(section, view.path));
        return { section: drafts.length - 1, offset: append(drafts.at(-1)!, section) };
      }
      const problem = conflict(draft, section);
      if (problem !== undefined) {
        const message = `section '${section.name}' ${problem}: ${draft.path} and ${view.path}`;
        diagnostics.error("section-conflict", message);
      }
      if (singular.has(section.name)) return undefined;
      return { section: index, offset: append(draft, section) };
    });
    return { view, placements };
  });
  return { drafts, inputs };
}

function newDraft(section: ObjectSection, path: string): DraftSection {
  const { name, kind, elfType, flags, entrySize } = section;
  return { name, kind, elfType, flags, entrySize, align: 1, size: 0, path, parts: [] };
}

function append(draft: DraftSection, section: ObjectSection): number {
  const isCode = (draft.flags & SHF_EXECINSTR) !== 0;
  const align = Math.max(section.align, isCode ? 8 : 1);
  const offset = Math.ceil(draft.size / align) * align;
  draft.align = Math.max(draft.align, align);
  draft.size = offset + section.size;
  if (section.kind !== "nobits") draft.parts.push({ offset, data: section.data });
  return offset;
}

function conflict(draft: DraftSection, section: ObjectSection): string | undefined {
  if (draft.kind !== section.kind) return "holds data in one object and only zeros in another";
  if (draft.flags !== section.flags) return "has different flags";
  if (!singular.has(draft.name)) return undefined;
  const first = draft.parts[0]?.data ?? new Uint8Array(0);
  const { data } = section;
  const isSame = first.length === data.length && data.every((byte, at) => byte === first[at]);
  if (isSame) return undefined;
  return draft.name === "license"
    ? `differs ('${textOf(first)}' and '${textOf(data)}')`
    : "differs";
}

/** Bytes up to the first NUL. */
function textOf(data: Uint8Array): string {
  const end = data.indexOf(0);
  return new TextDecoder().decode(end < 0 ? data : data.subarray(0, end));
}

/** The bytes of a finished draft. */
export function draftData(draft: DraftSection): Uint8Array {
  if (draft.kind === "nobits") return new Uint8Array(0);
  const data = new Uint8Array(draft.size);
  for (const part of draft.parts) data.set(part.data, part.offset);
  return data;
}
