/** Splits the program into functions and checks that no jump leaves the one it is in. */
import { btfTypeById, skipModifiers } from "../../common/object/btf-types.ts";
import { type Env, type Subprogram, subprogramAt } from "./env.ts";
import { exceptionCallbackStart } from "./exceptions.ts";
import { helperId } from "./helper-ids.ts";
import { registerKfunc } from "./kfuncs.ts";
import {
  insnClass,
  isFunctionAddress,
  isHelperCall,
  isJumpClass,
  isKfuncCall,
  isLocalCall,
  jmpOp,
  jumpOffset,
  memMode,
  opExit,
  opJump,
  opJumpLong,
} from "./opcodes.ts";
import { errno } from "./stop.ts";

const maxSubprograms = 256;

function newSubprogram(start: number, end: number): Subprogram {
  return {
    start,
    end,
    stackDepth: 0,
    hasTailCall: false,
    hasLoadAbs: false,
    isAsyncCallback: false,
    isCallback: false,
    changesPacket: false,
    mightSleep: false,
    name: "",
    linkage: "static",
    type: 0,
    isCalled: false,
    isVerified: false,
    isUnreliable: false,
    isExceptionCallback: false,
  };
}

/** Finds the starts of all functions: targets of local calls and of function addresses. */
export function findSubprograms(env: Env): void {
  const count = env.insns.length;
  const starts = new Set<number>([0]);
  env.insns.forEach((insn, at) => {
    if (isKfuncCall(insn)) registerKfunc(env, insn);
    if (!isFunctionAddress(insn) && !isLocalCall(insn)) return;
    const target = at + insn.imm + 1;
    if (target >= count || target < 0) env.reject("call to invalid destination", errno.invalid);
    starts.add(target);
    if (starts.size > maxSubprograms) env.reject("too many subprograms", errno.tooBig);
  });
  const exception = exceptionCallbackStart(env);
  if (exception > 0) starts.add(exception);
  const sorted = [...starts].sort((a, b) => a - b);
  env.subprograms = sorted.map((start, i) => newSubprogram(start, sorted[i + 1] ?? count));
  if (exception > 0) noteExceptionCallback(env, exception);
  if (env.log.isDetailed) {
    for (const [i, subprogram] of env.subprograms.entries()) {
      env.say(`func#${i} @${subprogram.start}`);
    }
  }
}

/** It runs on a stack of its own, as other callbacks that come later. */
function noteExceptionCallback(env: Env, start: number): void {
  const index = subprogramAt(env, start);
  const callback = env.subprograms[index];
  if (callback === undefined) return;
  env.exceptionCallback = index;
  callback.isExceptionCallback = true;
  callback.isCallback = true;
  callback.isAsyncCallback = true;
}

function noteFeatures(env: Env, subprogram: Subprogram, at: number): void {
  const insn = env.insnAt(at);
  if (isHelperCall(insn) && insn.imm === helperId.tailCall) subprogram.hasTailCall = true;
  const mode = insn.code & 0xe0;
  if ((insn.code & 7) === insnClass.ld && (mode === memMode.abs || mode === memMode.ind)) {
    subprogram.hasLoadAbs = true;
  }
}

/** Jumps stay inside their function; a function ends in an exit or a jump. */
export function checkSubprograms(env: Env): void {
  for (const subprogram of env.subprograms) {
    for (let at = subprogram.start; at < subprogram.end; at += 1) {
      const insn = env.insnAt(at);
      noteFeatures(env, subprogram, at);
      const op = insn.code & 0xf0;
      if (isJumpClass(insn.code) && op !== jmpOp.exit && op !== jmpOp.call) {
        const target = at + jumpOffset(insn) + 1;
        if (target < subprogram.start || target >= subprogram.end) {
          env.reject(`jump out of range from insn ${at} to ${target}`, errno.invalid);
        }
      }
      const mayEnd = insn.code === opExit || insn.code === opJump || insn.code === opJumpLong;
      if (at === subprogram.end - 1 && !mayEnd) {
        env.reject("last insn is not an exit or jmp", errno.invalid);
      }
    }
  }
}

/** func_info must name every function, in order; gives them their names, linkage and BTF types. */
export function checkFunctionInfo(env: Env): void {
  const { functions } = env.input;
  if (functions.length === 0) {
    checkAbnormalReturns(env, "is not allowed in subprogs without BTF", () => false);
    return;
  }
  if (functions.length !== env.subprograms.length) {
    env.reject("number of funcs in func_info doesn't match number of subprogs", errno.invalid);
  }
  for (const [i, info] of functions.entries()) {
    const subprogram = env.subprograms[i]!;
    if (subprogram.start !== info.insn) {
      env.reject(
        "func_info BTF section doesn't match subprog layout in BPF program",
        errno.invalid,
      );
    }
    subprogram.name = info.name;
    subprogram.linkage = info.linkage;
    subprogram.type = info.type;
  }
  checkAbnormalReturns(env, "is only allowed in functions that return 'int'.", (subprogram) =>
    returnsNumber(env, subprogram),
  );
}

/** Packet loads and tail calls end a function early: its result must then be a number. */
function checkAbnormalReturns(
  env: Env,
  rule: string,
  isAllowed: (subprogram: Subprogram) => boolean,
): void {
  for (const subprogram of env.subprograms.slice(1)) {
    const { hasLoadAbs, hasTailCall } = subprogram;
    if ((!hasLoadAbs && !hasTailCall) || isAllowed(subprogram)) continue;
    env.reject(`${hasLoadAbs ? "LD_ABS" : "tail_call"} ${rule}`, errno.invalid);
  }
}

function returnsNumber(env: Env, subprogram: Subprogram): boolean {
  const { btf } = env.input;
  if (btf === undefined) env.unsupported("tail call in a function without BTF");
  const func = btfTypeById(btf, subprogram.type);
  const proto = func?.kind === "func" ? btfTypeById(btf, func.type) : undefined;
  if (proto?.kind !== "func_proto") return false;
  const result = skipModifiers(btf, proto.returns);
  return result?.kind === "int" || result?.kind === "enum" || result?.kind === "enum64";
}
