/**
 * The syntax tree: what the parser makes and the checker reads. Nothing is resolved here: an
 * identifier is a name, a type is as it was spelled. Immutable once made.
 * One file because its types name one another.
 */
import type { Span } from "../../common/diagnostics/source.ts";

export type WideUnit = "wchar_t" | "char16_t" | "char32_t";

export type Expression =
  | { readonly kind: "identifier"; readonly name: string; readonly span: Span }
  | IntegerLiteral
  /** Value of a character constant as an int (multi-character constants as clang computes them). */
  | {
      readonly kind: "character";
      readonly value: number;
      readonly wide: boolean;
      readonly span: Span;
    }
  /**
   * Adjacent literals are already joined. Bytes without the terminating NUL. `unit`: bytes of one
   * element of a wide string (little-endian here); absent in a plain one.
   */
  | {
      readonly kind: "string";
      readonly bytes: Uint8Array;
      /** What the characters of a literal with a prefix are. */
      readonly unit?: WideUnit;
      readonly span: Span;
    }
  | { readonly kind: "float"; readonly text: string; readonly span: Span }
  | {
      readonly kind: "unary";
      readonly op: UnaryOperator;
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "postfix";
      readonly op: "++" | "--";
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "binary";
      readonly op: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly opSpan: Span;
      readonly span: Span;
    }
  | {
      readonly kind: "assign";
      readonly op: AssignmentOperator;
      readonly target: Expression;
      readonly value: Expression;
      readonly opSpan: Span;
      readonly span: Span;
    }
  /** `then` is absent in `a ?: b`. */
  | {
      readonly kind: "conditional";
      readonly condition: Expression;
      readonly then?: Expression;
      readonly otherwise: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "call";
      readonly callee: Expression;
      readonly args: readonly Expression[];
      readonly span: Span;
    }
  | {
      readonly kind: "index";
      readonly array: Expression;
      readonly index: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "member";
      readonly object: Expression;
      readonly name: string;
      readonly nameSpan: Span;
      readonly arrow: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: "cast";
      readonly type: TypeName;
      readonly operand: Expression;
      readonly span: Span;
    }
  | {
      readonly kind: "compound_literal";
      readonly type: TypeName;
      readonly initializer: InitializerList;
      readonly span: Span;
    }
  | {
      readonly kind: "sizeof" | "alignof";
      readonly operand: Expression | TypeName;
      readonly span: Span;
    }
  | {
      readonly kind: "statement_expression";
      readonly body: CompoundStatement;
      readonly span: Span;
    }
  | {
      readonly kind: "generic";
      readonly control: Expression | TypeName;
      /** `type` is absent for `default`. */
      readonly associations: readonly { readonly type?: TypeName; readonly value: Expression }[];
      readonly span: Span;
    }
  | {
      readonly kind: "offsetof";
      readonly type: TypeName;
      readonly designators: readonly Designator[];
      readonly span: Span;
    }
  | {
      readonly kind: "types_compatible";
      readonly left: TypeName;
      readonly right: TypeName;
      readonly span: Span;
    }
  | {
      readonly kind: "va_arg";
      readonly list: Expression;
      readonly type: TypeName;
      readonly span: Span;
    }
  | { readonly kind: "label_address"; readonly name: string; readonly span: Span };

export interface IntegerLiteral {
  readonly kind: "integer";
  readonly value: bigint;
  readonly unsigned: boolean;
  /** Number of `l` in the suffix. */
  readonly long: 0 | 1 | 2;
  readonly decimal: boolean;
  readonly span: Span;
}

export type UnaryOperator = "+" | "-" | "~" | "!" | "*" | "&" | "++" | "--" | "__extension__";

export type BinaryOperator =
  | "*"
  | "/"
  | "%"
  | "+"
  | "-"
  | "<<"
  | ">>"
  | "<"
  | ">"
  | "<="
  | ">="
  | "=="
  | "!="
  | "&"
  | "^"
  | "|"
  | "&&"
  | "||"
  | ",";

export type AssignmentOperator =
  | "="
  | "*="
  | "/="
  | "%="
  | "+="
  | "-="
  | "<<="
  | ">>="
  | "&="
  | "^="
  | "|=";

export interface Designator {
  readonly kind: "field" | "index" | "range";
  /** Of a field. */
  readonly name?: string;
  /** Of an index; the first of a range. */
  readonly index?: Expression;
  /** The last of a GNU `[a ... b]` range. */
  readonly last?: Expression;
  readonly span: Span;
}

export interface InitializerList {
  readonly kind: "list";
  readonly items: readonly {
    readonly designators: readonly Designator[];
    readonly value: Initializer;
  }[];
  readonly span: Span;
}

export type Initializer =
  | { readonly kind: "expression"; readonly value: Expression }
  | InitializerList;

/** `__attribute__((name(args)))` or `[[name(args)]]`; the name without surrounding underscores. */
export interface Attribute {
  readonly name: string;
  readonly args: readonly (Expression | TypeName)[];
  readonly span: Span;
}

export interface Qualifiers {
  readonly const: boolean;
  readonly volatile: boolean;
  readonly restrict: boolean;
  readonly atomic: boolean;
}

export type StorageClass = "typedef" | "extern" | "static" | "auto" | "register";

export interface DeclarationSpecifiers {
  readonly storage?: StorageClass;
  readonly inline: boolean;
  readonly noreturn: boolean;
  readonly threadLocal: boolean;
  readonly qualifiers: Qualifiers;
  readonly type: TypeSpecifier;
  readonly alignas: readonly (Expression | TypeName)[];
  readonly attributes: readonly Attribute[];
  readonly span: Span;
}

/** Arithmetic types after the words are sorted out, e.g. `long unsigned` → "unsigned long". */
export type BuiltinTypeName =
  | "void"
  | "_Bool"
  | "char"
  | "signed char"
  | "unsigned char"
  | "short"
  | "unsigned short"
  | "int"
  | "unsigned int"
  | "long"
  | "unsigned long"
  | "long long"
  | "unsigned long long"
  | "__int128"
  | "unsigned __int128"
  | "float"
  | "double"
  | "long double"
  | "__builtin_va_list";

export type TypeSpecifier =
  | { readonly kind: "builtin"; readonly name: BuiltinTypeName; readonly span: Span }
  | { readonly kind: "typedef_name"; readonly name: string; readonly span: Span }
  | RecordSpecifier
  | EnumSpecifier
  | {
      readonly kind: "typeof";
      readonly operand: Expression | TypeName;
      readonly unqualified: boolean;
      readonly span: Span;
    }
  | { readonly kind: "auto_type"; readonly span: Span }
  /** No type was written (implicit int); the parser has reported it where that is an error. */
  | { readonly kind: "missing"; readonly span: Span };

export interface RecordSpecifier {
  readonly kind: "record";
  readonly union: boolean;
  readonly tag?: string;
  /** Absent in a mere reference `struct x`. */
  readonly members?: readonly MemberDeclaration[];
  readonly attributes: readonly Attribute[];
  /** Alignment cap of `#pragma pack`, in bytes. */
  readonly pack?: number;
  readonly span: Span;
}

export type MemberDeclaration =
  | {
      readonly kind: "members";
      readonly specifiers: DeclarationSpecifiers;
      /** Empty for an anonymous struct or union member. */
      readonly declarators: readonly {
        readonly declarator: Declarator;
        readonly bitWidth?: Expression;
      }[];
      readonly span: Span;
    }
  | StaticAssert;

export interface EnumSpecifier {
  readonly kind: "enum";
  readonly tag?: string;
  readonly enumerators?: readonly {
    readonly name: string;
    readonly value?: Expression;
    readonly span: Span;
  }[];
  readonly underlying?: TypeName;
  readonly attributes: readonly Attribute[];
  readonly span: Span;
}

/** The name and the derivations around it, nearest to the name first. */
export interface Declarator {
  readonly name?: string;
  readonly nameSpan: Span;
  readonly parts: readonly DeclaratorPart[];
  readonly attributes: readonly Attribute[];
  readonly asmLabel?: string;
  readonly span: Span;
}

export type DeclaratorPart =
  | {
      readonly kind: "pointer";
      readonly qualifiers: Qualifiers;
      readonly attributes: readonly Attribute[];
    }
  | {
      readonly kind: "array";
      /** Absent in `[]`. */
      readonly length?: Expression;
      readonly qualifiers: Qualifiers;
      readonly static: boolean;
      /** `[*]`: of a length that the definition will tell. */
      readonly star?: true;
      readonly span: Span;
    }
  | {
      readonly kind: "function";
      readonly params: readonly ParameterDeclaration[];
      readonly variadic: boolean;
      /** False for `()`: parameters unspecified. */
      readonly prototyped: boolean;
      /** `(a, b) int a; long b;`: names alone, with their declarations in front of the body. */
      readonly identifiers?: true;
      readonly span: Span;
    };

export interface ParameterDeclaration {
  readonly specifiers: DeclarationSpecifiers;
  readonly declarator: Declarator;
  readonly span: Span;
}

export interface TypeName {
  readonly kind: "type_name";
  readonly specifiers: DeclarationSpecifiers;
  readonly declarator: Declarator;
  readonly span: Span;
}

export interface Declaration {
  readonly kind: "declaration";
  readonly specifiers: DeclarationSpecifiers;
  readonly declarators: readonly {
    readonly declarator: Declarator;
    readonly initializer?: Initializer;
    /** The initialiser is no syntax; it was reported and is missing here. */
    readonly broken?: boolean;
  }[];
  readonly span: Span;
}

export interface StaticAssert {
  readonly kind: "static_assert";
  readonly condition: Expression;
  readonly message?: string;
  readonly span: Span;
}

export interface FunctionDefinition {
  readonly kind: "function_definition";
  readonly specifiers: DeclarationSpecifiers;
  readonly declarator: Declarator;
  readonly body: CompoundStatement;
  readonly span: Span;
}

export type ExternalDeclaration =
  | FunctionDefinition
  | Declaration
  | StaticAssert
  | { readonly kind: "file_asm"; readonly text: string; readonly span: Span };

export interface CompoundStatement {
  readonly kind: "compound";
  /** `__label__` names declared at its head. */
  readonly localLabels: readonly string[];
  readonly items: readonly BlockItem[];
  readonly span: Span;
}

export type BlockItem = Statement | Declaration | StaticAssert | FunctionDefinition;

/** `#pragma unroll`, `#pragma clang loop unroll(...)`. */
export type UnrollHint =
  | { readonly kind: "full" | "enable" | "disable" }
  | { readonly kind: "count"; readonly count: number };

export type Statement =
  | CompoundStatement
  | { readonly kind: "expression"; readonly value: Expression; readonly span: Span }
  | { readonly kind: "empty"; readonly attributes: readonly Attribute[]; readonly span: Span }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly then: Statement;
      readonly otherwise?: Statement;
      readonly span: Span;
    }
  | {
      readonly kind: "switch";
      readonly value: Expression;
      readonly body: Statement;
      readonly span: Span;
    }
  | {
      readonly kind: "case";
      readonly low: Expression;
      /** GNU case range `low ... high`. */
      readonly high?: Expression;
      readonly body: Statement;
      readonly span: Span;
    }
  | { readonly kind: "default"; readonly body: Statement; readonly span: Span }
  | {
      readonly kind: "while" | "do";
      readonly condition: Expression;
      readonly body: Statement;
      readonly unroll?: UnrollHint;
      readonly span: Span;
    }
  | {
      readonly kind: "for";
      readonly init?: Declaration | Expression;
      readonly condition?: Expression;
      readonly step?: Expression;
      readonly body: Statement;
      readonly unroll?: UnrollHint;
      readonly span: Span;
    }
  | {
      readonly kind: "labeled";
      readonly name: string;
      readonly body: Statement;
      readonly attributes: readonly Attribute[];
      readonly span: Span;
    }
  | { readonly kind: "goto"; readonly label: string; readonly span: Span }
  | { readonly kind: "computed_goto"; readonly target: Expression; readonly span: Span }
  | { readonly kind: "break" | "continue"; readonly span: Span }
  | { readonly kind: "return"; readonly value?: Expression; readonly span: Span }
  | AsmStatement;

export interface AsmOperand {
  /** `[name]`. */
  readonly name?: string;
  readonly constraint: string;
  readonly value: Expression;
}

export interface AsmStatement {
  readonly kind: "asm";
  readonly template: string;
  readonly templateSpan: Span;
  readonly volatile: boolean;
  /** False for `asm("...")`, where `%` stands for itself. */
  readonly extended: boolean;
  readonly outputs: readonly AsmOperand[];
  readonly inputs: readonly AsmOperand[];
  readonly clobbers: readonly string[];
  /** Labels of `asm goto`. */
  readonly labels: readonly string[];
  readonly span: Span;
}

/**
 * What phases 1 and 2 hand to the checker. The user's own file is parsed whole and in order; header
 * declarations are parsed when a name reaches them, through the index.
 */
export interface TranslationUnit {
  readonly path: string;
  readonly declarations: readonly UnitDeclaration[];
  readonly index: DeclarationIndex;
  /** The span of the end of the main file. */
  readonly end: Span;
}

export interface UnitDeclaration {
  readonly ordinal: number;
  readonly declaration: ExternalDeclaration;
}

export type TagKind = "struct" | "union" | "enum";

/**
 * Names of header declarations, parsed on demand. Each lookup gives every declaration of that name
 * in source order (a prototype, then a definition …); an empty array where there is none. `ordinal`
 * is the declaration's place in the whole unit, in one sequence with the user's own declarations, so
 * that visibility rules of C can be kept.
 */
export interface PlainEnumerator {
  /** Within the range of an int. */
  readonly value: bigint;
  /** The name's place, and the declaration's in the unit. */
  readonly span: Span;
  readonly ordinal: number;
}

export interface DeclarationIndex {
  /** Typedef names, variables, functions and enumerators. */
  ordinary(name: string): readonly UnitDeclaration[];
  tag(name: string): readonly UnitDeclaration[];
  /**
   * An enumerator whose value stands behind it as a number, without parsing its enum; undefined where
   * the declarations have to tell, or that enum was parsed already.
   */
  enumerator(name: string): PlainEnumerator | undefined;
  /**
   * Whether a tag is a struct's or a union's, without parsing its declarations; undefined where only
   * they tell, or one was parsed already.
   */
  recordTag(name: string): "struct" | "union" | undefined;
  /** Header declarations that have an effect though no name reaches them: non-static definitions, file asm, static asserts. */
  unconditional(): readonly UnitDeclaration[];
}
