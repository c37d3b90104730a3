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
  frameStride,
  mayGotoBudget,
  stackSize,
  tailCallHelper,
} from "../engine-memory.ts";
import { ArrayMap } from "../maps/array.ts";
import type { BpfMap } from "../maps/map.ts";
import { addressBits, shadowBase } from "../memory.ts";
import type { Program } from "../program.ts";
import { type Block, buildFlowGraph } from "./blocks.ts";
import { emitControlFlow } from "./structure.ts";
import { emptyBlockType, op, valueType, WasmBytes } from "./wasm-writer.ts";

/** Imported functions, by index. */
export const imports = { helper: 0, tailCall: 1, packetLoad: 2 } as const;
/** The first subprogram's function index. */
export const firstFunction = 3;
/** Helper id of a kfunc call; which one is known from the slot. */
export const kfuncCall = -1;

export const faultKinds = { access: 1, fuel: 2, depth: 3, instruction: 4, frame: 5 } as const;

export interface TranslateOptions {
  readonly checked: boolean;
  /** Address of the control block. */
  readonly control: number;
  /** Function index of the subprogram that starts at a slot. */
  readonly functionAt: ReadonlyMap<number, number>;
}

const locals = {
  base: 0,
  r0: 6,
  wide: 11,
  wide2: 12,
  word: 13,
  word2: 14,
  dispatch: 15,
  /** Instructions left; in the global `fuel` while other code runs. */
  fuel: 16,
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

export class Translator {
  readonly #program: Program;
  readonly #options: TranslateOptions;
  readonly #code = new WasmBytes();
  /** Maps that registers are known to point to, within a block. */
  readonly #knownMaps = new Map<Register, BpfMap>();
  #slot = 0;

  constructor(program: Program, options: TranslateOptions) {
    this.#program = program;
    this.#options = options;
  }

  /** The function's body, locals included. */
  translate(entry: number): Uint8Array {
    const code = this.#code;
    code.unsigned(2);
    code.unsigned(locals.word - locals.r0);
    code.byte(valueType.i64);
    code.unsigned(locals.fuel + 1 - locals.word);
    code.byte(valueType.i32);
    this.#takeFuel();
    const graph = buildFlowGraph(this.#program.insns, entry);
    const emitter = {
      body: (block: Block): void => this.#block(block),
      condition: (block: Block): void => this.#condition(block),
    };
    emitControlFlow(graph, code, emitter, locals.dispatch);
    code.byte(op.unreachable);
    code.byte(op.end);
    return code.finish();
  }

  #get(local: number): void {
    this.#code.byte(op.localGet);
    this.#code.unsigned(local);
  }

  #set(local: number): void {
    this.#code.byte(op.localSet);
    this.#code.unsigned(local);
  }

  #tee(local: number): void {
    this.#code.byte(op.localTee);
    this.#code.unsigned(local);
  }

  #const32(value: number): void {
    this.#code.byte(op.i32Const);
    this.#code.signed(value);
  }

  #const64(value: bigint): void {
    this.#code.byte(op.i64Const);
    this.#code.signed64(BigInt.asIntN(64, value));
  }

  #memory(opcode: number, offset: number): void {
    this.#code.byte(opcode);
    this.#code.unsigned(0);
    this.#code.unsigned(offset);
  }

  /** Pushes a register as i64. */
  #register(register: Register): void {
    if (register !== 10) {
      this.#get(localOf(register));
      return;
    }
    this.#get(locals.base);
    this.#const32(stackSize);
    this.#code.byte(op.i32Add);
    this.#code.byte(op.i64ExtendI32U);
  }

  #narrow(register: Register): void {
    this.#register(register);
    this.#code.byte(op.i32WrapI64);
  }

  #source(source: Source): void {
    if (source.kind === "register") this.#register(source.register);
    else this.#const64(BigInt(source.value));
  }

  #narrowSource(source: Source): void {
    if (source.kind === "register") this.#narrow(source.register);
    else this.#const32(source.value);
  }

  #setRegister(register: Register): void {
    this.#knownMaps.delete(register);
    this.#set(localOf(register));
  }

  #block(block: Block): void {
    this.#knownMaps.clear();
    this.#slot = block.start;
    const { insns } = this.#program;
    if (insns[block.start] === undefined) {
      this.#fault(faultKinds.instruction);
      return;
    }
    if (this.#options.checked) this.#countFuel(block);
    for (let slot = block.start; slot < block.end; slot += 1) {
      const insn = insns[slot];
      if (insn === undefined) continue;
      this.#slot = slot;
      this.#instruction(insn);
    }
  }

  #countFuel(block: Block): void {
    let count = 0;
    for (let slot = block.start; slot < block.end; slot += 1) {
      if (this.#program.insns[slot] !== undefined) count += 1;
    }
    this.#get(locals.fuel);
    this.#const32(count);
    this.#code.byte(op.i32Sub);
    this.#tee(locals.fuel);
    this.#const32(0);
    this.#code.byte(op.i32LtS);
    this.#faultIf(faultKinds.fuel);
  }

  #takeFuel(): void {
    if (!this.#options.checked) return;
    this.#code.byte(op.globalGet);
    this.#code.unsigned(0);
    this.#set(locals.fuel);
  }

  #giveFuel(): void {
    if (!this.#options.checked) return;
    this.#get(locals.fuel);
    this.#code.byte(op.globalSet);
    this.#code.unsigned(0);
  }

  /** Faults where the i32 on the stack is not 0. */
  #faultIf(kind: number): void {
    this.#code.byte(op.if);
    this.#code.byte(emptyBlockType);
    this.#fault(kind);
    this.#code.byte(op.end);
  }

  #fault(kind: number): void {
    const { control } = this.#options;
    this.#giveFuel();
    this.#const32(control);
    this.#const32(kind);
    this.#memory(op.i32Store, cells.faultKind);
    this.#const32(control);
    this.#const32(this.#slot);
    this.#memory(op.i32Store, cells.faultSlot);
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
        this.#giveFuel();
        this.#get(locals.r0);
        this.#code.byte(op.return);
        break;
      case "jump":
      case "branch":
      case "may_goto":
        break;
      case "addr_space_cast":
      case "callx":
      case "gotox":
        this.#fault(faultKinds.instruction);
        break;
    }
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
      this.#const64(0n);
      this.#register(insn.dst);
      this.#code.byte(op.i64Sub);
    } else {
      this.#const32(0);
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
      const map = src.kind === "register" && isWide ? this.#knownMaps.get(src.register) : undefined;
      if (isWide) this.#source(src);
      else if (src.kind === "immediate") this.#const64(BigInt(src.value >>> 0));
      else {
        this.#narrow(src.register);
        this.#code.byte(op.i64ExtendI32U);
      }
      this.#setRegister(dst);
      if (map !== undefined) this.#knownMaps.set(dst, map);
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
    const zero = (): void => (isWide ? this.#const64(0n) : this.#const32(0));
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
      if (isWide) this.#const64(-1n);
      else this.#const32(-1);
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
        this.#const64((1n << BigInt(bits)) - 1n);
        this.#code.byte(op.i64And);
      }
      this.#setRegister(dst);
      return;
    }
    const masks = [
      [8n, 0x00ff00ff00ff00ffn],
      [16n, 0x0000ffff0000ffffn],
    ] as const;
    this.#register(dst);
    if (bits < 64) {
      this.#const64((1n << BigInt(bits)) - 1n);
      this.#code.byte(op.i64And);
    }
    this.#set(locals.wide);
    // Swaps neighbouring bytes, then 16-bit, then 32-bit halves, as far as the width needs.
    for (const [shift, mask] of masks) {
      if (shift * 2n > BigInt(bits)) break;
      this.#get(locals.wide);
      this.#const64(shift);
      this.#code.byte(op.i64ShrU);
      this.#const64(mask);
      this.#code.byte(op.i64And);
      this.#get(locals.wide);
      this.#const64(mask);
      this.#code.byte(op.i64And);
      this.#const64(shift);
      this.#code.byte(op.i64Shl);
      this.#code.byte(op.i64Or);
      this.#set(locals.wide);
    }
    this.#get(locals.wide);
    if (bits === 64) {
      this.#const64(32n);
      this.#code.byte(op.i64Rotl);
    }
    this.#setRegister(dst);
  }

  #wideLoad(insn: Instruction & { kind: "load_imm64" }): void {
    const low = Number(insn.value & 0xffffffffn);
    const high = Number(insn.value >> 32n);
    const map = this.#program.maps[low];
    switch (insn.source) {
      case 0:
        this.#const64(insn.value);
        break;
      case 1:
      case 5:
        if (map === undefined) this.#fault(faultKinds.instruction);
        this.#const64(map?.handle ?? 0n);
        break;
      case 2:
      case 6: {
        const start = map?.lookup(new Uint8Array(map.description.keySize)) ?? 0;
        if (start === 0) this.#fault(faultKinds.instruction);
        this.#const64(BigInt(start + high));
        break;
      }
      case 4:
        this.#const64(codeAddressBase + BigInt(this.#slot + 1 + (low | 0)));
        break;
      case 3: {
        const slot = this.#slot;
        const reference = this.#program.spec.kernelReferences.find((r) => r.slot === slot);
        if (reference?.weak !== true) this.#fault(faultKinds.instruction);
        this.#const64(0n);
      }
    }
    this.#setRegister(insn.dst);
    const isMap = insn.source === 1 || insn.source === 5;
    if (isMap && map !== undefined) this.#knownMaps.set(insn.dst, map);
  }

  /**
   * Pushes an i32 address, checked, and returns the offset for the access. Frame accesses at
   * constant offsets need no check.
   */
  #address(base: Register, offset: number, size: number, write: boolean): number {
    if (base === 10) {
      if (offset >= -stackSize && offset + size <= 0) {
        this.#get(locals.base);
        return stackSize + offset;
      }
      if (this.#options.checked && (offset < -stackSize || offset >= 0)) {
        this.#fault(faultKinds.frame);
      }
    }
    if (!this.#options.checked) {
      this.#narrow(base);
      if (offset >= 0) return offset;
      this.#const32(offset);
      this.#code.byte(op.i32Add);
      return 0;
    }
    this.#register(base);
    if (offset !== 0) {
      this.#const64(BigInt(offset));
      this.#code.byte(op.i64Add);
    }
    this.#set(locals.wide);
    this.#check(size, write);
    this.#get(locals.word);
    return 0;
  }

  /** The shadow byte of the granule `delta` bytes after the address in `word`. */
  #shadow(delta: number): void {
    const code = this.#code;
    const address = (): void => {
      this.#get(locals.word);
      if (delta === 0) return;
      this.#const32(delta);
      code.byte(op.i32Add);
    };
    address();
    this.#const32(3);
    code.byte(op.i32ShrU);
    this.#memory(op.i32Load8U, shadowBase);
  }

  /** Branches out `depth` labels unless `needed` (pushed) bytes of the granule may be accessed. */
  #granule(delta: number, write: boolean, needed: () => void, depth: number): void {
    this.#shadow(delta);
    if (!write) {
      this.#const32(15);
      this.#code.byte(op.i32And);
    }
    needed();
    // One comparison: too few bytes wrap around, the read-only bit makes the difference large.
    this.#code.byte(op.i32Sub);
    this.#const32(8);
    this.#code.byte(op.i32GtU);
    this.#code.byte(op.brIf);
    this.#code.unsigned(depth);
  }

  /** Checks the address in `wide`; leaves it as i32 in `word`. */
  #check(size: number, write: boolean): void {
    const code = this.#code;
    const { control } = this.#options;
    const open = (opcode: number): void => {
      code.byte(opcode);
      code.byte(emptyBlockType);
    };
    const inGranule = (): void => this.#get(locals.word2);
    this.#get(locals.wide);
    code.byte(op.i32WrapI64);
    this.#tee(locals.word);
    this.#const32(7);
    code.byte(op.i32And);
    this.#const32(size);
    code.byte(op.i32Add);
    this.#set(locals.word2);
    open(op.block);
    open(op.block);
    this.#get(locals.wide);
    this.#const64(BigInt(addressBits));
    code.byte(op.i64ShrU);
    this.#const64(0n);
    code.byte(op.i64Ne);
    code.byte(op.brIf);
    code.unsigned(0);
    if (size === 1) this.#granule(0, write, inGranule, 0);
    else {
      inGranule();
      this.#const32(8);
      code.byte(op.i32GtU);
      open(op.if);
      this.#granule(0, write, () => this.#const32(8), 1);
      this.#granule(
        8,
        write,
        () => {
          inGranule();
          this.#const32(8);
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
    this.#const32(control);
    this.#get(locals.wide);
    this.#memory(op.i64Store, cells.faultAddress);
    this.#fault(faultKinds.access);
    code.byte(op.end);
  }

  #load(dst: Register, base: Register, offset: number, size: number, signed: boolean): void {
    const at = this.#address(base, offset, size, false);
    const [plain, extending] = loads[size] as readonly [number, number];
    this.#memory(signed ? extending : plain, at);
    this.#setRegister(dst);
  }

  #store(base: Register, offset: number, size: number, source: Source): void {
    const at = this.#address(base, offset, size, true);
    this.#source(source);
    this.#memory(stores[size] as number, at);
  }

  /** Programs run one at a time, so that plain loads and stores are atomic. */
  #atomic(insn: Instruction & { kind: "atomic" }): void {
    const { op: name, size, base, offset, src, fetch } = insn;
    const code = this.#code;
    const at = this.#address(base, offset, size, true);
    this.#tee(locals.word);
    this.#memory((loads[size] as readonly [number, number])[0], at);
    this.#set(locals.wide2);
    this.#get(locals.word);
    const arithmetic = name === "xchg" || name === "cmpxchg" ? undefined : binaryOps[name];
    if (arithmetic !== undefined) {
      this.#get(locals.wide2);
      this.#register(src);
      code.byte(arithmetic[0]);
    } else if (name === "xchg") this.#register(src);
    else {
      this.#register(src);
      this.#get(locals.wide2);
      this.#get(locals.wide2);
      this.#get(locals.r0);
      if (size === 4) {
        this.#const64(0xffffffffn);
        code.byte(op.i64And);
      }
      code.byte(op.i64Eq);
      code.byte(op.select);
    }
    this.#memory(stores[size] as number, at);
    if (!fetch) return;
    this.#get(locals.wide2);
    this.#setRegister(name === "cmpxchg" ? 0 : src);
  }

  #packetLoad(insn: Instruction & { kind: "load_packet" }): void {
    const code = this.#code;
    this.#const32(insn.imm);
    if (insn.mode === "ind") {
      this.#narrow(insn.src);
      code.byte(op.i32Add);
    }
    this.#const32(insn.size);
    code.byte(op.call);
    code.unsigned(imports.packetLoad);
    code.byte(op.i32Eqz);
    code.byte(op.if);
    code.byte(emptyBlockType);
    this.#giveFuel();
    this.#const64(0n);
    code.byte(op.return);
    code.byte(op.end);
    this.#takeResult();
  }

  #takeResult(): void {
    this.#const32(this.#options.control);
    this.#memory(op.i64Load, cells.result);
    this.#setRegister(0);
  }

  #call(insn: Instruction & { kind: "call" }): void {
    if (insn.target === "local") {
      this.#localCall(insn);
      return;
    }
    const isHelper = insn.target === "helper";
    if (isHelper && insn.imm === 1 && this.#arrayLookup()) return;
    const { control } = this.#options;
    const code = this.#code;
    const count = isHelper ? (helperById(insn.imm)?.params.length ?? 5) : 5;
    for (let register = 1; register <= Math.min(5, count); register += 1) {
      this.#const32(control);
      this.#get(register);
      this.#memory(op.i64Store, cells.arguments + (register - 1) * 8);
    }
    this.#const32(control);
    this.#get(locals.base);
    this.#memory(op.i32Store, cells.frame);
    this.#giveFuel();
    if (isHelper && insn.imm === tailCallHelper) {
      this.#const32(this.#slot);
      code.byte(op.call);
      code.unsigned(imports.tailCall);
      code.byte(op.if);
      code.byte(emptyBlockType);
      this.#const32(control);
      this.#memory(op.i64Load, cells.result);
      code.byte(op.return);
      code.byte(op.end);
      return;
    }
    this.#const32(isHelper ? insn.imm : kfuncCall);
    this.#const32(this.#slot);
    code.byte(op.call);
    code.unsigned(imports.helper);
    this.#takeFuel();
    this.#takeResult();
  }

  #localCall(insn: Instruction & { kind: "call" }): void {
    const code = this.#code;
    const index = this.#options.functionAt.get(this.#slot + 1 + insn.imm);
    if (index === undefined) {
      this.#fault(faultKinds.instruction);
      return;
    }
    this.#get(locals.base);
    this.#const32(frameStride);
    code.byte(op.i32Add);
    if (this.#options.checked) {
      this.#tee(locals.word);
      this.#const32(this.#options.control);
      this.#memory(op.i32Load, cells.frameLimit);
      code.byte(op.i32GtU);
      this.#faultIf(faultKinds.depth);
      this.#get(locals.word);
    }
    this.#giveFuel();
    for (let register = 1; register <= 5; register += 1) this.#get(register);
    code.byte(op.call);
    code.unsigned(index);
    this.#setRegister(0);
    this.#takeFuel();
  }

  /** Lookup in an array that r1 is known to be: no call. */
  #arrayLookup(): boolean {
    const map = this.#knownMaps.get(1);
    if (!(map instanceof ArrayMap)) return false;
    const code = this.#code;
    const at = this.#address(2, 0, 4, false);
    this.#memory(op.i32Load, at);
    this.#tee(locals.word);
    this.#const32(map.description.maxEntries);
    code.byte(op.i32LtU);
    code.byte(op.if);
    code.byte(valueType.i64);
    this.#get(locals.word);
    this.#const32(map.stride);
    code.byte(op.i32Mul);
    this.#const32(map.start);
    code.byte(op.i32Add);
    if (map.isPerCpu) {
      this.#const32(this.#options.control);
      this.#memory(op.i32Load, cells.cpu);
      this.#const32(map.bytesPerCpu);
      code.byte(op.i32Mul);
      code.byte(op.i32Add);
    }
    code.byte(op.i64ExtendI32U);
    code.byte(op.else);
    this.#const64(0n);
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
      const { control } = this.#options;
      this.#const32(control);
      this.#const32(control);
      this.#memory(op.i32Load, cells.mayGoto);
      this.#const32(1);
      code.byte(op.i32Add);
      this.#tee(locals.word);
      this.#memory(op.i32Store, cells.mayGoto);
      this.#get(locals.word);
      this.#const32(mayGotoBudget);
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
      this.#const64(0n);
      code.byte(op.i64Ne);
    } else {
      this.#narrow(insn.dst);
      this.#narrowSource(insn.src);
      code.byte(narrow);
    }
  }
}
