/** `bpfc prog` and `bpfc map`: what a saved state holds, in the way of bpftool. */

import { decodeProgram } from "../common/isa/decode.ts";
import { printInstruction } from "../common/isa/print.ts";
import { programTypeById } from "../common/platform/program-types.ts";
import { print, printError } from "./report.ts";
import { parseHex } from "./run/hex.ts";
import { UserError } from "./run/inputs.ts";
import { mapTable } from "./run/map-contents.ts";
import { readSavedState, type SavedProgram, type SavedState } from "./run/saved-state.ts";

export interface StateCommandOptions {
  readonly state: string;
  readonly json?: boolean;
}

/** By name or id. */
function choose<Item extends { readonly id: number; readonly name: string }>(
  items: readonly Item[],
  wanted: string,
  what: string,
): Item {
  const found = items.find((item) => item.name === wanted || String(item.id) === wanted);
  if (found !== undefined) return found;
  const names = items.map((item) => item.name).join(", ") || "none";
  throw new UserError(`no ${what} '${wanted}' (there is: ${names})`);
}

function programType({ type }: SavedProgram): string {
  return (programTypeById(type)?.name ?? "unspec").replace("BPF_PROG_TYPE_", "").toLowerCase();
}

function listPrograms({ programs }: SavedState): void {
  for (const program of programs) {
    const { id, name, mapIds, insns } = program;
    const maps = mapIds.length === 0 ? "" : `  map_ids ${mapIds.join(",")}`;
    print(`${id}: ${programType(program)}  name ${name}\n\txlated ${insns.length / 2}B${maps}`);
  }
}

function dumpProgram(state: SavedState, program: SavedProgram): void {
  const bytes = parseHex(program.insns) ?? new Uint8Array(0);
  const decoded = decodeProgram(bytes, state.endian);
  if (!decoded.ok) throw new UserError(`program '${program.name}' is damaged`);
  for (const { slot, insn } of decoded.insns) {
    print(`${String(slot).padStart(4)}: ${printInstruction(insn)}`);
  }
}

function listMaps({ maps }: SavedState): void {
  for (const { id, type, name, keySize, valueSize, maxEntries, flags, entries } of maps) {
    print(
      `${id}: ${type}  name ${name}  flags 0x${flags.toString(16)}\n` +
        `\tkey ${keySize}B  value ${valueSize}B  max_entries ${maxEntries}  elements ${entries.length}`,
    );
  }
}

type Action = (state: SavedState, wanted: string | undefined, json: boolean) => void;

function need(wanted: string | undefined, what: string): string {
  if (wanted === undefined) throw new UserError(`which ${what}? give its name or id`);
  return wanted;
}

const actions: Readonly<Record<string, Action>> = {
  "prog list": (state, _, json) => {
    if (json) print(JSON.stringify(state.programs.map(({ insns: _, ...program }) => program)));
    else listPrograms(state);
  },
  "prog dump": (state, wanted, json) => {
    const program = choose(state.programs, need(wanted, "program"), "program");
    if (json) print(JSON.stringify(program));
    else dumpProgram(state, program);
  },
  "map list": (state, _, json) => {
    if (json) print(JSON.stringify(state.maps.map(({ entries: _, ...map }) => map)));
    else listMaps(state);
  },
  "map dump": (state, wanted, json) => {
    const map = choose(state.maps, need(wanted, "map"), "map");
    if (json) print(JSON.stringify(map.entries));
    else print(mapTable(map));
  },
};

/** Runs `bpfc prog ACTION` or `bpfc map ACTION`. */
export function runState(
  what: "prog" | "map",
  action: string,
  wanted: string | undefined,
  options: StateCommandOptions,
): number {
  try {
    const run = actions[`${what} ${action}`];
    if (run === undefined) throw new UserError(`no action '${action}' (there is: list, dump)`);
    run(readSavedState(options.state), wanted, options.json === true);
    return 0;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    printError(`bpfc: error: ${error.message}`);
    return 1;
  }
}
