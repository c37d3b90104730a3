/** clang's options: those that change the language, those that are taken and change nothing. */
import { describe, expect, test } from "vitest";
import { parseCcArguments } from "../cli/cc/arguments.ts";
import { compileOptions } from "../cli/cc/compile-options.ts";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { compile } from "../compiler/compile.ts";

const parse = (...words: string[]) => parseCcArguments([...words, "-c", "case.c"]);

function compiled(text: string, ...words: string[]) {
  const parsed = parse("-Wall", "-Wno-unused", ...words);
  if (parsed.kind !== "compile") throw new Error(JSON.stringify(parsed));
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "case.c": text });
  const { ir, object } = compile("case.c", compileOptions(parsed.options), files, diagnostics);
  return { ir, object, messages: diagnostics.list.map(({ message }) => message) };
}

test("-funsigned-char", () => {
  const text = `
    _Static_assert(TESTED, "the value of a character");
    char c = 200; char text[] = "\\xff"; const char *p = "x"; unsigned char *q;
    int copy(char *to) { __builtin_memcpy(to, p, 1); return __builtin_strlen("ab") + *__func__; }
    int sign(char value) { return value; }`;
  const condition = "'\\xff' == 255 && (char)-1 > 0";
  expect(compiled(text, "-funsigned-char", `-DTESTED=${condition}`).messages).toEqual([]);
  expect(
    compiled("#ifndef __CHAR_UNSIGNED__\n#error\n#endif\n", "-fno-signed-char").messages,
  ).toEqual([]);
  const plain = compiled(text, "-funsigned-char", "-fsigned-char", `-DTESTED=!(${condition})`);
  expect(plain.messages).toEqual([
    "implicit conversion from 'int' to 'char' changes value from 200 to -56",
  ]);
});

test("-fshort-enums", () => {
  const text = `
    enum small { A, B = 255 }; enum large { C = -1, D = 200 };
    _Static_assert(sizeof(enum small) == SMALL && sizeof(enum large) == LARGE, "sizes");`;
  expect(compiled(text, "-fshort-enums", "-DSMALL=1", "-DLARGE=2").messages).toEqual([]);
  expect(compiled(text, "-DSMALL=4", "-DLARGE=4").messages).toEqual([]);
});

test("-ftrivial-auto-var-init", () => {
  const text = "int f(int at) { int list[4]; list[1] = 7; return list[at & 3] + list[0]; }";
  const fills = (...words: string[]) =>
    JSON.stringify(
      compiled(text, "-O0", ...words).ir?.functions[0]?.blocks.flatMap(({ instructions }) =>
        instructions.flatMap(({ operation, operands }) =>
          operation.op === "memset" ? [String((operands[1] as { value: bigint }).value)] : [],
        ),
      ),
    );
  expect(fills("-ftrivial-auto-var-init=zero")).toBe('["0"]');
  expect(fills("-ftrivial-auto-var-init=pattern")).toBe('["170"]');
  expect(fills("-ftrivial-auto-var-init=zero", "-ftrivial-auto-var-init=uninitialized")).toBe("[]");
});

describe("options without effect", () => {
  const taken =
    "-fno-vectorize -fvectorize -fno-tree-vectorize -ftrapv -fno-strict-overflow -fmessage-length=0 " +
    "-fno-semantic-interposition -flto=thin -finline-limit=300 -fcf-protection -fcf-protection=none " +
    "-falign-functions=16 -fstack-clash-protection -fstack-protector-strong -fno-exceptions -m32 -pie " +
    "-ggdb3 -gdwarf-5 -gline-tables-only -gz=zlib -gno-column-info --std=gnu11 --verbose -nodefaultlibs";
  test.each(taken.split(" "))("%s", (word) => {
    expect(parse(word).kind).toBe("compile");
  });

  const refused =
    "-fno-such-thing -fvectorize=3 -gbtf -gnothing -mnothing -ftrivial-auto-var-init=x";
  test.each(refused.split(" "))("%s is refused", (word) => {
    expect(parse(word).kind).toBe("error");
  });
});
