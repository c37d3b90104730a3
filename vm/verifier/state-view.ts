/** States as plain data, for editors: what is known before an instruction, one view per visit. */
import type { Env } from "./env.ts";
import type { FrameView, StateView } from "./input.ts";
import { isPreciseReg } from "./precision-marks.ts";
import { printReg, printSlot } from "./print-state.ts";
import { kind } from "./reg-types.ts";
import type { Frame } from "./state.ts";

function viewFrame(env: Env, frame: Frame): FrameView {
  const registers = frame.regs.flatMap((reg, register) =>
    reg.type === kind.notInit
      ? []
      : [{ register, text: printReg(reg, frame.frameNo, isPreciseReg(frame, register)) }],
  );
  const stack = frame.stack.flatMap((slot, index) => {
    const printed = printSlot(slot, frame, index);
    if (printed === undefined) return [];
    return [{ offset: -(index + 1) * 8, text: printed.slice(printed.indexOf("=") + 1) }];
  });
  const name = env.subprograms[frame.subprog]?.name ?? "";
  return { function: name, callsite: frame.callsite, registers, stack };
}

/** Notes the current state for its instruction, as long as fewer visits than wanted were noted. */
export function noteState(env: Env, limit: number): void {
  const views = env.views.get(env.insn) ?? [];
  if (views.length >= limit) return;
  env.views.set(env.insn, views);
  const { state } = env;
  const view: StateView = {
    visit: env.processed,
    frames: state.frames.map((frame) => viewFrame(env, frame)),
    references: state.refs.map((ref) => ref.id),
  };
  views.push(view);
}
