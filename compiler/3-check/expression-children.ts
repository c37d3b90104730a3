/** The parts of a checked expression in the order in which they are evaluated. */
import type { CheckedExpression, CheckedInitializer } from "./checked.ts";

/** Expressions that an initialiser evaluates. */
export function initializerParts(initializer: CheckedInitializer): CheckedExpression[] {
  if (initializer.kind === "expression") return [initializer.value];
  if (initializer.kind === "string") return [];
  return initializer.elements.flatMap((e) => (e.value.kind === "bytes" ? [] : [e.value]));
}

/** Direct parts; those of statement expressions are statements and are not given. */
export function childrenOf(e: CheckedExpression): readonly CheckedExpression[] {
  switch (e.kind) {
    case "constant":
    case "variable":
    case "function":
    case "string_literal":
    case "reuse":
      return [];
    case "unary":
    case "address_of":
    case "cast":
      return [e.operand];
    case "arithmetic":
    case "compare":
    case "logical":
    case "pointer_difference":
    case "comma":
      return [e.left, e.right];
    case "pointer_offset":
      return [e.pointer, e.index];
    case "dereference":
      return [e.pointer];
    case "member":
      return [e.object];
    case "assign":
    case "compound_assign":
      return [e.value, e.target];
    case "increment":
      return [e.target];
    case "conditional":
      return [e.condition, e.then, e.otherwise];
    case "bind":
      return [e.value, e.body];
    case "call":
      return [e.callee, ...e.args];
    case "builtin":
      return e.args;
    case "statement_expression":
      return e.result === undefined ? [] : [e.result];
    case "compound_literal":
      return initializerParts(e.initializer);
  }
}
