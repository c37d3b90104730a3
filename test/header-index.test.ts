/** Headers that ship with us, split beforehand: what the preprocessor gives is the same without. */
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem, type ShippedFile } from "../common/file-system.ts";
import {
  type HeaderIndexData,
  RUN_DIRECTIVE,
  RUN_NEXT,
  RUN_SIZE,
} from "../compiler/1-preprocess/header-index.ts";
import { HeaderNames } from "../compiler/1-preprocess/header-names.ts";
import {
  defaultPreprocessOptions,
  type PreprocessOptions,
} from "../compiler/1-preprocess/options.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";
import type { HeaderDeclarations, PreprocessedUnit } from "../compiler/1-preprocess/stream.ts";
import {
  shippedHeaderIndexes,
  shippedHeaderNames,
  shippedHeaders,
} from "../compiler/generated/shipped-headers.ts";
import { shippedHeaderDirectory } from "../compiler/shipped-header-directory.ts";
import { withShippedHeaders } from "../compiler/shipped-header-files.ts";

const indexes = new Map(
  Object.entries(shippedHeaderIndexes).map(
    ([name, text]) => [name, JSON.parse(text) as HeaderIndexData] as const,
  ),
);

interface Reading {
  readonly unit: PreprocessedUnit;
  /** How many headers were asked for an index, and had one. */
  readonly indexed: number;
  readonly messages: readonly string[];
}

const own = "struct own { __u32 a; };\n#define OWN BPF_ANY\nstruct more { __u32 a[OWN]; };\n";

function read(text: string, useIndex: boolean, changes: Partial<PreprocessOptions> = {}): Reading {
  const files = withShippedHeaders(memoryFileSystem({ "main.c": text, "own.h": own }));
  let indexed = 0;
  const shipped = (path: string): ShippedFile | undefined => {
    const file = files.shipped?.(path);
    if (file === undefined) return undefined;
    const index = (): object | undefined => {
      const known = useIndex ? file.index() : undefined;
      if (known !== undefined) indexed += 1;
      return known;
    };
    return { ...file, index };
  };
  const options = {
    ...defaultPreprocessOptions,
    standardDirectories: [shippedHeaderDirectory],
    ...changes,
  };
  const diagnostics = new Diagnostics();
  const unit = preprocess("main.c", options, { ...files, shipped }, diagnostics)!;
  return { unit, indexed, messages: diagnostics.list.map(({ message }) => message) };
}

function textOf(headers: HeaderDeclarations, declaration: number): string {
  const { tokens } = headers.run(declaration);
  return tokens.map(({ image }) => image).join(" ");
}

/** All that a compiler can learn of the headers, for some names. */
function contents({ unit, messages }: Reading, names: Iterable<string>): object {
  const { headers } = unit;
  const found = [...names].map((name) => [
    name,
    headers
      .lookup(name)
      .map(({ declaration, kind }) => [
        declaration,
        kind,
        headers.mainIndex(declaration),
        textOf(headers, declaration),
      ]),
  ]);
  return {
    found,
    count: headers.count,
    unconditional: headers.unconditional.map((declaration) => textOf(headers, declaration)),
    main: unit.run.tokens.map(({ image }) => image),
    messages,
  };
}

const allNames = new HeaderNames(shippedHeaderNames).all();

function expectSame(text: string, changes: Partial<PreprocessOptions> = {}): Reading {
  const indexed = read(text, true, changes);
  expect(contents(indexed, allNames)).toEqual(contents(read(text, false, changes), allNames));
  return indexed;
}

describe("an index changes nothing", () => {
  for (const name of Object.keys(shippedHeaders))
    test(`in ${name}`, () => {
      const { indexed } = expectSame(`#include <linux/types.h>\n#include <${name}>\nint x;\n`);
      expect(indexed).toBeGreaterThan(0);
    });

  const all = Object.keys(shippedHeaders)
    .filter((name) => !name.includes("byteorder/"))
    .map((name) => `#include <${name}>\n`)
    .join("");

  test("in all of them together", () => {
    expectSame(all);
  });

  const macros = [...indexes.values()].flatMap((index) => index.macros.flatMap((m) => m.names));

  test("in what macros stand for, named after, before and between their definitions", () => {
    const uses = macros.map((name) => `${name} ${name}(1, 2, 3)\n`).join("");
    const { unit } = expectSame(`${all}${uses}`);
    expect(macros.length).toBeGreaterThan(500);
    expect(unit.run.tokens.length).toBeGreaterThan(2 * macros.length);
    const tests = macros.map((name) => `#ifdef ${name}\n${name}\n#endif\n`).join("");
    expectSame(`${tests}${all}${tests}`);
    const changes = macros.map((name, at) => `#undef ${name}\n#define ${name} ${at}\n`).join("");
    expectSame(`${all}${changes}${uses}`);
    expectSame(`${changes}${all}${uses}`);
    // A header without an index is split as text, for which every macro has to be known.
    expectSame(`${all.replace("#include", '#include "own.h"\n#include')}${uses}`);
  });

  test("where the user's macros have names of words in them", () => {
    for (const macro of ["task_struct long_name", "__u32 other", "BPF_MAP_TYPE_HASH 77", "ctx"])
      expectSame(`#define ${macro}\n${all}`);
  });

  test("where such macros come from the command line, or in between", () => {
    expectSame(all, { macros: [{ kind: "define", text: "sk_buff=skb" }] });
    expectSame(
      "#include <linux/types.h>\n#define bpf_dynptr dynptr\n#include <bpf/bpf_helpers.h>\n",
    );
  });

  test("where a word is poisoned or a macro of the target is taken away", () => {
    expectSame(`#pragma GCC poison bpf_spin_lock\n${all}`);
    expectSame(`#undef __bpf__\n#define __INT32_TYPE__ short\n${all}`);
  });

  test("in other standards", () => {
    expect(expectSame(all, { standard: "c11" }).indexed).toBe(0);
    expect(expectSame(all, { standard: "gnu23" }).indexed).toBe(0);
    expectSame(all, { standard: "gnu89" });
  });
});

test("most declarations of the headers are in their indexes", () => {
  const counted = [...indexes.values()].reduce(
    (sum, { declarations }) => sum + declarations.length / 2,
    0,
  );
  expect(counted).toBeGreaterThan(400);
});

test("no declaration has macros in it, which would be expanded in every program", () => {
  const stops = [...indexes].filter(([name, { runs }]) => {
    for (let at = 0; at < runs.length; at += RUN_SIZE)
      if (
        runs[at + RUN_DIRECTIVE] === 0 &&
        runs[at + RUN_NEXT]! < shippedHeaders[name]!.trim().length
      )
        return true;
    return false;
  });
  // Its record has conditional members.
  expect(stops.map(([name]) => name)).toEqual(["linux/icmpv6.h"]);
});
