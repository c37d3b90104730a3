#include "check.h"

enum small { negative = -1, other };
enum large { big = 0x123456789ull };

static u8 return_u8(int x) { return x; }
static s8 return_s8(int x) { return x; }
static _Bool return_bool(u64 x) { return x; }
static __attribute__((noinline)) u16 keep_u16(u32 x) { return x; }
static __attribute__((noinline)) s16 keep_s16(s16 x) { return x * 2; }
static __attribute__((noinline)) _Bool keep_bool(_Bool a, s8 b, u8 c) { return a ? b < 0 : c; }

static int checks(void) {
  u8 a = HIDE(200), b = HIDE(100);
  CHECK(a + b == 300 && (u8)(a + b) == 44 && (s8)a == -56);
  a += b;
  CHECK(a == 44 && a++ == 44 && ++a == 46);
  s8 c = HIDE(-128);
  c--;
  CHECK(c == 127 && -c == -127 && ~c == -128);
  CHECK(return_u8(HIDE(0x1ff)) == 255 && return_s8(HIDE(0xff)) == -1 && return_bool(HIDE(0x100ull)));
  CHECK(keep_u16(HIDE(0x12345u)) == 0x2345 && keep_s16(HIDE(-20000)) == 25536);
  CHECK(keep_bool(HIDE(5), HIDE(-1), 0) && !keep_bool(0, -1, HIDE(0)) && keep_bool(0, 0, 255));
  s32 i = HIDE(-7);
  CHECK(i / 2 == -3 && i % 2 == -1 && i >> 1 == -4 && (u32)i >> 28 == 15 && i / HIDE(-2) == 3);
  CHECK(HIDE(100) % HIDE(-7) == 2 && HIDE(-100) / HIDE(7) == -14);
  u32 u = HIDE(0xfffffff9u);
  CHECK(u / 2 == 0x7ffffffc && u % 10 == 9 && (u64)u == 0xfffffff9 && (s64)(s32)u == -7);
  CHECK((u64)i == 0xfffffffffffffff9ull && i < 1u == 0);
  s64 l = HIDE(-1000000007ll * 3);
  CHECK(l / 3 == -1000000007 && l % 1000 == -21 && (u64)l > 5 && l < 5);
  CHECK(l / HIDE(-3ll) == 1000000007 && l % HIDE(10ll) == -1);
  u64 w = HIDE(0x123456789abcdef0ull);
  CHECK(w << 4 == 0x23456789abcdef00 && w >> 60 == 1 && (u32)w == 0x9abcdef0 && (u16)(w >> 16) == 0x9abc);
  CHECK(w * 3 == 0x369d0369d0369cd0 && w % 1000 == 320 && w / HIDE(1000ull) == 1311768467463790);
  int shift = HIDE(33);
  CHECK(w >> shift == 0x91a2b3c && 1ull << shift == 0x200000000 && 1u << (shift - 2) == 0x80000000);
  CHECK((enum small)HIDE(-1) < 0 && (enum large)HIDE((u64)big) == 0x123456789);
  u16 h = HIDE(0xffff);
  CHECK(h * h == (int)0xfffe0001 && (h << 16) >> 16 == -1 && (u32)h << 16 >> 16 == 0xffff);
  _Bool flag = HIDE(2);
  flag += 5;
  CHECK(flag == 1 && (flag ^ 1) == 0 && !flag == 0);
  flag &= HIDE(0);
  CHECK(!flag && (_Bool)&w);
  h ^= HIDE(0xf0f0f);
  h |= 0x1000;
  h >>= HIDE(4);
  CHECK(h == 0xf0f - 0 && (h -= 0x1000) == 0xff0f);
  a = HIDE(7);
  a /= -2;
  CHECK(a == 253);
  a = 200;
  a *= HIDE(3ll);
  a <<= 1;
  CHECK(a == 176);
  u32 x = HIDE(5u), y = HIDE(7u);
  CHECK((x > y) - (x < y) == -1 && (x, y) == 7 && -x == 0xfffffffb && (s64)-x == 0xfffffffb);
  CHECK((x - y) / 2 == 0x7fffffff && (s32)(x - y) / 2 == -1);
  return 0;
}
