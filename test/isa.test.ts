/** The instruction table against facts that were measured on LLVM 19 and Linux 6.18. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  byteSwap,
  evaluateAlu,
  evaluateAtomic,
  evaluateEndian,
  evaluateJump,
  evaluateNegate,
  signExtend,
} from "../common/isa/arithmetic.ts";
import { decodeInstruction, decodeProgram } from "../common/isa/decode.ts";
import { encodeInstruction, encodeProgram } from "../common/isa/encode.ts";
import type { Instruction } from "../common/isa/instruction.ts";
import {
  formOf,
  type InstructionFields,
  type InstructionForm,
  instructionForms,
} from "../common/isa/instructions.ts";
import { printInstruction } from "../common/isa/print.ts";

interface IsaRecord {
  readonly id: string;
  readonly opcode: string;
  readonly match: Readonly<Record<string, number>>;
  readonly fields: readonly string[];
  readonly semantics: string;
  readonly group: string;
  readonly cpu: string;
  readonly since: string | null;
  readonly asm: { readonly llvm: string | null; readonly kernel: string | null };
  readonly example: string;
}

const file = join(import.meta.dirname, "cases/isa/isa.json.gz");
const { records } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as {
  records: readonly IsaRecord[];
};
const byName = new Map(instructionForms().map((form) => [form.name, form]));

/** The field names of the records, in our words. */
const renamed: Readonly<Record<string, string>> = {
  off: "offset",
  src_reg: "src",
  next_imm: "nextImm",
};
const rename = (name: string): string => renamed[name] ?? name;

const hexBytes = (text: string): Uint8Array =>
  Uint8Array.from(text.split(" ").map((byte) => Number.parseInt(byte, 16)));

/** Operand values at the borders of every field. */
function operandShapes(form: InstructionForm): InstructionFields[] {
  const values: Readonly<Record<string, readonly number[]>> = {
    dst: [0, 1, 10],
    src: [0, 2, 9, 10],
    offset: [0, 5, -1, 32767, -32768],
    imm: [0, 7, -1, 2147483647, -2147483648],
    nextImm: [0, 1, -1, 2147483647, -2147483648],
  };
  let shapes: InstructionFields[] = [{ dst: 0, src: 0, offset: 0, imm: 0, nextImm: 0 }];
  for (const field of form.fields) {
    shapes = shapes.flatMap((s) => (values[field] ?? []).map((v) => ({ ...s, [field]: v })));
  }
  return shapes.map((shape) => ({ ...shape, ...form.match }));
}

describe("instruction table", () => {
  test("has exactly the recorded forms", () => {
    expect([...byName.keys()].sort()).toEqual(records.map((r) => r.id).sort());
    expect(instructionForms().length).toBe(182);
  });

  test.each(records)("$id agrees with the record", (record) => {
    const form = byName.get(record.id);
    expect(form?.opcode).toBe(Number(record.opcode));
    expect(form?.fields.toSorted()).toEqual(record.fields.map(rename).toSorted());
    // A record lists zeroes of unused fields too; the table keeps only what tells forms apart.
    const match = Object.entries(record.match).map(([name, value]) => [rename(name), value]);
    const zeroes = { dst: 0, src: 0, offset: 0, imm: 0, nextImm: 0 };
    expect({ ...zeroes, ...form?.match }).toEqual({ ...zeroes, ...Object.fromEntries(match) });
    expect(form?.since).toBe(record.since ?? undefined);
    const cpu = /^v\d/.exec(record.cpu)?.[0];
    if (cpu !== undefined) expect(form?.cpu).toBe(cpu);
    const group = record.group.includes("not in") || record.group.includes("(not");
    expect(form?.group).toBe(group ? "extension" : record.group);
  });

  test.each(records)("$id decodes its example and prints it", (record) => {
    const bytes = hexBytes(record.example);
    const decoded = decodeInstruction(bytes, 0, "little");
    expect(decoded.ok).toBe(true);
    if (!decoded.ok) return;
    expect(formOf(decoded.insn)?.name).toBe(record.id);
    expect(encodeInstruction(decoded.insn, "little")).toEqual(bytes);
    const text = printInstruction(decoded.insn).replace("\t", " ");
    // LLVM has no text for these: its printer shows them as other instructions.
    const own: Readonly<Record<string, string>> = {
      call_local: "call pc+5",
      call_kfunc: "call kfunc 7",
      ld_ind8: "r0 = *(u8 *)skb[r2 + 7]",
      ld_ind16: "r0 = *(u16 *)skb[r2 + 7]",
      ld_ind32: "r0 = *(u32 *)skb[r2 + 7]",
    };
    expect(text).toBe(own[record.id] ?? record.asm.llvm);
  });

  test("decode inverts encode for every form, operand shape and byte order", () => {
    let count = 0;
    for (const form of instructionForms()) {
      for (const shape of operandShapes(form)) {
        const insn = form.build(shape);
        expect(formOf(insn)).toBe(form);
        for (const endian of ["little", "big"] as const) {
          const decoded = decodeInstruction(encodeInstruction(insn, endian), 0, endian);
          expect(decoded).toEqual({ ok: true, insn, slots: form.opcode === 0x18 ? 2 : 1 });
          count += 1;
        }
      }
    }
    expect(count).toBeGreaterThan(10_000);
  });

  test("no two forms encode alike", () => {
    const seen = new Map<string, string>();
    for (const form of instructionForms()) {
      for (const shape of operandShapes(form)) {
        const key = encodeInstruction(form.build(shape), "little").toString();
        expect(seen.get(key) ?? form.name).toBe(form.name);
        seen.set(key, form.name);
      }
    }
  });

  test("a field that a form does not use must be zero", () => {
    const bits = { dst: [1, 0x01], src: [1, 0x10], offset: [2, 0x40], imm: [4, 0x08] } as const;
    for (const form of instructionForms()) {
      const shape = { dst: 0, src: 0, offset: 0, imm: 0, nextImm: 0, ...form.match };
      for (const [name, [at, bit]] of Object.entries(bits)) {
        if (form.fields.some((field) => field === name)) continue;
        const bytes = encodeInstruction(form.build(shape), "little");
        bytes[at] = (bytes[at] ?? 0) ^ bit;
        const decoded = decodeInstruction(bytes, 0, "little");
        if (decoded.ok) expect(formOf(decoded.insn)).not.toBe(form);
        else expect(decoded.problem).toBe("reserved-fields");
      }
    }
  });

  test("bytes that are no instruction are reported with their slot", () => {
    const exit = encodeProgram([{ kind: "exit" }], "little");
    const bad = hexBytes("ff 00 00 00 00 00 00 00");
    expect(decodeProgram(Uint8Array.from([...exit, ...bad]), "little")).toMatchObject({
      ok: false,
      slot: 1,
      problem: "unknown-opcode",
    });
    expect(decodeProgram(exit.subarray(0, 5), "little")).toMatchObject({ problem: "truncated" });
    const half = hexBytes("18 01 00 00 05 00 00 00");
    expect(decodeProgram(half, "little")).toMatchObject({ problem: "truncated" });
    const register = hexBytes("bf bc 00 00 00 00 00 00");
    expect(decodeProgram(register, "little")).toMatchObject({ problem: "bad-register" });
  });
});

const haveObjdump = existsSync("/usr/bin/llvm-objdump-19") && existsSync("/usr/bin/llvm-mc-19");

test.skipIf(!haveObjdump && process.env["CI"] !== "true")(
  "llvm-mc and llvm-objdump agree with the printer on every form that they know",
  () => {
    const unknown = /^(load_acquire|store_release|gotox|call_local|call_kfunc|ld_ind)/;
    const insns: Instruction[] = [];
    for (const form of instructionForms()) {
      if (unknown.test(form.name)) continue;
      const shape = { dst: 1, src: 2, offset: -5, imm: 7, nextImm: 0, ...form.match };
      if (form.name === "ld_imm64") insns.push(form.build({ ...shape, nextImm: -2 }));
      insns.push(form.build(shape));
    }
    const folder = mkdtempSync(join(tmpdir(), "bpfc-isa-"));
    const [source, object] = [join(folder, "a.s"), join(folder, "a.o")];
    writeFileSync(source, insns.map((insn) => `${printInstruction(insn)}\n`).join(""));
    execFileSync("llvm-mc-19", [
      ...["-triple", "bpfel", "-mcpu=v4", "-filetype=obj", "-o", object, source],
    ]);
    const code = readFileSync(object);
    const bytes = encodeProgram(insns, "little");
    expect(code.includes(Buffer.from(bytes))).toBe(true);
    for (const hex of [false, true]) {
      const listing = execFileSync("llvm-objdump-19", [
        ...["-d", "--mcpu=v4", "--no-show-raw-insn", object],
        ...(hex ? [] : ["--no-print-imm-hex"]),
      ]).toString();
      const lines = [...listing.matchAll(/^\s*\d+:\s+(.*?)(?: <[^ ]*>)?$/gm)].map((m) => m[1]);
      expect(lines).toEqual(insns.map((insn) => printInstruction(insn, { hex })));
    }
  },
);

describe("arithmetic", () => {
  const max = (1n << 64n) - 1n;

  test("division and modulo by zero and at the signed border", () => {
    expect(evaluateAlu("div", 64, 7n, 0n)).toBe(0n);
    expect(evaluateAlu("sdiv", 64, 7n, 0n)).toBe(0n);
    expect(evaluateAlu("mod", 64, 7n, 0n)).toBe(7n);
    expect(evaluateAlu("smod", 32, max, 0n)).toBe(0xffffffffn);
    expect(evaluateAlu("sdiv", 64, 1n << 63n, max)).toBe(1n << 63n);
    expect(evaluateAlu("smod", 64, 1n << 63n, max)).toBe(0n);
    expect(evaluateAlu("sdiv", 32, 0x80000000n, max)).toBe(0x80000000n);
    expect(evaluateAlu("sdiv", 64, BigInt.asUintN(64, -7n), 2n)).toBe(BigInt.asUintN(64, -3n));
    expect(evaluateAlu("smod", 64, BigInt.asUintN(64, -7n), 2n)).toBe(max);
    expect(evaluateAlu("div", 32, -1n, 2n)).toBe(0x7fffffffn);
  });

  test("32-bit results are zero-extended and shifts are masked", () => {
    expect(evaluateAlu("add", 32, max, 1n)).toBe(0n);
    expect(evaluateAlu("sub", 32, 0n, 1n)).toBe(0xffffffffn);
    expect(evaluateAlu("lsh", 32, 1n, 33n)).toBe(2n);
    expect(evaluateAlu("lsh", 64, 1n, 65n)).toBe(2n);
    expect(evaluateAlu("arsh", 32, 0x80000000n, 31n)).toBe(0xffffffffn);
    expect(evaluateAlu("arsh", 64, 1n << 63n, 63n)).toBe(max);
    expect(evaluateAlu("rsh", 64, max, -1n)).toBe(1n);
    expect(evaluateAlu("mov", 32, 0n, -1n)).toBe(0xffffffffn);
    expect(evaluateNegate(32, 1n)).toBe(0xffffffffn);
    expect(evaluateNegate(64, 1n)).toBe(max);
  });

  test("conditions", () => {
    expect(evaluateJump("gt", 64, -1n, 0n)).toBe(true);
    expect(evaluateJump("sgt", 64, -1n, 0n)).toBe(false);
    expect(evaluateJump("slt", 32, 0x80000000n, 0n)).toBe(true);
    expect(evaluateJump("slt", 64, 0x80000000n, 0n)).toBe(false);
    expect(evaluateJump("set", 32, 1n << 32n, max)).toBe(false);
    expect(evaluateJump("eq", 32, 1n << 32n, 0n)).toBe(true);
  });

  test("sign extension, byte swaps, atomics", () => {
    expect(signExtend(0x80n, 8)).toBe(max - 127n);
    expect(signExtend(0x80n, 8, 32)).toBe(0xffffff80n);
    expect(byteSwap(0x1122334455667788n, 64)).toBe(0x8877665544332211n);
    expect(evaluateEndian("be", 16, 0x112233n, "little")).toBe(0x3322n);
    expect(evaluateEndian("be", 16, 0x112233n, "big")).toBe(0x2233n);
    expect(evaluateEndian("le", 32, 0x1122334455n, "little")).toBe(0x22334455n);
    expect(evaluateEndian("bswap", 32, 0x11223344n, "big")).toBe(0x44332211n);
    expect(evaluateAtomic("cmpxchg", 32, 5n, 9n, (1n << 32n) + 5n)).toBe(9n);
    expect(evaluateAtomic("add", 32, 0xffffffffn, 2n, 0n)).toBe(1n);
  });
});
