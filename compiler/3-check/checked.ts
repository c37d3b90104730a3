/**
 * The checked program: names resolved, types computed, every implicit conversion written out,
 * initialisers laid out, constants folded where C requires a constant. What phase 4 lowers.
 * One file because its types name one another.
 */
import type { Span } from "../../common/diagnostics/source.ts";
import type { UnrollHint } from "../2-parse/ast.ts";
import type { EnumType, FunctionType, QualType, RecordField, RecordType } from "./types.ts";

/** Bytes of a static object, and where addresses of others go into it. */
export interface StaticData {
  /** Exactly sizeof the object; zero where nothing was written. */
  readonly bytes: Uint8Array;
  readonly relocations: readonly StaticRelocation[];
}

export interface StaticRelocation {
  readonly offset: number;
  readonly symbol: VariableSymbol | FunctionSymbol;
  readonly addend: number;
}

export type Linkage = "global" | "static" | "extern";

/** Attributes that outlive checking. */
export interface SymbolAttributes {
  readonly section?: string;
  readonly weak: boolean;
  readonly hidden: boolean;
  readonly used: boolean;
  /** Bytes, when raised by an attribute. */
  readonly align?: number;
  readonly declTags: readonly string[];
}

export interface VariableSymbol {
  readonly kind: "variable";
  readonly id: number;
  readonly name: string;
  /** Name in the symbol table: `name`, an asm label, or `function.name` for static locals. */
  readonly linkName: string;
  /** Complete once checking ends (arrays get their length from the initialiser). */
  type: QualType;
  /** `local` and `param` live on the stack; the others in sections. */
  storage: "local" | "param" | "static" | "global" | "extern";
  attributes: SymbolAttributes;
  /** Of defined static and global variables. Undefined data of a defined one: all zero (.bss). */
  data?: StaticData;
  /** False for externs that were never defined. */
  defined: boolean;
  /** Some code or data of this unit refers to it. */
  referenced: boolean;
  readonly span: Span;
  /** Set on `register x asm("r6")`. */
  readonly asmRegister?: string;
  /** Function called with its address when it leaves scope: attribute cleanup. */
  cleanup?: FunctionSymbol;
  /** Of an array of variable length: hidden variables that hold its address and its length. */
  runtimeArray?: { readonly pointer: VariableSymbol; readonly length: VariableSymbol };
  /** Anonymous string or compound literal made by the checker. */
  readonly anonymous?: boolean;
}

export type InlineKind = "always" | "never" | "hint" | "default";

export interface FunctionSymbol {
  readonly kind: "function";
  readonly id: number;
  readonly name: string;
  readonly linkName: string;
  /** canonical(type) is the {@link FunctionType}. */
  type: QualType;
  linkage: Linkage;
  inline: InlineKind;
  attributes: SymbolAttributes;
  naked: boolean;
  noreturn: boolean;
  /** attribute error("..."): a call that survives optimisation is an error with this text. */
  errorMessage?: string;
  /** Declared in SEC(".ksyms"): a kfunc. */
  body?: CheckedFunctionBody;
  referenced: boolean;
  readonly span: Span;
}

export interface CheckedFunctionBody {
  readonly params: readonly VariableSymbol[];
  readonly body: CheckedStatement;
  /** Every label of the function, `__label__` scoping resolved. */
  readonly labels: readonly LabelSymbol[];
  readonly endSpan: Span;
}

export interface LabelSymbol {
  readonly kind: "label";
  readonly id: number;
  readonly name: string;
  /** Whether anything jumps to it. */
  used: boolean;
  readonly span: Span;
}

export interface CheckedUnit {
  readonly path: string;
  /** Defined functions that are global, used or reachable, in source order. */
  readonly functions: readonly FunctionSymbol[];
  /** Functions that are called or referred to but defined elsewhere (kfuncs, other objects). */
  readonly externFunctions: readonly FunctionSymbol[];
  /** Variables with static storage, in source order; static ones only if referenced or `used`. Externs that are referenced. */
  readonly variables: readonly VariableSymbol[];
  readonly fileAsm: readonly { readonly text: string; readonly span: Span }[];
}

/**
 * Expressions. `type` is the type of the value, or of the object for lvalues. The lvalue kinds are:
 * variable, dereference, member (of an lvalue), compound_literal, string_literal, and statement
 * expressions never. An lvalue is read only through a cast `lvalue_to_rvalue`.
 */
export type CheckedExpression =
  | {
      readonly kind: "constant";
      /** Of floating types the bit pattern. */
      readonly value: bigint;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "variable";
      readonly symbol: VariableSymbol;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "function";
      readonly symbol: FunctionSymbol;
      readonly type: QualType;
      readonly span: Span;
    }
  /** An array lvalue of static storage; equal literals may share it. */
  | {
      readonly kind: "string_literal";
      readonly symbol: VariableSymbol;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "unary";
      readonly op: "negate" | "complement" | "not";
      readonly operand: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /** Operands have the type of the result, except shifts, whose right operand keeps its promoted type. */
  | {
      readonly kind: "arithmetic";
      readonly op: ArithmeticOperator;
      readonly left: CheckedExpression;
      readonly right: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /** Operands share one type (integers converted, or pointers). Result int. */
  | {
      readonly kind: "compare";
      readonly op: "==" | "!=" | "<" | "<=" | ">" | ">=";
      readonly left: CheckedExpression;
      readonly right: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "logical";
      readonly op: "and" | "or";
      readonly left: CheckedExpression;
      readonly right: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /** pointer ± index × elementSize; the index is sign- or zero-extended to 64 bits by its type. */
  | {
      readonly kind: "pointer_offset";
      /** Written as `&pointer[index]`, which CO-RE relocates as an access to the element. */
      readonly isElement?: true;
      readonly pointer: CheckedExpression;
      readonly index: CheckedExpression;
      readonly subtract: boolean;
      readonly elementSize: number;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "pointer_difference";
      readonly left: CheckedExpression;
      readonly right: CheckedExpression;
      readonly elementSize: number;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "address_of";
      readonly operand: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "dereference";
      readonly pointer: CheckedExpression;
      /** Of an array of variable length: what holds the number of its elements. */
      readonly length?: VariableSymbol;
      readonly type: QualType;
      readonly span: Span;
    }
  /** `path` from the object's record to the field, through anonymous members. */
  | {
      readonly kind: "member";
      readonly object: CheckedExpression;
      readonly record: RecordType;
      readonly path: readonly RecordField[];
      readonly type: QualType;
      readonly span: Span;
    }
  | {
      readonly kind: "cast";
      readonly cast: CastKind;
      readonly operand: CheckedExpression;
      readonly type: QualType;
      /** Written by the user. */
      readonly explicit: boolean;
      readonly span: Span;
    }
  | {
      readonly kind: "assign";
      readonly target: CheckedExpression;
      readonly value: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /**
   * target op= value. `computeType`: the type in which it is computed; the target is converted to it
   * and the result back. For pointers `op` is add or sub and `elementSize` is set.
   */
  | {
      readonly kind: "compound_assign";
      readonly op: ArithmeticOperator;
      readonly target: CheckedExpression;
      readonly value: CheckedExpression;
      readonly computeType: QualType;
      readonly elementSize?: number;
      readonly type: QualType;
      readonly span: Span;
    }
  /** `step` is +1, -1 or ± the element size for pointers. */
  | {
      readonly kind: "increment";
      readonly target: CheckedExpression;
      readonly prefix: boolean;
      readonly step: number;
      readonly type: QualType;
      readonly span: Span;
    }
  /** `then` absent: `a ?: b`, whose condition value is the result (converted by `thenCast` steps in `reuse`). */
  | {
      readonly kind: "conditional";
      readonly condition: CheckedExpression;
      readonly then: CheckedExpression;
      readonly otherwise: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /** Evaluates `value` once; inside `body` it stands as a {@link "reuse"} of the same id. For `a ?: b`. */
  | {
      readonly kind: "bind";
      readonly id: number;
      readonly value: CheckedExpression;
      readonly body: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  | { readonly kind: "reuse"; readonly id: number; readonly type: QualType; readonly span: Span }
  | {
      readonly kind: "comma";
      readonly left: CheckedExpression;
      readonly right: CheckedExpression;
      readonly type: QualType;
      readonly span: Span;
    }
  /** Arguments are converted to the parameters' types (default promotions where variadic). */
  | {
      readonly kind: "call";
      readonly callee: CheckedExpression;
      readonly functionType: FunctionType;
      readonly args: readonly CheckedExpression[];
      readonly type: QualType;
      readonly span: Span;
    }
  | CheckedBuiltin
  | {
      readonly kind: "statement_expression";
      readonly body: readonly CheckedStatement[];
      /** The value of the last expression statement; absent: void. */
      readonly result?: CheckedExpression;
      /** Variables whose cleanup runs at the end. */
      readonly locals: readonly VariableSymbol[];
      readonly type: QualType;
      readonly span: Span;
    }
  /** A local object initialised each time it is evaluated. */
  | {
      readonly kind: "compound_literal";
      readonly symbol: VariableSymbol;
      readonly initializer: CheckedInitializer;
      readonly type: QualType;
      readonly span: Span;
    };

/**
 * Compiler builtins that are not folded by the checker. `name` as spelled (`__builtin_memcpy`,
 * `__sync_fetch_and_add`, `__builtin_preserve_field_info` …). Arguments are converted as the
 * builtin's prototype says; CO-RE builtins keep their first argument as the unevaluated lvalue.
 */
export interface CheckedBuiltin {
  readonly kind: "builtin";
  readonly name: string;
  readonly args: readonly CheckedExpression[];
  /** Type arguments: of preserve_type_info, btf_type_id, preserve_enum_value. */
  readonly typeArg?: QualType;
  /** preserve_enum_value: which enumerator. */
  readonly enumerator?: {
    readonly enumType: EnumType;
    readonly name: string;
    readonly value: bigint;
  };
  readonly type: QualType;
  readonly span: Span;
}

export type ArithmeticOperator =
  | "mul"
  | "div"
  | "rem"
  | "add"
  | "sub"
  | "shl"
  | "shr"
  | "and"
  | "xor"
  | "or";

export type CastKind =
  | "lvalue_to_rvalue"
  | "array_to_pointer"
  | "function_to_pointer"
  /** Between integer types (bool, enum and int included), except to bool. */
  | "integral"
  /** Between floating types, or between one and an integer type other than _Bool. */
  | "floating"
  /** Any scalar compared with zero. */
  | "to_bool"
  | "pointer_to_integral"
  | "integral_to_pointer"
  /** Pointer to pointer. */
  | "bitcast"
  /** Pointer between address spaces (arena). */
  | "address_space"
  | "to_void"
  /** Same representation: qualifiers, typedefs, compatible records. */
  | "noop";

/** How an object is filled. Parts not mentioned are zero. */
export type CheckedInitializer =
  | { readonly kind: "expression"; readonly value: CheckedExpression }
  | {
      readonly kind: "aggregate";
      /** In evaluation order; later ones override earlier ones at the same place. */
      readonly elements: readonly InitializerElement[];
      readonly span: Span;
    }
  /** A char array from a string: bytes incl. NUL where they fit. */
  | { readonly kind: "string"; readonly bytes: Uint8Array; readonly span: Span };

export interface InitializerElement {
  /** Byte offset of the scalar, record or array in the whole object; for bit-fields see `field`. */
  readonly offset: number;
  readonly type: QualType;
  /** Set for bit-fields: their place is bitOffset relative to `offset` = start of their record. */
  readonly field?: RecordField;
  readonly value: CheckedExpression | { readonly kind: "bytes"; readonly bytes: Uint8Array };
}

export interface CheckedAsmOperand {
  readonly name?: string;
  readonly constraint: string;
  /** An lvalue for outputs (and for "m"), an rvalue otherwise. */
  readonly value: CheckedExpression;
}

export type CheckedStatement =
  | {
      readonly kind: "compound";
      readonly body: readonly CheckedStatement[];
      readonly locals: readonly VariableSymbol[];
      /** Of `;`. True for `__attribute__((fallthrough));`: control is meant to go on. */
      readonly fallthrough?: boolean;
      readonly span: Span;
    }
  | { readonly kind: "expression"; readonly value: CheckedExpression; readonly span: Span }
  /** A local variable comes to life. */
  | {
      readonly kind: "local";
      readonly symbol: VariableSymbol;
      readonly initializer?: CheckedInitializer;
      readonly span: Span;
    }
  | {
      readonly kind: "if";
      readonly condition: CheckedExpression;
      readonly then: CheckedStatement;
      readonly otherwise?: CheckedStatement;
      readonly span: Span;
    }
  | {
      readonly kind: "switch";
      readonly id: number;
      /** Promoted integer. */
      readonly value: CheckedExpression;
      /** All cases of the body, values converted to the value's type. Ranges are inclusive. */
      readonly cases: readonly CheckedCase[];
      readonly hasDefault: boolean;
      readonly body: CheckedStatement;
      readonly span: Span;
    }
  /** The place of a case inside a switch body. `caseId` as in {@link CheckedCase}; -1 is default. */
  | {
      readonly kind: "case";
      readonly switchId: number;
      readonly caseId: number;
      readonly body: CheckedStatement;
      readonly span: Span;
    }
  | {
      readonly kind: "loop";
      readonly form: "while" | "do" | "for";
      readonly init?: CheckedStatement;
      readonly condition?: CheckedExpression;
      readonly step?: CheckedExpression;
      readonly body: CheckedStatement;
      readonly locals: readonly VariableSymbol[];
      readonly unroll?: UnrollHint;
      readonly span: Span;
    }
  | {
      readonly kind: "label";
      readonly label: LabelSymbol;
      readonly body: CheckedStatement;
      readonly span: Span;
    }
  | { readonly kind: "goto"; readonly label: LabelSymbol; readonly span: Span }
  | { readonly kind: "break" | "continue"; readonly span: Span }
  | { readonly kind: "return"; readonly value?: CheckedExpression; readonly span: Span }
  | {
      readonly kind: "asm";
      readonly template: string;
      readonly extended: boolean;
      readonly volatile: boolean;
      readonly outputs: readonly CheckedAsmOperand[];
      readonly inputs: readonly CheckedAsmOperand[];
      readonly clobbers: readonly string[];
      readonly labels: readonly LabelSymbol[];
      readonly span: Span;
    };

export interface CheckedCase {
  readonly caseId: number;
  readonly low: bigint;
  readonly high: bigint;
}
