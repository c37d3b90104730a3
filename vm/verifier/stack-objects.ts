/** Objects of the kernel that live in slots of the stack: dynptrs, iterators, interrupt flags. */
import type { Env } from "./env.ts";
import type { Reg } from "./reg.ts";

/** No place for the object (said so), or one below the stack that was used so far. */
export const badSlot = -1;
export const unusedSlot = -2;

/** The slot of an object's lowest address, {@link badSlot} or {@link unusedSlot}. */
export function slotOf(env: Env, reg: Reg, word: string, slots: number): number {
  if (reg.scalar.mask !== 0n) {
    env.say(`${word} has to be at a constant offset`);
    return badSlot;
  }
  const offset = reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
  const index = Math.trunc((-offset - 1) / 8);
  if (offset % 8 !== 0 || index + 1 < slots) {
    env.say(`cannot pass in ${word} at an offset=${offset}`);
    return badSlot;
  }
  return index < env.state.frames[reg.frame]!.stack.length ? index : unusedSlot;
}
