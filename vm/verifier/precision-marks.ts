/** Which registers and slots of a frame are marked precise. */
import type { Frame } from "./state.ts";

export function isPreciseReg(frame: Frame, register: number): boolean {
  return (frame.preciseRegs & (1 << register)) !== 0;
}

export function isPreciseSlot(frame: Frame, slot: number): boolean {
  return slot < 32
    ? (frame.preciseStackLow & (1 << slot)) !== 0
    : (frame.preciseStackHigh & (1 << (slot - 32))) !== 0;
}

export function setPreciseSlot(frame: Frame, slot: number): void {
  if (slot < 32) frame.preciseStackLow |= 1 << slot;
  else frame.preciseStackHigh |= 1 << (slot - 32);
}
