/** Numbers that share an id: what a branch tells of one holds for all, a constant apart. */
import { addDelta } from "../../common/domain/scalar-alu.ts";
import { editReg, type Reg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { withoutId } from "./registers.ts";
import { isSpilledReg, type LinkedReg, type State } from "./state.ts";

const maxLinked = 6;

/** All places that hold a number with this id. There are at most six; further ones lose the link. */
export function collectLinked(state: State, id: number, into: LinkedReg[]): void {
  const isLinked = (reg: Reg): boolean => reg.type === kind.scalar && reg.id === id;
  for (let f = state.frames.length - 1; f >= 0; f -= 1) {
    const frame = state.frames[f]!;
    for (let r = 0; r < 10; r += 1) {
      const reg = frame.regs[r]!;
      if (!isLinked(reg)) continue;
      if (into.length < maxLinked) into.push({ frame: f, isReg: true, at: r });
      else frame.regs[r] = withoutId(reg);
    }
    for (let s = 0; s < frame.stack.length; s += 1) {
      const slot = frame.stack[s]!;
      if (!isSpilledReg(slot) || !isLinked(slot.reg)) continue;
      if (into.length < maxLinked) into.push({ frame: f, isReg: false, at: s });
      else frame.stack[s] = { types: slot.types, reg: withoutId(slot.reg) };
    }
  }
}

function synced(reg: Reg, known: Reg): Reg {
  if (reg === known || reg.type !== kind.scalar) return reg;
  if (reg.id !== known.id) return reg;
  const neither = reg.link === 0 && known.link === 0;
  if (neither || reg.off === known.off) return known;
  // Sums of different widths are not a constant apart.
  if (reg.link !== 0 && known.link !== 0 && reg.link !== known.link) return reg;
  const result = editReg(known);
  result.off = reg.off;
  result.link = reg.link;
  const is32 = reg.link === 32 || known.link === 32;
  result.scalar = addDelta(known.scalar, BigInt(reg.off) - BigInt(known.off), is32);
  return result;
}

/** Carries what is now known of `known` to the places linked with it. */
export function syncLinked(state: State, known: Reg, linked: readonly LinkedReg[]): void {
  for (const { frame: f, isReg, at } of linked) {
    const frame = state.frames[f]!;
    if (isReg) {
      frame.regs[at] = synced(frame.regs[at]!, known);
      continue;
    }
    const slot = frame.stack[at]!;
    const reg = synced(slot.reg, known);
    if (reg !== slot.reg) frame.stack[at] = { types: slot.types, reg };
  }
}
