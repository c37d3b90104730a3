/**
 * From section names to what a loader makes of them: every SEC() name of libbpf, in one program that
 * is compiled; names that are only known to the user's own loader; maps of the old kinds.
 */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { sectionDefinitions } from "../common/platform/section-definitions.ts";
import { loadObject } from "../linker/load.ts";
import type { LoadedObject } from "../linker/program.ts";
import { compileText } from "./support/compile.ts";

const head = `#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
char license[] SEC("license") = "GPL";
`;
const sleepable = 1 << 4;
const fragments = 1 << 5;

function load(text: string): LoadedObject {
  const diagnostics = new Diagnostics();
  const loaded = loadObject(compileText(head + text), "test.o", diagnostics);
  if (loaded === undefined) throw new Error(diagnostics.list[0]?.message);
  return loaded;
}

const program = (section: string, name: string): string =>
  `SEC("${section}") int ${name}(void *ctx) { return 0; }\n`;

/** What may stand behind a name, e.g. `kprobe/do_open`. */
const targetOf = (extra: string | undefined): string =>
  (extra ?? "")
    .replace(/<path>:/, "/bin/sh:")
    .replace(/\[.*?\]/g, "")
    .replace(/[<>]/g, "");

describe("SEC() names", () => {
  const definitions = sectionDefinitions();
  test("are as many as libbpf has", () => expect(definitions.length).toBeGreaterThan(110));

  test.each(["", "?"])("give type, attach type and flags with the prefix '%s'", (prefix) => {
    const text = definitions.map(({ name, extra, prefix: takesMore }, index) => {
      const target = takesMore ? targetOf(extra) : "";
      return program(`${prefix}${name}${target === "" ? "" : `/${target}`}`, `program_${index}`);
    });
    const loaded = load(text.join(""));
    const byName = new Map(loaded.programs.map((each) => [each.name, each]));
    const found = definitions.map((_, index) => {
      const { type, attachType, flags, target, autoload } = byName.get(`program_${index}`)!;
      return { type, attachType, flags, target, autoload };
    });
    const wanted = definitions.map((each) => ({
      type: each.programType,
      attachType: each.attachType ?? 0,
      flags:
        (each.flags.includes("sleepable") ? sleepable : 0) |
        (each.flags.includes("xdp_frags") ? fragments : 0),
      target: each.prefix ? targetOf(each.extra) : "",
      autoload: prefix === "",
    }));
    expect(found).toEqual(wanted);
  });

  test("that only another loader knows give programs without a type", () => {
    const { programs } = load(program("sample_ext/one", "one") + program("abc", "two"));
    expect(programs.map(({ name, type, section }) => [name, type, section])).toEqual([
      ["one", 0, "sample_ext/one"],
      ["two", 0, "abc"],
    ]);
  });
});

describe("maps of the old kinds", () => {
  test("SEC(maps) holds bpf_map_def", () => {
    const { maps } = load(`
      struct bpf_map_def { unsigned type, key_size, value_size, max_entries, map_flags; };
      struct bpf_map_def SEC("maps") counts = {
        .type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 8, .max_entries = 16,
      };
      struct bpf_map_def SEC("maps") flags = {
        .type = BPF_MAP_TYPE_LRU_HASH, .key_size = 2, .value_size = 1, .max_entries = 3,
        .map_flags = BPF_F_NO_COMMON_LRU,
      };
      SEC("socket") int f(void *ctx) {
        unsigned key = 1;
        return bpf_map_lookup_elem(&counts, &key) != 0 && bpf_map_lookup_elem(&flags, &key) != 0;
      }`);
    const facts = maps.map(({ name, type, keySize, valueSize, maxEntries, flags }) => [
      ...[name, type, keySize, valueSize, maxEntries, flags],
    ]);
    expect(facts).toEqual([
      ["counts", 1, 4, 8, 16, 0],
      ["flags", 9, 2, 1, 3, 2],
    ]);
  });
});
