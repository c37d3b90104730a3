/**
 * One subprogram → the body of a WebAssembly function: registers are i64 locals, r10 is a
 * parameter. The checked variant looks every address up in the shadow, counts instructions and
 * call depth; failing checks end in `unreachable`, because a call there would spoil the registers.
 * Every kind of instruction has its method here, over one code buffer: the file is long for that.
 */
import type { AluOp, Instruction, JumpOp, Register, Source } from "../../common/isa/instruction.ts";
import { helperById } from "../../common/platform/helpers.ts";
import {
  cells,
  codeAddressBase,
  type EngineMemory,
  maximumCallDepth,
  maximumFrames,
  mayGotoBudget,
  tailCallHelper,
} from "../engine-memory.ts";
import { errno } from "../errno.ts";
import { maximumLoops } from "../helpers/loops.ts";
import { arenaOf, toKernelSpace } from "../maps/arena.ts";
import { ArrayMap } from "../maps/array.ts";
import { HashMap } from "../maps/hash.ts";
import { mapFlags } from "../maps/map.ts";
import { addressBits, shadowBase } from "../memory.ts";
import type { Program } from "../program.ts";
import { smallestContext } from "../programs/contexts.ts";
import { type Block, buildFlowGraph, type FlowGraph } from "./blocks.ts";
import {
  type Access,
  type AccessCheck,
  accessOf,
  type CheckGroup,
  CheckPlan,
} from "./check-plan.ts";
import { type FrameLocal, frameLocals } from "./frame-locals.ts";
import { type Known, type KnownState, knownOf } from "./known.ts";
import type { KnownValues } from "./known-values.ts";
import { type MapFunctionName, mapShape, notDone } from "./map-functions.ts";
import { emitControlFlow } from "./structure.ts";
import { WasmCode } from "./wasm-code.ts";
import { emptyBlockType, op, saturation, simd, valueType } from "./wasm-writer.ts";

/** Helper ids of what is no helper: a kfunc call (which one is known from the slot), LD_ABS and LD_IND. */
export const kfuncCall = -1;
export const packetLoadCall = -2;

export const faultKinds = {
  access: 1,
  fuel: 2,
  depth: 3,
  instruction: 4,
  frame: 5,
  nesting: 6,
} as const;

export interface TranslateOptions {
  readonly checked: boolean;
  /**
   * The program's only function: it is entered from outside, takes r1–r5 from the control block and
   * puts r0 there.
   */
  readonly isAlone: boolean;
  readonly memory: EngineMemory;
  /** No chain of calls within the program is deeper than may be. */
  readonly isShallow: boolean;
  /** Function index of the subprogram that starts at a slot. */
  readonly functionAt: (slot: number) => number | undefined;
  /** Function index of a helper's import. */
  readonly helperImport: (id: number) => number;
  /** Function index of the import that does an operation on maps of a hash map's shape. */
  readonly mapImport: (map: HashMap, name: MapFunctionName) => number;
}

const locals = {
  base: 0,
  r0: 6,
  wide: 11,
  wide2: 12,
  packetStart: 13,
  packetLimit: 14,
  /** Of a loop around a callback: how often, and how often so far. */
  count: 15,
  done: 16,
  word: 17,
  word2: 18,
  dispatch: 19,
  /** Instructions left; in the control block while other code runs. */
  fuel: 20,
  limit: 21,
  result: 22,
  /** Outcomes of comparisons that several groups of accesses share; then what the frame holds. */
  flags: 23,
} as const;

const localOf = (register: Register): number =>
  register === 0 ? locals.r0 : register <= 5 ? register : register + 1;

const binaryOps: Readonly<Partial<Record<AluOp, readonly [wide: number, narrow: number]>>> = {
  add: [op.i64Add, op.i32Add],
  sub: [op.i64Sub, op.i32Sub],
  mul: [op.i64Mul, op.i32Mul],
  or: [op.i64Or, op.i32Or],
  and: [op.i64And, op.i32And],
  xor: [op.i64Xor, op.i32Xor],
  lsh: [op.i64Shl, op.i32Shl],
  rsh: [op.i64ShrU, op.i32ShrU],
  arsh: [op.i64ShrS, op.i32ShrS],
};

const divisions: Readonly<Partial<Record<AluOp, readonly [wide: number, narrow: number]>>> = {
  div: [op.i64DivU, op.i32DivU],
  sdiv: [op.i64DivS, op.i32DivS],
  mod: [op.i64RemU, op.i32RemU],
  smod: [op.i64RemS, op.i32RemS],
};

const comparisons: Readonly<Record<JumpOp, readonly [wide: number, narrow: number]>> = {
  eq: [op.i64Eq, op.i32Eq],
  ne: [op.i64Ne, op.i32Ne],
  gt: [op.i64GtU, op.i32GtU],
  ge: [op.i64GeU, op.i32GeU],
  lt: [op.i64LtU, op.i32LtU],
  le: [op.i64LeU, op.i32LeU],
  sgt: [op.i64GtS, op.i32GtS],
  sge: [op.i64GeS, op.i32GeS],
  slt: [op.i64LtS, op.i32LtS],
  sle: [op.i64LeS, op.i32LeS],
  set: [op.i64And, op.i32And],
};

const loads: Readonly<Record<number, readonly [unsigned: number, signed: number]>> = {
  1: [op.i64Load8U, op.i64Load8S],
  2: [op.i64Load16U, op.i64Load16S],
  4: [op.i64Load32U, op.i64Load32S],
  8: [op.i64Load, op.i64Load],
};

const stores: Readonly<Record<number, number>> = {
  1: op.i64Store8,
  2: op.i64Store16,
  4: op.i64Store32,
  8: op.i64Store,
};

const signExtensions: Readonly<Record<number, readonly [wide: number, narrow: number]>> = {
  8: [op.i64Extend8S, op.i32Extend8S],
  16: [op.i64Extend16S, op.i32Extend16S],
  32: [op.i64Extend32S, op.i32Extend16S],
};

/** Helpers that compiled code does by itself on hash maps. */
export const mapHelpers: Readonly<Record<number, MapFunctionName>> = {
  1: "lookup",
  2: "update",
  3: "delete",
};
const updateHelper = 2;
const loopHelper = 181;
const lockHelper = 93;
const unlockHelper = 94;
const processorIdHelper = 8;
/** bpf_ktime_get_ns and bpf_ktime_get_boot_ns. */
const timeHelpers: readonly number[] = [5, 125];
const randomHelper = 7;
/** Of xorshift32, as Kernel.random has them. */
const randomShifts = [
  [op.i32Shl, 13],
  [op.i32ShrU, 17],
  [op.i32Shl, 5],
] as const;

/** A 64-bit shift by half its width: two of them extend the low half. */
function isShiftBy32(
  insn: Instruction,
  name: AluOp,
): insn is Instruction & { readonly kind: "alu" } {
  if (insn.kind !== "alu" || insn.op !== name || insn.width !== 64) return false;
  return insn.src.kind === "immediate" && insn.src.value === 32;
}

const hasCalls = (program: Program, blocks: readonly Block[]): boolean =>
  blocks.some(({ start, end }) =>
    program.insns.slice(start, end).some((insn) => insn?.kind === "call"),
  );

/** Whether the function that starts at a slot names r10. */
function usesFrame(program: Program, slot: number): boolean {
  const { blocks } = buildFlowGraph(program.insns, slot);
  return blocks.some(({ start, end }) =>
    program.insns
      .slice(start, end)
      .some(
        (insn) =>
          (insn !== undefined && "base" in insn && insn.base === 10) ||
          (insn?.kind === "alu" && insn.src.kind === "register" && insn.src.register === 10),
      ),
  );
}

/** What was found out about a function. */
export interface FunctionFacts {
  readonly graph: FlowGraph;
  readonly values: KnownValues;
}

export class Translator {
  readonly #program: Program;
  readonly #options: TranslateOptions;
  readonly #code = new WasmCode();
  /** What registers hold before the current instruction. */
  #known: KnownState = [];
  #block: Block | undefined;
  readonly #fuelOffsets: number[] = [];
  #plan: CheckPlan | undefined;
  #frame: ReadonlyMap<number, FrameLocal> = new Map();
  /** In the checked variant: nothing else can come to the frame while the function runs. */
  #isClosed = false;
  #usesPacket = false;
  #isReducible = true;
  #slot = 0;

  constructor(program: Program, options: TranslateOptions) {
    this.#program = program;
    this.#options = options;
  }

  /** The function's body, locals included. */
  translate({ graph, values }: FunctionFacts): Uint8Array {
    const code = this.#code;
    const firstWide = this.#options.isAlone ? 1 : locals.r0;
    this.#isReducible = graph.isReducible;
    if (this.#options.checked && graph.isReducible) {
      this.#plan = new CheckPlan(this.#program, graph.blocks, values, {
        isCertain: (known, access) => this.#isCertain(known, access),
        valueRange: (known, access) => this.#valueRange(known, access),
        hasRange: (known, write) => this.#hasRange(known, write),
      });
    }
    this.#frame = frameLocals(this.#program, graph.originals, this.#options.memory.stackSize);
    this.#isClosed = this.#plan?.isEmpty === true && !hasCalls(this.#program, graph.originals);
    code.unsigned(5);
    for (const [count, type] of [
      [locals.word - firstWide, valueType.i64],
      [locals.result - locals.word, valueType.i32],
      [1, valueType.f64],
      [this.#plan?.flags ?? 0, valueType.i32],
      [this.#frame.size, valueType.i64],
    ] as const) {
      code.unsigned(count);
      code.byte(type);
    }
    this.#takeFuel();
    if (this.#options.isAlone) this.#takeArguments();
    this.#usesPacket = this.#options.checked && values.hasPacket;
    this.#loadPacketBounds();
    this.#reloadFrame();
    const emitter = {
      body: (block: Block): void => this.#translateBlock(block, values),
      condition: (block: Block): void => this.#condition(block),
      edge: (from: Block, to: Block): void => this.#countEdge(from, to),
    };
    if (this.#options.checked) this.#layFuel(graph.blocks);
    emitControlFlow(graph, code, emitter, locals.dispatch);
    code.byte(op.unreachable);
    code.byte(op.end);
    return code.finish();
  }

  #takeArguments(): void {
    for (let register = 1; register <= 5; register += 1) {
      this.#code.const32(this.#options.memory.control);
      this.#code.memory(op.i64Load, cells.arguments + (register - 1) * 8);
      this.#code.set(register);
    }
  }

  /** Leaves the function with the i64 that `value` pushes. */
  #return(value: () => void): void {
    const { isAlone, memory } = this.#options;
    if (isAlone) this.#code.const32(memory.control);
    value();
    if (isAlone) this.#code.memory(op.i64Store, cells.result);
    this.#code.byte(op.return);
  }

  /** Pushes a register as i64. */
  #register(register: Register): void {
    if (register !== 10) {
      this.#code.get(localOf(register));
      return;
    }
    this.#code.get(locals.base);
    this.#code.const32(this.#options.memory.stackSize);
    this.#code.byte(op.i32Add);
    this.#code.byte(op.i64ExtendI32U);
  }

  #narrow(register: Register): void {
    this.#register(register);
    this.#code.byte(op.i32WrapI64);
  }

  #source(source: Source): void {
    if (source.kind === "register") this.#register(source.register);
    else this.#code.const64(BigInt(source.value));
  }

  #narrowSource(source: Source): void {
    if (source.kind === "register") this.#narrow(source.register);
    else this.#code.const32(source.value);
  }

  #setRegister(register: Register): void {
    this.#code.set(localOf(register));
  }

  #translateBlock(block: Block, values: KnownValues): void {
    this.#block = block;
    this.#known = [...values.at(block)];
    this.#slot = block.start;
    const { insns } = this.#program;
    if (insns[block.start] === undefined) {
      this.#fault(faultKinds.instruction);
      return;
    }
    // Whatever has no loop comes to an end, and is asked there.
    if (block.isLoop || !this.#isReducible) this.#checkFuel();
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = insns[slot];
      if (insn === undefined) continue;
      this.#slot = slot;
      const next = slot + 1 < block.end ? insns[slot + 1] : undefined;
      const isPair = this.#pair(insn, next);
      if (!isPair) this.#instruction(insn);
      values.step(insn, this.#known);
      if (!isPair || next === undefined) continue;
      values.step(next, this.#known);
      slot += 1;
    }
  }

  /** Translates two instructions that are cheaper together; false where they are no such pair. */
  #pair(first: Instruction, second: Instruction | undefined): boolean {
    if (second === undefined || !("dst" in second)) return false;
    if (first.kind === "load" && second.kind === "endian") {
      const isSwap = second.op !== "le" && second.bits === first.size * 8;
      const isLocal = first.base === 10 && this.#frame.has(first.offset);
      if (!isSwap || second.dst !== first.dst || isLocal) return false;
      this.#loadReversed(first);
      this.#setRegister(first.dst);
      return true;
    }
    if (!isShiftBy32(first, "lsh") || second.dst !== first.dst) return false;
    const isSigned = isShiftBy32(second, "arsh");
    if (!isSigned && !isShiftBy32(second, "rsh")) return false;
    this.#narrow(first.dst);
    this.#code.byte(isSigned ? op.i64ExtendI32S : op.i64ExtendI32U);
    this.#setRegister(first.dst);
    return true;
  }

  /** Pushes what a load gives, its bytes in reverse order: two bytes one by one, more as a vector. */
  #loadReversed({ base, offset, size }: Instruction & { kind: "load" }): void {
    const code = this.#code;
    const at = this.#address(base, offset, size, false);
    if (size > 2) {
      code.simdLoad(size === 8 ? simd.v128Load64Zero : simd.v128Load32Zero, at);
      this.#reverse(size === 8 ? 64 : 32);
      return;
    }
    code.tee(locals.word);
    code.memory(op.i64Load8U, at);
    code.const64(8n);
    code.op(op.i64Shl);
    code.get(locals.word);
    code.memory(op.i64Load8U, at + 1);
    code.op(op.i64Or);
  }

  /** Reverses the low bytes of the vector on the stack, which become an i64. */
  #reverse(bits: 32 | 64): void {
    const last = bits / 8 - 1;
    // Lanes that are all within the vector need no check.
    const lanes = Array.from({ length: 16 }, (_, i) => i ^ last);
    this.#code.simd(simd.v128Const, ...lanes);
    this.#code.simd(simd.i8x16Swizzle);
    if (bits === 64) {
      this.#code.simd(simd.i64x2ExtractLane, 0);
      return;
    }
    this.#code.simd(simd.i32x4ExtractLane, 0);
    this.#code.op(op.i64ExtendI32U);
  }

  /** Instructions left at a block are `fuel` plus this, its own counted. */
  #fuelOffset(): number {
    return this.#fuelOffsets[this.#block?.order ?? 0] ?? 0;
  }

  #checkFuel(): void {
    if (!this.#options.checked) return;
    this.#code.get(locals.fuel);
    this.#code.const32(-this.#fuelOffset());
    this.#code.byte(op.i32LtS);
    this.#faultIf(faultKinds.fuel);
  }

  /** Counts what the way to a block has more or less than the one that its offset is meant for. */
  #countEdge(from: Block, to: Block): void {
    if (!this.#options.checked) return;
    const offsets = this.#fuelOffsets;
    const change =
      (offsets[from.order] ?? 0) - (offsets[to.order] ?? 0) - this.#instructionCount(to);
    if (change === 0) return;
    this.#code.get(locals.fuel);
    this.#code.const32(change);
    this.#code.byte(op.i32Add);
    this.#code.set(locals.fuel);
  }

  #instructionCount(block: Block): number {
    let count = 0;
    for (let slot = block.start; slot < block.end; slot += 1) {
      if (this.#program.insns[slot] !== undefined) count += 1;
    }
    return count;
  }

  /** Each block's offset is right for one way to it, on which nothing is to be counted. */
  #layFuel(blocks: readonly Block[]): void {
    const best: number[] = blocks.map(() => 0);
    for (const block of blocks) {
      const count = this.#instructionCount(block);
      this.#fuelOffsets[block.order] = (best[block.order] ?? 0) - count;
      for (const to of block.successors) {
        if (to > block.order) best[to] = this.#fuelOffsets[block.order] ?? 0;
      }
    }
  }

  #loadPacketBounds(): void {
    if (!this.#usesPacket) return;
    for (const name of ["packetStart", "packetLimit"] as const) {
      this.#code.const32(this.#options.memory.control);
      this.#code.memory(op.i64Load, cells[name]);
      this.#code.set(locals[name]);
    }
  }

  #takeFuel(): void {
    if (!this.#options.checked) return;
    this.#code.const32(this.#options.memory.control);
    this.#code.memory(op.i32Load, cells.fuel);
    if (this.#block !== undefined) {
      this.#code.const32(this.#fuelOffset());
      this.#code.byte(op.i32Sub);
    }
    this.#code.set(locals.fuel);
  }

  #giveFuel(): void {
    if (!this.#options.checked) return;
    this.#code.const32(this.#options.memory.control);
    this.#code.get(locals.fuel);
    this.#code.const32(this.#fuelOffset());
    this.#code.byte(op.i32Add);
    this.#code.memory(op.i32Store, cells.fuel);
  }

  /** Faults where the i32 on the stack is not 0. */
  #faultIf(kind: number): void {
    this.#code.byte(op.if);
    this.#code.byte(emptyBlockType);
    this.#fault(kind);
    this.#code.byte(op.end);
  }

  #fault(kind: number): void {
    const { control } = this.#options.memory;
    this.#giveFuel();
    this.#code.const32(control);
    this.#code.const32(kind);
    this.#code.memory(op.i32Store, cells.faultKind);
    this.#code.const32(control);
    this.#code.const32(this.#slot);
    this.#code.memory(op.i32Store, cells.faultSlot);
    this.#code.byte(op.unreachable);
  }

  #instruction(insn: Instruction): void {
    switch (insn.kind) {
      case "alu":
        this.#alu(insn);
        break;
      case "movsx":
        this.#signExtend(insn);
        break;
      case "neg":
        this.#negate(insn);
        break;
      case "endian":
        this.#endian(insn);
        break;
      case "load_imm64":
        this.#wideLoad(insn);
        break;
      case "load":
        this.#load(insn.dst, insn.base, insn.offset, insn.size, insn.signed);
        break;
      case "load_acquire":
        this.#load(insn.dst, insn.base, insn.offset, insn.size, false);
        break;
      case "store":
        this.#store(insn.base, insn.offset, insn.size, insn.src);
        break;
      case "store_release":
        this.#store(insn.base, insn.offset, insn.size, { kind: "register", register: insn.src });
        break;
      case "atomic":
        this.#atomic(insn);
        break;
      case "load_packet":
        this.#packetLoad(insn);
        break;
      case "call":
        this.#call(insn);
        break;
      case "exit":
        this.#checkFuel();
        this.#giveFuel();
        // Whoever has this frame next finds what was left there.
        if (this.#isClosed) for (const [at, local] of this.#frame) this.#storeLocal(at, local);
        this.#return(() => this.#code.get(locals.r0));
        break;
      case "jump":
      case "branch":
      case "may_goto":
        break;
      case "addr_space_cast":
        this.#castAddress(insn);
        break;
      case "callx":
      case "gotox":
        this.#fault(faultKinds.instruction);
        break;
    }
  }

  /** Between user space's view of the arena and addresses; 0 stays 0. */
  #castAddress(insn: Instruction & { kind: "addr_space_cast" }): void {
    const arena = arenaOf(this.#program);
    if (arena === undefined) {
      this.#fault(faultKinds.instruction);
      return;
    }
    const code = this.#code;
    const distance = BigInt(arena.start) - arena.userStart;
    this.#narrow(insn.src);
    code.tee(locals.word);
    code.open(op.if, valueType.i64);
    code.get(locals.word);
    if (insn.imm === toKernelSpace) {
      code.const32(Number(BigInt.asIntN(32, distance)));
      code.op(op.i32Add, op.i64ExtendI32U);
    } else {
      code.op(op.i64ExtendI32U);
      code.const64(-distance);
      code.op(op.i64Add);
    }
    code.op(op.else);
    code.const64(0n);
    code.op(op.end);
    this.#setRegister(insn.dst);
  }

  #signExtend(insn: Instruction & { kind: "movsx" }): void {
    const [wide, narrow] = signExtensions[insn.from] as readonly [number, number];
    if (insn.width === 64) {
      this.#register(insn.src);
      this.#code.byte(wide);
    } else {
      this.#narrow(insn.src);
      this.#code.byte(narrow);
      this.#code.byte(op.i64ExtendI32U);
    }
    this.#setRegister(insn.dst);
  }

  #negate(insn: Instruction & { kind: "neg" }): void {
    if (insn.width === 64) {
      this.#code.const64(0n);
      this.#register(insn.dst);
      this.#code.byte(op.i64Sub);
    } else {
      this.#code.const32(0);
      this.#narrow(insn.dst);
      this.#code.byte(op.i32Sub);
      this.#code.byte(op.i64ExtendI32U);
    }
    this.#setRegister(insn.dst);
  }

  #alu(insn: Instruction & { kind: "alu" }): void {
    const { op: name, width, dst, src } = insn;
    const isWide = width === 64;
    if (name === "mov") {
      if (isWide) this.#source(src);
      else if (src.kind === "immediate") this.#code.const64(BigInt(src.value >>> 0));
      else {
        this.#narrow(src.register);
        this.#code.byte(op.i64ExtendI32U);
      }
      this.#setRegister(dst);
      return;
    }
    const division = divisions[name];
    if (division !== undefined) this.#division(insn, division[isWide ? 0 : 1]);
    else {
      const [wide, narrow] = binaryOps[name] as readonly [number, number];
      if (isWide) {
        this.#register(dst);
        this.#source(src);
      } else {
        this.#narrow(dst);
        this.#narrowSource(src);
      }
      this.#code.byte(isWide ? wide : narrow);
    }
    if (!isWide) this.#code.byte(op.i64ExtendI32U);
    this.#setRegister(dst);
  }

  /** WebAssembly traps on x / 0 and on INT_MIN / -1; BPF gives 0 (or x) and wraps. */
  #division(insn: Instruction & { kind: "alu" }, opcode: number): void {
    const { op: name, width, dst, src } = insn;
    const code = this.#code;
    const isWide = width === 64;
    const isModulo = name === "mod" || name === "smod";
    const isSigned = name === "sdiv" || name === "smod";
    const pushDst = (): void => (isWide ? this.#register(dst) : this.#narrow(dst));
    const pushSrc = (): void => (isWide ? this.#source(src) : this.#narrowSource(src));
    const zero = (): void => (isWide ? this.#code.const64(0n) : this.#code.const32(0));
    const type = isWide ? valueType.i64 : valueType.i32;
    const byZero = (): void => (isModulo ? pushDst() : zero());
    const byMinusOne = (): void => {
      zero();
      if (isModulo) return;
      pushDst();
      code.byte(isWide ? op.i64Sub : op.i32Sub);
    };
    const divide = (): void => {
      pushDst();
      pushSrc();
      code.byte(opcode);
    };
    if (src.kind === "immediate") {
      if (src.value === 0) byZero();
      else if (isSigned && src.value === -1) byMinusOne();
      else divide();
      return;
    }
    const choose = (condition: () => void, yes: () => void, no: () => void): void => {
      condition();
      code.byte(op.if);
      code.byte(type);
      yes();
      code.byte(op.else);
      no();
      code.byte(op.end);
    };
    const isZero = (): void => {
      pushSrc();
      code.byte(isWide ? op.i64Eqz : op.i32Eqz);
    };
    const isMinusOne = (): void => {
      pushSrc();
      if (isWide) this.#code.const64(-1n);
      else this.#code.const32(-1);
      code.byte(isWide ? op.i64Eq : op.i32Eq);
    };
    const safe = isSigned ? (): void => choose(isMinusOne, byMinusOne, divide) : divide;
    choose(isZero, byZero, safe);
  }

  #endian(insn: Instruction & { kind: "endian" }): void {
    const { op: name, bits, dst } = insn;
    if (name === "le") {
      this.#register(dst);
      if (bits < 64) {
        this.#code.const64((1n << BigInt(bits)) - 1n);
        this.#code.byte(op.i64And);
      }
      this.#setRegister(dst);
      return;
    }
    this.#swap(bits, dst);
    this.#setRegister(dst);
  }

  /** Pushes a register's low bytes in reverse order, as i64. */
  #swap(bits: number, register: Register): void {
    const code = this.#code;
    if (bits === 64) {
      this.#register(register);
      code.simd(simd.i64x2Splat);
      this.#reverse(64);
      return;
    }
    this.#narrow(register);
    if (bits === 32) {
      code.simd(simd.i32x4Splat);
      this.#reverse(32);
      return;
    }
    code.set(locals.word);
    const part = (opcode: number, mask: number): void => {
      code.get(locals.word);
      code.const32(8);
      code.op(opcode);
      code.const32(mask);
      code.op(op.i32And);
    };
    part(op.i32ShrU, 0xff);
    part(op.i32Shl, 0xff00);
    code.op(op.i32Or, op.i64ExtendI32U);
  }

  #wideLoad(insn: Instruction & { kind: "load_imm64" }): void {
    const low = Number(insn.value & 0xffffffffn);
    const high = Number(insn.value >> 32n);
    const map = this.#program.maps[low];
    switch (insn.source) {
      case 0:
        this.#code.const64(insn.value);
        break;
      case 1:
      case 5:
        if (map === undefined) this.#fault(faultKinds.instruction);
        this.#code.const64(map?.handle ?? 0n);
        break;
      case 2:
      case 6: {
        const start = map?.lookup(new Uint8Array(map.description.keySize)) ?? 0;
        if (start === 0) this.#fault(faultKinds.instruction);
        this.#code.const64(BigInt(start + high));
        break;
      }
      case 4:
        this.#code.const64(codeAddressBase + BigInt(this.#slot + 1 + (low | 0)));
        break;
      case 3: {
        const slot = this.#slot;
        const reference = this.#program.spec.kernelReferences.find((r) => r.slot === slot);
        if (reference?.weak !== true) this.#fault(faultKinds.instruction);
        this.#code.const64(0n);
      }
    }
    this.#setRegister(insn.dst);
  }

  /**
   * Pushes an i32 address, checked, and returns the offset for the access. Frame accesses at
   * constant offsets need no check.
   */
  #address(base: Register, offset: number, size: number, write: boolean): number {
    if (base === 10) {
      const { stackSize } = this.#options.memory;
      if (offset >= -stackSize && offset + size <= 0) {
        this.#code.get(locals.base);
        return stackSize + offset;
      }
      if (this.#options.checked && (offset < -stackSize || offset >= 0)) {
        this.#register(base);
        this.#code.const64(BigInt(offset));
        this.#code.op(op.i64Add);
        this.#code.set(locals.wide);
        this.#faultAtAddress(faultKinds.frame);
      }
    }
    if (!this.#options.checked) {
      this.#narrow(base);
      if (offset >= 0) return offset;
      this.#code.const32(offset);
      this.#code.byte(op.i32Add);
      return 0;
    }
    const known = knownOf(this.#known, base);
    const access = { base, offset, size, write };
    const check = this.#checkOf(access, known);
    if (check !== "alone") {
      if (check !== "proven") this.#checkGroup(base, check);
      this.#narrow(base);
      if (offset >= 0) return offset;
      this.#code.const32(offset);
      this.#code.byte(op.i32Add);
      return 0;
    }
    this.#addressOf(base, offset);
    if (this.#isValue(known, access)) this.#checkNull(base);
    else this.#check(size, write, known);
    this.#code.get(locals.word);
    return 0;
  }

  /** Puts a register and an offset to `wide`. */
  #addressOf(base: Register, offset: number): void {
    this.#register(base);
    if (offset !== 0) {
      this.#code.const64(BigInt(offset));
      this.#code.byte(op.i64Add);
    }
    this.#code.set(locals.wide);
  }

  #checkOf(access: Access, known: Known | undefined): AccessCheck {
    if (this.#isCertain(known, access)) return "proven";
    const insn = this.#program.insns[this.#slot];
    const isPlanned = insn !== undefined && accessOf(insn) !== undefined;
    if (!isPlanned || this.#block === undefined) return "alone";
    return this.#plan?.at(this.#block, this.#slot) ?? "alone";
  }

  /** One comparison for all; where it fails each access of the group is checked by itself. */
  #checkGroup(base: Register, group: CheckGroup): void {
    const code = this.#code;
    const flag = locals.flags + (group.flag ?? 0);
    if (group.compares) {
      this.#compareRange(base, group);
      if (group.flag !== undefined) code.tee(flag);
    } else code.get(flag);
    code.op(op.i32Eqz);
    code.open(op.if, emptyBlockType);
    const slot = this.#slot;
    for (const member of group.members) {
      this.#slot = member.slot;
      this.#addressOf(base, member.distance);
      this.#check(member.size, member.write);
    }
    this.#slot = slot;
    code.op(op.end);
  }

  /** Pushes whether all bytes of a group are in the range where they should be. */
  #compareRange(base: Register, { known, low, high }: CheckGroup): void {
    const code = this.#code;
    const size = high - low;
    this.#addressOf(base, low);
    const room = this.#distanceInRange(known);
    if (known?.kind !== "packet") {
      code.const64(BigInt(Math.max(0, room - size + 1)));
      code.op(op.i64LtU);
      return;
    }
    code.get(locals.packetLimit);
    code.op(op.i64LtU);
    if (size <= 8) return;
    code.get(locals.wide);
    code.get(locals.packetStart);
    code.op(op.i64Sub);
    code.const64(BigInt(size - 8));
    code.op(op.i64Add);
    code.get(locals.packetLimit);
    code.op(op.i64LtU, op.i32And);
  }

  /** Pushes how far `wide` is from the start of a range; gives the range's bytes, 0 for the packet. */
  #distanceInRange(known: Known | undefined): number {
    const code = this.#code;
    const { stackSize, frameStride } = this.#options.memory;
    code.get(locals.wide);
    if (known?.kind === "frame") {
      code.get(locals.base);
      if (known.up > 0) {
        code.const32(known.up * frameStride);
        code.op(op.i32Sub);
      }
      code.op(op.i64ExtendI32U, op.i64Sub);
      return stackSize;
    }
    if (known?.kind === "value" && known.map instanceof ArrayMap) {
      code.const64(BigInt(known.map.start));
      code.op(op.i64Sub);
      return known.map.bytes;
    }
    code.get(locals.packetStart);
    code.op(op.i64Sub);
    return 0;
  }

  /** Whether one comparison can tell that an address is in what the pointer should point to. */
  #hasRange(known: Known | undefined, write: boolean): boolean {
    if (known?.kind === "packet" || known?.kind === "frame") return true;
    if (known?.kind !== "value" || !(known.map instanceof ArrayMap)) return false;
    const { valueSize, flags } = known.map.description;
    const isWritable = (flags & mapFlags.readOnlyProgram) === 0;
    return known.map.stride === valueSize && (isWritable || !write);
  }

  /** Whether an access cannot fail. */
  #isCertain(known: Known | undefined, access: Access): boolean {
    if (known?.kind === "frame" && known.offset !== undefined) {
      const at = known.offset + access.offset;
      return at >= -this.#options.memory.stackSize && at + known.span + access.size <= 0;
    }
    if (known?.kind === "context") {
      const at = known.offset + access.offset;
      return at >= 0 && at + access.size <= smallestContext(this.#program.spec.type);
    }
    return this.#isValue(known, access) && !known.nullable;
  }

  /** Whether an access is within the value, if there is one. */
  #isValue(
    known: Known | undefined,
    { offset, size, write }: Access,
  ): known is Known & { kind: "value" } {
    if (known?.kind !== "value" || known.offset === undefined) return false;
    const { flags, valueSize } = known.map.description;
    const at = known.offset + offset;
    return (
      at >= 0 &&
      at + known.span + size <= valueSize &&
      !(write && (flags & mapFlags.readOnlyProgram) !== 0)
    );
  }

  /** The bytes that are there if a pointer is not null, from where it points to. */
  #valueRange(
    known: Known | undefined,
    access: Access,
  ): { readonly from: number; readonly to: number; readonly writable: boolean } | undefined {
    if (!this.#isValue(known, access) || known.offset === undefined) return undefined;
    const { flags, valueSize } = known.map.description;
    const writable = (flags & mapFlags.readOnlyProgram) === 0;
    return { from: -known.offset, to: valueSize - known.offset - known.span, writable };
  }

  /** Faults where the register is 0; the access' address goes from `wide` to `word`. */
  #checkNull(base: Register): void {
    const code = this.#code;
    this.#register(base);
    code.byte(op.i64Eqz);
    code.open(op.if, emptyBlockType);
    this.#faultAtAddress();
    code.byte(op.end);
    code.get(locals.wide);
    code.byte(op.i32WrapI64);
    code.set(locals.word);
  }

  #faultAtAddress(kind: number = faultKinds.access): void {
    const { control } = this.#options.memory;
    this.#code.const32(control);
    this.#code.get(locals.wide);
    this.#code.memory(op.i64Store, cells.faultAddress);
    this.#fault(kind);
  }

  /** Leaves a block, one label out, where the address in `wide` is in the range it should be in. */
  #tryRange(known: Known | undefined, size: number, write: boolean): void {
    if (!this.#hasRange(known, write)) return;
    const code = this.#code;
    const room = this.#distanceInRange(known);
    if (known?.kind === "packet") code.get(locals.packetLimit);
    else code.const64(BigInt(Math.max(0, room - size + 1)));
    code.op(op.i64LtU);
    code.branch(op.brIf, 1);
  }

  /** The shadow byte of the granule `delta` bytes after the address in `word`. */
  #shadow(delta: number): void {
    const code = this.#code;
    const address = (): void => {
      this.#code.get(locals.word);
      if (delta === 0) return;
      this.#code.const32(delta);
      code.byte(op.i32Add);
    };
    address();
    this.#code.const32(3);
    code.byte(op.i32ShrU);
    this.#code.memory(op.i32Load8U, shadowBase);
  }

  /** Branches out `depth` labels unless `needed` (pushed) bytes of the granule may be accessed. */
  #granule(delta: number, write: boolean, needed: () => void, depth: number): void {
    this.#shadow(delta);
    if (!write) {
      this.#code.const32(15);
      this.#code.byte(op.i32And);
    }
    needed();
    // One comparison: too few bytes wrap around, the read-only bit makes the difference large.
    this.#code.byte(op.i32Sub);
    this.#code.const32(8);
    this.#code.byte(op.i32GtU);
    this.#code.byte(op.brIf);
    this.#code.unsigned(depth);
  }

  /** Checks the address in `wide`; leaves it as i32 in `word`. */
  #check(size: number, write: boolean, known?: Known): void {
    const code = this.#code;
    const open = (opcode: number): void => code.open(opcode, emptyBlockType);
    const inGranule = (): void => this.#code.get(locals.word2);
    this.#code.get(locals.wide);
    code.byte(op.i32WrapI64);
    this.#code.set(locals.word);
    open(op.block);
    open(op.block);
    this.#tryRange(known, size, write);
    this.#code.get(locals.word);
    this.#code.const32(7);
    code.byte(op.i32And);
    this.#code.const32(size);
    code.byte(op.i32Add);
    this.#code.set(locals.word2);
    this.#code.get(locals.wide);
    this.#code.const64(BigInt(addressBits));
    code.byte(op.i64ShrU);
    this.#code.const64(0n);
    code.byte(op.i64Ne);
    code.byte(op.brIf);
    code.unsigned(0);
    if (size === 1) this.#granule(0, write, inGranule, 0);
    else {
      inGranule();
      this.#code.const32(8);
      code.byte(op.i32GtU);
      open(op.if);
      this.#granule(0, write, () => this.#code.const32(8), 1);
      this.#granule(
        8,
        write,
        () => {
          inGranule();
          this.#code.const32(8);
          code.byte(op.i32Sub);
        },
        1,
      );
      code.byte(op.else);
      this.#granule(0, write, inGranule, 1);
      code.byte(op.end);
    }
    code.byte(op.br);
    code.unsigned(1);
    code.byte(op.end);
    this.#faultAtAddress();
    code.byte(op.end);
  }

  #load(dst: Register, base: Register, offset: number, size: number, signed: boolean): void {
    const local = base === 10 ? this.#frame.get(offset) : undefined;
    if (local !== undefined) {
      this.#code.get(this.#frameLocal(local));
      const extend = signed ? signExtensions[size * 8]?.[0] : undefined;
      if (extend !== undefined) this.#code.byte(extend);
      this.#setRegister(dst);
      return;
    }
    const at = this.#address(base, offset, size, false);
    const [plain, extending] = loads[size] as readonly [number, number];
    this.#code.memory(signed ? extending : plain, at);
    this.#setRegister(dst);
  }

  #store(base: Register, offset: number, size: number, source: Source): void {
    const local = base === 10 ? this.#frame.get(offset) : undefined;
    if (local !== undefined) {
      this.#source(source);
      if (size < 8) {
        this.#code.const64((1n << BigInt(size * 8)) - 1n);
        this.#code.byte(op.i64And);
      }
      this.#code.set(this.#frameLocal(local));
      if (this.#options.checked && !this.#isClosed) this.#storeLocal(offset, local);
      return;
    }
    const at = this.#address(base, offset, size, true);
    this.#source(source);
    this.#code.memory(stores[size] as number, at);
    this.#reloadAfter({ base, offset, size, write: true });
  }

  #storeLocal(offset: number, local: FrameLocal): void {
    this.#code.get(locals.base);
    this.#code.get(this.#frameLocal(local));
    const opcode = stores[local.size] as number;
    this.#code.memory(opcode, this.#options.memory.stackSize + offset);
  }

  /**
   * Reads what the frame holds to its locals, in the checked variant: stores go to both, as anything
   * may come to the frame by a made-up address.
   */
  #reloadFrame(): void {
    if (!this.#options.checked) return;
    for (const [offset, local] of this.#frame) {
      this.#code.get(locals.base);
      const [plain] = loads[local.size] as readonly [number, number];
      this.#code.memory(plain, this.#options.memory.stackSize + offset);
      this.#code.set(this.#frameLocal(local));
    }
  }

  /** After a write that may have gone to the frame. */
  #reloadAfter(access: Access): void {
    const { base, offset, size } = access;
    const isElsewhere = base === 10 || this.#isCertain(knownOf(this.#known, base), access);
    if (!this.#options.checked || this.#frame.size === 0 || isElsewhere) return;
    const code = this.#code;
    this.#narrow(base);
    code.const32(offset + size - 1);
    code.op(op.i32Add);
    code.get(locals.base);
    code.op(op.i32Sub);
    code.const32(this.#options.memory.stackSize + size - 1);
    code.op(op.i32LtU);
    code.open(op.if, emptyBlockType);
    this.#reloadFrame();
    code.op(op.end);
  }

  #frameLocal({ index }: FrameLocal): number {
    return locals.flags + (this.#plan?.flags ?? 0) + index;
  }

  /** Programs run one at a time, so that plain loads and stores are atomic. */
  #atomic(insn: Instruction & { kind: "atomic" }): void {
    const { op: name, size, base, offset, src, fetch } = insn;
    const code = this.#code;
    const at = this.#address(base, offset, size, true);
    this.#code.tee(locals.word);
    this.#code.memory((loads[size] as readonly [number, number])[0], at);
    this.#code.set(locals.wide2);
    this.#code.get(locals.word);
    const arithmetic = name === "xchg" || name === "cmpxchg" ? undefined : binaryOps[name];
    if (arithmetic !== undefined) {
      this.#code.get(locals.wide2);
      this.#register(src);
      code.byte(arithmetic[0]);
    } else if (name === "xchg") this.#register(src);
    else {
      this.#register(src);
      this.#code.get(locals.wide2);
      this.#code.get(locals.wide2);
      this.#code.get(locals.r0);
      if (size === 4) {
        this.#code.const64(0xffffffffn);
        code.byte(op.i64And);
      }
      code.byte(op.i64Eq);
      code.byte(op.select);
    }
    this.#code.memory(stores[size] as number, at);
    this.#reloadAfter({ base, offset, size, write: true });
    if (!fetch) return;
    this.#code.get(locals.wide2);
    this.#setRegister(name === "cmpxchg" ? 0 : src);
  }

  #packetLoad(insn: Instruction & { kind: "load_packet" }): void {
    const code = this.#code;
    this.#code.const32(insn.imm);
    if (insn.mode === "ind") {
      this.#narrow(insn.src);
      code.byte(op.i32Add);
    }
    this.#code.const32(insn.size);
    code.call(this.#options.helperImport(packetLoadCall));
    code.byte(op.i32Eqz);
    code.byte(op.if);
    code.byte(emptyBlockType);
    this.#giveFuel();
    this.#return(() => code.const64(0n));
    code.byte(op.end);
    this.#takeResult();
  }

  #takeResult(): void {
    this.#code.const32(this.#options.memory.control);
    this.#code.memory(op.i64Load, cells.result);
    this.#setRegister(0);
  }

  #call(insn: Instruction & { kind: "call" }): void {
    const isHelper = insn.target === "helper";
    if (isHelper && (this.#mapCall(insn.imm) || this.#cellCall(insn.imm))) return;
    if (insn.target === "local") this.#localCall(insn);
    else if (isHelper && insn.imm === lockHelper) this.#lock(insn);
    else if (isHelper && insn.imm === unlockHelper) this.#unlock();
    else if (!isHelper && this.#kfuncName() === "bpf_iter_num_next") this.#nextNumber();
    else if (!isHelper || insn.imm !== loopHelper || !this.#loopCall()) this.#hostCall(insn);
    this.#reloadFrame();
  }

  #kfuncName(): string | undefined {
    const slot = this.#slot;
    return this.#program.spec.kernelReferences.find((each) => each.slot === slot)?.name;
  }

  /** bpf_spin_lock; JavaScript reports one that is held. */
  #lock(insn: Instruction & { kind: "call" }): void {
    const code = this.#code;
    const at = this.#address(1, 0, 4, true);
    code.tee(locals.word);
    code.memory(op.i32Load, at);
    code.open(op.if, emptyBlockType);
    this.#hostCall(insn);
    code.op(op.end);
    code.get(locals.word);
    code.const32(1);
    code.memory(op.i32Store, at);
    code.const64(0n);
    this.#setRegister(0);
  }

  #unlock(): void {
    const at = this.#address(1, 0, 4, true);
    this.#code.const32(0);
    this.#code.memory(op.i32Store, at);
    this.#code.const64(0n);
    this.#setRegister(0);
  }

  /** bpf_iter_num_next: the address of the number, or 0 at the end. */
  #nextNumber(): void {
    const code = this.#code;
    const at = this.#address(1, 0, 8, true);
    code.tee(locals.word2);
    code.memory(op.i32Load, at);
    code.const32(1);
    code.op(op.i32Add);
    code.tee(locals.word);
    code.get(locals.word2);
    code.memory(op.i32Load, at + 4);
    code.op(op.i32LtS);
    code.open(op.if, valueType.i64);
    code.get(locals.word2);
    code.get(locals.word);
    code.memory(op.i32Store, at);
    this.#register(1);
    code.op(op.else);
    code.get(locals.word2);
    code.const64(0n);
    code.memory(op.i64Store, at);
    code.const64(0n);
    code.op(op.end);
    this.#setRegister(0);
  }

  /** bpf_loop with a callback that is known: a loop around its call. */
  #loopCall(): boolean {
    const callback = this.#known[2];
    const index =
      callback?.kind === "function" ? this.#options.functionAt(callback.slot) : undefined;
    if (callback?.kind !== "function" || index === undefined) return false;
    const code = this.#code;
    const { count, done } = locals;
    this.#narrow(1);
    code.op(op.i64ExtendI32U);
    code.set(count);
    code.const64(0n);
    code.set(done);
    code.open(op.block, valueType.i64);
    code.const64(BigInt(-errno.EINVAL));
    this.#register(4);
    code.op(op.i64Eqz, op.i32Eqz);
    code.branch(op.brIf, 0);
    code.op(op.drop);
    code.const64(BigInt(-errno.E2BIG));
    code.get(count);
    code.const64(BigInt(maximumLoops));
    code.op(op.i64GtU);
    code.branch(op.brIf, 0);
    code.op(op.drop);
    this.#enterCallbacks();
    this.#giveFuel();
    code.open(op.block, emptyBlockType);
    code.open(op.loop, emptyBlockType);
    code.get(done);
    code.get(count);
    code.op(op.i64GeU);
    code.branch(op.brIf, 1);
    this.#clearCallbackFrame(callback.slot);
    this.#callbackFrame();
    code.get(done);
    this.#register(3);
    for (let register = 3; register <= 5; register += 1) code.const64(0n);
    code.call(index);
    code.get(done);
    code.const64(1n);
    code.op(op.i64Add);
    code.set(done);
    code.op(op.i64Eqz);
    code.branch(op.brIf, 0);
    code.op(op.end, op.end);
    this.#takeFuel();
    this.#leaveCallbacks();
    code.get(done);
    code.op(op.end);
    this.#setRegister(0);
    this.#loadPacketBounds();
    return true;
  }

  #callbackFrame(): void {
    this.#code.get(locals.base);
    this.#code.const32(this.#options.memory.frameStride);
    this.#code.op(op.i32Add);
  }

  /** Calls below callbacks may go as deep as those of a program; callbacks may not nest forever. */
  #enterCallbacks(): void {
    if (!this.#options.checked) return;
    const code = this.#code;
    const { control, stackBase, frameStride } = this.#options.memory;
    code.get(locals.base);
    code.const32(stackBase + (maximumFrames - 2) * frameStride);
    code.op(op.i32GtU);
    this.#faultIf(faultKinds.nesting);
    code.const32(control);
    code.memory(op.i32Load, cells.frameLimit);
    code.set(locals.limit);
    code.const32(control);
    this.#callbackFrame();
    code.const32((maximumCallDepth - 1) * frameStride);
    code.op(op.i32Add);
    code.memory(op.i32Store, cells.frameLimit);
  }

  #leaveCallbacks(): void {
    if (!this.#options.checked) return;
    this.#code.const32(this.#options.memory.control);
    this.#code.get(locals.limit);
    this.#code.memory(op.i32Store, cells.frameLimit);
  }

  /** Checked runs start callbacks with zeroes; it shows only where they use their frame. */
  #clearCallbackFrame(slot: number): void {
    if (!this.#options.checked || !usesFrame(this.#program, slot)) return;
    this.#callbackFrame();
    this.#code.const32(0);
    this.#code.const32(this.#options.memory.stackSize);
    this.#code.fill();
  }

  /** Helpers that tell what stands in the control block. */
  #cellCall(helper: number): boolean {
    const code = this.#code;
    const { control } = this.#options.memory;
    code.const32(control);
    if (helper === processorIdHelper) code.memory(op.i64Load32U, cells.cpu);
    else if (timeHelpers.includes(helper)) code.memory(op.i64Load, cells.time);
    else if (helper === randomHelper) {
      code.memory(op.i32Load, cells.random);
      for (const [opcode, count] of randomShifts) {
        code.tee(locals.word);
        code.get(locals.word);
        code.const32(count);
        code.op(opcode, op.i32Xor);
      }
      code.set(locals.word);
      code.const32(control);
      code.get(locals.word);
      code.memory(op.i32Store, cells.random);
      code.get(locals.word);
      code.op(op.i64ExtendI32U);
    } else {
      code.op(op.drop);
      return false;
    }
    this.#setRegister(0);
    return true;
  }

  /** A helper or kfunc that is written in JavaScript. */
  #hostCall(insn: Instruction & { kind: "call" }): void {
    const isHelper = insn.target === "helper";
    const { control } = this.#options.memory;
    const code = this.#code;
    const count = isHelper ? (helperById(insn.imm)?.params.length ?? 5) : 5;
    for (let register = 1; register <= Math.min(5, count); register += 1) {
      code.const32(control);
      code.get(register);
      code.memory(op.i64Store, cells.arguments + (register - 1) * 8);
    }
    code.const32(control);
    code.get(locals.base);
    code.memory(op.i32Store, cells.frame);
    this.#giveFuel();
    code.const32(this.#slot);
    if (isHelper && insn.imm === tailCallHelper) {
      code.call(this.#options.helperImport(tailCallHelper));
      code.open(op.if, emptyBlockType);
      this.#return(() => {
        code.const32(control);
        code.memory(op.i64Load, cells.result);
      });
      code.op(op.end);
      return;
    }
    code.call(this.#options.helperImport(isHelper ? insn.imm : kfuncCall));
    this.#takeFuel();
    this.#loadPacketBounds();
    // Not a number: a result that only fits the control block.
    code.tee(locals.result);
    code.get(locals.result);
    code.op(op.f64Eq);
    code.open(op.if, valueType.i64);
    code.get(locals.result);
    code.saturate(saturation.i64TruncF64S);
    code.op(op.else);
    code.const32(control);
    code.memory(op.i64Load, cells.result);
    code.op(op.end);
    this.#setRegister(0);
  }

  /** An operation on a known map, without leaving compiled code; false where there is none. */
  #mapCall(helper: number): boolean {
    const known = this.#known[1];
    if (known?.kind !== "map") return false;
    const { map } = known;
    if (map instanceof ArrayMap) return helper === 1 && this.#arrayLookup(map);
    const name = mapHelpers[helper];
    if (name === undefined || !(map instanceof HashMap) || mapShape(map) === undefined)
      return false;
    this.#hashCall(map, name);
    return true;
  }

  #hashCall(map: HashMap, name: MapFunctionName): void {
    const code = this.#code;
    const { keySize, valueSize } = map.description;
    this.#blockAddress(2, keySize);
    if (name === "update") {
      this.#blockAddress(3, valueSize);
      this.#register(4);
    }
    code.const32(map.table.header);
    code.call(this.#options.mapImport(map, name));
    if (name === "lookup") {
      code.op(op.i64ExtendI32U);
      this.#setRegister(0);
      return;
    }
    code.tee(locals.word);
    code.op(op.i64ExtendI32S);
    this.#setRegister(0);
    if (name !== "update") return;
    code.get(locals.word);
    code.const32(notDone);
    code.op(op.i32Eq);
    code.open(op.if, emptyBlockType);
    this.#hostCall({ kind: "call", target: "helper", imm: updateHelper, offset: 0 });
    code.op(op.end);
  }

  /** Pushes a register as i32 address of `size` bytes that may be read. */
  #blockAddress(register: Register, size: number): void {
    const known = this.#known[register];
    const access = { base: register, offset: 0, size, write: false };
    if (this.#options.checked && !this.#isCertain(known, access)) {
      this.#checkBlock(register, size);
    }
    this.#narrow(register);
  }

  /** Checks memory of any size, 8 bytes at a time. */
  #checkBlock(register: Register, size: number): void {
    for (let at = 0; at < size; at += 8) {
      this.#register(register);
      if (at > 0) {
        this.#code.const64(BigInt(at));
        this.#code.op(op.i64Add);
      }
      this.#code.set(locals.wide);
      this.#check(Math.min(8, size - at), false, this.#known[register]);
    }
  }

  #localCall(insn: Instruction & { kind: "call" }): void {
    const code = this.#code;
    const index = this.#options.functionAt(this.#slot + 1 + insn.imm);
    if (index === undefined) {
      this.#fault(faultKinds.instruction);
      return;
    }
    this.#code.get(locals.base);
    this.#code.const32(this.#options.memory.frameStride);
    code.byte(op.i32Add);
    if (this.#options.checked && !this.#options.isShallow) {
      this.#code.tee(locals.word);
      this.#code.const32(this.#options.memory.control);
      this.#code.memory(op.i32Load, cells.frameLimit);
      code.byte(op.i32GtU);
      this.#faultIf(faultKinds.depth);
      this.#code.get(locals.word);
    }
    this.#giveFuel();
    for (let register = 1; register <= 5; register += 1) this.#code.get(register);
    code.byte(op.call);
    code.unsigned(index);
    this.#setRegister(0);
    this.#takeFuel();
    this.#loadPacketBounds();
  }

  /** Lookup in an array that r1 is known to be: no call. */
  #arrayLookup(map: ArrayMap): boolean {
    const code = this.#code;
    const at = this.#address(2, 0, 4, false);
    this.#code.memory(op.i32Load, at);
    this.#code.tee(locals.word);
    this.#code.const32(map.description.maxEntries);
    code.byte(op.i32LtU);
    code.byte(op.if);
    code.byte(valueType.i64);
    this.#code.get(locals.word);
    this.#code.const32(map.stride);
    code.byte(op.i32Mul);
    this.#code.const32(map.start);
    code.byte(op.i32Add);
    if (map.isPerCpu) {
      this.#code.const32(this.#options.memory.control);
      this.#code.memory(op.i32Load, cells.cpu);
      this.#code.const32(map.bytesPerCpu);
      code.byte(op.i32Mul);
      code.byte(op.i32Add);
    }
    code.byte(op.i64ExtendI32U);
    code.byte(op.else);
    this.#code.const64(0n);
    code.byte(op.end);
    this.#setRegister(0);
    return true;
  }

  /** Pushes whether the jump that ends a block is taken. */
  #condition(block: Block): void {
    let slot = block.end - 1;
    while (this.#program.insns[slot] === undefined) slot -= 1;
    const insn = this.#program.insns[slot];
    this.#slot = slot;
    const code = this.#code;
    if (insn?.kind === "may_goto") {
      const { control } = this.#options.memory;
      this.#code.const32(control);
      this.#code.const32(control);
      this.#code.memory(op.i32Load, cells.mayGoto);
      this.#code.const32(1);
      code.byte(op.i32Add);
      this.#code.tee(locals.word);
      this.#code.memory(op.i32Store, cells.mayGoto);
      this.#code.get(locals.word);
      this.#code.const32(mayGotoBudget);
      code.byte(op.i32GtU);
      return;
    }
    if (insn?.kind !== "branch") return;
    const [wide, narrow] = comparisons[insn.op];
    if (insn.width === 64) {
      this.#register(insn.dst);
      this.#source(insn.src);
      code.byte(wide);
      if (insn.op !== "set") return;
      this.#code.const64(0n);
      code.byte(op.i64Ne);
    } else {
      this.#narrow(insn.dst);
      this.#narrowSource(insn.src);
      code.byte(narrow);
    }
  }
}
