/** The .xz container (xz-file-format.txt): streams of blocks of LZMA2 chunks. Checksums are not read. */
import { LzmaDecoder, LzmaError, type LzmaProperties } from "./lzma.ts";

const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const headerSize = 12;
const lzma2 = 0x21;
/** Bytes of a block's checksum, by the stream's kind of check. */
const checkSizes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

export function isXz(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** The data of the first stream. Throws `LzmaError` where it is damaged or larger than `most`. */
export function readXz(bytes: Uint8Array, most: number): Uint8Array {
  const checkSize = checkSizes[(bytes[7] ?? 0) & 15]!;
  const decoder = new LzmaDecoder(most);
  let at = headerSize;
  // The index behind the last block starts with 0.
  while ((bytes[at] ?? 0) !== 0) at = readBlock(bytes, at, decoder) + checkSize;
  if (at >= bytes.length) throw new LzmaError("it is cut short");
  return decoder.bytes;
}

/** Decodes a block; returns where its checksum starts. */
function readBlock(bytes: Uint8Array, start: number, decoder: LzmaDecoder): number {
  const flags = bytes[start + 1] ?? 0;
  let at = start + 2;
  for (const bit of [0x40, 0x80]) if ((flags & bit) !== 0) at = skipNumber(bytes, at);
  if ((flags & 3) !== 0 || bytes[at] !== lzma2) {
    throw new LzmaError("it is compressed in a way that is not supported (LZMA2 is)");
  }
  const data = start + (bytes[start]! + 1) * 4;
  const end = readChunks(bytes, data, decoder);
  return data + Math.ceil((end - data) / 4) * 4;
}

function skipNumber(bytes: Uint8Array, start: number): number {
  let at = start;
  while (((bytes[at] ?? 0) & 0x80) !== 0) at += 1;
  return at + 1;
}

/** LZMA2: returns where the chunks end. */
function readChunks(bytes: Uint8Array, start: number, decoder: LzmaDecoder): number {
  const part = (from: number, size: number): Uint8Array => {
    if (from + size > bytes.length) throw new LzmaError("it is cut short");
    return bytes.subarray(from, from + size);
  };
  const word = (at: number): number => (part(at, 2)[0]! << 8) | bytes[at + 1]!;
  let at = start;
  for (;;) {
    const control = part(at, 1)[0]!;
    if (control === 0) return at + 1;
    if (control < 0x80) {
      if (control > 2) throw new LzmaError("compressed data is damaged");
      const size = word(at + 1) + 1;
      if (control === 1) decoder.startDictionary();
      decoder.copy(part(at + 3, size));
      at += 3 + size;
      continue;
    }
    const size = ((control & 0x1f) << 16) + word(at + 1) + 1;
    const packed = word(at + 3) + 1;
    at += 5;
    const reset = (control >> 5) & 3;
    if (reset === 3) decoder.startDictionary();
    if (reset >= 2) decoder.reset(propertiesOf(part(at++, 1)[0]!));
    else if (reset === 1) decoder.reset();
    decoder.decode(part(at, packed), size);
    at += packed;
  }
}

function propertiesOf(byte: number): LzmaProperties {
  const literalContext = byte % 9;
  const literalPlace = Math.floor(byte / 9) % 5;
  const place = Math.floor(byte / 45);
  if (place > 4 || literalContext + literalPlace > 4)
    throw new LzmaError("compressed data is damaged");
  return { literalContext, literalPlace, place };
}
