/** The eight bytes of an instruction, little-endian; `registers` is src << 4 | dst (RFC 9669 section 3.1). */
export function slot(code: number, registers: number, offset: number, imm: number): number[] {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, code);
  view.setUint8(1, registers);
  view.setInt16(2, offset, true);
  view.setInt32(4, imm, true);
  return [...bytes];
}
