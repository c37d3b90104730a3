// __LINE__ in arguments of calls that span lines, and in what such arguments expand to.
#define PLAIN __LINE__
#define CALL(x) __LINE__ x
#define CAT2(a, b) a##b
#define CAT(a, b) CAT2(a, b)
#define DEV(x) CAT(entry, __LINE__) x
#define OUTER(...) { __VA_ARGS__ }
#define OUTER2(...) OUTER(__VA_ARGS__) CAT(tail, __LINE__)
#define ID(x) x
OUTER2(
  DEV(1),
  DEV(
    2
  ),
  __LINE__,
  PLAIN,
  CALL(
    __LINE__
  ),
  ID(DEV(
   5
  )
  ),
  ID(
   CALL(6)
  )
)
CAT(
 x,
 __LINE__
)
