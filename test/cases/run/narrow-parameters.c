#include "run.h"

static __attribute__((noinline)) s64 own(u8 a, s8 b, u16 c, s16 d, _Bool e) {
  mix(a > b), mix(c > d), mix(a + b + c + d + e), mix((s64)b << 8 | a), mix((u32)d >> 3);
  mix((u16)b), mix((u8)d), mix((s8)a), mix((s8)c), mix(e ? a : c);
  return (s64)d * b - a;
}
__attribute__((noinline)) s64 shared(u8 a, s8 b, u16 c, s16 d, _Bool e) {
  mix(a == 200), mix(b == -56), mix(c >= 0xff38), mix(d < -7), mix(e);
  return own(a + 1, b + 1, c + 1, d + 1, !e) + a * b + c * d;
}
__attribute__((noinline)) int passed(s8 a, u16 b) { return a * 7 + b; }
__attribute__((noinline)) int rounded(s8 a) { return (s8)(a * 2) / 2 + (s16)(a << 3) / 4; }

static void run(void) {
  for (s32 i = -70000; i < 70000; i += 977) {
    s32 v = HIDE(i);
    mix(own(v, v, v, v, v)), mix(shared(v, v, v, v, v & 1)), mix(shared(-v, v >> 3, v >> 5, ~v, v));
    mix(passed(v, v)), mix(passed(v >> 8, -v)), mix(rounded(v));
  }
}
