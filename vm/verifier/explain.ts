/**
 * A rejection in the terms of the C program: what is wrong, what was known of the value, where it
 * came from, where the proof was lost, and what cures it. Plain data; places are instructions.
 */
import { helperById } from "../../common/platform/helpers.ts";
import {
  addedNumber,
  clobberNotes,
  type ExplanationNote,
  type IndexBound,
  indexOf,
  lastBranch,
  memoryLimit,
  roomNote,
  roomOf,
  type Subject,
  signedName,
  subjectAt,
  valueNotes,
} from "./explain-notes.ts";
import { typeWords, valueWords } from "./explain-words.ts";
import { helperId } from "./helper-ids.ts";
import { helperName } from "./helper-prototypes.ts";
import type { Verdict, VerifierInput } from "./input.ts";
import { isConditional, type Path } from "./lineage.ts";
import { decodeSlots, insnClass, isHelperCall, type RawInsn } from "./opcodes.ts";
import { programType } from "./program-variants.ts";
import { kind, kindOf, mayBeNull } from "./reg-types.ts";
import { type RejectionClass, rejectionClasses } from "./rejection-classes.ts";
import { objectClasses } from "./rejection-classes-objects.ts";
import { mainReason } from "./verdict.ts";
import { stepsAgain } from "./verify.ts";

export interface Explanation {
  /** `verifier-` and the class, e.g. `verifier-maybe-null`. */
  readonly code: string;
  readonly message: string;
  readonly insn: number | undefined;
  readonly notes: readonly ExplanationNote[];
  readonly help: string;
  /** Of accesses out of bounds: the variable that would have to be bounded. */
  readonly index?: IndexBound;
  /** Of sizes without bound: the variable that was tested from above only, as a signed number. */
  readonly signedName?: string;
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

/** What the path shows beyond the class: other words for it, and notes. */
interface Findings {
  readonly message?: string;
  readonly code?: string;
  readonly help?: string;
  readonly notes: readonly ExplanationNote[];
  readonly index?: IndexBound;
  readonly signedName?: string;
}

function leakFindings(reason: string, path: Path): Findings {
  const match = /alloc_insn=(\d+)/.exec(reason);
  if (match === null) return { notes: [] };
  const insn = Number(match[1]);
  const from = path.steps.findLastIndex((step) => step.insn === insn);
  const branch = lastBranch(path, from);
  const taken = branch === undefined ? [] : [{ message: branchWords, insn: branch }];
  return { notes: [{ message: "it was acquired here", insn }, ...taken] };
}

const branchWords = "the path that leaves without it takes its last branch here";

function isLock(insn: RawInsn): boolean {
  return isHelperCall(insn) && insn.imm === helperId.spinLock;
}

/** Where the lock was taken that is held at the end of the path. */
function lockFindings({ steps, insns }: Path): Findings {
  const last = insns[steps.at(-1)?.insn ?? -1];
  const at = steps.findLast((step, i) => {
    const insn = insns[step.insn];
    return i < steps.length - 1 && insn !== undefined && isLock(insn);
  });
  const taken = at === undefined ? [] : [{ message: "the lock was taken here", insn: at.insn }];
  const called = last !== undefined && isHelperCall(last) ? helperName(last.imm) : undefined;
  if (called === undefined) return { notes: taken };
  return { notes: [...taken, { message: `this calls ${called}`, insn: steps.at(-1)?.insn ?? 0 }] };
}

/** The program types that have the helper. */
function unavailableFindings(input: VerifierInput, at: number): Findings {
  const call = decodeSlots(input.insns)[at];
  const types = call === undefined ? undefined : helperById(call.imm)?.programTypes;
  if (types === undefined || types.length === 0) return { notes: [] };
  return { notes: [{ message: `program types that may: ${types.join(", ")}` }] };
}

/** The test by which the loop leaves, and where what it tests comes from. */
function endlessFindings(input: VerifierInput, path: Path): Findings {
  const at = path.steps.findLastIndex((step) => isConditional(path.insns[step.insn] ?? noInsn));
  const test = path.insns[path.steps[at]?.insn ?? -1];
  if (test === undefined) return { notes: [] };
  const { insn } = path.steps[at]!;
  const compared = subjectAt(input, { ...path, steps: path.steps.slice(0, at + 1) }, test.dst);
  const message = "the loop goes on by this test, of which no more is known each time round";
  return { notes: [{ message, insn }, ...(compared === undefined ? [] : valueNotes(compared))] };
}

const noInsn: RawInsn = { code: 0, dst: 0, src: 0, off: 0, imm: 0 };

/** One access with two kinds of pointers: this path's, and that of the paths before. */
function mixedFindings(subject: Subject, otherKind: number | undefined): Findings {
  const other =
    otherKind === undefined
      ? []
      : [{ message: `on a path that was followed before it was ${typeWords(otherKind)}` }];
  return { notes: [...valueNotes(subject), ...other] };
}

/** The instruction that the path went through most often. */
function loopFindings(path: readonly number[]): Findings {
  const counts = new Map<number, number>();
  for (const insn of path) counts.set(insn, (counts.get(insn) ?? 0) + 1);
  const [insn, count] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a), [0, 0]);
  if (count < 2) return { notes: [] };
  const message = `the path that was followed last went through here ${count} times`;
  const help = "`bpfc verify --profile` shows what each line costs";
  return { notes: [{ message, insn }, { message: help }] };
}

/** Pointers that became numbers: how decides what cures it. */
function lostPointer({ path, lineage: from, input }: Subject): Omit<Findings, "notes"> {
  if (from.moved !== undefined) {
    return {
      code: "packet-moved",
      message: "this points to where the packet was: a call since then may have moved it",
      help: "load data and data_end from the context again after the call, and test against the end again",
    };
  }
  const made = path.insns[path.steps[from.origin ?? -1]?.insn ?? -1];
  if (from.truncated !== undefined || made === undefined) return {};
  if ((made.code & 7) !== insnClass.ldx) return {};
  const base = path.steps[from.origin ?? -1]?.regs[made.src];
  if (base === undefined) return {};
  if (kindOf(base.type) === kind.ctx && isTracing(input.programType)) {
    return {
      message:
        "the hook's argument is only a number to the verifier: it does not know what it points to",
      help:
        "read what it points to with bpf_probe_read_kernel or BPF_CORE_READ, " +
        "or use a hook whose arguments have types: `tp_btf/…`, `fentry/…`",
    };
  }
  if (kindOf(base.type) !== kind.mapValue) return {};
  return {
    message: "a pointer that was kept in a map comes back as a number",
    help: "keep what finds the object again (a key, an index), or a kptr (`__kptr`) with bpf_kptr_xchg",
  };
}

const tracingTypes: readonly number[] = [programType.kprobe, programType.tracepoint];
const rawTypes: readonly number[] = [programType.rawTracepoint, programType.perfEvent];

function isTracing(type: number): boolean {
  return tracingTypes.includes(type) || rawTypes.includes(type);
}

/** An argument: the helper's name for it, and what it is in words. */
function argumentFindings(subject: Subject, insn: RawInsn): Findings {
  const { register, value } = subject;
  const notes = valueNotes(subject);
  if (!isHelperCall(insn)) return { notes };
  const helper = helperById(insn.imm);
  const name = helper?.params[register - 1]?.name;
  const which = name === undefined ? `argument ${register}` : `argument ${register} ('${name}')`;
  const message = `${which} of ${helperName(insn.imm)} is ${valueWords(value)}`;
  if (!mayBeNull(value.type)) return { message, notes };
  const help = "test it for NULL on every path before the call: `if (!value) return 0;`";
  return { code: "maybe-null", message, help, notes };
}

function findingsOf(
  { name }: RejectionClass,
  input: VerifierInput,
  verdict: Verdict,
  reason: string,
): Findings {
  const { facts } = verdict;
  if (facts === undefined) return { notes: [] };
  if (name === "helper-unavailable") return unavailableFindings(input, facts.insn);
  if (name === "too-complex") return loopFindings(facts.path);
  const insns = decodeSlots(input.insns);
  const insn = insns[facts.insn];
  const path: Path = { insns, steps: stepsAgain(input, facts.steps) };
  if (insn === undefined || path.steps.at(-1)?.insn !== facts.insn) return { notes: [] };
  if (name === "leaked-reference") return leakFindings(reason, path);
  if (name === "lock-held") return lockFindings(path);
  if (name === "endless-loop") return endlessFindings(input, path);
  const register = addedNumber(path, reason) ?? subjectOf(reason, verdict.messages, insn);
  const subject = register === undefined ? undefined : subjectAt(input, path, register);
  if (subject === undefined || silentClasses.has(name)) return { notes: [] };
  if (name === "uninitialised-register") return { notes: clobberNotes(subject) };
  if (name === "mixed-pointers") return mixedFindings(subject, facts.otherKind);
  if (name === "helper-argument") return argumentFindings(subject, insn);
  const notes = valueNotes(subject);
  if (name === "scalar-dereference") return { ...lostPointer(subject), notes };
  if (name === "unbounded-size") return { notes, ...optional("signedName", signedName(subject)) };
  if (!boundsClasses.has(name)) return { notes };
  const room = roomOf(subject, insn, memoryLimit(subject.value));
  if (room === undefined) return { notes };
  const index = optional("index", indexOf(subject, room));
  return { notes: [roomNote(subject, room), ...notes], ...index };
}

function optional<K extends string, V>(key: K, value: V | undefined): { [k in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [k in K]?: V });
}

/** Classes about the program or its form: no register says more. */
const silentClasses: ReadonlySet<string> = new Set([
  "helper-unavailable",
  "gpl-only",
  "sleepable-helper",
  "unknown-instruction",
  "missing-btf",
  "division-by-zero",
]);

const boundsClasses: ReadonlySet<string> = new Set([
  "packet-bounds",
  "map-value-bounds",
  "memory-bounds",
  "stack-access",
]);

/** The functions of a chain that needs too much stack, each at its first line. */
function callNotes({ calls = [] }: Verdict): ExplanationNote[] {
  return calls.map(({ function: name, insn, bytes }) => {
    const message = name === "" ? `${bytes} bytes here` : `'${name}' needs ${bytes} bytes`;
    return { message, insn };
  });
}

/** The instruction that a message names, for rejections of the program's form. */
function namedInsn(reason: string): number | undefined {
  const match = /\binsn (\d+)/.exec(reason);
  return match === null ? undefined : Number(match[1]);
}

/** What the kernel refuses with an error number alone, before its verifier begins. */
function refusedUnseen({ programType: type, attachType }: VerifierInput): Explanation {
  const common = { insn: 0, notes: [] };
  if (type === 0) {
    return {
      ...common,
      code: "verifier-no-program-type",
      message: "no program type follows from the section's name",
      help: 'name the section after the hook: `SEC("xdp")`, `SEC("tc")`, `SEC("kprobe/…")`',
    };
  }
  return {
    ...common,
    code: "verifier-load-attributes",
    message: `the kernel takes no program of type ${type} with attach type ${attachType} and these flags`,
    help: "the section's name decides on type, attach type and flags",
  };
}

/** Explains a verdict that is not an acceptance. */
export function explain(input: VerifierInput, verdict: Verdict): Explanation {
  const reason = mainReason(verdict);
  if (verdict.verdict === "unsupported") {
    return {
      code: "verifier-unsupported",
      message: `not modelled: ${reason}`,
      insn: verdict.insn,
      notes: [],
      help: "only a kernel can tell whether it takes this program",
    };
  }
  if (reason === "") return refusedUnseen(input);
  const insn = verdict.insn ?? namedInsn(reason) ?? verdict.calls?.at(-1)?.insn;
  for (const entry of [...rejectionClasses, ...objectClasses]) {
    const match = entry.pattern.exec(reason);
    if (match === null) continue;
    const { index, signedName: name, ...found } = findingsOf(entry, input, verdict, reason);
    const kernel = { message: `the kernel says: ${reason}` };
    return {
      code: `verifier-${found.code ?? entry.name}`,
      message: found.message ?? fill(entry.cause, match),
      insn,
      notes: [...found.notes, ...callNotes(verdict), kernel],
      help: found.help ?? entry.help,
      ...optional("index", index),
      ...optional("signedName", name),
    };
  }
  const { name, help } = otherClass;
  return { code: `verifier-${name}`, message: reason, insn, notes: [], help };
}
