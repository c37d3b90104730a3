/**
 * Every message of the checker, one row each: the stable code (for warnings clang's flag without
 * `-W`), and the text with `%0`, `%1` for its arguments. Wording follows
 * clang, so that people find what they know and build logs can be compared.
 */

/**
 * `error` cannot be turned off; `default-error` is an error that its `-W` name turns off or down;
 * whether a `warning` is on is a matter of `compiler/warning-groups.ts`.
 */
export type MessageKind = "error" | "default-error" | "warning";

/** Kind, code, text. */
export type MessageRow = readonly [kind: MessageKind, code: string, text: string];

/** All rows; made when the first message is given, for most compilations give none. */
// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table.
function makeMessages() {
  const names = {
    undeclared: ["error", "undeclared-identifier", "use of undeclared identifier '%0'"],
    undeclaredHint: [
      "error",
      "undeclared-identifier",
      "use of undeclared identifier '%0'; did you mean '%1'?",
    ],
    implicitFunction: [
      "default-error",
      "implicit-function-declaration",
      "call to undeclared function '%0'; ISO C99 and later do not support implicit function declarations",
    ],
    implicitLibraryFunction: [
      "default-error",
      "implicit-function-declaration",
      "call to undeclared library function '%0' with type '%1'; ISO C99 and later do not support implicit function declarations",
    ],
    unknownBuiltin: [
      "default-error",
      "implicit-function-declaration",
      "use of unknown builtin '%0'",
    ],
    unknownType: ["error", "unknown-type-name", "unknown type name '%0'"],
    unexpectedType: ["error", "unexpected-type", "unexpected type name '%0': expected expression"],
    noMember: ["error", "no-member", "no member named '%0' in '%1'"],
    noMemberHint: ["error", "no-member", "no member named '%0' in '%1'; did you mean '%2'?"],
    undeclaredLabel: ["error", "undeclared-label", "use of undeclared label '%0'"],
    wrongTagKind: [
      "error",
      "wrong-tag-kind",
      "use of '%0' with tag type that does not match previous declaration",
    ],
  } as const;

  const declarations = {
    redefinition: ["error", "redefinition", "redefinition of '%0'"],
    sectionConflict: ["error", "section-conflict", "'%0' causes a section type conflict with '%1'"],
    redefinitionKind: [
      "error",
      "redefinition-different-kind",
      "redefinition of '%0' as different kind of symbol",
    ],
    redefinitionType: [
      "error",
      "redefinition-different-type",
      "redefinition of '%0' with a different type: %1 vs %2",
    ],
    redefinitionTypedef: [
      "error",
      "typedef-redefinition",
      "typedef redefinition with different types (%0 vs %1)",
    ],
    redefinitionEnumerator: ["error", "redefinition", "redefinition of enumerator '%0'"],
    redeclarationType: [
      "error",
      "redeclaration-different-type",
      "redeclaration of '%0' with a different type: %1 vs %2",
    ],
    conflictingTypes: ["error", "conflicting-types", "conflicting types for '%0'"],
    staticAfterNonStatic: [
      "error",
      "static-after-non-static",
      "static declaration of '%0' follows non-static declaration",
    ],
    nonStaticAfterStatic: [
      "error",
      "non-static-after-static",
      "non-static declaration of '%0' follows static declaration",
    ],
    duplicateMember: ["error", "duplicate-member", "duplicate member '%0'"],
    anonymousRedeclares: ["error", "duplicate-member", "member of anonymous %0 redeclares '%1'"],
    incompleteVariable: ["error", "incomplete-type", "variable has incomplete type %0"],
    incompleteField: ["error", "incomplete-type", "field has incomplete type %0"],
    incompleteParameter: ["error", "incomplete-type", "variable has incomplete type %0"],
    incompleteTentative: [
      "error",
      "incomplete-type",
      "tentative definition has type %0 that is never completed",
    ],
    incompleteElement: ["error", "incomplete-type", "array has incomplete element type %0"],
    incompleteReturn: [
      "error",
      "incomplete-type",
      "incomplete result type %0 in function definition",
    ],
    tentativeArray: [
      "warning",
      "tentative-definition-array",
      "tentative array definition assumed to have one element",
    ],
    functionField: ["error", "function-field", "field '%0' declared as a function"],
    functionReturnsFunction: [
      "error",
      "function-returns-function",
      "function cannot return function type %0",
    ],
    functionReturnsArray: [
      "error",
      "function-returns-array",
      "function cannot return array type %0",
    ],
    arrayOfFunctions: [
      "error",
      "array-of-functions",
      "'%0' declared as array of functions of type %1",
    ],
    arrayAlignment: [
      "error",
      "array-element-alignment",
      "size of array element of type %0 (%1 bytes) isn't a multiple of its alignment (%2 bytes)",
    ],
    dataTooLarge: ["error", "data-too-large", "initialized object is too large (%0 bytes)"],
    arrayTooLarge: ["error", "array-too-large", "array is too large (%0 elements)"],
    negativeArray: [
      "error",
      "negative-array-size",
      "'%0' declared as an array with a negative size",
    ],
    negativeArrayUnnamed: ["error", "negative-array-size", "array size is negative"],
    arraySizeType: ["error", "array-size-type", "size of array has non-integer type %0"],
    arrayNeedsSize: [
      "error",
      "array-needs-size",
      "definition of variable with array type needs an explicit size or an initializer",
    ],
    variableLengthArray: [
      "error",
      "variable-length-array",
      "variable length arrays are not supported: the size of '%0' must be constant",
    ],
    variableLengthFile: [
      "error",
      "variable-length-array",
      "variable length array declaration not allowed at file scope",
    ],
    foldedArray: [
      "warning",
      "gnu-folding-constant",
      "variable length array folded to constant array as an extension",
    ],
    foldedConstant: [
      "warning",
      "gnu-folding-constant",
      "expression is not an integer constant expression; folding it to a constant is a GNU extension",
    ],
    redefinitionParameter: ["error", "redefinition", "redefinition of parameter '%0'"],
    notFunctionDefinition: [
      "error",
      "not-a-function",
      "function definition declared with a type that is no function",
    ],
    voidParameter: ["error", "void-parameter", "argument may not have 'void' type"],
    externInitializer: ["warning", "extern-initializer", "'extern' variable has an initializer"],
    blockExternInitializer: [
      "error",
      "block-extern-initializer",
      "declaration of block scope identifier with linkage cannot have an initializer",
    ],
    initializedFunction: [
      "error",
      "illegal-initializer",
      "illegal initializer (only variables can be initialized)",
    ],
    initializedTypedef: [
      "error",
      "illegal-initializer",
      "illegal initializer (only variables can be initialized)",
    ],
    autoTypeNeedsInit: [
      "error",
      "auto-type-initializer",
      "declaration of variable '%0' with deduced type '__auto_type' requires an initializer",
    ],
    autoTypeBraces: [
      "error",
      "auto-type-initializer",
      "cannot use '__auto_type' with initializer list",
    ],
    autoTypeVoid: ["error", "incomplete-type", "variable has incomplete type %0"],
    bitFieldType: ["error", "bit-field-type", "bit-field '%0' has non-integral type %1"],
    bitFieldTypeUnnamed: [
      "error",
      "bit-field-type",
      "anonymous bit-field has non-integral type %0",
    ],
    bitFieldWide: [
      "error",
      "bit-field-width",
      "width of bit-field '%0' (%1 bits) exceeds the width of its type (%2 bits)",
    ],
    bitFieldWideUnnamed: [
      "error",
      "bit-field-width",
      "width of anonymous bit-field (%0 bits) exceeds the width of its type (%1 bits)",
    ],
    bitFieldNegative: ["error", "bit-field-width", "bit-field '%0' has negative width (%1)"],
    bitFieldZero: ["error", "bit-field-width", "named bit-field '%0' has zero width"],
    bitFieldWidth: ["error", "not-constant", "expression is not an integer constant expression"],
    flexibleNotLast: [
      "error",
      "flexible-array-not-last",
      "flexible array member '%0' with type %1 is not at the end of struct",
    ],
    anonymousTag: ["warning", "microsoft-anon-tag", "anonymous structs are a Microsoft extension"],
    emptyDeclaration: ["warning", "missing-declarations", "declaration does not declare anything"],
    invalidStorageFile: [
      "error",
      "illegal-storage-class",
      "illegal storage class on file-scoped variable",
    ],
    functionStorage: ["error", "illegal-storage-class", "illegal storage class on function"],
    blockStatic: [
      "error",
      "block-static-function",
      "function declared in block scope cannot have 'static' storage class",
    ],
    inlineVariable: ["error", "inline-non-function", "'inline' can only appear on functions"],
    threadLocal: [
      "error",
      "thread-local",
      "thread-local storage is not supported for the current target",
    ],
    nestedFunction: ["error", "nested-function", "function definition is not allowed here"],
    enumTooLarge: ["error", "enum-too-large", "enumeration values exceed range of largest integer"],
    staticAssert: ["error", "static-assert-failed", "static assertion failed%0"],
    staticAssertNotConstant: [
      "error",
      "static-assert-not-constant",
      "static assertion expression is not an integral constant expression",
    ],
    notConstant: ["error", "not-constant", "expression is not an integer constant expression"],
    notConstantInteger: [
      "error",
      "not-constant",
      "integer constant expression must have integer type, not %0",
    ],
    notConstantInitializer: [
      "error",
      "not-constant-initializer",
      "initializer element is not a compile-time constant",
    ],
    visibilityRecord: [
      "warning",
      "visibility",
      "declaration of '%0' will not be visible outside of this function",
    ],
    invalidRestrict: [
      "error",
      "invalid-restrict",
      "restrict requires a pointer or reference (%0 is invalid)",
    ],
  } as const;

  const attributes = {
    unknownAttribute: ["warning", "unknown-attributes", "unknown attribute '%0' ignored"],
    attributeArguments: ["error", "attribute-arguments", "'%0' attribute requires %1"],
    alignmentPower: ["error", "attribute-aligned", "requested alignment is not a power of 2"],
    cleanupFunction: ["error", "attribute-cleanup", "'cleanup' argument '%0' is not a function"],
    cleanupParameters: [
      "error",
      "attribute-cleanup",
      "'cleanup' function '%0' must take 1 parameter",
    ],
    cleanupType: [
      "error",
      "attribute-cleanup",
      "'cleanup' function '%0' parameter has type %1 which is incompatible with type %2",
    ],
    unknownMode: ["error", "attribute-mode", "unknown machine mode '%0'"],
    vectorUnsupported: ["error", "vector-types", "vector types are not supported by BPF"],
    weakStatic: ["error", "weak-static", "weak declaration cannot have internal linkage"],
  } as const;

  const initializers = {
    excessScalar: ["warning", "excess-initializers", "excess elements in scalar initializer"],
    excessArray: ["warning", "excess-initializers", "excess elements in array initializer"],
    excessStruct: ["warning", "excess-initializers", "excess elements in struct initializer"],
    excessUnion: ["warning", "excess-initializers", "excess elements in union initializer"],
    stringTooLong: [
      "warning",
      "excess-initializers",
      "initializer-string for char array is too long",
    ],
    tooManyBraces: [
      "warning",
      "many-braces-around-scalar-init",
      "too many braces around scalar initializer",
    ],
    missingField: ["warning", "missing-field-initializers", "missing field '%0' initializer"],
    missingBraces: [
      "warning",
      "missing-braces",
      "suggest braces around initialization of subobject",
    ],
    overridden: [
      "warning",
      "initializer-overrides",
      "initializer overrides prior initialization of this subobject",
    ],
    arrayNeedsList: ["error", "array-initializer", "array initializer must be an initializer list"],
    arrayNeedsListOrString: [
      "error",
      "array-initializer",
      "array initializer must be an initializer list or string literal",
    ],
    arrayNeedsListOrWideString: [
      "error",
      "array-initializer",
      "array initializer must be an initializer list or wide string literal",
    ],
    fieldDesignatorType: [
      "error",
      "field-designator",
      "field designator cannot initialize a non-struct, non-union type %0",
    ],
    indexDesignatorType: [
      "error",
      "array-designator",
      "array designator cannot initialize non-array type %0",
    ],
    fieldDesignatorUnknown: [
      "error",
      "field-designator",
      "field designator '%0' does not refer to any field in type %1",
    ],
    fieldDesignatorHint: [
      "error",
      "field-designator",
      "field designator '%0' does not refer to any field in type %1; did you mean '%2'?",
    ],
    designatorBounds: [
      "error",
      "array-designator",
      "array designator index (%0) exceeds array bounds (%1)",
    ],
    designatorNegative: ["error", "array-designator", "array designator value '%0' is negative"],
    designatorRange: ["error", "array-designator", "array designator range [%0, %1] is empty"],
    scalarDesignator: [
      "error",
      "scalar-designator",
      "designator in initializer for scalar type %0",
    ],
  } as const;

  const conversions = {
    incompatibleValue: ["error", "incompatible-type", "%0"],
    intToPointer: [
      "default-error",
      "int-conversion",
      "incompatible integer to pointer conversion %0",
    ],
    pointerToInt: [
      "default-error",
      "int-conversion",
      "incompatible pointer to integer conversion %0",
    ],
    pointerTypes: ["warning", "incompatible-pointer-types", "incompatible pointer types %0"],
    functionPointerTypes: [
      "default-error",
      "incompatible-function-pointer-types",
      "incompatible function pointer types %0",
    ],
    discardsQualifiers: [
      "warning",
      "incompatible-pointer-types-discards-qualifiers",
      "%0 discards qualifiers",
    ],
    nestedQualifiers: [
      "warning",
      "incompatible-pointer-types-discards-qualifiers",
      "%0 discards qualifiers in nested pointer types",
    ],
    pointerSign: ["warning", "pointer-sign", "%0 converts between pointers to integer types %1"],
    addressSpace: ["error", "address-space", "%0 changes address space of pointer"],
    castToIncomplete: ["error", "incomplete-type", "cast to incomplete type %0"],
    castScalar: ["error", "cast", "used type %0 where arithmetic or pointer type is required"],
    castPointerToFloat: ["error", "cast", "pointer cannot be cast to type %1"],
    castFloatToPointer: ["error", "cast", "operand of type %0 cannot be cast to a pointer type"],
    castOperand: [
      "error",
      "cast",
      "operand of type %0 where arithmetic or pointer type is required",
    ],
    intToVoidPointer: [
      "warning",
      "int-to-void-pointer-cast",
      "cast to 'void *' from smaller integer type %0",
    ],
    intToPointerCast: ["warning", "int-to-pointer-cast", "cast to %0 from smaller integer type %1"],
    pointerToIntCast: ["warning", "pointer-to-int-cast", "cast to smaller integer type %0 from %1"],
    voidPointerToIntCast: [
      "warning",
      "void-pointer-to-int-cast",
      "cast to smaller integer type %0 from %1",
    ],
    constantConversion: [
      "warning",
      "constant-conversion",
      "implicit conversion from %0 to %1 changes value from %2 to %3",
    ],
    bitFieldConversion: [
      "warning",
      "bitfield-constant-conversion",
      "implicit truncation from %0 to bit-field changes value from %1 to %2",
    ],
    singleBitConversion: [
      "warning",
      "single-bit-bitfield-constant-conversion",
      "implicit truncation from %0 to a one-bit wide bit-field changes value from %1 to %2",
    ],
    floatUnsupported: ["error", "floating-point", "floating point is not supported by BPF"],
    floatTooLarge: [
      "warning",
      "literal-range",
      "magnitude of floating-point constant too large for type %0; maximum is %1",
    ],
    literalConversion: [
      "warning",
      "literal-conversion",
      "implicit conversion from %0 to %1 changes value from %2 to %3",
    ],
    packedAddress: [
      "warning",
      "address-of-packed-member",
      "taking address of packed member '%0' of class or structure '%1' may result in an unaligned pointer value",
    ],
  } as const;

  const expressions = {
    integerTooLarge: [
      "error",
      "integer-too-large",
      "integer literal is too large to be represented in any integer type",
    ],
    integerUnsigned: [
      "warning",
      "implicitly-unsigned-literal",
      "integer literal is too large to be represented in a signed integer type, interpreting as unsigned",
    ],
    invalidOperands: [
      "error",
      "invalid-operands",
      "invalid operands to binary expression (%0 and %1)",
    ],
    invalidUnary: ["error", "invalid-operand", "invalid argument type %0 to unary expression"],
    indirection: ["error", "indirection", "indirection requires pointer operand (%0 invalid)"],
    indirectionVoid: [
      "warning",
      "void-ptr-dereference",
      "ISO C does not allow indirection on operand of type %0",
    ],
    incompleteMember: ["error", "incomplete-type", "incomplete definition of type %0"],
    memberNotRecord: [
      "error",
      "member-not-record",
      "member reference base type %0 is not a structure or union",
    ],
    memberArrow: [
      "error",
      "member-arrow",
      "member reference type %0 is not a pointer; did you mean to use '.'?",
    ],
    memberArrowPlain: ["error", "member-arrow", "member reference type %0 is not a pointer"],
    memberDot: [
      "error",
      "member-dot",
      "member reference type %0 is a pointer; did you mean to use '->'?",
    ],
    subscriptType: ["error", "subscript", "subscripted value is not an array, pointer, or vector"],
    subscriptInteger: ["error", "subscript", "array subscript is not an integer"],
    subscriptFunction: ["error", "subscript", "subscript of pointer to function type %0"],
    subscriptIncomplete: ["error", "incomplete-type", "subscript of pointer to incomplete type %0"],
    subscriptBounds: [
      "warning",
      "array-bounds",
      "array index %0 is past the end of the array (that has type %1)",
    ],
    subscriptNegative: [
      "warning",
      "array-bounds",
      "array index %0 is before the beginning of the array",
    ],
    arithmeticIncomplete: [
      "error",
      "incomplete-type",
      "arithmetic on a pointer to an incomplete type %0",
    ],
    notAFunction: [
      "error",
      "not-a-function",
      "called object type %0 is not a function or function pointer",
    ],
    tooFewArguments: [
      "error",
      "too-few-arguments",
      "too few arguments to function call, expected %0, have %1",
    ],
    tooFewArgumentsSingle: [
      "error",
      "too-few-arguments",
      "too few arguments to function call, single argument '%0' was not specified",
    ],
    tooFewArgumentsAtLeast: [
      "error",
      "too-few-arguments",
      "too few arguments to function call, expected at least %0, have %1",
    ],
    tooFewArgumentsAtLeastOne: [
      "error",
      "too-few-arguments",
      "too few arguments to function call, at least argument '%0' must be specified",
    ],
    tooManyArguments: [
      "error",
      "too-many-arguments",
      "too many arguments to function call, expected %0, have %1",
    ],
    tooManyArgumentsSingle: [
      "error",
      "too-many-arguments",
      "too many arguments to function call, expected single argument '%0', have %1 arguments",
    ],
    tooFewOld: ["warning", "knr-arguments", "too few arguments in call to '%0'"],
    tooManyOld: ["warning", "knr-arguments", "too many arguments in call to '%0'"],
    deprecatedNoPrototype: [
      "warning",
      "deprecated-non-prototype",
      "passing arguments to '%0' without a prototype is deprecated in all versions of C and is not supported in C23",
    ],
    oldDefinition: [
      "warning",
      "deprecated-non-prototype",
      "a function definition without a prototype is deprecated in all versions of C and is not supported in C23",
    ],
    incompleteArgument: ["error", "incomplete-type", "argument type %0 is incomplete"],
    incompleteCall: ["error", "incomplete-type", "calling '%0' with incomplete return type %1"],
    notAssignable: ["error", "not-assignable", "expression is not assignable"],
    arrayNotAssignable: ["error", "not-assignable", "array type %0 is not assignable"],
    functionNotAssignable: ["error", "not-assignable", "non-object type %0 is not assignable"],
    assignConst: [
      "error",
      "assign-const",
      "cannot assign to variable '%0' with const-qualified type %1",
    ],
    assignConstMember: [
      "error",
      "assign-const",
      "cannot assign to non-static data member '%0' with const-qualified type %1",
    ],
    assignReadOnly: ["error", "assign-const", "read-only variable is not assignable"],
    assignNested: [
      "error",
      "assign-const",
      "cannot assign to variable '%0' with nested const-qualified data member '%1'",
    ],
    incrementType: ["error", "increment", "cannot %0 value of type %1"],
    addressOfRvalue: ["error", "address-of", "cannot take the address of an rvalue of type %0"],
    addressOfBitField: ["error", "address-of", "address of bit-field requested"],
    statementNotScalar: [
      "error",
      "condition-type",
      "statement requires expression of scalar type (%0 invalid)",
    ],
    conditionalScalar: [
      "error",
      "condition-type",
      "used type %0 where arithmetic or pointer type is required",
    ],
    conditionalTypes: ["error", "incompatible-operands", "incompatible operand types (%0 and %1)"],
    conditionalPointers: ["warning", "pointer-type-mismatch", "pointer type mismatch (%0 and %1)"],
    conditionalPointerInteger: [
      "default-error",
      "conditional-type-mismatch",
      "pointer/integer type mismatch in conditional expression (%0 and %1)",
    ],
    comparePointers: [
      "warning",
      "compare-distinct-pointer-types",
      "comparison of distinct pointer types (%0 and %1)",
    ],
    comparePointerInteger: [
      "warning",
      "pointer-integer-compare",
      "comparison between pointer and integer (%0 and %1)",
    ],
    comparePointerOrdered: [
      "warning",
      "pointer-integer-compare",
      "ordered comparison between pointer and integer (%0 and %1)",
    ],
    subtractPointers: [
      "error",
      "subtract-pointers",
      "%0 and %1 are not pointers to compatible types",
    ],
    sizeofIncomplete: [
      "error",
      "incomplete-type",
      "invalid application of '%0' to an incomplete type %1",
    ],
    sizeofBitField: ["error", "sizeof-bit-field", "invalid application of 'sizeof' to bit-field"],
    genericNoMatch: [
      "error",
      "generic-no-match",
      "controlling expression type %0 not compatible with any generic association type",
    ],
    genericDuplicate: [
      "error",
      "generic-duplicate",
      "type %0 in generic association compatible with previously specified type %1",
    ],
    genericTwoDefaults: ["error", "generic-duplicate", "duplicate default generic association"],
    offsetofRecord: [
      "error",
      "offsetof",
      "offsetof requires struct, union, or class type, %0 invalid",
    ],
    offsetofBitField: ["error", "offsetof", "cannot compute offset of bit-field '%0'"],
    offsetofArray: ["error", "offsetof", "offsetof requires array type, %0 invalid"],
    offsetofIncomplete: ["error", "incomplete-type", "offsetof of incomplete type %0"],
    labelAddress: [
      "error",
      "label-address",
      "use of address-of-label extension outside of a function body",
    ],
    vaArgList: ["error", "va-arg", "first argument to 'va_arg' is of type %0 and not 'va_list'"],
    statementExpressionFileScope: [
      "error",
      "statement-expression",
      "statement expression not allowed at file scope",
    ],
    divideByZero: ["warning", "division-by-zero", "%0 by zero is undefined"],
    shiftCount: ["warning", "shift-count-overflow", "shift count >= width of type"],
    shiftNegative: ["warning", "shift-count-negative", "shift count is negative"],
    signCompare: [
      "warning",
      "sign-compare",
      "comparison of integers of different signs: %0 and %1",
    ],
    enumCompare: [
      "warning",
      "enum-compare",
      "comparison of different enumeration types (%0 and %1)",
    ],
    enumConversion: [
      "warning",
      "enum-conversion",
      "implicit conversion from enumeration type %0 to different enumeration type %1",
    ],
    selfAssign: [
      "warning",
      "self-assign",
      "explicitly assigning value of variable of type %0 to itself",
    ],
    outOfRangeCompare: [
      "warning",
      "tautological-constant-out-of-range-compare",
      "result of comparison of constant %0 with %1 is always %2",
    ],
    stringCompare: [
      "warning",
      "string-compare",
      "result of comparison against a string literal is unspecified (use an explicit string comparison function instead)",
    ],
    logicalNotParentheses: [
      "warning",
      "logical-not-parentheses",
      "logical not is only applied to the left hand side of this %0",
    ],
    parenthesesEquality: [
      "warning",
      "parentheses-equality",
      "equality comparison with extraneous parentheses",
    ],
    selfComparison: ["warning", "tautological-compare", "self-comparison always evaluates to %0"],
    unusedComparison: ["warning", "unused-comparison", "%0 comparison result unused"],
    unusedValue: ["warning", "unused-value", "expression result unused"],
    unusedResult: [
      "warning",
      "unused-result",
      "ignoring return value of function declared with '%0' attribute",
    ],
    parentheses: [
      "warning",
      "parentheses",
      "using the result of an assignment as a condition without parentheses",
    ],
    logicalParentheses: ["warning", "logical-op-parentheses", "'&&' within '||'"],
    boolNegation: [
      "warning",
      "bool-operation",
      "bitwise negation of a boolean expression; did you mean logical negation?",
    ],
    bitwiseParentheses: ["warning", "bitwise-op-parentheses", "'%0' within '%1'"],
    shiftParentheses: [
      "warning",
      "shift-op-parentheses",
      "operator '%0' has lower precedence than '%1'; '%1' will be evaluated first",
    ],
    comparisonParentheses: [
      "warning",
      "parentheses",
      "%0 has lower precedence than %1; %1 will be evaluated first",
    ],
    integerOverflow: [
      "warning",
      "integer-overflow",
      "overflow in expression; result is %0 with type %1",
    ],
  } as const;

  const builtins = {
    builtinNotCalled: ["error", "builtin-not-called", "builtin functions must be directly called"],
    builtinUnsupported: ["error", "builtin-unsupported", "'%0' is not supported by BPF"],
    atomicPointer: [
      "error",
      "atomic",
      "address argument to atomic builtin must be a pointer (%0 invalid)",
    ],
    atomicType: [
      "error",
      "atomic",
      "address argument to atomic builtin must be a pointer to integer or pointer (%0 invalid)",
    ],
    atomicConst: [
      "error",
      "atomic",
      "address argument to atomic builtin cannot be const-qualified (%0 invalid)",
    ],
    atomicSize: [
      "error",
      "atomic",
      "address argument to atomic builtin must be a pointer to 1,2,4,8 or 16 byte type (%0 invalid)",
    ],
    overflowType: [
      "error",
      "overflow-builtin",
      "operand argument to overflow builtin must be an integer (%0 invalid)",
    ],
    overflowResult: [
      "error",
      "overflow-builtin",
      "result argument to overflow builtin must be a pointer to a non-const integer (%0 invalid)",
    ],
    vaStartVariadic: ["error", "va-start", "'va_start' used in function with fixed args"],
    fieldInfoArgument: [
      "error",
      "preserve-field-info",
      "__builtin_preserve_field_info argument 1 not a field access",
    ],
    fieldInfoKind: [
      "error",
      "preserve-field-info",
      "__builtin_preserve_field_info argument 2 not a constant",
    ],
    typeInfoArgument: ["error", "preserve-type-info", "%0 argument 1 invalid"],
    typeInfoKind: ["error", "preserve-type-info", "%0 argument 2 not a constant"],
    chooseConstant: [
      "error",
      "choose-expr",
      "'__builtin_choose_expr' requires a constant expression",
    ],
  } as const;

  const statements = {
    caseOutside: ["error", "case-outside-switch", "'case' statement not in switch statement"],
    defaultOutside: ["error", "case-outside-switch", "'default' statement not in switch statement"],
    duplicateCase: ["error", "duplicate-case", "duplicate case value '%0'"],
    duplicateDefault: ["error", "duplicate-default", "multiple default labels in one switch"],
    emptyCaseRange: ["warning", "gnu-case-range", "empty case range specified"],
    caseOverflow: [
      "warning",
      "switch",
      "overflow converting case value to switch condition type (%0 to %1)",
    ],
    switchType: [
      "error",
      "switch-type",
      "statement requires expression of integer type (%0 invalid)",
    ],
    switchMissing: ["warning", "switch", "enumeration value%0 not handled in switch"],
    switchMissingMany: ["warning", "switch", "%0 enumeration values not handled in switch: %1..."],
    switchNotInEnum: ["warning", "switch", "case value not in enumerated type %0"],
    breakOutside: ["error", "break-outside", "'break' statement not in loop or switch statement"],
    continueOutside: ["error", "continue-outside", "'continue' statement not in loop statement"],
    duplicateLabel: ["error", "duplicate-label", "redefinition of label '%0'"],
    unusedLabel: ["warning", "unused-label", "unused label '%0'"],
    voidReturn: [
      "default-error",
      "return-mismatch",
      "void function '%0' should not return a value",
    ],
    nonVoidReturn: [
      "default-error",
      "return-mismatch",
      "non-void function '%0' should return a value",
    ],
    missingReturn: ["warning", "return-type", "non-void function does not return a value"],
    missingReturnSome: [
      "warning",
      "return-type",
      "non-void function does not return a value in all control paths",
    ],
    noreturnReturns: [
      "warning",
      "invalid-noreturn",
      "function '%0' declared 'noreturn' should not return",
    ],
    unusedVariable: ["warning", "unused-variable", "unused variable '%0'"],
    unusedButSet: ["warning", "unused-but-set-variable", "variable '%0' set but not used"],
    unusedFunction: ["warning", "unused-function", "unused function '%0'"],
    unusedStatic: ["warning", "unused-variable", "unused variable '%0'"],
    unusedConst: ["warning", "unused-const-variable", "unused variable '%0'"],
    unusedButSetParameter: [
      "warning",
      "unused-but-set-parameter",
      "parameter '%0' set but not used",
    ],
    unusedTypedef: ["warning", "unused-local-typedef", "unused typedef '%0'"],
    unusedParameter: ["warning", "unused-parameter", "unused parameter '%0'"],
    uninitialized: ["warning", "uninitialized", "variable '%0' is uninitialized when used here"],
    uninitializedSelf: [
      "warning",
      "uninitialized",
      "variable '%0' is uninitialized when used within its own initialization",
    ],
    sometimesUninitialized: [
      "warning",
      "sometimes-uninitialized",
      "variable '%0' is used uninitialized whenever %1",
    ],
    implicitFallthrough: [
      "warning",
      "implicit-fallthrough",
      "unannotated fall-through between switch labels",
    ],
    emptyBody: ["warning", "empty-body", "%0 has empty body"],
    asmOutput: ["error", "asm", "invalid lvalue in asm output"],
    asmInput: ["error", "asm", "invalid lvalue in asm input for constraint '%0'"],
    asmOutputConstraint: ["error", "asm", "invalid output constraint '%0' in asm"],
    asmInputConstraint: ["error", "asm", "invalid input constraint '%0' in asm"],
    asmType: ["error", "asm", "invalid type %0 in asm %1"],
    asmClobber: ["error", "asm", "unknown register name '%0' in asm"],
    computedGotoNowhere: [
      "error",
      "computed-goto",
      "indirect goto in function with no address-of-label expressions",
    ],
  } as const;

  return {
    ...names,
    ...declarations,
    ...attributes,
    ...initializers,
    ...conversions,
    ...expressions,
    ...builtins,
    ...statements,
  } as const satisfies Readonly<Record<string, MessageRow>>;
}

type Messages = ReturnType<typeof makeMessages>;
let made: Messages | undefined;

export function messages(): Messages {
  made ??= makeMessages();
  return made;
}

export type MessageName = keyof Messages;

/** The text of a message with its arguments put in. */
export function formatMessage(name: MessageName, args: readonly string[]): string {
  return messages()[name][2].replace(/%(\d)/g, (_, digit: string) => args[Number(digit)] ?? "");
}
