/**
 * Checks each slot's encoding and resolves map references, in one pass over the program, before
 * anything is executed.
 */
import type { Env } from "./env.ts";
import type { VerifierMap } from "./input.ts";
import { kernelSymbol } from "./kernel-variables.ts";
import { checkMapForProgram, directValueSize, mapType } from "./map-rules.ts";
import { insnClass, isKnownOpcode, isLoadImm64, memMode, pseudo, type RawInsn } from "./opcodes.ts";
import { errno } from "./stop.ts";

const maxVariableOffset = 1 << 29;
const maxUsedMaps = 64;

function checkValueReference(env: Env, map: VerifierMap, offset: number): void {
  if (offset >= maxVariableOffset) {
    env.reject(`direct value offset of ${offset} is not allowed`, errno.invalid);
  }
  const size = directValueSize(map);
  if (size === undefined) {
    env.reject("no direct value access support for this map type", errno.invalid);
  }
  if (map.type === mapType.arena) {
    if (offset <= size) return;
    env.reject(
      `invalid access to map value pointer, value_size=${map.valueSize} off=${offset}`,
      34,
    );
  }
  if (map.maxEntries !== 1 || offset >= size) {
    const code = map.maxEntries === 1 ? errno.invalid : errno.notSupported;
    env.reject(
      `invalid access to map value pointer, value_size=${map.valueSize} off=${offset}`,
      code,
    );
  }
}

function resolveMap(env: Env, first: RawInsn, second: RawInsn, used: Set<number>): void {
  const isValue = first.src === pseudo.mapValue || first.src === pseudo.mapIndexValue;
  const isMap = first.src === pseudo.mapFd || first.src === pseudo.mapIndex;
  if (!isValue && !(isMap && second.imm === 0)) {
    env.reject("unrecognized bpf_ld_imm64 insn", errno.invalid);
  }
  if (first.src === pseudo.mapIndex || first.src === pseudo.mapIndexValue) {
    env.reject("fd_idx without fd_array is invalid", 71);
  }
  const map = env.input.maps[first.imm];
  if (map === undefined) env.reject(`fd ${first.imm} is not pointing to valid bpf_map`, 9);
  if (!used.has(first.imm)) {
    checkMapForProgram(env, map);
    if (used.size >= maxUsedMaps) {
      env.reject(
        `The total number of maps per program has reached the limit of ${maxUsedMaps}`,
        errno.tooBig,
      );
    }
    used.add(first.imm);
  }
  if (isValue) checkValueReference(env, map, second.imm >>> 0);
}

function checkLoadImm64(env: Env, at: number, used: Set<number>): void {
  const first = env.insnAt(at);
  const second = env.insns[at + 1];
  if (
    second === undefined ||
    second.code !== 0 ||
    second.dst !== 0 ||
    second.src !== 0 ||
    second.off !== 0
  ) {
    env.reject("invalid bpf_ld_imm64 insn", errno.invalid);
  }
  if (first.src === 0 || first.src === pseudo.func) return;
  if (first.src === pseudo.btfId) {
    if (second.imm !== 0) {
      env.reject("invalid module BTF object FD specified.", errno.invalid);
    }
    kernelSymbol(env, first.imm);
    return;
  }
  resolveMap(env, first, second, used);
}

/** Rejects reserved fields of loads, broken two-slot immediates, bad map references and opcodes. */
export function resolveReferences(env: Env): void {
  const used = new Set<number>();
  for (let at = 0; at < env.insns.length; at += 1) {
    const insn = env.insnAt(at);
    const mode = insn.code & 0xe0;
    if ((insn.code & 7) === insnClass.ldx) {
      if ((mode !== memMode.mem && mode !== memMode.memsx) || insn.imm !== 0) {
        env.reject("BPF_LDX uses reserved fields", errno.invalid);
      }
    }
    if (isLoadImm64(insn)) {
      checkLoadImm64(env, at, used);
      at += 1;
    } else if (!isKnownOpcode(insn.code)) {
      env.reject(`unknown opcode ${insn.code.toString(16).padStart(2, "0")}`, errno.invalid);
    }
  }
}
