/** Context of tracing programs: the arguments of the hook, eight bytes each, typed by the kernel's BTF. */
import { MutableScalar, syncBounds, unknownScalar } from "../../common/domain/scalar.ts";
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { btfSizeOf, btfTypeById, skipModifierIds } from "../../common/object/btf-types.ts";
import {
  type IteratorArgument,
  isNullableTracepointArgument,
  iteratorArgument,
} from "../../common/platform/tracing-arguments.ts";
import { type AttachTarget, type FunctionProto, iteratorName } from "./attach-target.ts";
import { btfKindName, btfName, isStructure, tagFlag, unnamed } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { areArgumentsTrusted, hookRange } from "./lsm-hooks.ts";
import { attachType, programType } from "./program-variants.ts";
import { editReg, hasUnsafeFlags, type MutableReg, pointerReg, scalarReg } from "./reg.ts";
import { kind, mayBeNull, typeFlag } from "./reg-types.ts";

const maxArguments = 12;

/** A field of the context: a number, or a pointer register without its id. */
export type ContextValue = "scalar" | MutableReg;

function say(env: Env, text: string): undefined {
  env.say(text);
  return undefined;
}

function roundedSize(btf: Btf, id: TypeId): number {
  return Math.ceil((btfSizeOf(btf, id) ?? 0) / 8) * 8;
}

/** Which parameter lies at an offset; the number of parameters stands for the result. */
function argumentIndex(btf: Btf, proto: FunctionProto, offset: number): number {
  let end = 0;
  for (const [index, param] of proto.params.entries()) {
    end += roundedSize(btf, param.type);
    if (offset < end) return index;
  }
  end += roundedSize(btf, proto.returns);
  return offset < end ? proto.params.length : proto.params.length + 1;
}

function isNumber(type: BtfType | undefined): boolean {
  if (type?.kind === "int") return type.size <= 8 && (type.size & (type.size - 1)) === 0;
  return type?.kind === "enum" || type?.kind === "enum64" || isStructure(type);
}

const returnHooks: ReadonlySet<number> = new Set([
  attachType.fexit,
  attachType.lsmMac,
  attachType.lsmCgroup,
]);

interface Hook {
  readonly env: Env;
  readonly kernel: KernelTypes;
  readonly target: AttachTarget;
  readonly offset: number;
  readonly size: number;
}

/** The BTF type at an offset of the context; undefined (with a message) if there is none. */
function typeAt(hook: Hook): { argument: number; type: TypeId } | undefined {
  const { env, kernel, target, offset } = hook;
  const { name, proto } = target;
  const argument = argumentIndex(kernel.btf, proto, offset);
  const params = target.skipsFirst ? proto.params.slice(1) : proto.params;
  const missing = (): undefined =>
    say(env, `func '${name}' doesn't have ${argument + 1}-th argument`);
  if (argument > params.length) return missing();
  if (argument < params.length) return { argument, type: params[argument]!.type };
  if (returnHooks.has(env.input.attachType)) return { argument, type: proto.returns };
  if (env.input.attachType !== attachType.modifyReturn) return missing();
  const result = btfTypeById(kernel.btf, skipModifierIds(kernel.btf, proto.returns));
  if (result?.kind === "int") return { argument, type: proto.returns };
  return say(env, `ret type ${btfKindName(result)} not allowed for fmod_ret`);
}

const iteratorTypes: Readonly<Record<IteratorArgument, number>> = {
  pointer: kind.btfId,
  "trusted-pointer": kind.btfId | typeFlag.trusted,
  buffer: kind.buf,
  "read-only-buffer": kind.buf | typeFlag.readOnly,
};

function fromIterator(hook: Hook, argument: number): MutableReg | undefined {
  const { env, kernel, target } = hook;
  if (!isTracing(env) || env.input.attachType !== attachType.iterator) return undefined;
  const known = iteratorArgument(iteratorName(target), argument);
  if (known === undefined) return undefined;
  const reg = pointerReg(iteratorTypes[known.kind] | typeFlag.maybeNull);
  if (known.struct !== undefined)
    setStructure(reg, kernel.btf, kernel.find("struct", known.struct));
  return reg;
}

function setStructure(reg: MutableReg, btf: Btf, id: TypeId): void {
  reg.btf = btf;
  reg.btfId = id;
  reg.btfName = btfName(btf, id);
}

/** Hooks whose pointers the kernel holds on to. */
function isTrusted(env: Env): boolean {
  const attach = env.input.attachType;
  if (env.input.programType === programType.structOps) return true;
  if (env.input.programType === programType.lsm) return areArgumentsTrusted(env.attach?.name ?? "");
  return attach === attachType.rawTracepoint || attach === attachType.iterator;
}

function isTracing(env: Env): boolean {
  return env.input.programType === programType.tracing;
}

function pointerArgument(hook: Hook, argument: number, target: TypeId): MutableReg | undefined {
  const { env, kernel } = hook;
  const { btf } = kernel;
  let type = kind.btfId | tagFlag(btf, target);
  // Type tags other than these say nothing of arguments.
  type &= ~typeFlag.rcu;
  if (isTrusted(env)) type |= typeFlag.trusted;
  const isTracepoint = isTracing(env) && env.input.attachType === attachType.rawTracepoint;
  const isSuffixed = hook.target.proto.params[argument]?.name.endsWith("__nullable") === true;
  const isListed = isTracepoint && isNullableTracepointArgument(hook.target.name, argument);
  if (isListed || (isSuffixed && !isTracepoint)) type |= typeFlag.maybeNull;
  const id = skipModifierIds(btf, target);
  const structure = btfTypeById(btf, id);
  const what = `func '${hook.target.name}' arg${argument}`;
  if (!isStructure(structure)) {
    return say(env, `${what} type ${btfKindName(structure)} is not a struct`);
  }
  env.say(`${what} has btf_id ${id} type ${btfKindName(structure)} '${structure.name || unnamed}'`);
  const reg = pointerReg(type);
  setStructure(reg, btf, id);
  return reg;
}

/** Whether the pointer is to plain data, which may not be followed. */
function isPlainTarget(btf: Btf, target: TypeId): boolean {
  const type = btfTypeById(btf, skipModifierIds(btf, target));
  return type === undefined || type.kind === "int";
}

/** What a read gives; undefined if it is not allowed (messages say why). */
export function tracingContextField(
  env: Env,
  offset: number,
  size: number,
  isRead: boolean,
): ContextValue | undefined {
  const { kernel } = env.input;
  const target = env.attach;
  if (kernel === undefined || target === undefined) env.unsupported("hook without its types");
  if (offset < 0 || offset >= 8 * maxArguments || !isRead || offset % size !== 0) return undefined;
  if (offset % 8 !== 0) {
    return say(env, `func '${target.name}' offset ${offset} is not multiple of 8`);
  }
  const hook: Hook = { env, kernel, target, offset, size };
  const found = typeAt(hook);
  if (found === undefined) return undefined;
  const { argument } = found;
  const type = btfTypeById(kernel.btf, skipModifierIds(kernel.btf, found.type));
  if (isNumber(type)) return resultOfHook(hook, argument) ?? "scalar";
  if (type?.kind !== "ptr") {
    const name = target.proto.params[argument]?.name ?? "";
    return say(
      env,
      `func '${target.name}' arg${argument} '${name}' has type ${btfKindName(type)}. Only pointer access is allowed`,
    );
  }
  if (size !== 8) return say(env, `func '${target.name}' size ${size} must be 8`);
  const iterated = fromIterator(hook, argument);
  const isBuffer =
    iterated?.type !== undefined && mayBeNull(iterated.type) && iterated.btf === undefined;
  if (isBuffer) return iterated;
  if (isPlainTarget(kernel.btf, type.type)) return "scalar";
  if (isNullableByStub(target, argument)) return nullableArgument(kernel, type.type);
  const pointer = iterated ?? pointerArgument(hook, argument, type.type);
  return pointer && promoted(env, kernel, pointer);
}

/** Security hooks are told what was decided so far: its range is known. */
function resultOfHook({ env, target }: Hook, argument: number): MutableReg | undefined {
  const { programType: type, attachType: attach } = env.input;
  if (type !== programType.lsm || attach !== attachType.lsmMac) return undefined;
  const range = argument < target.proto.params.length ? undefined : hookRange(target);
  if (range === undefined) return undefined;
  const s = new MutableScalar(unknownScalar);
  s.s32min = range.min;
  s.s32max = range.max;
  s.smin = BigInt(range.min);
  s.smax = BigInt(range.max);
  syncBounds(s);
  return editReg(scalarReg(s));
}

function isNullableByStub({ stub }: AttachTarget, argument: number): boolean {
  return stub?.params[argument]?.name.endsWith("__nullable") === true;
}

function nullableArgument(kernel: KernelTypes, target: TypeId): MutableReg {
  const reg = pointerReg(kind.btfId | typeFlag.trusted | typeFlag.maybeNull);
  setStructure(reg, kernel.btf, skipModifierIds(kernel.btf, target));
  return reg;
}

/** Sockets whose congestion is controlled are TCP sockets. */
function promoted(env: Env, kernel: KernelTypes, reg: MutableReg): MutableReg {
  const isTcp = env.attach?.structOps === "tcp_congestion_ops";
  if (!isTcp || reg.btfName !== "sock" || hasUnsafeFlags(reg.type)) return reg;
  setStructure(reg, kernel.btf, kernel.find("struct", "tcp_sock"));
  return reg;
}
