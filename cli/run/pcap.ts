/**
 * Packets of capture files: pcap (both byte orders, micro- and nanoseconds) and pcapng (section
 * header, interface description, enhanced, simple and obsolete packet blocks).
 * Source: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
 */

export interface CapturedPacket {
  readonly bytes: Uint8Array;
  /** Length on the wire; larger than bytes.length where the capture was cut. */
  readonly originalLength: number;
}

export type CaptureResult =
  | { readonly ok: true; readonly packets: readonly CapturedPacket[] }
  | { readonly ok: false; readonly message: string };

const pcapMagics = new Set([0xa1b2c3d4, 0xa1b23c4d]);
const sectionHeaderBlock = 0x0a0d0d0a;
const byteOrderMagic = 0x1a2b3c4d;

const fail = (message: string): CaptureResult => ({ ok: false, message });

function readPcap(view: DataView, bytes: Uint8Array, littleEndian: boolean): CaptureResult {
  const packets: CapturedPacket[] = [];
  const headerSize = 24;
  const recordSize = 16;
  for (let at = headerSize; at < bytes.length; ) {
    if (at + recordSize > bytes.length) return fail(`packet ${packets.length + 1} is cut off`);
    const captured = view.getUint32(at + 8, littleEndian);
    const originalLength = view.getUint32(at + 12, littleEndian);
    const start = at + recordSize;
    if (start + captured > bytes.length) return fail(`packet ${packets.length + 1} is cut off`);
    packets.push({ bytes: bytes.subarray(start, start + captured), originalLength });
    at = start + captured;
  }
  return { ok: true, packets };
}

/** Where a pcapng block type keeps its packet: offsets from the block's start. */
const packetBlocks: Readonly<
  Record<number, { captured?: number; original: number; data: number }>
> = {
  2: { captured: 20, original: 24, data: 28 },
  3: { original: 8, data: 12 },
  6: { captured: 20, original: 24, data: 28 },
};

function readPcapng(view: DataView, bytes: Uint8Array): CaptureResult {
  const packets: CapturedPacket[] = [];
  let littleEndian = true;
  for (let at = 0; at < bytes.length; ) {
    if (at + 12 > bytes.length) return fail("the last block is cut off");
    const isSection = view.getUint32(at, true) === sectionHeaderBlock;
    if (isSection) littleEndian = view.getUint32(at + 8, true) === byteOrderMagic;
    const type = view.getUint32(at, littleEndian);
    const length = view.getUint32(at + 4, littleEndian);
    if (length < 12 || length % 4 !== 0 || at + length > bytes.length) {
      return fail(`a block of bad length ${length} at byte ${at}`);
    }
    const layout = packetBlocks[type];
    if (layout !== undefined) {
      if (layout.data + 4 > length)
        return fail(`a packet block of bad length ${length} at byte ${at}`);
      const originalLength = view.getUint32(at + layout.original, littleEndian);
      const room = length - layout.data - 4;
      const wanted =
        layout.captured === undefined
          ? originalLength
          : view.getUint32(at + layout.captured, littleEndian);
      const start = at + layout.data;
      packets.push({
        bytes: bytes.subarray(start, start + Math.min(wanted, room)),
        originalLength,
      });
    }
    at += length;
  }
  return { ok: true, packets };
}

/** Reads a whole capture file. */
export function readCapture(bytes: Uint8Array): CaptureResult {
  if (bytes.length < 24) return fail("too short for a capture file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) === sectionHeaderBlock) return readPcapng(view, bytes);
  if (pcapMagics.has(view.getUint32(0, true))) return readPcap(view, bytes, true);
  if (pcapMagics.has(view.getUint32(0, false))) return readPcap(view, bytes, false);
  return fail("neither pcap nor pcapng");
}

/** A pcap file (Ethernet, microseconds) of the packets, one microsecond apart. */
export function writePcap(packets: readonly Uint8Array[]): Uint8Array {
  const size = 24 + packets.reduce((sum, packet) => sum + 16 + packet.length, 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0xa1b2c3d4, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, 262144, true);
  view.setUint32(20, 1, true);
  let at = 24;
  packets.forEach((packet, index) => {
    view.setUint32(at + 4, index, true);
    view.setUint32(at + 8, packet.length, true);
    view.setUint32(at + 12, packet.length, true);
    bytes.set(packet, at + 16);
    at += 16 + packet.length;
  });
  return bytes;
}

/** One pcapng block: its type, its length twice, its body padded to whole words. */
function block(type: number, body: Uint8Array): Uint8Array {
  const length = 12 + Math.ceil(body.length / 4) * 4;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  bytes.set(body, 8);
  view.setUint32(length - 4, length, true);
  return bytes;
}

const words = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(values).buffer);

/** A pcapng file (one section, one Ethernet interface) of the packets, one microsecond apart. */
export function writePcapng(packets: readonly Uint8Array[]): Uint8Array {
  const unknownLength = 0xffff_ffff;
  const blocks = [
    block(sectionHeaderBlock, words(byteOrderMagic, 1, unknownLength, unknownLength)),
    block(1, words(1, 262144)),
    ...packets.map((packet, index) => {
      const body = new Uint8Array(20 + packet.length);
      body.set(words(0, 0, index, packet.length, packet.length));
      body.set(packet, 20);
      return block(6, body);
    }),
  ];
  const bytes = new Uint8Array(blocks.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const each of blocks) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}
