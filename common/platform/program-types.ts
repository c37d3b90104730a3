/** Program types, attach types and the fields of their contexts. Measured on Linux 6.18. */
import { lazy } from "../lazy.ts";
import {
  attachTypeRows,
  contextFieldRows,
  pointerFieldRows,
  programTypeRows,
} from "./generated/program-types.ts";
import { type KernelVersion, lazyRows } from "./rows.ts";

export interface ReturnRange {
  /** Inclusive; null: any value. */
  readonly range: readonly [number, number] | null;
  /** Attach types without `BPF_` that it holds for; absent: all. */
  readonly attach?: readonly string[] | string;
}

export interface ProgramType {
  readonly id: number;
  /** `BPF_PROG_TYPE_XDP`. */
  readonly name: string;
  readonly since: KernelVersion | undefined;
  /** Name of the context's struct, or words where it is none. */
  readonly context: string;
  /** Bytes; undefined where it depends on the hook. */
  readonly contextSize: number | undefined;
  /** Attach types without `BPF_`. */
  readonly attachTypes: readonly string[];
  readonly returnRanges: readonly ReturnRange[];
  /** e.g. `XDP_DROP` → 1; some are words. */
  readonly returnCodes: Readonly<Record<string, number | string>>;
  /** Pointers of the context through which memory is reached directly. */
  readonly directAccess: Readonly<
    Record<string, { readonly read: boolean; readonly write: boolean }>
  >;
  /** Whether BPF_PROG_TEST_RUN works, and the inputs it needs. */
  readonly testRun: readonly string[] | undefined;
  /** LD_ABS and LD_IND are allowed. */
  readonly packetLoads: boolean;
  readonly gplRequired: boolean;
}

export interface AttachType {
  readonly id: number;
  /** `BPF_XDP`. */
  readonly name: string;
  readonly since: KernelVersion | undefined;
  /** Program type ids. */
  readonly programTypes: readonly number[];
}

/** A field of a context struct, or of a struct that a context's pointer leads to. */
export interface ContextField {
  readonly struct: string;
  readonly field: string;
  readonly offset: number;
  readonly size: number;
  /** C type. */
  readonly type: string;
  /** Access sizes in bytes that are legal at the field's offset. */
  readonly read: readonly number[];
  readonly write: readonly number[];
}

export interface ProgramContextField extends ContextField {
  /** Program type id. */
  readonly programType: number;
  /** Register kind of a loaded pointer, e.g. `pkt`. */
  readonly pointer: string | undefined;
  /** Attach types without `BPF_` that the row holds for; empty: all. */
  readonly only: readonly string[];
  readonly since: KernelVersion | undefined;
}

type ProgramTypeRow = readonly [
  id: number,
  name: string,
  since: string | null,
  context: string,
  contextSize?: number | null,
  attachTypes?: readonly string[] | null,
  returnRanges?: readonly ReturnRange[] | null,
  returnCodes?: Readonly<Record<string, number | string>> | null,
  directAccess?: ProgramType["directAccess"] | null,
  testRun?: readonly string[] | null,
  packetLoads?: boolean | null,
  gplRequired?: boolean | null,
];

/** All program types, by id ascending. */
export const allProgramTypes = lazy((): readonly ProgramType[] =>
  lazyRows<ProgramTypeRow>(programTypeRows)().map((row) => ({
    id: row[0],
    name: row[1],
    since: row[2] ?? undefined,
    context: row[3],
    contextSize: row[4] ?? undefined,
    attachTypes: row[5] ?? [],
    returnRanges: row[6] ?? [],
    returnCodes: row[7] ?? {},
    directAccess: row[8] ?? {},
    testRun: row[9] ?? undefined,
    packetLoads: row[10] ?? false,
    gplRequired: row[11] ?? false,
  })),
);

type AttachTypeRow = readonly [number, string, string | null, readonly number[]];

/** All attach types, by id ascending. */
export const allAttachTypes = lazy((): readonly AttachType[] =>
  lazyRows<AttachTypeRow>(attachTypeRows)().map(([id, name, since, programTypes]) => ({
    id,
    name,
    since: since ?? undefined,
    programTypes: programTypes ?? [],
  })),
);

const programsById = lazy(() => new Map(allProgramTypes().map((type) => [type.id, type])));
const attachById = lazy(() => new Map(allAttachTypes().map((type) => [type.id, type])));

export function programTypeById(id: number): ProgramType | undefined {
  return programsById().get(id);
}

/** By name with or without `BPF_PROG_TYPE_`, in any case: `BPF_PROG_TYPE_XDP`, `xdp`. */
export function programTypeByName(name: string): ProgramType | undefined {
  const upper = name.toUpperCase();
  return allProgramTypes().find(
    (type) => type.name === upper || type.name === `BPF_PROG_TYPE_${upper}`,
  );
}

export function attachTypeById(id: number): AttachType | undefined {
  return attachById().get(id);
}

/** By name with or without `BPF_`, in any case. */
export function attachTypeByName(name: string): AttachType | undefined {
  const upper = name.toUpperCase();
  return allAttachTypes().find((type) => type.name === upper || type.name === `BPF_${upper}`);
}

type FieldRow = readonly [
  struct: string,
  field: string,
  offset: number,
  size: number,
  type: string,
  read: readonly number[],
  write: readonly number[],
];
type ContextFieldRow = readonly [
  programType: number,
  ...FieldRow,
  pointer?: string | null,
  only?: readonly string[] | null,
  since?: string | null,
];

function fieldFromRow(row: FieldRow): ContextField {
  const [struct, field, offset, size, type, read, write] = row;
  return { struct, field, offset, size, type, read, write };
}

const contextFields = lazy((): readonly ProgramContextField[] =>
  lazyRows<ContextFieldRow>(contextFieldRows)().map((row) => ({
    ...fieldFromRow([row[1], row[2], row[3], row[4], row[5], row[6], row[7]]),
    programType: row[0],
    pointer: row[8] ?? undefined,
    only: row[9] ?? [],
    since: row[10] ?? undefined,
  })),
);

/** The fields of a program type's context that are accessible in some attach type. */
export function contextFieldsOf(programType: number): readonly ProgramContextField[] {
  return contextFields().filter((field) => field.programType === programType);
}

/** The field at a byte offset of a program type's context, for messages. */
export function contextFieldAt(
  programType: number,
  offset: number,
): ProgramContextField | undefined {
  return contextFieldsOf(programType).find(
    (field) => offset >= field.offset && offset < field.offset + field.size,
  );
}

type PointerFieldRow = readonly [via: string, ...FieldRow];

export interface PointerField extends ContextField {
  /** How the pointer is obtained, e.g. `tcp_sock (bpf_tcp_sock)`. */
  readonly via: string;
}

/** Fields behind socket, tcp_sock, flow_keys and xdp_sock pointers. */
export const pointerFields = lazy((): readonly PointerField[] =>
  lazyRows<PointerFieldRow>(pointerFieldRows)().map(([via, ...field]) => ({
    via,
    ...fieldFromRow(field),
  })),
);
