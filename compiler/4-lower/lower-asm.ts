/** Inline assembly: one IR operation with its operands; outputs are stored to their places. */
import type { CheckedExpression, CheckedStatement, LabelSymbol } from "../3-check/checked.ts";
import { isPointer, isSigned } from "../3-check/type-tools.ts";
import type { QualType } from "../3-check/types.ts";
import { convertInteger, readPlace, writePlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { AsmConstraint, Value } from "./ir.ts";
import type { ValueType } from "./ir-builder.ts";
import { isMemory, scalarType } from "./lower-types.ts";
import { addressOf, type Place, placeOf } from "./place.ts";
import { jumpToLabel } from "./scopes.ts";

type Asm = Extract<CheckedStatement, { kind: "asm" }>;

/** A register output: where it goes and what the register holds. */
interface RegisterOutput {
  readonly place: Place;
  readonly type: ValueType;
}

/** Operands in the form that the IR operation wants. */
interface AsmOperands {
  readonly constraints: AsmConstraint[];
  readonly operandOf: number[];
  readonly operands: Value[];
  /** In order. */
  readonly registers: RegisterOutput[];
}

/** `m` and its kin, where no register would do. */
const isMemoryConstraint = (text: string): boolean => /[moQV]/.test(text) && !/[rg]/.test(text);

/** Registers are 64 bits wide, but for `w`: 32. */
function registerType(type: QualType, constraint: string): ValueType {
  if (isPointer(type)) return "ptr";
  return constraint.includes("w") ? "i32" : "i64";
}

/**
 * A value as a whole register holds it: constants with their sign, others with zeros above their type's width.
 * Other compilers leave open what is there, and zeros is what they leave.
 */
function asRegister(state: FunctionState, value: Value, type: QualType, constraint: string): Value {
  if (value.type === "ptr") return value;
  const hasSign = value.kind === "constant" && isSigned(type);
  return convertInteger(state, value, registerType(type, constraint), hasSign);
}

/**
 * The same of an input. `(short)x` passes the register that holds x, all of it, as other compilers do: macros
 * that compare values of any size are written for that.
 */
function inputRegister(
  state: FunctionState,
  value: Value,
  type: QualType,
  constraint: string,
): Value {
  const isCut = value.kind === "instruction" && value.operation.op === "trunc";
  const whole =
    isCut && (value.type === "i8" || value.type === "i16") ? value.operands[0] : undefined;
  if (whole === undefined) return asRegister(state, value, type, constraint);
  return convertInteger(state, whole, registerType(type, constraint), false);
}

/** `r` for a variable that was declared to live in a register becomes that register. */
function constraintOf(constraint: string, value: CheckedExpression): string {
  const variable = value.kind === "cast" ? value.operand : value;
  const register = variable.kind === "variable" ? variable.symbol.asmRegister : undefined;
  return register === undefined ? constraint : constraint.replace(/[rgw]/, `{${register}}`);
}

function collect(state: FunctionState, statement: Asm): AsmOperands {
  const result: AsmOperands = { constraints: [], operandOf: [], operands: [], registers: [] };
  const named = (text: string, name: string | undefined): AsmConstraint => ({
    text,
    ...(name !== undefined && { name }),
  });
  const add = (value: Value): number => result.operands.push(value) - 1;
  for (const { constraint, name, value } of statement.outputs) {
    const place = placeOf(state, value);
    const { type } = place;
    result.constraints.push(named(constraintOf(constraint, value), name));
    if (isMemoryConstraint(constraint)) {
      result.operandOf.push(add(addressOf(state, place)));
      continue;
    }
    const fixed: Place =
      place.core === undefined ? place : { ...place, address: addressOf(state, place) };
    result.registers.push({ place: fixed, type: registerType(type, constraint) });
    const old = constraint.startsWith("+")
      ? asRegister(state, readPlace(state, fixed), type, constraint)
      : undefined;
    result.operandOf.push(old === undefined ? -1 : add(old));
  }
  for (const { constraint, name, value } of statement.inputs) {
    result.constraints.push(named(constraintOf(constraint, value), name));
    const memory = isMemoryConstraint(constraint) || isMemory(value.type);
    const operand = memory
      ? addressOf(state, placeOf(state, value))
      : inputRegister(state, state.visit.rvalue(value), value.type, constraint);
    result.operandOf.push(add(operand));
  }
  return result;
}

/**
 * The template for the IR: basic asm has no operands, and `%` stands for itself. Labels are named by
 * number; operands that are read and written count once.
 */
function templateOf(statement: Asm): string {
  const { template, outputs, inputs, labels } = statement;
  if (!statement.extended) return template.replaceAll("%", "%%");
  const count = outputs.length + inputs.length;
  const hidden = outputs.filter(({ constraint }) => constraint.startsWith("+")).length;
  return template.replace(
    /%%|%l(?:\[(\w+)\]|(\d+))/g,
    (whole: string, name?: string, number?: string) => {
      const index =
        name === undefined
          ? Number(number) - count - hidden
          : labels.findIndex((label) => label.name === name);
      return whole === "%%" || index < 0 ? whole : `%l${count + index}`;
    },
  );
}

function storeOutputs(
  state: FunctionState,
  registers: readonly RegisterOutput[],
  results: readonly Value[],
): void {
  registers.forEach(({ place }, index) => {
    const value = results[index];
    if (value === undefined) return;
    const fitting = isPointer(place.type)
      ? value
      : convertInteger(state, value, scalarType(place.type), false);
    writePlace(state, place, fitting);
  });
}

/** The values of the register outputs of `made`. */
function outputsOf(
  state: FunctionState,
  registers: readonly RegisterOutput[],
  made: Value,
): Value[] {
  if (registers.length === 1) return [made];
  return registers.map(({ type }, index) => state.emit(type, { op: "asm_output", index }, [made]));
}

/** Lowers `asm` and `asm goto`. */
export function lowerAsm(state: FunctionState, statement: Asm): void {
  const { constraints, operandOf, operands, registers } = collect(state, statement);
  state.at(statement.span);
  const body = {
    template: templateOf(statement),
    constraints,
    outputCount: statement.outputs.length,
    operandOf,
    clobbers: [...statement.clobbers],
  };
  const [first] = registers;
  const type = first === undefined ? "void" : registers.length === 1 ? first.type : "i64";
  if (statement.labels.length === 0) {
    const volatile = statement.volatile || statement.outputs.length === 0;
    const made = state.emit(type, { op: "asm", volatile, ...body }, operands);
    storeOutputs(state, registers, outputsOf(state, registers, made));
    return;
  }
  const next = state.newBlock("asm.next");
  const store = (): void => {
    if (registers.length > 0) storeOutputs(state, registers, outputsOf(state, registers, made));
  };
  const labels = statement.labels.map((label: LabelSymbol) => jumpToLabel(state, label, store));
  const made: Value = state.emit(type, { op: "asm_goto", ...body, next, labels }, operands);
  state.startBlock(next);
  store();
}
