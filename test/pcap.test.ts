import { describe, expect, test } from "vitest";
import { parseHex, toHex } from "../cli/run/hex.ts";
import { readCapture, writePcap, writePcapng } from "../cli/run/pcap.ts";

const packets = [Uint8Array.of(1, 2, 3), Uint8Array.of(), Uint8Array.of(9, 8, 7, 6, 5)];

function pcapng(littleEndian: boolean): Uint8Array {
  const words: number[] = [];
  const data = [0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00000001, 0xffffffff, 0xffffffff, 28];
  words.push(...data, 1, 20, 1, 0, 20, 6, 36, 0, 0, 0, 3, 3, 0, 36);
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => {
    view.setUint32(i * 4, word, littleEndian);
  });
  bytes.set([1, 2, 3], bytes.length - 8);
  return bytes;
}

describe("capture files", () => {
  test.each([
    ["pcap", writePcap],
    ["pcapng", writePcapng],
  ])("what is written is read back: %s", (_, write) => {
    const result = readCapture(write(packets));
    expect(result.ok && result.packets.map((p) => [...p.bytes])).toEqual(
      packets.map((p) => [...p]),
    );
  });
  test.each([true, false])("pcapng, little endian %s", (littleEndian) => {
    const result = readCapture(pcapng(littleEndian));
    expect(result.ok && result.packets.map((p) => [...p.bytes])).toEqual([[1, 2, 3]]);
  });
  test("every truncation is refused or read, never thrown", () => {
    for (const whole of [writePcap(packets), writePcapng(packets), pcapng(true)]) {
      for (let n = 0; n < whole.length; n++)
        expect(typeof readCapture(whole.subarray(0, n)).ok).toBe("boolean");
    }
    expect(readCapture(writePcap(packets).subarray(0, 41)).ok).toBe(false);
  });
});

describe("hexadecimal", () => {
  test("blanks and colons are skipped", () => {
    expect(toHex(parseHex("0x00 ff:0A\n1b") ?? new Uint8Array())).toBe("00ff0a1b");
  });
  test.each(["0", "zz", "0g"])("%s is refused", (text) => {
    expect(parseHex(text)).toBeUndefined();
  });
});
