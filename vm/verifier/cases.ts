/**
 * Portable cases, one JSON object a line: a program with its maps and BTF in hexadecimal, as
 * measurements exchange them. A case may carry the kernel's own verdict to compare with.
 */

import { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Btf } from "../../common/object/btf.ts";
import { readBtf } from "../../common/object/btf-reader.ts";
import {
  maxNameLength,
  type VerifierFunction,
  type VerifierInput,
  type VerifierMap,
} from "./input.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { decodeSlots } from "./opcodes.ts";

/** What the kernel (or another judge) said. */
export interface Expectation {
  readonly verdict: "accept" | "reject";
  readonly reason: string;
  readonly processed: number | undefined;
  readonly r6: readonly (string | null)[] | undefined;
}

export interface PortableCase {
  readonly id: string;
  readonly base: string;
  readonly input: VerifierInput;
  readonly expected: Expectation | undefined;
}

type Json = Record<string, unknown>;

function numberOf(value: unknown, fallback = 0): number {
  return typeof value === "number" ? value : fallback;
}

function textOf(value: unknown, fallback = ""): string {
  return typeof value === "string" ? value : fallback;
}

function recordsOf(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((v): v is Json => typeof v === "object") : [];
}

export function bytesOfHex(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0; i < bytes.length; i += 1) {
    bytes[i] = Number.parseInt(hex.slice(i * 2, i * 2 + 2), 16);
  }
  return bytes;
}

const readOnlyForPrograms = 128;

function mapOf(json: Json, index: number): VerifierMap {
  const flags = numberOf(json["map_flags"]);
  const valueSize = numberOf(json["value_size"]);
  const data = json["data"];
  const isFrozen = (flags & readOnlyForPrograms) !== 0 && typeof data === "string";
  const frozen = new Uint8Array(isFrozen ? valueSize : 0);
  if (isFrozen) frozen.set(bytesOfHex(data).subarray(0, valueSize));
  return {
    name: textOf(json["name"], `m${index}`).slice(0, maxNameLength),
    type: numberOf(json["type"]),
    keySize: numberOf(json["key_size"]),
    valueSize,
    maxEntries: numberOf(json["max_entries"]),
    flags,
    inner: numberOf(json["inner"], -1),
    btfKey: numberOf(json["btf_key_type_id"]),
    btfValue: numberOf(json["btf_value_type_id"]),
    ...(isFrozen && { frozenData: frozen }),
    ...(numberOf(json["map_extra"]) !== 0 && { extra: BigInt(numberOf(json["map_extra"])) }),
  };
}

function linkageOf(value: unknown): VerifierFunction["linkage"] {
  return value === "global" || value === "extern" ? value : "static";
}

function functionFromInfo(btf: Btf, entry: unknown): VerifierFunction {
  const [insn, type] = Array.isArray(entry) ? entry : [0, 0];
  const func = btf.types[numberOf(type) - 1];
  const isFunc = func?.kind === "func";
  return {
    insn: numberOf(insn),
    type: numberOf(type),
    name: isFunc ? func.name : "",
    linkage: isFunc ? func.linkage : "static",
  };
}

function functionsOf(json: Json, btf: Btf | undefined): VerifierFunction[] {
  const info = json["func_info"];
  if (btf !== undefined && Array.isArray(info)) return info.map((e) => functionFromInfo(btf, e));
  const functions = json["funcs"];
  if (!Array.isArray(functions)) return [];
  return functions.map((entry) => {
    const [insn, name, linkage] = Array.isArray(entry) ? entry : [];
    return { insn: numberOf(insn), type: 0, name: textOf(name), linkage: linkageOf(linkage) };
  });
}

function expectationOf(json: Json): Expectation | undefined {
  const verdict = json["verdict"];
  if (verdict !== "accept" && verdict !== "reject") return undefined;
  const r6 = json["r6"];
  return {
    verdict,
    reason: textOf(json["reason"]),
    processed: typeof json["processed"] === "number" ? json["processed"] : undefined,
    r6: Array.isArray(r6) ? (r6 as (string | null)[]) : undefined,
  };
}

/** What many cases share and a case may leave out: program type, maps, BTF, function types. */
export type CaseDefaults = (base: string) => Json | undefined;

function withDefaults(json: Json, defaults: CaseDefaults | undefined): Json {
  const base = defaults?.(textOf(json["base"]));
  if (base === undefined) return json;
  const maps = recordsOf(json["maps"]);
  const baseMaps = recordsOf(base["maps"]);
  const merged = maps.map((map, i) => ({ ...baseMaps[i], ...map }));
  return { ...base, ...json, maps: maps.length > 0 ? merged : baseMaps };
}

function readJson(line: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Json)
      : undefined;
  } catch {
    return undefined;
  }
}

/** What a file of cases is read with. */
export interface CaseContext {
  readonly defaults?: CaseDefaults | undefined;
  /** Types of the kernel that the cases' `attach_btf_id` and kernel calls refer to. */
  readonly kernel?: KernelTypes | undefined;
}

let lastBtf: { readonly hex: string; readonly btf: Btf | undefined } = { hex: "", btf: undefined };

/** Cases of one object follow each other and have the same types. */
function btfOf(hex: string): Btf | undefined {
  if (hex !== lastBtf.hex) lastBtf = { hex, btf: readBtf(bytesOfHex(hex), new Diagnostics()) };
  return lastBtf.btf;
}

/** One line; undefined if it is not a JSON object. */
export function readCase(line: string, context: CaseContext = {}): PortableCase | undefined {
  const plain = readJson(line);
  if (plain === undefined) return undefined;
  const { kernel } = context;
  const json = withDefaults(plain, context.defaults);
  const btf = btfOf(textOf(json["btf"]));
  return {
    id: textOf(json["id"]),
    base: textOf(json["base"]),
    expected: expectationOf(json),
    input: {
      programType: numberOf(json["prog_type"]),
      attachType: numberOf(json["expected_attach_type"]),
      license: textOf(json["license"], "GPL"),
      flags: numberOf(json["prog_flags"]),
      attachBtfId: numberOf(json["attach_btf_id"]),
      ...(kernel && { kernel }),
      insns: bytesOfHex(textOf(json["insns"])),
      maps: recordsOf(json["maps"]).map(mapOf),
      functions: functionsOf(json, btf),
      ...(btf !== undefined && { btf }),
    },
  };
}

/** Where the r6 states of generated scalar programs are taken: `r8 = r6` five from the end. */
export function watchOfCase(input: VerifierInput): { insn: number; register: number } {
  const slots = decodeSlots(input.insns);
  return { insn: slots.length - 5, register: 6 };
}
