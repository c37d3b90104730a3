/** The 211 helper functions: C signature, what the verifier expects, who may call them. */
import { lazy } from "../lazy.ts";
import { helperRows } from "./generated/helpers.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

export interface HelperParam {
  /** C type; `...` for printk's arguments. */
  readonly type: string;
  readonly name: string;
}

/** What the verifier knows of a helper; may differ between program types. */
export interface HelperSignature {
  /** bpf_arg_type and flags joined with `|`, e.g. `ARG_PTR_TO_MEM|MEM_RDONLY`. */
  readonly argTypes: readonly string[];
  /** e.g. `RET_PTR_TO_MAP_VALUE|PTR_MAYBE_NULL`. */
  readonly returnType: string;
  readonly gplOnly: boolean;
  /** Packet pointers may be passed as memory. */
  readonly packetAccess: boolean;
  readonly mightSleep: boolean;
  readonly fastcall: boolean;
  /** Struct names of BTF arguments by 1-based position. */
  readonly argBtf: Readonly<Record<string, string>>;
  readonly returnBtf: string | undefined;
  /** Byte sizes of fixed-size memory arguments by 1-based position. */
  readonly argSizes: Readonly<Record<string, number>>;
}

export interface Helper extends HelperSignature {
  readonly id: number;
  readonly name: string;
  readonly since: KernelVersion | undefined;
  /** C type. */
  readonly returns: string;
  readonly params: readonly HelperParam[];
  /** `CAP_BPF` or `CAP_PERFMON` where that much is needed. */
  readonly capability: string | undefined;
  /** Program types without prefix, e.g. `XDP`, that Linux 6.18 was seen to allow. */
  readonly programTypes: readonly string[];
  /** As read from the kernel's tables for types that could not be tried: `TRACING@TRACE_FENTRY,…`. */
  readonly staticProgramTypes: readonly string[];
  /** Map types without prefix; empty: any, or no map argument. */
  readonly mapTypes: readonly string[];
  /** The differing signatures by program type. */
  readonly variants: ReadonlyMap<string, Partial<HelperSignature>>;
}

type VariantRow = Readonly<Record<string, unknown>> & { readonly prog_types?: readonly string[] };

type HelperRow = readonly [
  id: number,
  name: string,
  since: string | null,
  returns: string,
  params: readonly (readonly [string, string])[],
  returnType: string,
  argTypes: readonly string[],
  flags: string,
  capability?: string | null,
  programTypes?: readonly string[] | null,
  staticProgramTypes?: readonly string[] | null,
  mapTypes?: readonly string[] | null,
  argBtf?: Readonly<Record<string, string>> | null,
  returnBtf?: string | null,
  argSizes?: Readonly<Record<string, number>> | null,
  variants?: readonly VariantRow[] | null,
];

const rows = lazyRows<HelperRow>(helperRows);

/** All helpers, by id ascending. */
export const allHelpers = lazy((): readonly Helper[] => rows().map(helperFromRow));

const byId = lazy(() => new Map(allHelpers().map((helper) => [helper.id, helper])));
const byName = lazy(() => new Map(allHelpers().map((helper) => [helper.name, helper])));

export function helperById(id: number): Helper | undefined {
  return byId().get(id);
}

/** By full name, e.g. `bpf_map_lookup_elem`. */
export function helperByName(name: string): Helper | undefined {
  return byName().get(name);
}

/** The signature that a program type (`XDP`, without prefix) sees. */
export function helperSignature(helper: Helper, programType: string): HelperSignature {
  return { ...helper, ...helper.variants.get(programType) };
}

function helperFromRow(row: HelperRow): Helper {
  const flags = row[7];
  return {
    id: row[0],
    name: row[1],
    since: row[2] ?? undefined,
    returns: row[3],
    params: row[4].map(([type, name]) => ({ type, name })),
    returnType: row[5],
    argTypes: row[6],
    gplOnly: flags.includes("g"),
    packetAccess: flags.includes("p"),
    mightSleep: flags.includes("s"),
    fastcall: flags.includes("f"),
    capability: row[8] ?? undefined,
    programTypes: row[9] ?? [],
    staticProgramTypes: row[10] ?? [],
    mapTypes: row[11] ?? [],
    argBtf: row[12] ?? {},
    returnBtf: row[13] ?? undefined,
    argSizes: row[14] ?? {},
    variants: new Map(
      (row[15] ?? []).flatMap((variant) =>
        (variant.prog_types ?? []).map((type) => [type, variantSignature(variant)] as const),
      ),
    ),
  };
}

function variantSignature(row: VariantRow): Partial<HelperSignature> {
  const names: readonly (readonly [string, keyof HelperSignature])[] = [
    ["arg_types", "argTypes"],
    ["ret_type", "returnType"],
    ["gpl_only", "gplOnly"],
    ["pkt_access", "packetAccess"],
    ["might_sleep", "mightSleep"],
    ["fastcall", "fastcall"],
    ["arg_btf", "argBtf"],
    ["ret_btf", "returnBtf"],
    ["arg_size", "argSizes"],
  ];
  return Object.fromEntries(
    names.filter(([key]) => key in row).map(([key, name]) => [name, row[key]]),
  );
}
