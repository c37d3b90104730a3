/** Fields of struct bpf_sock, bpf_tcp_sock and bpf_xdp_sock that programs may read. */
import type { Env } from "./env.ts";
import type { Reg } from "./reg.ts";
import { kind, typeName } from "./reg-types.ts";
import { rejectNegative } from "./regions.ts";

/** Ranges of struct bpf_sock that may be read in part: [start, end). */
const narrow: readonly (readonly [number, number])[] = [
  [4, 16],
  [24, 48],
  [52, 80],
];
const sockSize = 80;
const destinationPort = 48;
const paddingEnd = 52;

function isSockField(offset: number, size: number): boolean {
  if (offset < 0 || offset >= sockSize || offset % size !== 0) return false;
  if (offset >= destinationPort && offset < paddingEnd) {
    if (offset >= destinationPort + 2) return false;
    return size === 4 || (offset & 1) + size <= 2;
  }
  if (narrow.some(([start, end]) => offset >= start && offset < end)) {
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
  return size === (offset === 80 || offset === 88 ? 8 : 4);
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
