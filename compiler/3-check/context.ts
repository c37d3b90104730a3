/**
 * What the checker carries along: options, scopes, the function at hand, counters. The parts of the
 * checker call each other through {@link Recursion}, because C's grammar is recursive (a type holds
 * expressions, an expression holds statements) while modules may not be.
 */
import type { DiagnosticExtra, Diagnostics } from "../../common/diagnostics/diagnostic.ts";
import type { Span } from "../../common/diagnostics/source.ts";
import type {
  CompoundStatement,
  Declaration,
  DeclarationSpecifiers,
  Declarator,
  EnumSpecifier,
  Expression,
  ExternalDeclaration,
  FunctionDefinition,
  Initializer,
  RecordSpecifier,
  Statement,
  TranslationUnit,
  TypeName,
} from "../2-parse/ast.ts";
import type { TargetOptions } from "../options.ts";
import type {
  CheckedCase,
  CheckedExpression,
  CheckedInitializer,
  CheckedStatement,
  FunctionSymbol,
  LabelSymbol,
  VariableSymbol,
} from "./checked.ts";
import { formatMessage, type MessageName, messages } from "./messages.ts";
import { charType, errorType, unsignedPlainCharType } from "./type-tools.ts";
import type { EnumType, QualType, RecordType } from "./types.ts";

export interface CheckOptions extends Pick<TargetOptions, "endian" | "cpu"> {
  /** -fms-extensions: `struct tag;` inside a record embeds its members. */
  readonly msExtensions?: boolean;
  /** -funsigned-char: plain char is. */
  readonly unsignedChar?: boolean;
  /** -fshort-enums: as if all enums were packed. */
  readonly shortEnums?: boolean;
}

export interface TypedefEntity {
  readonly kind: "typedef";
  readonly name: string;
  /** Its `type` is the TypedefType. */
  readonly type: QualType;
  readonly span: Span;
  /** Place of the declaration in the unit, and what the name meant before it. */
  readonly ordinal: number;
  readonly earlier?: TypedefEntity;
}

export interface EnumeratorEntity {
  readonly kind: "enumerator";
  readonly name: string;
  readonly value: bigint;
  type: QualType;
  readonly span: Span;
  /** Its enum was not read. */
  readonly isAlone?: true;
}

/** What an ordinary identifier can name. */
export type Entity = TypedefEntity | EnumeratorEntity | VariableSymbol | FunctionSymbol;

export interface Scope {
  readonly kind: "file" | "prototype" | "block";
  readonly parent: Scope | undefined;
  readonly ordinary: Map<string, Entity>;
  readonly tags: Map<string, RecordType | EnumType>;
}

export function newScope(kind: Scope["kind"], parent: Scope | undefined): Scope {
  return { kind, parent, ordinary: new Map(), tags: new Map() };
}

export interface SwitchState {
  readonly id: number;
  /** The promoted type of the condition, and the type before promotion. */
  readonly type: QualType;
  readonly unpromoted: QualType;
  readonly cases: { caseId: number; low: bigint; high: bigint; span: Span }[];
  default: Span | undefined;
}

/** A label from its first mention to its definition. */
export interface LabelState {
  symbol: LabelSymbol;
  defined: boolean;
  used: boolean;
  readonly firstUse: Span;
}

/** How a local was used, for the warnings about unused ones. */
export interface VariableUse {
  references: number;
  stores: number;
}

/** Labels whose address a function takes, and its jumps to addresses; see computed-goto.ts. */
export interface LabelAddresses {
  readonly labels: LabelSymbol[];
  readonly jumps: ComputedJump[];
}

/** A jump whose cases grow while further labels of its function are met. */
export interface ComputedJump {
  readonly id: number;
  readonly cases: CheckedCase[];
  readonly body: CheckedStatement[];
  readonly span: Span;
}

export interface FunctionState {
  readonly symbol: FunctionSymbol;
  readonly returns: QualType;
  readonly variadic: boolean;
  /** Innermost last; the first is the function's own, the others come from `__label__`. */
  readonly labelScopes: Map<string, LabelState>[];
  readonly labels: LabelSymbol[];
  readonly switches: SwitchState[];
  labelAddresses?: LabelAddresses;
  loops: number;
  /** Loops and switches: what `break` leaves. */
  breakable: number;
  readonly uses: Map<VariableSymbol, VariableUse>;
  readonly staticNames: Map<string, number>;
  /** How many errors there were before the body. */
  readonly errorsBefore: number;
}

/** A header function whose body waits until someone calls it. */
export interface PendingBody {
  readonly definition: FunctionDefinition;
  readonly ordinal: number;
  readonly params: readonly VariableSymbol[];
  readonly scope: Scope;
}

export interface Counters {
  symbol: number;
  record: number;
  label: number;
  switch: number;
  bind: number;
  string: number;
  literal: number;
}

/** Calls between the parts of the checker; {@link checkTranslationUnit} fills it in. */
export interface Recursion {
  /** The expression as it stands: lvalues are not read, arrays do not decay. */
  expression(context: Context, expression: Expression): CheckedExpression;
  typeName(context: Context, name: TypeName): QualType;
  specifiedType(context: Context, specifiers: DeclarationSpecifiers, isolated: boolean): QualType;
  declaratorType(context: Context, base: QualType, declarator: Declarator): QualType;
  defineRecord(context: Context, type: RecordType, specifier: RecordSpecifier): void;
  defineEnum(context: Context, type: EnumType, specifier: EnumSpecifier): void;
  externalDeclaration(context: Context, declaration: ExternalDeclaration): void;
  localDeclaration(context: Context, declaration: Declaration): CheckedStatement[];
  statement(context: Context, statement: Statement): CheckedStatement;
  /** The items of a block in the present scope; `hasValue`: the last is the value of a `({ … })`. */
  block(context: Context, block: CompoundStatement, hasValue: boolean): CheckedStatement[];
  initializer(
    context: Context,
    type: QualType,
    initializer: Initializer,
    place: Span,
  ): { readonly type: QualType; readonly initializer: CheckedInitializer } | undefined;
}

export interface Context {
  readonly unit: TranslationUnit;
  readonly options: CheckOptions;
  readonly diagnostics: Diagnostics;
  readonly recurse: Recursion;
  readonly fileScope: Scope;
  readonly ids: Counters;
  /** How many of a name's header declarations have been entered, by name. */
  readonly indexed: Map<string, number>;
  /** Header declarations that have been entered. */
  readonly entered: Set<object>;
  /** Types made of record and enum specifiers, so that each makes one. */
  readonly specified: Map<RecordSpecifier | EnumSpecifier, RecordType | EnumType>;
  /** By tag, what finds the declaration of a header's record that was named and not looked into yet. */
  readonly unbound: Map<string, () => void>;
  readonly strings: Map<string, VariableSymbol>;
  readonly pendingBodies: Map<FunctionSymbol, PendingBody>;
  /** What each function's body or variable's initialiser refers to. */
  readonly dependencies: Map<FunctionSymbol | VariableSymbol, Set<FunctionSymbol | VariableSymbol>>;
  /** All file-scope functions and static-storage variables, in order of first declaration. */
  readonly functions: FunctionSymbol[];
  readonly variables: VariableSymbol[];
  /** Where each symbol of file scope was declared first, for the order of the output. */
  readonly places: Map<FunctionSymbol | VariableSymbol, number>;
  readonly fileAsm: { text: string; span: Span }[];
  readonly unusedResult: Set<FunctionSymbol>;
  readonly unusedAllowed: Set<object>;
  readonly usedTypedefs: Set<TypedefEntity>;
  readonly tentative: Set<VariableSymbol>;
  /** Variables that had an initialiser. */
  readonly initialized: Set<VariableSymbol>;
  /** Functions whose definition was met. */
  readonly defining: Set<FunctionSymbol>;
  readonly constants: Map<VariableSymbol, bigint>;
  scope: Scope;
  /** The place of the declaration being checked in the whole unit; later names are invisible. */
  ordinal: number;
  /** Inside a header that the index handed out: nothing is defined before it is needed. */
  lazy: boolean;
  function: FunctionState | undefined;
  /** Array lengths may be folded without a word: clang has variable length arrays there. */
  quietFolding: boolean;
  /** Lengths that are no constants, of the type that sizeof asks about; undefined elsewhere. */
  variableLengths: CheckedExpression[] | undefined;
  /** Depth of operands that are never evaluated (sizeof, typeof …). */
  unevaluated: number;
  references: Set<FunctionSymbol | VariableSymbol> | undefined;
}

/** Plain char, as -funsigned-char makes it. */
export function plainChar(context: Context): QualType {
  return context.options.unsignedChar === true ? unsignedPlainCharType : charType;
}

/** Reports a row of the message table at a place. */
export function report(
  context: Context,
  name: MessageName,
  span: Span,
  args: readonly string[] = [],
  extra: DiagnosticExtra = {},
): void {
  const [kind, code] = messages()[name];
  const message = formatMessage(name, args);
  const severity = kind === "warning" ? "warning" : "error";
  const defaultError = kind === "default-error" ? ({ defaultError: true } as const) : {};
  context.diagnostics.add({ severity, code, message, span, ...defaultError, ...extra });
}

/** A constant that C would not call one: said to who asks for extensions to be pointed out. */
export function reportFolding(context: Context, span: Span): void {
  if (context.diagnostics.isOn("pedantic", span)) report(context, "foldedConstant", span);
}

/** The note that shows the earlier declaration. */
export function previousNote(span: Span, what = "previous definition is here"): DiagnosticExtra {
  return { notes: [{ message: what, span }] };
}

/** An expression that stands for one in error; everything done with it is silent. */
export function errorExpression(span: Span): CheckedExpression {
  return { kind: "constant", value: 0n, type: errorType, span };
}

/** Runs with a scope of its own inside the present one. */
export function inScope<T>(context: Context, kind: Scope["kind"], run: () => T): T {
  const outer = context.scope;
  context.scope = newScope(kind, outer);
  try {
    return run();
  } finally {
    context.scope = outer;
  }
}

/** Runs for an operand that is never evaluated: what it mentions is not thereby needed. */
export function unevaluated<T>(context: Context, run: () => T): T {
  context.unevaluated += 1;
  try {
    return run();
  } finally {
    context.unevaluated -= 1;
  }
}

/** Runs at file scope, as if at another place of the unit; for header declarations. */
export function atFileScope<T>(context: Context, ordinal: number, run: () => T): T {
  const {
    scope,
    ordinal: before,
    lazy,
    quietFolding,
    function: inside,
    unevaluated: depth,
    references,
  } = context;
  context.scope = context.fileScope;
  context.ordinal = ordinal;
  context.lazy = true;
  context.quietFolding = false;
  context.function = undefined;
  context.unevaluated = 0;
  context.references = undefined;
  try {
    return run();
  } finally {
    context.scope = scope;
    context.ordinal = before;
    context.lazy = lazy;
    context.quietFolding = quietFolding;
    context.function = inside;
    context.unevaluated = depth;
    context.references = references;
  }
}

/** Notes that the code being checked needs the symbol. */
export function refer(context: Context, symbol: FunctionSymbol | VariableSymbol): void {
  if (context.unevaluated === 0) context.references?.add(symbol);
}
