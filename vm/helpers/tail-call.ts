/** bpf_tail_call, for both engines. */
import { Fault } from "../fault.ts";
import { ProgramArrayMap } from "../maps/program-array.ts";
import type { Program } from "../program.ts";
import { smallestContext } from "../programs/contexts.ts";
import type { HelperCall } from "./helper-call.ts";

/** The program that a slot of the array holds; the context goes to it as it came. */
export function tailCallTarget(call: HelperCall): Program | undefined {
  const map = call.mapOf(2, ProgramArrayMap);
  const { context, contextSize } = call.run;
  if (call.low(1) !== context || call.high(1) !== 0) {
    throw new Fault("bad-argument", "argument 1 is not the context", call.arg(1));
  }
  const target = call.kernel.programById(map.slot(call.low(3)) ?? 0);
  if (target !== undefined && smallestContext(target.spec.type) > contextSize) {
    throw new Fault("bad-argument", "the program's context is larger than this one");
  }
  return target;
}
