/**
 * Which registers each machine instruction reads and writes, and how to replace them. The one
 * place that knows; liveness, allocation and the peephole passes all ask here.
 */
import type {
  AsmBody,
  MachineAddress,
  MachineInstruction,
  MachineOperation,
  MachineRegister,
  MachineSource,
  MachineTerminator,
} from "./machine.ts";
import { framePointer } from "./machine.ts";

export interface RegisterVisitor {
  /** Read before anything is written. */
  use(register: MachineRegister): void;
  /** Written after all reads. */
  def(register: MachineRegister): void;
  /** Written while inputs are still needed (early clobber), or destroyed (calls: after the reads). */
  clobber(register: MachineRegister, early: boolean): void;
}

/** Whether one register is read, and whether it is written or destroyed. */
export function touchOf(
  op: MachineOperation | MachineTerminator,
  register: MachineRegister,
): { readonly reads: boolean; readonly writes: boolean } {
  let reads = false;
  let writes = false;
  const noteWrite = (each: MachineRegister): void => {
    if (each === register) writes = true;
  };
  visitRegisters(op, {
    use: (each) => {
      if (each === register) reads = true;
    },
    def: noteWrite,
    clobber: noteWrite,
  });
  return { reads, writes };
}

const callClobbers: readonly MachineRegister[] = [1, 2, 3, 4, 5];

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a row per operation.
export function visitRegisters(
  op: MachineOperation | MachineTerminator,
  visitor: RegisterVisitor,
): void {
  switch (op.kind) {
    case "alu":
      if (op.op !== "mov") visitor.use(op.dst);
      visitSource(op.src, visitor);
      visitor.def(op.dst);
      return;
    case "movsx":
    case "addr_space_cast":
      visitor.use(op.src);
      visitor.def(op.dst);
      return;
    case "neg":
    case "endian":
      visitor.use(op.dst);
      visitor.def(op.dst);
      return;
    case "load_imm64":
    case "frame_address":
      visitor.def(op.dst);
      return;
    case "load":
    case "load_acquire":
      visitAddress(op.address, visitor);
      visitor.def(op.dst);
      return;
    case "store":
      visitAddress(op.address, visitor);
      visitSource(op.src, visitor);
      return;
    case "store_release":
      visitAddress(op.address, visitor);
      visitor.use(op.src);
      return;
    case "atomic":
      visitAddress(op.address, visitor);
      visitor.use(op.src);
      if (op.op === "cmpxchg") {
        visitor.use(0);
        visitor.def(0);
      } else if (op.fetch) visitor.def(op.src);
      return;
    case "load_packet":
      visitor.use(6);
      if (op.mode === "ind") visitor.use(op.src);
      for (const register of callClobbers) visitor.clobber(register, false);
      visitor.def(0);
      return;
    case "call":
      for (let at = 1; at <= op.argCount; at += 1) visitor.use(at);
      for (const register of callClobbers) visitor.clobber(register, false);
      if (op.hasResult) visitor.def(0);
      else visitor.clobber(0, false);
      return;
    case "asm":
    case "asm_goto":
      visitAsm(op.body, visitor);
      return;
    case "branch":
      visitor.use(op.dst);
      visitSource(op.src, visitor);
      return;
    case "exit":
      if (op.hasResult) visitor.use(0);
      return;
    case "lifetime":
    case "jump":
    case "end":
      return;
  }
}

function visitSource(source: MachineSource, visitor: RegisterVisitor): void {
  if (source.kind === "register") visitor.use(source.register);
}

function visitAddress(address: MachineAddress, visitor: RegisterVisitor): void {
  if (address.slot === undefined && address.base !== framePointer) visitor.use(address.base);
}

function visitAsm(body: AsmBody, visitor: RegisterVisitor): void {
  for (const operand of body.operands) {
    const readsBase = operand.kind === "memory" && operand.slot === undefined;
    if (readsBase || (operand.kind === "register" && operand.isInput)) {
      visitor.use(operand.register);
    }
  }
  for (const register of body.clobbers) visitor.clobber(register, true);
  for (const operand of body.operands) {
    if (operand.kind !== "register" || !operand.isOutput) continue;
    if (operand.earlyClobber) visitor.clobber(operand.register, true);
    visitor.def(operand.register);
  }
}

type Replace = (register: MachineRegister) => MachineRegister;

/** Replaces every register in place. */
export function replaceRegisters(op: MachineOperation | MachineTerminator, map: Replace): void {
  switch (op.kind) {
    case "alu":
      op.src = replaceSource(op.src, map);
      op.dst = map(op.dst);
      return;
    case "movsx":
    case "addr_space_cast":
      op.src = map(op.src);
      op.dst = map(op.dst);
      return;
    case "neg":
    case "endian":
    case "load_imm64":
    case "frame_address":
      op.dst = map(op.dst);
      return;
    case "load":
    case "load_acquire":
      replaceAddress(op.address, map);
      op.dst = map(op.dst);
      return;
    case "store":
      replaceAddress(op.address, map);
      op.src = replaceSource(op.src, map);
      return;
    case "store_release":
      replaceAddress(op.address, map);
      op.src = map(op.src);
      return;
    case "atomic":
      replaceAddress(op.address, map);
      op.src = map(op.src);
      return;
    case "load_packet":
      if (op.mode === "ind") op.src = map(op.src);
      return;
    case "asm":
    case "asm_goto":
      replaceAsm(op.body, map);
      return;
    case "branch":
      op.dst = map(op.dst);
      op.src = replaceSource(op.src, map);
      return;
    case "call":
    case "lifetime":
    case "jump":
    case "exit":
    case "end":
      return;
  }
}

function replaceSource(source: MachineSource, map: Replace): MachineSource {
  if (source.kind === "immediate") return source;
  const register = map(source.register);
  return register === source.register ? source : { kind: "register", register };
}

function replaceAddress(address: MachineAddress, map: Replace): void {
  if (address.slot === undefined && address.base !== framePointer) address.base = map(address.base);
}

function replaceAsm(body: AsmBody, map: Replace): void {
  for (const operand of body.operands) {
    const isBase = operand.kind === "memory" && operand.slot === undefined;
    if (operand.kind === "register" || isBase) operand.register = map(operand.register);
  }
}

/** True for instructions that may go if nobody reads what they write. */
export function isPure(op: MachineInstruction): boolean {
  switch (op.kind) {
    case "alu":
    case "movsx":
    case "neg":
    case "endian":
    case "load_imm64":
    case "frame_address":
    case "addr_space_cast":
      return true;
    case "load":
    case "store":
    case "atomic":
    case "load_acquire":
    case "store_release":
    case "load_packet":
    case "call":
    case "asm":
    case "lifetime":
      return false;
  }
}

/** `dst = src` between registers, all 64 bits. */
export function isCopy(op: MachineInstruction): op is MachineInstruction & {
  kind: "alu";
  src: { readonly kind: "register"; readonly register: MachineRegister };
} {
  return (
    op.kind === "alu" &&
    op.op === "mov" &&
    op.width === 64 &&
    op.src.kind === "register" &&
    op.core === undefined
  );
}
