/** Programs: load and BPF_PROG_TEST_RUN. */
import { programTypeById } from "../../common/platform/program-types.ts";
import { errno } from "../errno.ts";
import { runProgram } from "../programs/run.ts";
import type { BpfAttr } from "./attr.ts";
import { type Command, objectOf } from "./command.ts";
import { loadProgram } from "./load-program.ts";
import type { SystemState } from "./system-state.ts";

/** Copies what fits; ENOSPC where that is not all of it. */
function copyOut(bytes: Uint8Array, target: Uint8Array | undefined): number {
  if (target === undefined) return 0;
  target.set(bytes.subarray(0, target.length));
  return bytes.length > target.length ? -errno.ENOSPC : 0;
}

function testRun(system: SystemState, attr: BpfAttr): number {
  const object = objectOf(system, "program", attr.prog_fd);
  if (typeof object === "number") return object;
  const { program } = object;
  if (programTypeById(program.spec.type)?.testRun === undefined) return -errno.ENOTSUPP;
  const start = system.kernel.time;
  const result = runProgram(system.kernel, program, {
    ...(attr.data_in && { packet: attr.data_in }),
    ...(attr.ctx_in && { context: attr.ctx_in }),
    repeat: attr.repeat || 1,
    verified: true,
  });
  if (result.error !== undefined) {
    return result.error.kind === "bad-argument" ? -errno.EINVAL : -errno.EFAULT;
  }
  object.runs += attr.repeat || 1;
  const packet = result.packet ?? new Uint8Array(0);
  const problem = copyOut(packet, attr.data_out);
  const contextProblem = copyOut(result.context, attr.ctx_out);
  attr.data_size_out = packet.length;
  attr.ctx_size_out = result.context.length;
  attr.retval = result.retval >>> 0;
  attr.duration = Number(system.kernel.time - start);
  return problem || contextProblem;
}

/** By the name of the command without `BPF_`. */
export const programCommands: Readonly<Record<string, Command>> = {
  PROG_LOAD: {
    fields: [
      "prog_type",
      "insn_cnt",
      "insns",
      "license",
      "log_level",
      "log",
      "prog_flags",
      "prog_name",
      "expected_attach_type",
      "prog_btf_fd",
      "func_info_rec_size",
      "func_info",
      "line_info_rec_size",
      "line_info",
      "attach_btf_id",
      "fd_array",
    ],
    run: loadProgram,
  },
  PROG_TEST_RUN: {
    fields: [
      "prog_fd",
      "retval",
      "data_in",
      "data_out",
      "data_size_out",
      "repeat",
      "duration",
      "ctx_in",
      "ctx_out",
      "ctx_size_out",
      "test_flags",
      "cpu",
    ],
    run: testRun,
  },
};
