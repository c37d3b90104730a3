/** struct pt_regs, the context of kprobe programs, per architecture. */
import { ptRegsRows } from "./generated/registers.ts";
import { lazyRows } from "./rows.ts";

export type PtRegsRow = readonly [
  architecture: string,
  field: string,
  /** Its name in the user-space header. */
  userName: string | null,
  offset: number,
  size: number,
  /** PT_REGS_* meanings: `PARM1`, `RC`, `IP` … */
  roles?: readonly string[] | null,
];

/** Fields for `x86_64` and `arm64`. */
export const ptRegsFields = lazyRows<PtRegsRow>(ptRegsRows);
