/** Strings that the kernel reads while it verifies: they must be constants of the program. */
import type { Env } from "./env.ts";
import { checkMapAccess } from "./map-access.ts";
import { directValueSize, isReadOnlyForPrograms } from "./map-rules.ts";
import { errno } from "./stop.ts";

/** The bytes before the terminating zero, in a frozen map that programs cannot write. */
export function checkConstantString(env: Env, register: number): Uint8Array {
  const reg = env.regs[register]!;
  const { map } = reg;
  if (map === undefined || !isReadOnlyForPrograms(map) || map.frozenData === undefined) {
    env.reject(`R${register} does not point to a readonly map'`);
  }
  if (reg.scalar.mask !== 0n) env.reject(`R${register} is not a constant address'`);
  if (directValueSize(map) === undefined) {
    env.reject("no direct value access support for this map type");
  }
  checkMapAccess(env, register, reg.off, map.valueSize - reg.off, false);
  const start = reg.off + Number(BigInt.asIntN(64, reg.scalar.value));
  const end = map.frozenData.indexOf(0, start);
  if (end < 0 || end >= map.valueSize) env.reject("string is not zero-terminated", errno.invalid);
  return map.frozenData.subarray(start, end);
}
