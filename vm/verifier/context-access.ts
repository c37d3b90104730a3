/** Which fields of the context a program may read and write, and what a read gives. */
import { type ContextValueKind, contextAccess } from "../../common/platform/context-access.ts";
import type { Env } from "./env.ts";
import { isUnixHook, programType, programVariant } from "./program-variants.ts";

/** Largest record of a tracepoint (PERF_MAX_TRACE_SIZE). */
const maxTracepoint = 8192;
const maxSyscall = 0xffff;

/** Contexts that are plain bytes, larger than what was measured; undefined for the others. */
function isPlainAccess(
  env: Env,
  offset: number,
  size: number,
  isRead: boolean,
): boolean | undefined {
  const isAligned = offset % size === 0;
  switch (env.input.programType) {
    case programType.tracepoint:
      // Negative offsets pass the kernel's (unsigned) test of the lower end.
      return isRead && isAligned && (offset < 0 || offset >= 8) && offset < maxTracepoint;
    case programType.syscall:
      return isAligned && offset >= 0 && offset < maxSyscall;
    default:
      return undefined;
  }
}

/** user_ip4 and msg_src_ip4 of struct bpf_sock_addr. */
function isIpAddress(offset: number): boolean {
  return (offset >= 4 && offset < 8) || (offset >= 40 && offset < 44);
}

/** What the access gives (`scalar` for writes); undefined if it is not allowed. */
export function contextField(
  env: Env,
  offset: number,
  size: number,
  isRead: boolean,
): ContextValueKind | undefined {
  if (!env.contextOffsets.has(offset)) env.contextOffsets.set(offset, env.insn);
  const plain = isPlainAccess(env, offset, size, isRead);
  if (plain !== undefined) return plain ? "scalar" : undefined;
  if (isUnixHook(env.input) && isIpAddress(offset)) return undefined;
  const variant = programVariant(env.input);
  if (variant === undefined) env.unsupported("context of this program and attach type");
  return contextAccess(variant, offset, size, !isRead);
}
