/** Registers and states as the log shows them. */
import { printScalarParts, printSigned, printUnsigned } from "../../common/domain/scalar-print.ts";
import type { Env } from "./env.ts";
import { isPreciseReg, isPreciseSlot } from "./precision-marks.ts";
import type { Reg } from "./reg.ts";
import { isPacketKind, kind, kindOf, typeFlag, typeName } from "./reg-types.ts";
import { byteKind, byteOf, type Frame, isSpilledReg, type Slot, type State } from "./state.ts";

function isMapKind(type: number): boolean {
  const base = kindOf(type);
  return base === kind.mapPtr || base === kind.mapKey || base === kind.mapValue;
}

function idParts(reg: Reg): string[] {
  const parts: string[] = [];
  if (reg.id !== 0) {
    const sign = reg.off >= 0 ? "+" : "";
    parts.push(`id=${reg.id}${reg.link !== 0 ? `${sign}${reg.off}` : ""}`);
  }
  if (reg.refObjId !== 0) parts.push(`ref_obj_id=${reg.refObjId}`);
  if ((reg.type & typeFlag.nonOwningRef) !== 0) parts.push("non_own_ref");
  return parts;
}

function pointerParts(reg: Reg): string[] {
  const parts: string[] = [];
  if (isMapKind(reg.type) && reg.map !== undefined) {
    if (reg.map.name !== "") parts.push(`map=${reg.map.name}`);
    parts.push(`ks=${reg.map.keySize}`, `vs=${reg.map.valueSize}`);
  }
  if (reg.off !== 0) parts.push(`off=${printSigned(BigInt(reg.off))}`);
  if (isPacketKind(reg.type)) {
    parts.push(`r=${printUnsigned(BigInt.asUintN(64, BigInt(reg.range)))}`);
  }
  if (kindOf(reg.type) === kind.mem) parts.push(`sz=${printUnsigned(BigInt(reg.range))}`);
  if (reg.type === kind.dynptr && reg.dynptr) parts.push(`type=${reg.dynptr.type}`);
  return parts;
}

/** One register, e.g. `scalar(id=1,smin=0)`, `fp-8`, `map_value(map=m,ks=4,vs=8)`. */
export function printReg(reg: Reg, frame: number, isPrecise = false): string {
  const { scalar, type } = reg;
  const isConstant = scalar.mask === 0n;
  const signed = BigInt.asIntN(64, scalar.value);
  if (type === kind.scalar && isConstant) return `${isPrecise ? "P" : ""}${printSigned(signed)}`;
  let text = (type === kind.scalar && isPrecise ? "P" : "") + typeName(type);
  if (type === kind.arena) return text;
  if (type === kind.stack) {
    if (reg.frame !== frame) text += `[${reg.frame}]`;
    if (isConstant) return text + printSigned(signed + BigInt(reg.off));
  }
  if (kindOf(type) === kind.btfId) text += reg.btfName;
  const parts = idParts(reg);
  if (type !== kind.scalar) parts.push(...pointerParts(reg));
  if (isConstant) {
    if (scalar.value !== 0n) parts.push(`imm=${printSigned(signed)}`);
  } else {
    parts.push(...printScalarParts(scalar));
  }
  return `${text}(${parts.join(",")})`;
}

const byteLetters = ["?", "r", "m", "0", "d", "i", "f"];

function slotLetters(slot: Slot): string {
  let letters = "";
  for (let i = 0; i < 8; i += 1) letters += byteLetters[byteOf(slot, i)] ?? "?";
  return letters;
}

function printSpill(slot: Slot, frame: Frame, index: number): string {
  const { reg } = slot;
  let letters = "";
  for (let i = 0; i < 8; i += 1) {
    const type = byteOf(slot, i);
    letters += type === byteKind.spill ? "" : (byteLetters[type] ?? "?");
  }
  const name = `fp${-(index + 1) * 8}`;
  const value = printReg(reg, frame.frameNo, isPreciseSlot(frame, index));
  return letters === "" ? `${name}=${value}` : `${name}=${letters}${value}`;
}

/** One slot of a frame, as `fp-8=…`; undefined if nothing was stored there. */
export function printSlot(slot: Slot, frame: Frame, index: number): string | undefined {
  if (slot.types === 0) return undefined;
  const name = `fp${-(index + 1) * 8}`;
  if (isSpilledReg(slot)) return printSpill(slot, frame, index);
  if (byteOf(slot, 7) === byteKind.dynptr) {
    const info = slot.reg.dynptr;
    if (info === undefined || !info.isFirst) return undefined;
    const parts = [`id=${slot.reg.id}`];
    if (slot.reg.refObjId !== 0) parts.push(`ref_id=${slot.reg.refObjId}`);
    // The kernel shows the mark of the first half under this name.
    parts.push("dynptr_id=1");
    return `${name}=dynptr_${info.type}(${parts.join(",")})`;
  }
  if (byteOf(slot, 7) === byteKind.iter) {
    const { iterator, refObjId, btfName } = slot.reg;
    if (iterator === undefined || refObjId === 0) return undefined;
    return `${name}=${btfName}(ref_id=${refObjId},state=${iterator.state},depth=${iterator.depth})`;
  }
  return `${name}=${slotLetters(slot)}`;
}

function isScratched(env: Env, index: number): boolean {
  const mask = index < 32 ? env.scratchedLow : env.scratchedHigh;
  return (mask & (1 << (index & 31))) !== 0;
}

/** One frame of a state, all of it or what the last instruction touched. */
export function printState(env: Env, state: State, frameNo: number, all: boolean): string {
  const frame = state.frames[frameNo]!;
  let text = frameNo > 0 ? ` frame${frameNo}:` : "";
  frame.regs.forEach((reg, r) => {
    if (reg.type === kind.notInit) return;
    if (!all && (env.scratchedRegs & (1 << r)) === 0) return;
    text += ` R${r}=${printReg(reg, frame.frameNo, isPreciseReg(frame, r))}`;
  });
  frame.stack.forEach((slot, index) => {
    if (!all && !isScratched(env, index)) return;
    const printed = printSlot(slot, frame, index);
    if (printed !== undefined) text += ` ${printed}`;
  });
  text += referenceText(state);
  if (frame.callback !== undefined) text += frame.callback.isAsync ? " async_cb" : " cb";
  if (!all) env.cleanScratched();
  return text;
}

function referenceText(state: State): string {
  let text = "";
  if (state.refs.length > 0 && state.refs[0]!.id !== 0) {
    text += ` refs=${state.refs.map((ref) => ref.id).join(",")}`;
  }
  return text;
}

const alignment = 8;
const stateColumn = 40;

/** Adds the changed registers behind the instruction just printed. */
export function traceInsnState(env: Env): void {
  const { state, log } = env;
  const frame = state.frames.length - 1;
  const length = log.insnLength;
  if (length !== undefined) {
    log.unwind(1);
    const column = Math.max(length + alignment / 2, stateColumn);
    const width = Math.ceil(column / alignment) * alignment - length - 1;
    log.trace(`${" ".repeat(width)};`);
  } else {
    log.trace(`${env.insn}:`);
  }
  log.trace(`${printState(env, state, frame, false)}\n`);
}
