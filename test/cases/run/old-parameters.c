/* Parameters that are declared between the list of their names and the body. */
#include "run.h"

typedef u16 length;

static int narrow(c, s, u) signed char c; u8 u; short s; { return c * s - u; }
static u64 wide(a, b) u64 a, b; { return a ^ (b << 7); }
static length add(list, n)
  const length *list;
  register int n;
{
  length total = 0;
  while (n-- > 0) total += list[n];
  return total;
}
static int first(values) int values[3]; { int *values_of = values; return values_of[0]; }
static __attribute__((always_inline)) int apply(f, x) int (*f)(int); int x; { return f(x); }
static int twice(int x) { return 2 * x; }

static void run(void) {
  length list[] = {HIDE((length)1), 65535, 7};
  int values[3] = {HIDE(41), 2, 3};
  mix(narrow(HIDE((signed char)-100), HIDE((short)-300), HIDE((u8)255)));
  mix(wide(HIDE(1ull << 60), HIDE(3ull)));
  mix(add(list, 3));
  mix(first(values));
  mix(apply(twice, HIDE(21)));
}
