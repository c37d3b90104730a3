/** The numbers of the BTF format (Documentation/bpf/btf.rst), shared by reader and writer. */
import type { BtfLinkage, BtfType } from "./btf.ts";

export const BTF_MAGIC = 0xeb9f;
export const BTF_VERSION = 1;
export const BTF_HEADER_SIZE = 24;
export const BTF_EXT_HEADER_SIZE = 32;

/** BTF_KIND_*, by position. 0 is unknown. */
export const btfKindNumbers = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  func_proto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  decl_tag: 17,
  type_tag: 18,
  enum64: 19,
} as const satisfies Record<BtfType["kind"], number>;

export const btfLinkageNumbers = {
  static: 0,
  global: 1,
  extern: 2,
} as const satisfies Record<BtfLinkage, number>;

export const btfLinkageNames = ["static", "global", "extern"] as const;

export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

/** Record sizes of BTF.ext. */
export const FUNC_INFO_SIZE = 8;
export const LINE_INFO_SIZE = 16;
export const CORE_RELOCATION_SIZE = 16;
