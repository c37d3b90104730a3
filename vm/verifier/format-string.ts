/** Format strings of printing helpers, as the kernel accepts them. */
import { checkConstantString } from "./constant-string.ts";
import type { Env } from "./env.ts";
import { errno, Rejection } from "./stop.ts";

const bytesPerArgument = 8n;

/** One conversion behind `%`: flags and width, then pointers, strings, characters or numbers. */
const conversion =
  /^[0+\- ]*(?:[1-9]\d*)?(?:p[ku]s(?=$|[\s!-/:-@[-`{-~])|p[KxsSB]|p[iI][46]|p(?=$|[\s!-/:-@[-`{-~])|s(?=$|[\s!-/:-@[-`{-~])|c|l{0,2}[iduxX])/;

/** Number of arguments that a format takes; undefined if it is not allowed. */
function countConversions(format: string, limit: number): number | undefined {
  if (!/^[\x20-\x7e\t-\r]*$/.test(format)) return undefined;
  let count = 0;
  for (let at = format.indexOf("%"); at >= 0; at = format.indexOf("%", at)) {
    if (format[at + 1] === "%") {
      at += 2;
      continue;
    }
    const match = count < limit ? conversion.exec(format.slice(at + 1)) : null;
    if (match === null) return undefined;
    count += 1;
    at += 1 + match[0].length;
  }
  return count;
}

/** `bpf_snprintf(str, size, fmt, data, data_len)`: the format must fit the number of arguments. */
export function checkFormat(env: Env): void {
  const length = env.regs[5]!.scalar.value;
  if (length % bytesPerArgument !== 0n) throw new Rejection(errno.invalid);
  const text = new TextDecoder("latin1").decode(checkConstantString(env, 3));
  const allowed = Number(length / bytesPerArgument);
  if (countConversions(text, allowed) === undefined) {
    env.reject("Invalid format string", errno.invalid);
  }
}
