/** The text of vmlinux.h, made from BTF. */
import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Btf } from "../../common/object/btf.ts";
import { readBtf } from "../../common/object/btf-reader.ts";
import { vmlinuxHeader } from "../../linker/dump/c.ts";
import { sortForC } from "../../linker/dump/order.ts";
import { ownTypes } from "../../linker/dump/raw.ts";
import { readBtfFile } from "../btf-file.ts";
import { shippedKernelBtf } from "./shipped-btf.ts";

function headerOf(btf: Btf | undefined): Uint8Array | undefined {
  if (btf === undefined) return undefined;
  return new TextEncoder().encode(vmlinuxHeader(btf, sortForC(btf, ownTypes(btf))));
}

/** From a BTF file or an ELF file with BTF; undefined after a report. */
export function headerOfFile(path: string, diagnostics: Diagnostics): Uint8Array | undefined {
  return headerOf(readBtfFile(path, diagnostics));
}

/** From the BTF that ships. */
export function headerOfShippedBtf(): Uint8Array | undefined {
  const bytes = shippedKernelBtf();
  return bytes && headerOf(readBtf(bytes, new Diagnostics()));
}
