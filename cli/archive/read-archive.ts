/**
 * BTF in archives, as BTFHub keeps a kernel's: `5.4.0-42-generic.btf.tar.xz`. Compression is undone
 * (xz, gzip), and of a tar archive the member is taken that the user names after a colon, or the only
 * one.
 */
import { gunzipSync } from "node:zlib";
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import { LzmaError } from "./lzma.ts";
import { isXz, readXz } from "./xz.ts";

/** More than any kernel has. */
const most = 1 << 28;
const blockSize = 512;

interface Member {
  readonly name: string;
  readonly data: Uint8Array;
}

/**
 * The bytes of a file, of `FILE` or `FILE:MEMBER` where it is an archive. Undefined after an error has
 * been reported.
 */
export function readUnpacked(path: string, diagnostics: Diagnostics): Uint8Array | undefined {
  const colon = path.lastIndexOf(":");
  const whole = nodeFileSystem.readFile(path);
  const file = whole === undefined && colon > 0 ? path.slice(0, colon) : path;
  const bytes = whole ?? nodeFileSystem.readFile(file);
  if (bytes === undefined) {
    diagnostics.error("file-not-found", `no such file or directory: '${path}'`);
    return undefined;
  }
  const fail = (message: string): undefined => {
    diagnostics.error("bad-archive", `${file}: ${message}`);
    return undefined;
  };
  const data = decompress(bytes);
  if (typeof data === "string") return fail(data);
  const wanted = file === path ? undefined : path.slice(colon + 1);
  if (!isTar(data)) return wanted === undefined ? data : fail("it is no tar archive");
  const members = tarMembers(data);
  const found = wanted === undefined ? members : members.filter(({ name }) => name === wanted);
  if (found.length === 1) return found[0]!.data;
  const names = members.map(({ name }) => name).join(", ");
  if (wanted !== undefined) return fail(`it has no member '${wanted}' (it has ${names})`);
  return fail(`name the member after a colon (it has ${names})`);
}

function decompress(bytes: Uint8Array): Uint8Array | string {
  try {
    if (isXz(bytes)) return readXz(bytes, most);
    if (bytes[0] === 0x1f && bytes[1] === 0x8b) return gunzipSync(bytes, { maxOutputLength: most });
    return bytes;
  } catch (error) {
    if (error instanceof LzmaError) return error.message;
    return `it does not unpack (${error instanceof Error ? error.message : String(error)})`;
  }
}

const text = (bytes: Uint8Array): string =>
  new TextDecoder().decode(bytes).replace(/\0.*$/s, "").trim();

function isTar(bytes: Uint8Array): boolean {
  return text(bytes.subarray(257, 262)) === "ustar";
}

/** Plain files; what a damaged header says ends at the end of the archive. */
function tarMembers(bytes: Uint8Array): Member[] {
  const members: Member[] = [];
  for (let at = 0; at + blockSize <= bytes.length && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + blockSize);
    const size = Number.parseInt(text(header.subarray(124, 136)), 8) || 0;
    const prefix = text(header.subarray(345, 500));
    const name = text(header.subarray(0, 100));
    const isFile = header[156] === 0 || header[156] === 0x30;
    const data = bytes.slice(at + blockSize, at + blockSize + size);
    if (isFile) members.push({ name: prefix === "" ? name : `${prefix}/${name}`, data });
    at += blockSize + Math.ceil(size / blockSize) * blockSize;
  }
  return members;
}
