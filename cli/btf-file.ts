/**
 * BTF from a file: raw, as the kernel shows it, or the .BTF section of any ELF file, also compressed
 * and in archives. A module's is split: it continues the kernel's, which is named beside it or distilled in .BTF.base.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import { type BtfReadResult, readBtfWithStrings } from "../common/object/btf-reader.ts";
import { isElf } from "../common/object/read-elf.ts";
import { foreignSection } from "../linker/foreign-elf.ts";
import { relocateToBase } from "../linker/split-btf.ts";
import { readUnpacked } from "./archive/read-archive.ts";
import { nodeFileSystem } from "./node-file-system.ts";

/** Where a running kernel shows its modules' BTF, and its own, which they continue. */
const kernelFolder = "/sys/kernel/btf/";
const kernelBase = `${kernelFolder}vmlinux`;

/** Undefined after an error has been reported. `basePath` names the base of split BTF. */
export function readBtfFile(
  path: string,
  diagnostics: Diagnostics,
  basePath?: string,
): Btf | undefined {
  const bytes = readUnpacked(path, diagnostics);
  if (bytes === undefined) return undefined;
  const section = isElf(bytes) ? foreignSection(bytes, ".BTF") : bytes;
  if (section === undefined) {
    diagnostics.error("no-btf", `${path}: it has no .BTF section`);
    return undefined;
  }
  const isModule = path.startsWith(kernelFolder) && path !== kernelBase;
  const baseFile = basePath ?? (isModule ? kernelBase : undefined);
  const base = baseFile === undefined ? undefined : readBase(baseFile, diagnostics);
  if (baseFile !== undefined && base === undefined) return undefined;
  const distilled = isElf(bytes) ? foreignSection(bytes, ".BTF.base") : undefined;
  if (distilled === undefined) return readBtfWithStrings(section, diagnostics, path, base)?.btf;
  return readDistilled(section, distilled, base, path, diagnostics);
}

function readBase(path: string, diagnostics: Diagnostics): BtfReadResult | undefined {
  const bytes = nodeFileSystem.readFile(path);
  const section = bytes && isElf(bytes) ? foreignSection(bytes, ".BTF") : bytes;
  if (section === undefined) {
    diagnostics.error("no-btf", `${path}: no BTF to be a base`);
    return undefined;
  }
  return readBtfWithStrings(section, diagnostics, path);
}

function readDistilled(
  section: Uint8Array,
  distilled: Uint8Array,
  base: BtfReadResult | undefined,
  path: string,
  diagnostics: Diagnostics,
): Btf | undefined {
  const names = readBtfWithStrings(distilled, diagnostics, `${path}: .BTF.base`);
  const split = names && readBtfWithStrings(section, diagnostics, path, names)?.btf;
  if (split === undefined || base === undefined) return split;
  const relocated = relocateToBase(split, base.btf);
  if (typeof relocated !== "string") return relocated;
  diagnostics.error("bad-btf", `${path}: ${relocated}`);
  return undefined;
}
