/**
 * How two objects differ, in words: functions down to their instructions, maps, the contents of
 * other sections, types. Functions and maps are matched by name; what depends on places only (jump
 * distances, offsets of variables) is no difference.
 */
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import type { Btf } from "../common/object/btf.ts";
import type { ObjectSection } from "../common/object/object-file.ts";
import { mapTypeById } from "../common/platform/map-types.ts";
import { isDataSection } from "./data-maps.ts";
import { type BtfChange, diffBtf } from "./dump/btf-diff.ts";
import { declareC } from "./dump/c.ts";
import { type AlignedPair, alignSequences } from "./dump/sequence-diff.ts";
import { type ListedFunction, type ListedInstruction, listFunctions } from "./listing.ts";
import { collectMaps } from "./load.ts";
import { isCode, type ObjectView } from "./object-view.ts";
import type { MapSpec } from "./program.ts";

/** Changes by what they are about: `function start`, `map counts`, `section license`, types. */
export function diffObjects(a: ObjectView, b: ObjectView): readonly BtfChange[] {
  return [...diffFunctions(a, b), ...diffMaps(a, b), ...diffSections(a, b), ...diffTypes(a, b)];
}

interface Named<T> {
  readonly title: string;
  readonly value: T;
}

/** Pairs by title, in the order of `a`, then what only `b` has. */
function diffNamed<T>(
  a: readonly Named<T>[],
  b: readonly Named<T>[],
  compare: (a: T, b: T) => readonly string[],
): BtfChange[] {
  const after = new Map(b.map(({ title, value }) => [title, value]));
  const before = new Set(a.map(({ title }) => title));
  const changes = a.flatMap(({ title, value }): BtfChange[] => {
    const other = after.get(title);
    if (other === undefined) return [{ change: "removed", type: title, details: [] }];
    const details = compare(value, other);
    return details.length === 0 ? [] : [{ change: "changed", type: title, details }];
  });
  const added = b
    .filter(({ title }) => !before.has(title))
    .map(({ title }): BtfChange => ({ change: "added", type: title, details: [] }));
  return [...changes, ...added];
}

function diffFunctions(a: ObjectView, b: ObjectView): BtfChange[] {
  const titled = (view: ObjectView): Named<ListedFunction>[] => {
    // Static functions of several files may have one name.
    const counts = new Map<string, number>();
    return listFunctions(view).map((value) => {
      const title = `function ${value.name} (${value.section})`;
      const count = (counts.get(title) ?? 0) + 1;
      counts.set(title, count);
      return { title: count === 1 ? title : `${title} #${count}`, value };
    });
  };
  return diffNamed(titled(a), titled(b), (before, after) =>
    diffInstructions(before.instructions, after.instructions),
  );
}

/** What an instruction says wherever it stands: jumps without their distance, symbols by name. */
function essence({ text, jump, symbol, coreWords, insn }: ListedInstruction): string {
  const plain = jump === undefined ? text : text.replace(/goto \S+$/, "goto …");
  const named = symbol !== undefined && (insn?.kind === "load_imm64" || insn?.kind === "call");
  const base = named ? plain.replace(/(= |call ).*$/, "$1") + symbol : plain;
  return coreWords === undefined ? base : `${base}  # CO-RE ${coreWords}`;
}

/** Lines of a comparison: `@@ 3,5 @@` (instruction numbers), then `-` and `+`. */
function diffInstructions(
  a: readonly ListedInstruction[],
  b: readonly ListedInstruction[],
): string[] {
  const pairs = alignSequences(a.map(essence), b.map(essence));
  const hunks = pairs === undefined ? undefined : changedPairs(a, b, pairs);
  if (hunks === undefined) return [`rewritten: ${a.length} instructions before, ${b.length} after`];
  if (hunks.length === 0) return [];
  const lines: string[] = [];
  let last: AlignedPair | undefined;
  for (const pair of hunks) {
    if (last === undefined || pair.position !== last.position + 1)
      lines.push(
        `@@ instruction ${pair.before ?? pair.nextBefore}, now ${pair.after ?? pair.nextAfter}`,
      );
    const before = pair.before === undefined ? undefined : a[pair.before];
    const after = pair.after === undefined ? undefined : b[pair.after];
    if (before !== undefined) lines.push(`- ${shown(before)}`);
    if (after !== undefined) lines.push(`+ ${shown(after)}`);
    last = pair;
  }
  return lines;
}

function shown(listed: ListedInstruction): string {
  return listed.jump === undefined ? essence(listed) : listed.text;
}

/** Pairs without a partner, and jumps whose targets are not each other's partners. */
function changedPairs(
  a: readonly ListedInstruction[],
  b: readonly ListedInstruction[],
  pairs: readonly AlignedPair[],
): AlignedPair[] {
  const partner = new Map(
    pairs.flatMap(({ before, after }) =>
      before === undefined || after === undefined ? [] : [[before, after] as const],
    ),
  );
  const places = (list: readonly ListedInstruction[]): Map<number, number> =>
    new Map(list.map(({ offset }, index) => [offset, index]));
  const [placesA, placesB] = [places(a), places(b)];
  return pairs.filter(({ before, after }) => {
    if (before === undefined || after === undefined) return true;
    const [from, to] = [a[before]?.jump, b[after]?.jump];
    if (from === undefined || to === undefined) return false;
    const target = placesA.get(from);
    const other = placesB.get(to);
    // A jump to code that was replaced is told by the replacement.
    if (target === undefined || !partner.has(target)) return false;
    return partner.get(target) !== other;
  });
}

function mapSpecs(view: ObjectView): Named<MapWithTypes>[] {
  return collectMaps(view, new Diagnostics()).map(({ spec }) => ({
    title: `map ${spec.name}`,
    value: { spec, btf: view.btf },
  }));
}

interface MapWithTypes {
  readonly spec: MapSpec;
  readonly btf: Btf | undefined;
}

function mapFacts({ spec, btf }: MapWithTypes): Readonly<Record<string, string>> {
  const typeText = (id: number): string =>
    btf === undefined || id === 0 ? "untyped" : declareC(btf, id, "").replace(/\s+/g, " ");
  const isData = spec.dataSection !== undefined;
  return {
    type: mapTypeById(spec.type)?.name ?? `${spec.type}`,
    "key size": `${spec.keySize}`,
    "value size": `${spec.valueSize}`,
    "max entries": `${spec.maxEntries}`,
    flags: `0x${spec.flags.toString(16)}`,
    pinning: `${spec.pinning}`,
    extra: `${spec.extra}`,
    ...(!isData && { key: typeText(spec.keyType), value: typeText(spec.valueType) }),
  };
}

function diffMaps(a: ObjectView, b: ObjectView): BtfChange[] {
  return diffNamed(mapSpecs(a), mapSpecs(b), (x, y) => {
    const after = mapFacts(y);
    const facts = Object.entries(mapFacts(x)).flatMap(([what, before]) =>
      before === after[what] ? [] : [`${what} changed from ${before} to ${after[what] ?? "none"}`],
    );
    return [...facts, ...contentDetails(x.spec.initial, y.spec.initial)];
  });
}

function contentDetails(
  a: Uint8Array = new Uint8Array(),
  b: Uint8Array = new Uint8Array(),
): string[] {
  const at = a.findIndex((byte, index) => byte !== b[index]);
  const first = at < 0 ? Math.min(a.length, b.length) : at;
  if (first === a.length && first === b.length) return [];
  return [`content differs from byte ${first} on (${a.length} bytes before, ${b.length} after)`];
}

/** Sections that are neither code, maps nor metadata about them: licence, version … */
function diffSections(a: ObjectView, b: ObjectView): BtfChange[] {
  const other = (section: ObjectSection): boolean =>
    section.kind === "progbits" &&
    section.size > 0 &&
    !isCode(section) &&
    !isDataSection(section) &&
    !/^\.(maps|BTF|debug|llvm|eh_frame|comment)|^maps$/.test(section.name);
  const titled = (view: ObjectView): Named<ObjectSection>[] =>
    view.object.sections.filter(other).map((value) => ({ title: `section ${value.name}`, value }));
  return diffNamed(titled(a), titled(b), (x, y) => contentDetails(x.data, y.data));
}

/** Sections' tables of variables follow from the variables. */
function diffTypes(a: ObjectView, b: ObjectView): BtfChange[] {
  const none = (view: ObjectView): Btf => view.btf ?? { endian: view.object.endian, types: [] };
  return diffBtf(none(a), none(b)).filter(({ type }) => !type.startsWith("datasec "));
}
