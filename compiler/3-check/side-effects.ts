/** Whether evaluating an expression may do more than give its value. */
import type { CheckedExpression, CheckedStatement } from "./checked.ts";
import { childrenOf, initializerParts } from "./expression-children.ts";

/** Builtins that only compute. */
const pureBuiltins =
  /^__builtin_(bswap|expect|constant_p|ctz|clz|ffs|popcount|parity|clrsb|rotate|bitreverse|abs|labs|llabs|preserve_|btf_type_id|assume_aligned|strlen|strcmp|strncmp|memcmp|bcmp|choose_expr|offsetof|types_compatible)/;

export function mayHaveEffects(e: CheckedExpression): boolean {
  switch (e.kind) {
    case "assign":
    case "compound_assign":
    case "increment":
    case "call":
      return true;
    case "builtin":
      if (!pureBuiltins.test(e.name)) return true;
      break;
    case "cast":
      if (e.cast === "lvalue_to_rvalue" && e.operand.type.volatile) return true;
      break;
    case "statement_expression":
      if (e.body.some(statementMayHaveEffects)) return true;
      break;
  }
  return childrenOf(e).some(mayHaveEffects);
}

/** Only variables and values: control flow counts as an effect. */
function statementMayHaveEffects(statement: CheckedStatement): boolean {
  switch (statement.kind) {
    case "expression":
      return mayHaveEffects(statement.value);
    case "local":
      return statement.initializer !== undefined
        ? initializerParts(statement.initializer).some(mayHaveEffects)
        : false;
    default:
      return true;
  }
}
