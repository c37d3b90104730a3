/** What `bpfc run` gives programs: packets, contexts, map entries, and the machine around them. */
import type { Kernel, KernelOptions, LoadedSet } from "../../vm/kernel/kernel.ts";
import { nodeFileSystem } from "../node-file-system.ts";
import { parseHex } from "./hex.ts";
import { readCapture } from "./pcap.ts";

/** A mistake of the caller, told without a trace. */
export class UserError extends Error {}

export interface RunInputBytes {
  readonly packet?: Uint8Array;
  readonly context?: Uint8Array;
}

/** Options that say what a program is started with. */
export interface InputOptions {
  readonly packet?: string;
  readonly pcap?: string;
  readonly ctx?: string;
}

/** Options that say what machine it runs on. */
export interface MachineOptions {
  readonly cpus?: string;
  readonly seed?: string;
  readonly pid?: string;
  readonly comm?: string;
}

/** Hexadecimal digits, or the name of a file with bytes. */
function bytesOf(text: string, what: string): Uint8Array {
  const file = nodeFileSystem.readFile(text.replace(/^@/, ""));
  if (file !== undefined) return file;
  const bytes = parseHex(text);
  if (bytes === undefined)
    throw new UserError(`${what} '${text.slice(0, 40)}' is neither a file nor hexadecimal digits`);
  return bytes;
}

export function inputsOf(options: InputOptions): readonly RunInputBytes[] {
  const context = options.ctx === undefined ? {} : { context: bytesOf(options.ctx, "context") };
  if (options.pcap !== undefined) {
    const bytes = nodeFileSystem.readFile(options.pcap);
    if (bytes === undefined) throw new UserError(`no such file or directory: '${options.pcap}'`);
    const capture = readCapture(bytes);
    if (!capture.ok) throw new UserError(`${options.pcap}: ${capture.message}`);
    return capture.packets.map((p) => ({ packet: p.bytes, ...context }));
  }
  if (options.packet === undefined) return [context];
  return [{ packet: bytesOf(options.packet, "packet"), ...context }];
}

/** A whole number above a bound, of an option. */
export function numberOf(text: string, option: string, lowest = 1): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < lowest) {
    const kind = lowest === 1 ? "a positive number" : `a number from ${lowest} on`;
    throw new UserError(`${option} '${text}' is not ${kind}`);
  }
  return value;
}

const largestCpuCount = 4096;

export function machineOf(options: MachineOptions): Omit<KernelOptions, "endian"> {
  const { cpus, seed, pid, comm } = options;
  const cpuCount = cpus === undefined ? undefined : numberOf(cpus, "--cpus");
  if (cpuCount !== undefined && cpuCount > largestCpuCount) {
    throw new UserError(`--cpus '${cpus}' is more than ${largestCpuCount}`);
  }
  const id = pid === undefined ? undefined : numberOf(pid, "--pid");
  const process = {
    ...(id !== undefined && { pid: id, tgid: id }),
    ...(comm !== undefined && { comm: comm.slice(0, 15) }),
  };
  return {
    ...(cpuCount !== undefined && { cpuCount }),
    ...(seed !== undefined && { randomSeed: numberOf(seed, "--seed") }),
    process,
  };
}

export function addEntries(kernel: Kernel, set: LoadedSet, entries: readonly string[]): void {
  for (const entry of entries) {
    const match = /^([^:]+):([0-9a-fA-F]+)=([0-9a-fA-F]*)$/.exec(entry);
    const map = match?.[1] === undefined ? undefined : set.maps.get(match[1]);
    const key = parseHex(match?.[2] ?? "");
    const value = parseHex(match?.[3] ?? "");
    if (map === undefined || key === undefined || value === undefined) {
      const names = [...set.maps.keys()].join(", ");
      throw new UserError(`entry '${entry}' is not MAP:KEY=VALUE in hexadecimal (maps: ${names})`);
    }
    const { keySize } = map.description;
    const valueSize = map.userValueSize;
    if (key.length !== keySize || value.length !== valueSize) {
      throw new UserError(
        `entry '${entry}': map '${match?.[1]}' has keys of ${keySize} and values of ${valueSize} bytes`,
      );
    }
    const result = kernel.mapUpdate(map, key, value);
    if (result < 0) throw new UserError(`entry '${entry}' was refused (error ${-result})`);
  }
}
