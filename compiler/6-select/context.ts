/**
 * The state of selecting one function: where code goes, which register holds which IR value, and
 * the few helpers that every selection rule needs (constants, extensions, addresses).
 */
import { type Diagnostics, InternalError } from "../../common/diagnostics/diagnostic.ts";
import type { AluOp } from "../../common/isa/instruction.ts";
import type {
  Block,
  CoreAccess,
  DebugLocation,
  IrFunction,
  IrInstruction,
  IrModule,
  Value,
} from "../4-lower/ir.ts";
import type { Use } from "../4-lower/ir-builder.ts";
import { reportAt } from "../5-optimize/report.ts";
import type { TargetOptions } from "../options.ts";
import { type ValueFacts, widthOf } from "./facts.ts";
import {
  framePointer,
  immediateSource,
  type MachineAddress,
  type MachineBlock,
  type MachineFunction,
  type MachineOperation,
  type MachineRegister,
  type MachineSource,
  type MachineTerminator,
  newMachineBlock,
  newRegister,
  registerSource,
  type Width,
} from "./machine.ts";
import type { StackObjects } from "./stack-objects.ts";

/** An address, and the CO-RE relocation of its offset. */
export interface SelectedAddress {
  readonly address: MachineAddress;
  readonly core?: CoreAccess;
}

/** What is the same for all functions of a module. */
export interface SelectEnvironment {
  readonly module: IrModule;
  /** Names of the functions that this module defines. */
  readonly defined: ReadonlySet<string>;
  /** Those and functions of other objects: compiled C, which extends its own parameters. */
  readonly compiled: ReadonlySet<string>;
  readonly options: TargetOptions;
  readonly diagnostics: Diagnostics;
}

/** What was found out about the function before. */
export interface SelectAnalyses {
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly facts: ValueFacts;
  readonly folded: ReadonlySet<Value>;
  readonly dominates: (a: Block, b: Block) => boolean;
  readonly stack: StackObjects;
}

export const fitsSigned = (value: bigint, bits: number): boolean =>
  BigInt.asIntN(bits, value) === value;

/** Offsets into frame objects that are folded into addresses; the frame itself adds to them. */
const MAX_FRAME_OFFSET = 0x4000;

export class SelectContext {
  readonly fn: MachineFunction;
  readonly ir: IrFunction;
  readonly module: IrModule;
  readonly defined: ReadonlySet<string>;
  readonly compiled: ReadonlySet<string>;
  readonly options: TargetOptions;
  readonly diagnostics: Diagnostics;
  readonly uses: ReadonlyMap<Value, readonly Use[]>;
  readonly facts: ValueFacts;
  /** Conditions that are only branched on. */
  readonly folded: ReadonlySet<Value>;
  /** ALU32 and JMP32 exist. */
  readonly has32: boolean;
  readonly hasV4: boolean;
  /** Where code goes now. */
  block: MachineBlock;
  location: DebugLocation | undefined;
  readonly #registers = new Map<Value, MachineRegister>();
  /** Frame objects by alloca. */
  readonly slots = new Map<IrInstruction, number>();
  /** Loads whose register holds the sign extension to 64 bits (ldsx), and what is their extension to fewer. */
  readonly signedLoads = new Set<Value>();
  /** First machine block of each IR block. */
  readonly heads = new Map<Block, MachineBlock>();
  /** Which machine blocks an IR edge leaves from. */
  readonly edges = new Map<Block, Map<Block, Set<MachineBlock>>>();
  /** The IR block that is being selected. */
  irBlock: Block | undefined;
  /** Above 0: code that runs only if an earlier condition of the same block holds. */
  conditional = 0;
  /** Where addresses of symbols were made. */
  readonly #symbols = new Map<string, { register: MachineRegister; block: Block }[]>();
  readonly stack: StackObjects;
  readonly dominates: (a: Block, b: Block) => boolean;

  constructor(
    fn: MachineFunction,
    ir: IrFunction,
    environment: SelectEnvironment,
    analyses: SelectAnalyses,
  ) {
    this.fn = fn;
    this.ir = ir;
    this.module = environment.module;
    this.defined = environment.defined;
    this.compiled = environment.compiled;
    this.options = environment.options;
    this.diagnostics = environment.diagnostics;
    this.uses = analyses.uses;
    this.facts = analyses.facts;
    this.folded = analyses.folded;
    this.dominates = analyses.dominates;
    this.stack = analyses.stack;
    this.hasV4 = this.options.cpu === "v4";
    this.has32 = this.hasV4 || this.options.cpu === "v3";
    this.block = newMachineBlock(fn);
  }

  emit(op: MachineOperation, core?: CoreAccess): void {
    this.block.instructions.push({
      ...op,
      location: this.location,
      ...(core !== undefined && { core }),
    });
  }

  terminate(end: MachineTerminator): void {
    this.block.terminator = { ...end, location: this.location };
  }

  /** Appends a block to the function and continues in it. */
  startBlock(block: MachineBlock): void {
    this.fn.blocks.push(block);
    this.block = block;
  }

  newBlock(): MachineBlock {
    return newMachineBlock(this.fn);
  }

  newRegister(): MachineRegister {
    return newRegister(this.fn);
  }

  headOf(block: Block): MachineBlock {
    const head = this.heads.get(block);
    if (head === undefined) throw new InternalError(`block b${block.id} is not reachable`);
    return head;
  }

  /** Says that control may go from the current machine block to the head of `to`. */
  edge(from: Block, to: Block): MachineBlock {
    let targets = this.edges.get(from);
    if (targets === undefined) this.edges.set(from, (targets = new Map()));
    const blocks = targets.get(to);
    if (blocks === undefined) targets.set(to, new Set([this.block]));
    else blocks.add(this.block);
    return this.headOf(to);
  }

  /** Width of the ALU that computes values of this type. */
  aluWidth(value: Value): Width {
    return this.has32 && value.type !== "i64" && value.type !== "ptr" ? 32 : 64;
  }

  useCount(value: Value): number {
    return this.uses.get(value)?.length ?? 0;
  }

  error(code: string, message: string): void {
    const at = this.location ?? this.ir.location;
    reportAt(this.diagnostics, code, `in function ${this.ir.name}: ${message}`, at);
  }

  /** Binds the IR value to a register that holds it already. */
  define(value: Value, register: MachineRegister): void {
    this.#registers.set(value, register);
  }

  isDefined(value: Value): boolean {
    return this.#registers.has(value);
  }

  /** The register of a phi before its block is reached, or a new one. */
  registerFor(value: Value): MachineRegister {
    const known = this.#registers.get(value);
    if (known !== undefined) return known;
    const made = this.newRegister();
    this.#registers.set(value, made);
    return made;
  }

  /** A register that holds the value; above its type's width there may be rubbish. */
  register(value: Value): MachineRegister {
    switch (value.kind) {
      case "constant":
        return this.materialize(this.registerBits(value));
      case "undef":
        return this.materialize(0n);
      case "global":
        return this.symbolAddress(value.symbol);
      case "parameter":
      case "instruction":
        break;
    }
    const place = this.frameAddressOf(value);
    if (place !== undefined) {
      const dst = this.newRegister();
      this.emit({ kind: "frame_address", dst, ...place });
      return dst;
    }
    const register = this.#registers.get(value);
    if (register === undefined) {
      const name = value.kind === "instruction" ? `%${value.id}` : `%p${value.index}`;
      throw new InternalError(`${this.ir.name}: ${name} is used before it is selected`);
    }
    return register;
  }

  /** The 64 bits that a constant's register gets. Narrow ones: zero-extended, but 32-bit ones as v1/v2 immediates are. */
  registerBits(value: Extract<Value, { kind: "constant" }>, zeroExtended = false): bigint {
    if (value.type === "i32" && !this.has32 && !zeroExtended) {
      return BigInt.asUintN(64, BigInt.asIntN(32, value.value));
    }
    return value.value;
  }

  /** A new register with these 64 bits. */
  materialize(bits: bigint): MachineRegister {
    const dst = this.newRegister();
    this.moveConstant(dst, bits);
    return dst;
  }

  moveConstant(dst: MachineRegister, bits: bigint): void {
    this.emit(constantMove(dst, bits, this.has32));
  }

  /** An address is made once where that dominates its users; phase 7 makes it again where registers are short. */
  symbolAddress(symbol: string): MachineRegister {
    const here = this.irBlock;
    const known = this.#symbols.get(symbol) ?? [];
    const found =
      here === undefined ? undefined : known.find(({ block }) => this.dominates(block, here));
    if (found !== undefined) return found.register;
    const dst = this.newRegister();
    this.emit({ kind: "load_imm64", dst, value: 0n, symbol });
    if (here !== undefined && this.conditional === 0) {
      this.#symbols.set(symbol, [...known, { register: dst, block: here }]);
    }
    return dst;
  }

  copy(src: MachineRegister): MachineRegister {
    const dst = this.newRegister();
    this.move(dst, src);
    return dst;
  }

  move(dst: MachineRegister, src: MachineRegister): void {
    this.emit({ kind: "alu", op: "mov", width: 64, dst, src: registerSource(src) });
  }

  alu(op: AluOp, width: Width, dst: MachineRegister, src: MachineSource | number): void {
    const source = typeof src === "number" ? immediateSource(src) : src;
    this.emit({ kind: "alu", op, width, dst, src: source });
  }

  /** Puts the value into `dst`, without a detour through another register where possible. */
  moveValue(dst: MachineRegister, value: Value, zeroExtended = false): void {
    if (value.kind === "undef") {
      this.moveConstant(dst, 0n);
      return;
    }
    if (value.kind === "constant") {
      this.moveConstant(dst, this.registerBits(value, zeroExtended));
      return;
    }
    if (value.kind === "global") {
      this.emit({ kind: "load_imm64", dst, value: 0n, symbol: value.symbol });
      return;
    }
    const slot = this.frameAddressOf(value);
    if (slot !== undefined) {
      this.emit({ kind: "frame_address", dst, ...slot });
      return;
    }
    this.move(dst, zeroExtended ? this.zeroExtended(value) : this.register(value));
  }

  /** Slot and offset if the value is the address of a frame object plus a constant. */
  frameAddressOf(value: Value): { slot: number; offset: number } | undefined {
    if (value.kind !== "instruction") return undefined;
    const slot = this.slots.get(value);
    if (slot !== undefined) return { slot, offset: 0 };
    if (value.operation.op !== "ptradd") return undefined;
    const [base, offset] = value.operands;
    if (base === undefined || offset?.kind !== "constant") return undefined;
    const inner = this.frameAddressOf(base);
    if (inner === undefined) return undefined;
    const sum = inner.offset + Number(BigInt.asIntN(64, offset.value));
    // Far outside of any frame it would not fit the offset of an instruction.
    return Math.abs(sum) > MAX_FRAME_OFFSET ? undefined : { slot: inner.slot, offset: sum };
  }

  /** Zero-extends what was just defined, if users ask for that and its instruction did not. */
  extendIfDemanded(at: IrInstruction): void {
    const bits = at.type === "void" ? 64 : widthOf(at);
    if (!this.facts.demanded(at) || this.facts.rawWidth(at) <= bits) return;
    const dst = this.newRegister();
    this.extendZero(dst, this.register(at), bits);
    this.define(at, dst);
  }

  /** The value zero-extended from its type to 64 bits. */
  zeroExtended(value: Value): MachineRegister {
    if (value.kind === "constant") return this.materialize(value.value);
    const bits = widthOf(value);
    const register = this.register(value);
    if (this.facts.width(value) <= bits && !this.signedLoads.has(value)) return register;
    const dst = this.newRegister();
    this.extendZero(dst, register, bits);
    return dst;
  }

  /** dst = the low `bits` of src. */
  extendZero(dst: MachineRegister, src: MachineRegister, bits: number): void {
    if (bits === 32 && this.has32) {
      this.alu("mov", 32, dst, registerSource(src));
      return;
    }
    this.move(dst, src);
    if (bits < 32) this.alu("and", this.has32 ? 32 : 64, dst, 2 ** bits - 1);
    else {
      this.alu("lsh", 64, dst, 64 - bits);
      this.alu("rsh", 64, dst, 64 - bits);
    }
  }

  /** The value sign-extended from its type to `to` bits (above 32: rubbish or zero if `to` is 32). */
  signExtended(value: Value, to: Width): MachineRegister {
    const bits = widthOf(value);
    if (value.kind === "constant") {
      const wide = BigInt.asIntN(bits, value.value);
      return this.materialize(BigInt.asUintN(to === 32 && this.has32 ? 32 : 64, wide));
    }
    const register = this.register(value);
    if (bits >= to || this.signedLoads.has(value)) return register;
    if (this.facts.width(value) < bits) return register;
    const dst = this.newRegister();
    this.extendSign(dst, register, bits, to);
    return dst;
  }

  extendSign(dst: MachineRegister, src: MachineRegister, bits: number, to: Width): void {
    const width = to === 32 && this.has32 ? 32 : 64;
    if (this.hasV4 && (bits === 8 || bits === 16 || bits === 32)) {
      this.emit({ kind: "movsx", from: bits, width, dst, src });
      return;
    }
    this.move(dst, src);
    this.alu("lsh", width, dst, width - bits);
    this.alu("arsh", width, dst, width - bits);
  }

  /** Operand as an immediate if it is a constant that the instruction can hold, else in a register. */
  source(value: Value, width: Width): MachineSource {
    if (value.kind === "constant") {
      const wide = width === 32 ? BigInt.asIntN(32, value.value) : signedConstant(value);
      if (fitsSigned(wide, 32)) return immediateSource(Number(wide));
    }
    return registerSource(this.register(value));
  }

  /** Folds constant offsets, frame objects and a CO-RE offset into the address. */
  address(pointer: Value): SelectedAddress {
    const frame = this.frameAddressOf(pointer);
    if (frame !== undefined) {
      return { address: { base: framePointer, slot: frame.slot, offset: frame.offset } };
    }
    let base = pointer;
    let offset = 0n;
    let plain: { base: Value; offset: bigint } = { base, offset };
    let core: { core: CoreAccess; value: bigint } | undefined;
    while (base.kind === "instruction" && base.operation.op === "ptradd") {
      const [inner, step] = base.operands;
      if (inner === undefined || step === undefined) break;
      if (step.kind === "constant") offset += BigInt.asIntN(64, step.value);
      else if (core === undefined && foldableCore(step) !== undefined) core = foldableCore(step);
      else break;
      base = inner;
      // A relocated offset is rewritten as a whole: constants around it must have cancelled out.
      if (core !== undefined && offset === 0n) {
        const address = { base: this.register(base), offset: Number(core.value) };
        return { address, core: core.core };
      }
      if (core === undefined && !fitsSigned(offset, 16)) break;
      // One step only: phase 5 (rebase-addresses) counts from an inner sum where the pointer below it
      // is to end there; folding through the sum would keep that pointer, and a register, alive.
      if (core === undefined && plain.base === pointer) plain = { base, offset };
    }
    return { address: { base: this.register(plain.base), offset: Number(plain.offset) } };
  }
}

function signedConstant(value: Extract<Value, { kind: "constant" }>): bigint {
  // A truth value is 0 or 1, in a register too.
  return value.type === "i1" ? value.value : BigInt.asIntN(widthOf(value), value.value);
}

/** The CO-RE field offset that a ptradd adds, if a 16-bit offset field can hold it. */
function foldableCore(step: Value): { core: CoreAccess; value: bigint } | undefined {
  if (step.kind !== "instruction" || step.operation.op !== "core") return undefined;
  const { core, value } = step.operation;
  return core.relocation === "field_byte_offset" && fitsSigned(value, 16)
    ? { core, value }
    : undefined;
}

/** The shortest instruction that puts these 64 bits into a register. */
export function constantMove(
  dst: MachineRegister,
  bits: bigint,
  has32: boolean,
): Extract<MachineOperation, { kind: "alu" | "load_imm64" }> {
  const wide = BigInt.asIntN(64, bits);
  if (fitsSigned(wide, 32)) {
    return { kind: "alu", op: "mov", width: 64, dst, src: immediateSource(Number(wide)) };
  }
  if (has32 && wide >= 0n && wide < 1n << 32n) {
    const value = Number(BigInt.asIntN(32, wide));
    return { kind: "alu", op: "mov", width: 32, dst, src: immediateSource(value) };
  }
  return { kind: "load_imm64", dst, value: BigInt.asUintN(64, bits) };
}
