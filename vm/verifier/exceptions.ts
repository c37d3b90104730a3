/** `bpf_throw`: the whole program ends, by the callback that it names for this, or at once. */
import type { Btf } from "../../common/object/btf.ts";
import { btfTypeById } from "../../common/object/btf-types.ts";
import type { Env } from "./env.ts";
import { checkResources } from "./references.ts";
import { checkReturn } from "./return-codes.ts";
import { errno } from "./stop.ts";

export const throwName = "bpf_throw";

const tagPrefix = "exception_callback:";

/** The name in the tag of the main function; undefined if it has none. */
function callbackName(env: Env, btf: Btf, main: number): string | undefined {
  const tags = btf.types.filter(
    (type) =>
      type.kind === "decl_tag" &&
      type.type === main &&
      type.componentIndex === -1 &&
      type.name.startsWith(tagPrefix),
  );
  if (tags.length > 1) {
    env.reject("multiple exception callback tags for main subprog", 17);
  }
  const [tag] = tags;
  return tag?.kind === "decl_tag" ? tag.name.slice(tagPrefix.length) : undefined;
}

/** Where the function that handles exceptions starts, by the main function's BTF; 0 if there is none. */
export function exceptionCallbackStart(env: Env): number {
  const { btf, functions } = env.input;
  const main = functions[0];
  if (btf === undefined || main === undefined) return 0;
  const name = callbackName(env, btf, main.type);
  if (name === undefined) return 0;
  const id = btf.types.findIndex((type) => type.kind === "func" && type.name === name) + 1;
  const func = btfTypeById(btf, id);
  if (func?.kind !== "func") {
    env.reject(`exception callback '${name}' could not be found in BTF`, errno.noEntry);
  }
  if (func.linkage !== "global") {
    env.reject(`exception callback '${name}' must have global linkage`, errno.invalid);
  }
  const found = functions.findLast((info) => info.type === id);
  if (found === undefined) {
    env.reject("exception callback type id not found in func_info", errno.invalid);
  }
  if (found.insn === 0) {
    env.say("invalid exception callback insn_off in func_info: 0");
    env.reject("exception callback type id not found in func_info", errno.invalid);
  }
  return found.insn;
}

/** Ends the path: nothing may be held, and without a callback the value thrown is the result. */
export function leaveByException(env: Env): void {
  if (env.exceptionCallback === undefined) checkReturn(env, 1);
  checkResources(env, true, throwName, true);
}
