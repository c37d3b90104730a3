/** JSON files that bpfc wrote itself: read back, or refused in one line. */
import { readFileSync } from "node:fs";
import { UserError } from "./inputs.ts";

/** The file's value where `isWhole` holds; `what` it should be is said otherwise. */
export function readOwnJson<Value>(
  path: string,
  what: string,
  isWhole: (value: Partial<Value>) => boolean,
): Value {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    throw new UserError(`no such file or directory: '${path}'`);
  }
  try {
    const value = JSON.parse(text) as Partial<Value>;
    if (isWhole(value)) return value as Value;
  } catch {
    // Not JSON: said below.
  }
  throw new UserError(`'${path}' is not ${what}`);
}
