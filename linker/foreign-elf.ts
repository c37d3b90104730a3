/**
 * One section of an ELF64 file of any machine and kind: kernels (`vmlinux`) and BTF archives keep
 * BTF in files that are no BPF objects.
 */
import { ByteReader, stringAt } from "../common/object/byte-reader.ts";
import {
  ELF_HEADER_SIZE,
  SECTION_HEADER_SIZE,
  SHT_NOBITS,
} from "../common/object/elf-constants.ts";
import { isElf } from "../common/object/read-elf.ts";

interface Header {
  readonly name: number;
  readonly type: number;
  readonly offset: number;
  readonly size: number;
}

interface Headers {
  readonly list: readonly Header[];
  readonly nameTable: number;
}

function readHeaders(bytes: Uint8Array): Headers | undefined {
  if (!isElf(bytes) || bytes.length < ELF_HEADER_SIZE || bytes[4] !== 2) return undefined;
  const reader = new ByteReader(bytes, bytes[5] === 2 ? "big" : "little", 40);
  const table = reader.size64();
  reader.skip(4 + 2 + 2 + 2 + 2);
  const count = reader.u16();
  const nameTable = reader.u16();
  if (reader.failed || table + count * SECTION_HEADER_SIZE > bytes.length) return undefined;
  const list = Array.from({ length: count }, (_, index): Header => {
    reader.position = table + index * SECTION_HEADER_SIZE;
    const name = reader.u32();
    const type = reader.u32();
    reader.skip(8 + 8);
    return { name, type, offset: reader.size64(), size: reader.size64() };
  });
  return reader.failed ? undefined : { list, nameTable };
}

/** Where each section's bytes stand in the file, the ELF null section first. */
export function sectionFileOffsets(bytes: Uint8Array): readonly number[] {
  return readHeaders(bytes)?.list.map(({ offset }) => offset) ?? [];
}

/** The bytes of the first section of that name; undefined where there is none or the file is damaged. */
export function foreignSection(bytes: Uint8Array, name: string): Uint8Array | undefined {
  const headers = readHeaders(bytes);
  const strings = headers?.list[headers.nameTable];
  if (headers === undefined || strings === undefined) return undefined;
  const data = ({ offset, size }: Header): Uint8Array => bytes.subarray(offset, offset + size);
  const names = data(strings);
  const found = headers.list.find((header) => stringAt(names, header.name) === name);
  if (found === undefined || found.type === SHT_NOBITS) return undefined;
  return found.offset + found.size > bytes.length ? undefined : data(found);
}
