/** What is linked: objects with their paths and BTF, and where their sections go. */
import type { ObjectFile, ObjectSection, SectionIndex } from "../../common/object/object-file.ts";
import type { ObjectView } from "../object-view.ts";

export interface LinkInput {
  readonly object: ObjectFile;
  /** As the user named it, for messages. */
  readonly path: string;
}

/** Where an input section's bytes stand in the output. */
export interface Placement {
  /** Index into the output's sections. */
  readonly section: SectionIndex;
  /** Bytes from that section's start. */
  readonly offset: number;
}

export interface PlacedInput {
  readonly view: ObjectView;
  /** By input section; undefined for sections that are left out. */
  readonly placements: readonly (Placement | undefined)[];
}

/** An output section while it is put together. */
export interface DraftSection {
  readonly name: string;
  readonly kind: ObjectSection["kind"];
  readonly elfType: number;
  readonly flags: number;
  readonly entrySize: number;
  align: number;
  size: number;
  /** The input that brought it, for messages. */
  readonly path: string;
  readonly parts: { readonly offset: number; readonly data: Uint8Array }[];
}
