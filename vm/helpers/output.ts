/** Ring buffers and perf buffers. */
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { PerfEventArrayMap } from "../maps/perf-event-array.ts";
import { RingBufferMap } from "../maps/ring-buffer.ts";
import type { Helper, HelperCall } from "./helper-call.ts";

const wakeupFlags = 3n;
const currentCpu = 0xffff_ffffn;
const contextLengthMask = 0xf_ffffn << 32n;

/** `(ctx, map, flags, data, size)`; flags: index in the low 32 bits, packet bytes above. */
const perfEventOutput: Helper = (call) => {
  const map = call.mapOf(2, PerfEventArrayMap);
  const flags = call.arg(3);
  const data = call.copy(4, call.size(5));
  if ((flags & ~(currentCpu | contextLengthMask)) !== 0n) return -errno.EINVAL;
  const length = Number((flags & contextLengthMask) >> 32n);
  const packet = length === 0 ? new Uint8Array(0) : packetBytes(call, length);
  if (packet === undefined) return -errno.EFAULT;
  const low = flags & currentCpu;
  const index = low === currentCpu ? call.kernel.cpu : Number(low);
  const sample = new Uint8Array(data.length + packet.length);
  sample.set(data);
  sample.set(packet, data.length);
  return map.output(index, sample);
};

function packetBytes(call: HelperCall, length: number): Uint8Array | undefined {
  const { packet } = call.run;
  const at = packet?.at(0, length);
  return at === undefined ? undefined : call.memory.copyOut(at, length);
}

const finish =
  (discard: boolean): Helper =>
  (call) => {
    const data = call.arg(1);
    const map = call.kernel.ringBufferOf(data);
    if (map === undefined) throw new Fault("bad-argument", "not a ring buffer record", data);
    map.commit(Number(data), discard);
    return 0;
  };

export const outputHelpers: Readonly<Record<string, Helper>> = {
  bpf_perf_event_output: perfEventOutput,
  bpf_skb_output: perfEventOutput,
  bpf_xdp_output: perfEventOutput,
  bpf_ringbuf_output: (call) => {
    const map = call.mapOf(1, RingBufferMap);
    const data = call.copy(2, call.size(3));
    if ((call.arg(4) & ~wakeupFlags) !== 0n) return -errno.EINVAL;
    const record = map.reserve(data.length);
    if (record === 0) return -errno.EAGAIN;
    call.memory.bytes.set(data, record);
    map.commit(record, false);
    return 0;
  },
  bpf_ringbuf_reserve: (call) => {
    const map = call.mapOf(1, RingBufferMap);
    const size = call.arg(2);
    if (call.arg(3) !== 0n || size > 0x3fff_ffffn) return 0;
    return map.reserve(Number(size));
  },
  bpf_ringbuf_submit: finish(false),
  bpf_ringbuf_discard: finish(true),
  bpf_ringbuf_query: (call) => call.mapOf(1, RingBufferMap).query(call.arg(2)),
};
