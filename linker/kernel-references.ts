/**
 * References that a kernel's BTF resolves: kernel functions and variables named by externs, and the
 * function that a tracing program attaches to.
 */
import type { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf, TypeId } from "../common/object/btf.ts";
import type { Endian } from "../common/object/object-file.ts";
import { essentialName, typesByEssentialName } from "./core/names.ts";
import type { KernelReference } from "./program.ts";

const LD_IMM64 = 0x18;
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

export interface CodeWithReferences {
  readonly insns: Uint8Array;
  readonly endian: Endian;
  readonly references: readonly KernelReference[];
}

/** Writes ids into the code, in place. What is missing and not weak is an error. */
export function resolveKernelReferences(
  code: CodeWithReferences,
  target: Btf,
  where: string,
  diagnostics: Diagnostics,
): void {
  const view = new DataView(code.insns.buffer, code.insns.byteOffset, code.insns.byteLength);
  const little = code.endian === "little";
  for (const { slot, kind, name, weak, untyped } of code.references) {
    // An untyped symbol is an address; only a running kernel knows it. Its value stays 0.
    if (untyped) {
      setSource(view, slot, 0, little);
      continue;
    }
    const id = kernelType(target, kind === "kfunc" ? "func" : "var", name);
    if (id === undefined && !weak) {
      const what = kind === "kfunc" ? "function" : "variable";
      diagnostics.error("unresolved-extern", `${where}: the kernel has no ${what} '${name}'`);
    }
    const opcode = view.getUint8(slot * 8);
    if (opcode === CALL) {
      if (id === undefined) setSource(view, slot, 0, little);
      view.setInt32(slot * 8 + 4, id ?? poisonedHelper, little);
    } else if (opcode === LD_IMM64) {
      setSource(view, slot, id === undefined ? 0 : PSEUDO_BTF_ID, little);
      view.setInt32(slot * 8 + 4, id ?? 0, little);
    }
  }
}

function setSource(view: DataView, slot: number, source: number, little: boolean): void {
  const registers = view.getUint8(slot * 8 + 1);
  const changed = little ? (registers & 0x0f) | (source << 4) : (registers & 0xf0) | source;
  view.setUint8(slot * 8 + 1, changed);
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
