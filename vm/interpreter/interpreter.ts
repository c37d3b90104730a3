/**
 * The reference engine: one instruction at a time, every access checked. Arithmetic comes from
 * common/isa, so that it cannot differ from constant folding and the verifier.
 * The step function is one switch over all kinds of instruction; that is why this file is long.
 */
import {
  evaluateAlu,
  evaluateAtomic,
  evaluateEndian,
  evaluateJump,
  evaluateNegate,
  signExtend,
} from "../../common/isa/arithmetic.ts";
import type { Instruction, Register, Source } from "../../common/isa/instruction.ts";
import {
  cells,
  clearFrames,
  codeAddressBase,
  type EngineMemory,
  frameBottom,
  frameTop,
  maximumCallDepth,
  maximumFrames,
  maximumTailCalls,
  mayGotoBudget,
  tailCallHelper,
} from "../engine-memory.ts";
import { Fault } from "../fault.ts";
import { type Engine, HelperCall } from "../helpers/helper-call.ts";
import { callKfunc } from "../helpers/kfuncs.ts";
import { helperFunction } from "../helpers/table.ts";
import { tailCallTarget } from "../helpers/tail-call.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { arenaOf, toKernelSpace } from "../maps/arena.ts";
import { type Program, takenFunctions } from "../program.ts";
import { ProgramException } from "../program-exception.ts";
import type { RunState } from "../run-state.ts";

interface Frame {
  program: Program;
  /** Where the caller goes on. */
  readonly returnSlot: number;
  /** The caller's registers but r0; the callee starts with nothing but its arguments. */
  readonly saved: BigUint64Array;
  /** Frames since the program or callback was entered. */
  readonly depth: number;
}

export interface InterpreterState {
  readonly program: Program;
  readonly slot: number;
  readonly registers: readonly bigint[];
  readonly steps: number;
}

export class Interpreter implements Engine {
  readonly #kernel: Kernel;
  readonly #run: RunState;
  readonly #call: HelperCall;
  readonly #argumentsAddress: number;
  readonly #registers = new BigUint64Array(11);
  readonly #frames: Frame[] = [];
  readonly #memory: EngineMemory;
  readonly #little: boolean;
  #program: Program;
  #slot = 0;
  #steps = 0;
  readonly #fuel: number;
  #tailCalls = 0;
  #mayGoto = 0;
  /** Called before each instruction. */
  onStep: ((state: InterpreterState) => void) | undefined;

  constructor(kernel: Kernel, run: RunState, fuel: number) {
    this.#kernel = kernel;
    this.#run = run;
    this.#program = run.program;
    this.#fuel = fuel;
    this.#little = kernel.little;
    this.#memory = kernel.engineMemory;
    this.#argumentsAddress = this.#memory.control + cells.arguments;
    this.#call = new HelperCall(kernel, this.#argumentsAddress, run, this);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Where it is, for reports. */
  get position(): { readonly program: Program; readonly slot: number } {
    return { program: this.#program, slot: this.#slot };
  }

  /** Runs the program with r1 = context to its exit; r0. Faults leave as {@link Fault}. */
  execute(): bigint {
    this.#program = this.#run.program;
    this.#slot = 0;
    this.#steps = 0;
    this.#tailCalls = 0;
    this.#mayGoto = 0;
    this.#frames.length = 0;
    this.#registers.fill(0n);
    this.#registers[1] = BigInt(this.#run.context);
    this.#registers[2] = BigInt(this.#run.secondArgument);
    const lowest = frameBottom(this.#memory, 1);
    clearFrames(this.#kernel.memory, this.#memory, lowest, maximumCallDepth);
    try {
      return this.#enter(this.#program, 0);
    } catch (thrown) {
      if (thrown instanceof ProgramException) return thrown.cookie;
      throw thrown;
    }
  }

  /** Runs a callback by itself, as a timer does. */
  enterCallback(address: bigint, args: readonly bigint[]): void {
    this.#program = this.#run.program;
    this.#frames.length = 0;
    this.callFunction(address, args);
  }

  callFunction(address: bigint, args: readonly bigint[]): bigint {
    const slot = Number(address - codeAddressBase);
    const program = this.#program;
    if (!takenFunctions(program).has(slot)) {
      throw new Fault("bad-argument", "not the address of a function", address);
    }
    const saved = this.#registers.slice();
    const frame = frameBottom(this.#memory, this.#frames.length + 1);
    clearFrames(this.#kernel.memory, this.#memory, frame, 1);
    const returnSlot = this.#slot;
    this.#registers.fill(0n, 1, 6);
    this.#registers.set(args, 1);
    const result = this.#enter(program, slot);
    this.#program = program;
    this.#slot = returnSlot;
    this.#registers.set(saved);
    return result;
  }

  /** Runs a function on a new frame until that frame exits. */
  #enter(program: Program, slot: number): bigint {
    const bottom = this.#frames.length;
    this.#push(program, this.#slot, 1);
    this.#program = program;
    this.#slot = slot;
    while (this.#frames.length > bottom) this.step();
    return this.#registers[0] as bigint;
  }

  #push(program: Program, returnSlot: number, depth: number): void {
    if (depth > maximumCallDepth || this.#frames.length >= maximumFrames) {
      throw new Fault("stack-overflow", `more than ${maximumCallDepth} calls deep`);
    }
    const r = this.#registers;
    const saved = r.slice(1, 10);
    this.#frames.push({ program, returnSlot, saved, depth });
    this.#clear();
    r[10] = BigInt(frameTop(this.#memory, this.#frames.length));
  }

  /** What programs may not read at a function's start is 0, as compiled code has it. */
  #clear(): void {
    this.#registers[0] = 0n;
    this.#registers.fill(0n, 6, 10);
  }

  #pop(): void {
    const frame = this.#frames.pop() as Frame;
    this.#registers.set(frame.saved, 1);
    this.#registers[10] = BigInt(frameTop(this.#memory, this.#frames.length));
    this.#slot = frame.returnSlot;
    const caller = this.#frames.at(-1);
    if (caller !== undefined) this.#program = caller.program;
  }

  #source(source: Source): bigint {
    if (source.kind === "register") return this.#registers[source.register] as bigint;
    return BigInt.asUintN(64, BigInt(source.value));
  }

  #address(base: Register, offset: number): bigint {
    if (base === 10 && (offset < -this.#memory.stackSize || offset >= 0)) {
      const message = `access at r10${offset < 0 ? "" : "+"}${offset} is outside the stack frame`;
      throw new Fault("stack-overflow", message, (this.#registers[10] as bigint) + BigInt(offset));
    }
    return BigInt.asUintN(64, (this.#registers[base] as bigint) + BigInt(offset));
  }

  #load(base: Register, offset: number, size: number): bigint {
    const { memory } = this.#kernel;
    return memory.load(memory.check(this.#address(base, offset), size, false), size, this.#little);
  }

  #store(base: Register, offset: number, size: number, value: bigint): void {
    const { memory } = this.#kernel;
    const at = memory.check(this.#address(base, offset), size, true);
    memory.store(at, size, value, this.#little);
  }

  /** Runs one instruction. */
  step(): void {
    const insn = this.#program.insns[this.#slot];
    if (insn === undefined) throw new Fault("bad-instruction", "jump into nowhere");
    if (this.#steps >= this.#fuel) {
      throw new Fault("out-of-fuel", `still running after ${this.#fuel} instructions`);
    }
    this.onStep?.({
      program: this.#program,
      slot: this.#slot,
      registers: [...this.#registers],
      steps: this.#steps,
    });
    this.#steps += 1;
    this.#execute(insn);
  }

  #execute(insn: Instruction): void {
    const r = this.#registers;
    const next = this.#slot + (insn.kind === "load_imm64" ? 2 : 1);
    switch (insn.kind) {
      case "alu": {
        const value = evaluateAlu(
          insn.op,
          insn.width,
          r[insn.dst] as bigint,
          this.#source(insn.src),
        );
        r[insn.dst] = value;
        break;
      }
      case "movsx":
        r[insn.dst] = signExtend(r[insn.src] as bigint, insn.from, insn.width);
        break;
      case "neg":
        r[insn.dst] = evaluateNegate(insn.width, r[insn.dst] as bigint);
        break;
      case "endian": {
        const endian = this.#little ? "little" : "big";
        r[insn.dst] = evaluateEndian(insn.op, insn.bits, r[insn.dst] as bigint, endian);
        break;
      }
      case "load_imm64":
        r[insn.dst] = this.#wideValue(insn);
        break;
      case "load": {
        const value = this.#load(insn.base, insn.offset, insn.size);
        r[insn.dst] = insn.signed ? signExtend(value, insn.size * 8) : value;
        break;
      }
      case "store":
        this.#store(insn.base, insn.offset, insn.size, this.#source(insn.src));
        break;
      case "load_acquire":
        r[insn.dst] = this.#load(insn.base, insn.offset, insn.size);
        break;
      case "store_release":
        this.#store(insn.base, insn.offset, insn.size, r[insn.src] as bigint);
        break;
      case "atomic":
        this.#atomic(insn);
        break;
      case "addr_space_cast":
        r[insn.dst] = this.#arena(insn.imm === toKernelSpace, r[insn.src] as bigint);
        break;
      default:
        this.#control(insn, next);
        return;
    }
    this.#slot = next;
  }

  /** The instructions that decide themselves where to go on. */
  #control(insn: Instruction, next: number): void {
    const r = this.#registers;
    switch (insn.kind) {
      case "load_packet":
        if (this.#packetLoad(insn)) this.#slot = next;
        return;
      case "jump":
        this.#slot = next + insn.offset;
        return;
      case "branch": {
        const taken = evaluateJump(
          insn.op,
          insn.width,
          r[insn.dst] as bigint,
          this.#source(insn.src),
        );
        this.#slot = taken ? next + insn.offset : next;
        return;
      }
      case "may_goto":
        this.#mayGoto += 1;
        this.#slot = this.#mayGoto > mayGotoBudget ? next + insn.offset : next;
        return;
      case "call":
        this.#callInstruction(insn, next);
        return;
      case "exit":
        this.#pop();
        return;
      default:
        throw new Fault("unsupported", `${insn.kind} is not supported`);
    }
  }

  #wideValue(insn: Instruction & { kind: "load_imm64" }): bigint {
    const low = Number(insn.value & 0xffffffffn);
    const high = Number(insn.value >> 32n);
    switch (insn.source) {
      case 0:
        return insn.value;
      case 1:
      case 5:
        return this.#mapAt(low).handle;
      case 2:
      case 6: {
        const map = this.#mapAt(low);
        const start = map.lookup(new Uint8Array(map.description.keySize));
        if (start === 0) throw new Fault("bad-instruction", "map has no value to point into");
        return BigInt(start + high);
      }
      case 4:
        return codeAddressBase + BigInt(this.#slot + 1 + (low | 0));
      case 3:
        return this.#kernelSymbol();
    }
  }

  #arena(toKernel: boolean, pointer: bigint): bigint {
    const arena = arenaOf(this.#program);
    if (arena === undefined) throw new Fault("bad-instruction", "the program has no arena");
    return toKernel ? arena.toKernel(pointer) : arena.toUser(pointer);
  }

  #mapAt(index: number): Program["maps"][number] {
    const map = this.#program.maps[index];
    if (map === undefined) throw new Fault("bad-instruction", `the program has no map ${index}`);
    return map;
  }

  #kernelSymbol(): bigint {
    const slot = this.#slot;
    const reference = this.#program.spec.kernelReferences.find((r) => r.slot === slot);
    if (reference?.weak === true) return 0n;
    const name = reference?.name ?? "?";
    throw new Fault("unsupported", `kernel variable '${name}' is not there`);
  }

  #atomic(insn: Instruction & { kind: "atomic" }): void {
    const r = this.#registers;
    const { memory } = this.#kernel;
    const width = insn.size === 8 ? 64 : 32;
    const at = memory.check(this.#address(insn.base, insn.offset), insn.size, true);
    const old = memory.load(at, insn.size, this.#little);
    const source = r[insn.src] as bigint;
    memory.store(
      at,
      insn.size,
      evaluateAtomic(insn.op, width, old, source, r[0] as bigint),
      this.#little,
    );
    if (insn.op === "cmpxchg") r[0] = old;
    else if (insn.fetch) r[insn.src] = old;
  }

  /** False where the packet is too short: the program ends with 0. */
  #packetLoad(insn: Instruction & { kind: "load_packet" }): boolean {
    const { packet } = this.#run;
    if (packet === undefined) throw new Fault("bad-instruction", "this program has no packet");
    const index =
      insn.mode === "ind" ? Number(BigInt.asIntN(32, this.#registers[insn.src] as bigint)) : 0;
    const at = packet.at((index + insn.imm) | 0, insn.size);
    if (at === undefined) {
      this.#registers[0] = 0n;
      this.#pop();
      return false;
    }
    this.#registers[0] = this.#kernel.memory.load(at, insn.size, false);
    return true;
  }

  #callInstruction(insn: Instruction & { kind: "call" }, next: number): void {
    if (insn.target === "local") {
      this.#push(this.#program, next, (this.#frames.at(-1)?.depth ?? 0) + 1);
      this.#slot = next + insn.imm;
      return;
    }
    this.#passArguments();
    if (insn.target === "helper" && insn.imm === tailCallHelper) {
      if (!this.#tailCall()) this.#slot = next;
      return;
    }
    const result =
      insn.target === "helper"
        ? helperFunction(insn.imm)(this.#call)
        : callKfunc(this.#program, this.#slot, this.#call);
    this.#registers[0] = typeof result === "bigint" ? result : BigInt(result);
    this.#slot = next;
  }

  #passArguments(): void {
    const { view } = this.#kernel.memory;
    for (let i = 0; i < 5; i += 1) {
      view.setBigUint64(this.#argumentsAddress + i * 8, this.#registers[i + 1] as bigint, true);
    }
  }

  /** True where another program took the frame over. */
  #tailCall(): boolean {
    const target = tailCallTarget(this.#call);
    if (target === undefined || this.#tailCalls >= maximumTailCalls) return false;
    this.#tailCalls += 1;
    const frame = this.#frames.at(-1) as Frame;
    frame.program = target;
    this.#clear();
    this.#registers.fill(0n, 2, 6);
    this.#program = target;
    this.#slot = 0;
    return true;
  }
}
