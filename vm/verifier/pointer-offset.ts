/** Pointers that may be used only as they were obtained. */
import { printTnum } from "../../common/domain/tnum.ts";
import type { Env } from "./env.ts";
import type { Reg } from "./reg.ts";
import { typeName } from "./reg-types.ts";

/** No offset at all, or with `allowsFixed` a constant one that is not negative. */
export function checkPointerOffset(
  env: Env,
  reg: Reg,
  register: number,
  allowsFixed: boolean,
): void {
  const name = typeName(reg.type);
  if (reg.off < 0) {
    env.reject(`negative offset ${name} ptr R${register} off=${reg.off} disallowed`);
  }
  if (!allowsFixed && reg.off !== 0) {
    env.reject(`dereference of modified ${name} ptr R${register} off=${reg.off} disallowed`);
  }
  if (reg.scalar.mask !== 0n || reg.scalar.value !== 0n) {
    env.reject(`variable ${name} access var_off=${printTnum(reg.scalar)} disallowed`);
  }
}
