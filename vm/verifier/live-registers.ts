/** Which registers an instruction or what follows it may read, per instruction: plain dataflow. */
import { successors } from "./control-flow.ts";
import type { Env } from "./env.ts";
import { helperPrototypeOf } from "./helper-prototypes.ts";
import { kfuncOf } from "./kfuncs.ts";
import {
  aluOp,
  atomicOp,
  insnClass,
  isHelperCall,
  isKfuncCall,
  isLoadImm64,
  jmpOp,
  memMode,
  opLoadImm64,
  type RawInsn,
} from "./opcodes.ts";
import { printInsn } from "./print-insn.ts";

interface Effect {
  readonly uses: number;
  readonly defines: number;
}

const callerSaved = 0x3f;
const everything = 0xffff;
const unknownEffect: Effect = { uses: everything, defines: 0 };

function isRegisterSource(insn: RawInsn): boolean {
  return (insn.code & 8) !== 0;
}

function atomicEffect(insn: RawInsn, dst: number, src: number): Effect {
  switch (insn.imm) {
    case atomicOp.cmpxchg:
      return { uses: 1 | dst | src, defines: 1 };
    case atomicOp.loadAcquire:
      return { uses: src, defines: dst };
    case atomicOp.storeRelease:
      return { uses: dst | src, defines: 0 };
    default:
      return { uses: dst | src, defines: (insn.imm & atomicOp.fetch) !== 0 ? src : 0 };
  }
}

function aluEffect(insn: RawInsn, dst: number, src: number): Effect {
  const op = insn.code & 0xf0;
  if (op === aluOp.end) return { uses: dst, defines: dst };
  const source = isRegisterSource(insn) ? src : 0;
  return { uses: op === aluOp.mov ? source : dst | source, defines: dst };
}

/** Registers that a call may read; all five where nothing is known of the function. */
function parameterCount(env: Env, insn: RawInsn): number {
  if (isHelperCall(insn)) return helperPrototypeOf(env, insn.imm)?.args.length ?? 5;
  if (!isKfuncCall(insn)) return 5;
  const kfunc = kfuncOf(env, insn);
  return kfunc?.isAllowed ? kfunc.proto.params.length : 5;
}

function jumpEffect(env: Env, insn: RawInsn, dst: number, src: number): Effect {
  switch (insn.code & 0xf0) {
    case jmpOp.ja:
    case jmpOp.cond:
      return { uses: 0, defines: 0 };
    case jmpOp.exit:
      return { uses: 1, defines: 0 };
    case jmpOp.call: {
      const count = parameterCount(env, insn);
      return { uses: ((1 << count) - 1) << 1, defines: callerSaved };
    }
    default:
      return { uses: isRegisterSource(insn) ? dst | src : dst, defines: 0 };
  }
}

function effectOf(env: Env, insn: RawInsn): Effect {
  const dst = 1 << insn.dst;
  const src = 1 << insn.src;
  const mode = insn.code & 0xe0;
  switch (insn.code & 7) {
    case insnClass.ld:
      return insn.code === opLoadImm64 ? { uses: 0, defines: dst } : unknownEffect;
    case insnClass.ldx:
      return { uses: src, defines: dst };
    case insnClass.st:
      return { uses: dst, defines: 0 };
    case insnClass.stx:
      if (mode === memMode.atomic) return atomicEffect(insn, dst, src);
      return { uses: dst | src, defines: 0 };
    case insnClass.alu:
    case insnClass.alu64:
      return aluEffect(insn, dst, src);
    default:
      return jumpEffect(env, insn, dst, src);
  }
}

/** The table of live registers, before the first instruction of a detailed log. */
function traceLiveRegisters(env: Env): void {
  const { scc, liveBefore } = env.facts;
  env.log.trace("Live regs before insn:\n");
  for (let at = 0; at < env.insns.length; at += 1) {
    const loop = scc[at] === 0 ? "    " : `${String(scc[at]).padStart(3)} `;
    let registers = "";
    for (let r = 0; r < 10; r += 1) registers += (liveBefore[at]! & (1 << r)) !== 0 ? r : ".";
    env.log.trace(`${loop}${String(at).padStart(3)}: ${registers} ${printInsn(env, at)}\n`);
    if (isLoadImm64(env.insnAt(at))) at += 1;
  }
}

export function computeLiveRegisters(env: Env): void {
  const { liveBefore } = env.facts;
  const effects = env.insns.map((insn) => effectOf(env, insn));
  for (let changed = true; changed; ) {
    changed = false;
    for (const at of env.postorder) {
      let after = 0;
      for (const next of successors(env, at)) after |= liveBefore[next] ?? 0;
      const { uses, defines } = effects[at]!;
      const before = uses | (after & ~defines);
      if (before === liveBefore[at]) continue;
      liveBefore[at] = before;
      changed = true;
    }
  }
  if (env.log.isDetailed) traceLiveRegisters(env);
}
