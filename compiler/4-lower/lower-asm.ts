/** Inline assembly: one IR operation with its operands; outputs are stored to their places. */
import type { CheckedStatement } from "../3-check/checked.ts";
import { isPointer, isSigned } from "../3-check/type-tools.ts";
import { convertInteger, readPlace, writePlace } from "./access.ts";
import type { FunctionState } from "./function-state.ts";
import type { AsmConstraint, Value } from "./ir.ts";
import { isMemory, scalarType } from "./lower-types.ts";
import { addressOf, type Place, placeOf } from "./place.ts";

type Asm = Extract<CheckedStatement, { kind: "asm" }>;

/** Operands in the form that the IR operation wants. */
interface AsmOperands {
  readonly constraints: AsmConstraint[];
  readonly operandOf: number[];
  readonly operands: Value[];
  /** Register outputs, in order. */
  readonly registers: Place[];
}

const isMemoryConstraint = (text: string): boolean => /[mo]/.test(text) && !/[rg]/.test(text);

/** Basic asm has no operands, and `%` stands for itself. */
function templateOf(statement: Asm): string {
  return statement.extended ? statement.template : statement.template.replaceAll("%", "%%");
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
    result.constraints.push(named(constraint, name));
    if (isMemoryConstraint(constraint)) {
      result.operandOf.push(add(addressOf(state, place)));
      continue;
    }
    const fixed: Place =
      place.core === undefined ? place : { ...place, address: addressOf(state, place) };
    result.registers.push(fixed);
    result.operandOf.push(constraint.startsWith("+") ? add(readPlace(state, fixed)) : -1);
  }
  for (const { constraint, name, value } of statement.inputs) {
    result.constraints.push(named(constraint, name));
    const memory = isMemoryConstraint(constraint) || isMemory(value.type);
    result.operandOf.push(
      add(memory ? addressOf(state, placeOf(state, value)) : state.visit.rvalue(value)),
    );
  }
  return result;
}

function storeOutputs(
  state: FunctionState,
  registers: readonly Place[],
  results: readonly Value[],
): void {
  registers.forEach((place, index) => {
    const value = results[index];
    if (value === undefined) return;
    const wanted = scalarType(place.type);
    const fitting =
      isPointer(place.type) || value.type === wanted
        ? value
        : convertInteger(state, value, wanted, isSigned(place.type));
    writePlace(state, place, fitting);
  });
}

function registerType(place: Place): "i8" | "i16" | "i32" | "i64" | "ptr" | "i1" {
  return scalarType(place.type);
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
  const [only] = registers;
  const single = registers.length === 1 && only !== undefined;
  const type = single ? registerType(only) : "void";
  if (statement.labels.length > 0) {
    const next = state.newBlock("asm.next");
    const labels = statement.labels.map((label) => state.labelBlock(label));
    const made = state.emit(type, { op: "asm_goto", ...body, next, labels }, operands);
    state.startBlock(next);
    const outputs = single
      ? [made]
      : registers.map((place, index) =>
          state.emit(registerType(place), { op: "asm_output", index }, [made]),
        );
    storeOutputs(state, registers, outputs);
    return;
  }
  const volatile = statement.volatile || statement.outputs.length === 0;
  const made = state.emit(type, { op: "asm", volatile, ...body }, operands);
  const outputs = single
    ? [made]
    : registers.map((place, index) =>
        state.emit(registerType(place), { op: "asm_output", index }, [made]),
      );
  storeOutputs(state, registers, outputs);
}
