/**
 * Writes scripts/data/vmlinux-6.18.btf.br: the types of a kernel, from which vmlinux.h is made where a
 * build has none. Compressed as far as brotli goes; nothing is left out, as any type may be wanted.
 * Run: npx tsx scripts/make-kernel-btf.ts [/sys/kernel/btf/vmlinux]
 */
import { readFileSync, writeFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { readBtf } from "../common/object/btf-reader.ts";

const source = process.argv[2] ?? "/sys/kernel/btf/vmlinux";
const bytes = readFileSync(source);
const btf = readBtf(bytes, new Diagnostics());
if (btf === undefined) throw new Error(`${source} holds no BTF`);
const params = {
  [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
  [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
};
const target = new URL("data/vmlinux-6.18.btf.br", import.meta.url);
const compressed = brotliCompressSync(bytes, { params });
writeFileSync(target, compressed);
console.log(`${btf.types.length} types, ${bytes.length} → ${compressed.length} bytes`);
