/**
 * Loads from the context that are wider than the kernel allows there become narrower ones that it allows: other
 * passes read a copied object in whatever words suit it. Needs: nothing. What no width makes legal stays.
 */
import type { IrInstruction, Value } from "../4-lower/ir.ts";
import { constant, type ValueType } from "../4-lower/ir-builder.ts";
import { isProgram } from "./context.ts";
import { isContextSize } from "./context-sizes.ts";
import type { FunctionPass } from "./pass.ts";
import { Rewriter } from "./rewriter.ts";
import {
  byteSize,
  constantAddress,
  instructionsOf,
  integerOfSize,
  isOp,
  operand,
} from "./values.ts";

export const splitContextLoads: FunctionPass = {
  kind: "function",
  name: "split-context-loads",
  run(fn, { module }) {
    if (!isProgram(fn)) return false;
    const rewriter = new Rewriter(fn);
    for (const load of instructionsOf(fn)) {
      if (!isOp(load, "load") || load.operation.volatile || load.type === "ptr") continue;
      const pointer = operand(load, 0);
      const size = byteSize[load.type];
      const isLegal = (unit: number): boolean => {
        for (let at = 0; at < size; at += unit)
          if (!isContextSize(pointer, at, unit, false, fn)) return false;
        return true;
      };
      const unit = [size, 4, 2, 1].find((each) => each <= size && isLegal(each));
      if (unit === undefined || unit === size) continue;
      rewriter.replace(load, composed(load, unit, module.endian === "little", rewriter));
    }
    return rewriter.apply();
  },
};

/** The load's value from loads of `unit` bytes. */
function composed(load: IrInstruction, unit: number, isLittle: boolean, rewriter: Rewriter): Value {
  const type = load.type as ValueType;
  const size = byteSize[type];
  const part = integerOfSize[unit] as ValueType;
  const emit = (
    result: ValueType,
    operation: IrInstruction["operation"],
    operands: Value[],
  ): Value => rewriter.insertBefore(load, result, operation, operands);
  // From the context itself: it is not read through a pointer that was moved.
  const { base, offset } = constantAddress(operand(load, 0));
  let whole: Value | undefined;
  for (let at = 0; at < size; at += unit) {
    const address = emit("ptr", { op: "ptradd" }, [base, constant("i64", offset + at)]);
    const loaded = emit(part, { op: "load", align: unit, volatile: false }, [address]);
    const wide = emit(type, { op: "zext" }, [loaded]);
    const amount = constant(type, (isLittle ? at : size - unit - at) * 8);
    const placed = emit(type, { op: "binary", binary: "shl" }, [wide, amount]);
    whole =
      whole === undefined ? placed : emit(type, { op: "binary", binary: "or" }, [whole, placed]);
  }
  return whole ?? load;
}
