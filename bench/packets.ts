/** Random packets, most of them well-formed: Ethernet, VLAN tags, ARP, IPv4, IPv6, TCP, UDP, ICMP. */
import { randomNumbers } from "../test/support/fuzz.ts";

type Bytes = readonly number[];

const u16 = (value: number): Bytes => [(value >> 8) & 255, value & 255];
const u32 = (value: number): Bytes => [...u16(value >>> 16), ...u16(value & 0xffff)];

function checksum(bytes: Bytes): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export class PacketMaker {
  readonly #below: (limit: number) => number;

  constructor(seed: number) {
    this.#below = randomNumbers(seed);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)] as T;
  }

  #bytes(count: number): Bytes {
    return Array.from({ length: count }, () => this.#below(256));
  }

  /** Bytes without structure. */
  noise(count: number): Uint8Array {
    return Uint8Array.from(this.#bytes(count));
  }

  #port(): Bytes {
    return u16(this.#pick([22, 53, 80, 443, 8080, 4789, 1234, 6081, this.#below(65536)]));
  }

  /** Few hosts, so that programs meet the same again. */
  #address(): Bytes {
    return [this.#pick([10, 127, 192, 224]), this.#pick([0, 168, 1]), 0, 1 + this.#below(4)];
  }

  #tcp(): Bytes {
    const options = this.#pick([0, 0, 4, 8, 12]);
    const flags = this.#pick([2, 16, 18, 24, 17, 4, 1]);
    const size = ((5 + options / 4) << 4) & 255;
    return [
      ...[...this.#port(), ...this.#port(), ...this.#bytes(8)],
      ...[size, flags, ...this.#bytes(4), 0, 0],
      ...this.#bytes(options),
      ...this.#bytes(this.#below(60)),
    ];
  }

  #udp(): Bytes {
    const payload = this.#bytes(this.#below(80));
    return [
      ...this.#port(),
      ...this.#port(),
      ...u16(8 + payload.length),
      ...this.#bytes(2),
      ...payload,
    ];
  }

  #icmp(types: Bytes): Bytes {
    const body = [...this.#bytes(4), ...this.#bytes(this.#below(50))];
    const type = this.#pick(types);
    return [type, 0, ...u16(checksum([type, 0, 0, 0, ...body])), ...body];
  }

  #ipv4(): Bytes {
    const protocol = this.#pick([6, 6, 17, 17, 1, 47, 4, this.#below(256)]);
    const body =
      protocol === 6
        ? this.#tcp()
        : protocol === 17
          ? this.#udp()
          : protocol === 1
            ? this.#icmp([0, 8, 3])
            : this.#bytes(this.#below(60));
    const options = this.#pick([0, 0, 0, 4, 8]);
    const length = 20 + options + body.length;
    const start = [
      ...[0x45 + options / 4, this.#pick([0, 0x28]), ...u16(length), ...this.#bytes(2)],
      ...u16(this.#pick([0, 0x4000, 0x2000, 0x00b9])),
      ...[this.#pick([1, 64, 255]), protocol],
    ];
    const addresses = [...this.#address(), ...this.#address(), ...this.#bytes(options)];
    const sum = checksum([...start, 0, 0, ...addresses]);
    return [...start, ...u16(sum), ...addresses, ...body];
  }

  #ipv6(): Bytes {
    const protocol = this.#pick([6, 17, 58, 0, 43, 44]);
    const body =
      protocol === 6
        ? this.#tcp()
        : protocol === 17
          ? this.#udp()
          : protocol === 58
            ? this.#icmp([128, 129, 133, 135])
            : [this.#pick([6, 17]), 0, ...this.#bytes(6), ...this.#udp()];
    const host = (): Bytes => [
      0x20,
      0x01,
      0x0d,
      0xb8,
      ...u32(0),
      ...u32(0),
      ...u32(this.#below(4)),
    ];
    const start = [0x60, 0, 0, 0, ...u16(body.length), protocol, this.#pick([1, 64])];
    return [...start, ...host(), ...host(), ...body];
  }

  #ethernet(): Bytes {
    const macs = [2, 0, 0, 0, 0, 1 + this.#below(2), 2, 0, 0, 0, 0, 3];
    const tags = this.#pick<Bytes>([[], [], [], [0x8100], [0x88a8, 0x8100]]);
    const tagged = tags.flatMap((type) => [...u16(type), ...u16(this.#below(4096))]);
    const kind = this.#below(10);
    const inner =
      kind < 5
        ? [...u16(0x0800), ...this.#ipv4()]
        : kind < 8
          ? [...u16(0x86dd), ...this.#ipv6()]
          : kind < 9
            ? [...u16(0x0806), 0, 1, 8, 0, 6, 4, 0, 1, ...this.#bytes(20)]
            : [...u16(this.#pick([0x88cc, 0x8847, 0x22f0])), ...this.#bytes(this.#below(80))];
    return [...macs, ...tagged, ...inner];
  }

  /** Mostly whole ones; some are cut short, some are noise. */
  next(): Uint8Array {
    const kind = this.#below(10);
    if (kind === 0) return Uint8Array.from(this.#bytes(14 + this.#below(200)));
    const packet = Uint8Array.from(this.#ethernet());
    return kind === 1 ? packet.slice(0, 14 + this.#below(packet.length - 13)) : packet;
  }
}

/** Ethernet, IPv4, TCP with the options of a SYN and time stamps, then bytes of no meaning. */
export function synPacket(): Uint8Array {
  const head =
    "020000000001020000000002080045000400123440004006abcd0a000001c0a80102" +
    "c35001bb0000000100000000f0020ffff00000000000" +
    "020405b40402080a0001e240000000000103030701010101080a0001e24100000000";
  const bytes = [...Buffer.from(head, "hex")];
  let random = 1;
  while (bytes.length < 1024) {
    random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0;
    bytes.push(random >>> 24);
  }
  return Uint8Array.from(bytes);
}
