/** Lookups in arrays with a known key that is in range cannot fail. */
import type { Env } from "./env.ts";
import { markSlotPrecise } from "./precision.ts";
import type { Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { slotIndex } from "./stack-access.ts";
import { byteKind, byteOf, isSpilledReg } from "./state.ts";

/** The key's value, or -1 if it is not known: zero bytes, or a number spilled in a whole slot. */
export function constantMapKey(env: Env, key: Reg, size: number): number {
  if (key.type !== kind.stack || key.scalar.mask !== 0n) return -1;
  const offset = key.off + Number(BigInt.asIntN(64, key.scalar.value));
  const index = slotIndex(offset);
  const slot = env.state.frames[key.frame]?.stack[index];
  if (slot === undefined) return -1;
  const from = (-offset - 1) % 8;
  const run = (wanted: number): number => {
    let count = 0;
    for (let i = from; i >= 0 && byteOf(slot, i) === wanted; i -= 1) count += 1;
    return count;
  };
  if (run(byteKind.zero) >= size) return 0;
  if (!isSpilledReg(slot) || slot.reg.type !== kind.scalar) return -1;
  if (run(byteKind.spill) !== size || slot.reg.scalar.mask !== 0n) return -1;
  markSlotPrecise(env, key.frame, index);
  return Number(BigInt.asIntN(64, slot.reg.scalar.value));
}
