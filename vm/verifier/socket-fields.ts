/** Fields of struct bpf_sock, bpf_tcp_sock and bpf_xdp_sock that programs may read. */
import type { Env } from "./env.ts";
import type { Reg } from "./reg.ts";
import { kind, typeName } from "./reg-types.ts";
import { rejectNegative } from "./regions.ts";

/** Addresses: ranges of struct bpf_sock that may be read in part, anywhere: [start, end). */
const addresses: readonly (readonly [number, number])[] = [
  [24, 44],
  [52, 72],
];
/** Fields of four bytes whose first bytes may be read alone. */
const narrowFields: ReadonlySet<number> = new Set([4, 8, 12, 44, 72, 76]);
const sockSize = 80;
const destinationPort = 48;
const paddingEnd = 52;

function isSockField(offset: number, size: number): boolean {
  if (offset < 0 || offset >= sockSize || offset % size !== 0) return false;
  if (offset >= destinationPort && offset < paddingEnd) {
    if (offset >= destinationPort + 2) return false;
    return size === 4 || (offset & 1) + size <= 2;
  }
  if (narrowFields.has(offset)) return size <= 4;
  if (addresses.some(([start, end]) => offset >= start && offset < end)) {
    return size <= 4 && (offset & 3) + size <= 4;
  }
  return size === 4;
}

/** `type` to `priority` belong to full sockets only. */
function isSockCommonField(offset: number, size: number): boolean {
  return (offset < 8 || offset >= 24) && isSockField(offset, size);
}

function isTcpSockField(offset: number, size: number): boolean {
  if (offset < 0 || offset >= 112 || offset % size !== 0) return false;
  // bytes_received and bytes_acked
  return size === (offset >= 80 && offset < 96 ? 8 : 4);
}

function isXdpSockField(offset: number, size: number): boolean {
  return offset === 0 && size === 4;
}

const fieldTests: Record<number, (offset: number, size: number) => boolean> = {
  [kind.socket]: isSockField,
  [kind.sockCommon]: isSockCommonField,
  [kind.tcpSock]: isTcpSockField,
  [kind.xdpSock]: isXdpSockField,
};

export function checkSocketField(
  env: Env,
  reg: Reg,
  register: number,
  offset: number,
  size: number,
): void {
  if (reg.scalar.smin < 0n) rejectNegative(env, register);
  if (fieldTests[reg.type]?.(offset, size)) return;
  const name = typeName(reg.type);
  env.reject(`R${register} invalid ${name} access off=${offset} size=${size}`);
}
