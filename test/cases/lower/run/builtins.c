#include "check.h"

static __attribute__((noinline)) int overflow32(int a, int b) {
  int r;
  unsigned u;
  s8 n;
  return __builtin_add_overflow(a, b, &r) | __builtin_sub_overflow(a, b, &u) << 1 |
         __builtin_mul_overflow(a, b, &n) << 2;
}
static __attribute__((noinline)) int overflow64(s64 a, s64 b, u64 c, u64 d) {
  s64 r;
  u64 u;
  return __builtin_add_overflow(a, b, &r) | __builtin_sub_overflow(a, b, &r) << 1 |
         __builtin_mul_overflow(a, b, &r) << 2 | __builtin_add_overflow(c, d, &u) << 3 |
         __builtin_sub_overflow(c, d, &u) << 4 | __builtin_mul_overflow(c, d, &u) << 5;
}
static __attribute__((noinline)) int mixed(s64 a, u64 b, u32 c) {
  s64 r;
  u64 u;
  return __builtin_add_overflow(a, b, &r) | __builtin_add_overflow(a, b, &u) << 1 |
         __builtin_sub_overflow(b, a, &u) << 2 | __builtin_mul_overflow(a, b, &r) << 3 |
         __builtin_mul_overflow(a, b, &u) << 4 | __builtin_mul_overflow(a, c, &u) << 5;
}

static int checks(void) {
  u32 a = HIDE(0x00f00300u);
  u64 b = HIDE(0x0010000000000080ull);
  CHECK(__builtin_ctz(a) == 8 && __builtin_clz(a) == 8 && __builtin_popcount(a) == 6);
  CHECK(__builtin_ctzll(b) == 7 && __builtin_clzll(b) == 11 && __builtin_popcountll(b) == 2);
  CHECK(__builtin_ffs(a) == 9 && __builtin_ffsll(b) == 8 && __builtin_ffs(HIDE(0)) == 0);
  CHECK(__builtin_parity(a) == 0 && __builtin_parityll(b | 1) == 1);
  CHECK(__builtin_clrsb(HIDE(-1)) == 31 && __builtin_clrsbll(HIDE(1ll)) == 62);
  CHECK(__builtin_bswap16(HIDE((u16)0x1234)) == 0x3412 && __builtin_bswap32(a) == 0x0003f000);
  CHECK(__builtin_bswap64(b) == 0x8000000000001000ull);
  CHECK(__builtin_abs(HIDE(-5)) == 5 && __builtin_llabs(HIDE(-5000000000ll)) == 5000000000);
  CHECK(overflow32(HIDE(1), HIDE(2)) == 2);
  CHECK(overflow32(HIDE(0x7fffffff), HIDE(1)) == 1 + 4);
  CHECK(overflow32(HIDE(16), HIDE(8)) == 4 && overflow32(HIDE(-16), HIDE(8)) == 2);
  CHECK(overflow64(HIDE(5ll), 3, HIDE(5ull), 3) == 0);
  CHECK(overflow64(HIDE(0x7fffffffffffffffll), 2, HIDE(1ull), 2) == 1 + 4 + 16);
  CHECK(overflow64(HIDE(-0x7fffffffffffffffll - 1), HIDE(-1ll), HIDE(~0ull), 2) == 1 + 4 + 8 + 32);
  CHECK(overflow64(HIDE(-0x7fffffffffffffffll - 1), HIDE(1ll), HIDE(0ull), 0) == 2);
  CHECK(overflow64(HIDE(-1ll), HIDE(-0x7fffffffffffffffll - 1), HIDE(3ull), 0) == 1 + 4);
  CHECK(mixed(HIDE(-1ll), HIDE(0ull), 0) == 2);
  CHECK(mixed(HIDE(-1ll), HIDE(5ull), 0) == 16);
  CHECK(mixed(HIDE(1ll), HIDE(~0ull), 7) == 1 + 2 + 8);
  CHECK(mixed(HIDE(-2ll), HIDE(0x4000000000000000ull), 1) == 16 + 32);
  CHECK(mixed(HIDE(-2ll), HIDE(0x4000000000000001ull), 0) == 8 + 16);
  CHECK(mixed(HIDE(2ll), HIDE(0x4000000000000000ull), 9) == 8);
  char text[12] = "hello", copy[12];
  __builtin_memset(copy, HIDE(0x55), sizeof copy);
  __builtin_memcpy(copy + 1, text, 6);
  CHECK(copy[0] == 0x55 && copy[1] == 'h' && copy[6] == 0 && copy[7] == 0x55);
  __builtin_memmove(copy, copy + 1, 6);
  CHECK(copy[0] == 'h' && copy[4] == 'o' && copy[5] == 0 && copy[6] == 0);
  CHECK(__builtin_memcmp(copy, text, 6) == 0);
  text[2] = HIDE('z');
  CHECK(__builtin_memcmp(copy, text, 6) < 0 && __builtin_memcmp(text, copy, 6) > 0);
  CHECK(__builtin_strlen("abc") == 3 && __builtin_strcmp("abc", "abd") < 0);
  CHECK(__builtin_constant_p(5) && __builtin_expect(HIDE(3), 0) == 3);
  CHECK(__builtin_choose_expr(1, 2, "x") == 2);
  CHECK(__builtin_types_compatible_p(int, s32) && __builtin_offsetof(struct { int a, b[3]; }, b[2]) == 12);
  CHECK(__builtin_object_size(text, 0) == 12);
  return 0;
}
