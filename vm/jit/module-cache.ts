/**
 * Compiled modules by their bytes. Loading a program again and again is common in tests; besides,
 * V8 loses a few hundred bytes each time that it is given a module which it has already.
 */

const bytesToKeep = 1 << 20;

interface Entry {
  readonly bytes: Uint8Array;
  readonly module: WebAssembly.Module;
}

const entries = new Map<number, Entry>();
let keptBytes = 0;

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i += 1) {
    hash = Math.imul(hash ^ (bytes[i] as number), 0x0100_0193);
  }
  return hash;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}

/** The module; the latest 1 MiB of them are kept. */
export function moduleOfBytes(bytes: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  const hash = hashOf(bytes);
  const known = entries.get(hash);
  if (known !== undefined) {
    entries.delete(hash);
    keptBytes -= known.bytes.length;
  }
  const isKnown = known !== undefined && isSame(known.bytes, bytes);
  const module = isKnown ? known.module : new WebAssembly.Module(bytes);
  // The latest comes last.
  entries.set(hash, { bytes, module });
  keptBytes += bytes.length;
  for (const [key, oldest] of entries) {
    if (keptBytes <= bytesToKeep) break;
    entries.delete(key);
    keptBytes -= oldest.bytes.length;
  }
  return module;
}
