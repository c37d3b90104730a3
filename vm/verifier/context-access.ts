/** Which fields of the context a program may read and write, and what a read gives. */
import type { Env } from "./env.ts";
import { programType, programVariant } from "./program-variants.ts";
import { contextAccess } from "./standin-tables.ts";

interface Access {
  readonly read: string | undefined;
  readonly isReadable: boolean;
  readonly isWritable: boolean;
}

const tables = new Map<string, Map<number, Access>>();

function keyOf(offset: number, size: number): number {
  return offset * 16 + size;
}

function tableOf(variant: string): Map<number, Access> {
  let table = tables.get(variant);
  if (table !== undefined) return table;
  table = new Map();
  for (const [offset, size, direction, register] of contextAccess[variant] ?? []) {
    const key = keyOf(offset, size);
    const old = table.get(key);
    const isRead = direction === "r";
    table.set(key, {
      read: isRead ? register : old?.read,
      isReadable: isRead || (old?.isReadable ?? false),
      isWritable: !isRead || (old?.isWritable ?? false),
    });
  }
  tables.set(variant, table);
  return table;
}

/** Largest record of a tracepoint (PERF_MAX_TRACE_SIZE). */
const maxTracepoint = 8192;

/** Contexts that are plain bytes, larger than what was measured. */
function plainAccess(env: Env, offset: number, size: number): Access | undefined {
  const isAligned = offset % size === 0;
  switch (env.input.programType) {
    case programType.tracepoint: {
      // Negative offsets pass the kernel's (unsigned) test of the lower end.
      const fits = (offset < 0 || offset >= 8) && offset < maxTracepoint && isAligned;
      return { read: "", isReadable: fits, isWritable: false };
    }
    case programType.syscall: {
      const fits = offset >= 0 && offset < 0xffff && isAligned;
      return { read: "", isReadable: fits, isWritable: fits };
    }
    default:
      return undefined;
  }
}

function accessOf(env: Env, offset: number, size: number): Access | undefined {
  const plain = plainAccess(env, offset, size);
  if (plain !== undefined) return plain;
  const variant = programVariant(env.input);
  if (variant === undefined) env.unsupported("context of this program and attach type");
  return tableOf(variant.name).get(keyOf(offset, size));
}

/** Whether it is allowed; gives the register text of a read, empty for numbers. */
export function contextField(
  env: Env,
  offset: number,
  size: number,
  isRead: boolean,
): string | undefined {
  const access = accessOf(env, offset, size);
  if (access === undefined) return undefined;
  if (isRead) return access.isReadable ? (access.read ?? "") : undefined;
  return access.isWritable ? "" : undefined;
}
