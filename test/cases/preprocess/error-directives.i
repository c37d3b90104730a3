TWO
TWO
CAT
    +-
#pragma GCC poison forbidden
forbidden
"unterminated
'x
#pragma clang attribute pop
#pragma GCC error "from a pragma"
long in_macro = ({
#pragma GCC error "name the target"
; 0l; }) + 1;
// 1: warning: careful
// 2: error: stop here
// 3: error: expected value in expression
// 5: error: division by zero in preprocessor expression
// 7: error: function-like macro 'FOO' is not defined
// 9: error: token is not a valid binary operator in a preprocessor subexpression
// 11: error: floating point literal in preprocessor expression
// 13: error: macro name missing
// 14: error: macro name must be an identifier
// 15: error: 'defined' cannot be used as a macro name
// 16: error: duplicate macro parameter name 'a'
// 17: error: expected comma in macro parameter list
// 18: error: '#' is not followed by a macro parameter
// 19: error: '##' cannot appear at start of macro expansion
// 21: error: too few arguments provided to function-like macro invocation
// 22: error: too many arguments provided to function-like macro invocation
// 25: error: pasting formed '+-', an invalid preprocessing token
// 26: error: #else without #if
// 27: error: #elif without #if
// 28: error: #endif without #if
// 30: warning: 'R' macro redefined
// 31: error: macro name missing
// 32: error: invalid preprocessing directive
// 34: error: attempt to use a poisoned identifier 'forbidden'
// 35: warning: missing terminating '"' character
// 36: warning: missing terminating ' character
// 37: warning: extra tokens at end of #ifdef directive
// 38: warning: extra tokens at end of #endif directive
// 41: error: #else after #else
// 43: error: '#pragma clang attribute pop' with no matching '#pragma clang attribute push'
// 44: error: from a pragma
// 45: error: expected "FILENAME" or <FILENAME>
// 49: error: name the target
// 50: error: unterminated conditional directive
