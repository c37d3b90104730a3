/** Map values: bounds, special fields, direction, and constants of frozen maps. */
import type { Env } from "./env.ts";
import { recordOf, type SpecialField } from "./map-record.ts";
import { directValueSize, isReadOnlyForPrograms, mapFlag } from "./map-rules.ts";
import type { Reg } from "./reg.ts";
import { checkRegion } from "./regions.ts";

/** BPF_F_RDONLY_PROG and BPF_F_WRONLY_PROG. */
export function checkMapDirection(
  env: Env,
  reg: Reg,
  offset: number,
  size: number,
  isRead: boolean,
): void {
  const { map } = reg;
  if (map === undefined) return;
  const isForbidden = isRead
    ? (map.flags & mapFlag.writeOnlyProg) !== 0
    : isReadOnlyForPrograms(map);
  if (!isForbidden) return;
  const what = isRead ? "read from" : "write into";
  env.reject(
    `${what} map forbidden, value_size=${map.valueSize} off=${reg.off + offset} size=${size}`,
  );
}

/** `offset` includes the pointer's constant part. */
export function checkMapAccess(
  env: Env,
  register: number,
  offset: number,
  size: number,
  allowsZero: boolean,
  isDirect = false,
): void {
  const reg = env.regs[register]!;
  const { map } = reg;
  if (map === undefined) env.unsupported("map value without a map");
  checkRegion(env, register, offset, size, map.valueSize, allowsZero);
  const record = recordOf(env, map);
  const low = reg.scalar.smin + BigInt(offset);
  const end = reg.scalar.umax + BigInt(offset + size);
  for (const field of record.fields) {
    const start = BigInt(field.offset);
    if (low >= start + BigInt(field.size) || start >= end) continue;
    if (field.kptr === undefined) {
      env.reject(`${field.name} cannot be accessed directly by load/store`);
    }
    checkKptrAccess(env, reg, field, offset, size, isDirect);
  }
}

/** Pointers to objects are loaded and stored whole, at a known place. */
function checkKptrAccess(
  env: Env,
  reg: Reg,
  { name, offset: at }: SpecialField,
  offset: number,
  size: number,
  isDirect: boolean,
): void {
  if (!isDirect) env.reject(`${name} cannot be accessed indirectly by helper`);
  if (reg.scalar.mask !== 0n) env.reject(`${name} access cannot have variable offset`);
  const from = BigInt.asUintN(64, BigInt(offset) + reg.scalar.value);
  if (from !== BigInt(at)) {
    env.reject(`${name} access misaligned expected=${at} off=${from}`);
  }
  if (size !== 8) env.reject(`${name} access size must be BPF_DW`);
}

/** The kptr field at an access, if there is one. */
export function kptrAt(env: Env, reg: Reg, offset: number): SpecialField | undefined {
  if (reg.map === undefined || reg.scalar.mask !== 0n) return undefined;
  const at = offset + Number(BigInt.asIntN(64, reg.scalar.value));
  return recordOf(env, reg.map).fields.find(
    (field) => field.kptr !== undefined && field.offset === at,
  );
}

/** The constant at an offset of a frozen, read-only map; undefined if it is not one. */
export function readFrozen(
  reg: Reg,
  offset: number,
  size: number,
  signed: boolean,
): bigint | undefined {
  const { map } = reg;
  if (map?.frozenData === undefined || !isReadOnlyForPrograms(map)) return undefined;
  if (reg.scalar.mask !== 0n || directValueSize(map) === undefined) return undefined;
  const at = offset + Number(reg.scalar.value);
  let value = 0n;
  for (let i = size - 1; i >= 0; i -= 1) {
    value = (value << 8n) | BigInt(map.frozenData[at + i] ?? 0);
  }
  return signed ? BigInt.asIntN(size * 8, value) : value;
}
