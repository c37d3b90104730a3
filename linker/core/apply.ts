/** All CO-RE relocations of an object against the BTF of the kernel that it shall run on. */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Btf, BtfExt } from "../../common/object/btf.ts";
import type { ObjectFile } from "../../common/object/object-file.ts";
import { describeAccess } from "./describe.ts";
import { patchInstruction } from "./patch.ts";
import { type CoreResolution, resolveCoreRelocation } from "./resolve.ts";

export interface CoreApplication {
  /** The object with its code changed; other sections are shared. */
  readonly object: ObjectFile;
  /** By section name, in the order of BTF.ext. */
  readonly resolutions: readonly {
    readonly section: string;
    readonly resolution: CoreResolution;
  }[];
}

export interface CoreInput {
  readonly object: ObjectFile;
  readonly path: string;
  readonly btf: Btf;
  readonly btfExt: BtfExt;
}

/**
 * Relocates. Errors are reported per relocation, except in sections of programs that are not loaded
 * unless asked for (`SEC("?…")`), where the instruction is poisoned instead.
 */
export function applyCoreRelocations(
  input: CoreInput,
  target: Btf,
  diagnostics: Diagnostics,
): CoreApplication {
  const { object, path, btf, btfExt } = input;
  const patched = new Map<string, Uint8Array>();
  const resolutions: CoreApplication["resolutions"][number][] = [];
  for (const { section, records } of btfExt.coreRelocations) {
    const data = object.sections.find((candidate) => candidate.name === section)?.data;
    if (data === undefined) {
      diagnostics.error("bad-relocation", `${path}: CO-RE relocations for missing '${section}'`);
      continue;
    }
    const code = patched.get(section) ?? data.slice();
    patched.set(section, code);
    for (const relocation of records) {
      const resolution = resolveCoreRelocation(btf, relocation, target);
      resolutions.push({ section, resolution });
      const { decision } = resolution;
      const message =
        decision.kind === "error"
          ? decision.message
          : patchInstruction(code, relocation.insnOffset, object.endian, decision);
      if (message === undefined) continue;
      if (section.startsWith("?")) {
        const poison = { kind: "poison", original: 0n } as const;
        patchInstruction(code, relocation.insnOffset, object.endian, poison);
        continue;
      }
      const place = `${section} instruction ${relocation.insnOffset >> 3}`;
      const what = describeAccess(btf, relocation);
      diagnostics.error("core-relocation", `${path}: ${place}: ${what}: ${message}`);
    }
  }
  const sections = object.sections.map((section) => {
    const data = patched.get(section.name);
    return data === undefined ? section : { ...section, data };
  });
  return { object: { ...object, sections }, resolutions };
}
