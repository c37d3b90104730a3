/** What stops a program that was not verified: plain data for reports, and the way it travels. */

export type FaultKind =
  /** A load, store or helper argument outside every region. */
  | "bad-address"
  | "read-only"
  | "bad-instruction"
  | "bad-helper"
  | "bad-argument"
  | "stack-overflow"
  | "out-of-fuel"
  /** The memory that all programs and maps share is used up. */
  | "out-of-memory"
  /** The program uses a feature that the VM does not have. */
  | "unsupported";

/** A region of memory, for reports. */
export interface RegionName {
  readonly kind: string;
  readonly name: string;
  /** Byte offset of the access in the region; may lie outside it. */
  readonly offset: number;
  readonly size: number;
}

export interface FaultReport {
  readonly kind: FaultKind;
  readonly message: string;
  readonly program: string;
  /** 8-byte slot of the instruction. */
  readonly slot: number;
  /** The C line, where the program has line info. */
  readonly line?: { readonly file: string; readonly line: number; readonly text: string };
  readonly address?: bigint;
  /** The region at or nearest below the address. */
  readonly region?: RegionName;
}

/** Thrown inside the VM and turned into a report at its edge; users never see it. */
export class Fault extends Error {
  readonly kind: FaultKind;
  readonly address: bigint | undefined;

  constructor(kind: FaultKind, message: string, address?: bigint) {
    super(message);
    this.kind = kind;
    this.address = address;
  }
}
