/**
 * CO-RE: an object's relocations against other kernels. A kernel is a C file of which only the BTF
 * counts; the expected text says what each relocation becomes there.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { type Btf, type CoreRelocationKind, coreRelocationKinds } from "../common/object/btf.ts";
import { applyCoreRelocations, type CoreApplication } from "../linker/core/apply.ts";
import { describeAccess, describeResolution } from "../linker/core/describe.ts";
import { essentialName } from "../linker/core/names.ts";
import { patchInstruction } from "../linker/core/patch.ts";
import { dumpC } from "../linker/dump/c.ts";
import { minimiseBtf } from "../linker/minimise-btf.ts";
import { type ObjectView, viewObject } from "../linker/object-view.ts";
import { compileText } from "./support/compile.ts";
import { expectGolden } from "./support/golden.ts";

const folder = "test/cases/core";
const path = (name: string): string => join(import.meta.dirname, "..", folder, name);
const view = (name: string): ObjectView =>
  viewObject(compileText(readFileSync(path(name), "utf8"), name), name, new Diagnostics())!;

const program = view("program.c");
const kernels = readdirSync(join(import.meta.dirname, "..", folder)).filter(
  (name) => name.startsWith("kernel-") && name.endsWith(".c"),
);

function relocate(target: Btf): { application: CoreApplication; messages: string[] } {
  const diagnostics = new Diagnostics();
  const input = { ...program, btf: program.btf!, btfExt: program.btfExt! };
  const application = applyCoreRelocations(input, target, diagnostics);
  return { application, messages: diagnostics.list.map((each) => each.message) };
}

test("the program has relocations of every kind", () => {
  const kinds = new Set<CoreRelocationKind>();
  for (const { records } of program.btfExt!.coreRelocations) {
    for (const { kind } of records) kinds.add(kind);
  }
  expect([...kinds].sort()).toEqual([...coreRelocationKinds].sort());
});

describe.each(kernels)("%s", (name) => {
  const target = view(name).btf!;
  const { application, messages } = relocate(target);

  test("each relocation", () => {
    const lines = application.resolutions.map(({ resolution }) => {
      const what = describeAccess(program.btf!, resolution.relocation);
      return `${what}: ${describeResolution(resolution)}`;
    });
    expectGolden(
      [...lines, ...messages].join("\n"),
      `${folder}/${name.replace(".c", ".resolved")}`,
    );
  });

  test("a minimised BTF gives the same code", () => {
    const resolutions = application.resolutions.map((each) => each.resolution);
    const small = minimiseBtf(target, resolutions);
    expect(small.types.length).toBeLessThan(target.types.length);
    const again = relocate(small).application;
    const decisions = (from: CoreApplication) =>
      from.resolutions
        .filter(({ resolution }) => resolution.relocation.kind !== "type_id_target")
        .map(({ resolution }) => resolution.decision);
    expect(decisions(again)).toEqual(decisions(application));
  });

  test("printed as C and compiled again, the types resolve alike", () => {
    // BTF holds what something uses.
    const users = target.types.map((type, index) => {
      const isRecord = type.kind === "struct" || type.kind === "union";
      return isRecord && type.name !== "" ? `${type.kind} ${type.name} *use_${index};` : "";
    });
    const text = [dumpC(target), ...users].join("\n");
    const back = viewObject(compileText(text), "back.c", new Diagnostics())!.btf!;
    const values = (from: CoreApplication) =>
      from.resolutions
        .filter(({ resolution }) => resolution.relocation.kind.startsWith("field"))
        .map(({ resolution }) => resolution.decision);
    expect(values(relocate(back).application)).toEqual(values(application));
  });
});

test("flavours", () => {
  expect(essentialName("task_struct___old")).toBe("task_struct");
  expect(essentialName("a___b___c")).toBe("a___b");
  expect(essentialName("____x")).toBe("____x");
  expect(essentialName("x___")).toBe("x___");
  expect(essentialName("a____b")).toBe("a____b");
});

describe("instructions", () => {
  const value = (
    original: bigint,
    next: bigint,
    resize?: { from: number; to: number; safe: boolean },
  ) => ({ kind: "value", original, value: next, exact: true, resize }) as const;
  const patch = (bytes: readonly number[], decision: Parameters<typeof patchInstruction>[3]) => {
    const code = Uint8Array.from(bytes);
    const problem = patchInstruction(code, 0, "little", decision);
    return problem ?? [...code];
  };
  const load = [0x79, 0x16, 8, 0, 0, 0, 0, 0];
  const poisoned = [0x85, 0, 0, 0, 0x10, 0x23, 0xad, 0x0b];

  test("a load gets the new offset", () => {
    expect(patch(load, value(8n, 300n))).toEqual([0x79, 0x16, 44, 1, 0, 0, 0, 0]);
  });
  test("a load of an unsigned integer gets the new size", () => {
    const decision = value(8n, 4n, { from: 8, to: 4, safe: true });
    expect(patch(load, decision)).toEqual([0x61, 0x16, 4, 0, 0, 0, 0, 0]);
  });
  test("a load of a signed integer of another size is poisoned", () => {
    expect(patch(load, value(8n, 4n, { from: 8, to: 4, safe: false }))).toEqual(poisoned);
  });
  test("both halves of a 64-bit immediate", () => {
    const wide = [0x18, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    expect(patch(wide, value(1n, -2n))).toEqual([
      0x18, 1, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff,
    ]);
    expect(patch(wide, { kind: "poison", original: 1n })).toEqual([...poisoned, ...poisoned]);
  });
  test("what the compiler cannot have written is refused", () => {
    expect(patch(load, value(16n, 24n))).toBe(
      "the instruction holds 8, expected 16 (to become 24)",
    );
    expect(patch(load, value(8n, 40000n))).toBe("offset 40000 does not fit the instruction");
    expect(patch([0x95, 0, 0, 0, 0, 0, 0, 0], value(0n, 1n))).toBe(
      "the instruction has nothing to relocate",
    );
    expect(patch([0x18, 1, 0, 0, 1, 0, 0, 0], value(1n, 2n))).toBe("it lies outside the code");
  });
});
