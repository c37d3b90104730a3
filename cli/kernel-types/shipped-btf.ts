/** The BTF of Linux 6.18 that ships with bpfc, so that results do not depend on the machine's kernel. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** In a build all data files lie beside the bundle; in the source tree below scripts. */
const places = [
  join(import.meta.dirname, "vmlinux-6.18.btf.br"),
  join(import.meta.dirname, "../../scripts/data/vmlinux-6.18.btf.br"),
];

/** A data file that ships, decompressed; undefined where it does not ship. */
export function readShipped(paths: readonly string[]): Uint8Array | undefined {
  for (const path of paths) {
    try {
      // Loaded here: most compilations have no use for it, and it takes a millisecond.
      return process.getBuiltinModule("node:zlib").brotliDecompressSync(readFileSync(path));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  return undefined;
}

/** The bytes of the BTF. */
export function shippedKernelBtf(): Uint8Array | undefined {
  return readShipped(places);
}
