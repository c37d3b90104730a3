/** Memory that both engines use: argument block, control cells, stack frames. */
import { granule, type LinearMemory } from "./memory.ts";

/** Bytes of a frame, as the kernel has it; checked runs may ask for larger ones. */
export const defaultStackSize = 512;
/** 8 frames of the program itself; callbacks and their callees get the rest. */
export const maximumFrames = 64;
export const maximumCallDepth = 8;
export const maximumTailCalls = 33;
export const mayGotoBudget = 8_388_608;
export const tailCallHelper = 12;
/** Function addresses that programs hold: the slot plus this, out of reach of memory accesses. */
export const codeAddressBase = 0x3_0000_0000n;

/** Byte offsets in the control block. */
export const cells = {
  /** r1–r5 of a helper call, 8 bytes each. */
  arguments: 0,
  result: 40,
  /** Lowest address of the running frame. */
  frame: 48,
  /** Highest frame that calls may reach. */
  frameLimit: 52,
  mayGoto: 56,
  cpu: 60,
  faultKind: 64,
  faultSlot: 68,
  faultAddress: 72,
  /** First address of the packet, and how many addresses from it on have 8 bytes of it. */
  packetStart: 80,
  packetLimit: 88,
  /** Nanoseconds since boot. */
  time: 96,
  /** State of the random generator. */
  random: 104,
  /** Instructions that a checked run has left. */
  fuel: 108,
} as const;
const controlSize = 112;

/** Where frames lie. */
export interface StackLayout {
  readonly stackBase: number;
  /** Bytes of a frame. */
  readonly stackSize: number;
  /** From frame to frame; frames stand apart, so that running off one is seen. */
  readonly frameStride: number;
}

export interface EngineMemory extends StackLayout {
  /** Address of the control block. */
  readonly control: number;
}

export function allocateEngineMemory(memory: LinearMemory, stackSize: number): EngineMemory {
  const frameStride = 2 * stackSize;
  const size = maximumFrames * frameStride;
  const stackBase = memory.allocate(size);
  const layout: StackLayout = { stackBase, stackSize, frameStride };
  memory.nameRegion({ kind: "stack", name: "stack", start: stackBase, size });
  for (let depth = 1; depth <= maximumFrames; depth += 1) {
    memory.allow(frameBottom(layout, depth), stackSize, "write");
  }
  return { control: memory.allocate(controlSize), ...layout };
}

/** r10 of the frame at a depth, counted from 1. */
export function frameTop({ stackBase, frameStride }: StackLayout, depth: number): number {
  return stackBase + depth * frameStride - granule;
}

/** Lowest address of the frame at a depth. */
export function frameBottom(layout: StackLayout, depth: number): number {
  return frameTop(layout, depth) - layout.stackSize;
}

/**
 * Stack memory that a run starts with: zero in the frames of the program and in the first frame of
 * each callback, so that what is read before it is written does not depend on earlier runs.
 */
export function clearFrames(
  memory: LinearMemory,
  { stackSize, frameStride }: StackLayout,
  lowest: number,
  count: number,
): void {
  memory.bytes.fill(0, lowest, lowest + (count - 1) * frameStride + stackSize);
}
