/** Arguments of functions by their BTF types: checked at calls, assumed when verified alone. */
import type { Btf, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import { objectPointer } from "./btf-pointers.ts";
import { btfKindName } from "./btf-walk.ts";
import { isContextTagValid, isContextTarget } from "./context-types.ts";
import { processDynptrArg } from "./dynptr.ts";
import type { Env, Subprogram } from "./env.ts";
import { checkArgOffset, checkObjectPointer } from "./helper-args.ts";
import { checkHelperMemory } from "./helper-memory.ts";
import { editReg, isNull, pointerReg, type Reg, unknownReg } from "./reg.ts";
import { kind, mayBeNull, typeFlag } from "./reg-types.ts";
import { setReg } from "./registers.ts";
import { Rejection } from "./stop.ts";

export type FunctionArg =
  | { readonly kind: "number" }
  | { readonly kind: "context" }
  | { readonly kind: "dynptr" }
  | { readonly kind: "arena" }
  /** Anything may be given: reads are done by probing. */
  | { readonly kind: "untrusted"; readonly structure: string | undefined }
  | { readonly kind: "object"; readonly structure: string; readonly nullable: boolean }
  | { readonly kind: "memory"; readonly size: number; readonly nullable: boolean };

const knownTags: ReadonlySet<string> = new Set([
  "ctx",
  "trusted",
  "untrusted",
  "nonnull",
  "nullable",
  "arena",
]);

/** Tags of a parameter, `arg:nonnull` as `nonnull`. */
function tagsOf(btf: Btf, func: number, index: number): string[] {
  const tags: string[] = [];
  for (const type of btf.types) {
    if (type.kind !== "decl_tag" || type.type !== func || type.componentIndex !== index) continue;
    if (type.name.startsWith("arg:")) tags.push(type.name.slice(4));
  }
  return tags;
}

/** A parameter whose type is being looked at. */
interface Parameter {
  readonly env: Env;
  readonly btf: Btf;
  readonly index: number;
  readonly tags: readonly string[];
  /** What the pointer points to. */
  readonly target: TypeId;
}

function say(env: Env, text: string): undefined {
  env.say(text);
  return undefined;
}

/** The one structure of the kernel with that name. */
function kernelStructure(p: Parameter): string | undefined {
  const { btf, index, target } = p;
  const env: Env = p.env;
  const { kernel } = env.input;
  if (kernel === undefined) env.unsupported("argument of a kernel type without the kernel's types");
  const type = skipModifiers(btf, target);
  const name = type !== undefined && "name" in type ? type.name.split("___")[0]! : "";
  const what = `arg#${index} reference type('${btfKindName(type)} ${name}')`;
  const found = kernel.count(type?.kind ?? "void", name);
  if (found === 1) return name;
  return say(env, `${what} ${found === 0 ? "has no matches" : "is ambiguous"}`);
}

function hasOnly(p: Parameter, tag: string, message: string): boolean {
  if (p.tags.every((one) => one === tag)) return true;
  p.env.say(`arg#${p.index} ${message}`);
  return false;
}

const invalidTags = "has invalid combination of tags";

function untrustedArg(p: Parameter): FunctionArg | undefined {
  if (!hasOnly(p, "untrusted", "untrusted cannot be combined with any other tags")) {
    return undefined;
  }
  const type = skipModifiers(p.btf, p.target);
  const isPlain =
    type === undefined || type.kind === "int" || type.kind === "enum" || type.kind === "enum64";
  if (isPlain) return { kind: "untrusted", structure: undefined };
  const structure = kernelStructure(p);
  return structure === undefined ? undefined : { kind: "untrusted", structure };
}

function memoryArg(p: Parameter): FunctionArg | undefined {
  const { env, btf, index, tags, target } = p;
  if (tags.includes("nullable")) return say(env, `arg#${index} ${invalidTags}`);
  const named = skipModifiers(btf, target);
  const size = btfSizeOf(btf, target);
  if (size === undefined) {
    const name = named !== undefined && "name" in named ? named.name : "";
    const word = btfKindName(named);
    const what = `arg#${index} reference type('${word} ${name}') size cannot be determined: -22`;
    return say(env, what);
  }
  return { kind: "memory", size, nullable: !tags.includes("nonnull") };
}

function isDynptr({ btf, target }: Parameter): boolean {
  const type = skipModifiers(btf, target);
  return type?.kind === "struct" && type.name === "bpf_dynptr";
}

function pointerArg(p: Parameter, isGlobal: boolean): FunctionArg | undefined {
  const { env, btf, index, tags, target } = p;
  if (tags.includes("ctx") || isContextTarget(env, btf, target)) {
    if (!hasOnly(p, "ctx", invalidTags)) return undefined;
    const isValid = tags.length === 0 || isContextTagValid(env, btf, target, index);
    return isValid ? { kind: "context" } : undefined;
  }
  if (isDynptr(p)) {
    return tags.length === 0 ? { kind: "dynptr" } : say(env, `arg#${index} ${invalidTags}`);
  }
  if (tags.includes("trusted")) {
    if (tags.includes("nonnull")) return say(env, `arg#${index} ${invalidTags}`);
    const structure = kernelStructure(p);
    if (structure === undefined) return undefined;
    return { kind: "object", structure, nullable: tags.includes("nullable") };
  }
  if (tags.includes("untrusted")) return untrustedArg(p);
  if (tags.includes("arena")) {
    const only = hasOnly(p, "arena", "arena cannot be combined with any other tags");
    return only ? { kind: "arena" } : undefined;
  }
  return isGlobal ? memoryArg(p) : undefined;
}

/** Tags are for functions that are verified on their own. */
function areTagsAllowed(
  env: Env,
  index: number,
  tags: readonly string[],
  global: boolean,
): boolean {
  if (tags.length === 0) return true;
  if (!global) env.say(`arg#${index} type tag is not supported in static functions`);
  else if (tags.every((tag) => knownTags.has(tag))) return true;
  else env.say(`arg#${index} has unsupported set of tags`);
  return false;
}

/** Argument kinds of a function, or undefined if its BTF does not tell (a static function's may not). */
export function functionArgs(env: Env, sub: Subprogram): FunctionArg[] | undefined {
  const { btf } = env.input;
  if (btf === undefined) return undefined;
  const func = btfTypeById(btf, sub.type);
  const proto = func?.kind === "func" ? btfTypeById(btf, func.type) : undefined;
  if (proto?.kind !== "func_proto") return undefined;
  const isGlobal = sub.linkage === "global";
  if (proto.params.length > 5) {
    if (isGlobal) {
      env.say(
        `Global function ${sub.name}() with ${proto.params.length} > 5 args. Buggy compiler.`,
      );
    }
    return undefined;
  }
  const result = skipModifiers(btf, proto.returns);
  const isNumber = result?.kind === "int" || result?.kind === "enum" || result?.kind === "enum64";
  if (!isNumber) {
    if (isGlobal) {
      env.say(`Global function ${sub.name}() doesn't return scalar. Only those are supported.`);
    }
    return undefined;
  }
  const args: FunctionArg[] = [];
  for (const [index, param] of proto.params.entries()) {
    const type = skipModifiers(btf, param.type);
    const tags = tagsOf(btf, sub.type, index);
    if (!areTagsAllowed(env, index, tags, isGlobal)) return undefined;
    if (type?.kind !== "ptr" && tags.length > 0) {
      return say(env, `arg#${index} has pointer tag, but is not a pointer type`);
    }
    if (type?.kind === "int" || type?.kind === "enum" || type?.kind === "enum64") {
      args.push({ kind: "number" });
      continue;
    }
    const arg =
      type?.kind === "ptr"
        ? pointerArg({ env, btf, index, tags, target: type.type }, isGlobal)
        : undefined;
    if (arg === undefined) {
      if (isGlobal && type?.kind !== "ptr") {
        env.say(`Arg#${index} type ${btfKindName(type)} in ${sub.name}() is not supported yet.`);
      }
      return undefined;
    }
    args.push(arg);
  }
  return args;
}

/** Memory that may be read and written; NULL is let through. */
export function checkMemoryArg(env: Env, register: number, size: number): void {
  const reg = env.regs[register]!;
  if (isNull(reg)) return;
  if (!mayBeNull(reg.type)) {
    checkHelperMemory(env, register, size, "read", true, undefined);
    checkHelperMemory(env, register, size, "write", true, undefined);
    return;
  }
  const edited = editReg(reg);
  edited.type &= ~typeFlag.maybeNull;
  env.regs[register] = edited;
  checkHelperMemory(env, register, size, "read", true, undefined);
  checkHelperMemory(env, register, size, "write", true, undefined);
  env.regs[register] = reg;
}

/** Memory, dynptrs and objects; undefined if the register fits, else what is said of it. */
function mismatch(env: Env, arg: FunctionArg, index: number): string | undefined {
  const register = index + 1;
  const reg = env.regs[register]!;
  switch (arg.kind) {
    case "number":
      return reg.type === kind.scalar ? undefined : `R${register} is not a scalar`;
    case "untrusted":
      return undefined;
    case "context":
      checkArgOffset(env, reg, register, 0, false);
      return reg.type === kind.ctx ? undefined : `arg#${index} expects pointer to ctx`;
    case "arena": {
      const isFit = reg.type === kind.arena || reg.type === kind.scalar;
      return isFit ? undefined : `R${register} is not a pointer to arena or scalar.`;
    }
    case "dynptr":
      checkArgOffset(env, reg, register, 0, true);
      processDynptrArg(env, register, {
        arg: index,
        flags: typeFlag.readOnly,
        writeBytes: () => {},
      });
      return undefined;
    case "object":
      if (isNull(reg) && arg.nullable) return undefined;
      checkObjectPointer(env, register, arg.structure, arg.nullable);
      return undefined;
    case "memory":
      checkArgOffset(env, reg, register, 0, false);
      checkMemoryArg(env, register, arg.size);
      if (arg.nullable || !mayBeNull(reg.type)) return undefined;
      return `arg#${index} is expected to be non-NULL`;
  }
}

/** Whether the registers fit the callee's arguments; messages say what does not. */
export function matchArgs(env: Env, args: readonly FunctionArg[]): boolean {
  for (const [index, arg] of args.entries()) {
    const problem = mismatch(env, arg, index);
    if (problem === undefined) continue;
    env.say(problem);
    return false;
  }
  return true;
}

function kernelObject(env: Env, structure: string, flags: number): Reg {
  const { kernel } = env.input;
  if (kernel === undefined) throw new Rejection(22);
  const reg = objectPointer(kernel, structure, flags);
  reg.id = env.newId();
  return reg;
}

function initialReg(env: Env, arg: FunctionArg): Reg {
  switch (arg.kind) {
    case "number":
    case "arena":
      return unknownReg;
    case "context":
      return pointerReg(kind.ctx);
    case "dynptr": {
      const reg = pointerReg(kind.dynptr);
      reg.id = env.newId();
      reg.dynptr = { type: "local", isFirst: true };
      return reg;
    }
    case "untrusted":
      if (arg.structure !== undefined) {
        return kernelObject(env, arg.structure, typeFlag.untrusted);
      }
      return pointerReg(kind.mem | typeFlag.readOnly | typeFlag.untrusted);
    case "object": {
      const nullable = arg.nullable ? typeFlag.maybeNull : 0;
      return kernelObject(env, arg.structure, typeFlag.trusted | nullable);
    }
    case "memory": {
      const reg = pointerReg(kind.mem | (arg.nullable ? typeFlag.maybeNull : 0));
      reg.range = arg.size;
      if (arg.nullable) reg.id = env.newId();
      return reg;
    }
  }
}

/** Registers at the entry of a function that is verified on its own. */
export function setInitialArgs(env: Env, args: readonly FunctionArg[]): void {
  args.forEach((arg, index) => {
    setReg(env, index + 1, initialReg(env, arg));
  });
}
