/** Helpers on XDP packets. */
import { errno } from "../errno.ts";
import type { Packet } from "../programs/packet.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const ethernetHeader = 14;
/** struct xdp_frame stands at the head room's start when a frame is redirected. */
const frameSize = 40;
const longestMeta = 252;

function move(call: HelperCall, meta: number, data: number, end: number): number {
  call.packet.move(meta, data, end);
  call.run.syncContext();
  return 0;
}

const roomStart = (packet: Packet): number => packet.meta - packet.headRoom;

export const xdpHelpers: Readonly<Record<string, Helper>> = {
  bpf_xdp_adjust_head: (call) => {
    const { packet } = call;
    const data = packet.data + call.int(2);
    const metaLength = packet.data - packet.meta;
    const start = roomStart(packet) + frameSize + metaLength;
    if (data < start || data > packet.end - ethernetHeader) return -errno.EINVAL;
    if (metaLength === 0) return move(call, data, data, packet.end);
    const metadata = call.memory.copyOut(packet.meta, metaLength);
    move(call, data - metaLength, data, packet.end);
    call.memory.bytes.set(metadata, data - metaLength);
    return 0;
  },
  bpf_xdp_adjust_meta: (call) => {
    const { packet } = call;
    const meta = packet.meta + call.int(2);
    const length = packet.data - meta;
    const start = roomStart(packet) + frameSize;
    if (meta < start || meta > packet.data) return -errno.EINVAL;
    if (length % 4 !== 0 || length > longestMeta) return -errno.EACCES;
    return move(call, meta, packet.data, packet.end);
  },
  bpf_xdp_adjust_tail: (call) => {
    const { packet } = call;
    const end = packet.end + call.int(2);
    if (end > packet.end + packet.tailRoom) return -errno.EINVAL;
    if (end < packet.data + ethernetHeader) return -errno.EINVAL;
    return move(call, packet.meta, packet.data, end);
  },
  bpf_xdp_get_buff_len: (call) => call.packet.length,
  bpf_xdp_load_bytes: (call) => {
    const length = call.low(4);
    const at = call.low(2) > 0xffff ? undefined : call.packet.at(call.low(2), length);
    if (at === undefined) return -errno.EINVAL;
    if (length > 0) call.memory.copy(call.address(3, length, true), at, length);
    return 0;
  },
  bpf_xdp_store_bytes: (call) => {
    const length = call.low(4);
    const at = call.low(2) > 0xffff ? undefined : call.packet.at(call.low(2), length);
    if (at === undefined) return -errno.EINVAL;
    if (length > 0) call.memory.copy(at, call.address(3, length, false), length);
    return 0;
  },
};
