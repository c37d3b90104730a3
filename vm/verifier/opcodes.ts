/** Raw opcode fields (RFC 9669 section 3): the verifier judges slots that no decoder would accept. */

export const insnClass = {
  ld: 0x00,
  ldx: 0x01,
  st: 0x02,
  stx: 0x03,
  alu: 0x04,
  jmp: 0x05,
  jmp32: 0x06,
  alu64: 0x07,
} as const;

export const memMode = {
  imm: 0x00,
  abs: 0x20,
  ind: 0x40,
  mem: 0x60,
  memsx: 0x80,
  atomic: 0xc0,
} as const;

export const aluOp = {
  add: 0x00,
  sub: 0x10,
  mul: 0x20,
  div: 0x30,
  or: 0x40,
  and: 0x50,
  lsh: 0x60,
  rsh: 0x70,
  neg: 0x80,
  mod: 0x90,
  xor: 0xa0,
  mov: 0xb0,
  arsh: 0xc0,
  end: 0xd0,
} as const;

export const jmpOp = {
  ja: 0x00,
  eq: 0x10,
  gt: 0x20,
  ge: 0x30,
  set: 0x40,
  ne: 0x50,
  sgt: 0x60,
  sge: 0x70,
  call: 0x80,
  exit: 0x90,
  lt: 0xa0,
  le: 0xb0,
  slt: 0xc0,
  sle: 0xd0,
  cond: 0xe0,
} as const;

export const atomicOp = {
  fetch: 0x01,
  add: 0x00,
  or: 0x40,
  and: 0x50,
  xor: 0xa0,
  xchg: 0xe1,
  cmpxchg: 0xf1,
  loadAcquire: 0x100,
  storeRelease: 0x110,
} as const;

/** src_reg of a two-slot immediate load. */
export const pseudo = {
  mapFd: 1,
  mapValue: 2,
  btfId: 3,
  func: 4,
  mapIndex: 5,
  mapIndexValue: 6,
} as const;

/** src_reg of a call. */
export const callKind = { helper: 0, local: 1, kfunc: 2 } as const;

export const opLoadImm64 = 0x18;
export const opCall = 0x85;
export const opExit = 0x95;
export const opMayGoto = 0xe5;
export const opJump = 0x05;
export const opJumpLong = 0x06;

const sizes = [4, 2, 1, 8] as const;

export function sizeOf(code: number): 1 | 2 | 4 | 8 {
  return sizes[(code >> 3) & 3]!;
}

export interface RawInsn {
  readonly code: number;
  readonly dst: number;
  readonly src: number;
  readonly off: number;
  readonly imm: number;
}

/** Splits slots; trailing bytes that fill no slot are ignored. */
export function decodeSlots(bytes: Uint8Array): RawInsn[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const slots: RawInsn[] = [];
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    const registers = view.getUint8(at + 1);
    slots.push({
      code: view.getUint8(at),
      dst: registers & 15,
      src: registers >> 4,
      off: view.getInt16(at + 2, true),
      imm: view.getInt32(at + 4, true),
    });
  }
  return slots;
}

const regSource = 0x08;

function isKnownAlu(code: number): boolean {
  const op = code & 0xf0;
  const is64 = (code & 7) === insnClass.alu64;
  if (op === aluOp.neg) return (code & regSource) === 0;
  if (op === aluOp.end) return !is64 || (code & regSource) === 0;
  return op <= aluOp.arsh;
}

function isKnownJump(code: number): boolean {
  const op = code & 0xf0;
  const is32 = (code & 7) === insnClass.jmp32;
  if (op === jmpOp.ja) return (code & regSource) === 0;
  if (op === jmpOp.call || op === jmpOp.exit) return !is32 && (code & regSource) === 0;
  if (op === jmpOp.cond) return !is32 && (code & regSource) === 0;
  return op <= jmpOp.sle;
}

/** Whether Linux 6.18 has an instruction with this opcode at all. */
export function isKnownOpcode(code: number): boolean {
  const mode = code & 0xe0;
  const isDouble = (code & 0x18) === 0x18;
  switch (code & 7) {
    case insnClass.alu:
    case insnClass.alu64:
      return isKnownAlu(code);
    case insnClass.jmp:
    case insnClass.jmp32:
      return isKnownJump(code);
    case insnClass.ld:
      return mode === memMode.imm ? isDouble : !isDouble && (mode === 0x20 || mode === 0x40);
    case insnClass.ldx:
      return mode === memMode.mem || (mode === memMode.memsx && !isDouble);
    case insnClass.st:
      return mode === memMode.mem;
    default:
      return mode === memMode.mem || mode === memMode.atomic;
  }
}

export function isLoadImm64(insn: RawInsn): boolean {
  return insn.code === opLoadImm64;
}

export function isLocalCall(insn: RawInsn): boolean {
  return insn.code === opCall && insn.src === callKind.local;
}

export function isKfuncCall(insn: RawInsn): boolean {
  return insn.code === opCall && insn.src === callKind.kfunc;
}

export function isHelperCall(insn: RawInsn): boolean {
  return insn.code === opCall && insn.src === callKind.helper;
}

/** `r1 = func ll`: the address of a callback. */
export function isFunctionAddress(insn: RawInsn): boolean {
  return insn.code === opLoadImm64 && insn.src === pseudo.func;
}

export function isJumpClass(code: number): boolean {
  return (code & 7) === insnClass.jmp || (code & 7) === insnClass.jmp32;
}

/** Slots that a jump skips. */
export function jumpOffset(insn: RawInsn): number {
  return insn.code === opJumpLong ? insn.imm : insn.off;
}
