/** What all commands share: the kernel that runs programs, its handles, its bpffs, its devices. */
import type { Kernel } from "../kernel/kernel.ts";
import type { Handles } from "./handles.ts";
import type { NetworkDevices } from "./network-devices.ts";
import type { BpfObject, Hook, LinkObject, ProgramObject } from "./objects.ts";

export interface Attachment {
  readonly hook: Hook;
  /** A link whose program may be exchanged, or a program attached without one. */
  readonly owner: LinkObject | ProgramObject;
}

export interface SystemState {
  readonly kernel: Kernel;
  readonly handles: Handles;
  /** The tree of bpffs: path → object. */
  readonly pins: Map<string, BpfObject>;
  readonly devices: NetworkDevices;
  /** In the order in which they were made: programs of one hook run in it. */
  readonly attachments: Attachment[];
  nextLinkId: number;
  nextBtfId: number;
}

/** The program that an attachment runs now. */
export function attachedProgram({ owner }: Attachment): ProgramObject {
  return owner.kind === "link" ? owner.program : owner;
}

export function sameHook(a: Hook, b: Hook): boolean {
  // Iterators walk by themselves: no event is at their hook.
  if (a.kind === "iterator" || b.kind === "iterator") return a === b;
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Programs at a hook, in their order. */
export function programsAt(system: SystemState, hook: Hook): readonly ProgramObject[] {
  return system.attachments.filter((each) => sameHook(each.hook, hook)).map(attachedProgram);
}
