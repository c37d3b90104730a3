/**
 * How two BTFs differ, in words. Types are matched by kind and name; where several share a name,
 * equal ones first and the rest in order. Ids mean nothing here: members are compared by what
 * their types say in C.
 */
import { pushTo } from "../../common/append.ts";
import type { Btf, BtfType, TypeId } from "../../common/object/btf.ts";
import { declareC } from "./c.ts";

export interface BtfChange {
  readonly change: "added" | "removed" | "changed";
  /** `struct task_struct`, `func foo` … */
  readonly type: string;
  /** For changed types: one sentence per difference. */
  readonly details: readonly string[];
}

/** What a type says of itself, independent of ids: parts by name. */
interface Portrait {
  readonly title: string;
  /** Facts of the type as a whole, by what they are about. */
  readonly facts: ReadonlyMap<string, string>;
  /** Members, enumerators, entries: name → place and type. */
  readonly parts: ReadonlyMap<string, Part>;
  readonly partWord: string;
  /** Everything, for comparing at once. */
  readonly text: string;
}

interface Part {
  readonly place: string;
  readonly what: string;
}

/** gcc and clang name the same integers differently; that is no difference between programs. */
const plainIntegers: Readonly<Record<string, string>> = {
  "long long unsigned int": "unsigned long long",
  "long unsigned int": "unsigned long",
  "short unsigned int": "unsigned short",
  "long long int": "long long",
  "long int": "long",
  "short int": "short",
};
const integerNames = new RegExp(`\\b(${Object.keys(plainIntegers).join("|")})\\b`, "g");

const plainNames = (text: string): string =>
  text.replace(integerNames, (name) => plainIntegers[name] ?? name);
const oneLine = (text: string): string => plainNames(text.replace(/\s+/g, " "));
const kindWord = (type: BtfType): string => (type.kind === "enum64" ? "enum" : type.kind);

function typeWords(btf: Btf, id: TypeId, name = ""): string {
  return oneLine(declareC(btf, id, name));
}

function bitPlace(bits: number): string {
  const byte = bits >> 3;
  return (bits & 7) === 0 ? `byte ${byte}` : `byte ${byte} bit ${bits & 7}`;
}

/** Names that occur twice (anonymous members) are numbered. */
function byName(parts: readonly (readonly [string, Part])[]): Map<string, Part> {
  const result = new Map<string, Part>();
  for (const [name, part] of parts) {
    const base = name === "" ? "(unnamed)" : name;
    let key = base;
    for (let n = 2; result.has(key); n++) key = `${base} #${n}`;
    result.set(key, part);
  }
  return result;
}

type Facts = readonly (readonly [string, string])[];
type Parts = readonly (readonly [string, Part])[];

function describeParts(btf: Btf, type: BtfType): { facts: Facts; parts: Parts; word: string } {
  switch (type.kind) {
    case "struct":
    case "union":
      return {
        facts: [["size", `${type.size}`]],
        word: "member",
        parts: type.members.map((member) => {
          const bits = member.bitSize > 0 ? ` : ${member.bitSize}` : "";
          const what = `${typeWords(btf, member.type)}${bits}`;
          return [member.name, { place: bitPlace(member.bitOffset), what }];
        }),
      };
    case "enum":
    case "enum64":
      return {
        facts: [["size", `${type.size}`]],
        word: "enumerator",
        parts: type.values.map(({ name, value }) => [name, { place: "", what: `${value}` }]),
      };
    case "datasec":
      return {
        facts: [],
        word: "variable",
        parts: type.entries.map((entry) => {
          const target = btf.types[entry.type - 1];
          const name = target !== undefined && "name" in target ? target.name : "";
          return [name, { place: `byte ${entry.offset}`, what: `${entry.size} bytes` }];
        }),
      };
    case "func":
    case "var": {
      const facts: Facts = [
        ["type", typeWords(btf, type.type, type.name)],
        ["linkage", type.linkage],
      ];
      return { facts, parts: [], word: "" };
    }
    case "typedef":
      return { facts: [["type", typeWords(btf, type.type)]], parts: [], word: "" };
    case "int": {
      const encoding = `${type.signed ? "signed" : "unsigned"}${type.bool ? " bool" : ""}`;
      const facts: Facts = [
        ["size", `${type.size}`],
        ["bits", `${type.bits}`],
        ["encoding", encoding],
      ];
      return { facts, parts: [], word: "" };
    }
    case "float":
      return { facts: [["size", `${type.size}`]], parts: [], word: "" };
    case "decl_tag":
      return { facts: tagFacts(btf, type), parts: [], word: "" };
    default:
      return { facts: [], parts: [], word: "" };
  }
}

function tagFacts(btf: Btf, tag: BtfType & { kind: "decl_tag" }): Facts {
  const target = btf.types[tag.type - 1];
  const name = target !== undefined && "name" in target ? target.name : "";
  return [["target", `${target?.kind ?? "void"} ${name} ${tag.componentIndex}`]];
}

/** Undefined for types that have no name to be matched by: they show where they are used. */
function portrait(btf: Btf, type: BtfType): Portrait | undefined {
  if (!("name" in type) || type.kind === "type_tag") return undefined;
  if (type.name === "") return undefined;
  const title =
    type.kind === "fwd"
      ? `declaration ${type.union ? "union" : "struct"} ${type.name}`
      : plainNames(`${kindWord(type)} ${type.name}`);
  const { facts, parts, word } = describeParts(btf, type);
  const named = byName(parts);
  const text = JSON.stringify([facts, [...named]]);
  return { title, facts: new Map(facts), parts: named, partWord: word, text };
}

function portraits(btf: Btf): Map<string, Portrait[]> {
  const index = new Map<string, Portrait[]>();
  for (const type of btf.types.slice(btf.baseCount ?? 0)) {
    const made = portrait(btf, type);
    if (made === undefined) continue;
    pushTo(index, made.title, made);
  }
  return index;
}

function partDetails(a: Portrait, b: Portrait): string[] {
  const word = a.partWord || b.partWord;
  const details: string[] = [];
  const at = (place: string): string => (place === "" ? "" : ` at ${place}`);
  for (const [name, before] of a.parts) {
    const after = b.parts.get(name);
    if (after === undefined) {
      details.push(`${word} '${name}' is gone (was ${before.what}${at(before.place)})`);
      continue;
    }
    if (before.what !== after.what) {
      const change = word === "enumerator" ? "value" : "type";
      details.push(`${word} '${name}' changed its ${change} from ${before.what} to ${after.what}`);
    }
    if (before.place !== after.place)
      details.push(`${word} '${name}' moved from ${before.place} to ${after.place}`);
  }
  for (const [name, after] of b.parts) {
    if (!a.parts.has(name))
      details.push(`${word} '${name}' is new (${after.what}${at(after.place)})`);
  }
  return details;
}

function details(a: Portrait, b: Portrait): string[] {
  const facts = [...a.facts].flatMap(([what, before]) => {
    const after = b.facts.get(what);
    return after === before ? [] : [`${what} changed from ${before} to ${after ?? "nothing"}`];
  });
  const found = [...facts, ...partDetails(a, b)];
  return found.length > 0 ? found : ["its members changed their order"];
}

function compareNamesakes(before: readonly Portrait[], after: readonly Portrait[]): BtfChange[] {
  const free = [...after];
  const left = before.filter((one) => {
    const same = free.findIndex((other) => other.text === one.text);
    if (same >= 0) free.splice(same, 1);
    return same < 0;
  });
  const changes = left.map((one, index): BtfChange => {
    const other = free[index];
    return other === undefined
      ? { change: "removed", type: one.title, details: [] }
      : { change: "changed", type: one.title, details: details(one, other) };
  });
  const added = free
    .slice(left.length)
    .map(({ title }): BtfChange => ({ change: "added", type: title, details: [] }));
  return [...changes, ...added];
}

/** Differences in the order of `a`, then what only `b` has; empty where nothing differs. */
export function diffBtf(a: Btf, b: Btf): readonly BtfChange[] {
  const before = portraits(a);
  const after = portraits(b);
  const changes = [...before].flatMap(([title, list]) =>
    compareNamesakes(list, after.get(title) ?? []),
  );
  const added = [...after].flatMap(([title, list]) =>
    before.has(title) ? [] : compareNamesakes([], list),
  );
  return [...changes, ...added];
}
