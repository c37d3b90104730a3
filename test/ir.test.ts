/** Textual IR: printing what was parsed gives the text again; the verifier finds planted mistakes. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { dominatorTree, findLoops, loopExits } from "../compiler/4-lower/cfg.ts";
import type { IrModule } from "../compiler/4-lower/ir.ts";
import { computeUses, replaceAllUses } from "../compiler/4-lower/ir-builder.ts";
import { parseIr } from "../compiler/4-lower/parse-ir.ts";
import { printIr } from "../compiler/4-lower/print-ir.ts";
import { verifyModule } from "../compiler/4-lower/verify-ir.ts";

const folder = join(import.meta.dirname, "cases/ir");

function parse(text: string, path = "test.ir"): IrModule {
  const diagnostics = new Diagnostics();
  const module = parseIr({ path, text, isSystem: false }, diagnostics);
  const messages = diagnostics.list.map(({ message, span }) => `${span?.start}: ${message}`);
  expect(messages).toEqual([]);
  if (module === undefined) throw new Error("no module");
  return module;
}

/** A module with one function `f(i32 %p0, ptr %p1)` of this body. */
function withBody(body: string): IrModule {
  return parse(
    `module "t.c" little\n\ndefine i32 @f(i32 %p0 "x", ptr %p1 "p") local section ".text" {\n${body}}\n`,
  );
}

describe("files", () => {
  const files = readdirSync(folder).filter((name) => name.endsWith(".ir"));
  test("there are some", () => expect(files.length).toBeGreaterThan(1));
  test.each(files)("%s comes back as it was", (name) => {
    const text = readFileSync(join(folder, name), "utf8");
    const module = parse(text, name);
    expect(verifyModule(module)).toEqual([]);
    expect(printIr(module, { locations: true })).toBe(text);
  });
});

describe("syntax errors have a place", () => {
  test.each([
    ["module", 6, "expected a string"],
    ['module "a" little\nfoo', 18, "expected a global, a declaration or a function"],
    ['module "a" little\nglobal @x soft', 28, "expected local, global or weak"],
    ['module "a" little\n#', 18, "unexpected character"],
  ])("%s", (text, at, message) => {
    const diagnostics = new Diagnostics();
    expect(parseIr({ path: "t", text, isSystem: false }, diagnostics)).toBeUndefined();
    expect(diagnostics.list[0]?.message).toBe(message);
    expect(diagnostics.list[0]?.span?.start).toBe(at);
  });
});

describe("the verifier finds", () => {
  test.each([
    ["b0:\n  %0 = add i32 %p0, 1\n", "the block does not end in a terminator"],
    ["b0:\n  ret i32 0\n  ret i32 0\n", "terminator inside a block"],
    ["b0:\n  ret\n", "returns void, the function i32"],
    ["b0:\n  br b0\n", "the entry has predecessors"],
    ["b0:\n  ret i32 0\nb1:\n  ret i32 1\n", "the block cannot be reached"],
    [
      "b0:\n  %0 = add i32 %1, 1\n  %1 = add i32 1, 1\n  ret i32 %0\n",
      "%1 is used before it is defined",
    ],
    ["b0:\n  %0 = zext i32 %p0 to i16\n  ret i32 0\n", "zext from i32 to i16"],
    ["b0:\n  %0 = load i32 %p1 align 3\n  ret i32 %0\n", "the alignment is not a power of two"],
    ["b0:\n  store i32 @g, %p1 align 4\n  ret i32 0\n", "operand 0 is ptr", "@g is not declared"],
    ["b0:\n  %0 = call i32 @g(i32 1)\n  ret i32 %0\n", "@g is not declared"],
    [
      "b0:\n  %0 = icmp eq i32 %p0, 0\n  condbr %0, b1, b2\nb1:\n  %1 = add i32 1, 1\n  br b2\nb2:\n  ret i32 %1\n",
      "the definition of %1 does not dominate this use",
    ],
    [
      "b0:\n  br b1\nb1:\n  %0 = phi i32 [0, b1]\n  ret i32 %0\n",
      "the phi must have one value from each of b0",
    ],
  ])("%j", (body, ...messages) => {
    const found = verifyModule(withBody(body)).map(({ message }) => message);
    expect(found.length).toBeGreaterThan(0);
    for (const message of found) expect(messages).toContain(message);
  });
});

const nested = `b0:
  br b1
b1:
  %0 = phi i32 [0, b0], [%4, b3]
  br b2
b2:
  %1 = phi i32 [0, b1], [%2, b2]
  %2 = add i32 %1, 1
  %3 = icmp eq i32 %2, 10
  condbr %3, b3, b2
b3:
  %4 = add i32 %0, %2
  %5 = icmp ugt i32 %4, 99
  condbr %5, b4, b1
b4:
  ret i32 %4
`;

test("dominators and loops", () => {
  const fn = withBody(nested).functions[0];
  if (fn === undefined) throw new Error("no function");
  const [b0, b1, b2, b3, b4] = fn.blocks;
  if (!b0 || !b1 || !b2 || !b3 || !b4) throw new Error("blocks");
  const tree = dominatorTree(fn);
  expect(tree.parent.get(b3)).toBe(b2);
  expect(tree.dominates(b1, b4)).toBe(true);
  expect(tree.dominates(b3, b2)).toBe(false);
  const loops = findLoops(fn);
  expect(loops.map(({ header, depth }) => [header.id, depth])).toEqual([
    [1, 1],
    [2, 2],
  ]);
  expect([...(loops[0]?.blocks ?? [])].map(({ id }) => id).sort()).toEqual([1, 2, 3]);
  expect(loops[0] && loopExits(loops[0])).toEqual([[b3, b4]]);
});

test("uses and their replacement", () => {
  const module = withBody(nested);
  const fn = module.functions[0];
  const sum = fn?.blocks[3]?.instructions[0];
  const phi = fn?.blocks[1]?.instructions[0];
  if (!fn || !sum || !phi) throw new Error("function");
  const uses = computeUses(fn);
  expect(uses.get(sum)?.length).toBe(3);
  replaceAllUses(fn, sum, phi, uses);
  expect(uses.get(sum)).toBeUndefined();
  expect(computeUses(fn).get(phi)?.length).toBe(4);
});
