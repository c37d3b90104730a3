/** Options that every phase of the compiler may need; plain data, made by the driver. */
import type { Endian } from "../common/object/object-file.ts";

/** `-mcpu`: which instructions may be used. v3 is the default, as in clang 20. */
export type CpuVersion = "v1" | "v2" | "v3" | "v4";

export type OptimizationLevel = "0" | "1" | "2" | "3" | "s";

export interface TargetOptions {
  readonly endian: Endian;
  readonly cpu: CpuVersion;
  /** -mstrict-align: no access wider than its proven alignment, except on the stack. */
  readonly strictAlign: boolean;
  /** Bytes of a stack frame, where not the 512 that the kernel allows: for runs in the VM. */
  readonly stackLimit?: number;
}
