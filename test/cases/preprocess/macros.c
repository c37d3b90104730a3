#define EMPTY
#define OBJECT one two
#define F(x) x f
#define f(x) x f
#define STR(x) #x
#define XSTR(x) STR(x)
#define CAT(a, b) a ## b
#define XCAT(a, b) CAT(a, b)
#define LP (
OBJECT EMPTY OBJECT
f(1)(2)(3)
STR( a  "b\n" 'c' \ ) XSTR(OBJECT) XSTR(EMPTY)
CAT(foo, bar) CAT(, z) CAT(z, ) CAT(, ) CAT(1, e3) CAT(+, =) XCAT(OB, JECT) XCAT(CA, T)(a, b)
STR(EMPTY) f LP 3)
#define self self + 1
#define ping pong
#define pong ping
self ping pong
#define NEST(x) NESTED(x)
#define NESTED(x) [x]
NEST(NEST(NEST(1)))
#define hash_hash # ## #
#define mkstr(a) # a
#define in_between(a) mkstr(a)
#define join(c, d) in_between(c hash_hash d)
join(x, y)
#define t(x,y,z) x ## y ## z
t(1,2,3) t(,4,5) t(6,,7) t(8,9,) t(10,,) t(,11,) t(,,12) t(,,)
#define g(x) f2(x)
#define f2(a) a + g
g(1)(2)
a F
(b)
