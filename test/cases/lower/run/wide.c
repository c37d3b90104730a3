#include "check.h"
typedef __int128 s128;
typedef unsigned __int128 u128;

static u128 global = ((u128)1 << 64) + 5;
struct address {
  u128 v6;
  u32 port;
};

static int checks(void) {
  u128 a = HIDE(7ull), b = ((u128)HIDE(0x1122334455667788ull) << 64) | 0x99aabbccddeeff00ull;
  CHECK((u64)a == 7 && (u64)(b >> 64) == 0x1122334455667788 && (u64)b == 0x99aabbccddeeff00);
  CHECK((u64)(b >> HIDE(4)) == 0x899aabbccddeeff0 && (u64)(b << HIDE(68) >> 64) == 0x9aabbccddeeff000);
  u128 sum = b + b;
  CHECK((u64)(sum >> 64) == 0x22446688aaccef11 && (u64)sum == 0x33557799bbddfe00);
  CHECK(sum - b == b && sum != b && b < sum && !(b > sum) && b <= b && sum >= b);
  s128 n = -HIDE(5ll);
  CHECK(n < 0 && n < a == 0 && n < (s128)a && (s64)n == -5 && (s64)(n >> 64) == -1 && -n == 5);
  CHECK((u64)(((u128)HIDE(~0ull) * HIDE(~0ull)) >> 64) == ~1ull);
  CHECK(~(u128)0 == (u128)-1 && (a & 3) == 3 && (a | 8) == 15 && (a ^ a) == 0);
  CHECK(a++ == 7 && a == 8 && ++a == 9 && a-- == 9);
  a += 1ull << 63;
  a += 1ull << 63;
  CHECK((u64)a == 8 && (u64)(a >> 64) == 1);
  a <<= 3;
  CHECK((u64)a == 64 && a && !!(a >> 64) && !(a >> 100));
  global += a;
  CHECK(global == ((u128)9 << 64) + 69);
  struct address x = {global, 3}, y = x;
  CHECK(y.v6 == global && y.port == 3 && (HIDE(1) ? y.v6 : a) == global);
  return 0;
}
