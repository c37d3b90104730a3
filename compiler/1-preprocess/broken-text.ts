/** Files that are not UTF-8 all through: the compiler keeps their bytes, as clang does. */

/** Leading bytes by the length of what they start: mask, value under it, least code point. */
const leads: readonly (readonly [length: number, mask: number, mark: number, least: number])[] = [
  [1, 0x80, 0x00, 0],
  [2, 0xe0, 0xc0, 0x80],
  [3, 0xf0, 0xe0, 0x800],
  [4, 0xf8, 0xf0, 0x1_0000],
];

/** The character at a place and how many bytes it takes; undefined where there is none. */
function characterAt(bytes: Uint8Array, at: number): readonly [number, number] | undefined {
  const first = bytes[at] ?? 0;
  const lead = leads.find(([, mask, mark]) => (first & mask) === mark);
  if (lead === undefined) return undefined;
  const [length, mask, , least] = lead;
  let code = first & ~mask & 0xff;
  for (let i = 1; i < length; i += 1) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return undefined;
    code = (code << 6) | (next & 0x3f);
  }
  const isSurrogate = code >= 0xd800 && code < 0xe000;
  return code < least || code > 0x10_ffff || isSurrogate ? undefined : [code, length];
}

/** The text of a file; a byte b that is no part of a character stands as U+DC00 + b. */
export function decodeBrokenText(bytes: Uint8Array): string {
  const characters: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [code, length] = characterAt(bytes, at) ?? [0xdc00 + bytes[at]!, 1];
    characters.push(String.fromCodePoint(code));
    at += length;
  }
  const text = characters.join("");
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** The byte that a code point of such a text stands for; undefined for a character. */
export function brokenByte(code: number): number | undefined {
  return code >= 0xdc80 && code <= 0xdcff ? code - 0xdc00 : undefined;
}
