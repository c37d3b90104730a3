/** What a command of bpf(2) is: the fields that it reads, and what it does. */
import { errno } from "../errno.ts";
import type { AttrField, BpfAttr, Found } from "./attr.ts";
import type { ObjectKind, OpenFile } from "./objects.ts";
import type { SystemState } from "./system-state.ts";

export interface Command {
  /** Fields that may be given; any other one that is not zero makes it EINVAL. */
  readonly fields: readonly AttrField[];
  /** A descriptor or 0, or a negative errno. */
  readonly run: (system: SystemState, attr: BpfAttr) => number;
}

/** The open object of that kind: EBADF where the descriptor is not open, EINVAL for another kind. */
export function objectOf<Kind extends ObjectKind>(
  system: SystemState,
  kind: Kind,
  descriptor: number | undefined,
): Found<Kind> {
  const file = fileOf(system, kind, descriptor);
  return typeof file === "number" ? file : (file.object as Exclude<Found<Kind>, number>);
}

/** Like {@link objectOf}, with the rights of the descriptor. */
export function fileOf(
  system: SystemState,
  kind: ObjectKind,
  descriptor: number | undefined,
): OpenFile | number {
  const file = system.handles.file(descriptor ?? 0);
  if (file === undefined) return -errno.EBADF;
  return file.object.kind === kind ? file : -errno.EINVAL;
}

/** The kernel's rule for names of objects: 15 characters of letters, digits, `_` and `.`. */
export function isObjectName(name: string): boolean {
  return name.length < 16 && /^[\w.]*$/.test(name);
}
