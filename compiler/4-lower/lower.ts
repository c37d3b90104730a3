/**
 * Phase 4: CheckedUnit → IrModule. Locals are stack objects here; phase 5 makes values of them.
 * Needs a unit without errors; guarantees a module that the IR verifier accepts.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type {
  CheckedFunctionBody,
  CheckedUnit,
  FunctionSymbol,
  VariableSymbol,
} from "../3-check/checked.ts";
import { alignOf, sizeOf } from "../3-check/layout.ts";
import { asFunction, isFloat, isSigned, isVoid } from "../3-check/type-tools.ts";
import type { TargetOptions } from "../options.ts";
import { convertInteger } from "./access.ts";
import { removeUnreachableBlocks } from "./cfg.ts";
import { FunctionState, type NodeVisitor } from "./function-state.ts";
import type { IrFunction, IrModule, Parameter, Value } from "./ir.ts";
import { constant, createFunction, createModule, undefinedValue } from "./ir-builder.ts";
import { lowerExpression } from "./lower-expression.ts";
import { isTrue } from "./lower-expression-tools.ts";
import { isFloatTrue } from "./lower-float.ts";
import { lowerGlobal } from "./lower-global.ts";
import { lowerInitializer } from "./lower-initializer.ts";
import { compare } from "./lower-operators.ts";
import { lowerStatement } from "./lower-statement.ts";
import { isMemory, recordPieces, resultType, scalarType } from "./lower-types.ts";
import { isWide, isWideTrue } from "./lower-wide.ts";
import { type LowerOptions, ModuleState } from "./module-state.ts";
import { dropBypassedMarks, finishJumps, leaveScopes, openScope } from "./scopes.ts";

/** Options beyond the target's. */
export interface LowerUnitOptions {
  readonly debugInfo?: boolean;
  /** Says of each access with which type it is made. */
  readonly strictAliasing?: boolean;
  readonly mapPath?: (path: string) => string;
  /** Local variables without an initialiser hold this byte. */
  readonly autoInit?: number;
}

/** Lowers a whole unit. */
export function lowerUnit(
  unit: CheckedUnit,
  target: TargetOptions,
  diagnostics: Diagnostics,
  options: LowerUnitOptions = {},
): IrModule {
  const module = createModule(unit.path, target.endian);
  const lowerOptions: LowerOptions = {
    hasOrderedAccess: target.cpu === "v4",
    hasDebugInfo: options.debugInfo ?? true,
    strictAliasing: options.strictAliasing ?? false,
    autoInit: options.autoInit,
    mapPath: options.mapPath ?? ((path) => path),
  };
  const state = new ModuleState(module, unit, lowerOptions, diagnostics);
  module.globals = unit.variables.map(lowerGlobal);
  module.externFunctions = unit.externFunctions.map((fn) => ({
    name: fn.linkName,
    weak: fn.attributes.weak,
    visibility: fn.attributes.hidden ? "hidden" : "default",
    section: fn.attributes.section,
  }));
  module.fileAsm = unit.fileAsm.map((each) => each.text);
  for (const symbol of unit.functions) {
    if (symbol.body !== undefined) module.functions.push(lowerFunction(state, symbol, symbol.body));
  }
  return module;
}

type ParameterPiece = Omit<Parameter, "kind" | "index">;

/** Registers that one C parameter takes. */
function piecesOf(symbol: VariableSymbol): ParameterPiece[] {
  const { name, type } = symbol;
  if (!isMemory(type)) {
    const scalar = scalarType(type);
    if (scalar !== "i8" && scalar !== "i16") return [{ name, type: scalar }];
    const width = scalar === "i8" ? 8 : 16;
    return [{ name, type: "i32", extendedFrom: `${isSigned(type) ? "s" : "u"}${width}` }];
  }
  if (sizeOf(type) === 0) return [];
  const pieces = recordPieces(type);
  if (pieces === "address") return [{ name, type: "ptr" }];
  return Array.from({ length: pieces }, (_, i) => ({ name: `${name}.${i}`, type: "i64" as const }));
}

function headOf(
  module: ModuleState,
  symbol: FunctionSymbol,
  body: CheckedFunctionBody,
): IrFunction {
  const type = asFunction(symbol.type);
  const returns = type?.returns;
  const hidden: ParameterPiece[] =
    returns && isMemory(returns) ? [{ name: "result", type: "ptr" }] : [];
  const { attributes, linkage } = symbol;
  return createFunction({
    name: symbol.linkName,
    returns: returns === undefined ? "void" : resultType(returns),
    params: [...hidden, ...body.params.flatMap(piecesOf)],
    binding: linkage === "static" ? "local" : attributes.weak ? "weak" : "global",
    visibility: attributes.hidden ? "hidden" : "default",
    section: attributes.section ?? ".text",
    inline: symbol.inline,
    naked: symbol.naked,
    noreturn: symbol.noreturn,
    location: module.locationOf(symbol.span, symbol.linkName),
  });
}

function visitorOf(state: FunctionState): NodeVisitor {
  return {
    rvalue: (expr) => lowerExpression(state, expr),
    condition: (expr) => {
      if (expr.kind === "compare") return compare(state, expr);
      const value = lowerExpression(state, expr);
      if (isFloat(expr.type)) return isFloatTrue(state, value, expr.type);
      return isWide(expr.type) ? isWideTrue(state, value) : isTrue(state, value);
    },
    statement: (statement) => lowerStatement(state, statement),
    initialize: (address, type, initializer) => lowerInitializer(state, address, type, initializer),
  };
}

/** Puts the parameters into stack objects; returns how many pieces were used. */
function storeParameters(
  state: FunctionState,
  params: readonly VariableSymbol[],
  first: number,
): void {
  let next = first;
  for (const symbol of params) {
    const pieces = piecesOf(symbol);
    const values = pieces.map((_, i) => state.fn.params[next + i]).filter((v) => v !== undefined);
    next += pieces.length;
    const [only] = values;
    if (isMemory(symbol.type) && recordPieces(symbol.type) === "address" && only !== undefined) {
      state.slots.set(symbol, only);
      continue;
    }
    const size = Math.max(sizeOf(symbol.type), isMemory(symbol.type) ? pieces.length * 8 : 0);
    const align = isMemory(symbol.type) ? 8 : Math.max(1, alignOf(symbol.type));
    const slot = state.alloca(size, align, symbol.name);
    state.slots.set(symbol, slot);
    values.forEach((value, i) => {
      storeParameter(state, symbol, value, state.offset(slot, i * 8));
    });
  }
}

function storeParameter(
  state: FunctionState,
  symbol: VariableSymbol,
  value: Value,
  to: Value,
): void {
  const memory = isMemory(symbol.type);
  const type = memory ? "i64" : scalarType(symbol.type);
  const align = memory ? 8 : Math.max(1, alignOf(symbol.type));
  const fitting =
    type === "ptr" ? value : convertInteger(state, value, type, isSigned(symbol.type));
  state.emit("void", { op: "store", align, volatile: false }, [fitting, to]);
}

function lowerFunction(
  module: ModuleState,
  symbol: FunctionSymbol,
  body: CheckedFunctionBody,
): IrFunction {
  const fn = headOf(module, symbol, body);
  const state = new FunctionState(module, fn, symbol, visitorOf);
  state.at(symbol.span);
  const returns = asFunction(symbol.type)?.returns;
  const hidden = returns !== undefined && isMemory(returns) ? 1 : 0;
  if (hidden === 1) state.resultAddress = fn.params[0];
  if (!symbol.naked) storeParameters(state, body.params, hidden);
  openScope(state, []);
  state.visit.statement(body.body);
  state.at(body.endSpan);
  finishFunction(state, returns === undefined || isVoid(returns));
  finishJumps(state);
  dropBypassedMarks(state);
  removeUnreachableBlocks(fn);
  return fn;
}

/** The end of the body: a plain return; without a value where one is due, an undefined one. */
function finishFunction(state: FunctionState, isVoidFunction: boolean): void {
  if (state.isTerminated) return;
  if (state.symbol.naked) {
    state.emit("void", { op: "unreachable" }, []);
    return;
  }
  leaveScopes(state, 0);
  const { returns } = state.fn;
  if (returns === "void" || isVoidFunction) state.emit("void", { op: "ret" }, []);
  else if (state.symbol.linkName === "main")
    state.emit("void", { op: "ret" }, [constant("i32", 0)]);
  else state.emit("void", { op: "ret" }, [undefinedValue(returns)]);
}
