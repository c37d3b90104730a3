/**
 * Relocations of the output: places move with their section, symbols get their new numbers. Where
 * a relocation names a section, the offset in the relocated field grows by what stands before the
 * input's part.
 */
import type { Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type {
  Endian,
  ObjectRelocation,
  RelocationType,
  SectionIndex,
} from "../../common/object/object-file.ts";
import type { PlacedInput } from "./input.ts";
import type { MergedSymbols } from "./symbols.ts";

/** Relocations by output section; fields that hold offsets are changed in `data`. */
export function mergeRelocations(
  inputs: readonly PlacedInput[],
  symbols: MergedSymbols,
  data: readonly Uint8Array[],
  endian: Endian,
  diagnostics: Diagnostics,
): ReadonlyMap<SectionIndex, readonly ObjectRelocation[]> {
  const result = new Map<SectionIndex, ObjectRelocation[]>();
  inputs.forEach(({ view, placements }, input) => {
    view.object.sections.forEach((section, index) => {
      const place = placements[index];
      if (place === undefined) return;
      const list = result.get(place.section) ?? [];
      result.set(place.section, list);
      for (const relocation of section.relocations) {
        const symbol = symbols.indexOf[input]?.[relocation.symbol];
        if (symbol === undefined) {
          const message = `${view.path}: a relocation in '${section.name}' names nothing that is linked`;
          diagnostics.error("bad-relocation", message);
          continue;
        }
        const offset = relocation.offset + place.offset;
        list.push({ ...relocation, offset, symbol });
        const named = view.object.symbols[relocation.symbol];
        if (named?.type !== "section" || typeof named.section !== "number") continue;
        const moved = placements[named.section]?.offset ?? 0;
        const bytes = data[place.section];
        if (moved !== 0 && bytes !== undefined && relocation.addend === undefined) {
          addToField(bytes, offset, relocation.type, moved, endian);
        }
      }
    });
  });
  return result;
}

function addToField(
  bytes: Uint8Array,
  offset: number,
  type: RelocationType,
  moved: number,
  endian: Endian,
): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endian === "little";
  const add32 = (at: number, amount: number): void =>
    view.setInt32(at, view.getInt32(at, little) + amount, little);
  switch (type) {
    case "R_BPF_64_64":
      add32(offset + 4, moved);
      break;
    case "R_BPF_64_32":
      // Calls count instructions.
      add32(offset + 4, moved / 8);
      break;
    case "R_BPF_64_ABS64":
      view.setBigUint64(offset, view.getBigUint64(offset, little) + BigInt(moved), little);
      break;
    case "R_BPF_64_ABS32":
    case "R_BPF_64_NODYLD32":
      add32(offset, moved);
      break;
    case "R_BPF_NONE":
      break;
  }
}
