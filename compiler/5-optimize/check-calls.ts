/**
 * Reports calls that cannot be in a BPF program and were to be optimised away: through pointers that
 * are still unknown, and to functions with attribute error. Changes nothing.
 */

import type { IrInstruction } from "../4-lower/ir.ts";
import type { ModulePass, PassContext } from "./pass.ts";
import { reportAt } from "./report.ts";
import { instructionsOf } from "./values.ts";

export const checkCalls: ModulePass = {
  kind: "module",
  name: "check-calls",
  run(context) {
    for (const fn of context.module.functions) {
      for (const each of instructionsOf(fn))
        if (each.operation.op === "call") checkCall(each, context);
    }
    return false;
  },
};

function checkCall(call: IrInstruction, { module, diagnostics }: PassContext): void {
  const { operation, location } = call;
  if (operation.op !== "call") return;
  const { callee } = operation;
  if (callee.kind === "indirect") {
    reportAt(
      diagnostics,
      "indirect-call",
      "indirect call: BPF can only call a function that is known at compile time",
      location,
      {
        help: "make the callee a constant, or mark the function that takes the pointer always_inline",
      },
    );
    return;
  }
  const text = callee.kind === "function" ? module.errorFunctions.get(callee.symbol) : undefined;
  if (text === undefined || callee.kind !== "function") return;
  if (text === "") {
    const message = `A call to built-in function '${callee.symbol}' is not supported.`;
    reportAt(diagnostics, "floating-point", message, location, {
      help: "BPF has no floating-point arithmetic; only what is constant can be computed",
    });
    return;
  }
  const message = `call to '${callee.symbol}' declared with 'error' attribute: ${text}`;
  reportAt(diagnostics, "attribute-error", message, location);
}
