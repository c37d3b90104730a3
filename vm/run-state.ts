/** What belongs to one run of a program, whichever engine runs it. */
import type { BpfMap } from "./maps/map.ts";
import type { Program } from "./program.ts";
import type { Packet } from "./programs/packet.ts";

export interface Redirect {
  /** Map of bpf_redirect_map, or undefined for bpf_redirect. */
  readonly map?: BpfMap;
  /** Device index, or the map's index. */
  readonly target: number;
  readonly flags: bigint;
}

export interface RunState {
  /** The program that was started; a tail call does not change it. */
  readonly program: Program;
  /** Address of the context. */
  readonly context: number;
  readonly contextSize: number;
  /** Bytes of it that the caller gave. */
  readonly givenSize: number;
  /** r2 at the start: 0, or the length of a bare program's memory. */
  readonly secondArgument: number;
  /** The packet of networking programs. */
  readonly packet: Packet | undefined;
  /** Writes the packet's bounds to the context, after a helper moved them. */
  readonly syncContext: () => void;
  redirect: Redirect | undefined;
  /** BPF_PROG_TYPE_CGROUP_*: value of bpf_get_retval. */
  returnValue: number;
}
