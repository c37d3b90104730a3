#warning careful
#error stop here
#if 1 +
#endif
#if 1 / 0
#endif
#if FOO(1)
#endif
#if 1 2
#endif
#if 1.0
#endif
#define
#define 1
#define defined
#define F(a, a) a
#define G(a b) a
#define H(a) #b
#define I ##
#define TWO(a, b) a b
TWO(1)
TWO(1, 2, 3)
CAT
#define CAT(a, b) a##b
CAT(+, -)
#else
#elif 1
#endif
#define R 1
#define R 2
#undef
#unknown
#pragma GCC poison forbidden
forbidden
"unterminated
'x
#ifdef A B
#endif C
#if 1
#else
#else
#endif
#pragma clang attribute pop
#pragma GCC error "from a pragma"
#include
#define NO_TARGET "GCC error \"name the target\""
#define argument_of(x) ({ _Pragma(NO_TARGET); 0l; })
#define both(x, y) x + y
long in_macro = both(argument_of(ctx), 1);
#if 0
