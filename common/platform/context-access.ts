/**
 * Which context accesses Linux 6.18 allows, per (program type, attach type) variant, and what
 * register a read gives. Measured by probing every offset, size and direction; what is not listed
 * is illegal.
 */
import { lazy } from "../lazy.ts";
import { contextAccessRows } from "./generated/context-access.ts";

/** Kind of the register after a read, by the verifier's names; `scalar` has the range of its size. */
export type ContextValueKind =
  | "scalar"
  | "pkt"
  | "pkt_end"
  | "pkt_meta"
  | "sock"
  | "sock_or_null"
  | "sock_common_or_null"
  | "flow_keys"
  | "tp_buffer"
  | "trusted_ptr_nf_hook_state"
  | "trusted_ptr_sk_buff";

export interface ContextVariant {
  /** e.g. `xdp/devmap`, `cgroup_skb/egress`, `sock_addr/connect4`. */
  readonly name: string;
  /** BPF_PROG_TYPE_* number. */
  readonly programType: number;
  /** BPF_* attach type number; 0 where the type has none. */
  readonly attachType: number;
}

interface VariantTable extends ContextVariant {
  /** `r4` → offset → register kind. */
  readonly accesses: () => ReadonlyMap<string, ReadonlyMap<number, ContextValueKind>>;
}

const lines = lazy((): readonly string[] => contextAccessRows.split("\n"));
const variants = lazy((): readonly VariantTable[] => lines().map(parseVariant));
const known = new Map<string, VariantTable | undefined>();

/** Reads a line alone: a program needs one. */
function variantNamed(name: string): VariantTable | undefined {
  if (!known.has(name)) {
    const line = lines().find((each) => each.startsWith(`${name} `));
    known.set(name, line === undefined ? undefined : parseVariant(line));
  }
  return known.get(name);
}

function parseVariant(line: string): VariantTable {
  const nameEnd = line.indexOf(" ");
  const typeEnd = line.indexOf(" ", nameEnd + 1);
  const attachEnd = line.indexOf(" ", typeEnd + 1);
  const headEnd = attachEnd < 0 ? line.length : attachEnd;
  return {
    name: line.slice(0, nameEnd),
    programType: Number(line.slice(nameEnd + 1, typeEnd)),
    attachType: Number(line.slice(typeEnd + 1, headEnd)),
    accesses: lazy(() => parseAccesses(line.slice(headEnd + 1))),
  };
}

function parseAccesses(list: string): ReadonlyMap<string, ReadonlyMap<number, ContextValueKind>> {
  const accesses = new Map<string, Map<number, ContextValueKind>>();
  for (const group of list.split(";")) {
    const [key = "", runs = ""] = group.split("=");
    const [access = "", kind = "scalar"] = key.split(":");
    const offsets = accesses.get(access) ?? new Map<number, ContextValueKind>();
    accesses.set(access, offsets);
    const step = Number(access.slice(1));
    for (const run of runs.split(",")) {
      if (run === "") continue;
      // The first number may have a sign of its own.
      const dash = run.indexOf("-", 1);
      const first = Number(dash < 0 ? run : run.slice(0, dash));
      const last = dash < 0 ? first : Number(run.slice(dash + 1));
      for (let offset = first; offset <= last; offset += step) {
        offsets.set(offset, kind as ContextValueKind);
      }
    }
  }
  return accesses;
}

/** The variants that were measured. */
export function contextVariants(): readonly ContextVariant[] {
  return variants();
}

/**
 * The variant for a program: the one with that attach type, or the first of the type where the
 * attach type was not measured on its own. Undefined for a program type that was not measured.
 */
export function contextVariantFor(
  programType: number,
  attachType: number,
): ContextVariant | undefined {
  const type = ` ${programType} `;
  const ofType = lines()
    .filter((line) => line.startsWith(type, line.indexOf(" ")))
    .map(parseVariant);
  return ofType.find((variant) => variant.attachType === attachType) ?? ofType[0];
}

/**
 * The register kind that a legal access gives (`scalar` for writes); undefined where it is illegal.
 * `offset` and `size` in bytes.
 */
export function contextAccess(
  variant: string,
  offset: number,
  size: number,
  write: boolean,
): ContextValueKind | undefined {
  return variantNamed(variant)
    ?.accesses()
    .get(`${write ? "w" : "r"}${size}`)
    ?.get(offset);
}
