/**
 * Phase 6: IR → machine code with virtual registers. Blocks are visited in reverse post-order, so
 * that operands are selected before their users (phis aside); what users fold (comparisons into
 * branches, offsets into addresses) is selected where it is used, and code that nobody then reads
 * is dropped at the end.
 */
import { dominatorTree, reversePostOrder } from "../4-lower/cfg.ts";
import type { Block, IrFunction, IrInstruction, Value } from "../4-lower/ir.ts";
import { computeUses } from "../4-lower/ir-builder.ts";
import { SelectContext, type SelectEnvironment } from "./context.ts";
import { computeFacts } from "./facts.ts";
import type { MachineFunction, PhiInput } from "./machine.ts";
import { newSlot } from "./machine.ts";
import { removeDeadCode } from "./remove-dead-code.ts";
import {
  selectBinary,
  selectByteSwap,
  selectPointerAdd,
  selectSignExtend,
  selectTruncate,
  selectZeroExtend,
} from "./select-arithmetic.ts";
import { bindAsm, finishAsm, selectAsm, selectAsmOutput } from "./select-asm.ts";
import { selectAtomic, selectCompareExchange, selectOrdered } from "./select-atomic.ts";
import { selectCompareBlock, selectCopyBlock, selectFillBlock } from "./select-block-memory.ts";
import { receive, selectCall, selectPacketLoad, selectReturn } from "./select-call.ts";
import { selectCompareValue, selectSelect } from "./select-choice.ts";
import { branchOn, foldedConditions } from "./select-compare.ts";
import { selectLoad, selectStore } from "./select-memory.ts";
import { selectSwitch } from "./select-switch.ts";
import { findStackObjects } from "./stack-objects.ts";

const maxParameters = 5;

/** Selects one function. Problems of the source (a sixth argument, an indirect call) are reported and selection goes on. */
export function selectFunction(ir: IrFunction, environment: SelectEnvironment): MachineFunction {
  const fn = emptyFunction(ir);
  const order = reversePostOrder(ir);
  const uses = computeUses(ir);
  const { cpu } = environment.options;
  const facts = computeFacts(order, uses, {
    has32: cpu === "v3" || cpu === "v4",
    compiled: environment.compiled,
  });
  const context = new SelectContext(fn, ir, environment, {
    uses,
    facts,
    folded: foldedConditions(order, uses),
    dominates: dominatorTree(ir).dominates,
    stack: findStackObjects(ir, uses, environment.defined),
  });
  for (const block of order) context.heads.set(block, context.newBlock());
  selectEntry(context, order);
  for (const block of order) {
    context.startBlock(context.headOf(block));
    context.irBlock = block;
    for (const at of block.instructions) {
      context.location = at.location;
      selectInstruction(context, block, at);
      for (const object of context.stack.touched.get(at) ?? []) {
        const slot = context.slots.get(object);
        if (slot !== undefined) context.emit({ kind: "lifetime", slot, mark: "touch" });
      }
    }
  }
  context.irBlock = undefined;
  for (const block of order) fillPhis(context, block);
  removeDeadCode(fn);
  return fn;
}

function emptyFunction(ir: IrFunction): MachineFunction {
  return {
    name: ir.name,
    paramCount: ir.params.length,
    isCallee: ir.section === ".text" || ir.binding === "local",
    naked: ir.naked,
    location: ir.location,
    blocks: [],
    slots: [],
    nextRegister: 16,
    nextBlock: 0,
    frameSize: 0,
  };
}

/** Parameters leave their registers; stack objects get their slots. */
function selectEntry(context: SelectContext, order: readonly Block[]): void {
  const { ir } = context;
  context.location = ir.location;
  if (ir.params.length > maxParameters) {
    context.error(
      "too-many-arguments",
      `function has ${ir.params.length} parameters; BPF has registers for ${maxParameters}`,
    );
  }
  const entry = context.newBlock();
  context.startBlock(entry);
  for (const param of ir.params.slice(0, maxParameters)) {
    if (context.useCount(param) > 0 && !ir.naked) {
      context.define(param, receive(context, param, param.index + 1));
    }
  }
  for (const param of ir.params.slice(maxParameters)) context.registerFor(param);
  for (const block of order) {
    for (const at of block.instructions) {
      if (at.operation.op !== "alloca") continue;
      const { size, align, name } = at.operation;
      const isShareable = context.stack.shareable.has(at);
      const isRelocated = context.stack.relocated.has(at);
      const slot = { size, align, name, location: at.location, isSpill: false, isShareable };
      context.slots.set(at, newSlot(context.fn, isRelocated ? { ...slot, isRelocated } : slot));
    }
  }
  const first = order[0];
  if (first !== undefined) context.terminate({ kind: "jump", target: context.headOf(first) });
}

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a row per operation.
function selectInstruction(context: SelectContext, block: Block, at: IrInstruction): void {
  const operation = at.operation;
  switch (operation.op) {
    case "binary":
      if (context.folded.has(at)) return;
      selectBinary(context, at, operation.binary);
      context.extendIfDemanded(at);
      return;
    case "icmp":
      if (!context.folded.has(at)) selectCompareValue(context, at);
      return;
    case "zext":
      selectZeroExtend(context, at);
      return;
    case "sext":
      selectSignExtend(context, at);
      context.extendIfDemanded(at);
      return;
    case "trunc":
      if (context.folded.has(at)) return;
      selectTruncate(context, at);
      context.extendIfDemanded(at);
      return;
    case "ptrtoint":
    case "inttoptr":
      context.define(at, context.register(at.operands[0] as Value));
      return;
    case "bswap":
      selectByteSwap(context, at);
      return;
    case "ptradd":
      selectPointerAdd(context, at);
      return;
    case "select":
      if (!context.folded.has(at)) selectSelect(context, at);
      return;
    case "phi":
      context.block.phis.push({ dst: context.registerFor(at), inputs: [], location: at.location });
      return;
    case "constant_p":
    case "object_size":
    case "core":
    case "addr_space_cast":
      selectSpecial(context, at);
      return;
    case "load":
    case "store":
    case "atomicrmw":
    case "cmpxchg":
    case "load_acquire":
    case "store_release":
    case "memcpy":
    case "memmove":
    case "memset":
    case "memcmp":
    case "alloca":
    case "lifetime_start":
    case "lifetime_end":
      selectMemory(context, at);
      return;
    case "call":
      selectCall(context, at, operation);
      return;
    case "load_packet":
      selectPacketLoad(context, at, operation.size);
      return;
    case "asm":
      selectAsm(context, at, operation);
      return;
    case "asm_output":
      selectAsmOutput(context, at, operation.index);
      return;
    case "fence":
      return;
    case "dynamic_alloca":
      context.error("dynamic-stack", "unsupported dynamic stack allocation");
      context.define(at, context.newRegister());
      return;
    case "br":
    case "condbr":
    case "switch":
    case "ret":
    case "unreachable":
    case "asm_goto":
      selectTerminator(context, block, at);
      return;
  }
}

function selectSpecial(context: SelectContext, at: IrInstruction): void {
  const operation = at.operation;
  if (operation.op === "constant_p") {
    const isConstant = at.operands[0]?.kind === "constant";
    context.define(at, context.materialize(isConstant ? 1n : 0n));
    return;
  }
  if (operation.op === "object_size") {
    const unknown = operation.type >= 2 ? 0n : (1n << 64n) - 1n;
    context.define(at, context.materialize(unknown));
    return;
  }
  if (operation.op === "addr_space_cast") {
    const dst = context.newRegister();
    const src = context.register(at.operands[0] as Value);
    context.emit({
      kind: "addr_space_cast",
      dst,
      src,
      imm: (operation.to << 16) | operation.from,
    });
    context.define(at, dst);
    return;
  }
  if (operation.op === "core") selectCore(context, at, operation);
}

/** The local answer in an instruction that the loader patches; 64-bit answers need the long form, as clang has it. */
function selectCore(
  context: SelectContext,
  at: IrInstruction,
  { core, value }: Extract<IrInstruction["operation"], { op: "core" }>,
): void {
  const dst = context.newRegister();
  const isWide = core.relocation === "enumval_value" || core.relocation.startsWith("type_id");
  if (isWide) context.emit({ kind: "load_imm64", dst, value: BigInt.asUintN(64, value) }, core);
  else {
    const src = { kind: "immediate", value: Number(BigInt.asIntN(32, value)) } as const;
    context.emit({ kind: "alu", op: "mov", width: 64, dst, src }, core);
  }
  context.define(at, dst);
}

function selectMemory(context: SelectContext, at: IrInstruction): void {
  const operation = at.operation;
  switch (operation.op) {
    case "load":
      selectLoad(context, at, operation);
      return;
    case "store":
      selectStore(context, at, operation.align);
      return;
    case "atomicrmw":
      selectAtomic(context, at, operation.atomic);
      return;
    case "cmpxchg":
      selectCompareExchange(context, at);
      return;
    case "load_acquire":
    case "store_release":
      selectOrdered(context, at);
      return;
    case "memcpy":
    case "memmove":
      selectCopyBlock(context, at, operation);
      return;
    case "memset":
      selectFillBlock(context, at, operation.dstAlign);
      return;
    case "memcmp":
      selectCompareBlock(context, at);
      return;
    case "lifetime_start":
    case "lifetime_end": {
      const slot = context.frameAddressOf(at.operands[0] as Value)?.slot;
      const mark = operation.op === "lifetime_start" ? "start" : "end";
      if (slot !== undefined) context.emit({ kind: "lifetime", slot, mark });
      return;
    }
    default:
      return;
  }
}

function selectTerminator(context: SelectContext, block: Block, at: IrInstruction): void {
  const operation = at.operation;
  switch (operation.op) {
    case "br":
      context.terminate({ kind: "jump", target: context.edge(block, operation.target) });
      return;
    case "condbr":
      branchOn(context, at.operands[0] as Value, {
        then: () => context.edge(block, operation.then),
        otherwise: () => context.edge(block, operation.otherwise),
        ...(operation.likely !== undefined && { likely: operation.likely }),
      });
      return;
    case "switch":
      selectSwitch(context, block, at, operation);
      return;
    case "ret":
      if (context.ir.naked) {
        context.terminate({ kind: "end" });
        return;
      }
      selectReturn(context, at);
      return;
    case "unreachable":
      selectUnreachable(context);
      return;
    case "asm_goto": {
      const bound = bindAsm(context, at, operation);
      const next = context.newBlock();
      const labels = operation.labels.map((label) => context.edge(block, label));
      context.terminate({ kind: "asm_goto", body: bound.body, next, labels });
      context.startBlock(next);
      finishAsm(context, at, bound);
      context.terminate({ kind: "jump", target: context.edge(block, operation.next) });
      return;
    }
    default:
      return;
  }
}

/** Assembly whose last statement is `exit` or a jump. */
const leavesProgram = /(?:^|[\n;])\s*(?:exit|gotol?\s[^\n;]*)[\s;]*$/;

/** Control should not come here, but the kernel wants every path to end well. */
function selectUnreachable(context: SelectContext): void {
  const last = context.block.instructions.at(-1);
  // The kernel refuses instructions that nothing leads to.
  const hasLeft = last?.kind === "asm" && leavesProgram.test(last.body.template);
  if (context.ir.naked || hasLeft) {
    context.terminate({ kind: "end" });
    return;
  }
  const afterCall = last?.kind === "call";
  if (!afterCall && context.ir.returns !== "void") context.moveConstant(0, 0n);
  context.terminate({ kind: "exit", hasResult: !afterCall && context.ir.returns !== "void" });
}

/** Gives machine phis one input for each machine edge that an IR edge became. */
function fillPhis(context: SelectContext, block: Block): void {
  const head = context.headOf(block);
  let index = 0;
  for (const at of block.instructions) {
    if (at.operation.op !== "phi") break;
    const phi = head.phis[index];
    index += 1;
    if (phi === undefined) return;
    at.operation.incoming.forEach((from, which) => {
      const value = at.operands[which];
      for (const source of context.edges.get(from)?.get(block) ?? []) {
        if (value !== undefined) {
          phi.inputs.push({ from: source, value: phiInput(context, at, value, source) });
        }
      }
    });
  }
}

function phiInput(
  context: SelectContext,
  phi: IrInstruction,
  value: Value,
  from: MachineFunction["blocks"][number],
): PhiInput {
  if (value.kind === "undef") return { kind: "undef" };
  if (value.kind === "constant") {
    const bits = context.registerBits(value, context.facts.demanded(phi));
    return { kind: "immediate", value: BigInt.asUintN(64, bits) };
  }
  // Addresses are made at the end of the predecessor.
  context.block = from;
  const needsCode = value.kind === "global" || context.frameAddressOf(value) !== undefined;
  if (!needsCode) return { kind: "register", register: context.register(value) };
  const register = context.newRegister();
  context.moveValue(register, value);
  return { kind: "register", register };
}
