/** Kinds of register contents, and the words that the kernel's messages have for them. */

/** What a register holds. Flags of {@link typeFlag} are added to a kind to make a type. */
export const kind = {
  notInit: 0,
  scalar: 1,
  ctx: 2,
  mapPtr: 3,
  mapValue: 4,
  mapKey: 5,
  stack: 6,
  packetMeta: 7,
  packet: 8,
  packetEnd: 9,
  flowKeys: 10,
  socket: 11,
  sockCommon: 12,
  tcpSock: 13,
  tpBuffer: 14,
  xdpSock: 15,
  btfId: 16,
  mem: 17,
  arena: 18,
  buf: 19,
  func: 20,
  dynptr: 21,
} as const;

export const typeFlag = {
  maybeNull: 1 << 8,
  readOnly: 1 << 9,
  ringbuf: 1 << 10,
  user: 1 << 11,
  percpu: 1 << 12,
  release: 1 << 13,
  untrusted: 1 << 14,
  uninit: 1 << 15,
  dynptrLocal: 1 << 16,
  dynptrRingbuf: 1 << 17,
  fixedSize: 1 << 18,
  alloc: 1 << 19,
  trusted: 1 << 20,
  rcu: 1 << 21,
  nonOwningRef: 1 << 22,
  dynptrSkb: 1 << 23,
  dynptrXdp: 1 << 24,
  aligned: 1 << 25,
  write: 1 << 26,
  dynptrSkbMeta: 1 << 27,
} as const;

const kindMask = 0xff;

export function kindOf(type: number): number {
  return type & kindMask;
}

export function flagsOf(type: number): number {
  return type & ~kindMask;
}

/** Which kind of dynptr a piece of memory belongs to. */
export const dynptrFlags =
  typeFlag.dynptrLocal |
  typeFlag.dynptrRingbuf |
  typeFlag.dynptrSkb |
  typeFlag.dynptrXdp |
  typeFlag.dynptrSkbMeta;

/** Memory that a change of the packet takes away: parts of it behind a dynptr. */
export function isPacketSlice(type: number): boolean {
  const packets = typeFlag.dynptrSkb | typeFlag.dynptrXdp | typeFlag.dynptrSkbMeta;
  return kindOf(type) === kind.mem && (type & packets) !== 0;
}

export function mayBeNull(type: number): boolean {
  return (type & typeFlag.maybeNull) !== 0;
}

const words: Record<number, string> = {
  [kind.notInit]: "?",
  [kind.scalar]: "scalar",
  [kind.ctx]: "ctx",
  [kind.mapPtr]: "map_ptr",
  [kind.mapValue]: "map_value",
  [kind.mapKey]: "map_key",
  [kind.stack]: "fp",
  [kind.packetMeta]: "pkt_meta",
  [kind.packet]: "pkt",
  [kind.packetEnd]: "pkt_end",
  [kind.flowKeys]: "flow_keys",
  [kind.socket]: "sock",
  [kind.sockCommon]: "sock_common",
  [kind.tcpSock]: "tcp_sock",
  [kind.tpBuffer]: "tp_buffer",
  [kind.xdpSock]: "xdp_sock",
  [kind.btfId]: "ptr_",
  [kind.mem]: "mem",
  [kind.arena]: "arena",
  [kind.buf]: "buf",
  [kind.func]: "func",
  [kind.dynptr]: "dynptr_ptr",
};

const prefixes: readonly (readonly [number, string])[] = [
  [typeFlag.readOnly, "rdonly_"],
  [typeFlag.ringbuf, "ringbuf_"],
  [typeFlag.user, "user_"],
  [typeFlag.percpu, "percpu_"],
  [typeFlag.rcu, "rcu_"],
  [typeFlag.untrusted, "untrusted_"],
  [typeFlag.trusted, "trusted_"],
];

/** The name of a type as messages have it: `map_value_or_null`, `ringbuf_mem`, `trusted_ptr_`. */
export function typeName(type: number): string {
  const base = kindOf(type);
  let prefix = "";
  for (const [flag, word] of prefixes) if ((type & flag) !== 0) prefix += word;
  let postfix = "";
  if (mayBeNull(type)) postfix = base === kind.btfId ? "or_null_" : "_or_null";
  return prefix + (words[base] ?? "?") + postfix;
}

export function isPacketKind(type: number): boolean {
  const base = kindOf(type);
  return base === kind.packet || base === kind.packetMeta;
}

export function isPacketAny(type: number): boolean {
  return isPacketKind(type) || kindOf(type) === kind.packetEnd;
}

export function isSocketKind(type: number): boolean {
  return (
    type === kind.socket ||
    type === kind.sockCommon ||
    type === kind.tcpSock ||
    type === kind.xdpSock
  );
}
