/** Machine code as text, for golden tests and `--print=asm`-like dumps: virtual registers are %n. */
import { unreachable } from "../../common/diagnostics/diagnostic.ts";
import type {
  AsmBody,
  AsmOperand,
  MachineAddress,
  MachineBlock,
  MachineFunction,
  MachineInstruction,
  MachineRegister,
  MachineSource,
  MachineTerminator,
  PhiInput,
  Width,
} from "./machine.ts";
import { firstVirtual } from "./machine.ts";

const aluSymbols = {
  add: "+=",
  sub: "-=",
  mul: "*=",
  div: "/=",
  sdiv: "s/=",
  mod: "%=",
  smod: "s%=",
  or: "|=",
  and: "&=",
  xor: "^=",
  lsh: "<<=",
  rsh: ">>=",
  arsh: "s>>=",
  mov: "=",
} as const;

const jumpSymbols = {
  eq: "==",
  ne: "!=",
  gt: ">",
  ge: ">=",
  lt: "<",
  le: "<=",
  set: "&",
  sgt: "s>",
  sge: "s>=",
  slt: "s<",
  sle: "s<=",
} as const;

export function printMachine(fn: MachineFunction): string {
  const head = `function ${fn.name} frame ${fn.frameSize}`;
  const slots = fn.slots.map(
    (slot, at) =>
      `  slot ${at}: ${slot.size} align ${slot.align} "${slot.name}"${slot.offset === undefined ? "" : ` at ${slot.offset}`}`,
  );
  return [head, ...slots, ...fn.blocks.map(printMachineBlock), ""].join("\n");
}

function printMachineBlock(block: MachineBlock): string {
  const lines = [`m${block.id}:`];
  for (const phi of block.phis) {
    const inputs = phi.inputs.map(({ from, value }) => `[${printPhiInput(value)}, m${from.id}]`);
    lines.push(`  ${reg(phi.dst)} = phi ${inputs.join(", ")}`);
  }
  for (const op of block.instructions) lines.push(`  ${printMachineInstruction(op)}`);
  lines.push(`  ${printTerminator(block.terminator)}`);
  return lines.join("\n");
}

function printPhiInput(value: PhiInput): string {
  switch (value.kind) {
    case "register":
      return reg(value.register);
    case "immediate":
      return String(value.value);
    case "undef":
      return "undef";
  }
}

function reg(register: MachineRegister, width: Width = 64): string {
  if (register >= firstVirtual) return `%${width === 32 ? "w" : ""}${register - firstVirtual}`;
  return `${width === 32 ? "w" : "r"}${register}`;
}

function source(src: MachineSource, width: Width): string {
  return src.kind === "register" ? reg(src.register, width) : String(src.value);
}

function place(address: MachineAddress, size: number): string {
  const base = address.slot === undefined ? reg(address.base) : `slot${address.slot}`;
  const sign = address.offset < 0 ? "-" : "+";
  return `*(u${size * 8} *)(${base} ${sign} ${Math.abs(address.offset)})`;
}

export function printMachineInstruction(op: MachineInstruction): string {
  const text = instructionText(op);
  if (op.core === undefined) return text;
  return `${text} core ${op.core.relocation} ${op.core.rootName} ${op.core.access}`;
}

function instructionText(op: MachineInstruction): string {
  switch (op.kind) {
    case "alu":
      return `${reg(op.dst, op.width)} ${aluSymbols[op.op]} ${source(op.src, op.width)}`;
    case "movsx":
      return `${reg(op.dst, op.width)} = (s${op.from})${reg(op.src, op.width)}`;
    case "neg":
      return `${reg(op.dst, op.width)} = -${reg(op.dst, op.width)}`;
    case "endian":
      return `${reg(op.dst)} = ${op.op}${op.bits} ${reg(op.dst)}`;
    case "load_imm64":
      if (op.symbol === undefined) return `${reg(op.dst)} = ${op.value} ll`;
      return `${reg(op.dst)} = ${op.symbol}${op.value === 0n ? "" : ` + ${op.value}`} ll`;
    case "frame_address":
      return `${reg(op.dst)} = &slot${op.slot} + ${op.offset}`;
    case "load":
      return `${reg(op.dst)} = ${op.signed ? "signed " : ""}${place(op.address, op.size)}`;
    case "store":
      return `${place(op.address, op.size)} = ${source(op.src, 64)}`;
    case "atomic":
      return `lock ${op.fetch ? "fetch " : ""}${op.op} ${place(op.address, op.size)}, ${reg(op.src)}`;
    case "load_acquire":
      return `${reg(op.dst)} = load_acquire ${place(op.address, op.size)}`;
    case "store_release":
      return `store_release ${place(op.address, op.size)}, ${reg(op.src)}`;
    case "load_packet":
      return `load_packet ${op.mode} u${op.size * 8} ${op.mode === "ind" ? `${reg(op.src)} + ` : ""}${op.imm}`;
    case "addr_space_cast":
      return `${reg(op.dst)} = addr_space_cast(${reg(op.src)}, ${op.imm})`;
    case "call":
      return `call ${op.target.kind === "helper" ? op.target.id : op.target.symbol} (${op.argCount})`;
    case "asm":
      return asmText(op.body);
    case "lifetime":
      return `lifetime ${op.mark} slot${op.slot}`;
  }
  return unreachable(op, "machine instruction");
}

function asmText(body: AsmBody): string {
  const clobbers = body.clobbers.map((register) => reg(register)).join(" ");
  const operands = body.operands.map(asmOperandText).join(", ");
  return `asm ${JSON.stringify(body.template)} (${operands})${clobbers === "" ? "" : ` clobbers ${clobbers}`}`;
}

function asmOperandText(operand: AsmOperand): string {
  const what = ((): string => {
    switch (operand.kind) {
      case "register":
        return reg(operand.register);
      case "immediate":
        return String(operand.value);
      case "symbol":
        return `@${operand.symbol}`;
      case "memory":
        return `[${operand.slot === undefined ? reg(operand.register) : `slot${operand.slot}`} + ${operand.value}]`;
    }
  })();
  return `"${operand.constraint.text}" ${what}`;
}

export function printTerminator(end: MachineTerminator): string {
  switch (end.kind) {
    case "jump":
      return `goto m${end.target.id}`;
    case "branch": {
      const test = `${reg(end.dst, end.width)} ${jumpSymbols[end.op]} ${source(end.src, end.width)}`;
      return `if ${test} goto m${end.then.id} else m${end.otherwise.id}`;
    }
    case "asm_goto":
      return `${asmText(end.body)} next m${end.next.id} labels ${end.labels.map((label) => `m${label.id}`).join(" ")}`;
    case "exit":
      return end.hasResult ? "exit r0" : "exit";
    case "end":
      return "end";
  }
}
