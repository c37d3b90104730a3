/** `extern … __ksym`: addresses of the kernel's variables and functions, by BTF id. */
import { btfSizeOf, btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import { btfName, isStructure } from "./btf-walk.ts";
import type { Env } from "./env.ts";
import { measuredConfig } from "./input.ts";
import { type MutableReg, pointerReg } from "./reg.ts";
import { kind, typeFlag } from "./reg-types.ts";
import { errno } from "./stop.ts";

function rejectSymbol(env: Env, id: number): never {
  env.reject(`pseudo btf_id ${id} in ldimm64 isn't KIND_VAR or KIND_FUNC`, errno.invalid);
}

/** The register that a load of the address gives. */
export function kernelSymbol(env: Env, id: number): MutableReg {
  const { kernel } = env.input;
  if (id === 0) rejectSymbol(env, id);
  if (kernel === undefined) env.unsupported("address of a kernel variable without its types");
  const symbol = btfTypeById(kernel.btf, id);
  if (symbol === undefined) {
    env.reject(`ldimm64 insn specifies invalid btf_id ${id}.`, errno.noEntry);
  }
  if (symbol.kind === "func") return pointerReg(kind.mem | typeFlag.readOnly);
  if (symbol.kind !== "var") rejectSymbol(env, id);
  if (!(env.input.config ?? measuredConfig).variableSymbols) {
    env.reject(
      `ldimm64 failed to find the address for kernel symbol '${symbol.name}'.`,
      errno.noEntry,
    );
  }
  const type = skipModifiers(kernel.btf, symbol.type);
  const isPerCpu = kernel.isPerCpu(id);
  if (isPerCpu || isStructure(type)) {
    const reg = pointerReg(kind.btfId | (isPerCpu ? typeFlag.percpu : 0));
    reg.btf = kernel.btf;
    reg.btfId = symbol.type;
    reg.btfName = btfName(kernel.btf, symbol.type);
    return reg;
  }
  const size = btfSizeOf(kernel.btf, symbol.type);
  if (size === undefined) {
    const name = btfName(kernel.btf, symbol.type);
    env.reject(`ldimm64 unable to resolve the size of type '${name}': -22`, errno.invalid);
  }
  const reg = pointerReg(kind.mem | typeFlag.readOnly);
  reg.range = size;
  return reg;
}
