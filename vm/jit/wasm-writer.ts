/** Bytes of a WebAssembly module: LEB128 numbers, opcodes, sections. */

export const op = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  callIndirect: 0x11,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Load: 0x28,
  i64Load: 0x29,
  i32Load8U: 0x2d,
  i64Load8S: 0x30,
  i64Load8U: 0x31,
  i64Load16S: 0x32,
  i64Load16U: 0x33,
  i64Load32S: 0x34,
  i64Load32U: 0x35,
  i32Store: 0x36,
  i64Store: 0x37,
  i32Store8: 0x3a,
  i64Store8: 0x3c,
  i64Store16: 0x3d,
  i64Store32: 0x3e,
  i32Const: 0x41,
  i64Const: 0x42,
  i32Eqz: 0x45,
  i32Eq: 0x46,
  i32Ne: 0x47,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32GtS: 0x4a,
  i32GtU: 0x4b,
  i32LeS: 0x4c,
  i32LeU: 0x4d,
  i32GeS: 0x4e,
  i32GeU: 0x4f,
  i64Eqz: 0x50,
  i64Eq: 0x51,
  i64Ne: 0x52,
  i64LtS: 0x53,
  i64LtU: 0x54,
  i64GtS: 0x55,
  i64GtU: 0x56,
  i64LeS: 0x57,
  i64LeU: 0x58,
  i64GeS: 0x59,
  i64GeU: 0x5a,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32DivS: 0x6d,
  i32DivU: 0x6e,
  i32RemS: 0x6f,
  i32RemU: 0x70,
  i32And: 0x71,
  i32Or: 0x72,
  i32Xor: 0x73,
  i32Shl: 0x74,
  i32ShrS: 0x75,
  i32ShrU: 0x76,
  i32Rotl: 0x77,
  i64Add: 0x7c,
  i64Sub: 0x7d,
  i64Mul: 0x7e,
  i64DivS: 0x7f,
  i64DivU: 0x80,
  i64RemS: 0x81,
  i64RemU: 0x82,
  i64And: 0x83,
  i64Or: 0x84,
  i64Xor: 0x85,
  i64Shl: 0x86,
  i64ShrS: 0x87,
  i64ShrU: 0x88,
  i64Rotl: 0x89,
  f64Eq: 0x61,
  i32WrapI64: 0xa7,
  i64ExtendI32S: 0xac,
  i64ExtendI32U: 0xad,
  i32Extend8S: 0xc0,
  i32Extend16S: 0xc1,
  i64Extend8S: 0xc2,
  i64Extend16S: 0xc3,
  i64Extend32S: 0xc4,
} as const;

/** After the prefix 0xfc. */
export const saturation = { i64TruncF64S: 0x06 } as const;
export const bulk = { memoryFill: 0x0b } as const;
/** After the prefix 0xfd. */
export const simd = {
  v128Const: 0x0c,
  i8x16Swizzle: 0x0e,
  i32x4Splat: 0x11,
  i64x2Splat: 0x12,
  i32x4ExtractLane: 0x1b,
  i64x2ExtractLane: 0x1d,
  v128Load32Zero: 0x5c,
  v128Load64Zero: 0x5d,
} as const;

export const valueType = { i32: 0x7f, i64: 0x7e, f64: 0x7c, v128: 0x7b } as const;
export const emptyBlockType = 0x40;

/** A growing byte buffer. */
export class WasmBytes {
  #bytes = new Uint8Array(256);
  length = 0;

  #ensure(extra: number): void {
    if (this.length + extra <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + extra));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }

  byte(value: number): void {
    this.#ensure(1);
    this.#bytes[this.length] = value;
    this.length += 1;
  }

  unsigned(value: number): void {
    let rest = value;
    while (rest > 127) {
      this.byte((rest & 127) | 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  /** A signed 32-bit number. */
  signed(value: number): void {
    let rest = value;
    for (;;) {
      const low = rest & 127;
      rest >>= 7;
      const done = (rest === 0 && (low & 64) === 0) || (rest === -1 && (low & 64) !== 0);
      this.byte(done ? low : low | 128);
      if (done) return;
    }
  }

  signed64(value: bigint): void {
    if (value >= -0x8000_0000n && value <= 0x7fff_ffffn) {
      this.signed(Number(value));
      return;
    }
    let rest = value;
    for (;;) {
      const low = Number(rest & 127n);
      rest >>= 7n;
      const done = (rest === 0n && (low & 64) === 0) || (rest === -1n && (low & 64) !== 0);
      this.byte(done ? low : low | 128);
      if (done) return;
    }
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.unsigned(bytes.length);
    this.raw(bytes);
  }

  raw(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.length);
  }
}

export interface FunctionType {
  readonly params: readonly number[];
  readonly results: readonly number[];
}

export type ImportKind =
  | { readonly kind: "function"; readonly type: number }
  | { readonly kind: "memory" };

export interface ModuleParts {
  readonly types: readonly FunctionType[];
  readonly imports: readonly { readonly name: string; readonly what: ImportKind }[];
  /** Type index and body (locals included) of each function. */
  readonly functions: readonly { readonly type: number; readonly body: Uint8Array }[];
  /** Functions in the table, by index. */
  readonly table: readonly number[];
  readonly exports: readonly { readonly name: string; readonly index: number }[];
}

const magic = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const functionReference = 0x70;
/** The limit of the memory that vm/memory.ts makes. */
const maximumPages = 4096;

/** Assembles a module; all imports come from the module `env`. */
export function writeModule(parts: ModuleParts): Uint8Array<ArrayBuffer> {
  const out = new WasmBytes();
  out.raw(magic);
  const section = (id: number, count: number, write: (bytes: WasmBytes) => void): void => {
    const bytes = new WasmBytes();
    bytes.unsigned(count);
    write(bytes);
    out.byte(id);
    out.unsigned(bytes.length);
    out.raw(bytes.finish());
  };
  section(1, parts.types.length, (bytes) => {
    for (const { params, results } of parts.types) {
      bytes.byte(0x60);
      bytes.unsigned(params.length);
      for (const type of params) bytes.byte(type);
      bytes.unsigned(results.length);
      for (const type of results) bytes.byte(type);
    }
  });
  section(2, parts.imports.length, (bytes) => writeImports(bytes, parts));
  section(3, parts.functions.length, (bytes) => {
    for (const { type } of parts.functions) bytes.unsigned(type);
  });
  if (parts.table.length > 0) {
    section(4, 1, (bytes) => {
      bytes.byte(functionReference);
      bytes.byte(0);
      bytes.unsigned(parts.table.length);
    });
  }
  section(7, parts.exports.length, (bytes) => {
    for (const { name, index } of parts.exports) {
      bytes.text(name);
      bytes.byte(0);
      bytes.unsigned(index);
    }
  });
  if (parts.table.length > 0) section(9, 1, (bytes) => writeElements(bytes, parts.table));
  section(10, parts.functions.length, (bytes) => {
    for (const { body } of parts.functions) {
      bytes.unsigned(body.length);
      bytes.raw(body);
    }
  });
  return out.finish();
}

function writeElements(bytes: WasmBytes, table: readonly number[]): void {
  bytes.byte(0);
  bytes.byte(op.i32Const);
  bytes.signed(0);
  bytes.byte(op.end);
  bytes.unsigned(table.length);
  for (const index of table) bytes.unsigned(index);
}

function writeImports(bytes: WasmBytes, parts: ModuleParts): void {
  for (const { name, what } of parts.imports) {
    bytes.text("env");
    bytes.text(name);
    if (what.kind === "function") {
      bytes.byte(0);
      bytes.unsigned(what.type);
    } else {
      bytes.byte(2);
      bytes.byte(1);
      bytes.unsigned(1);
      bytes.unsigned(maximumPages);
    }
  }
}
