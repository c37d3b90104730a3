/**
 * The context that a program of each type is started with. Packet programs get theirs as
 * BPF_PROG_TEST_RUN builds them; the others take the bytes that the caller gives.
 */
import type { Kernel } from "../kernel/kernel.ts";
import type { Program } from "../program.ts";
import type { RunState } from "../run-state.ts";
import { skbOffsets, skbSize, xdpOffsets, xdpSize } from "./layouts.ts";
import { Packet } from "./packet.ts";

export interface RunInput {
  /** From the Ethernet header on, for programs that get packets. */
  readonly packet?: Uint8Array;
  /** The context's bytes; for packet programs the fields that a caller may set. */
  readonly context?: Uint8Array;
  /** Memory of a bare program: r1 points to it, r2 is its length. */
  readonly memory?: Uint8Array;
}

export interface RunSetup {
  readonly run: RunState;
  /** The packet as user space gets it back. */
  readonly outputPacket: () => Uint8Array | undefined;
  /** The context after the run, without the VM's addresses. */
  readonly outputContext: () => Uint8Array;
  readonly release: () => void;
}

type ProgramTypeId = number;
const ethernetHeader = 14;
const xdpHeadRoom = 256;
/** A page less head room and struct skb_shared_info. */
const xdpRoom = 4096 - 256 - 320;
const skbHeadRoom = 256;
const skbTailRoom = 4096;
const loopback = 1;

const netfilterProgram = 32;
const defaultContextSize = 256;

const kinds: Readonly<Record<ProgramTypeId, "xdp" | "link" | "network" | "flow">> = {
  1: "network",
  3: "link",
  4: "link",
  6: "xdp",
  8: "network",
  10: "link",
  11: "link",
  12: "link",
  14: "network",
  19: "link",
  22: "flow",
};

/** Offsets in the context of fields that point into the packet; none for types without packets. */
export function packetFields(type: ProgramTypeId): readonly number[] {
  const kind = kinds[type];
  if (kind === undefined) return [];
  const { data, data_end, data_meta } = kind === "xdp" ? xdpOffsets : skbOffsets;
  return [data, data_end, data_meta];
}

/** Bytes that contexts of a type have in any run; 0 where that is not known. */
export function smallestContext(type: ProgramTypeId): number {
  if (type === 0 || type === netfilterProgram) return 0;
  const kind = kinds[type];
  if (kind === undefined) return defaultContextSize;
  return kind === "xdp" ? xdpSize : skbSize;
}

/** Bytes that a packet of some protocols must have after the Ethernet header, but not for XDP. */
const shortestPayload: Readonly<Record<number, number>> = { 2048: 20, 34525: 40 };

/** Why a run cannot be set up. */
export interface SetupProblem {
  readonly problem: string;
}

export function setUpRun(
  kernel: Kernel,
  program: Program,
  input: RunInput,
): RunSetup | SetupProblem {
  if (program.spec.type === 0 && input.memory !== undefined)
    return bareRun(kernel, program, input.memory);
  const kind = kinds[program.spec.type];
  if (program.spec.type === netfilterProgram) return filterRun(kernel, program, input);
  if (kind === undefined) return plainRun(kernel, program, input);
  const bytes = input.packet ?? new Uint8Array(ethernetHeader);
  if (bytes.length < ethernetHeader) {
    return { problem: `a packet has at least ${ethernetHeader} bytes, this one ${bytes.length}` };
  }
  if (kind === "xdp" && bytes.length > xdpRoom) {
    return { problem: `an XDP packet has at most ${xdpRoom} bytes, this one ${bytes.length}` };
  }
  if (kind === "xdp") return xdpRun(kernel, program, input, bytes);
  if (kind === "flow") return flowRun(kernel, program, bytes);
  const shortest = ethernetHeader + (shortestPayload[protocolOf(bytes)] ?? 0);
  if (bytes.length < shortest) {
    return { problem: `a packet of this protocol has at least ${shortest} bytes` };
  }
  return skbRun(kernel, program, input, bytes);
}

function newState(
  program: Program,
  context: number,
  contextSize: number,
  packet: Packet | undefined,
  syncContext: () => void,
): RunState {
  const common = { redirect: undefined, returnValue: 0, secondArgument: 0, givenSize: 0 };
  return { program, context, contextSize, packet, syncContext, ...common };
}

function contextRegion(kernel: Kernel, size: number, bytes: Uint8Array | undefined): number {
  const context = kernel.memory.region("context", "context", size);
  if (bytes !== undefined) kernel.memory.bytes.set(bytes.subarray(0, size), context);
  return context;
}

function releaseContext(kernel: Kernel, context: number, size: number): void {
  kernel.memory.forgetRegion(context);
  kernel.memory.release(context, size);
}

function plainRun(kernel: Kernel, program: Program, input: RunInput): RunSetup {
  const size = Math.max(input.context?.length ?? 0, defaultContextSize);
  const context = contextRegion(kernel, size, input.context);
  const run = newState(program, context, size, undefined, () => {});
  return {
    run: { ...run, givenSize: input.context?.length ?? 0 },
    outputPacket: () => undefined,
    outputContext: () => kernel.memory.copyOut(context, input.context?.length ?? 0),
    release: () => releaseContext(kernel, context, size),
  };
}

function bareRun(kernel: Kernel, program: Program, bytes: Uint8Array): RunSetup {
  const { length } = bytes;
  const start = length === 0 ? 0 : contextRegion(kernel, length, bytes);
  const state = newState(program, start, length, undefined, () => {});
  return {
    run: { ...state, secondArgument: length },
    outputPacket: () => undefined,
    outputContext: () => kernel.memory.copyOut(start, length),
    release: () => {
      if (length > 0) releaseContext(kernel, start, length);
    },
  };
}

function xdpRun(kernel: Kernel, program: Program, input: RunInput, bytes: Uint8Array): RunSetup {
  const { memory, little } = kernel;
  const packet = new Packet(memory, bytes, xdpHeadRoom, xdpRoom - bytes.length);
  const context = contextRegion(kernel, xdpSize, input.context);
  const sync = (): void => {
    memory.view.setUint32(context + xdpOffsets.data, packet.data, little);
    memory.view.setUint32(context + xdpOffsets.data_end, packet.end, little);
    memory.view.setUint32(context + xdpOffsets.data_meta, packet.meta, little);
  };
  sync();
  if (input.context === undefined) {
    memory.view.setUint32(context + xdpOffsets.ingress_ifindex, loopback, little);
  }
  return {
    run: newState(program, context, xdpSize, packet, sync),
    // Metadata comes first, as BPF_PROG_TEST_RUN gives it.
    outputPacket: () => memory.copyOut(packet.meta, packet.end - packet.meta),
    outputContext: () => hidePointers(memory.copyOut(context, xdpSize), xdpPointers),
    release: () => {
      packet.release();
      releaseContext(kernel, context, xdpSize);
    },
  };
}

const xdpPointers = [xdpOffsets.data, xdpOffsets.data_end, xdpOffsets.data_meta];
const skbPointers = [skbOffsets.data, skbOffsets.data_end, skbOffsets.data_meta];

function hidePointers(bytes: Uint8Array, offsets: readonly number[]): Uint8Array {
  for (const offset of offsets) bytes.fill(0, offset, offset + 4);
  return bytes;
}

/** PACKET_HOST, PACKET_MULTICAST or PACKET_OTHERHOST: the loopback device's own addresses are 0. */
function packetType(bytes: Uint8Array): number {
  const destination = bytes.subarray(0, 6);
  if (destination.every((byte) => byte === 0)) return 0;
  return ((destination[0] as number) & 1) === 1 ? 2 : 3;
}

/** skb->protocol: the type field, or 802.3 frames' substitutes. */
function protocolOf(bytes: Uint8Array): number {
  const type = ((bytes[12] as number) << 8) | (bytes[13] as number);
  if (type >= 0x0600) return type;
  return bytes[14] === 0xff && bytes[15] === 0xff ? 1 : 4;
}

const swap16 = (value: number, little: boolean): number =>
  little ? ((value & 0xff) << 8) | (value >> 8) : value;

const familyIpv4 = 2;
const familyIpv6 = 10;

function skbRun(kernel: Kernel, program: Program, input: RunInput, bytes: Uint8Array): RunSetup {
  const { memory, little } = kernel;
  const isLink = kinds[program.spec.type] === "link";
  const header = isLink ? 0 : ethernetHeader;
  const packet = new Packet(memory, bytes.subarray(header), skbHeadRoom, skbTailRoom);
  const context = contextRegion(kernel, skbSize, input.context);
  const set = (offset: number, value: number): void =>
    memory.view.setUint32(context + offset, value, little);
  const sync = (): void => {
    set(skbOffsets.len, packet.length);
    set(skbOffsets.data, packet.data);
    set(skbOffsets.data_end, packet.end);
    set(skbOffsets.data_meta, packet.meta);
  };
  sync();
  set(skbOffsets.pkt_type, packetType(bytes));
  set(skbOffsets.protocol, swap16(protocolOf(bytes), little));
  if (input.context === undefined) set(skbOffsets.ifindex, loopback);
  const sock = fillSocket(kernel, bytes);
  memory.view.setBigUint64(context + skbOffsets.sk, BigInt(sock.address), little);
  set(skbOffsets.family, sock.family);
  set(skbOffsets.remote_ip4, sock.destination);
  set(skbOffsets.local_ip4, sock.source);
  return {
    run: newState(program, context, skbSize, packet, sync),
    outputPacket: () => {
      if (isLink) return packet.bytes();
      const out = new Uint8Array(ethernetHeader + packet.length);
      out.set(packet.bytes(), ethernetHeader);
      return out;
    },
    outputContext: () => hidePointers(memory.copyOut(context, skbSize), skbPointers),
    release: () => {
      packet.release();
      releaseContext(kernel, context, skbSize);
    },
  };
}

const flowKeysSize = 56;
const flowKeyOffsets = { network: 0, transport: 2 } as const;

/** struct bpf_flow_keys: the network header's place and protocol are filled in. */
function flowRun(kernel: Kernel, program: Program, bytes: Uint8Array): RunSetup {
  const { memory, little } = kernel;
  const packet = new Packet(memory, bytes, 0, 0);
  const context = contextRegion(kernel, skbSize, undefined);
  const keys = memory.region("flow keys", "flow keys", flowKeysSize);
  memory.view.setUint16(keys, ethernetHeader, little);
  memory.view.setUint16(keys + 2, ethernetHeader, little);
  memory.bytes.set(bytes.subarray(12, 14), keys + 10);
  memory.view.setUint32(context + skbOffsets.data, packet.data, little);
  memory.view.setUint32(context + skbOffsets.data_end, packet.end, little);
  memory.view.setBigUint64(context + skbOffsets.flow_keys, BigInt(keys), little);
  return {
    run: newState(program, context, skbSize, packet, () => {}),
    // What user space gets back are the keys, their offsets brought inside the packet.
    outputPacket: () => {
      const clamp = (offset: number, from: number): number => {
        const value = memory.view.getUint16(keys + offset, little);
        const inside = Math.min(Math.max(value, from), bytes.length);
        memory.view.setUint16(keys + offset, inside, little);
        return inside;
      };
      clamp(flowKeyOffsets.transport, clamp(flowKeyOffsets.network, ethernetHeader));
      return memory.copyOut(keys, flowKeysSize);
    },
    outputContext: () => new Uint8Array(0),
    release: () => {
      packet.release();
      memory.forgetRegion(keys);
      memory.release(keys, flowKeysSize);
      releaseContext(kernel, context, skbSize);
    },
  };
}

const hookStateSize = 64;
const sockBufferSize = 4096;
const localOut = 3;
const shortestIp = 20;

/**
 * struct bpf_nf_ctx: addresses of the hook's state and of the packet's struct sk_buff. The packet
 * starts with its IP header; `context` may give hook and family, one byte each.
 */
function filterRun(kernel: Kernel, program: Program, input: RunInput): RunSetup | SetupProblem {
  const { memory, little } = kernel;
  const bytes = input.packet ?? new Uint8Array(shortestIp);
  const [hook = localOut, family = 2] = input.context ?? [];
  if (bytes.length < shortestIp) return { problem: "not a packet: shorter than an IP header" };
  const packet = new Packet(memory, bytes, 0, 0);
  const state = memory.region("kernel object", "nf_hook_state", hookStateSize, "read");
  memory.bytes.set([hook, family], state);
  const buffer = Number(kernel.object("sk_buff", sockBufferSize));
  const context = contextRegion(kernel, 16, undefined);
  memory.view.setBigUint64(context, BigInt(state), little);
  memory.view.setBigUint64(context + 8, BigInt(buffer), little);
  return {
    run: newState(program, context, 16, packet, () => {}),
    outputPacket: () => undefined,
    outputContext: () => new Uint8Array(0),
    release: () => {
      packet.release();
      memory.forgetRegion(state);
      memory.release(state, hookStateSize);
      releaseContext(kernel, context, 16);
    },
  };
}

const bpfSockSize = 80;

/** The socket that a test run attaches: its addresses are the packet's. */
function fillSocket(
  kernel: Kernel,
  bytes: Uint8Array,
): { address: number; family: number; source: number; destination: number } {
  const { memory, little } = kernel;
  const address = Number(kernel.object("bpf_sock", bpfSockSize));
  const protocol = protocolOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isIpv4 = protocol === 0x0800 && bytes.length >= ethernetHeader + 20;
  const family = protocol === 0x0800 ? familyIpv4 : protocol === 0x86dd ? familyIpv6 : 0;
  const source = isIpv4 ? view.getUint32(ethernetHeader + 12, little) : 0;
  const destination = isIpv4 ? view.getUint32(ethernetHeader + 16, little) : 0;
  memory.view.setUint32(address + 4, family, little);
  return { address, family, source, destination };
}
