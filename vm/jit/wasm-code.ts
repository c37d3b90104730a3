/** The instructions that a function's body is written with, above its bytes. */
import { bulk, op, WasmBytes } from "./wasm-writer.ts";

export class WasmCode extends WasmBytes {
  op(...opcodes: readonly number[]): void {
    for (const opcode of opcodes) this.byte(opcode);
  }

  get(local: number): void {
    this.byte(op.localGet);
    this.unsigned(local);
  }

  set(local: number): void {
    this.byte(op.localSet);
    this.unsigned(local);
  }

  tee(local: number): void {
    this.byte(op.localTee);
    this.unsigned(local);
  }

  const32(value: number): void {
    this.byte(op.i32Const);
    this.signed(value | 0);
  }

  const64(value: bigint): void {
    this.byte(op.i64Const);
    this.signed64(BigInt.asIntN(64, value));
  }

  /** A load or store; no alignment is promised. */
  memory(opcode: number, offset: number): void {
    this.byte(opcode);
    this.unsigned(0);
    this.unsigned(offset);
  }

  /** `if`, `block` or `loop` with the type of what it leaves. */
  open(opcode: number, type: number): void {
    this.byte(opcode);
    this.byte(type);
  }

  branch(opcode: number, depth: number): void {
    this.byte(opcode);
    this.unsigned(depth);
  }

  simd(opcode: number, ...lanes: readonly number[]): void {
    this.byte(0xfd);
    this.unsigned(opcode);
    for (const lane of lanes) this.byte(lane);
  }

  /** A load of a vector's lowest lane; no alignment is promised. */
  simdLoad(opcode: number, offset: number): void {
    this.simd(opcode);
    this.unsigned(0);
    this.unsigned(offset);
  }

  /** memory.fill of the only memory. */
  fill(): void {
    this.byte(0xfc);
    this.byte(bulk.memoryFill);
    this.byte(0);
  }

  saturate(opcode: number): void {
    this.byte(0xfc);
    this.byte(opcode);
  }

  call(index: number): void {
    this.byte(op.call);
    this.unsigned(index);
  }
}
