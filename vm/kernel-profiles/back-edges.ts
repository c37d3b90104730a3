/** Loops as kernels see them: an edge to an instruction on the path that is being walked. */
import {
  isFunctionAddress,
  isJumpClass,
  isLoadImm64,
  isLocalCall,
  jmpOp,
  opExit,
  opJumpLong,
  type RawInsn,
} from "../verifier/opcodes.ts";

function successors(insn: RawInsn, at: number): readonly number[] {
  if (isLoadImm64(insn)) return [at + 2];
  if (!isJumpClass(insn.code)) return [at + 1];
  const op = insn.code & 0xf0;
  if (op === jmpOp.call) return [at + 1];
  if (insn.code === opExit) return [];
  if (op === jmpOp.ja) return [at + 1 + (insn.code === opJumpLong ? insn.imm : insn.off)];
  // The last is followed first, as kernels do: what comes next before what is jumped to.
  return [at + 1 + insn.off, at + 1];
}

function functionStarts(insns: readonly RawInsn[]): readonly number[] {
  const called = insns.flatMap((insn, at) =>
    isLocalCall(insn) || isFunctionAddress(insn) ? [at + 1 + insn.imm] : [],
  );
  return [...new Set([0, ...called])];
}

/**
 * The first instruction found that leads back into the path leading to it; undefined if none does.
 * Only those that are `counted` count.
 */
export function findBackEdge(
  insns: readonly RawInsn[],
  counted: (insn: RawInsn) => boolean = () => true,
): number | undefined {
  const onPath = new Uint8Array(insns.length);
  const done = new Uint8Array(insns.length);
  for (const start of functionStarts(insns)) {
    const path: { readonly at: number; readonly next: number[] }[] = [];
    const enter = (at: number): void => {
      const insn = insns[at];
      if (insn === undefined || done[at] === 1) return;
      onPath[at] = 1;
      path.push({ at, next: [...successors(insn, at)] });
    };
    enter(start);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next.pop();
      if (next === undefined) {
        onPath[top.at] = 0;
        done[top.at] = 1;
        path.pop();
      } else if (onPath[next] === 1) {
        if (counted(insns[top.at]!)) return top.at;
      } else enter(next);
    }
  }
  return undefined;
}
