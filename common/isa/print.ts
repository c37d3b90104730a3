/**
 * Instruction → text in the C-like syntax of LLVM and the kernel, as `llvm-objdump` prints it.
 * Forms that LLVM 19 does not know are printed as newer LLVM versions do; local and kfunc calls
 * without a symbol as `call pc+N` and `call kfunc N, M`.
 */
import type { AccessSize, Instruction, Register, Source } from "./instruction.ts";
import { aluOps, atomicOps, jumpOps } from "./instructions.ts";

export interface PrintOptions {
  /** Text for the jump target, called function or 64-bit value instead of the number. */
  readonly target?: string;
  /** Immediates and offsets in hexadecimal, as `llvm-objdump -d` has them by default. */
  readonly hex?: boolean;
}

type NumberText = (value: number | bigint) => string;

const decimal: NumberText = (value) => value.toString();
const hexadecimal: NumberText = (value) =>
  value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;

const wide = (r: Register): string => `r${r}`;
const named = (r: Register, width: number): string => `${width === 32 ? "w" : "r"}${r}`;

function sourceText(source: Source, width: number, text: NumberText): string {
  return source.kind === "register" ? named(source.register, width) : text(source.value);
}

/** `r1 + 4`, `r1 - 8`. */
function address(base: Register, offset: number, text: NumberText): string {
  return offset < 0 ? `r${base} - ${text(-offset)}` : `r${base} + ${text(offset)}`;
}

function pointer(size: AccessSize, signed = false): string {
  return `(${signed ? "s" : "u"}${size * 8} *)`;
}

const accessWidth = (size: AccessSize): number => (size === 8 ? 64 : 32);

function relative(offset: number, options: PrintOptions, text: NumberText): string {
  if (options.target !== undefined) return options.target;
  return offset < 0 ? text(offset) : `+${text(offset)}`;
}

function atomicText(insn: Instruction & { kind: "atomic" }, text: NumberText): string {
  const width = accessWidth(insn.size);
  const source = named(insn.src, width);
  const place = address(insn.base, insn.offset, text);
  const suffix = insn.size === 8 ? "_64" : "32_32";
  if (insn.op === "xchg") return `${source} = xchg${suffix}(${place}, ${source})`;
  if (insn.op === "cmpxchg") {
    const expected = named(0, width);
    return `${expected} = cmpxchg${suffix}(${place}, ${expected}, ${source})`;
  }
  const memory = `${pointer(insn.size)}(${place})`;
  if (insn.fetch) return `${source} = atomic_fetch_${insn.op}(${memory}, ${source})`;
  return `lock *${memory} ${atomicOps[insn.op].syntax} ${source}`;
}

function callText(
  insn: Instruction & { kind: "call" },
  options: PrintOptions,
  text: NumberText,
): string {
  if (options.target !== undefined) return `call ${options.target}`;
  if (insn.target === "helper") return `call ${text(insn.imm)}`;
  if (insn.target === "local") return `call pc${insn.imm < 0 ? "" : "+"}${text(insn.imm)}`;
  return `call kfunc ${text(insn.imm)}${insn.offset === 0 ? "" : `, ${text(insn.offset)}`}`;
}

/** One instruction as assembly text. */
export function printInstruction(insn: Instruction, options: PrintOptions = {}): string {
  const text = options.hex === true ? hexadecimal : decimal;
  switch (insn.kind) {
    case "alu": {
      const source = sourceText(insn.src, insn.width, text);
      return `${named(insn.dst, insn.width)} ${aluOps[insn.op].syntax} ${source}`;
    }
    case "movsx":
      return `${named(insn.dst, insn.width)} = (s${insn.from})${named(insn.src, insn.width)}`;
    case "neg":
      return `${named(insn.dst, insn.width)} = -${named(insn.dst, insn.width)}`;
    case "endian":
      return `${wide(insn.dst)} = ${insn.op}${insn.bits} ${wide(insn.dst)}`;
    case "load_imm64": {
      const value = options.target ?? text(BigInt.asIntN(64, insn.value));
      if (insn.source === 0) return `${wide(insn.dst)} = ${value} ll`;
      return `ld_pseudo\t${wide(insn.dst)}, ${text(insn.source)}, ${value}`;
    }
    case "load": {
      const dst = named(insn.dst, insn.signed ? 64 : accessWidth(insn.size));
      const place = address(insn.base, insn.offset, text);
      return `${dst} = *${pointer(insn.size, insn.signed)}(${place})`;
    }
    case "store": {
      const place = address(insn.base, insn.offset, text);
      const source = sourceText(insn.src, accessWidth(insn.size), text);
      return `*${pointer(insn.size)}(${place}) = ${source}`;
    }
    case "atomic":
      return atomicText(insn, text);
    case "load_acquire": {
      const memory = `${pointer(insn.size)}(${address(insn.base, insn.offset, text)})`;
      return `${named(insn.dst, accessWidth(insn.size))} = load_acquire(${memory})`;
    }
    case "store_release": {
      const memory = `${pointer(insn.size)}(${address(insn.base, insn.offset, text)})`;
      return `store_release(${memory}, ${named(insn.src, accessWidth(insn.size))})`;
    }
    case "load_packet": {
      const place =
        insn.mode === "abs"
          ? text(insn.imm)
          : insn.imm === 0
            ? wide(insn.src)
            : address(insn.src, insn.imm, text);
      return `r0 = *${pointer(insn.size)}skb[${place}]`;
    }
    case "addr_space_cast": {
      const spaces = `${text(insn.imm >>> 16)}, ${text(insn.imm & 0xffff)}`;
      return `${wide(insn.dst)} = addr_space_cast(${wide(insn.src)}, ${spaces})`;
    }
    case "jump":
      return `${insn.long ? "gotol" : "goto"} ${relative(insn.offset, options, text)}`;
    case "branch": {
      const left = named(insn.dst, insn.width);
      const right = sourceText(insn.src, insn.width, text);
      const target = relative(insn.offset, options, text);
      return `if ${left} ${jumpOps[insn.op].syntax} ${right} goto ${target}`;
    }
    case "may_goto":
      return `may_goto ${relative(insn.offset, options, text)}`;
    case "call":
      return callText(insn, options, text);
    case "callx":
    case "gotox":
      return `${insn.kind} ${wide(insn.target)}`;
    case "exit":
      return "exit";
  }
}
