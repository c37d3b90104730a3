/**
 * A rejection in the terms of the C program: what is wrong, what was known of the value, where it
 * came from, where the proof was lost, and what cures it. Plain data; places are instructions.
 */
import { changesPacketHelpers, helperName } from "./helper-prototypes.ts";
import type { Verdict, VerifierInput } from "./input.ts";
import {
  aluOp,
  decodeSlots,
  insnClass,
  isHelperCall,
  isLocalCall,
  memMode,
  opCall,
  opExit,
  opLoadImm64,
  type RawInsn,
} from "./opcodes.ts";
import { type RejectionClass, rejectionClasses } from "./rejection-classes.ts";
import { objectClasses } from "./rejection-classes-objects.ts";
import { mainReason } from "./verdict.ts";

export interface ExplanationNote {
  readonly message: string;
  /** Instruction that the note is about. */
  readonly insn?: number;
}

export interface Explanation {
  /** `verifier-` and the class, e.g. `verifier-maybe-null`. */
  readonly code: string;
  readonly message: string;
  readonly insn: number | undefined;
  readonly notes: readonly ExplanationNote[];
  readonly help: string;
}

const otherClass: Omit<RejectionClass, "pattern"> = {
  name: "rejection",
  cause: "",
  help: "`--log-level 2` shows the states that led here",
};

function fill(template: string, match: RegExpExecArray): string {
  return template.replace(/\$(&|\d)/g, (_, key: string) =>
    key === "&" ? match[0] : (match[Number(key)] ?? ""),
  );
}

/** Where the value of a register was made, following copies and spills backwards along the path. */
interface Origin {
  readonly insn: number;
  /** Index in the path. */
  readonly at: number;
}

class Trace {
  readonly insns: readonly RawInsn[];
  readonly path: readonly number[];

  constructor(insns: readonly RawInsn[], path: readonly number[]) {
    this.insns = insns;
    this.path = path;
  }

  #insn(at: number): RawInsn | undefined {
    return this.insns[this.path[at] ?? -1];
  }

  /** Going back over a function's exit enters it; over the call that began it, leaves it. */
  #depthBefore(insn: RawInsn, at: number, depth: number): number {
    if (insn.code === opExit) return depth + 1;
    const isEntered = isLocalCall(insn) && this.path[at + 1] !== (this.path[at] ?? 0) + 1;
    return isEntered ? depth - 1 : depth;
  }

  /** The last instruction before `from` in the same frame for which `test` holds. */
  findBack(from: number, test: (insn: RawInsn) => boolean): number | undefined {
    let depth = 0;
    for (let at = from - 1; at >= 0; at -= 1) {
      const insn = this.#insn(at);
      if (insn === undefined) return undefined;
      depth = this.#depthBefore(insn, at, depth);
      if (depth < 0) return undefined;
      if (depth === 0 && test(insn)) return at;
    }
    return undefined;
  }

  origin(register: number, from: number): Origin | undefined {
    let wanted = register;
    let at: number | undefined = from;
    for (let steps = 0; steps < 64; steps += 1) {
      at = this.findBack(at, (insn) => defines(insn, wanted));
      const insn = at === undefined ? undefined : this.#insn(at);
      if (at === undefined || insn === undefined) return undefined;
      if (isCopy(insn)) {
        wanted = insn.src;
        continue;
      }
      const slot = filledSlot(insn);
      const store = slot === undefined ? undefined : this.findBack(at, (i) => storesTo(i, slot));
      const stored = store === undefined ? undefined : this.#insn(store);
      if (store === undefined || stored === undefined) return { insn: this.path[at] ?? 0, at };
      if ((stored.code & 7) !== insnClass.stx) return { insn: this.path[store] ?? 0, at: store };
      wanted = stored.src;
      at = store;
    }
    return undefined;
  }
}

function defines(insn: RawInsn, register: number): boolean {
  // The second slot of a two-slot immediate is no instruction.
  if (insn.code === 0) return false;
  switch (insn.code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
    case insnClass.ldx:
      return insn.dst === register;
    case insnClass.ld:
      return insn.code === opLoadImm64 ? insn.dst === register : register <= 5;
    default:
      return insn.code === opCall && register <= 5;
  }
}

function isCopy(insn: RawInsn): boolean {
  const isMove = (insn.code & 0xf0) === aluOp.mov && (insn.code & 8) !== 0;
  return isMove && ((insn.code & 7) === insnClass.alu64 || (insn.code & 7) === insnClass.alu);
}

const framePointer = 10;

function filledSlot(insn: RawInsn): number | undefined {
  const isFill = (insn.code & 7) === insnClass.ldx && insn.src === framePointer;
  return isFill ? insn.off : undefined;
}

function storesTo(insn: RawInsn, offset: number): boolean {
  const isStore = (insn.code & 7) === insnClass.stx || (insn.code & 7) === insnClass.st;
  const isPlain = (insn.code & 0xe0) === memMode.mem;
  return isStore && isPlain && insn.dst === framePointer && insn.off === offset;
}

/** The register that the message is about; for accesses without one, the address register. */
function subjectOf(reason: string, messages: readonly string[], insn: RawInsn): number | undefined {
  for (const text of [reason, ...messages]) {
    const match = /\bR(\d+)\b/.exec(text);
    if (match !== null) return Number(match[1]);
  }
  switch (insn.code & 7) {
    case insnClass.ldx:
      return insn.src;
    case insnClass.st:
    case insnClass.stx:
      return insn.dst;
    default:
      return undefined;
  }
}

function describeOrigin(insn: RawInsn, register: number): string {
  if (isHelperCall(insn)) return `R${register} is what ${helperName(insn.imm)} returned here`;
  if (insn.code === opCall) return `R${register} is what this call returned`;
  if ((insn.code & 7) === insnClass.ldx) return `R${register} was loaded from memory here`;
  return `R${register} got its value here`;
}

function originNotes(trace: Trace, register: number): ExplanationNote[] {
  const end = trace.path.length - 1;
  const origin = trace.origin(register, end);
  const made = origin === undefined ? undefined : trace.insns[origin.insn];
  if (origin === undefined || made === undefined) return [];
  const notes: ExplanationNote[] = [{ message: describeOrigin(made, register), insn: origin.insn }];
  const moved = trace.findBack(end, (i) => isHelperCall(i) && changesPacketHelpers.has(i.imm));
  const call = moved === undefined ? undefined : trace.insns[trace.path[moved] ?? -1];
  if (moved !== undefined && call !== undefined && moved > origin.at) {
    const message = `${helperName(call.imm)} may move the packet: packet pointers from before it are gone`;
    notes.push({ message, insn: trace.path[moved] ?? 0 });
  }
  return notes;
}

/** A call between the last definition and the use: r1–r5 do not survive it. */
function clobberNotes(trace: Trace, register: number): ExplanationNote[] {
  const end = trace.path.length - 1;
  const call = trace.findBack(end, (insn) => insn.code === opCall);
  if (register > 5 || call === undefined) return [];
  const insn = trace.path[call] ?? 0;
  return [{ message: `the value of R${register} was lost by this call`, insn }];
}

function leakNotes(reason: string): ExplanationNote[] {
  const match = /alloc_insn=(\d+)/.exec(reason);
  return match === null ? [] : [{ message: "it was acquired here", insn: Number(match[1]) }];
}

function knownNote(verdict: Verdict, register: number): ExplanationNote[] {
  const known = verdict.facts?.registers.find((r) => r.register === register);
  return known === undefined ? [] : [{ message: `known here: R${register} = ${known.text}` }];
}

function notesOf(name: string, input: VerifierInput, verdict: Verdict): ExplanationNote[] {
  const { facts } = verdict;
  if (facts === undefined) return [];
  const insns = decodeSlots(input.insns);
  const insn = insns[facts.insn];
  if (insn === undefined) return [];
  const trace = new Trace(insns, facts.path);
  const reason = mainReason(verdict);
  const register = subjectOf(reason, verdict.messages, insn);
  if (name === "leaked-reference") return leakNotes(reason);
  if (register === undefined) return [];
  if (name === "uninitialised-register") return clobberNotes(trace, register);
  return [...knownNote(verdict, register), ...originNotes(trace, register)];
}

/** Explains a verdict that is not an acceptance. */
export function explain(input: VerifierInput, verdict: Verdict): Explanation {
  const { insn } = verdict;
  const reason = mainReason(verdict);
  if (verdict.verdict === "unsupported") {
    return {
      code: "verifier-unsupported",
      message: `not modelled: ${reason}`,
      insn,
      notes: [],
      help: "only a kernel can tell whether it takes this program",
    };
  }
  for (const entry of [...rejectionClasses, ...objectClasses]) {
    const match = entry.pattern.exec(reason);
    if (match === null) continue;
    const notes = notesOf(entry.name, input, verdict);
    const kernel = { message: `the kernel says: ${reason}` };
    return {
      code: `verifier-${entry.name}`,
      message: fill(entry.cause, match),
      insn,
      notes: [...notes, kernel],
      help: entry.help,
    };
  }
  const { name, help } = otherClass;
  return { code: `verifier-${name}`, message: reason, insn, notes: [], help };
}
