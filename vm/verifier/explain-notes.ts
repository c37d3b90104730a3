/**
 * The notes of an explanation: what was known of the value, where it came from, which tests it
 * passed, and where the proof was lost. From the failing path, which is followed again for it.
 */
import { assignedName, makingWords, numberWords, valueWords, weakness } from "./explain-words.ts";
import { helperName } from "./helper-prototypes.ts";
import type { VerifierInput } from "./input.ts";
import { type Change, isConditional, type Lineage, lineage, type Path } from "./lineage.ts";
import { aluOp, insnClass, isHelperCall, opCall, type RawInsn, sizeOf } from "./opcodes.ts";
import { printReg } from "./print-state.ts";
import type { Reg } from "./reg.ts";
import { isPacketKind, kind, kindOf } from "./reg-types.ts";

export interface ExplanationNote {
  readonly message: string;
  /** Instruction that the note is about. */
  readonly insn?: number;
}

/** The register that a rejection is about, at the end of the path. */
export interface Subject {
  readonly input: VerifierInput;
  readonly path: Path;
  readonly register: number;
  readonly value: Reg;
  readonly lineage: Lineage;
}

export function subjectAt(input: VerifierInput, path: Path, register: number): Subject | undefined {
  const last = path.steps.length - 1;
  const value = path.steps[last]?.regs[register];
  if (value === undefined) return undefined;
  return { input, path, register, value, lineage: lineage(path, register, last) };
}

function insnOf({ path }: Subject, at: number): number {
  return path.steps[at]?.insn ?? 0;
}

/** `R1`, or `'i' (R1)` where the line of its origin names it. */
function nameOf(subject: Subject, register: number, { origin }: Lineage): string {
  const { input } = subject;
  const name =
    origin === undefined ? undefined : assignedName(input.lines, insnOf(subject, origin));
  return name === undefined ? `R${register}` : `'${name}' (R${register})`;
}

function originNote(subject: Subject, register: number, from: Lineage): ExplanationNote[] {
  if (from.origin === undefined) return [];
  const insn = insnOf(subject, from.origin);
  const made = subject.path.insns[insn];
  if (made === undefined) return [];
  return [{ message: `${nameOf(subject, register, from)} ${makingWords(made)}`, insn }];
}

function testWords({ before, after }: Change): string {
  if (isPacketKind(after.type) && after.range !== before.range) {
    return `this test proves ${after.range} bytes from the pointer's base`;
  }
  if (after.type !== before.type) return `this test makes it ${valueWords(after)}`;
  const words = numberWords(after.scalar);
  const isWeak = words === numberWords(before.scalar);
  return isWeak ? `this test leaves it ${words}` : `this test makes it ${words}`;
}

/** The last two tests that the value passed, the older one first. */
function testNotes(subject: Subject, { tests }: Lineage): ExplanationNote[] {
  const last = tests.slice(0, 2).reverse();
  return last.map((test) => ({ message: testWords(test), insn: insnOf(subject, test.at) }));
}

/** Whether two loads read the same bytes, by what was known of their addresses. */
function readsSame(path: Path, a: number, b: number): boolean {
  const first = path.insns[path.steps[a]?.insn ?? -1];
  const second = path.insns[path.steps[b]?.insn ?? -1];
  if (first === undefined || second === undefined) return false;
  if ((first.code & 7) !== insnClass.ldx || first.code !== second.code) return false;
  if (first.off !== second.off) return false;
  const from = path.steps[a]?.regs[first.src];
  const to = path.steps[b]?.regs[second.src];
  if (from === undefined || to === undefined || from.type === kind.scalar) return false;
  return printReg(from, 0) === printReg(to, 0) && from.mapUid === to.mapUid;
}

const mostTestsTried = 60;

/** The last test of another copy of the value, or of another load of the same memory. */
function otherTestNote(subject: Subject, register: number, from: Lineage): ExplanationNote[] {
  const { path } = subject;
  if (from.origin === undefined) return [];
  const own = new Set(from.tests.map(({ at }) => at));
  let tried = 0;
  for (let at = path.steps.length - 2; at >= 0 && tried < mostTestsTried; at -= 1) {
    const insn = path.insns[path.steps[at]?.insn ?? -1];
    if (insn === undefined || !isConditional(insn) || own.has(at)) continue;
    tried += 1;
    const compared = (insn.code & 8) !== 0 ? [insn.dst, insn.src] : [insn.dst];
    for (const other of compared) {
      const { origin } = lineage(path, other, at);
      if (origin === undefined) continue;
      const tested = insnOf(subject, at);
      const name = nameOf(subject, register, from);
      if (origin === from.origin) {
        const message = `this tests a copy of ${name}, and what it proves is not known of the one used`;
        return [{ message, insn: tested }];
      }
      if (readsSame(path, origin, from.origin)) {
        const message = `this tests what an earlier load of the same memory gave; ${name} was loaded anew`;
        return [{ message, insn: tested }];
      }
    }
  }
  return [];
}

/** A test of a packet pointer with another base than the subject's. */
function otherPacketNote({ path, value }: Subject): ExplanationNote[] {
  for (let at = path.steps.length - 2; at >= 0; at -= 1) {
    const step = path.steps[at]!;
    const insn = path.insns[step.insn];
    if (insn === undefined || !isConditional(insn) || (insn.code & 8) === 0) continue;
    const pair = [step.regs[insn.dst], step.regs[insn.src]];
    const pointer = pair.find((reg) => reg !== undefined && isPacketKind(reg.type));
    const isEnd = pair.some((reg) => reg?.type === kind.packetEnd);
    if (pointer === undefined || !isEnd || pointer.id === value.id) continue;
    const message =
      "this test is of another packet pointer: each sum of data and a variable is one of its own";
    return [{ message, insn: step.insn }];
  }
  return [];
}

function knownNote(subject: Subject): ExplanationNote {
  const { register, value, lineage: from } = subject;
  const text = printReg(value, (subject.path.steps.at(-1)?.depth ?? 1) - 1);
  const name = nameOf(subject, register, from);
  return { message: `known here: ${name} is ${valueWords(value)}: ${text}` };
}

/** Notes on a number: its bounds, its tests, tests that were meant for it, its origin. */
function numberNotes(subject: Subject, register: number, from: Lineage, reg: Reg) {
  const weak = weakness(reg.scalar);
  const tests = testNotes(subject, from);
  return [
    ...(weak === undefined ? [] : [{ message: `${nameOf(subject, register, from)}: ${weak}` }]),
    ...tests,
    ...(tests.length === 0 ? otherTestNote(subject, register, from) : []),
    ...originNote(subject, register, from),
  ];
}

/** Notes on the variable part of a pointer. */
function variableNotes(subject: Subject): ExplanationNote[] {
  const { path, lineage: from } = subject;
  if (from.variable === undefined) return [];
  const { at, register } = from.variable;
  const number = path.steps[at]?.regs[register];
  if (number === undefined) return [];
  const of = lineage(path, register, at);
  const words = numberWords(number.scalar);
  const message = `${nameOf(subject, register, of)}, ${words}, is added to the pointer here`;
  const added = { message, insn: insnOf(subject, at) };
  return [added, ...numberNotes(subject, register, of, number)];
}

/** A variable that is an index, and the most that it may be. */
export interface IndexBound {
  readonly name: string;
  readonly most: number;
  readonly isSigned: boolean;
}

/** The most that the variable part of the address may be; undefined where no bound would do. */
export function roomOf(
  { value }: Subject,
  insn: RawInsn,
  limit: number | undefined,
): number | undefined {
  const isAccess = (insn.code & 7) >= insnClass.ldx && (insn.code & 7) <= insnClass.stx;
  if (!isAccess || limit === undefined || value.scalar.mask === 0n) return undefined;
  const most = limit - value.off - insn.off - sizeOf(insn.code);
  return most < 0 ? undefined : most;
}

export function roomNote({ value }: Subject, most: number): ExplanationNote {
  const words = numberWords(value.scalar);
  const message = `the variable part of the address is ${words}; for this access it may be at most ${most}`;
  return { message };
}

/** The variable whose value alone is the variable part of the address, if it has a name. */
export function indexOf(subject: Subject, most: number): IndexBound | undefined {
  const { path, lineage: from, input, value } = subject;
  if (from.variable === undefined) return undefined;
  const { at, register } = from.variable;
  const { origin, truncated } = lineage(path, register, at);
  const number = path.steps[at]?.regs[register];
  const isWhole = number?.scalar.umax === value.scalar.umax && truncated === undefined;
  const name =
    origin === undefined ? undefined : assignedName(input.lines, insnOf(subject, origin));
  if (name === undefined || !isWhole) return undefined;
  return { name, most, isSigned: number.scalar.smin < 0n };
}

/** The variable of which only the upper bound was tested, as a signed number. */
export function signedName(subject: Subject): string | undefined {
  const { lineage: from, input, value } = subject;
  if (from.tests.length === 0 || weakness(value.scalar) === undefined) return undefined;
  if (value.type !== kind.scalar || from.origin === undefined) return undefined;
  return assignedName(input.lines, insnOf(subject, from.origin));
}

/** Notes for an access or argument that a register made fail. */
export function valueNotes(subject: Subject): ExplanationNote[] {
  const { path, register, value, lineage: from } = subject;
  const notes: ExplanationNote[] = [knownNote(subject)];
  if (value.type === kind.scalar && from.moved === undefined) {
    if (from.truncated !== undefined) {
      const at = insnOf(subject, from.truncated);
      notes.push({ message: "only the lower half of the value is kept here", insn: at });
    }
    return [...notes, ...numberNotes(subject, register, from, value)];
  }
  notes.push(...variableNotes(subject), ...testNotes(subject, from));
  const isUnproven =
    isPacketKind(value.type) && !from.tests.some((t) => isPacketKind(t.after.type));
  if (isUnproven) notes.push(...otherPacketNote(subject));
  if (from.moved !== undefined) {
    const call = path.insns[insnOf(subject, from.moved.at)];
    const name = call !== undefined && isHelperCall(call) ? helperName(call.imm) : "this call";
    const message = `${name} may move the packet: pointers into it from before are gone`;
    notes.push({ message, insn: insnOf(subject, from.moved.at) });
  }
  return [...notes, ...originNote(subject, register, from)];
}

/** A call between the last definition and the use: r1–r5 do not survive it. */
export function clobberNotes({ path, register }: Subject): ExplanationNote[] {
  const { steps, insns } = path;
  const depth = steps.at(-1)?.depth;
  const isCall = (at: number): boolean => {
    const step = steps[at]!;
    return step.depth === depth && insns[step.insn]?.code === opCall;
  };
  let at = steps.length - 2;
  while (at >= 0 && !isCall(at)) at -= 1;
  if (at < 0 || register > 5 || register === 0) {
    const never =
      register === 10 ? [] : [{ message: `nothing on this path gives R${register} a value` }];
    return never;
  }
  const insn = steps[at]!.insn;
  return [{ message: `the value of R${register} was lost by this call`, insn }];
}

/** The last branch after step `from` that is not a test for NULL of what was acquired there. */
export function lastBranch({ steps, insns }: Path, from: number): number | undefined {
  for (let at = steps.length - 2; at > from; at -= 1) {
    const step = steps[at]!;
    const insn = insns[step.insn];
    if (insn !== undefined && isConditional(insn)) return step.insn;
  }
  return undefined;
}

/** The number in an addition of a pointer and a number. */
export function addedNumber(path: Path, reason: string): number | undefined {
  if (/\bR\d/.test(reason)) return undefined;
  const step = path.steps.at(-1);
  const insn = step && path.insns[step.insn];
  if (step === undefined || insn === undefined) return undefined;
  const isSum = (insn.code & 0xf0) === aluOp.add || (insn.code & 0xf0) === aluOp.sub;
  if (!isSum || (insn.code & 8) === 0 || (insn.code & 7) !== insnClass.alu64) return undefined;
  return step.regs[insn.src]?.type === kind.scalar ? insn.src : insn.dst;
}

/** Bytes that a pointer's memory has, from where its base points; undefined where none are known. */
export function memoryLimit(value: Reg): number | undefined {
  switch (kindOf(value.type)) {
    case kind.mapValue:
      return value.map?.valueSize;
    case kind.mem:
    case kind.packet:
    case kind.packetMeta:
      return value.range;
    case kind.stack:
      return 0;
    default:
      return undefined;
  }
}
