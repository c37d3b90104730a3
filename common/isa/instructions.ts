/**
 * The instruction table: one row per form of RFC 9669 and of the kernel's extensions to it.
 * Encoder, decoder, printer, assembler, verifier and VM read these rows. Families of forms that
 * differ in operation, width or size only are written as small tables and multiplied out. The
 * table is kept in one place, and is long for that.
 *
 *    opcode    dst  src   offset        imm               one 8-byte slot (bpfel)
 *   +--------+----+----+-----------+----------------------+
 *   | 8 bits | 4  | 4  |  16, s16  |       32, s32        |
 *   +--------+----+----+-----------+----------------------+
 */

import { lazy } from "../lazy.ts";
import type {
  AccessSize,
  AluOp,
  AtomicOp,
  Imm64Source,
  Instruction,
  JumpOp,
  Register,
  Source,
} from "./instruction.ts";

/** The raw fields of one instruction; `nextImm` is the imm of a second slot, 0 where there is none. */
export interface InstructionFields {
  readonly dst: number;
  readonly src: number;
  readonly offset: number;
  readonly imm: number;
  readonly nextImm: number;
}
export type FieldName = keyof InstructionFields;

export type CpuVersion = "v1" | "v2" | "v3" | "v4";

/** Conformance groups of RFC 9669 section 2.4; `extension` is what the RFC does not have. */
export type ConformanceGroup =
  | "base32"
  | "base64"
  | "atomic32"
  | "atomic64"
  | "divmul32"
  | "divmul64"
  | "packet"
  | "extension";

export interface InstructionForm {
  /** Stable name, e.g. `add32_imm`, `jeq_reg`, `ldx64`. */
  readonly name: string;
  readonly opcode: number;
  /** Values of fields that tell this form from others of the same opcode. */
  readonly match: Partial<InstructionFields>;
  /** Fields that carry operands. Every field that is neither here nor in `match` must be 0. */
  readonly fields: readonly FieldName[];
  /** The lowest `-mcpu` at which LLVM's code generator emits it. */
  readonly cpu: CpuVersion;
  /** First kernel whose bpf() accepts it; undefined where none does. */
  readonly since: string | undefined;
  readonly group: ConformanceGroup;
  /** Makes the instruction from fields that match this form. */
  readonly build: (fields: InstructionFields) => Instruction;
}

const classes = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, jmp32: 6, alu64: 7 } as const;
const modes = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, memsx: 0x80, atomic: 0xc0 } as const;
const sourceRegister = 0x08;

const sizeCodes: Readonly<Record<AccessSize, number>> = { 4: 0x00, 2: 0x08, 1: 0x10, 8: 0x18 };
const accessSizes: readonly AccessSize[] = [1, 2, 4, 8];
const widths = [32, 64] as const;

interface AluRow {
  readonly code: number;
  /** The assignment operator in assembly text. */
  readonly syntax: string;
  /** Value of the offset field that selects the signed form. */
  readonly offset?: number;
  readonly divmul?: boolean;
}

/** ALU operations: code (upper nibble of the opcode) and syntax. */
export const aluOps: Readonly<Record<AluOp, AluRow>> = {
  add: { code: 0x00, syntax: "+=" },
  sub: { code: 0x10, syntax: "-=" },
  mul: { code: 0x20, syntax: "*=", divmul: true },
  div: { code: 0x30, syntax: "/=", divmul: true },
  sdiv: { code: 0x30, syntax: "s/=", divmul: true, offset: 1 },
  or: { code: 0x40, syntax: "|=" },
  and: { code: 0x50, syntax: "&=" },
  lsh: { code: 0x60, syntax: "<<=" },
  rsh: { code: 0x70, syntax: ">>=" },
  mod: { code: 0x90, syntax: "%=", divmul: true },
  smod: { code: 0x90, syntax: "s%=", divmul: true, offset: 1 },
  xor: { code: 0xa0, syntax: "^=" },
  mov: { code: 0xb0, syntax: "=" },
  arsh: { code: 0xc0, syntax: "s>>=" },
};

interface JumpRow {
  readonly code: number;
  readonly syntax: string;
  readonly cpu: CpuVersion;
  readonly since: string;
  /** The operation that holds exactly where this one does not; `set` has none. */
  readonly inverse?: JumpOp;
  /** The operation with its operands exchanged. */
  readonly swapped: JumpOp;
}

const oldJump = { cpu: "v1", since: "3.18" } as const;
const newJump = { cpu: "v2", since: "4.14" } as const;

/** Jump conditions. `cpu` and `since` are those of the 64-bit forms; 32-bit ones are v3, 5.1. */
export const jumpOps: Readonly<Record<JumpOp, JumpRow>> = {
  eq: { code: 0x10, syntax: "==", inverse: "ne", swapped: "eq", ...oldJump },
  gt: { code: 0x20, syntax: ">", inverse: "le", swapped: "lt", ...oldJump },
  ge: { code: 0x30, syntax: ">=", inverse: "lt", swapped: "le", ...oldJump },
  set: { code: 0x40, syntax: "&", swapped: "set", ...oldJump },
  ne: { code: 0x50, syntax: "!=", inverse: "eq", swapped: "ne", ...oldJump },
  sgt: { code: 0x60, syntax: "s>", inverse: "sle", swapped: "slt", ...oldJump },
  sge: { code: 0x70, syntax: "s>=", inverse: "slt", swapped: "sle", ...oldJump },
  lt: { code: 0xa0, syntax: "<", inverse: "ge", swapped: "gt", ...newJump },
  le: { code: 0xb0, syntax: "<=", inverse: "gt", swapped: "ge", ...newJump },
  slt: { code: 0xc0, syntax: "s<", inverse: "sge", swapped: "sgt", ...newJump },
  sle: { code: 0xd0, syntax: "s<=", inverse: "sgt", swapped: "sge", ...newJump },
};

interface AtomicRow {
  /** Upper bits of imm; bit 0 is BPF_FETCH. */
  readonly code: number;
  /** `lock` form's operator; undefined where only the fetching form exists. */
  readonly syntax?: string;
}

/** Atomic operations: imm codes and syntax. */
export const atomicOps: Readonly<Record<AtomicOp, AtomicRow>> = {
  add: { code: 0x00, syntax: "+=" },
  or: { code: 0x40, syntax: "|=" },
  and: { code: 0x50, syntax: "&=" },
  xor: { code: 0xa0, syntax: "^=" },
  xchg: { code: 0xe0 },
  cmpxchg: { code: 0xf0 },
};

const fetchFlag = 1;
const loadAcquireCode = 0x100;
const storeReleaseCode = 0x110;

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>): readonly K[] =>
  Object.keys(table) as K[];

/** Registers are checked by the decoder before a row's `build` sees them. */
const reg = (value: number): Register => value as Register;
const immediate = (value: number): Source => ({ kind: "immediate", value });
const register = (value: number): Source => ({ kind: "register", register: reg(value) });

type Facts = Pick<InstructionForm, "cpu" | "since" | "group">;
type Build = InstructionForm["build"];

function form(
  name: string,
  opcode: number,
  fields: readonly FieldName[],
  facts: Facts & { readonly match?: Partial<InstructionFields> },
  build: Build,
): InstructionForm {
  const { match = {}, cpu, since, group } = facts;
  return { name, opcode, fields, match, cpu, since, group, build };
}

const base = { cpu: "v1", since: "3.18" } as const;
const v4 = { cpu: "v4", since: "6.6" } as const;

const toRegister: readonly FieldName[] = ["dst"];
const fromImmediate: readonly FieldName[] = ["dst", "imm"];
const fromRegister: readonly FieldName[] = ["dst", "src"];
const memory: readonly FieldName[] = ["dst", "src", "offset"];
const memoryImmediate: readonly FieldName[] = ["dst", "offset", "imm"];

function aluForms(op: AluOp): InstructionForm[] {
  const { code, offset, divmul } = aluOps[op];
  return widths.flatMap((width) => {
    const opcode = code | (width === 64 ? classes.alu64 : classes.alu);
    const group: ConformanceGroup = divmul ? `divmul${width}` : `base${width}`;
    const facts = offset === undefined ? { group, ...base } : { group, match: { offset }, ...v4 };
    return [
      form(`${op}${width}_imm`, opcode, fromImmediate, facts, (f) => {
        return { kind: "alu", op, width, dst: reg(f.dst), src: immediate(f.imm) };
      }),
      form(`${op}${width}_reg`, opcode | sourceRegister, fromRegister, facts, (f) => {
        return { kind: "alu", op, width, dst: reg(f.dst), src: register(f.src) };
      }),
    ];
  });
}

function moveForms(): InstructionForm[] {
  return widths.flatMap((width) => {
    const arithmetic = width === 64 ? classes.alu64 : classes.alu;
    const group: ConformanceGroup = `base${width}`;
    const opcode = aluOps.mov.code | sourceRegister | arithmetic;
    const narrower = ([8, 16, 32] as const).filter((from) => from < width);
    return [
      form(`neg${width}`, 0x80 | arithmetic, toRegister, { group, ...base }, (f) => {
        return { kind: "neg", width, dst: reg(f.dst) };
      }),
      ...narrower.map((from) => {
        const facts = { match: { offset: from }, group, ...v4 };
        return form(`movsx${width}_${from}`, opcode, fromRegister, facts, (f) => {
          return { kind: "movsx", from, width, dst: reg(f.dst), src: reg(f.src) };
        });
      }),
    ];
  });
}

const endianOps = [
  { op: "le", opcode: 0xd4, era: base },
  { op: "be", opcode: 0xdc, era: base },
  { op: "bswap", opcode: 0xd7, era: v4 },
] as const;

function endianForms(): InstructionForm[] {
  return endianOps.flatMap(({ op, opcode, era }) =>
    ([16, 32, 64] as const).map((bits) => {
      const group: ConformanceGroup = bits === 64 ? "base64" : "base32";
      const facts = { match: { imm: bits }, group, ...era };
      return form(`${op}${bits}`, opcode, toRegister, facts, (f) => {
        return { kind: "endian", op, bits, dst: reg(f.dst) };
      });
    }),
  );
}

/** Names of the 64-bit immediate loads, by src_reg (RFC 9669 section 5.4). */
export const imm64Forms = [
  { source: 0, name: "ld_imm64", since: "3.18" },
  { source: 1, name: "ld_map_fd", since: "3.18" },
  { source: 2, name: "ld_map_value", since: "5.2" },
  { source: 3, name: "ld_btf_id", since: "5.10" },
  { source: 4, name: "ld_func", since: "5.13" },
  { source: 5, name: "ld_map_idx", since: "5.14" },
  { source: 6, name: "ld_map_idx_value", since: "5.14" },
] as const satisfies readonly { source: Imm64Source; name: string; since: string }[];

/** imm and next_imm as one unsigned 64-bit number. */
export function joinImmediates(imm: number, nextImm: number): bigint {
  return (BigInt(nextImm >>> 0) << 32n) | BigInt(imm >>> 0);
}

function imm64LoadForms(): InstructionForm[] {
  return imm64Forms.map(({ source, name, since }) => {
    const facts = { match: { src: source }, cpu: "v1", since, group: "base64" } as const;
    return form(name, 0x18, ["dst", "imm", "nextImm"], facts, (f) => {
      const value = joinImmediates(f.imm, f.nextImm);
      return { kind: "load_imm64", dst: reg(f.dst), source, value };
    });
  });
}

function memoryForms(size: AccessSize): InstructionForm[] {
  const bits = size * 8;
  const facts: Facts = { group: size === 8 ? "base64" : "base32", ...base };
  const code = sizeCodes[size];
  return [
    form(`ldx${bits}`, classes.ldx | modes.mem | code, memory, facts, (f) => {
      const place = { base: reg(f.src), offset: f.offset };
      return { kind: "load", size, signed: false, dst: reg(f.dst), ...place };
    }),
    form(`st${bits}`, classes.st | modes.mem | code, memoryImmediate, facts, (f) => {
      return { kind: "store", size, base: reg(f.dst), offset: f.offset, src: immediate(f.imm) };
    }),
    form(`stx${bits}`, classes.stx | modes.mem | code, memory, facts, (f) => {
      return { kind: "store", size, base: reg(f.dst), offset: f.offset, src: register(f.src) };
    }),
  ];
}

/** Forms that exist below 8 bytes only: sign-extending loads and packet loads. */
function narrowForms(size: 1 | 2 | 4): InstructionForm[] {
  const bits = size * 8;
  const code = sizeCodes[size];
  const packet = { group: "packet", ...base } as const;
  const signExtending: Facts = { group: "base32", ...v4 };
  return [
    form(`ldxsx${bits}`, classes.ldx | modes.memsx | code, memory, signExtending, (f) => {
      const place = { base: reg(f.src), offset: f.offset };
      return { kind: "load", size, signed: true, dst: reg(f.dst), ...place };
    }),
    form(`ld_abs${bits}`, classes.ld | modes.abs | code, ["imm"], packet, (f) => {
      return { kind: "load_packet", mode: "abs", size, src: 0, imm: f.imm };
    }),
    form(`ld_ind${bits}`, classes.ld | modes.ind | code, ["src", "imm"], packet, (f) => {
      return { kind: "load_packet", mode: "ind", size, src: reg(f.src), imm: f.imm };
    }),
  ];
}

function atomicForms(size: 4 | 8): InstructionForm[] {
  const opcode = classes.stx | modes.atomic | sizeCodes[size];
  const group: ConformanceGroup = size === 8 ? "atomic64" : "atomic32";
  return keysOf(atomicOps).flatMap((op) => {
    const { code, syntax } = atomicOps[op];
    const fetchValues = syntax === undefined ? [true] : [false, true];
    return fetchValues.map((fetch) => {
      const isOldAdd = op === "add" && !fetch;
      const era = isOldAdd ? base : ({ cpu: "v3", since: "5.12" } as const);
      const infix = fetch && syntax !== undefined ? "fetch_" : "";
      const facts = { match: { imm: code | (fetch ? fetchFlag : 0) }, group, ...era };
      return form(`atomic_${infix}${op}${size * 8}`, opcode, memory, facts, (f) => {
        const place = { base: reg(f.dst), offset: f.offset };
        return { kind: "atomic", op, fetch, size, ...place, src: reg(f.src) };
      });
    });
  });
}

function orderedForms(size: AccessSize): InstructionForm[] {
  const opcode = classes.stx | modes.atomic | sizeCodes[size];
  const facts: Facts = { cpu: "v4", since: "6.15", group: "extension" };
  const acquire = { match: { imm: loadAcquireCode }, ...facts };
  const release = { match: { imm: storeReleaseCode }, ...facts };
  return [
    form(`load_acquire${size * 8}`, opcode, memory, acquire, (f) => {
      return { kind: "load_acquire", size, dst: reg(f.dst), base: reg(f.src), offset: f.offset };
    }),
    form(`store_release${size * 8}`, opcode, memory, release, (f) => {
      return { kind: "store_release", size, base: reg(f.dst), offset: f.offset, src: reg(f.src) };
    }),
  ];
}

function branchForms(op: JumpOp): InstructionForm[] {
  const { code, cpu, since } = jumpOps[op];
  return widths.flatMap((width) => {
    const name = `j${op}${width === 64 ? "" : "32"}`;
    const opcode = code | (width === 64 ? classes.jmp : classes.jmp32);
    const facts: Facts =
      width === 64 ? { cpu, since, group: "base64" } : { cpu: "v3", since: "5.1", group: "base32" };
    return [
      form(`${name}_imm`, opcode, memoryImmediate, facts, (f) => {
        const source = { dst: reg(f.dst), src: immediate(f.imm) };
        return { kind: "branch", op, width, ...source, offset: f.offset };
      }),
      form(`${name}_reg`, opcode | sourceRegister, memory, facts, (f) => {
        const source = { dst: reg(f.dst), src: register(f.src) };
        return { kind: "branch", op, width, ...source, offset: f.offset };
      }),
    ];
  });
}

const helperCall = { match: { src: 0 }, group: "base32", ...base } as const;
const localCall = { match: { src: 1 }, cpu: "v1", since: "4.16", group: "base32" } as const;
const kfuncCall = { match: { src: 2 }, cpu: "v3", since: "5.13", group: "base32" } as const;
const spaceCast = { match: { offset: 1 }, cpu: "v3", since: "6.9", group: "extension" } as const;

const controlForms = (): InstructionForm[] => [
  form("ja", 0x05, ["offset"], { group: "base32", ...base }, (f) => {
    return { kind: "jump", long: false, offset: f.offset };
  }),
  form("gotol", 0x06, ["imm"], { group: "base32", ...v4 }, (f) => {
    return { kind: "jump", long: true, offset: f.imm };
  }),
  form("may_goto", 0xe5, ["offset"], { cpu: "v3", since: "6.9", group: "extension" }, (f) => {
    return { kind: "may_goto", offset: f.offset };
  }),
  form("call_helper", 0x85, ["imm"], helperCall, (f) => {
    return { kind: "call", target: "helper", imm: f.imm, offset: 0 };
  }),
  form("call_local", 0x85, ["imm"], localCall, (f) => {
    return { kind: "call", target: "local", imm: f.imm, offset: 0 };
  }),
  form("call_kfunc", 0x85, ["imm", "offset"], kfuncCall, (f) => {
    return { kind: "call", target: "kfunc", imm: f.imm, offset: f.offset };
  }),
  form("callx", 0x8d, toRegister, { cpu: "v1", since: undefined, group: "extension" }, (f) => {
    return { kind: "callx", target: reg(f.dst) };
  }),
  form("gotox", 0x0d, toRegister, { cpu: "v4", since: "6.19", group: "extension" }, (f) => {
    return { kind: "gotox", target: reg(f.dst) };
  }),
  form("exit", 0x95, [], { group: "base32", ...base }, () => ({ kind: "exit" })),
  form("addr_space_cast", 0xbf, ["dst", "src", "imm"], spaceCast, (f) => {
    return { kind: "addr_space_cast", dst: reg(f.dst), src: reg(f.src), imm: f.imm };
  }),
];

/** Rows that were asked for, by name: an object has a few dozen of them. */
const formsByName = new Map<string, InstructionForm>();

/** A row as it was made first. */
function kept(form: InstructionForm): InstructionForm {
  const known = formsByName.get(form.name);
  if (known === undefined) formsByName.set(form.name, form);
  return known ?? form;
}

/** All forms: no two share an opcode and match. */
export const instructionForms = lazy((): readonly InstructionForm[] =>
  [
    ...keysOf(aluOps).flatMap(aluForms),
    ...moveForms(),
    ...endianForms(),
    ...imm64LoadForms(),
    ...accessSizes.flatMap(memoryForms),
    ...([1, 2, 4] as const).flatMap(narrowForms),
    ...([4, 8] as const).flatMap(atomicForms),
    ...accessSizes.flatMap(orderedForms),
    ...keysOf(jumpOps).flatMap(branchForms),
    ...controlForms(),
  ].map(kept),
);

/** Rows among which an instruction's is, where it has one. */
function formsAround(insn: Instruction): readonly InstructionForm[] {
  switch (insn.kind) {
    case "alu":
      return aluForms(insn.op);
    case "movsx":
    case "neg":
      return moveForms();
    case "endian":
      return endianForms();
    case "load_imm64":
      return imm64LoadForms();
    case "load":
    case "store":
      return [...memoryForms(insn.size), ...(insn.size === 8 ? [] : narrowForms(insn.size))];
    case "load_packet":
      return narrowForms(insn.size);
    case "atomic":
      return atomicForms(insn.size);
    case "load_acquire":
    case "store_release":
      return orderedForms(insn.size);
    case "branch":
      return branchForms(insn.op);
    case "jump":
    case "call":
    case "addr_space_cast":
    case "may_goto":
    case "callx":
    case "gotox":
    case "exit":
      return controlForms();
  }
}

/** The table's name for an instruction's form. */
function formName(insn: Instruction): string {
  switch (insn.kind) {
    case "alu":
      return `${insn.op}${insn.width}_${insn.src.kind === "register" ? "reg" : "imm"}`;
    case "movsx":
      return `movsx${insn.width}_${insn.from}`;
    case "neg":
      return `neg${insn.width}`;
    case "endian":
      return `${insn.op}${insn.bits}`;
    case "load_imm64":
      return imm64Forms[insn.source].name;
    case "load":
      return `ldx${insn.signed ? "sx" : ""}${insn.size * 8}`;
    case "store":
      return `st${insn.src.kind === "register" ? "x" : ""}${insn.size * 8}`;
    case "atomic": {
      const hasPlainForm = atomicOps[insn.op].syntax !== undefined;
      return `atomic_${hasPlainForm && insn.fetch ? "fetch_" : ""}${insn.op}${insn.size * 8}`;
    }
    case "load_acquire":
    case "store_release":
      return `${insn.kind}${insn.size * 8}`;
    case "load_packet":
      return `ld_${insn.mode}${insn.size * 8}`;
    case "jump":
      return insn.long ? "gotol" : "ja";
    case "branch": {
      const source = insn.src.kind === "register" ? "reg" : "imm";
      return `j${insn.op}${insn.width === 32 ? "32" : ""}_${source}`;
    }
    case "call":
      return `call_${insn.target}`;
    case "addr_space_cast":
    case "may_goto":
    case "callx":
    case "gotox":
    case "exit":
      return insn.kind;
  }
}

/** The row of an instruction; undefined for combinations that do not exist (a signed 8-byte load). */
export function formOf(insn: Instruction): InstructionForm | undefined {
  const name = formName(insn);
  if (!formsByName.has(name)) formsAround(insn).forEach(kept);
  return formsByName.get(name);
}
