/** Calls, returns and legacy packet loads. Arguments are in r1–r5, results in r0. */
import type { Callee, IrInstruction, Value } from "../4-lower/ir.ts";
import { fitsSigned, type SelectContext } from "./context.ts";
import { needsCleanArgument, widthOf } from "./facts.ts";
import type { MachineOperation, MachineRegister } from "./machine.ts";

const maxArguments = 5;

type CallOperation = Extract<IrInstruction["operation"], { op: "call" }>;

export function selectCall(context: SelectContext, at: IrInstruction, call: CallOperation): void {
  const target = callTarget(context, call.callee);
  const args = call.callee.kind === "indirect" ? at.operands.slice(1) : at.operands;
  if (args.length > maxArguments) {
    const who = call.callee.kind === "function" ? `'${call.callee.symbol}' ` : "";
    context.error(
      "too-many-arguments",
      `call ${who}passes ${args.length} arguments; BPF has registers for ${maxArguments}`,
    );
  }
  if (target === undefined || args.length > maxArguments) {
    if (at.type !== "void") context.define(at, context.materialize(0n));
    return;
  }
  passArguments(context, args, call.callee);
  const hasResult = at.type !== "void" && context.useCount(at) > 0;
  context.emit({ kind: "call", target, argCount: args.length, hasResult });
  if (!hasResult) return;
  context.define(at, receive(context, at, 0));
}

function callTarget(
  context: SelectContext,
  callee: Callee,
): Extract<MachineOperation, { kind: "call" }>["target"] | undefined {
  switch (callee.kind) {
    case "helper":
      return { kind: "helper", id: callee.id };
    case "function": {
      const message = context.module.errorFunctions.get(callee.symbol);
      if (message !== undefined) {
        context.error("error-attribute", `call to '${callee.symbol}': ${message}`);
      }
      const kind = context.defined.has(callee.symbol) ? "local" : "extern";
      return { kind, symbol: callee.symbol };
    }
    case "indirect":
      context.error(
        "indirect-call",
        "call through a function pointer that is not known at compile time; BPF has no indirect calls",
      );
      return undefined;
  }
}

function passArguments(context: SelectContext, args: readonly Value[], callee: Callee): void {
  // Whatever needs code of its own comes before the first argument register is taken.
  const moves = args.map((value, index): (() => void) => {
    const isDirect = value.kind !== "parameter" && value.kind !== "instruction";
    if (isDirect || context.frameAddressOf(value) !== undefined) {
      return () => context.moveValue(index + 1, value, true);
    }
    const isPlain = widthOf(value) === 64 || !needsCleanArgument(callee, index, context.compiled);
    const held = isPlain ? context.register(value) : context.zeroExtended(value);
    return () => context.move(index + 1, held);
  });
  for (const move of moves) move();
}

/** The IR value that arrives in a physical register, zero-extended if that is asked of it. */
export function receive(
  context: SelectContext,
  value: Value,
  from: MachineRegister,
): MachineRegister {
  const register = context.newRegister();
  if (context.facts.demanded(value)) context.extendZero(register, from, widthOf(value));
  else context.move(register, from);
  return register;
}

export function selectReturn(context: SelectContext, at: IrInstruction): void {
  const value = at.operands[0];
  if (value === undefined) {
    context.terminate({ kind: "exit", hasResult: false });
    return;
  }
  const narrow = value.type === "i8" || value.type === "i16" || value.type === "i1";
  context.moveValue(0, value, narrow);
  context.terminate({ kind: "exit", hasResult: true });
}

/** LD_ABS and LD_IND: the context must be in r6, the result comes in r0. */
export function selectPacketLoad(context: SelectContext, at: IrInstruction, size: 1 | 2 | 4): void {
  const [ctx, offset] = at.operands as [Value, Value];
  const isConstant = offset.kind === "constant" && fitsSigned(BigInt.asIntN(32, offset.value), 32);
  const src = isConstant ? 0 : context.register(offset);
  context.move(6, context.register(ctx));
  context.emit({
    kind: "load_packet",
    mode: isConstant ? "abs" : "ind",
    size,
    src,
    imm: isConstant ? Number(BigInt.asIntN(32, (offset as { value: bigint }).value)) : 0,
  });
  context.define(at, context.copy(0));
}
