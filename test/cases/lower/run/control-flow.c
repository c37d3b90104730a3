#include "check.h"

static u64 log;
static __attribute__((noinline)) void note(int *p) { log = log * 10 + *p; }
#define NOTED __attribute__((cleanup(note)))

static __attribute__((noinline)) int leave(int how) {
  log = 0;
  int first NOTED = 1;
  for (int i = 0; i < 3; i++) {
    int second NOTED = 2;
    if (how == 0) continue;
    if (how == 1) break;
    if (how == 2) return 1;
    if (how == 3) goto out;
    {
      int third NOTED = 3;
      if (how == 4) goto inner;
      if (how == 5) break;
    }
  inner:;
    int fourth NOTED = 4;
    if (how == 6) goto inner_again;
    continue;
  inner_again:
    if (i == 1) return 2;
  }
out:
  return 0;
}

static __attribute__((noinline)) int classify(s64 x) {
  switch (x) {
    case -5 ... -2:
      return 1;
    case 0:
    case 7:
      x++;
    case 8: {
      int inside;
      case 9:
        inside = x;
        return 100 + inside;
    }
    case 1000 ... 100000:
      return 3;
    case 0x100000000:
      return 4;
    default:
      return 5;
    case 10:
      break;
  }
  return 6;
}

static __attribute__((noinline)) int narrow(u8 x) {
  switch (x) {
    case 255: return 1;
    case 0 ... 3: return 2;
  }
  return 0;
}

static __attribute__((noinline)) int loops(int n) {
  int sum = 0, i = 0;
  do {
    if (i == 2) continue;
    sum += i;
  } while (++i < n);
  while (n-- > 0) {
    switch (n) {
      case 3: continue;
      case 1: goto done;
    }
    sum += 100;
  }
done:
  for (int a = 0, b = 10; a < b; a += 2, b--) sum += 1000;
  for (;;) {
    if (sum & 1) break;
    sum++;
  }
again:
  if (sum < 9000) {
    sum += 7;
    goto again;
  }
  return sum;
}

static __attribute__((noinline)) int logic(int a, int b) {
  int effects = 0;
  int both = a && (effects++, b);
  int either = a || (effects += 10, b);
  int none = !(a || b) + !a * 2;
  return both + either * 2 + none * 4 + effects * 100;
}

static int checks(void) {
  CHECK(leave(HIDE(0)) == 0 && log == 2221);
  CHECK(leave(HIDE(1)) == 0 && log == 21);
  CHECK(leave(HIDE(2)) == 1 && log == 21);
  CHECK(leave(HIDE(3)) == 0 && log == 21);
  CHECK(leave(HIDE(4)) == 0 && log == 3423423421);
  CHECK(leave(HIDE(5)) == 0 && log == 321);
  CHECK(leave(HIDE(6)) == 2 && log == 3423421);
  CHECK(classify(HIDE(-3ll)) == 1 && classify(HIDE(-6ll)) == 5);
  CHECK(classify(HIDE(7ll)) == 108 && classify(HIDE(8ll)) == 108 && classify(HIDE(9ll)) == 109);
  CHECK(classify(HIDE(1000ll)) == 3 && classify(HIDE(100000ll)) == 3 && classify(HIDE(999ll)) == 5);
  CHECK(classify(HIDE(0x100000000ll)) == 4 && classify(HIDE(0x100000001ll)) == 5);
  CHECK(classify(HIDE(10ll)) == 6);
  CHECK(narrow(HIDE(255)) == 1 && narrow(HIDE(3)) == 2 && narrow(HIDE(4)) == 0);
  CHECK(loops(HIDE(5)) == 9004);
  CHECK(logic(HIDE(0), HIDE(0)) == 12 + 1000 && logic(HIDE(1), HIDE(0)) == 102);
  CHECK(logic(HIDE(0), HIDE(5)) == 1010 && logic(HIDE(4), HIDE(2)) == 103);
  int evaluated = 0;
  int value = HIDE(0) ? (evaluated = 1) : ((evaluated = 2), HIDE(3) ?: 9);
  CHECK(value == 3 && evaluated == 2);
  CHECK((HIDE(0) ?: HIDE(4)) == 4);
  if ((s8)HIDE(0x100)) return __LINE__;
  if (!(u8)HIDE(0x101)) return __LINE__;
  if (__builtin_expect(!!(HIDE(0x100000000ull)), 0)) evaluated = 7;
  CHECK(evaluated == 7);
  if ((char)__builtin_bswap32(HIDE(0x12u))) return __LINE__;
  return 0;
}
