/** Helpers on socket buffers (tc, socket filters, cgroup_skb). */
import { errno } from "../errno.ts";
import { skbOffsets } from "../programs/layouts.ts";
import { addToChecksum, replaceInChecksum } from "./checksum.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const longestPacket = 0xffff;
const ethernetHeader = 14;
const addressBytes = 12;
const headerFieldMask = 0xfn;
const storeFlags = 3n;
const mangledZero = 0x20n;
const markEnforce = 0x40n;
const l4Flags = headerFieldMask | 0x10n | mangledZero | markEnforce | 0x80n;
const schedCls = 3;
const schedAct = 4;

const loadBytes: Helper = (call) => {
  const length = call.low(4);
  const target = length === 0 ? 0 : call.address(3, length, true);
  const at = call.packet.at(call.int(2), length);
  if (at === undefined) {
    call.memory.bytes.fill(0, target, target + length);
    return -errno.EFAULT;
  }
  call.memory.copy(target, at, length);
  return 0;
};

/** Whether data starts at the link layer. */
const isLinkLayer = (call: HelperCall): boolean => {
  const { type } = call.run.program.spec;
  return type === schedCls || type === schedAct;
};

const loadBytesRelative: Helper = (call) => {
  const length = call.low(4);
  const target = call.bytes(3, length, true);
  const header = call.arg(5);
  const network = isLinkLayer(call) ? ethernetHeader : 0;
  // 0: link layer header, 1: network header.
  const start = header === 1n ? network : header === 0n ? network - ethernetHeader : undefined;
  const at = start === undefined ? undefined : call.packet.at(call.int(2) + start, length);
  if (at === undefined || start === undefined || start < 0) {
    target.fill(0);
    return -errno.EFAULT;
  }
  target.set(call.memory.bytes.slice(at, at + length));
  return 0;
};

const storeBytes: Helper = (call) => {
  const length = call.low(4);
  const source = length === 0 ? 0 : call.address(3, length, false);
  if ((call.arg(5) & ~storeFlags) !== 0n) return -errno.EINVAL;
  const at = call.packet.at(call.int(2), length);
  if (at === undefined) return -errno.EFAULT;
  call.memory.copy(at, source, length);
  return 0;
};

/** Rewrites the 16-bit checksum at an offset; the size of what changed is in the flags. */
function replaceChecksum(call: HelperCall, at: number, flags: bigint): number {
  const { view } = call.memory;
  const { little } = call.kernel;
  const old = view.getUint16(at, little);
  const keepZero = (flags & mangledZero) !== 0n;
  if (keepZero && (flags & markEnforce) === 0n && old === 0) return 0;
  const [from, to] = [call.low(3), call.low(4)];
  let sum: number;
  switch (flags & headerFieldMask) {
    case 0n:
      if (call.arg(3) !== 0n) return -errno.EINVAL;
      sum = addToChecksum(old, to);
      break;
    case 2n:
      sum = replaceInChecksum(old, from & 0xffff, to & 0xffff);
      break;
    case 4n:
      sum = replaceInChecksum(old, from, to);
      break;
    default:
      return -errno.EINVAL;
  }
  view.setUint16(at, keepZero && sum === 0 ? 0xffff : sum, little);
  return 0;
}

const checksumReplace =
  (allowed: bigint): Helper =>
  (call) => {
    const flags = call.arg(5);
    const offset = call.low(2);
    if ((flags & ~allowed) !== 0n) return -errno.EINVAL;
    if (offset > longestPacket || offset % 2 !== 0) return -errno.EFAULT;
    const at = call.packet.at(offset, 2);
    return at === undefined ? -errno.EFAULT : replaceChecksum(call, at, flags);
  };

/** Makes room (or takes it away, if negative) at an offset of the data. */
function resizeAt(call: HelperCall, offset: number, difference: number): number {
  const { packet, memory } = call;
  if (packet.at(offset, 0) === undefined) return -errno.EINVAL;
  if (difference < 0 && packet.at(offset, -difference) === undefined) return -errno.EINVAL;
  if (difference > packet.headRoom || packet.length + difference > longestPacket)
    return -errno.ENOMEM;
  const head = memory.copyOut(packet.data, offset);
  packet.move(packet.meta - difference, packet.data - difference, packet.end);
  memory.bytes.set(head, packet.data);
  if (difference > 0) memory.bytes.fill(0, packet.data + offset, packet.data + offset + difference);
  call.run.syncContext();
  return 0;
}

function changeTail(call: HelperCall): number {
  const length = call.low(2);
  const { packet } = call;
  const shortest = isLinkLayer(call) ? ethernetHeader : 0;
  if (call.arg(3) !== 0n || length > longestPacket || length < shortest) return -errno.EINVAL;
  if (length - packet.length > packet.tailRoom) return -errno.ENOMEM;
  packet.move(packet.meta, packet.data, packet.data + length);
  call.run.syncContext();
  return 0;
}

function changeHead(call: HelperCall): number {
  const room = call.low(2);
  const { packet } = call;
  if (call.arg(3) !== 0n || packet.length + room > longestPacket) return -errno.EINVAL;
  if (room > packet.headRoom) return -errno.ENOMEM;
  packet.move(packet.meta - room, packet.data - room, packet.end);
  call.run.syncContext();
  return 0;
}

const field = (call: HelperCall, offset: number): number =>
  call.memory.view.getUint32(call.run.context + offset, call.kernel.little);

const setField = (call: HelperCall, offset: number, value: number): void =>
  call.memory.view.setUint32(call.run.context + offset, value, call.kernel.little);

const vlanProtocols: readonly number[] = [0x8100, 0x88a8];

/** A u16 in network order, as a number that the program passes. */
const swap16 = (call: HelperCall, value: number): number =>
  call.kernel.little ? ((value & 0xff) << 8) | ((value >> 8) & 0xff) : value & 0xffff;

/** The innermost tag is kept beside the packet; one that is there already goes into the data. */
function vlanPush(call: HelperCall): number {
  const asked = swap16(call, call.low(2));
  const protocol = vlanProtocols.includes(asked) ? asked : 0x8100;
  if (field(call, skbOffsets.vlan_present) !== 0) {
    const problem = resizeAt(call, addressBytes, 4);
    if (problem !== 0) return problem;
    const at = call.packet.data + addressBytes;
    call.memory.view.setUint16(at, swap16(call, field(call, skbOffsets.vlan_proto)), false);
    call.memory.view.setUint16(at + 2, field(call, skbOffsets.vlan_tci), false);
  }
  setField(call, skbOffsets.vlan_present, 1);
  setField(call, skbOffsets.vlan_tci, call.low(3) & 0xffff);
  setField(call, skbOffsets.vlan_proto, swap16(call, protocol));
  return 0;
}

function vlanPop(call: HelperCall): number {
  if (field(call, skbOffsets.vlan_present) !== 0) {
    setField(call, skbOffsets.vlan_present, 0);
    setField(call, skbOffsets.vlan_tci, 0);
    setField(call, skbOffsets.vlan_proto, 0);
    return 0;
  }
  const at = call.packet.at(addressBytes, 4);
  if (at === undefined || !vlanProtocols.includes(call.memory.view.getUint16(at, false))) return 0;
  return resizeAt(call, addressBytes, -4);
}

const ipv4Header = 20;
const ipv6Header = 40;

/** mode 0: after the network header, 1: after the link layer header. */
function adjustRoom(call: HelperCall): number {
  const difference = call.int(2);
  const mode = call.low(3);
  const protocol = swap16(call, field(call, skbOffsets.protocol));
  if (Math.abs(difference) > 0xfff) return -errno.EFAULT;
  if (protocol !== 0x0800 && protocol !== 0x86dd) return -errno.ENOTSUPP;
  if (mode > 1) return -errno.ENOTSUPP;
  const header = protocol === 0x0800 ? ipv4Header : ipv6Header;
  const network = isLinkLayer(call) ? ethernetHeader : 0;
  if (difference < 0 && call.packet.length - network + difference < header) return -errno.ENOTSUPP;
  return resizeAt(call, mode === 1 ? network : network + header, difference);
}

export const skbHelpers: Readonly<Record<string, Helper>> = {
  bpf_skb_load_bytes: loadBytes,
  bpf_skb_load_bytes_relative: loadBytesRelative,
  bpf_skb_store_bytes: storeBytes,
  bpf_l3_csum_replace: checksumReplace(headerFieldMask),
  bpf_l4_csum_replace: checksumReplace(l4Flags),
  bpf_skb_pull_data: (call) => (call.low(2) > call.packet.length ? -errno.ENOMEM : 0),
  bpf_skb_change_tail: changeTail,
  bpf_skb_change_head: changeHead,
  bpf_skb_change_type: (call) => {
    const type = call.low(2);
    if (type > 3 || field(call, skbOffsets.pkt_type) > 3) return -errno.EINVAL;
    setField(call, skbOffsets.pkt_type, type);
    return 0;
  },
  bpf_skb_adjust_room: adjustRoom,
  bpf_skb_vlan_push: vlanPush,
  bpf_skb_vlan_pop: vlanPop,
  bpf_csum_update: () => -errno.ENOTSUPP,
  bpf_skb_set_tstamp: (call) => {
    const [time, type] = [call.arg(2), call.low(3)];
    const protocol = swap16(call, field(call, skbOffsets.protocol));
    if (protocol !== 0x0800 && protocol !== 0x86dd) return -errno.EOPNOTSUPP;
    // Type 0 is the wall clock, and may be taken away.
    if (type > 2 || (type !== 0 && time === 0n)) return -errno.EINVAL;
    const at = call.run.context + skbOffsets.tstamp;
    call.memory.store(at, 8, time, call.kernel.little);
    return 0;
  },
  bpf_csum_level: () => -errno.EACCES,
  bpf_get_hash_recalc: (call) => field(call, skbOffsets.hash),
  bpf_set_hash_invalid: (call) => {
    setField(call, skbOffsets.hash, 0);
    return 0;
  },
  bpf_set_hash: (call) => {
    setField(call, skbOffsets.hash, call.low(2));
    return 0;
  },
  bpf_get_route_realm: () => 0,
  bpf_skb_under_cgroup: () => 0,
  bpf_skb_cgroup_id: (call) => call.kernel.process.cgroupId,
  bpf_skb_cgroup_classid: () => 0,
  bpf_skb_ancestor_cgroup_id: () => 1,
  bpf_skb_ecn_set_ce: () => 0,
  bpf_skb_get_tunnel_key: () => -errno.EINVAL,
  bpf_skb_set_tunnel_key: () => 0,
  bpf_skb_get_tunnel_opt: () => -errno.ENOENT,
  bpf_skb_set_tunnel_opt: () => -errno.EINVAL,
};
