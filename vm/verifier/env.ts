/** Everything that one verification knows: the program, what was computed about it, where it is. */
import type { AttachTarget } from "./attach-target.ts";
import type { HelperPrototype } from "./helper-prototypes.ts";
import type {
  StackUse,
  StateView,
  StepRange,
  VerifierInput,
  VerifierLine,
  VerifierMap,
  VerifyOptions,
} from "./input.ts";
import type { KernelFunction } from "./kfuncs.ts";
import type { LiveStack } from "./live-stack.ts";
import { Log, type LogPosition } from "./log.ts";
import type { MapRecord, SpecialField } from "./map-record.ts";
import { decodeSlots, type RawInsn } from "./opcodes.ts";
import type { PathStep, Trail } from "./path-steps.ts";
import type { Reg } from "./reg.ts";
import type { SccVisits } from "./scc-visits.ts";
import { currentFrame, type Frame, newState, type State } from "./state.ts";
import { errno, Rejection, Unsupported } from "./stop.ts";

/** What is known per instruction, by index; computed before the walk. */
export interface InsnFacts {
  readonly prunePoint: Uint8Array;
  readonly jumpPoint: Uint8Array;
  readonly forceCheckpoint: Uint8Array;
  readonly callsCallback: Uint8Array;
  /** Strongly connected component, 0 outside of loops. */
  readonly scc: Int32Array;
  readonly liveBefore: Uint16Array;
  /** Kind of pointer that the access was first seen with; 0 if none yet. */
  readonly pointerKind: Int32Array;
  /** 1 once a path came here; the kernel removes what stays 0. */
  readonly seen: Uint8Array;
}

export interface Subprogram {
  readonly start: number;
  readonly end: number;
  stackDepth: number;
  hasTailCall: boolean;
  hasLoadAbs: boolean;
  isAsyncCallback: boolean;
  isCallback: boolean;
  changesPacket: boolean;
  mightSleep: boolean;
  /** Index in func_info, -1 if there is none. */
  name: string;
  linkage: "static" | "global" | "extern";
  type: number;
  /** Run at exceptions only. */
  isExceptionCallback: boolean;
  /** A global function that was called, so that it is verified on its own. */
  isCalled: boolean;
  isVerified: boolean;
  /** Its BTF type does not tell what it is called with. */
  isUnreliable: boolean;
}

/** A path that waits to be explored. */
export interface PendingPath {
  readonly state: State;
  readonly insn: number;
  readonly previous: number;
  readonly log: LogPosition;
  readonly trail: Trail;
  /** Number of the step that left the path for later. */
  readonly fork: number;
}

/** A checkpoint with how useful it has been for pruning. */
export interface Explored {
  readonly state: State;
  hits: number;
  misses: number;
}

export class Env {
  readonly input: VerifierInput;
  readonly options: VerifyOptions;
  readonly insns: readonly RawInsn[];
  readonly log: Log;
  readonly maxProcessed: number;
  facts: InsnFacts;
  /** The program's arena, once a reference to it was seen. */
  arena: VerifierMap | undefined = undefined;
  /** What a tracing program attaches to. */
  attach: AttachTarget | undefined = undefined;
  subprograms: Subprogram[] = [];
  /** Index of the function that handles exceptions. */
  exceptionCallback: number | undefined = undefined;
  records: MapRecord[] = [];
  readonly objectRecords = new Map<number, readonly SpecialField[]>();
  readonly kfuncs = new Map<number, KernelFunction | undefined>();
  prototypes = new Map<number, HelperPrototype | undefined>();
  /** By call of bpf_loop: its callback, or null if the loop cannot be inlined. */
  readonly inlinedLoops = new Map<number, number | null>();
  /** Inner maps, as pointers to them show them. */
  readonly templates = new Map<VerifierMap, VerifierMap>();
  /** Reverse order of control flow, all subprograms. */
  postorder: number[] = [];
  liveStack: LiveStack | undefined = undefined;
  sccVisits: SccVisits | undefined = undefined;
  state: State = newState();
  insn = 0;
  previousInsn = 0;
  readonly pending: PendingPath[] = [];
  trail: Trail = { start: 1, parent: undefined, fork: 0 };
  /** The steps to note, oldest first, and those that were. */
  follow: readonly StepRange[] | undefined = undefined;
  readonly steps: PathStep[] = [];
  explored: (Explored[] | undefined)[] = [];
  processed = 0;
  jumpsProcessed = 0;
  previousProcessed = 0;
  previousJumps = 0;
  totalStates = 0;
  exploredStates = 0;
  peakStates = 0;
  lastId = 0;
  /** The history entry of the current instruction, if one was made. */
  historyEntry: State["history"][number] | undefined = undefined;
  /** The state was just taken up, so all of it is printed. */
  isNewPath = false;
  /** Between the checks of the form and those of the whole: `insn` is where it is. */
  isWalking = false;
  scratchedRegs = 0;
  scratchedLow = 0;
  scratchedHigh = 0;
  previousLine: VerifierLine | undefined = undefined;
  /** The chain of calls that the stack is too small for. */
  deepCalls: readonly StackUse[] | undefined = undefined;
  readonly visits: number[] | undefined;
  /** Checkpoints made, by instruction; as wanted as `visits`. */
  readonly checkpoints: number[] | undefined;
  /** Bytes of the context that were accessed: offsets. */
  readonly contextOffsets = new Map<number, number>();
  /** The first instruction found that stores a constant into the context. */
  contextConstant: number | undefined = undefined;
  readonly watched: string[] = [];
  readonly views = new Map<number, StateView[]>();

  constructor(input: VerifierInput, options: VerifyOptions) {
    this.input = input;
    this.options = options;
    this.insns = decodeSlots(input.insns);
    this.log = new Log(options.logLevel ?? 4);
    this.maxProcessed = options.maxProcessed ?? 1_000_000;
    const count = this.insns.length;
    this.facts = {
      prunePoint: new Uint8Array(count),
      jumpPoint: new Uint8Array(count),
      forceCheckpoint: new Uint8Array(count),
      callsCallback: new Uint8Array(count),
      scc: new Int32Array(count),
      liveBefore: new Uint16Array(count),
      pointerKind: new Int32Array(count),
      seen: new Uint8Array(count),
    };
    this.visits = options.profile ? new Array<number>(count).fill(0) : undefined;
    this.checkpoints = options.profile ? new Array<number>(count).fill(0) : undefined;
  }

  get frame(): Frame {
    return currentFrame(this.state);
  }

  get regs(): Reg[] {
    return currentFrame(this.state).regs;
  }

  insnAt(index: number): RawInsn {
    const insn = this.insns[index];
    if (insn === undefined) throw new Unsupported(`instruction ${index} outside of the program`);
    return insn;
  }

  newId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  say(text: string): void {
    this.log.say(`${text}\n`);
  }

  /** Ends the verification: the program is refused, `message` being the last line of the log. */
  reject(message: string, code: number = errno.access): never {
    this.say(message);
    throw new Rejection(code);
  }

  unsupported(construct: string): never {
    throw new Unsupported(construct);
  }

  scratchReg(register: number): void {
    this.scratchedRegs |= 1 << register;
  }

  scratchSlot(slot: number): void {
    if (slot < 32) this.scratchedLow |= 1 << slot;
    else this.scratchedHigh |= 1 << (slot - 32);
  }

  get hasScratched(): boolean {
    return (this.scratchedRegs | this.scratchedLow | this.scratchedHigh) !== 0;
  }

  cleanScratched(): void {
    this.scratchedRegs = 0;
    this.scratchedLow = 0;
    this.scratchedHigh = 0;
  }

  scratchAll(): void {
    this.scratchedRegs = 0x7ff;
    this.scratchedLow = -1;
    this.scratchedHigh = -1;
  }
}

export function subprogramAt(env: Env, start: number): number {
  return env.subprograms.findIndex((subprogram) => subprogram.start === start);
}

export function subprogramOf(env: Env, insn: number): number {
  return env.subprograms.findIndex((sub) => sub.start <= insn && insn < sub.end);
}
