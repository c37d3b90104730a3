/**
 * The way of a packet through a device: XDP, then ingress programs, then the stack; egress programs
 * on the way out; redirects followed from device to device.
 */
import type { BpfMap } from "../maps/map.ts";
import { CpuMap, DevHashMap, DevMap } from "../maps/redirect-maps.ts";
import { type RunResult, runProgram } from "../programs/run.ts";
import type { NetworkDevice } from "./network-devices.ts";
import type { ProgramObject } from "./objects.ts";
import { programsAt, type SystemState } from "./system-state.ts";

/** What became of a packet, in the order in which it happened. */
export type PacketStep =
  | {
      readonly kind: "run";
      readonly program: string;
      readonly device: string;
      readonly result: RunResult;
    }
  | { readonly kind: "dropped" | "delivered" | "sent"; readonly device: string };

const xdpAction = { drop: 1, pass: 2, tx: 3, redirect: 4 } as const;
const tcAction = { next: -1, ok: 0, shot: 2, redirect: 7 } as const;
/** BPF_F_INGRESS: to the device's receiving side. */
const ingressFlag = 1n;
const broadcastFlags = { broadcast: 8n, excludeIngress: 16n } as const;
const maximumHops = 16;

interface Journey {
  readonly system: SystemState;
  readonly steps: PacketStep[];
  hops: number;
}

function run(
  journey: Journey,
  object: ProgramObject,
  device: NetworkDevice,
  bytes: Uint8Array,
  ifindexOffset: number,
  size: number,
): RunResult {
  const { kernel } = journey.system;
  const context = new Uint8Array(size);
  new DataView(context.buffer).setUint32(ifindexOffset, device.ifindex, kernel.little);
  const result = runProgram(kernel, object.program, { packet: bytes, context });
  object.runs += 1;
  const { name: program } = object.program.spec;
  journey.steps.push({ kind: "run", program, device: device.name, result });
  return result;
}

function payload({ packet, metadataSize = 0 }: RunResult, before: Uint8Array): Uint8Array {
  return packet?.subarray(metadataSize) ?? before;
}

function end(journey: Journey, kind: "dropped" | "delivered", device: NetworkDevice): void {
  journey.steps.push({ kind, device: device.name });
}

/** Indexes of the devices that a redirect leads to. */
function redirectTargets(
  journey: Journey,
  map: BpfMap,
  result: RunResult,
  from: NetworkDevice,
): number[] {
  const { target = 0, flags = 0n } = result.redirect ?? {};
  if (!(map instanceof DevMap || map instanceof DevHashMap)) return [];
  if ((flags & broadcastFlags.broadcast) === 0n) {
    const ifindex = map.target(target);
    return ifindex === undefined ? [] : [ifindex];
  }
  const { little } = journey.system.kernel;
  const all = map
    .entries()
    .map(([, value]) => new DataView(value.buffer, value.byteOffset).getUint32(0, little));
  const others = (flags & broadcastFlags.excludeIngress) !== 0n;
  return all.filter((ifindex) => ifindex !== 0 && !(others && ifindex === from.ifindex));
}

function redirectXdp(
  journey: Journey,
  device: NetworkDevice,
  result: RunResult,
  bytes: Uint8Array,
): void {
  const { redirect } = result;
  const map = journey.system.kernel.maps.find((each) => each.id === redirect?.mapId);
  // A CPU map hands the packet to the stack, on another CPU.
  if (map instanceof CpuMap) return passToStack(journey, device, bytes);
  const targets =
    map === undefined ? [redirect?.target ?? 0] : redirectTargets(journey, map, result, device);
  const devices = targets.map((ifindex) => journey.system.devices.byIndex(ifindex));
  if (devices.length === 0 || devices.includes(undefined)) return end(journey, "dropped", device);
  for (const target of devices) if (target !== undefined) transmit(journey, target, bytes, false);
}

const xdpContext = { size: 24, ifindex: 12 };
const skbContext = { size: 192, ifindex: 40 };

function receiveOn(journey: Journey, device: NetworkDevice, bytes: Uint8Array): void {
  const { system } = journey;
  const [program] = programsAt(system, { kind: "device", ifindex: device.ifindex, point: "xdp" });
  if (program === undefined) return passToStack(journey, device, bytes);
  const result = run(journey, program, device, bytes, xdpContext.ifindex, xdpContext.size);
  const after = payload(result, bytes);
  const action = result.error === undefined ? result.retval : xdpAction.drop;
  if (action === xdpAction.pass) passToStack(journey, device, after);
  else if (action === xdpAction.tx) transmit(journey, device, after, false);
  else if (action === xdpAction.redirect) redirectXdp(journey, device, result, after);
  else end(journey, "dropped", device);
}

/** The verdict of a device's ingress or egress programs, and the packet as they left it. */
function traffic(
  journey: Journey,
  device: NetworkDevice,
  bytes: Uint8Array,
  point: "ingress" | "egress",
): { readonly action: number; readonly bytes: Uint8Array; readonly result?: RunResult } {
  let current = bytes;
  const hook = { kind: "device", ifindex: device.ifindex, point } as const;
  for (const program of programsAt(journey.system, hook)) {
    const result = run(journey, program, device, current, skbContext.ifindex, skbContext.size);
    current = payload(result, current);
    const action = result.error === undefined ? result.retval : tcAction.shot;
    if (action !== tcAction.next) return { action, bytes: current, result };
  }
  return { action: tcAction.ok, bytes: current };
}

function redirectTraffic(
  journey: Journey,
  device: NetworkDevice,
  result: RunResult | undefined,
  bytes: Uint8Array,
): void {
  const target = journey.system.devices.byIndex(result?.redirect?.target ?? 0);
  if (target === undefined) return end(journey, "dropped", device);
  const isIngress = ((result?.redirect?.flags ?? 0n) & ingressFlag) !== 0n;
  if (isIngress) passToStack(journey, target, bytes);
  else transmit(journey, target, bytes, true);
}

function passToStack(journey: Journey, device: NetworkDevice, bytes: Uint8Array): void {
  journey.hops += 1;
  if (journey.hops > maximumHops) return end(journey, "dropped", device);
  const { action, bytes: after, result } = traffic(journey, device, bytes, "ingress");
  if (action === tcAction.redirect) return redirectTraffic(journey, device, result, after);
  if (action === tcAction.shot) return end(journey, "dropped", device);
  device.delivered.push(after);
  end(journey, "delivered", device);
}

/** Packets that XDP sends go past the egress programs. */
function transmit(
  journey: Journey,
  device: NetworkDevice,
  bytes: Uint8Array,
  hasEgress: boolean,
): void {
  journey.hops += 1;
  if (journey.hops > maximumHops) return end(journey, "dropped", device);
  let current = bytes;
  if (hasEgress) {
    const { action, bytes: after, result } = traffic(journey, device, bytes, "egress");
    if (action === tcAction.redirect) return redirectTraffic(journey, device, result, after);
    if (action === tcAction.shot) return end(journey, "dropped", device);
    current = after;
  }
  device.sent.push(current);
  journey.steps.push({ kind: "sent", device: device.name });
  if (device.peer !== undefined) receiveOn(journey, device.peer, current);
}

/** A packet arrives at a device. */
export function receivePacket(
  system: SystemState,
  device: NetworkDevice,
  bytes: Uint8Array,
): readonly PacketStep[] {
  const journey: Journey = { system, steps: [], hops: 0 };
  receiveOn(journey, device, bytes);
  return journey.steps;
}

/** The stack sends a packet through a device. */
export function sendPacket(
  system: SystemState,
  device: NetworkDevice,
  bytes: Uint8Array,
): readonly PacketStep[] {
  const journey: Journey = { system, steps: [], hops: 0 };
  transmit(journey, device, bytes, true);
  return journey.steps;
}
