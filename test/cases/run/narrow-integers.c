#include "run.h"

static u8 b = 250;
static s8 c = -100;
static u16 h = 65530;
static s16 s = -32760;
static _Bool flag;
static volatile s8 vc = -1;

static __attribute__((noinline)) s8 narrow(s32 x) { return (s8)x; }
static __attribute__((noinline)) u16 half(u64 x) { return (u16)x; }
static __attribute__((noinline)) s64 widen(s8 x, u8 y, s16 z, u16 w) { return x + y + z + w; }
static __attribute__((noinline)) _Bool truth(u64 x) { return x; }

static void run(void) {
  for (int i = 0; i < 10; i++) {
    b += 3;
    c -= 7;
    h++;
    s--;
    flag += 1;
    mix(b), mix(c), mix(h), mix(s), mix(flag);
  }
  mix(b++ + ++b), mix(c-- - --c), mix(flag--), mix(flag--), mix(flag);
  mix(narrow(HIDE(200))), mix(narrow(HIDE(-129))), mix(half(HIDE(0x123456789ull)));
  mix(widen((s8)HIDE(300), (u8)HIDE(-1), (s16)HIDE(40000), (u16)HIDE(-2)));
  mix(truth(HIDE(0x100000000ull))), mix(truth(HIDE(0ull)));
  mix(vc), mix((u8)vc), mix((u16)vc), mix((u64)(u32)vc), mix((s64)vc);
  mix(c < b), mix((u8)c < b), mix((u32)c < b), mix((s64)c < (s64)b), mix(c < (u64)b);
  c <<= 3, mix(c), c >>= 1, mix(c), b >>= 1, mix(b), b = ~b, mix(b), mix(~b), mix(-b), mix(!b);
  s *= s, mix(s), h *= h, mix(h), h /= 7, mix(h), s %= 11, mix(s), s /= -3, mix(s);
  u32 x = HIDE(0x80000000u);
  mix(x >> 31), mix((s32)x >> 31), mix((s64)(s32)x), mix((u64)x << 1), mix((u64)(x << 1));
  mix(x + 0x80000000u), mix((u64)x + 0x80000000u), mix(-x), mix(-(s64)x), mix((s64)-x);
  mix((s32)x < 0), mix(x > 0x7fffffffu), mix((s64)x < 0), mix((s32)x == -2147483648ll);
  for (s8 i = 120; i > 0; i++) mix(i);
  for (u8 i = 3; i < 4; i--) mix(i);
}
