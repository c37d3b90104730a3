/** Two-slot immediates: numbers, maps, addresses in map values, functions. */
import { type Env, subprogramAt } from "./env.ts";
import { kernelSymbol } from "./kernel-variables.ts";
import { mapType } from "./map-rules.ts";
import { opLoadImm64, pseudo, type RawInsn } from "./opcodes.ts";
import { constantReg, pointerReg } from "./reg.ts";
import { kind } from "./reg-types.ts";
import { checkWritable, setReg, setUnknown } from "./registers.ts";
import { errno } from "./stop.ts";

function loadFunction(env: Env, insn: RawInsn): void {
  const subprog = subprogramAt(env, env.insn + insn.imm + 1);
  const sub = env.subprograms[subprog];
  if (sub === undefined) env.unsupported("address of no function");
  if (env.input.functions.length === 0) env.reject("missing btf func_info", errno.invalid);
  if (sub.linkage !== "static") env.reject("callback function not static", errno.invalid);
  const reg = pointerReg(kind.func);
  reg.range = subprog;
  setReg(env, insn.dst, reg);
}

export function checkLoadImm64(env: Env, insn: RawInsn): void {
  if (insn.code !== opLoadImm64) env.reject("invalid BPF_LD_IMM insn", errno.invalid);
  if (insn.off !== 0) env.reject("BPF_LD_IMM64 uses reserved fields", errno.invalid);
  checkWritable(env, insn.dst);
  const high = env.insnAt(env.insn + 1).imm;
  if (insn.src === 0) {
    const value = (BigInt(high >>> 0) << 32n) | BigInt(insn.imm >>> 0);
    setReg(env, insn.dst, constantReg(value));
    return;
  }
  if (insn.src === pseudo.func) {
    loadFunction(env, insn);
    return;
  }
  if (insn.src === pseudo.btfId) {
    setReg(env, insn.dst, kernelSymbol(env, insn.imm));
    return;
  }
  const map = env.input.maps[insn.imm];
  if (map === undefined) env.unsupported("map reference");
  const isValue = insn.src === pseudo.mapValue || insn.src === pseudo.mapIndexValue;
  if (isValue && map.type === mapType.arena) {
    setUnknown(env, insn.dst);
    return;
  }
  const reg = pointerReg(isValue ? kind.mapValue : kind.mapPtr);
  reg.map = map;
  // All such pointers are to the map's one value: they need no ids to tell its lock from others.
  if (isValue) reg.off = high;
  setReg(env, insn.dst, reg);
}
