/**
 * Inline assembly: binds operands to registers, immediates or addresses as the constraints say.
 * The text itself is parsed in phase 8, when registers are known.
 */
import type { AsmConstraint, IrInstruction, Value } from "../4-lower/ir.ts";
import { fitsSigned, type SelectContext } from "./context.ts";
import { widthOf } from "./facts.ts";
import type { AsmBody, AsmOperand, MachineRegister } from "./machine.ts";

export interface AsmOperation {
  readonly template: string;
  readonly constraints: readonly AsmConstraint[];
  readonly outputCount: number;
  readonly operandOf: readonly number[];
  readonly clobbers: readonly string[];
}

/** Registers of the outputs, by output number among register outputs. */
const outputsOf = new WeakMap<IrInstruction, MachineRegister[]>();

interface BoundAsm {
  readonly body: AsmBody;
  /** Copies to make after the instruction. */
  readonly results: { register: MachineRegister; fixed: MachineRegister | undefined }[];
}

/** Binds the operands, emitting what has to come before. */
export function bindAsm(context: SelectContext, at: IrInstruction, asm: AsmOperation): BoundAsm {
  const outputs: MachineRegister[] = [];
  const results: BoundAsm["results"] = [];
  const operands = asm.constraints.map((constraint, index): AsmOperand => {
    const value = at.operands[asm.operandOf[index] ?? -1];
    if (index >= asm.outputCount || isMemory(constraint)) {
      return bindInput(context, constraint, value, outputs);
    }
    const fixed = fixedRegister(constraint);
    const register = fixed ?? context.newRegister();
    if (value !== undefined) context.moveValue(register, value, true);
    outputs[index] = register;
    results.push({ register, fixed });
    return {
      constraint,
      kind: "register",
      register,
      value: 0n,
      isOutput: true,
      isInput: value !== undefined || isTied(asm, index),
      earlyClobber: constraint.text.includes("&"),
      narrow: constraint.text.includes("w"),
    };
  });
  const clobbers = asm.clobbers.flatMap((name) => {
    const match = /^[rw](\d)$/.exec(name);
    return match === null ? [] : [Number(match[1])];
  });
  return { body: { template: asm.template, operands, clobbers }, results };
}

function isTied(asm: AsmOperation, output: number): boolean {
  return asm.constraints
    .slice(asm.outputCount)
    .some(({ text }) => /^[=+&%]*\d+$/.test(text) && Number(text.replace(/\D/g, "")) === output);
}

function isMemory({ text }: AsmConstraint): boolean {
  return /^[=+&%]*[mQoV]/.test(text);
}

/** `{r6}`: a register variable. */
function fixedRegister({ text }: AsmConstraint): MachineRegister | undefined {
  const match = /\{[rw](\d+)\}/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

function bindInput(
  context: SelectContext,
  constraint: AsmConstraint,
  value: Value | undefined,
  outputs: readonly MachineRegister[],
): AsmOperand {
  const plain = {
    constraint,
    register: 0,
    value: 0n,
    isOutput: false,
    isInput: true,
    earlyClobber: false,
    narrow: constraint.text.includes("w"),
  };
  if (value === undefined) return { ...plain, kind: "immediate" };
  const letters = constraint.text.replace(/[=+&%*,?!]/g, "");
  if (/^\d+$/.test(letters)) {
    const register = outputs[Number(letters)];
    if (register === undefined) {
      context.error("asm-constraint", `inline assembly: constraint "${letters}" matches no output`);
      return { ...plain, kind: "immediate" };
    }
    context.moveValue(register, value, true);
    return { ...plain, kind: "register", register };
  }
  if (isMemory(constraint)) {
    const { address } = context.address(value);
    const slot = address.slot === undefined ? {} : { slot: address.slot };
    return {
      ...plain,
      kind: "memory",
      register: address.base,
      value: BigInt(address.offset),
      ...slot,
    };
  }
  return bindValue(context, constraint, value, letters, plain);
}

function bindValue(
  context: SelectContext,
  constraint: AsmConstraint,
  value: Value,
  letters: string,
  plain: Omit<AsmOperand, "kind">,
): AsmOperand {
  const takesImmediate = /[ings]/.test(letters);
  const takesRegister = /[rgwp]|\{/.test(letters);
  if (takesImmediate && value.kind === "constant") {
    const wide = BigInt.asIntN(widthOf(value), value.value);
    if (!takesRegister || fitsSigned(wide, 32)) return { ...plain, kind: "immediate", value: wide };
  }
  if (takesImmediate && value.kind === "global" && !takesRegister) {
    return { ...plain, kind: "symbol", symbol: value.symbol };
  }
  if (!takesRegister) {
    context.error(
      "asm-constraint",
      takesImmediate
        ? `inline assembly: value for constraint "${constraint.text}" is not a compile-time constant`
        : `inline assembly: constraint "${constraint.text}" is not known for BPF`,
    );
    return { ...plain, kind: "immediate" };
  }
  const fixed = fixedRegister(constraint);
  if (fixed !== undefined) context.moveValue(fixed, value, true);
  const isWide = value.type === "i64" || value.type === "ptr" || value.kind === "undef";
  const held = (): MachineRegister =>
    isWide ? context.register(value) : context.zeroExtended(value);
  const register = fixed ?? held();
  return { ...plain, kind: "register", register };
}

/** After the instruction: results leave fixed registers, and the IR value (or its picks) get theirs. */
export function finishAsm(context: SelectContext, at: IrInstruction, { results }: BoundAsm): void {
  const registers = results.map(({ register, fixed }) =>
    fixed === undefined ? register : context.copy(fixed),
  );
  outputsOf.set(at, registers);
  const [only] = registers;
  if (at.type === "void" || only === undefined) return;
  if (!context.facts.demanded(at)) {
    context.define(at, only);
    return;
  }
  const dst = context.newRegister();
  context.extendZero(dst, only, widthOf(at));
  context.define(at, dst);
}

export function selectAsm(context: SelectContext, at: IrInstruction, asm: AsmOperation): void {
  const bound = bindAsm(context, at, asm);
  context.emit({ kind: "asm", body: bound.body });
  finishAsm(context, at, bound);
}

export function selectAsmOutput(context: SelectContext, at: IrInstruction, index: number): void {
  const source = at.operands[0];
  const registers = source?.kind === "instruction" ? outputsOf.get(source) : undefined;
  const register = registers?.[index] ?? context.materialize(0n);
  if (!context.facts.demanded(at)) {
    context.define(at, register);
    return;
  }
  const dst = context.newRegister();
  context.extendZero(dst, register, widthOf(at));
  context.define(at, dst);
}
