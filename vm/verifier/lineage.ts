/**
 * Where a value comes from: backwards along the failing path, through copies, spills, constant
 * additions, calls and returns, with the tests that narrowed it on the way.
 */
import {
  aluOp,
  insnClass,
  isLocalCall,
  jmpOp,
  memMode,
  opCall,
  opExit,
  opLoadImm64,
  type RawInsn,
} from "./opcodes.ts";
import type { PathStep } from "./path-steps.ts";
import type { Reg } from "./reg.ts";
import { isPacketAny, kind } from "./reg-types.ts";

/** The failing path: what was known before each step, and the program. */
export interface Path {
  readonly insns: readonly RawInsn[];
  readonly steps: readonly PathStep[];
}

/** A test or call that changed what was known of a value without changing the value. */
export interface Change {
  /** Index among the steps. */
  readonly at: number;
  readonly before: Reg;
  readonly after: Reg;
}

export interface Lineage {
  /** Index of the step that made the value; undefined if the path's known part has none. */
  readonly origin: number | undefined;
  /** Newest first. */
  readonly tests: readonly Change[];
  /** A call that took a packet pointer away. */
  readonly moved: Change | undefined;
  /** Where only its lower half was kept. */
  readonly truncated: number | undefined;
  /** Of a pointer: the newest addition of something that is no constant, and its register. */
  readonly variable: { readonly at: number; readonly register: number } | undefined;
}

type Place = { readonly register: number } | { readonly slot: number };

const framePointer = 10;

function isAlu(insn: RawInsn): boolean {
  const of = insn.code & 7;
  return of === insnClass.alu || of === insnClass.alu64;
}

const isFromRegister = (insn: RawInsn): boolean => (insn.code & 8) !== 0;

/** Whether the instruction gives the register a value. */
export function defines(insn: RawInsn, register: number): boolean {
  // The second slot of a two-slot immediate is no instruction.
  if (insn.code === 0) return false;
  switch (insn.code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
    case insnClass.ldx:
      return insn.dst === register;
    case insnClass.ld:
      return insn.code === opLoadImm64 ? insn.dst === register : register <= 5;
    case insnClass.jmp:
      return insn.code === opCall && register <= 5;
    default:
      return false;
  }
}

export function isConditional(insn: RawInsn): boolean {
  const of = insn.code & 7;
  if (of !== insnClass.jmp && of !== insnClass.jmp32) return false;
  const op = insn.code & 0xf0;
  return op !== jmpOp.ja && op !== jmpOp.call && op !== jmpOp.exit && op !== jmpOp.cond;
}

/** The slot of the frame that 8 bytes at a register and offset are; undefined elsewhere. */
function slotAt(step: PathStep, register: number, offset: number): number | undefined {
  const base = step.regs[register];
  if (base === undefined || base.type !== kind.stack || base.scalar.mask !== 0n) return undefined;
  if (register !== framePointer && base.frame !== step.depth - 1) return undefined;
  const at = base.off + Number(BigInt.asIntN(64, base.scalar.value)) + offset;
  return at < 0 && at % 8 === 0 ? -at / 8 - 1 : undefined;
}

function valueAt(step: PathStep, place: Place): Reg | undefined {
  return "register" in place ? step.regs[place.register] : step.stack[place.slot]?.reg;
}

const isPointer = (reg: Reg | undefined): boolean =>
  reg !== undefined && reg.type !== kind.scalar && reg.type !== kind.notInit;

class Walk {
  readonly path: Path;
  place: Place;
  depth: number;
  origin: number | undefined = undefined;
  readonly tests: Change[] = [];
  moved: Change | undefined = undefined;
  truncated: number | undefined = undefined;
  variable: { at: number; register: number } | undefined = undefined;

  constructor(path: Path, register: number, from: number) {
    this.path = path;
    this.place = { register };
    this.depth = path.steps[from]?.depth ?? 1;
  }

  /** Goes on at what the instruction copied; false where the value was made. */
  throughDefinition(at: number, step: PathStep, insn: RawInsn): boolean {
    if ((insn.code & 7) === insnClass.ldx) {
      const isWhole = insn.code === (insnClass.ldx | memMode.mem | 0x18);
      const slot = isWhole ? slotAt(step, insn.src, insn.off) : undefined;
      if (slot === undefined) return false;
      this.place = { slot };
      return true;
    }
    if (!isAlu(insn)) return false;
    const op = insn.code & 0xf0;
    const is32 = (insn.code & 7) === insnClass.alu;
    if (op === aluOp.mov && isFromRegister(insn)) {
      if (is32 || insn.off !== 0) this.truncated ??= at;
      this.place = { register: insn.src };
      return true;
    }
    const isShiftOfHalf = op === aluOp.lsh || op === aluOp.rsh || op === aluOp.arsh;
    if (isShiftOfHalf && !is32 && !isFromRegister(insn) && insn.imm === 32) {
      this.truncated ??= at;
      return true;
    }
    if (op !== aluOp.add && op !== aluOp.sub) return false;
    return this.throughSum(at, step, insn);
  }

  throughSum(at: number, step: PathStep, insn: RawInsn): boolean {
    const target = step.regs[insn.dst];
    if (!isFromRegister(insn)) return isPointer(target);
    const source = step.regs[insn.src];
    if (isPointer(target) === isPointer(source)) return false;
    const number = isPointer(target) ? insn.src : insn.dst;
    if (step.regs[number]?.scalar.mask !== 0n) this.variable ??= { at, register: number };
    if (isPointer(source)) this.place = { register: insn.src };
    return true;
  }

  noteChange(at: number, insn: RawInsn, before: Reg, after: Reg): void {
    const isSame =
      before.scalar === after.scalar && before.range === after.range && before.type === after.type;
    if (isSame) return;
    if (isConditional(insn)) this.tests.push({ at, before, after });
    else if (isPacketAny(before.type) && !isPacketAny(after.type)) {
      this.moved ??= { at, before, after };
    }
  }

  /** One step back; false at the origin. */
  back(at: number): boolean {
    const { steps, insns } = this.path;
    const step = steps[at]!;
    const next = steps[at + 1]!;
    const insn = insns[step.insn];
    if (insn === undefined) return false;
    const { place } = this;
    if (step.depth > this.depth) {
      const isResult = "register" in place && place.register === 0 && insn.code === opExit;
      if (isResult && next.depth === this.depth) this.depth = step.depth;
      return true;
    }
    if (step.depth < this.depth) {
      const isArgument = "register" in place && place.register <= 5 && isLocalCall(insn);
      this.depth = step.depth;
      if (!isArgument) this.origin = at;
      return isArgument;
    }
    if ("register" in place ? defines(insn, place.register) : this.stores(step, insn, place.slot)) {
      const isCopied =
        "register" in place ? this.throughDefinition(at, step, insn) : this.throughStore(insn);
      if (!isCopied) this.origin = at;
      return isCopied;
    }
    const before = valueAt(step, place);
    const after = next.depth === step.depth ? valueAt(next, place) : before;
    if (before !== undefined && after !== undefined) this.noteChange(at, insn, before, after);
    return true;
  }

  stores(step: PathStep, insn: RawInsn, slot: number): boolean {
    const isStore = (insn.code & 7) === insnClass.stx || (insn.code & 7) === insnClass.st;
    const isPlain = (insn.code & 0xe0) === memMode.mem;
    return isStore && isPlain && slotAt(step, insn.dst, insn.off) === slot;
  }

  throughStore(insn: RawInsn): boolean {
    if ((insn.code & 7) !== insnClass.stx) return false;
    this.place = { register: insn.src };
    return true;
  }
}

/** The lineage of a register's value before step `from`. */
export function lineage(path: Path, register: number, from: number): Lineage {
  const walk = new Walk(path, register, from);
  for (let at = from - 1; at >= 0 && walk.back(at); at -= 1);
  return walk;
}
