/** Members of records that are read without the grammar: the tree is the one that the grammar makes. */
import { expect, test } from "vitest";
import { Diagnostics } from "../common/diagnostics/diagnostic.ts";
import { memoryFileSystem } from "../common/file-system.ts";
import { defaultPreprocessOptions } from "../compiler/1-preprocess/options.ts";
import { preprocess } from "../compiler/1-preprocess/preprocess.ts";
import type { MemberDeclaration } from "../compiler/2-parse/ast.ts";
import { CParser } from "../compiler/2-parse/c-parser.ts";

class Counting extends CParser {
  plain = 0;

  protected override plainMember(): MemberDeclaration | undefined {
    const member = super.plainMember();
    if (member !== undefined) this.plain += 1;
    return member;
  }
}

class Grammar extends CParser {
  protected override plainMember(): undefined {
    return undefined;
  }
}

/** Trees and messages of a file that is parsed declaration by declaration. */
function parse(parser: CParser, text: string): string[] {
  const diagnostics = new Diagnostics();
  const files = memoryFileSystem({ "main.c": text });
  const unit = preprocess("main.c", defaultPreprocessOptions, files, diagnostics)!;
  const typedefs = new Set<string>();
  const oracle = {
    isTypeName: (name: string) => typedefs.has(name),
    declare: (name: string, isTypedef: boolean) => void (isTypedef && typedefs.add(name)),
  };
  const show = (value: unknown): string =>
    JSON.stringify(value, (key, part) => {
      if (key === "file") return part.path;
      return typeof part === "bigint" ? `${part}n` : part;
    });
  const trees: string[] = [];
  parser.parse(unit.run, diagnostics, oracle, (declaration) => trees.push(show(declaration)));
  return [...trees, ...diagnostics.list.map(show)];
}

function expectSame(text: string, plain: number): void {
  const counting = new Counting();
  expect(parse(counting, text)).toEqual(parse(new Grammar(), text));
  expect(counting.plain).toBe(plain);
}

test("the usual forms", () => {
  expectSame(
    `typedef unsigned int u32; typedef struct s s_t;
#define N 4
struct s {
	int a; unsigned long long int b; char name[16]; void *p; const char **q;
	struct s *next; union u *other; enum e *kind; volatile const s_t *typed; u32 u32;
	u32 bits : 3; unsigned : 5; u32 more : 0x1, last : 2; struct s *ops[N]; long double d;
};`,
    13,
  );
});

// The one is the inner `int x`.
test("other forms, and errors, are the grammar's", () => {
  expectSame(
    `struct t {
	int a, b; int (*call)(struct t *, int); struct { int x; }; struct t *m[2][3];
	int packed __attribute__((packed)); int table[N]; _Alignas(8) int aligned; char s[];
	unknown_t u; struct t *; int : 0; int 5; long char c; int n[08]; char *const *w; int last };`,
    1,
  );
});

// Those before a pragma are the grammar's.
test("pragmas between members hold from where they stand", () => {
  expectSame(
    `struct p {
	char a;
#pragma pack(push, 1)
	int b;
#pragma pack(pop)
	int c;
};
#pragma pack(1)
struct q { char a; int b; };`,
    3,
  );
});
