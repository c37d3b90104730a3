#include "run.h"

static s64 wide[] = {0, 1, -1, 7, -7, 1000000007, -1000000007, 0x7fffffffffffffff,
                     -0x7fffffffffffffff - 1, 0x100000000, -0x100000000};

static __attribute__((noinline)) void each(s64 a, s64 d) {
  mix((u64)a / (u64)d), mix((u64)a % (u64)d), mix((u32)a / ((u32)d | 1)), mix((u32)a % ((u32)d | 1));
  if (d == -1) return;
  mix(a / d), mix(a % d);
  if ((s32)d != 0 && (s32)d != -1) mix((s32)a / (s32)d), mix((s32)a % (s32)d);
  if ((s16)d != 0) mix((s16)a / (s16)d), mix((s8)a % (s16)d);
}

static void run(void) {
  for (int i = 0; i < 11; i++) {
    s64 a = wide[i];
    for (int k = 1; k < 11; k++) each(a, wide[k]);
    mix(a / 2), mix(a % 2), mix(a / -2), mix(a / 4), mix(a % -8), mix(a / 10), mix(a % 10);
    mix((u64)a / 10), mix((u64)a % 1000), mix((u64)a / 3), mix((u64)a / 0x100000000);
    mix((s32)a / 16), mix((s32)a % 16), mix((s32)a / -16), mix((s32)a / 7), mix((s32)a % 7);
    mix((u32)a / 7), mix((u32)a % 7), mix((u32)a / 0x80000000u), mix((s32)a / (-2147483647 - 1));
    mix(a % 0x80000000), mix(a % 0x100000000), mix(a % -0x40000000000), mix(a / -0x100000000);
    mix(a % (-0x7fffffffffffffff - 1)), mix(a / (-0x7fffffffffffffff - 1));
    mix((s8)a / 3), mix((s8)a % 3), mix((u8)a / 3), mix((s16)a / 256), mix((u16)a % 255);
  }
}
