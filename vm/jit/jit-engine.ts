/** Runs compiled programs: instantiates modules, serves their imports, turns traps into faults. */
import {
  cells,
  clearFrames,
  codeAddressBase,
  frameBottom,
  maximumCallDepth,
  maximumFrames,
  maximumTailCalls,
  tailCallHelper,
} from "../engine-memory.ts";
import { Fault } from "../fault.ts";
import { type Engine, type Helper, HelperCall } from "../helpers/helper-call.ts";
import { callKfunc } from "../helpers/kfuncs.ts";
import { helperFunction } from "../helpers/table.ts";
import { tailCallTarget } from "../helpers/tail-call.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { type Program, takenFunctions } from "../program.ts";
import { ProgramException } from "../program-exception.ts";
import type { RunState } from "../run-state.ts";
import { type CompiledProgram, compileProgram } from "./compile.ts";
import { hostFunction, hostFunctionKind } from "./host-functions.ts";
import { MapFunctionCache } from "./map-functions.ts";
import { moduleOfBytes } from "./module-cache.ts";
import { faultKinds, kfuncCall, packetLoadCall } from "./translate.ts";

interface Instance {
  enter: (frame: number, tableIndex: number) => void;
  readonly compiled: CompiledProgram;
  readonly module: WebAssembly.Module;
  uses: number;
}

/** Uses after which a program's calls of JavaScript get wrappers of their own. */
const usesUntilHot = 100;

/** A kernel's compiled programs; kept as long as the kernel is. */
class Compiler {
  readonly #kernel: Kernel;
  readonly #instances = new WeakMap<Program, Map<boolean, Instance>>();
  readonly #mapFunctions: MapFunctionCache;
  readonly #hostFunctions = new Map<number, WebAssembly.ExportValue>();
  /** The engine that serves the imports of all modules. */
  host: JitEngine | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#mapFunctions = new MapFunctionCache(kernel.memory.wasm);
  }

  instance(program: Program, checked: boolean): Instance {
    const variants = this.#instances.get(program) ?? new Map<boolean, Instance>();
    this.#instances.set(program, variants);
    const known = variants.get(checked);
    if (known !== undefined) {
      known.uses += 1;
      const isHot = known.uses === usesUntilHot && known.compiled.helpers.length > 0;
      if (isHot) known.enter = this.#link(known.module, known.compiled, true);
      return known;
    }
    const compiled = compileProgram(program, { checked, memory: this.#kernel.engineMemory });
    const module = moduleOfBytes(compiled.bytes);
    const enter = this.#link(module, compiled, false);
    const instance = { enter, compiled, module, uses: 1 };
    variants.set(checked, instance);
    return instance;
  }

  /** `isHot`: calls of JavaScript are to be fast; else linking is. */
  #link(module: WebAssembly.Module, compiled: CompiledProgram, isHot: boolean): Instance["enter"] {
    const env: WebAssembly.ModuleImports = { memory: this.#kernel.memory.wasm };
    for (const id of compiled.helpers) {
      env[`helper ${id}`] = isHot ? this.#hostOf(id) : this.#bridge(id);
    }
    for (const [i, { shape, name }] of compiled.mapFunctions.entries()) {
      env[`map ${i}`] = this.#mapFunctions.functions(shape)[name];
    }
    const { exports } = new WebAssembly.Instance(module, { env });
    return exports["enter"] as Instance["enter"];
  }

  #bridge(id: number): WebAssembly.ExportValue {
    const known = this.#hostFunctions.get(id);
    if (known !== undefined) return known;
    const made = hostFunction(hostFunctionKind(id), this.#hostOf(id));
    this.#hostFunctions.set(id, made);
    return made;
  }

  #hostOf(id: number): (first: number, second: number) => number {
    const host = (): JitEngine => this.host as JitEngine;
    if (id === tailCallHelper) return (slot) => host().tailCall(slot);
    if (id === packetLoadCall) return (index, size) => host().packetLoad(index, size);
    if (id === kfuncCall) return (slot) => host().kfunc(slot);
    const helper = helperFunction(id);
    return (slot) => host().helper(helper, slot);
  }
}

const compilers = new WeakMap<Kernel, Compiler>();

function compilerOf(kernel: Kernel): Compiler {
  const known = compilers.get(kernel);
  if (known !== undefined) return known;
  const compiler = new Compiler(kernel);
  compilers.set(kernel, compiler);
  return compiler;
}

/** Compiled code counts in 32 bits, with some room for what it counts before its turn. */
const maximumFuel = 0x7f00_0000;

export class JitEngine implements Engine {
  readonly #kernel: Kernel;
  readonly #run: RunState;
  readonly #call: HelperCall;
  readonly #compiler: Compiler;
  readonly #checked: boolean;
  readonly #fuel: number;
  readonly #control: number;
  #program: Program;
  #slot = 0;
  #tailCalls = 0;

  constructor(kernel: Kernel, run: RunState, fuel: number, checked: boolean) {
    this.#kernel = kernel;
    this.#run = run;
    this.#program = run.program;
    this.#compiler = compilerOf(kernel);
    this.#checked = checked;
    this.#fuel = Math.min(fuel, maximumFuel);
    this.#control = kernel.engineMemory.control;
    this.#call = new HelperCall(kernel, this.#control + cells.arguments, run, this);
  }

  /** Executed instructions; known to the checked variant only. */
  get steps(): number {
    if (!this.#checked) return 0;
    const left = this.#kernel.memory.view.getInt32(this.#control + cells.fuel, true);
    return this.#fuel - Math.max(0, left);
  }

  get position(): { readonly program: Program; readonly slot: number } {
    return { program: this.#program, slot: this.#slot };
  }

  execute(): bigint {
    const { view } = this.#kernel.memory;
    view.setUint32(this.#control + cells.arguments, this.#run.context, true);
    // r3–r5 start as 0: compiled and interpreted programs shall see the same.
    for (let at = 4; at < 40; at += 4)
      view.setUint32(this.#control + cells.arguments + at, 0, true);
    view.setUint32(this.#control + cells.arguments + 8, this.#run.secondArgument, true);
    const { engineMemory } = this.#kernel;
    const lowest = frameBottom(engineMemory, 1);
    if (this.#checked) clearFrames(this.#kernel.memory, engineMemory, lowest, maximumCallDepth);
    try {
      this.#guard(() => {
        const instance = this.#compiler.instance(this.#program, this.#checked);
        instance.enter(lowest, 0);
      });
    } catch (thrown) {
      if (thrown instanceof ProgramException) return thrown.cookie;
      throw thrown;
    }
    return this.#result();
  }

  /** Runs a callback by itself, as a timer does. */
  enterCallback(address: bigint, args: readonly bigint[]): void {
    const { engineMemory } = this.#kernel;
    const { view } = this.#kernel.memory;
    view.setUint32(this.#control + cells.frame, frameBottom(engineMemory, 0), true);
    this.#guard(() => {
      this.callFunction(address, args);
    });
  }

  /** Starts anew and serves the imports while `body` runs. */
  #guard(body: () => void): void {
    this.#program = this.#run.program;
    this.#tailCalls = 0;
    const { view } = this.#kernel.memory;
    view.setInt32(this.#control + cells.fuel, this.#fuel, true);
    view.setInt32(this.#control + cells.mayGoto, 0, true);
    view.setInt32(this.#control + cells.cpu, this.#kernel.cpu, true);
    view.setInt32(this.#control + cells.faultKind, 0, true);
    const outer = this.#compiler.host;
    this.#compiler.host = this;
    this.#notePacket();
    const { packet } = this.#run;
    if (packet !== undefined) packet.onMove = () => this.#notePacket();
    try {
      body();
    } catch (error) {
      throw this.#faultOf(error);
    } finally {
      this.#compiler.host = outer;
    }
  }

  /** Tells compiled code where the packet is. */
  #notePacket(): void {
    const { view } = this.#kernel.memory;
    const { meta, end } = this.#run.packet ?? { meta: 0, end: 0 };
    view.setUint32(this.#control + cells.packetStart, meta, true);
    view.setUint32(this.#control + cells.packetLimit, Math.max(0, end - meta - 7), true);
  }

  #result(): bigint {
    return this.#kernel.memory.view.getBigUint64(this.#control + cells.result, true);
  }

  /** r0 as a number, or NaN where it stands in the control block. */
  helper(helper: Helper, slot: number): number {
    this.#slot = slot;
    const result = helper(this.#call);
    return typeof result === "number" ? result : this.#wideResult(result);
  }

  kfunc(slot: number): number {
    this.#slot = slot;
    const result = callKfunc(this.#program, slot, this.#call);
    return typeof result === "number" ? result : this.#wideResult(result);
  }

  #wideResult(result: bigint): number {
    const { view } = this.#kernel.memory;
    view.setBigUint64(this.#control + cells.result, BigInt.asUintN(64, result), true);
    return Number.NaN;
  }

  tailCall(slot: number): number {
    this.#slot = slot;
    const target = tailCallTarget(this.#call);
    if (target === undefined || this.#tailCalls >= maximumTailCalls) return 0;
    this.#tailCalls += 1;
    const caller = this.#program;
    this.#program = target;
    const { bytes, view } = this.#kernel.memory;
    const frame = view.getUint32(this.#control + cells.frame, true);
    // Nothing but the context is passed on.
    bytes.fill(0, this.#control + cells.arguments + 8, this.#control + cells.arguments + 40);
    this.#compiler.instance(target, this.#checked).enter(frame, 0);
    this.#program = caller;
    return 1;
  }

  packetLoad(index: number, size: number): number {
    const { packet } = this.#run;
    if (packet === undefined) throw new Fault("bad-instruction", "this program has no packet");
    const at = packet.at(index, size);
    if (at === undefined) return 0;
    const { memory } = this.#kernel;
    memory.view.setBigUint64(this.#control + cells.result, memory.load(at, size, false), true);
    return 1;
  }

  callFunction(address: bigint, args: readonly bigint[]): bigint {
    const { view } = this.#kernel.memory;
    const instance = this.#compiler.instance(this.#program, this.#checked);
    const slot = Number(address - codeAddressBase);
    const isTaken = takenFunctions(this.#program).has(slot);
    const index = isTaken ? instance.compiled.tableIndex.get(slot) : undefined;
    if (index === undefined) {
      throw new Fault("bad-argument", "not the address of a function", address);
    }
    const at = this.#control;
    for (let i = 0; i < 5; i += 1) {
      view.setBigUint64(at + cells.arguments + i * 8, args[i] ?? 0n, true);
    }
    const frame = view.getUint32(at + cells.frame, true);
    const { engineMemory } = this.#kernel;
    const { stackBase, frameStride } = engineMemory;
    if (frame + 2 * frameStride > stackBase + maximumFrames * frameStride) {
      throw new Fault("stack-overflow", "callbacks are nested too deeply");
    }
    if (this.#checked) clearFrames(this.#kernel.memory, engineMemory, frame + frameStride, 1);
    instance.enter(frame + frameStride, index);
    this.#kernel.memory.view.setUint32(at + cells.frame, frame, true);
    return this.#result();
  }

  /** What a trap stands for; other errors are bugs and stay what they are. */
  #faultOf(error: unknown): unknown {
    if (!(error instanceof WebAssembly.RuntimeError)) return error;
    const { view } = this.#kernel.memory;
    const kind = view.getInt32(this.#control + cells.faultKind, true);
    if (kind === 0) {
      return new Fault("bad-address", `memory access out of bounds (${error.message})`);
    }
    this.#slot = view.getInt32(this.#control + cells.faultSlot, true);
    return this.#faultOfKind(kind);
  }

  #faultOfKind(kind: number): Fault {
    const insn = this.#program.insns[this.#slot];
    switch (kind) {
      case faultKinds.fuel:
        return new Fault("out-of-fuel", `still running after ${this.#fuel} instructions`);
      case faultKinds.depth:
        return new Fault("stack-overflow", "more than 8 calls deep");
      case faultKinds.nesting:
        return new Fault("stack-overflow", "callbacks are nested too deeply");
      case faultKinds.frame: {
        const offset = insn !== undefined && "offset" in insn ? insn.offset : 0;
        const message = `access at r10${offset < 0 ? "" : "+"}${offset} is outside the stack frame`;
        return new Fault("stack-overflow", message, this.#faultAddress());
      }
      case faultKinds.access:
        return this.#accessFault();
      default:
        if (insn === undefined) return new Fault("bad-instruction", "jump into nowhere");
        return new Fault("unsupported", `${insn.kind} is not supported here`);
    }
  }

  #faultAddress(): bigint {
    return this.#kernel.memory.view.getBigUint64(this.#control + cells.faultAddress, true);
  }

  /** Repeats the check that failed, for its message. */
  #accessFault(): Fault {
    const { memory } = this.#kernel;
    const address = this.#faultAddress();
    const insn = this.#program.insns[this.#slot];
    const size = insn !== undefined && "size" in insn ? insn.size : 4;
    const write =
      insn?.kind === "store" || insn?.kind === "store_release" || insn?.kind === "atomic";
    try {
      memory.check(address, size, write);
    } catch (fault) {
      if (fault instanceof Fault) return fault;
      throw fault;
    }
    return new Fault("bad-address", "memory access out of bounds", address);
  }
}
