/**
 * References that a kernel's BTF resolves: kernel functions and variables named by externs, and the
 * function that a tracing program attaches to.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, TypeId } from "../common/object/btf.ts";
import type { Endian } from "../common/object/object-file.ts";
import { typesAreCompatible } from "./core/compatible.ts";
import { essentialName, typesByEssentialName } from "./core/names.ts";
import type { KernelReference } from "./program.ts";

const CALL = 0x85;
const PSEUDO_BTF_ID = 3;
/** No helper has this number: a weak call that nothing resolved must not be reached. */
const poisonedHelper = 2_002_000_000;

/** The id of a function, variable or typedef of the kernel; flavours are ignored. */
export function kernelType(
  target: Btf,
  kind: "func" | "var" | "typedef" | "struct",
  name: string,
): TypeId | undefined {
  const ids = typesByEssentialName(target).get(essentialName(name)) ?? [];
  return ids.find((id) => target.types[id - 1]?.kind === kind);
}

/** Addresses by name; "ambiguous" where several symbols of that name differ. */
export type KernelSymbols = (name: string) => bigint | "ambiguous" | undefined;

/** What a kernel knows by name. */
export interface KernelNames {
  readonly btf: Btf;
  readonly modules: readonly Btf[];
  readonly symbols: KernelSymbols | undefined;
}

export interface CodeWithReferences {
  readonly insns: Uint8Array;
  readonly endian: Endian;
  readonly references: readonly KernelReference[];
  /** The object's types, which must agree with the kernel's. */
  readonly btf: Btf | undefined;
}

/** Writes ids and addresses into the code, in place. What is missing and not weak is an error. */
export function resolveKernelReferences(
  code: CodeWithReferences,
  kernel: KernelNames,
  where: string,
  diagnostics: Diagnostics,
): void {
  const view = new DataView(code.insns.buffer, code.insns.byteOffset, code.insns.byteLength);
  const patch = new InstructionPatch(view, code.endian === "little");
  const reported = new Set<string>();
  for (const reference of code.references) {
    const { slot } = reference;
    const fail = (message: string): void => {
      if (!reported.has(message)) diagnostics.error("unresolved-extern", `${where}: ${message}`);
      reported.add(message);
    };
    if (reference.untyped) {
      const address = symbolAddress(reference, kernel, fail);
      patch.setWide(slot, 0, BigInt.asUintN(64, address));
      continue;
    }
    const found = typedSymbol(reference, code.btf, kernel, fail);
    if (view.getUint8(slot * 8) === CALL) {
      if (found === undefined) patch.setSource(slot, 0);
      else patch.setOffset(slot, found.module);
      patch.setImmediate(slot, found?.id ?? poisonedHelper);
    } else if (found === undefined) patch.setWide(slot, 0, 0n);
    else patch.setWide(slot, PSEUDO_BTF_ID, BigInt(found.id));
  }
}

/** An address; 0 where nobody knows one and the program does not insist. */
function symbolAddress(
  { name, weak }: KernelReference,
  { symbols }: KernelNames,
  fail: (message: string) => void,
): bigint {
  if (symbols === undefined) return 0n;
  const address = symbols(name);
  if (address === "ambiguous") fail(`the kernel has several symbols '${name}'`);
  else if (address !== undefined) return address;
  else if (!weak) fail(`the kernel has no symbol '${name}'`);
  return 0n;
}

interface FoundType {
  readonly id: TypeId;
  /** 0 for the kernel itself, otherwise 1 + the module's position. */
  readonly module: number;
}

/** A function or variable whose type agrees with the declaration. */
function typedSymbol(
  { kind, name, weak, type }: KernelReference,
  btf: Btf | undefined,
  kernel: KernelNames,
  fail: (message: string) => void,
): FoundType | undefined {
  const what = kind === "kfunc" ? "function" : "variable";
  const wanted = kind === "kfunc" ? "func" : "var";
  for (const [module, target] of [kernel.btf, ...kernel.modules].entries()) {
    const id = kernelType(target, wanted, name);
    if (id === undefined) continue;
    const [own, theirs] = [btf?.types[type - 1], target.types[id - 1]];
    const isTyped = (own?.kind === "func" || own?.kind === "var") && own.kind === theirs?.kind;
    if (
      !isTyped ||
      btf === undefined ||
      typesAreCompatible({ btf, id: own.type }, { btf: target, id: theirs.type })
    ) {
      return { id, module };
    }
    if (!weak) fail(`${what} '${name}' has another type in the kernel`);
    return undefined;
  }
  if (!weak) fail(`the kernel has no ${what} '${name}'`);
  return undefined;
}

/** Fields of instructions in either byte order. */
class InstructionPatch {
  readonly #view: DataView;
  readonly #little: boolean;

  constructor(view: DataView, little: boolean) {
    this.#view = view;
    this.#little = little;
  }

  setSource(slot: number, source: number): void {
    const registers = this.#view.getUint8(slot * 8 + 1);
    const changed = this.#little ? (registers & 0x0f) | (source << 4) : (registers & 0xf0) | source;
    this.#view.setUint8(slot * 8 + 1, changed);
  }

  setOffset(slot: number, offset: number): void {
    this.#view.setInt16(slot * 8 + 2, offset, this.#little);
  }

  setImmediate(slot: number, value: number): void {
    this.#view.setInt32(slot * 8 + 4, value, this.#little);
  }

  /** A 64-bit load's source and both halves of its value. */
  setWide(slot: number, source: number, value: bigint): void {
    this.setSource(slot, source);
    this.setImmediate(slot, Number(BigInt.asIntN(32, value)));
    this.setImmediate(slot + 1, Number(BigInt.asIntN(32, value >> 32n)));
  }
}

/** Attach type names whose targets are found by BTF: what is looked up for a name. */
const lookups: Readonly<Record<string, { kind: "func" | "typedef"; prefix: string }>> = {
  BPF_TRACE_RAW_TP: { kind: "typedef", prefix: "btf_trace_" },
  BPF_TRACE_ITER: { kind: "func", prefix: "bpf_iter_" },
  BPF_LSM_MAC: { kind: "func", prefix: "bpf_lsm_" },
  BPF_LSM_CGROUP: { kind: "func", prefix: "bpf_lsm_" },
  BPF_TRACE_FENTRY: { kind: "func", prefix: "" },
  BPF_TRACE_FEXIT: { kind: "func", prefix: "" },
  BPF_MODIFY_RETURN: { kind: "func", prefix: "" },
  BPF_TRACE_FSESSION: { kind: "func", prefix: "" },
};

/** attach_btf_id for `fentry/do_unlinkat` and the like; 0 where nothing is looked up or found. */
export function attachTypeId(target: Btf, attachType: string, name: string): TypeId {
  const lookup = lookups[attachType];
  if (lookup === undefined || name === "") return 0;
  return kernelType(target, lookup.kind, lookup.prefix + name) ?? 0;
}
