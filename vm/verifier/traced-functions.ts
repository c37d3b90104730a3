/**
 * Which of the kernel's functions tracing programs may attach to at entry and exit, and of which
 * they may sleep or change the result. By the kernel's source: machines that were asked let no such
 * program be loaded.
 */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { skipModifiers } from "../../common/object/btf-types.ts";
import type { AttachTarget } from "./attach-target.ts";
import type { Env } from "./env.ts";
import { measuredConfig } from "./input.ts";
import { attachType, isSleepableProgram } from "./program-variants.ts";
import { errno } from "./stop.ts";

/** Programs run inside of them themselves. */
const untraceable: ReadonlySet<string> = new Set([
  "migrate_disable",
  "migrate_enable",
  "rcu_read_unlock_strict",
  "preempt_count_add",
  "preempt_count_sub",
  "__rcu_read_lock",
  "__rcu_read_unlock",
]);

/** What runs behind their exit would never run. */
const neverReturning: ReadonlySet<string> = new Set([
  "__ia32_sys_exit",
  "__ia32_sys_exit_group",
  "__x64_sys_exit",
  "__x64_sys_exit_group",
  "__kunit_abort",
  "kunit_try_catch_throw",
  "__module_put_and_kthread_exit",
  "do_exit",
  "do_group_exit",
  "kthread_complete_and_exit",
  "kthread_exit",
  "make_task_dead",
]);

/** Functions whose result programs may change, and whether these may sleep. */
const changeable: ReadonlyMap<string, { readonly sleepable: boolean }> = new Map([
  ["bpf_modify_return_test", { sleepable: false }],
  ["bpf_modify_return_test2", { sleepable: false }],
  ["bpf_modify_return_test_tp", { sleepable: false }],
  ["bpf_fentry_test1", { sleepable: true }],
  ["update_socket_protocol", { sleepable: false }],
]);

const securityPrefix = "security_";
const maxArguments = 12;
const maxStructureArgument = 16;

function sizeAsArgument(btf: Btf, id: TypeId): number | undefined {
  const type = skipModifiers(btf, id);
  switch (type?.kind) {
    case "ptr":
      return 8;
    case "int":
    case "enum":
    case "enum64":
    case "struct":
    case "union":
      return type.size;
    default:
      return undefined;
  }
}

/** The calling convention must be one that the entry code can save and restore. */
function checkPrototype(env: Env, { name, proto }: AttachTarget): void {
  const { btf } = env.input.kernel!;
  const { params } = proto;
  if (params.length > maxArguments) {
    env.reject(`The function ${name} has ${params.length} arguments. Too many.`, errno.invalid);
  }
  const result = proto.returns === 0 ? undefined : skipModifiers(btf, proto.returns);
  const isBadResult =
    proto.returns !== 0 &&
    (sizeAsArgument(btf, proto.returns) === undefined ||
      result?.kind === "struct" ||
      result?.kind === "union");
  if (isBadResult) {
    const word = result === undefined ? "UNKN" : result.kind.toUpperCase();
    env.reject(`The function ${name} return type ${word} is unsupported.`, errno.invalid);
  }
  params.forEach((param, index) => {
    if (index === params.length - 1 && param.type === 0) {
      env.reject(`The function ${name} with variable args is unsupported.`, errno.invalid);
    }
    const size = sizeAsArgument(btf, param.type);
    if (size !== undefined && size <= maxStructureArgument) return;
    const word = skipModifiers(btf, param.type)?.kind.toUpperCase() ?? "UNKN";
    env.reject(`The function ${name} arg${index} type ${word} is unsupported.`, errno.invalid);
  });
}

/** Where errors may be injected depends on the kernel; the measured one injects none. */
function mayInjectErrors(env: Env, name: string): boolean {
  const { errorInjection } = env.input.config ?? measuredConfig;
  if (errorInjection) env.unsupported(`error injection into ${name}`);
  return false;
}

/** Refuses what may not be traced, or not in the program's way. */
export function checkTracedFunction(env: Env, target: AttachTarget): void {
  const { input } = env;
  const { name } = target;
  checkPrototype(env, target);
  if (isSleepableProgram(input)) {
    if (changeable.get(name)?.sleepable !== true && !mayInjectErrors(env, name)) {
      env.reject(`${name} is not sleepable`, errno.invalid);
    }
  } else if (input.attachType === attachType.modifyReturn) {
    const isSecurity = name.startsWith(securityPrefix);
    if (!isSecurity && !changeable.has(name) && !mayInjectErrors(env, name)) {
      env.reject(`${name}() is not modifiable`, errno.invalid);
    }
  }
  if (untraceable.has(name)) {
    env.reject(`Attaching tracing programs to function '${name}' is rejected.`, errno.invalid);
  }
  if (input.attachType !== attachType.fentry && neverReturning.has(name)) {
    env.reject(
      `Attaching fexit/fmod_ret to __noreturn function '${name}' is rejected.`,
      errno.invalid,
    );
  }
}
